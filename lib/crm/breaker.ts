import type { Clock } from '../clock';

const FAILURES_TO_OPEN = 5;
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Spares callers a wait in vain: after five failures in a row the CRM is left alone for 10 s, then one question may try;
 * while it fails the pause doubles up to a minute.
 */
export interface Breaker {
  readonly state: 'closed' | 'open' | 'half-open';
  /** Milliseconds until the next try; 0 when questions may go or the one that tries is under way. */
  readonly retryAfterMs: number;
  /** May a question go? In the half-open state for one only, which must end in one of the three methods below. */
  admit(): boolean;
  succeeded(): void;
  failed(): void;
  /** The question told nothing about the CRM (it was never sent). */
  skipped(): void;
}

class CircuitBreaker implements Breaker {
  private failures = 0;
  private pauseMs = 0;
  private openUntil: number | undefined;
  private probing = false;

  constructor(private readonly clock: Clock) {}

  get state(): 'closed' | 'open' | 'half-open' {
    if (this.openUntil === undefined) return 'closed';
    return this.probing || this.retryAfterMs === 0 ? 'half-open' : 'open';
  }

  get retryAfterMs(): number {
    return Math.max(Math.ceil((this.openUntil ?? 0) - this.clock.monotonic()), 0);
  }

  admit(): boolean {
    if (this.openUntil === undefined) return true;
    if (this.probing || this.retryAfterMs > 0) return false;
    this.probing = true;
    return true;
  }

  succeeded(): void {
    this.failures = 0;
    this.pauseMs = 0;
    this.openUntil = undefined;
    this.probing = false;
  }

  failed(): void {
    this.failures += 1;
    // While open, what was sent before may still fail: only the probe makes the pause longer.
    const opens = this.openUntil === undefined ? this.failures >= FAILURES_TO_OPEN : this.probing;
    if (!opens) return;
    this.pauseMs = Math.min(Math.max(this.pauseMs * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
    this.openUntil = this.clock.monotonic() + this.pauseMs;
    this.probing = false;
  }

  skipped(): void {
    this.probing = false;
  }
}

/** A closed breaker; `clock` gives the monotonic time that its pauses are measured in. */
export const createBreaker = (clock: Clock): Breaker => new CircuitBreaker(clock);
