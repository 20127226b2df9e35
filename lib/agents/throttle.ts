import type { Clock } from '../clock';

const MINUTE_MS = 60_000;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 15 * MINUTE_MS;
/** After so long without another wrong try half of them are forgotten. More at once would be worth waiting for. */
const HALF_LIFE_MS = 24 * 60 * MINUTE_MS;
/** So many names are remembered; beyond it, the one that was wrong the longest ago is forgotten. */
const MAX_NAMES = 10_000;

interface Wrongs {
  count: number;
  lastAt: number;
  /** Monotonic ms until which no try is looked at. */
  until: number;
}

/** Makes guessing slow: after some wrong tries each further one costs a wait, twice as long each time. */
export class Throttle {
  private readonly wrongs = new Map<string, Wrongs>();

  constructor(
    private readonly clock: Clock,
    private readonly free: number,
  ) {}

  /** Milliseconds that whoever tries under this name has to wait; 0: he may try. */
  waitOf(name: string): number {
    return Math.max(0, (this.wrongs.get(name)?.until ?? 0) - this.clock.monotonic());
  }

  wrong(name: string): void {
    const now = this.clock.monotonic();
    const before = this.wrongs.get(name);
    const halvings = before ? Math.floor((now - before.lastAt) / HALF_LIFE_MS) : 0;
    const count = Math.floor((before?.count ?? 0) / 2 ** halvings) + 1;
    const over = count - this.free;
    const wait = over < 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** Math.min(over, 10), LONGEST_WAIT_MS);
    // Put at the end: the first of the map was wrong the longest ago.
    this.wrongs.delete(name);
    this.wrongs.set(name, { count, lastAt: now, until: now + wait });
    if (this.wrongs.size > MAX_NAMES) {
      const [oldest] = this.wrongs.keys();
      if (oldest !== undefined) this.wrongs.delete(oldest);
    }
  }

  /** The last try was not wrong. */
  forgive(name: string): void {
    const known = this.wrongs.get(name);
    if (!known) return;
    known.count -= 1;
    if (known.count < this.free) known.until = 0;
    if (known.count <= 0) this.wrongs.delete(name);
  }

  right(name: string): void {
    this.wrongs.delete(name);
  }
}
