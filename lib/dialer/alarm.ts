import type { Clock, Timer } from '../clock';

/** A wall clock that is corrected meanwhile, or a computer that slept, must not delay it for longer. */
const LONGEST_MS = 60_000;

/** One timer for many reasons: it rings at the earliest of them. */
export class Alarm {
  private timer: Timer | undefined;
  private at = Infinity;
  private isClosed = false;

  constructor(
    private readonly clock: Clock,
    private readonly ring: () => void,
  ) {}

  /** Rings in `ms`, or before; a minute at the latest. */
  within(ms: number): void {
    const at = this.clock.monotonic() + Math.min(Math.max(ms, 1), LONGEST_MS);
    if (at >= this.at || this.isClosed) return;
    this.timer?.cancel();
    this.at = at;
    this.timer = this.clock.after(at - this.clock.monotonic(), () => {
      this.at = Infinity;
      this.ring();
    });
  }

  /** Rings at this moment of the wall clock, or before. */
  wall(at: number): void {
    this.within(at - this.clock.now());
  }

  close(): void {
    this.isClosed = true;
    this.timer?.cancel();
  }
}
