import type { Timer } from '../clock';
import { Calendar } from './calendar';
import { orderError, orderFault } from './errors';
import { Dispatcher } from './dispatcher';
import type { Flight } from './flights';
import { Ledger } from './ledger';
import type { DialerOptions } from './options';
import { iso, Reporter } from './reports';
import { savedOrder } from './saved';
import type { DialerCounts, Order, OrderProgress, OrderStatus } from './types';

const PAGE = 200;
const PUBLISH_AFTER_MS = 300;
const CLOSE_WITHIN_MS = 1500;
/** What comes while the store is being opened waits for it so long. */
const READY_WITHIN_MS = 5000;

/**
 * Dials what was ordered: each order until it has its one outcome, over restarts. What waits lies on disk; in memory are at most about
 * twice as many orders as there are lines. Nothing is dialled before the disk holds that it is being dialled, and nothing is dialled
 * again of which nobody can know whether the client was reached.
 */
export class Dialer {
  private readonly ledger: Ledger;
  private readonly dispatcher: Dispatcher;
  private readonly calendar: Calendar;
  private stage: 'new' | 'loaded' | 'closed' = 'new';
  /** What waits for the store, for the link, or for the end. */
  private readonly wakes = new Set<() => void>();
  private readonly ends: (() => void)[] = [];
  private publishing: Timer | undefined;

  constructor(private readonly options: DialerOptions) {
    const { settings, openings } = options;
    this.calendar = new Calendar(settings.windows, openings);
    this.ledger = new Ledger(
      options,
      () => this.storeChanged(),
      () => this.publish(),
    );
    this.dispatcher = new Dispatcher(options, this.ledger, this.calendar, () => this.wake());
  }

  /** Tells the outcomes that the last process could not tell, takes up what was in the air, then dials. */
  start(): void {
    this.ends.push(this.options.line.onReady(() => this.linkChanged()));
    this.load().catch((thrown: unknown) => this.options.log.warn(orderFault(thrown)));
  }

  /**
   * Takes an order in. `tell` hears of it first, once, when it is on disk; an order whose key is known is told as the first one with
   * it. Rejects with a TelephonyError when it is refused: then there is no order.
   */
  async place(order: Order, reply: unknown, tell: (first: OrderProgress) => void): Promise<void> {
    const reporter = await this.ready();
    if (order.key !== undefined && (await this.repeat(order.key, tell))) return;
    // A flood of orders past the bound must cost little.
    this.ledger.checkRoom();
    const now = this.options.clock.now();
    const opening = await this.checked(order, now);
    const saved = { order, ...(reply === undefined ? {} : { reply }) };
    const { isNew, ...stored } = await this.ledger.put(saved, now, opening);
    const first = isNew
      ? reporter.progress(stored, order, 'queued', opening > now ? { nextAt: opening } : {})
      : reporter.known(stored, { order });
    this.ledger.teller.say(() => tell(first));
    if (isNew) this.dispatcher.add(stored);
  }

  /**
   * Tells of the first order with this key, whatever the second one says, and whether it could be carried out now; `false`: there is none.
   * Rejects while the store fails: what it knows may be an order that was refused, and will be taken back.
   */
  async repeat(key: string, tell: (first: OrderProgress) => void): Promise<boolean> {
    const reporter = await this.ready();
    const known = await this.find(key);
    if (!known) return false;
    this.ledger.durable.check();
    const first = reporter.known(known, savedOrder(known));
    this.ledger.teller.say(() => tell(first));
    return true;
  }

  /**
   * Cancels an order that waits, or hangs up its try; resolves when that is certain. `false`: it is over, or none of this node's. Rejects
   * when the store fails: then it is not known.
   */
  async cancel(id: number): Promise<boolean> {
    await this.ready();
    const { flights } = this.dispatcher;
    let isBeingBegun = false;
    while (!this.dispatcher.withdraw(id)) {
      const flight = flights.get(id);
      if (flight?.isOnLine) {
        flight.isCancelled = isBeingBegun = true;
        if (flight.channelId !== undefined) {
          this.options.line.cancel(flight.channelId);
          return true;
        }
      }
      // What is being written of it decides what there is to cancel.
      await this.nextWake();
      await this.ready();
      this.ledger.durable.check();
    }
    try {
      const stored = await this.find(id);
      if (stored?.state === 'over') {
        return isBeingBegun && Reporter.fromDisk(stored, undefined).outcome === 'cancelled';
      }
      if (stored?.state !== 'waiting') return false;
      return await this.ledger.end(stored, savedOrder(stored), {
        outcome: 'cancelled',
        endedAt: this.options.clock.now(),
      });
    } finally {
      this.dispatcher.leave(id);
    }
  }

