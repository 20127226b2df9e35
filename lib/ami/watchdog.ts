import type { Clock, Timer } from '../clock';

const TICK_MS = 1000;
/** Asterisk is asked for a word every so many ticks, whatever it says unasked: events do not prove that actions are heard. */
const PING_TICKS = 5;
/** A silent one must answer within so many. */
const ANSWER_TICKS = 5;
/** One that sends events may be busy with them, and has longer. */
const BUSY_ANSWER_TICKS = 15;

/** How long an unanswered ping is waited for while nothing else comes either, milliseconds. */
export const PING_TIMEOUT_MS = ANSWER_TICKS * TICK_MS;

/** When the watchdog has given up on a ping in any case, milliseconds. */
export const PING_ABANDONED_MS = BUSY_ANSWER_TICKS * TICK_MS;

/**
 * Notices a link whose other side is gone or frozen within 12 seconds, and one that talks but does nothing it is asked
 * within 22. It counts its own ticks instead of comparing times: when this process was blocked, ticks stand still too,
 * and the words that wait in the socket are read before a verdict.
 */
export class Watchdog {
  private readonly timer: Timer;
  /** Ticks since the last ping was sent or answered. */
  private since = 0;
  private quiet = 0;
  private isAsked = false;

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
    this.isAsked = false;
    this.since = 0;
  }

  stop(): void {
    this.timer.cancel();
  }

  private tick(): void {
    this.since += 1;
    this.quiet += 1;
    if (this.isAsked) {
      const isSilent = this.since >= ANSWER_TICKS && this.quiet >= ANSWER_TICKS;
      if (isSilent || this.since >= BUSY_ANSWER_TICKS) this.dead();
    } else if (this.since >= PING_TICKS) {
      this.isAsked = true;
      this.since = 0;
      this.ping();
    }
  }
}
