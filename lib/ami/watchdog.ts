import type { Clock, Timer } from '../clock';

const TICK_MS = 1000;
/** After so many ticks without a word from Asterisk it is asked for one. */
const QUIET_TICKS = 5;
/** It must answer within so many. */
const ANSWER_TICKS = 5;

/** How long an unanswered ping is waited for, milliseconds. */
export const PING_TIMEOUT_MS = ANSWER_TICKS * TICK_MS;

/**
 * Notices a link whose other side is gone or frozen, within 12 seconds. It counts its own ticks instead of comparing
 * times: when this process was blocked, ticks stand still too, and the words that wait in the socket are read
 * before a verdict.
 */
export class Watchdog {
  private readonly timer: Timer;
  private quiet = 0;
  private asked = 0;

  /** @param ping asks for a word; its answer must be told by {@link answered} */
  constructor(
    clock: Clock,
    private readonly ping: () => void,
    private readonly dead: () => void,
  ) {
    this.timer = clock.every(TICK_MS, () => this.tick());
  }

  heard(): void {
    this.quiet = 0;
  }

  answered(): void {
    this.asked = 0;
  }

  stop(): void {
    this.timer.cancel();
  }

  private tick(): void {
    if (this.asked > 0) {
      if (this.asked++ >= ANSWER_TICKS) this.dead();
    } else if (++this.quiet >= QUIET_TICKS) {
      this.asked = 1;
      this.ping();
    }
  }
}
