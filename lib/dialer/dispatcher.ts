import type { TelephonyError } from '../errors';
import type { StoredOrder } from '../store/types';
import { Alarm } from './alarm';
import type { Calendar } from './calendar';
import { decide } from './decide';
import type { Ending } from './decide';
import { orderError, orderFault } from './errors';
import { endExpired } from './expiry';
import { Flights } from './flights';
import type { Flight } from './flights';
import { follow, followOn, forget } from './followed';
import type { Ledger } from './ledger';
import type { DialerOptions } from './options';
import { dialledNumbers } from './order';
import { Pool } from './pool';
import type { PooledOrder } from './pool';
import { iso } from './reports';
import { notesOf, savedOrder } from './saved';
import type { SavedOrder } from './saved';
import { Turn } from './turn';
import type { Attempt, AttemptPhase, AttemptResult, Order } from './types';

/** So often is looked for orders that are due while some cannot be dialled for want of a line. */
const LOOK_EVERY_MS = 1000;
/** And so long after a look that failed for another reason than the store, which tells when it works again. */
const AFTER_FAULT_MS = 10_000;
/** So many orders are begun in one turn of the event loop: hundreds of lines that become free together must not hold it. */
const BEGUN_IN_TURN = 64;
/** The gate of the cap on all calls of a minute. */
const ALL = 'all';

const gateOf = (by: string): string => `by ${by}`;

/** Decides which order is dialled when, and follows it until its try is over and written down. */
export class Dispatcher {
  readonly flights: Flights;
  private readonly pool: Pool;
  private readonly alarm: Alarm;
  private readonly turn: Turn;
  /** Every order that is in memory, or is being written: not to be loaded. */
  private readonly held = new Set<number>();
  /** What left memory while orders were being loaded: what was read of it is old. */
  private leftMeanwhile: Set<number> | undefined;
  /** Orders of which it is not known whether the store noted the beginning of their try. */
  private readonly unsure = new Set<Flight>();
  /** Gates that a cap on calls has shut, until a moment of the steady clock. */
  private readonly shut = new Map<string, number>();
  /** Orders that could be dialled lie on disk only. */
  private moreOnDisk = true;
  private looking = false;
  /** Works during which nothing is begun. */
  private stills = 0;
  private stage: 'idle' | 'dialling' | 'closed' = 'idle';
  private readonly work = new Set<Promise<unknown>>();

  constructor(
    private readonly options: DialerOptions,
    private readonly ledger: Ledger,
    private readonly calendar: Calendar,
    /** Nothing is being written any more of an order of which something was. */
    private readonly onRest: () => void,
  ) {
    const { settings, clock } = options;
    this.flights = new Flights(settings);
    this.alarm = new Alarm(clock, () => this.look());
    this.turn = new Turn(BEGUN_IN_TURN, clock, () => this.pump());
    this.pool = new Pool(Math.max(settings.lines, 16), (id) => {
      this.moreOnDisk = true;
      this.leave(id);
    });
  }

  /** From now on orders are dialled. */
  begin(): void {
    if (this.stage === 'closed') return;
    this.stage = 'dialling';
    this.look();
  }

  /** Begins nothing more. Resolves when nothing is being written any more. */
  async close(): Promise<void> {
    this.stage = 'closed';
    this.alarm.close();
    this.turn.close();
    await Promise.allSettled(this.work);
  }

  /** An order that has just come. */
  add(stored: StoredOrder): void {
    if (stored.notBefore > this.options.clock.now()) this.alarm.wall(stored.notBefore);
    // It must not overtake those that have waited on disk for longer.
    else if ((this.moreOnDisk || this.looking) && this.pool.isBehindAll(stored)) this.moreOnDisk = true;
    else this.keep(stored);
    this.alarm.wall(stored.expiresAt);
    this.pump();
  }

  /** Does something while nothing is begun. */
  async still<T>(work: () => Promise<T>): Promise<T> {
    this.stills += 1;
    try {
      return await work();
    } finally {
      this.stills -= 1;
      this.pump();
    }
  }

  /** Takes a waiting order away from dialling; `false`: it is in the air, or something is being written of it. */
  withdraw(id: number): boolean {
    if (!this.pool.remove(id) && this.held.has(id)) return false;
    this.held.add(id);
    return true;
  }

  /** The order may be loaded again. */
  leave(id: number): void {
    this.held.delete(id);
    this.leftMeanwhile?.add(id);
    this.onRest();
  }

