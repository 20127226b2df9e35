import { randomUUID } from 'node:crypto';
import type { BegunCall } from '../outbound/types';
import type { QueueStanding, StoredOrder, StoreLoss } from '../store/types';
import { Aging } from './aging';
import type { Decision, Ending } from './decide';
import { Durable } from './durable';
import { orderError } from './errors';
import type { DialerOptions } from './options';
import { Reporter } from './reports';
import { notesOf, savedOrder } from './saved';
import type { SavedOrder } from './saved';
import { Teller } from './teller';
import type { Order } from './types';

const PAGE = 200;
const MINUTE_MS = 60_000;
/** As many calls as an `ami-config` can let begin in a minute. */
const MAX_BEGUN = 10_000;

/** The calls of the last minute of an order that was dialled in it; where it is not known which of its tries were, all that can have been. */
function callsOf(stored: StoredOrder): BegunCall[] {
  const { id, tries, startedAt = 0 } = stored;
  const order = savedOrder(stored)?.order;
  const most = Math.min(tries, 1 + Math.floor(MINUTE_MS / (order?.periodMs ?? MINUTE_MS)));
  return Array.from({ length: most }, (_, before) => ({ id: `${id}-${tries - before}`, by: order?.by, at: startedAt }));
}

/** The orders of one dialler as they lie on disk, and what the flow is told when they change there. */
export class Ledger {
  readonly durable: Durable;
  readonly teller: Teller;
  readonly aging: Aging;
  reporter: Reporter | undefined;
  /** On disk, not in the air. */
  waiting = 0;
  /** By command, over restarts. */
  isPaused = false;
  /** Nothing may be dialled before somebody has seen it. */
  loss: StoreLoss | undefined;
  private storeName: string | undefined;
  /** Being put. */
  private coming = 0;
  /** Tokens of orders that were refused because the store failed: it may hold them all the same. */
  private readonly refused = new Set<string>();

  constructor(
    private readonly options: DialerOptions,
    onStoreChange: () => void,
    private readonly onCount: () => void,
  ) {
    const { clock, log } = options;
    this.durable = new Durable({ clock, log, probe: () => this.recover(), onChange: onStoreChange });
    this.teller = new Teller({ ...options, durable: this.durable });
    this.aging = new Aging(clock);
  }

  /** Nothing may be dialled now. */
  get isHeld(): boolean {
    return this.isPaused || this.loss !== undefined;
  }

  /** Tells what the last process could not tell; gives what it left in the air. `undefined`: closed before the store could be read. */
  async load(): Promise<readonly StoredOrder[] | undefined> {
    const { orders, queue, guard, clock } = this.options;
    const read = await this.durable.persist(async () => {
      this.isPaused = (await this.look()).isPaused;
      await this.tellUntold();
      guard.remember((await orders.begun(queue, clock.now() - MINUTE_MS, MAX_BEGUN)).flatMap(callsOf));
      return orders.inAir(queue);
    });
    return read?.given;
  }

  /** Whether nothing may be dialled, as the file stands now: it may be another one than it was a moment ago. */
  async mustWait(): Promise<boolean> {
    await this.durable.once(() => this.look());
    return this.isHeld;
  }

  async setPaused(isPaused: boolean): Promise<void> {
    const { orders, queue } = this.options;
    // A pause holds at once; what goes on does so when that is on disk.
    if (isPaused) this.isPaused = true;
    await this.durable.once(() => orders.setPaused(queue, isPaused));
    this.isPaused = isPaused;
    if (!isPaused) this.loss = undefined;
  }

  /** Those of other queues whose orders are of this dialler's mode: what is set up for clicks must not begin to dial autocalls. */
  async ofOwnMode(queues: readonly string[]): Promise<string[]> {
    const { orders, mode } = this.options;
    const own: string[] = [];
    for (const queue of queues) {
      const [first] = await this.durable.once(async () => [
        ...(await orders.waiting(queue, 1)),
        ...(await orders.inAir(queue)),
      ]);
      if (first && savedOrder(first)?.order.mode === mode) own.push(queue);
    }
    return own;
  }

