import type { Clock } from '../clock';
import type { OutboxItem } from '../store/types';

/** Messages in memory; the others lie on disk until there is room. */
const MAX_ITEMS = 1000;
/** Calls whose next message waits for its time. At the bound nothing more is loaded until the time of one of them has come. */
const MAX_POSTPONED = 100_000;
/** Looking for those whose time has come goes over everything that waits: so many of them are worth a millisecond between two looks. */
const LOOKED_OVER_PER_MS = 10;
/** No message waits longer than that after a start: the clock may have been set back meanwhile. In ms. */
const LONGEST_MS = 5 * 60_000;

interface Postponed {
  /** Monotonic ms. */
  readonly at: number;
  /** Of its first message: from there it is loaded again. */
  readonly id: number;
}

/**
 * The messages that are to be delivered next, in their order. Of one call only the first may go, and while that waits
 * for its next try the others of this call are not even kept in memory: they cannot crowd out other calls.
 */
export class Window {
  private readonly queues = new Map<string, OutboxItem[]>();
  private readonly ids = new Set<number>();
  private readonly busy = new Set<string>();
  private readonly postponed = new Map<string, Postponed>();
  /** No later than the first of them. */
  private soonest = Infinity;
  private lookedAt = -Infinity;
  /** Calls whose time has come by the clock that never jumps: what their messages say of it counts no more. */
  private readonly due = new Set<string>();
  private last = 0;
  private released = false;

  constructor(private readonly clock: Clock) {}

  /** The id up to which all has been loaded. */
  get cursor(): number {
    return this.last;
  }

  get isFull(): boolean {
    return this.ids.size >= MAX_ITEMS || this.postponed.size >= MAX_POSTPONED;
  }

  /** When to look for those whose time has come (monotonic ms), the more of them wait the less often; `Infinity`: none waits. */
  get nextAt(): number {
    return Math.max(this.soonest, this.lookedAt + this.postponed.size / LOOKED_OVER_PER_MS);
  }

  /** Takes what was loaded behind the cursor. */
  add(items: readonly OutboxItem[]): void {
    const now = this.clock.monotonic();
    for (const item of items) {
      this.last = Math.max(this.last, item.id);
      if (this.ids.has(item.id) || this.postponed.has(item.orderKey)) continue;
      const wait = Math.min(item.notBefore - this.clock.now(), LONGEST_MS);
      const isFirst = !this.queues.has(item.orderKey);
      const isDue = this.released || this.due.delete(item.orderKey);
      if (isFirst && wait > 0 && !isDue) {
        this.hold(item.orderKey, { at: now + wait, id: item.id });
        continue;
      }
      const queue = this.queues.get(item.orderKey) ?? [];
      this.queues.set(item.orderKey, queue);
      queue.push(item);
      queue.sort((one, other) => one.id - other.id);
      this.ids.add(item.id);
    }
  }

  /** The next message that may go; `rotate`: of the call that was tried the longest ago, or never. */
  next(rotate: boolean): OutboxItem | undefined {
    let best: OutboxItem | undefined;
    for (const [orderKey, [item]] of this.queues) {
      if (!item || this.busy.has(orderKey)) continue;
      if (!best || (rotate && item.attempts < best.attempts)) best = item;
      if (!rotate) break;
    }
    if (best) this.busy.add(best.orderKey);
    return best;
  }

  /** It was delivered, or given up: the next of its call may go. */
  forget(item: OutboxItem): void {
    this.busy.delete(item.orderKey);
    const queue = this.queues.get(item.orderKey);
    if (!queue) return;
    const rest = queue.filter(({ id }) => id !== item.id);
    this.ids.delete(item.id);
    this.queues.delete(item.orderKey);
    if (rest.length > 0) this.queues.set(item.orderKey, rest);
  }

  /** It is tried again at `at` (monotonic ms); until then its call waits, on disk. */
  postpone(item: OutboxItem, at: number): void {
    this.busy.delete(item.orderKey);
    let first = item.id;
    for (const { id } of this.queues.get(item.orderKey) ?? []) {
      this.ids.delete(id);
      // One that was dead and came back may stand before it.
      first = Math.min(first, id);
    }
    this.queues.delete(item.orderKey);
    this.hold(item.orderKey, { at, id: first });
  }

  /** Calls whose time has come are to be loaded again. Returns whether there are any. */
  rewindDue(): boolean {
    const now = this.clock.monotonic();
    let isDue = false;
    this.lookedAt = now;
    this.soonest = Infinity;
    for (const [orderKey, { at, id }] of this.postponed) {
      if (at > now) {
        this.soonest = Math.min(this.soonest, at);
        continue;
      }
      this.postponed.delete(orderKey);
      this.due.add(orderKey);
      this.last = Math.min(this.last, id - 1);
      isDue = true;
    }
    return isDue;
  }

  /** The CRM is back: what waited only for that need not wait any longer. */
  release(): void {
    this.released = true;
    this.rewind();
  }

  /** Loads everything anew that is not in memory. */
  rewind(): void {
    this.postponed.clear();
    this.soonest = Infinity;
    this.due.clear();
    this.last = 0;
  }

  private hold(orderKey: string, postponed: Postponed): void {
    this.released = false;
    this.postponed.set(orderKey, postponed);
    this.soonest = Math.min(this.soonest, postponed.at);
  }
}
