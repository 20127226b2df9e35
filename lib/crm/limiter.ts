import type { Clock, Timer } from '../clock';
import { crmError } from './errors';
import type { CallContext } from './types';

export interface LimiterOptions {
  readonly perSecond: number;
  readonly burst: number;
  /** How many calls may wait for their turn at once (default 200); one more is refused. */
  readonly maxWaiting?: number;
}

/** The rate limit of one CRM account: at most `burst` calls at once and `perSecond` a second after that. */
export interface Limiter {
  readonly waiting: number;
  /**
   * Resolves when a call may be made, first come first served; deliveries in the background come after everything else, but get each
   * fourth turn while they wait. Rejects with `CRM_LIMITED` at once, without waiting, when its turn would come after `context.deadline`
   * or too many wait already; with the signal's reason when aborted.
   */
  take(context: CallContext): Promise<void>;
  /** The CRM asked for a pause: no call for `ms` milliseconds. Calls that cannot wait that long are rejected now. */
  hold(ms: number): void;
}

/** So many may go before one who waits in the background: steady lookups must not keep deliveries waiting for ever. */
const BEFORE_BACKGROUND = 3;

interface Waiter {
  readonly background: boolean;
  readonly deadline: number;
  readonly go: () => void;
  readonly refuse: (error: Error) => void;
}

class TokenBucket implements Limiter {
  private tokens: number;
  private countedAt: number;
  private heldUntil = -Infinity;
  private queue: Waiter[] = [];
  /** How many went in a row while somebody in the background waited. */
  private passed = 0;
  private timer: Timer | undefined;

  constructor(
    private readonly options: Required<LimiterOptions>,
    private readonly clock: Clock,
  ) {
    this.tokens = options.burst;
    this.countedAt = clock.monotonic();
  }

  get waiting(): number {
    return this.queue.length;
  }

  take({ signal, deadline = Infinity, background = false }: CallContext): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    this.refill();
    const inFront = background ? this.queue.length : this.placeInFront();
    const wait = this.waitOf(inFront);
    if (wait === 0) {
      this.spend(background);
      return Promise.resolve();
    }
    const full = this.queue.length >= this.options.maxWaiting;
    if (full || this.clock.monotonic() + wait > deadline) return Promise.reject(limited(wait));

    return new Promise((resolve, reject) => {
      const leave = () => {
        this.queue = this.queue.filter((one) => one !== waiter);
        signal.removeEventListener('abort', onAbort);
        this.arm();
      };
      const waiter: Waiter = {
        background,
        deadline,
        go: () => {
          leave();
          resolve();
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const onAbort = () => waiter.refuse(signal.reason as Error);
      signal.addEventListener('abort', onAbort);
      this.queue.splice(inFront, 0, waiter);
      this.arm();
    });
  }

  hold(ms: number): void {
    this.refill();
    this.heldUntil = Math.max(this.heldUntil, this.clock.monotonic() + ms);
    const now = this.clock.monotonic();
    this.queue
      .map((waiter, place) => ({ waiter, wait: this.waitOf(place) }))
      .filter(({ waiter, wait }) => now + wait > waiter.deadline)
      .forEach(({ waiter, wait }) => waiter.refuse(limited(wait)));
    this.arm();
  }

  /**
   * Where one takes his place who comes before the background: behind all of his kind, and behind one of the background when too many
   * would pass that one. So nobody who has a place already is pushed back.
   */
  private placeInFront(): number {
    const place = this.queue.findLastIndex((one) => !one.background) + 1;
    const begun = this.queue.slice(0, place).findLastIndex((one) => one.background);
    const inRow = place - 1 - begun + (begun < 0 ? this.passed : 0);
    return inRow >= BEFORE_BACKGROUND && place < this.queue.length ? place + 1 : place;
  }

  private spend(background: boolean): void {
    this.tokens -= 1;
    const isPassed = !background && this.queue.some((one) => one.background);
    this.passed = isPassed ? this.passed + 1 : 0;
  }

  private refill(): void {
    const now = this.clock.monotonic();
    const grown = this.tokens + ((now - this.countedAt) / 1000) * this.options.perSecond;
    this.tokens = Math.min(grown, this.options.burst);
    this.countedAt = now;
  }

  /** Milliseconds until the call at this place of the queue may go; 0 = now. */
  private waitOf(place: number): number {
    const missing = place + 1 - this.tokens;
    // A thousandth of a token is nothing: without it, rounding would let a timer wake up for ever just too early.
    const forToken = missing <= 0.001 ? 0 : (missing / this.options.perSecond) * 1000;
    return Math.max(forToken, this.heldUntil - this.clock.monotonic(), 0);
  }

  /** One timer, for the first in the queue. */
  private arm(): void {
    this.timer?.cancel();
    this.timer = undefined;
    if (this.queue.length === 0) return;
    this.refill();
    this.timer = this.clock.after(Math.ceil(this.waitOf(0)), () => this.serve());
  }

  private serve(): void {
    this.timer = undefined;
    this.refill();
    const first = this.queue[0];
    if (first && this.waitOf(0) === 0) {
      this.spend(first.background);
      first.go();
    } else {
      this.arm();
    }
  }
}

function limited(waitMs: number): Error {
  return crmError('CRM_LIMITED', { retryAfterMs: Math.ceil(waitMs) });
}

/** A limiter whose burst is all there at first. Its one timer runs only while calls wait, and each of these ends by its own signal. */
export function createLimiter(options: LimiterOptions, clock: Clock): Limiter {
  return new TokenBucket({ maxWaiting: 200, ...options }, clock);
}
