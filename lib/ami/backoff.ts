const FIRST_MS = 1000;
const LONGEST_MS = 60_000;
/** Not at once: a PBX that takes connections and drops them must not be hammered. */
const LEAST_MS = 50;
const REFUSED_MS = 60_000;
const STABLE_MS = 30_000;

/**
 * How long to wait before the next try: within a second at first, then exponentially longer up to a minute, with full
 * jitter, so that many clients of one PBX do not come back all at once.
 */
export class Backoff {
  private tries = 0;

  constructor(private readonly random: () => number) {}

  /** Milliseconds until the next try. `readyMs`: how long the link that just ended was ready. */
  next(refused: boolean, readyMs: number): number {
    if (refused) return REFUSED_MS;
    // A link that breaks right after the login is no success: only a stable one begins anew.
    if (readyMs >= STABLE_MS) this.tries = 0;
    const ceiling = Math.min(FIRST_MS * 2 ** this.tries, LONGEST_MS);
    this.tries = Math.min(this.tries + 1, 16);
    return Math.max(LEAST_MS, Math.round(this.random() * ceiling));
  }
}
