import type { Clock } from '../clock';
import type { StoredOrder } from '../store/types';

/** Less is a clock that is corrected gently, or one that was read twice. */
const JUMP_MS = 1000;
/** More often a clock does not jump while one order waits; beyond it the oldest is forgotten. */
const MAX_JUMPS = 100;

interface Jump {
  /** The first order that came after it; all before it have aged by more, or less, than the wall clock tells. */
  before: number;
  /** By how much the clock was set back, ms; negative: forward. */
  readonly by: number;
}

/**
 * Orders expire by the wall clock, yet one that is set back must not make them younger: while this process runs, no order waits for longer
 * by the steady clock than it was to wait when it came.
 */
export class Aging {
  private readonly jumps: Jump[] = [];
  private offset: number;

  constructor(private readonly clock: Clock) {
    this.offset = this.measured();
  }

  /** By how much the oldest order at the most expires before its time by the wall clock, ms. */
  get most(): number {
    this.look();
    let sum = 0;
    return this.jumps.reduceRight((most, { by }) => Math.max(most, (sum += by)), 0);
  }

  /** When an order expires by the wall clock as it goes now. */
  expiry({ id, expiresAt }: Pick<StoredOrder, 'id' | 'expiresAt'>): number {
    this.look();
    const setBack = this.jumps.reduce((sum, { before, by }) => (id < before ? sum + by : sum), 0);
    return expiresAt - Math.max(setBack, 0);
  }

  /** To be called before an order is put, and now and then. */
  look(): void {
    const offset = this.measured();
    const by = this.offset - offset;
    this.offset = offset;
    if (Math.abs(by) < JUMP_MS) return;
    this.jumps.push({ before: Infinity, by });
    if (this.jumps.length > MAX_JUMPS) this.jumps.shift();
  }

  /** An order was put. */
  came(id: number): void {
    for (const jump of this.jumps) jump.before = Math.min(jump.before, id);
  }

  private measured(): number {
    return this.clock.now() - this.clock.monotonic();
  }
}