  /** Cancels everything that waits and hangs up what is in the air; resolves with how many. */
  async cancelAll(): Promise<number> {
    await this.ready();
    const { orders, queue } = this.options;
    const cancelEach = async (ids: readonly number[]): Promise<number> =>
      (await Promise.all(ids.map((id) => this.cancel(id)))).filter(Boolean).length;
    // The lines that become free are not for those whose turn is yet to come.
    return this.dispatcher.still(async () => {
      let count = await cancelEach(this.dispatcher.flights.ids());
      let after = 0;
      for (;;) {
        const page = await this.ledger.durable.once(() => orders.waiting(queue, PAGE, after));
        count += await cancelEach(page.map(({ id }) => id));
        after = page.at(-1)?.id ?? after;
        if (page.length < PAGE) return count;
      }
    });
  }

  /** Begins nothing from now on, over restarts too, or goes on; calls in the air are left alone either way. */
  async setPaused(isPaused: boolean): Promise<void> {
    await this.ready();
    await this.ledger.setPaused(isPaused);
    this.publish();
    this.dispatcher.pump();
  }

  /**
   * Takes over what waits or is in the air in the queues of nodes that are gone and were of this dialler's mode, to dial it; resolves with
   * how many orders that are. One of those nodes was paused: then this dialler is, from now on.
   */
  async adopt(queues: readonly string[]): Promise<number> {
    await this.ready();
    const mine = await this.ledger.ofOwnMode(queues);
    if (await this.ledger.isAnyPaused(mine)) await this.setPaused(true);
    return this.takeOverFrom(mine, false);
  }

  /** @param isLast only what is in the air, and none of it is dialled again after its try */
  private async takeOverFrom(queues: readonly string[], isLast: boolean): Promise<number> {
    await this.ready();
    const moved = await this.ledger.adopt(queues, isLast);
    const { orders, queue } = this.options;
    const mine = new Set(this.dispatcher.flights.ids());
    const inAir = await this.ledger.durable.once(() => orders.inAir(queue));
    const others = inAir
      .filter(({ id }) => !mine.has(id) && !this.dispatcher.flights.get(id))
      .map((stored) => this.dispatcher.takeOver(stored, isLast))
      .filter((one) => one !== undefined);
    // The link may be away for long.
    if (others.length > 0) void this.takeUp(others);
    this.dispatcher.look();
    return moved;
  }

  /**
   * Cancels what waits in the queues of nodes that are gone; resolves with how many.
   * What is in the air is followed to its end, and not dialled again.
   */
  async cancelOf(queues: readonly string[]): Promise<number> {
    await this.ready();
    const { orders, clock } = this.options;
    let count = 0;
    for (const from of queues) {
      for (;;) {
        const page = await this.ledger.durable.once(() => orders.waiting(from, PAGE));
        if (page.length === 0) break;
        const ending = { outcome: 'cancelled', endedAt: clock.now() } as const;
        const ended = await Promise.all(page.map((stored) => this.ledger.end(stored, savedOrder(stored), ending)));
        const { length } = ended.filter(Boolean);
        // What cannot be ended stays where it is.
        if (length === 0) break;
        count += length;
      }
    }
    await this.takeOverFrom(queues, true);
    return count;
  }

  /** What has become of an order, by its number or key; `undefined`: this node has no such order. */
  async status(which: number | string): Promise<OrderStatus | undefined> {
    await this.ready();
    const stored = await this.find(which);
    if (!stored) return undefined;
    const { id, key, state, tries, queuedAt, expiresAt, notBefore } = stored;
    const phase = this.dispatcher.flights.get(id)?.phase;
    return {
      orderId: id,
      state,
      tries,
      queuedAt: iso(queuedAt),
      expiresAt: iso(expiresAt),
      ...(key === undefined ? {} : { key }),
      ...(state === 'in-air' && phase !== undefined ? { phase } : {}),
      ...(state === 'waiting' ? { nextAt: iso(notBefore) } : {}),
      ...(state === 'over' ? { result: Reporter.fromDisk(stored, savedOrder(stored)) } : {}),
    };
  }

  async counts(): Promise<DialerCounts> {
    await this.ready();
    const { orders, queue } = this.options;
    return this.withNextAt(await this.ledger.durable.once(() => orders.count(queue)));
  }

  private standing(): Pick<DialerCounts, 'isPaused' | 'loss'> {
    const { isPaused, loss } = this.ledger;
    return loss === undefined ? { isPaused } : { isPaused: true, loss };
  }

