/** Runs so many works at once and lets the others wait in line. */
export class Turns {
  private running = 0;
  private readonly inLine: (() => void)[] = [];

  constructor(
    private readonly atOnce: number,
    private readonly maxInLine: number,
  ) {}

  /** How many wait now. */
  get waiting(): number {
    return this.inLine.length;
  }

  /** Nobody more can wait. */
  get isFull(): boolean {
    return this.inLine.length >= this.maxInLine;
  }

  /** Runs `work` at once, or when one of the others has ended. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= this.atOnce) await new Promise<void>((resolve) => this.inLine.push(resolve));
    else this.running += 1;
    try {
      return await work();
    } finally {
      const next = this.inLine.shift();
      if (next) next();
      else this.running -= 1;
    }
  }
}
