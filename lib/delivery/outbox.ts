import { standingOf, type Clock, type Timer } from '../clock';
import { isOwnLimit } from '../crm/errors';
import type { Delivered, DeliverableEvent } from '../crm/types';
import { asError, TelephonyError } from '../errors';
import type { Log } from '../log';
import { orderKeyOf, readMessage } from '../messages/parse';
import type { DeadItem, OutboxItem, OutboxTable, StoredError } from '../store/types';
import { deliveryError } from './errors';
import { backoffMs, retryClass } from './retry-class';
import { runningIn, runTry, type RunningTry } from './running';
import type { DeliveryState } from './types';
import { Window } from './window';

/** What an outbox needs of the world: its rows, time, and a way to deliver. */
export interface OutboxOptions {
  /** Whose messages these are: the id of a node. */
  readonly queue: string;
  readonly table: OutboxTable;
  readonly clock: Clock;
  readonly log: Log;
  /** A message that could not be delivered for so long is given up, in ms. */
  readonly giveUpMs: number;
  /** One try; `ageMs`: how long ago the event was accepted. Rejects with a TelephonyError whose code says what to do next. */
  readonly deliver: (event: DeliverableEvent, attempt: number, ageMs: number) => Promise<Delivered>;
  /** Why nothing can be delivered for now (wrong settings of the CRM): everything is accepted, and waits for a later outbox. */
  readonly blocked?: TelephonyError;
  readonly onDelivered: (event: DeliverableEvent, delivered: Delivered) => void;
  readonly onGivenUp: (event: DeliverableEvent, error: TelephonyError) => void;
  readonly onState: (state: DeliveryState) => void;
  /** 0 … 1, for the spread of the waits. */
  readonly random?: () => number;
}

/** Deliveries at once; the CRM's own limit is kept by its account. */
const AT_ONCE = 10;
const PAGE = 100;
/** How long the store is left alone after it failed, in ms. */
const STORE_AGAIN_MS = 5000;
const CLOSE_WITHIN_MS = 1500;
/** For so long a process tries before it gives up what seems too old, in ms. */
const WATCHED_MS = 60 * 60 * 1000;
/** What the store refuses of one message: it keeps others all the same. */
const OWN_FAULT = new Set(['STORE_TOO_LARGE', 'STORE_BAD_VALUE']);
/** The state is counted at most so often, in ms. */
const COUNT_EVERY_MS = 500;

/**
 * Delivers what was accepted: at least once, in order for each call, several calls side by side, over restarts. What waits lies on
 * disk; in memory is a window of it. While the CRM is down everything waits and one message at a time tries, each time another,
 * so that neither a storm nor one poisoned message holds up the rest.
 */
export class Outbox {
  private readonly window: Window;
  private readonly underWay = new Set<Promise<void>>();
  /** Failures in a row of the CRM as a whole. */
  private failures = 0;
  private downUntil = 0;
  private down: TelephonyError | undefined;
  /** The CRM took something since the start. */
  private hasTaken = false;
  private storeProblem: TelephonyError | undefined;
  private loading = false;
  private allLoaded = false;
  private state: DeliveryState = { waiting: 0, dead: 0 };
  private wake: Timer | undefined;
  private wakeAt = Infinity;
  private counting: Timer | undefined;
  /** What ends the pauses that are being made. */
  private readonly pauses = new Set<() => void>();
  /** Tries that an outbox before this one began and could not wait for, by eventId. */
  private inherited = new Map<string, RunningTry>();
  private closed = false;
  /** Closed, and no longer waiting: whoever comes next tells what becomes of the tries that are left. */
  private gone = false;

  constructor(private readonly options: OutboxOptions) {
    this.window = new Window(options.clock);
  }

  /** Begins to deliver what waits. */
  start(): void {
    standingOf(this.options.clock);
    this.inherited = runningIn(this.options.queue);
    for (const { event, result } of this.inherited.values()) {
      // What became of it otherwise is seen to when its message comes up.
      result.then(
        (delivered) => this.tellDelivered(event, delivered),
        () => undefined,
      );
    }
    this.count();
    this.pump();
  }

