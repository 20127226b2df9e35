import type { Clock, Timer } from '../../lib/clock';

interface Pending {
  due: number;
  readonly order: number;
  readonly every: number | undefined;
  readonly fn: () => void;
}

/** A clock that stands still until the test moves it. */
export class FakeClock implements Clock {
  private elapsed = 0;
  private order = 0;
  private readonly timers = new Set<Pending>();

  /** @param startAt wall-clock time of the beginning, milliseconds since the Unix epoch */
  constructor(private startAt = Date.UTC(2026, 0, 1)) {}

  now(): number {
    return this.startAt + this.elapsed;
  }

  monotonic(): number {
    return this.elapsed;
  }

  after(ms: number, fn: () => void): Timer {
    return this.start(ms, undefined, fn);
  }

  every(ms: number, fn: () => void): Timer {
    return this.start(ms, Math.max(ms, 1), fn);
  }

  /** How many timers are running: a closed engine leaves 0. */
  get running(): number {
    return this.timers.size;
  }

  /** Milliseconds until the next timer fires, `undefined` when none runs. */
  get next(): number | undefined {
    const first = this.earliest();
    return first && Math.max(first.due - this.elapsed, 0);
  }

  /** Lets the wall clock jump (NTP, summer time by hand) without any time passing. */
  jumpWall(ms: number): void {
    this.startAt += ms;
  }

  /** Moves the time on and fires what becomes due, in order, each at its own moment. */
  advance(ms: number): void {
    const end = this.elapsed + ms;
    while (this.fireNext(end));
    this.elapsed = end;
  }

  /** As {@link advance}, but lets promises and real I/O callbacks run before and after every timer. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.elapsed + ms;
    await breathe();
    while (this.fireNext(end)) await breathe();
    this.elapsed = end;
    await breathe();
  }

  private start(ms: number, every: number | undefined, fn: () => void): Timer {
    const timer: Pending = { due: this.elapsed + Math.max(ms, 0), order: this.order++, every, fn };
    this.timers.add(timer);
    return { cancel: () => void this.timers.delete(timer) };
  }

  private earliest(): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of this.timers) {
      if (!first || timer.due < first.due || (timer.due === first.due && timer.order < first.order)) first = timer;
    }
    return first;
  }

  private fireNext(end: number): boolean {
    const timer = this.earliest();
    if (!timer || timer.due > end) return false;
    this.elapsed = Math.max(this.elapsed, timer.due);
    if (timer.every === undefined) this.timers.delete(timer);
    else timer.due += timer.every;
    timer.fn();
    return true;
  }
}

function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
