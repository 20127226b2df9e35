/** Seconds above it are kept with three digits: nobody misses the rest, and the memory of a spread is bounded. */
const EXACT_UP_TO = 1000;

/** How long something took in many cases: what a report tells of it, in bounded memory. */
export class Spread {
  private readonly counts = new Map<number, number>();
  private cases = 0;
  private sum = 0;
  private most = 0;

  get count(): number {
    return this.cases;
  }

  /** Seconds of all cases together. */
  get total(): number {
    return this.sum;
  }

  add(seconds: number): void {
    const kept = seconds <= EXACT_UP_TO ? seconds : Number(seconds.toPrecision(3));
    this.counts.set(kept, (this.counts.get(kept) ?? 0) + 1);
    this.cases += 1;
    this.sum += seconds;
    this.most = Math.max(this.most, seconds);
  }

  /** To one decimal; absent without cases. */
  get mean(): number | undefined {
    return this.cases === 0 ? undefined : Math.round((this.sum / this.cases) * 10) / 10;
  }

  get longest(): number | undefined {
    return this.cases === 0 ? undefined : this.most;
  }

  /** The shortest time that 95 of 100 cases do not exceed (nearest rank). */
  get p95(): number | undefined {
    const wanted = Math.ceil(this.cases * 0.95);
    let seen = 0;
    for (const seconds of new Float64Array([...this.counts.keys()]).sort()) {
      seen += this.counts.get(seconds) ?? 0;
      // What is kept is rounded, the longest is not.
      if (seen >= wanted) return Math.min(seconds, this.most);
    }
    return undefined;
  }
}

/** `85.7`: so many of a hundred; absent without cases. */
export const percent = (part: number, all: number): number | undefined =>
  all === 0 ? undefined : Math.round((part / all) * 1000) / 10;