  /** Resolves when the event is on disk; the same event a second time is taken for the first. Rejects with `STORE_…`. */
  async accept(event: DeliverableEvent): Promise<void> {
    const { queue, table, clock } = this.options;
    const orderKey = orderKeyOf(event);
    const { eventId } = event.payload;
    standingOf(clock);
    try {
      await table.put([{ queue, eventId, orderKey, acceptedAt: clock.now(), body: JSON.stringify(event) }]);
    } catch (thrown) {
      const isAboutThis = thrown instanceof TelephonyError && OWN_FAULT.has(thrown.code);
      if (!isAboutThis) this.storeFailed(thrown);
      throw thrown;
    }
    this.storeProblem = undefined;
    this.allLoaded = false;
    this.count();
    this.pump();
  }

  /** What waits, and what is wrong, as last counted: half a second old at most, unless the store fails. */
  get current(): DeliveryState {
    return this.state;
  }

  /** What was given up, the oldest first. */
  dead(limit: number, afterId?: number): Promise<DeadItem[]> {
    return this.options.table.dead(this.options.queue, limit, afterId);
  }

  /** Tries again what was given up: these, or all. Resolves with how many. */
  async retry(ids?: readonly number[]): Promise<number> {
    const count = await this.options.table.revive(this.options.queue, ids);
    this.loadAnew();
    return count;
  }

  /** Takes over what lies in queues that nobody delivers any more. Resolves with how many. */
  async adopt(queues: readonly string[]): Promise<number> {
    let count = 0;
    for (const queue of queues) count += await this.options.table.adopt(queue, this.options.queue);
    this.loadAnew();
    return count;
  }

  /** What came back keeps its place, which may be before what has been loaded. */
  private loadAnew(): void {
    this.window.rewind();
    this.allLoaded = false;
    this.count();
    this.pump();
  }

  /** Forgets what was given up: these, or all. Resolves with how many. */
  async drop(ids?: readonly number[]): Promise<number> {
    const count = await this.options.table.drop(this.options.queue, ids);
    this.count();
    return count;
  }

  /**
   * Begins no more tries and waits for those under way, 1.5 s at most. The next outbox on this queue takes over those that last longer.
   * A try that ends with the process, or with the connection to the CRM, is made again after the next start: the CRM may then hear of
   * the event twice, with the same eventId.
   */
  async close(): Promise<void> {
    this.closed = true;
    this.wake?.cancel();
    this.counting?.cancel();
    for (const end of this.pauses) end();
    const { clock } = this.options;
    await new Promise<void>((resolve) => {
      const timer = clock.after(CLOSE_WITHIN_MS, resolve);
      void Promise.allSettled(this.underWay).then(() => {
        timer.cancel();
        resolve();
      });
    });
    this.gone = true;
  }

  /** Starts as many tries as may run now, and sees to it that it is called again when more may. */
  private pump(): void {
    if (this.closed || this.storeProblem || this.options.blocked) return;
    const now = this.options.clock.monotonic();
    const isDown = this.down !== undefined;
    const places = isDown ? (now >= this.downUntil ? 1 : 0) : AT_ONCE;
    while (this.underWay.size < places) {
      const item = this.window.next(isDown);
      if (!item) break;
      this.begin(item);
    }
    if (this.underWay.size < places && !this.allLoaded) void this.load();
    this.wakeIn(isDown && now < this.downUntil ? this.downUntil : this.window.nextAt);
  }

  private wakeIn(at: number): void {
    if (at === this.wakeAt && at !== Infinity) return;
    this.wake?.cancel();
    this.wakeAt = at;
    if (at === Infinity || this.closed) return;
    const { clock } = this.options;
    this.wake = clock.after(Math.max(at - clock.monotonic(), 1), () => {
      this.wakeAt = Infinity;
      // What waited for its next try has to be loaded again.
      if (this.window.rewindDue()) this.allLoaded = false;
      this.pump();
    });
  }

  private begin(item: OutboxItem): void {
    const work: Promise<void> = this.attempt(item).finally(() => {
      this.underWay.delete(work);
      this.pump();
    });
    this.underWay.add(work);
  }