  /**
   * Begins nothing more and waits for what is being written, 1.5 s at most. What is in the air stays there: the next
   * dialler takes it up.
   */
  async close(): Promise<void> {
    this.stage = 'closed';
    for (const end of this.ends) end();
    this.publishing?.cancel();
    this.wake();
    await new Promise<void>((resolve) => {
      const timer = this.options.clock.after(CLOSE_WITHIN_MS, resolve);
      const written = this.dispatcher.close().then(() => this.ledger.teller.flush());
      void written.finally(() => {
        timer.cancel();
        resolve();
      });
    });
    this.ledger.durable.close();
    this.ledger.teller.close();
  }

  private async withNextAt(counts: Pick<DialerCounts, 'waiting' | 'inAir'>): Promise<DialerCounts> {
    const { orders, queue } = this.options;
    // While something is in the air the next one is a matter of lines.
    const isIdle = counts.waiting > 0 && counts.inAir === 0;
    const nextAt = isIdle ? await this.ledger.durable.once(() => orders.nextAt(queue)) : undefined;

    return { ...counts, ...this.standing(), ...(nextAt === undefined ? {} : { nextAt }) };
  }

  private isClosed(): boolean {
    return this.stage === 'closed';
  }

  private isLoading(): boolean {
    return this.stage === 'new';
  }

  private async load(): Promise<void> {
    const inAir = await this.ledger.load();
    if (!inAir || this.isClosed()) return;
    const others = inAir.map((stored) => this.dispatcher.takeOver(stored)).filter((one) => one !== undefined);
    this.stage = 'loaded';
    this.wake();
    this.publish();
    // What expires is told even while the PBX is away.
    this.dispatcher.look();
    if (others.length > 0) await this.takeUp(others);
    this.dispatcher.begin();
  }

  private async takeUp(flights: readonly Flight[]): Promise<void> {
    const { line } = this.options;
    while (!line.isReady && !this.isClosed()) await this.nextWake();
    if (!this.isClosed()) await this.dispatcher.takeUp(flights);
  }

  private linkChanged(): void {
    this.wake();
    this.dispatcher.pump();
  }

  private nextWake(): Promise<void> {
    return new Promise((resolve) => this.wakes.add(resolve));
  }

  private wake(): void {
    for (const wake of this.wakes) wake();
    this.wakes.clear();
  }

  private storeChanged(): void {
    this.wake();
    this.publish();
    if (!this.ledger.durable.problem) this.dispatcher.recovered();
  }

  /** Resolves when the store has been read; rejects when that fails or takes too long. */
  private async ready(): Promise<Reporter> {
    const { clock } = this.options;
    const until = clock.monotonic() + READY_WITHIN_MS;
    while (this.isLoading() && !this.ledger.durable.problem && clock.monotonic() < until) {
      const timer = clock.after(until - clock.monotonic(), () => this.wake());
      await this.nextWake();
      timer.cancel();
    }
    const { reporter, durable } = this.ledger;
    if (this.stage !== 'loaded' || !reporter) throw durable.problem ?? orderError('DIALER_NOT_READY');
    return reporter;
  }

  private async find(which: number | string) {
    const { orders, queue } = this.options;
    const find = () => (typeof which === 'number' ? orders.get(which) : orders.byKey(queue, which));
    const stored = await this.ledger.durable.once(find);
    return stored?.queue === queue ? stored : undefined;
  }

  /** When the order can be dialled first. Rejects with why it never can. */
  private async checked(order: Order, now: number): Promise<number> {
    const refusal = this.dispatcher.objection(order);
    if (refusal) throw refusal;
    if (order.mode !== 'autocall') return now;
    if (await this.dispatcher.isBlocked(order)) throw orderError('ORDER_BLOCKED', { number: order.e164 });
    const opening = this.calendar.opening(order.timeZones, now, order.expiresAt);
    if (opening === undefined) throw orderError('ORDER_NO_WINDOW', { until: iso(order.expiresAt) });
    return opening;
  }

  /** Tells the state a moment later, for all that happens until then. */
  private publish(): void {
    if (this.isClosed()) return;
    this.publishing ??= this.options.clock.after(PUBLISH_AFTER_MS, () => {
      this.publishing = undefined;
      // The store would go through all that wait to count them, over and over while a campaign runs.
      const counts = { waiting: this.ledger.waiting, inAir: this.dispatcher.flights.inAir };
      void this.withNextAt(counts)
        .catch(() => ({ ...counts, ...this.standing() }))
        .then((state) => {
          const { problem } = this.ledger.durable;
          if (!this.isClosed()) this.options.onState({ ...state, ...(problem === undefined ? {} : { problem }) });
        });
    });
  }
}