  /** An order that an earlier dialler left in the air; given back when the PBX has to be asked what became of it. */
  takeOver(stored: StoredOrder, isLast = false): Flight | undefined {
    this.held.add(stored.id);
    const pooled = this.pooled(stored);
    if (!pooled) {
      this.endUnreadable(stored);
      return undefined;
    }
    const flight = this.flights.begin(pooled);
    flight.isLast = isLast;
    flight.channelId = this.channelId(stored);
    const result = followOn(this.options.line, flight.channelId, (phase) => this.heard(flight, phase));
    if (!result) return flight;
    this.listen(flight, result);
    return undefined;
  }

  /** Follows what the PBX still has in the air. Resolves when it is known which of them are gone. */
  async takeUp(flights: readonly Flight[]): Promise<void> {
    const byChannel = new Map(flights.map((flight) => [flight.channelId, flight] as const));
    await this.options.line.takeUp(
      flights.map((flight) => this.attemptOf(flight, this.ledger.aging.expiry(flight.stored))),
      ({ channelId }, phase) => {
        const flight = byChannel.get(channelId);
        if (flight) this.heard(flight, phase);
      },
      ({ channelId }, result) => {
        const flight = byChannel.get(channelId);
        if (flight) this.landed(flight, result);
      },
    );
    // The line did not know them yet when they were cancelled.
    for (const { isCancelled, channelId } of flights) {
      if (isCancelled && channelId !== undefined) this.options.line.cancel(channelId);
    }
  }

  /** Why an order may not be dialled at all. */
  objection(order: Order): TelephonyError | undefined {
    const { line, guard, plan } = this.options;
    for (const target of dialledNumbers(order, plan)) {
      const objection = guard.objection(target);
      if (objection) return objection;
    }
    return line.objection(order);
  }

  /** The store works again. */
  recovered(): void {
    for (const flight of this.unsure) {
      this.unsure.delete(flight);
      this.run(this.putRight(flight));
    }
    this.look();
  }

  private async putRight(flight: Flight): Promise<void> {
    const { stored, saved, isCancelled } = flight;
    await this.ledger.settle(stored.id);
    if (isCancelled) await this.ledger.end(stored, saved, this.cancelled());
    this.flights.end(flight);
    this.putBack(stored.id);
  }

  /** Fills the lines that are free, and sees to it that it is called again when there is more to do. */
  pump(): void {
    if (!this.mayDial()) return;
    const isShut = (gate: string): boolean => this.isShut(gate);
    while (!this.flights.isFull && !this.isShut(ALL)) {
      if (this.turn.isOver) return;
      const order = this.pool.take(isShut);
      if (!order) break;
      this.turn.spend();
      try {
        this.launch(order);
      } catch (thrown) {
        // Of one order that cannot be judged the others must not hear.
        this.endNow(order, this.failure(orderFault(thrown)));
      }
    }
    if (this.pool.unpark(isShut)) this.moreOnDisk = true;
    if (!this.moreOnDisk) return;
    // Lines are free, and none of the orders at hand can have them: perhaps one on disk can.
    const hasRoom = !this.flights.isFull && !this.isShut(ALL) && this.pool.park(isShut);
    if (hasRoom || this.pool.size <= this.pool.capacity / 2) this.look();
  }

  private mayDial(): boolean {
    const { isHeld, durable } = this.ledger;
    return this.stage === 'dialling' && this.stills === 0 && !isHeld && !durable.problem && this.options.line.isReady;
  }

  private isShut(gate: string): boolean {
    return this.flights.isShut(gate) || (this.shut.get(gate) ?? -Infinity) > this.options.clock.monotonic();
  }

  private gatesOf(order: Order): readonly string[] {
    const trunk = Flights.gate(this.options.line.trunkOf(order));
    return order.by === undefined ? [trunk] : [trunk, gateOf(order.by)];
  }

  private channelId({ id, tries }: StoredOrder): string {
    return this.ledger.reporter?.channelId(id, tries) ?? '';
  }

  private keep(stored: StoredOrder): void {
    if (this.held.has(stored.id)) return;
    this.held.add(stored.id);
    const pooled = this.pooled(stored);
    if (pooled) this.pool.add(pooled);
    else this.endUnreadable(stored);
  }

  /** `undefined`: it cannot be read, or another version has written it. */
  private pooled(stored: StoredOrder): PooledOrder | undefined {
    const saved = savedOrder(stored);
    try {
      return saved && { stored, saved, gates: this.gatesOf(saved.order) };
    } catch {
      return undefined;
    }
  }

  /** Work that closing waits for. */
  private run(work: Promise<unknown>): void {
    const watched = work
      .catch((thrown: unknown) => {
        // What the store refuses has been noted already.
        if (this.ledger.durable.problem || this.stage === 'closed') return;
        this.options.log.warn(orderFault(thrown));
      })
      .finally(() => this.work.delete(watched));
    this.work.add(watched);
  }