  private async load(): Promise<void> {
    if (this.loading || this.window.isFull) return;
    this.loading = true;
    try {
      const { table, queue } = this.options;
      const { cursor } = this.window;
      const items = await table.waiting(queue, PAGE, cursor);
      // Not so when waits ended meanwhile: what stands before this page has to be loaded first.
      if (this.window.cursor === cursor) {
        this.allLoaded = items.length < PAGE;
        this.window.add(items);
      }
    } catch (thrown) {
      this.storeFailed(thrown);
    } finally {
      this.loading = false;
    }
    this.pump();
  }

  private async attempt(item: OutboxItem): Promise<void> {
    let event: DeliverableEvent;
    try {
      const body = JSON.parse(item.body) as { readonly topic?: unknown; readonly payload?: unknown };
      event = readMessage(body.topic, body.payload);
    } catch (thrown) {
      await this.store(() => this.options.table.giveUp(item.id, stored(asDeliveryError(thrown), this.options.clock)));
      this.window.forget(item);
      return;
    }
    try {
      await this.tryOnce(item, event);
      this.window.forget(item);
      this.count();
    } catch (thrown) {
      await this.failed(item, event, asDeliveryError(thrown));
    }
  }

  /** Makes a try, or waits for the one that is still under way. */
  private async tryOnce(item: OutboxItem, event: DeliverableEvent): Promise<void> {
    const before = this.inherited.get(item.eventId);
    if (!before) {
      await runTry(this.options.queue, event, () => this.deliver(item, event));
      return;
    }
    this.inherited.delete(item.eventId);
    try {
      await before.result;
    } catch (thrown) {
      // It ended with the connection of the outbox before: this one has its own.
      if (thrown instanceof TelephonyError && thrown.code === 'CRM_CLOSED') return this.tryOnce(item, event);
      throw thrown;
    }
    this.crmTook();
    // Who began it may have had another store, or one that was closed meanwhile.
    await this.store(() => this.options.table.done([item.id]));
  }

  private async deliver(item: OutboxItem, event: DeliverableEvent): Promise<Delivered> {
    const { clock, deliver, table } = this.options;
    const delivered = await deliver(event, item.attempts + 1, Math.max(clock.now() - item.acceptedAt, 0));
    this.crmTook();
    await this.store(() => table.done([item.id]));
    this.tellDelivered(event, delivered);
    return delivered;
  }

  private tellDelivered(event: DeliverableEvent, delivered: Delivered): void {
    if (this.gone || delivered.status !== 'delivered') return;
    this.call(() => this.options.onDelivered(event, delivered));
  }

  private async failed(item: OutboxItem, event: DeliverableEvent, error: TelephonyError): Promise<void> {
    const { clock, table, giveUpMs, onGivenUp, random = Math.random } = this.options;
    // The account was closed under us: a deploy. The message waits for whoever comes after.
    if (this.closed || error.code === 'CRM_CLOSED') return;
    const attempt = item.attempts + 1;
    const what = retryClass(error, attempt);
    const wait = backoffMs(attempt, error, random());
    if (what === 'down') this.crmIsDown(error);
    // A store, a recording or our own limit says nothing of the CRM.
    else if (error.code.startsWith('CRM_') && !isOwnLimit(error)) this.crmIsUp();
    if (what === 'never' || this.isTooOld(item)) {
      const last = what === 'never' ? error : deliveryError('DELIVERY_TOO_OLD', tooOld(error, giveUpMs), error);
      await this.store(() => table.giveUp(item.id, stored(last, clock)));
      this.window.forget(item);
      this.call(() => onGivenUp(event, last));
    } else {
      const at = clock.monotonic() + wait;
      await this.store(() => table.failed(item.id, stored(error, clock), clock.now() + wait));
      this.window.postpone(item, what === 'down' ? Math.max(at, this.downUntil) : at);
    }
    this.count();
  }

  /** Whether it has waited too long. The clock may have been wrong when it was accepted: what it says of that is not believed lightly. */
  private isTooOld({ acceptedAt }: OutboxItem): boolean {
    const { clock, giveUpMs } = this.options;
    const { watched, sinceJump } = standingOf(clock);
    const isBelieved = watched >= Math.min(giveUpMs, WATCHED_MS) && sinceJump >= giveUpMs;
    return isBelieved && clock.now() - acceptedAt > giveUpMs;
  }