  /** Whether somebody paused one of these queues, and nobody resumed it. */
  async isAnyPaused(queues: readonly string[]): Promise<boolean> {
    for (const queue of queues) {
      if ((await this.durable.once(() => this.options.orders.standing(queue))).isPaused) return true;
    }
    return false;
  }

  /** What waits and is in the air in other queues is this dialler's from now on; resolves with how many orders that are. */
  async adopt(queues: readonly string[], onlyInAir: boolean): Promise<number> {
    const { orders, queue } = this.options;
    let moved = 0;
    for (const from of queues) {
      const { waiting, inAir } = await this.durable.once(() => orders.adopt(from, queue, onlyInAir));
      this.changeWaiting(waiting);
      moved += waiting + inAir;
    }
    return moved;
  }

  private async look(): Promise<QueueStanding> {
    const { orders, queue, pbx, lang, mode, log } = this.options;
    const [standing, name] = [await orders.standing(queue), await orders.name];
    if (name !== this.storeName) {
      this.waiting = (await orders.count(queue)).waiting;
      this.reporter = new Reporter(pbx, mode, name, lang);
      this.storeName = name;
    }
    // Whoever clicks decides for himself whom to call.
    const loss = standing.loss === 'begun-anew' && mode !== 'autocall' ? undefined : standing.loss;
    if (loss !== undefined && loss !== this.loss) {
      log.warn(orderError(loss === 'restored' ? 'ORDERS_HELD_RESTORED' : 'ORDERS_HELD_ANEW'));
    }
    this.loss = loss;
    return standing;
  }

  /** The store works again, or this rejects. */
  private async recover(): Promise<void> {
    await this.look();
    const { orders, queue } = this.options;
    let after = 0;
    while (this.refused.size > 0) {
      const page = await orders.waiting(queue, PAGE, after);
      const ours = page.filter((stored) => this.refused.has(savedOrder(stored)?.token ?? ''));
      if (ours.length > 0) await orders.unput(ours.map(({ id }) => id));
      after = page.at(-1)?.id ?? after;
      if (page.length < PAGE) this.refused.clear();
    }
  }

  private async tellUntold(): Promise<void> {
    const { orders, queue } = this.options;
    for (;;) {
      const page = await orders.untold(queue, PAGE);
      for (const stored of page) {
        const saved = savedOrder(stored);
        this.teller.outcome(stored.id, Reporter.fromDisk(stored, saved), saved?.reply);
      }
      await this.teller.flush();
      if (page.length < PAGE) return;
    }
  }

  /** Throws `ORDER_TOO_MANY` when no more orders may wait. */
  checkRoom(): void {
    const { maxWaiting } = this.options.settings;
    if (this.waiting + this.coming >= maxWaiting) throw orderError('ORDER_TOO_MANY', { limit: maxWaiting });
  }

  /** Writes an order down. Rejects with `ORDER_TOO_MANY` or `STORE_…`. */
  async put(saved: SavedOrder, now: number, notBefore: number): Promise<StoredOrder & { readonly isNew: boolean }> {
    const { orders, queue } = this.options;
    const { key, priority, expiresAt } = saved.order;
    // Counted in the same breath as it is taken: a thousand at once must not pass the bound together.
    this.checkRoom();
    // A store that has failed is not asked: what it then holds of refused orders stays bounded.
    this.durable.check();
    const token = randomUUID();
    const body = JSON.stringify({ ...saved, token });
    const entry = { queue, priority, queuedAt: now, notBefore, expiresAt, body, ...(key === undefined ? {} : { key }) };
    this.coming += 1;
    this.aging.look();
    try {
      const [put] = await this.durable.once(() => orders.put([entry]));
      const { id, isNew } = put ?? { id: 0, isNew: false };
      // What it knows by this key may be an order that was refused when the store failed, and will be taken back.
      if (!isNew) this.durable.check();
      if (isNew) {
        this.aging.came(id);
        this.changeWaiting(1);
      }
      return { ...entry, id, state: 'waiting', tries: 0, isNew };
    } catch (thrown) {
      if (this.durable.problem) this.refused.add(token);
      throw thrown;
    } finally {
      this.coming -= 1;
    }
  }