  /** Ends what has expired and loads what is due. */
  look(): void {
    if (this.stage === 'closed' || this.looking) return;
    this.looking = true;
    this.leftMeanwhile = new Set();
    const looked = this.lookNow()
      .catch((thrown: unknown) => {
        // Nobody else would look again.
        this.alarm.within(AFTER_FAULT_MS);
        throw thrown;
      })
      .finally(() => {
        this.looking = false;
        this.leftMeanwhile = undefined;
      });
    this.run(looked.then(() => this.pump()));
  }

  private async lookNow(): Promise<void> {
    const { clock, orders, queue } = this.options;
    const { durable } = this.ledger;
    if (durable.problem) return;
    const now = clock.now();
    for (const [gate, until] of this.shut) if (until <= clock.monotonic()) this.shut.delete(gate);
    await endExpired(this.options, this.ledger, this, now);
    if (this.mayDial()) {
      const limit = Math.max(this.pool.capacity - this.pool.size, 16);
      this.moreOnDisk = false;
      const due = await durable.once(() => orders.due(queue, now, limit, this.held));
      for (const stored of due) this.loaded(stored);
      if (due.length === limit) this.moreOnDisk = true;
    } else {
      this.moreOnDisk = true;
    }
    const next = await durable.once(() => orders.nextAt(queue));
    const inMs = (next ?? Infinity) - this.ledger.aging.most - clock.now();
    this.alarm.within(inMs > 0 ? inMs : LOOK_EVERY_MS);
  }

  private loaded(stored: StoredOrder): void {
    if (!this.leftMeanwhile?.has(stored.id)) this.keep(stored);
  }

  private endUnreadable(stored: StoredOrder): void {
    const error = orderError('ORDER_NOT_READABLE', { id: stored.id });
    this.endNow({ stored, saved: savedOrder(stored) }, this.failure(error));
  }

  private cancelled(): Ending {
    return { outcome: 'cancelled', endedAt: this.options.clock.now() };
  }

  private failure(error: TelephonyError): Ending {
    return { outcome: 'failed', error, endedAt: this.options.clock.now() };
  }

  /** Ends an order that is not dialled (any more). */
  private endNow({ stored, saved }: { stored: StoredOrder; saved: SavedOrder | undefined }, ending: Ending): void {
    this.run(this.ledger.end(stored, saved, ending).finally(() => this.leave(stored.id)));
  }

  /** Dials an order, unless something speaks against it by now. */
  private launch(pooled: PooledOrder): void {
    const { stored, saved } = pooled;
    const { order } = saved;
    const { clock, guard } = this.options;
    const now = clock.now();
    const expiresAt = this.ledger.aging.expiry(stored);
    if (now >= expiresAt) {
      this.endNow(pooled, { outcome: 'expired', error: orderError('ORDER_EXPIRED'), endedAt: now });
      return;
    }
    const objection = this.objection(order);
    if (objection) {
      this.endNow(pooled, { outcome: 'refused', error: objection, endedAt: now });
      return;
    }
    const opening = this.calendar.opening(zonesOf(order), now, expiresAt);
    if (opening === undefined) {
      const error = orderError('ORDER_NO_WINDOW', { until: iso(stored.expiresAt) });
      this.endNow(pooled, { outcome: 'expired', error, endedAt: now });
      return;
    }
    if (opening > now) {
      const postponed = this.ledger.postpone(stored, order, opening).then(() => this.alarm.wall(opening));
      this.run(postponed.finally(() => this.leave(stored.id)));
      return;
    }
    const place = guard.take(order.by);
    if (!place.free) {
      const { by } = order;
      const isCapOfAll = by === undefined || place.error.code === 'OUTBOUND_TOO_MANY';
      this.shut.set(isCapOfAll ? ALL : gateOf(by), clock.monotonic() + place.at - now);
      this.alarm.wall(place.at);
      this.pool.add(pooled);
      return;
    }
    const flight = this.flights.begin(pooled);
    this.run(this.fly(flight).then(() => this.pump()));
  }