  private crmIsUp(): void {
    this.failures = 0;
    if (this.down === undefined) return;
    this.down = undefined;
    this.endWaits();
  }

  /** The first success since the start: nothing waits any longer for what was wrong before it. */
  private crmTook(): void {
    const isNews = !this.hasTaken && this.down === undefined;
    this.hasTaken = true;
    this.crmIsUp();
    if (isNews) this.endWaits();
  }

  private endWaits(): void {
    this.window.release();
    this.allLoaded = false;
    this.count();
  }

  private crmIsDown(error: TelephonyError): void {
    const { clock, random = Math.random } = this.options;
    const now = clock.monotonic();
    // Those that were under way together tell of one and the same failure.
    if (this.down === undefined || now >= this.downUntil) {
      this.failures += 1;
      this.downUntil = now + backoffMs(this.failures, error, random());
    }
    this.down = error;
    this.count();
  }

  /**
   * Runs a write until the store has taken it, once at least: a message that was delivered must not be forgotten to be delivered, not
   * even when the outbox was closed meanwhile.
   */
  private async store(write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await write();
        if (this.storeProblem) {
          this.storeProblem = undefined;
          this.count();
        }
        return;
      } catch (thrown) {
        this.storeFailed(thrown);
        if (this.isClosed()) return;
        await this.pause(STORE_AGAIN_MS);
      }
    }
  }

  private isClosed(): boolean {
    return this.closed;
  }

  private storeFailed(thrown: unknown): void {
    if (this.closed) return;
    const isNews = this.storeProblem === undefined;
    this.storeProblem = asDeliveryError(thrown);
    this.publish();
    if (!isNews) return;
    this.options.log.warn(this.storeProblem);
    void this.tryStore();
  }

  private async tryStore(): Promise<void> {
    while (this.storeProblem && !this.closed) {
      await this.pause(STORE_AGAIN_MS);
      const works = await this.options.table.count(this.options.queue).then(
        () => true,
        () => false,
      );
      if (!works || this.isClosed()) continue;
      this.storeProblem = undefined;
      this.allLoaded = false;
      this.count();
      this.pump();
    }
  }

  /** Resolves after `ms`, or when the outbox is closed. */
  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.pauses.delete(end);
        resolve();
      };
      const timer = this.options.clock.after(ms, end);
      this.pauses.add(end);
    });
  }

  /** Counts what waits, a moment later, for all that happens until then. */
  private count(): void {
    if (this.closed) return;
    this.counting ??= this.options.clock.after(COUNT_EVERY_MS, () => {
      this.counting = undefined;
      this.options.table.count(this.options.queue).then(
        (counted) => {
          this.state = counted;
          this.publish();
        },
        (thrown: unknown) => this.storeFailed(thrown),
      );
    });
  }

  private publish(): void {
    if (this.closed) return;
    const { clock } = this.options;
    const problem = this.storeProblem ?? this.options.blocked ?? this.down;
    const { waiting, dead, oldestAt } = this.state;
    const retryAt = this.down && clock.now() + Math.max(this.downUntil - clock.monotonic(), 0);
    this.state = {
      waiting,
      dead,
      ...(oldestAt === undefined ? {} : { oldestAt }),
      ...(problem === undefined ? {} : { problem }),
      ...(retryAt === undefined || this.storeProblem ? {} : { retryAt }),
    };
    this.call(() => this.options.onState(this.state));
  }

  private call(handler: () => void): void {
    try {
      handler();
    } catch (thrown) {
      this.options.log.warn(`A listener of the outbox failed: ${asError(thrown).message}`);
    }
  }
}

function asDeliveryError(thrown: unknown): TelephonyError {
  return thrown instanceof TelephonyError
    ? thrown
    : deliveryError('DELIVERY_FAULT', { name: asError(thrown).name }, thrown);
}

function stored(error: TelephonyError, clock: Clock): StoredError {
  return { code: error.code, text: { en: error.textIn('en'), ru: error.textIn('ru') }, at: clock.now() };
}

const tooOld = (error: TelephonyError, giveUpMs: number) => ({
  days: Math.round(giveUpMs / 86_400_000),
  reasonEn: error.textIn('en'),
  reasonRu: error.textIn('ru'),
});
