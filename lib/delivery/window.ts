import type { Clock } from '../clock';
import type { OutboxItem } from '../store/types';

/** Messages in memory; the others stay on disk until there is room. */
const MAX_ITEMS = 1000;
/** Calls whose next message is postponed. At the bound nothing more is loaded until one of them is due. */
const MAX_POSTPONED = 100_000;
/** A scan for due calls visits every postponed call: wait 1 ms between scans per this many of them. */
const LOOKED_OVER_PER_MS = 10;
/** The longest wait (ms) taken from a time on disk: the wall clock may have been set back since it was written. */
const LONGEST_MS = 5 * 60_000;

interface Postponed {
  /** Monotonic ms. */
  readonly at: number;
  /** Id of its first message: loading starts there again. */
  readonly id: number;
}

/**
 * The messages to deliver next, in order. Of each call only the first message may be sent. While it waits for its next try, the
 * other messages of the call are not kept in memory, so they cannot crowd out other calls.
 */
export class Window {
  private readonly queues = new Map<string, OutboxItem[]>();
  private readonly ids = new Set<number>();
  private readonly busy = new Set<string>();
  private readonly postponed = new Map<string, Postponed>();
  /** Monotonic ms; none of the postponed calls is due earlier. */
  private soonest = Infinity;
  private lookedAt = -Infinity;
  /** Calls that are due by the monotonic clock, whatever the wall-clock time in their messages says. */
  private readonly due = new Set<string>();
  private last = 0;
  private released = false;
  /** Nothing was loaded yet: the first message does not wait, whatever went wrong before. */
  private isNew = true;

  constructor(private readonly clock: Clock) {}

  /** The id up to which all has been loaded. */
  get cursor(): number {
    return this.last;
  }

  /** No room for more: what is behind the cursor waits on disk. */
  get isFull(): boolean {
    return this.ids.size >= MAX_ITEMS || this.postponed.size >= MAX_POSTPONED;
  }

  /** When to scan for due calls next (monotonic ms): the more are postponed, the less often. `Infinity`: none is. */
  get nextAt(): number {
    return Math.max(this.soonest, this.lookedAt + this.postponed.size / LOOKED_OVER_PER_MS);
  }

  /** Takes messages that were loaded from after the cursor. */
  add(items: readonly OutboxItem[]): void {
    const now = this.clock.monotonic();
    for (const item of items) {
      this.last = Math.max(this.last, item.id);
      if (this.ids.has(item.id) || this.postponed.has(item.orderKey)) continue;
      const wait = Math.min(item.notBefore - this.clock.now(), LONGEST_MS);
      const isFirst = !this.queues.has(item.orderKey);
      const isDue = this.released || this.isNew || this.due.delete(item.orderKey);
      this.isNew = false;
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

  /** The next message that may be sent. `rotate`: the one with the fewest tries, instead of the first in line. */
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

  /** The message was delivered or given up: the next one of its call may be sent. */
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

  /** Moves the cursor back to the messages of calls that are due. Returns whether there are any. */
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

  /** The CRM is back: ends the waiting of every postponed call. */
  release(): void {
    this.released = true;
    this.rewind();
  }

  /** Moves the cursor to the beginning: everything that is not in memory is loaded again. */
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
