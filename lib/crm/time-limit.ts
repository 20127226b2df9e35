import type { Clock, Timer } from '../clock';
import type { TelephonyError } from '../errors';
import { crmError } from './errors';

export interface Times {
  /** For the work itself. */
  readonly workMs: number;
  /** For all turns together that it waits for. */
  readonly turnsMs: number;
}

/** What a turn that never came asks for: the limiter has no better word. */
const AGAIN_MS = 1000;

/** The time of one piece of work, the waits for its turns counted apart: that our own limit is used up is not the CRM's slowness. */
export class TimeLimit {
  private workMs: number;
  private turnsMs: number;
  private waiting = 0;
  private since = 0;
  private timer: Timer | undefined;
  private ended = false;

  /** `onOver`: called once when one of the times is over, with `CRM_TIMEOUT` or `CRM_LIMITED`. */
  constructor(
    private readonly clock: Clock,
    private readonly times: Times,
    private readonly onOver: (error: TelephonyError) => void,
  ) {
    ({ workMs: this.workMs, turnsMs: this.turnsMs } = times);
    this.go();
  }

  /** Waits for a turn. */
  async wait<T>(turn: Promise<T>): Promise<T> {
    this.change(1);
    try {
      return await turn;
    } finally {
      this.change(-1);
    }
  }

  end(): void {
    this.ended = true;
    this.timer?.cancel();
  }

  private change(by: number): void {
    if (this.ended) return;
    this.timer?.cancel();
    const passed = this.clock.monotonic() - this.since;
    if (this.waiting > 0) this.turnsMs -= passed;
    else this.workMs -= passed;
    this.waiting += by;
    this.go();
  }

  private go(): void {
    this.since = this.clock.monotonic();
    const isWaiting = this.waiting > 0;
    this.timer = this.clock.after(Math.max(isWaiting ? this.turnsMs : this.workMs, 0), () => {
      this.end();
      this.onOver(
        isWaiting
          ? crmError('CRM_LIMITED', { retryAfterMs: AGAIN_MS })
          : crmError('CRM_TIMEOUT', { ms: this.times.workMs }),
      );
    });
  }
}
