import type { StoredOrder } from '../store/types';
import type { SavedOrder } from './saved';

/** A waiting order in memory. */
export interface PooledOrder {
  readonly stored: StoredOrder;
  readonly saved: SavedOrder;
  /** What must be free for it besides a line: its trunk, and its caller's share of the calls of a minute. */
  readonly gates: readonly string[];
}

/** Orders behind a shut gate, by number only. Whoever comes after so many waits until some of them were dialled. */
const MAX_PARKED = 20_000;
/** Of each shut gate so many stay at hand, for the moment when it opens. */
const AT_HAND = 4;

/**
 * The waiting orders that are dialled next: a bounded part of what lies on disk, highest priority first, then the oldest. Orders
 * that stand behind a shut gate are parked by their numbers, so that they do not keep others from being loaded.
 */
export class Pool {
  private readonly ready: PooledOrder[] = [];
  private readonly parked = new Map<string, Set<number>>();
  private parkedCount = 0;

  constructor(
    readonly capacity: number,
    /** Told of every order that the pool lets go of without giving it away: it waits on disk only. */
    private readonly onLeft: (id: number) => void,
  ) {}

  get size(): number {
    return this.ready.length;
  }

  get isFull(): boolean {
    return this.ready.length >= this.capacity;
  }

  /** Takes an order in, at its place. When the pool is full the last one leaves it, which may be this one. */
  add(order: PooledOrder): void {
    let at = this.ready.length;
    while (at > 0 && goesBefore(order, this.ready[at - 1])) at -= 1;
    this.ready.splice(at, 0, order);
    const last = this.ready.length > this.capacity ? this.ready.pop() : undefined;
    if (last) this.onLeft(last.stored.id);
  }

  /** The first order all of whose gates are open; it leaves the pool. */
  take(isShut: (gate: string) => boolean): PooledOrder | undefined {
    const at = this.ready.findIndex(({ gates }) => !gates.some(isShut));
    return at < 0 ? undefined : this.ready.splice(at, 1)[0];
  }

  /** Takes an order out of the pool, parked or not; `false`: it is not there. */
  remove(id: number): boolean {
    const at = this.ready.findIndex(({ stored }) => stored.id === id);
    if (at >= 0) this.ready.splice(at, 1);
    let found = at >= 0;
    for (const ids of this.parked.values()) {
      if (!ids.delete(id)) continue;
      this.parkedCount -= 1;
      found = true;
    }
    return found;
  }

  /** Makes room for orders that could be dialled now. `false`: no order is behind a shut gate beyond those at hand. */
  park(isShut: (gate: string) => boolean): boolean {
    const kept = new Map<string, number>();
    let found = false;
    for (let at = 0; at < this.ready.length && this.parkedCount < MAX_PARKED; at += 1) {
      const { gates, stored } = this.ready[at] ?? { gates: [] };
      const gate = gates.find(isShut);
      if (gate === undefined || stored === undefined) continue;
      const count = (kept.get(gate) ?? 0) + 1;
      kept.set(gate, count);
      // With very many gates even few of each would fill the pool.
      if (count <= AT_HAND && kept.size * AT_HAND <= this.capacity / 2) continue;
      this.ready.splice(at, 1);
      at -= 1;
      const ids = this.parked.get(gate) ?? new Set<number>();
      this.parked.set(gate, ids.add(stored.id));
      this.parkedCount += 1;
      found = true;
    }
    return found;
  }

  /**
   * Lets the orders go that are parked behind gates which have opened and of which too few are at hand: the first ones of
   * each. `true`: there were such, and they are to be loaded again.
   */
  unpark(isShut: (gate: string) => boolean): boolean {
    let found = false;
    for (const [gate, ids] of this.parked) {
      if (isShut(gate) || this.ready.some(({ gates }) => gates.includes(gate))) continue;
      for (const id of [...ids].slice(0, Math.max(Math.floor(this.capacity / 4), 1))) {
        ids.delete(id);
        this.parkedCount -= 1;
        this.onLeft(id);
        found = true;
      }
      if (ids.size === 0) this.parked.delete(gate);
    }
    return found;
  }
}

function goesBefore({ stored: one }: PooledOrder, other: PooledOrder | undefined): boolean {
  if (!other || one.priority === other.stored.priority) return !other || one.id < other.stored.id;
  return one.priority > other.stored.priority;
}
