/** A handle of a timer that a {@link Clock} started. */
export interface Timer {
  /** Stops the timer; calling it again, or after it fired, does nothing. */
  cancel(): void;
}

/**
 * The only source of time in `lib`. Engines take one as an argument, so that tests run a day in milliseconds.
 */
export interface Clock {
  /** Wall-clock time, milliseconds since the Unix epoch. May jump; use it for dates, never for durations. */
  now(): number;
  /** Milliseconds since an arbitrary moment; never goes back. Use it for deadlines and durations. */
  monotonic(): number;
  /** Calls `fn` once after `ms` milliseconds. */
  after(ms: number, fn: () => void): Timer;
  /** Calls `fn` every `ms` milliseconds until cancelled. */
  every(ms: number, fn: () => void): Timer;
}

/** The computer's own clock. Its timers keep the process alive only while their owner is open. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn) {
    const handle = setTimeout(fn, ms);
    return { cancel: () => clearTimeout(handle) };
  },
  every(ms, fn) {
    const handle = setInterval(fn, ms);
    return { cancel: () => clearInterval(handle) };
  },
};
