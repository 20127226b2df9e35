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

/**
 * The same clock, whose timers give what they throw to `onThrown`. Thrown in a timer it ends the process, and Node-RED with it; handlers of
 * events are guarded likewise.
 */
export function guardedClock(clock: Clock, onThrown: (thrown: unknown) => void): Clock {
  const guarded = (fn: () => void) => (): void => {
    try {
      fn();
    } catch (thrown) {
      onThrown(thrown);
    }
  };
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, fn) => clock.after(ms, guarded(fn)),
    every: (ms, fn) => clock.every(ms, guarded(fn)),
  };
}

/** From here on it is a jump: a machine without a battery for its clock, or one that was asleep. */
const JUMP_MS = 24 * 60 * 60 * 1000;

/** How long a wall clock can be trusted to have told the right time, in ms. */
export interface Standing {
  /** Since it was first looked at in this process. */
  readonly watched: number;
  /** Since it was last seen to have jumped by more than a day against the monotonic clock; `Infinity`: it was not. */
  readonly sinceJump: number;
}

interface Watch {
  readonly begunAt: number;
  jumpedAt: number;
  /** Wall clock less monotonic clock. */
  offset: number;
}

/** Of each clock: what watches it outlives a deploy. */
const watches = new WeakMap<Clock, Watch>();

/** To be asked now and then: a jump is seen when it is asked. */
export function standingOf(clock: Clock): Standing {
  const now = clock.monotonic();
  const offset = clock.now() - now;
  const watch = watches.get(clock) ?? { begunAt: now, jumpedAt: -Infinity, offset };
  watches.set(clock, watch);
  if (Math.abs(offset - watch.offset) > JUMP_MS) watch.jumpedAt = now;
  watch.offset = offset;
  return { watched: now - watch.begunAt, sinceJump: now - watch.jumpedAt };
}
