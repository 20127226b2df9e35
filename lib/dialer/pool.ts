import type { StoredOrder } from '../store/types';
import type { SavedOrder } from './saved';

/** A waiting order in memory. */
export interface PooledOrder {
  readonly stored: StoredOrder;
  readonly saved: SavedOrder;
  /** What must be free for it besides a line: its trunk, and its caller's share of the calls of a minute. */
  readonly gates: readonly string[];
}

/** Where an order stands among others. */
interface Place {
  readonly id: number;
  readonly priority: number;
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
  /** By gate, in order; whatever of a gate is at hand goes before what is parked there. */
  private readonly parked = new Map<string, Place[]>();
  private parkedCount = 0;

  constructor(
    readonly capacity: number,
    /** Told of every order that the pool lets go of without giving it away: it waits on disk only. */
    private readonly onLeft: (id: number) => void,
  ) {}

  get size(): number {
    return this.ready.length;
  }

  /** Whether every order at hand is dialled before this one. */
  isBehindAll(order: StoredOrder): boolean {
    const last = this.ready.at(-1);
    return last === undefined || goesBefore(last.stored, order);
  }

  /** Takes an order in, at its place. When the pool is full the last one leaves it, which may be this one. */
  add(order: PooledOrder): void {
    const gate = order.gates.find((one) => {
      const first = this.parked.get(one)?.[0];
      return first !== undefined && goesBefore(first, order.stored);
    });
    if (gate !== undefined && this.parkedCount < MAX_PARKED) {
      this.parkAt(gate, order.stored);
      return;
    }
    insert(this.ready, order, ({ stored }) => stored);
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
    if (at >= 0) return true;
    for (const [gate, places] of this.parked) {
      const parkedAt = places.findIndex((place) => place.id === id);
      if (parkedAt < 0) continue;
      this.drop(gate, parkedAt, 1);
      return true;
    }
    return false;
  }

  /** Makes room for orders that could be dialled now. `false`: no order is behind a shut gate beyond those at hand. */
  park(isShut: (gate: string) => boolean): boolean {
    const atHand = new Map<string, number>();
    const before = this.parkedCount;
    const kept = this.ready.filter(({ gates, stored }) => {
      const gate = gates.find(isShut);
      if (gate === undefined || this.parkedCount >= MAX_PARKED) return true;
      const count = (atHand.get(gate) ?? 0) + 1;
      atHand.set(gate, count);
      // With very many gates even few of each would fill the pool.
      if (count <= AT_HAND && atHand.size * AT_HAND <= this.capacity / 2) return true;
      this.parkAt(gate, stored);
      return false;
    });
    this.ready.splice(0, Infinity, ...kept);
    return this.parkedCount > before;
  }

  /**
   * Lets the first of the orders go that are parked behind gates which have opened, and of which none is at hand. `true`: there
   * were such, and they are to be loaded again.
   */
  unpark(isShut: (gate: string) => boolean): boolean {
    let found = false;
    for (const gate of [...this.parked.keys()]) {
      const isAtHand = ({ gates }: PooledOrder): boolean => gates.includes(gate) && !gates.some(isShut);
      if (isShut(gate) || this.ready.some(isAtHand)) continue;
      for (const { id } of this.drop(gate, 0, Math.max(Math.floor(this.capacity / 4), 1))) this.onLeft(id);
      found = true;
    }
    return found;
  }

  private parkAt(gate: string, { id, priority }: Place): void {
    const places = this.parked.get(gate) ?? [];
    this.parked.set(gate, places);
    insert(places, { id, priority }, (place) => place);
    this.parkedCount += 1;
  }

  private drop(gate: string, from: number, count: number): Place[] {
    const places = this.parked.get(gate) ?? [];
    const dropped = places.splice(from, count);
    this.parkedCount -= dropped.length;
    if (places.length === 0) this.parked.delete(gate);
    return dropped;
  }
}

function goesBefore(one: Place, other: Place): boolean {
  return one.priority === other.priority ? one.id < other.id : one.priority > other.priority;
}

/** Mostly at the end, or near it. */
function insert<T>(list: T[], item: T, placeOf: (item: T) => Place): void {
  const at = list.findLastIndex((other) => goesBefore(placeOf(other), placeOf(item)));
  list.splice(at + 1, 0, item);
}
