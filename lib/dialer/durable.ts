import type { Clock, Timer } from '../clock';
import { TelephonyError } from '../errors';
import type { Log } from '../log';
import { orderFault } from './errors';

/** What the store refuses of one write: others are kept all the same, and trying again changes nothing. */
const OWN_FAULT = new Set(['STORE_TOO_LARGE', 'STORE_BAD_VALUE', 'STORE_ORDERS_FULL']);
/** How long the store is left alone after it failed, in ms. */
const AGAIN_MS = 2000;

export interface DurableOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Succeeds when the store works again. */
  readonly probe: () => Promise<unknown>;
  /** Called when {@link Durable.problem} comes and goes. */
  readonly onChange: () => void;
}

/** Stands between a dialler and its store: what became of a call must be written down, however long the store is away. */
export class Durable {
  /** Why the store cannot be used now. */
  problem: TelephonyError | undefined;
  private readonly waiting = new Set<() => void>();
  private timer: Timer | undefined;
  private closed = false;

  constructor(private readonly options: DurableOptions) {}

  /** Throws the {@link problem}, if there is one. */
  check(): void {
    if (this.problem) throw this.problem;
  }

  /** Tries once; a failure of the store as a whole is noted. */
  async once<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      const isAboutThis = thrown instanceof TelephonyError && OWN_FAULT.has(thrown.code);
      if (!isAboutThis) this.failed(thrown);
      throw thrown;
    }
  }

  /**
   * Tries until the store has taken it: what the write gave, `undefined` when this was closed before, or the store will
   * never take it.
   */
  async persist<T>(write: () => Promise<T>): Promise<{ readonly given: T } | undefined> {
    for (;;) {
      try {
        return { given: await this.once(write) };
      } catch (thrown) {
        if (this.isClosed()) return undefined;
        if (!this.problem) {
          this.options.log.warn(asTelephonyError(thrown));
          return undefined;
        }
        await new Promise<void>((resolve) => this.waiting.add(resolve));
        if (this.isClosed()) return undefined;
      }
    }
  }

  /** Nothing is tried again any more. */
  close(): void {
    this.closed = true;
    this.timer?.cancel();
    this.wake();
  }

  private isClosed(): boolean {
    return this.closed;
  }

  private failed(thrown: unknown): void {
    if (this.closed || this.problem) return;
    this.problem = asTelephonyError(thrown);
    this.options.log.warn(this.problem);
    this.options.onChange();
    this.probeLater();
  }

  private probeLater(): void {
    this.timer = this.options.clock.after(AGAIN_MS, () => {
      this.options.probe().then(
        () => {
          this.problem = undefined;
          this.wake();
          if (!this.isClosed()) this.options.onChange();
        },
        () => {
          if (!this.isClosed()) this.probeLater();
        },
      );
    });
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}

const asTelephonyError = (thrown: unknown): TelephonyError =>
  thrown instanceof TelephonyError ? thrown : orderFault(thrown);