  /** From the pool into the air: nothing is dialled before it is on disk that it is. */
  private async fly(flight: Flight): Promise<void> {
    const { stored, saved } = flight;
    const { clock, line } = this.options;
    let begun: StoredOrder | undefined;
    try {
      if (await this.isBlocked(saved.order)) {
        await this.ledger.end(stored, saved, refusal(saved.order, clock.now()));
        this.done(flight);
        return;
      }
      if (await this.ledger.mustWait()) {
        this.flights.end(flight);
        this.putBack(stored.id);
        return;
      }
      begun = await this.ledger.begin(stored, clock.now());
    } catch {
      // Only the store can have failed, and it may have written the beginning all the same.
      this.unsure.add(flight);
      this.flights.land(flight);
      return;
    }
    if (!begun) {
      this.done(flight);
      return;
    }
    flight.stored = begun;
    const now = clock.now();
    const expiresAt = this.ledger.aging.expiry(stored);
    if (flight.isCancelled || now >= expiresAt) {
      const expired: Ending = { outcome: 'expired', error: orderError('ORDER_EXPIRED'), endedAt: now };
      const ending = flight.isCancelled ? this.cancelled() : expired;
      await this.ledger.end({ ...begun, tries: stored.tries }, saved, ending);
      this.done(flight);
      return;
    }
    // Paused, closed or cut off while the disk was being written, or its window has closed.
    if (!this.mayDial() || !this.calendar.isOpen(zonesOf(saved.order), now)) {
      await this.ledger.again(begun, saved.order, { kind: 'again', at: now, notes: notesOf(stored) });
      this.flights.end(flight);
      this.putBack(stored.id);
      return;
    }
    flight.channelId = this.channelId(begun);
    const attempt = this.attemptOf(flight, expiresAt);
    this.listen(
      flight,
      follow(line, attempt, (phase) => this.heard(flight, phase)),
    );
  }

  /** A PBX that freezes may carry it out much later: neither after its time nor after its window. */
  private attemptOf({ stored, saved, channelId = '' }: Flight, expiresAt: number): Attempt {
    const { id: orderId, tries, startedAt = this.options.clock.now() } = stored;
    const dialBefore = Math.min(expiresAt, this.calendar.end(zonesOf(saved.order), startedAt));
    return { orderId, try: tries, channelId, startedAt, dialBefore, order: saved.order };
  }

  /** Whether the do-not-call list has it. It is for autocalls: a person who dials decides for himself. */
  async isBlocked(order: Order): Promise<boolean> {
    if (order.mode !== 'autocall') return false;
    const { e164 } = order;
    return (await this.ledger.durable.once(() => this.options.blocked.among([e164]))).has(e164);
  }

  private listen(flight: Flight, result: Promise<AttemptResult>): void {
    result.then(
      (ended) => this.landed(flight, ended),
      (thrown: unknown) => {
        this.landed(flight, {
          outcome: 'failed',
          reached: 'unknown',
          error: orderFault(thrown),
          endedAt: this.options.clock.now(),
        });
      },
    );
  }

  private heard(flight: Flight, phase: AttemptPhase): void {
    if (this.stage === 'closed' || !flight.isOnLine) return;
    const { stored, saved } = flight;
    flight.phase = phase;
    if (phase === 'agent-answered' || phase === 'client-ringing') flight.agentAnswered = true;
    if (this.ledger.reporter) this.ledger.teller.progress(this.ledger.reporter.progress(stored, saved.order, phase));
  }

  private landed(flight: Flight, result: AttemptResult): void {
    // A dialler that is closed leaves it to the next one.
    if (this.stage === 'closed' || !flight.isOnLine) return;
    this.flights.land(flight);
    this.run(this.settle(flight, result).then(() => this.pump()));
    this.pump();
  }

  private async settle(flight: Flight, result: AttemptResult): Promise<void> {
    const { stored, saved, agentAnswered, channelId = '' } = flight;
    const isCancelled = flight.isCancelled || flight.isLast;
    const order = { ...saved.order, expiresAt: this.ledger.aging.expiry(stored) };
    const now = this.options.clock.now();
    const facts = { order, tries: stored.tries, notes: notesOf(stored), isCancelled, agentAnswered };
    const decision = decide({ ...facts, now, calendar: this.calendar }, result);
    if (decision.kind === 'over') await this.ledger.end(stored, saved, decision.ending);
    else await this.ledger.again(stored, order, decision);
    forget(this.options.line, channelId);
    this.done(flight);
    if (decision.kind === 'again') this.alarm.wall(decision.at);
  }

  /** It waits on disk again, and can be dialled at once. */
  private putBack(id: number): void {
    this.moreOnDisk = true;
    this.leave(id);
    this.alarm.within(LOOK_EVERY_MS);
  }

  private done(flight: Flight): void {
    this.flights.end(flight);
    this.leave(flight.stored.id);
  }
}

const zonesOf = (order: Order): readonly string[] => (order.mode === 'autocall' ? order.timeZones : []);

const refusal = (order: Order, endedAt: number): Ending => ({
  outcome: 'refused',
  error: orderError('ORDER_BLOCKED', { number: order.mode === 'autocall' ? order.e164 : '' }),
  endedAt,
});
