import type { Clock, Timer } from '../clock';
import { asError } from '../errors';
import type { Log } from '../log';
import type { OrderTable } from '../store/types';
import type { Durable } from './durable';
import type { OrderOutcome, OrderProgress } from './types';

export interface TellerOptions {
  readonly orders: OrderTable;
  readonly durable: Durable;
  readonly clock: Clock;
  readonly log: Log;
  readonly onProgress: (progress: OrderProgress) => void;
  readonly onOutcome: (outcome: OrderOutcome, reply: unknown) => void;
}

/** What was told is noted together: after a kill it is told again, with the same eventId. */
const NOTE_AFTER_MS = 50;

/** Tells the flow, and notes which outcomes it has heard. */
export class Teller {
  private readonly told: number[] = [];
  private timer: Timer | undefined;
  private isClosed = false;

  constructor(private readonly options: TellerOptions) {}

  progress(progress: OrderProgress): void {
    if (!this.isClosed) this.say(() => this.options.onProgress(progress));
  }

  /** The outcome is on disk. One that was written too late for a flow that is closed is told by whoever comes next. */
  outcome(id: number, outcome: OrderOutcome, reply: unknown): void {
    if (this.isClosed) return;
    this.say(() => this.options.onOutcome(outcome, reply));
    this.told.push(id);
    this.timer ??= this.options.clock.after(NOTE_AFTER_MS, () => void this.flush());
  }

  /** Resolves when it is on disk what was told until now, or when the store does not take it before the end. */
  async flush(): Promise<void> {
    this.timer?.cancel();
    this.timer = undefined;
    const ids = this.told.splice(0);
    if (ids.length > 0) await this.options.durable.persist(() => this.options.orders.told(ids));
  }

  /** Nobody listens any more. */
  close(): void {
    this.isClosed = true;
    this.timer?.cancel();
  }

  /** What fails at the one who is told must not change what becomes of an order. */
  say(tell: () => void): void {
    try {
      tell();
    } catch (thrown) {
      this.options.log.warn(`A listener of the dialler failed: ${asError(thrown).message}`);
    }
  }
}