  /** Ends an order and tells the flow. `false`: it was over already, or could not be written before the end. */
  async end(stored: StoredOrder, saved: SavedOrder | undefined, ending: Ending): Promise<boolean> {
    const { reporter } = this;
    const { orders, queue } = this.options;
    if (!reporter) return false;
    const outcome = reporter.outcome(stored, saved?.order, ending);
    const text = Reporter.toDisk(outcome);
    const write = async (): Promise<'ended' | 'not-known' | 'over'> => {
      if (await orders.finish(stored.id, text, ending.endedAt)) return 'ended';
      const found = await orders.get(stored.id);
      // A file that was begun anew, or restored, does not know the order: the flow hears of it all the same.
      if (found === undefined) return 'not-known';
      // A write that seemed to fail may have been done all the same.
      return found.outcome === text ? 'ended' : 'over';
    };
    const how = (await this.durable.persist(write))?.given ?? 'over';
    if (how === 'over') return false;
    const wasCounted = how === 'ended' && stored.state === 'waiting' && stored.queue === queue;
    this.changeWaiting(wasCounted ? -1 : 0);
    this.teller.outcome(stored.id, outcome, saved?.reply);
    return true;
  }

  /** waiting -> in-air. Rejects when it is not known whether the store has written it. `undefined`: it is not waiting any more. */
  async begin(stored: StoredOrder, startedAt: number): Promise<StoredOrder | undefined> {
    const isWaiting = await this.durable.once(() => this.options.orders.begin(stored.id, startedAt));
    if (!isWaiting) return undefined;
    this.changeWaiting(-1);
    return { ...stored, state: 'in-air', startedAt, tries: stored.tries + 1 };
  }

  /** in-air -> waiting. */
  async again(stored: StoredOrder, order: Order, decision: Extract<Decision, { kind: 'again' }>): Promise<void> {
    const { at, notes, tryOutcome } = decision;
    const isUncounted = tryOutcome === undefined;
    const { orders } = this.options;
    const write = async (): Promise<boolean> => {
      await orders.again(stored.id, at, JSON.stringify(notes), isUncounted);
      return (await orders.get(stored.id))?.state === 'waiting';
    };
    const written = await this.durable.persist(write);
    if (!written) return;
    // A file that was begun anew, or restored, does not know the order.
    this.changeWaiting(written.given ? 1 : 0);
    if (isUncounted || !this.reporter) return;
    this.teller.progress(this.reporter.progress(stored, order, 'retry', { nextAt: at, tryOutcome }));
  }

  /** waiting, but not before `at`: its window. */
  async postpone(stored: StoredOrder, order: Order, at: number): Promise<void> {
    if (!(await this.durable.persist(() => this.options.orders.postpone(stored.id, at)))) return;
    if (this.reporter) this.teller.progress(this.reporter.progress(stored, order, 'waits', { nextAt: at }));
  }

  /** What was to begin when the store failed goes back to those that wait, if it did begin; it was counted among them all the time. */
  async settle(id: number): Promise<void> {
    const { orders, clock } = this.options;
    await this.durable.persist(async () => {
      const stored = await orders.get(id);
      if (stored?.state !== 'in-air') return;
      await orders.again(id, clock.now(), JSON.stringify(notesOf(stored)), true);
    });
  }

  private changeWaiting(by: number): void {
    this.waiting += by;
    this.onCount();
  }
}
