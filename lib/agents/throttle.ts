import type { Clock } from '../clock';

const MINUTE_MS = 60_000;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 15 * MINUTE_MS;
/** After so long without another wrong try half of them are forgotten. More at once would be worth waiting for. */
const HALF_LIFE_MS = 24 * 60 * MINUTE_MS;
/** So many names are remembered; beyond it, the one that was wrong the longest ago is forgotten. */
const MAX_NAMES = 10_000;

interface Tries {
  /** Wrong ones. */
  count: number;
  /** Of the last wrong one. */
  lastAt: number;
  /** Monotonic ms until which no try is looked at. */
  until: number;
  /** Tries that are looked at now. */
  open: number;
}

/** Makes guessing slow: after some wrong tries each further one costs a wait, twice as long each time. A right one changes nothing. */
export class Throttle {
  private readonly tries = new Map<string, Tries>();

  constructor(
    private readonly clock: Clock,
    private readonly free: number,
  ) {}

  /**
   * Milliseconds that whoever tries under this name has to wait; 0: he may try. A try that is looked at counts as wrong until it is known:
   * so tries at once are not free.
   */
  waitOf(name: string): number {
    const known = this.tries.get(name);
    if (!known) return 0;
    const now = this.clock.monotonic();
    const beside = known.open === 0 ? 0 : this.waitAfter(countAt(known, now) + known.open);
    return Math.max(0, known.until - now, beside);
  }

  /** A try is looked at; {@link wrong} or {@link forgive} says what it was. */
  begin(name: string): void {
    const known = this.tries.get(name);
    if (known) known.open += 1;
    else this.put(name, { count: 0, lastAt: this.clock.monotonic(), until: 0, open: 1 });
  }

  wrong(name: string): void {
    const now = this.clock.monotonic();
    const known = this.tries.get(name);
    const count = (known ? countAt(known, now) : 0) + 1;
    const open = Math.max(0, (known?.open ?? 0) - 1);
    this.put(name, { count, lastAt: now, until: now + this.waitAfter(count), open });
  }

  /** The try was not wrong: all is as if it had not been. */
  forgive(name: string): void {
    const known = this.tries.get(name);
    if (!known) return;
    known.open = Math.max(0, known.open - 1);
    if (known.count === 0 && known.open === 0) this.tries.delete(name);
  }

  /** Whoever goes by this name has shown who he is: his wrong tries are forgotten. */
  right(name: string): void {
    const open = this.tries.get(name)?.open ?? 0;
    if (open === 0) this.tries.delete(name);
    else this.tries.set(name, { count: 0, lastAt: this.clock.monotonic(), until: 0, open });
  }

  private waitAfter(count: number): number {
    const over = count - this.free;
    return over < 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** Math.min(over, 10), LONGEST_WAIT_MS);
  }

  private put(name: string, tries: Tries): void {
    // Put at the end: the first of the map was wrong the longest ago.
    this.tries.delete(name);
    this.tries.set(name, tries);
    if (this.tries.size <= MAX_NAMES) return;
    const [oldest] = this.tries.keys();
    if (oldest !== undefined) this.tries.delete(oldest);
  }
}

function countAt({ count, lastAt }: Tries, now: number): number {
  return Math.floor(count / 2 ** Math.floor((now - lastAt) / HALF_LIFE_MS));
}
