import { TelephonyError } from '../errors';
import type { RecordPayload } from '../messages/types';
import { storeError } from './errors';
import type { QueueFact, Store } from './types';

/** What is kept, and how. */
export interface Keepable<T> {
  readonly put: (store: Store, items: readonly T[]) => Promise<void>;
  /** Items went unkept. */
  readonly lost: 'STORE_RECORDS_LOST' | 'STORE_FACTS_LOST';
}

/** Records of calls. */
export const RECORDS: Keepable<RecordPayload> = {
  put: (store, items) => store.calls.put(items),
  lost: 'STORE_RECORDS_LOST',
};

/** Facts of queues and agents. */
export const FACTS: Keepable<QueueFact> = {
  put: (store, items) => store.queueFacts.put(items),
  lost: 'STORE_FACTS_LOST',
};

/** Items held while the store cannot take them; beyond it the oldest go. */
const MAX_HELD = 5000;
const AT_ONCE = 100;

/**
 * Puts records of calls, or facts of queues, into the store as they come, and holds them while it cannot: on a full disk the history
 * has a gap only when it lasts for thousands of calls, and an error says how large it is. What the store refuses for itself is reported
 * and left out.
 */
export class Keeper<T> {
  private held: T[] = [];
  /** Items that went unkept and have not been reported yet. */
  private lost = 0;
  private writing: Promise<void> | undefined;
  private readonly forget: () => void;

  constructor(
    private readonly store: Store,
    private readonly kind: Keepable<T>,
    private readonly onProblem: (error: TelephonyError) => void,
  ) {
    this.forget = store.onState(() => void this.write());
  }

  /** Never rejects or throws: what becomes of it is seen in the history, or reported. */
  keep(item: T): void {
    this.held.push(item);
    this.shorten();
    void this.write();
  }

  /** Waits for the writes under way, however long the disk takes; what the store does not take now is lost, and reported. */
  async close(): Promise<void> {
    this.forget();
    await this.write();
    this.lost += this.held.length;
    this.held = [];
    this.reportLost();
  }

  private shorten(): void {
    const over = this.held.length - MAX_HELD;
    if (over <= 0) return;
    this.held.splice(0, over);
    this.lost += over;
  }

  /** Begins to write what is held, unless the store cannot take it; resolves when that, or what was under way, is done. */
  private write(): Promise<void> {
    if (this.held.length > 0 && this.store.state.status === 'open') {
      this.writing ??= this.writeAll().finally(() => (this.writing = undefined));
    }
    return this.writing ?? Promise.resolve();
  }

  private async writeAll(): Promise<void> {
    while (this.held.length > 0) {
      const part = this.held.splice(0, AT_ONCE);
      try {
        await this.kind.put(this.store, part);
      } catch {
        if (!(await this.oneByOne(part))) return;
      }
    }
    this.reportLost();
  }

  /** @returns false when the store as a whole is the trouble: then they are held */
  private async oneByOne(part: readonly T[]): Promise<boolean> {
    for (const [at, item] of part.entries()) {
      try {
        await this.kind.put(this.store, [item]);
      } catch (again) {
        const isBusy = again instanceof TelephonyError && again.code === 'STORE_BUSY';
        if (isBusy || this.store.state.status !== 'open') {
          this.held = [...part.slice(at), ...this.held];
          this.shorten();
          return false;
        }
        const isKnown = again instanceof TelephonyError;
        this.onProblem(isKnown ? again : storeError('STORE_BAD_VALUE', { what: 'payload' }, again));
      }
    }
    return true;
  }

  private reportLost(): void {
    if (this.lost === 0) return;
    const count = this.lost;
    this.lost = 0;
    this.onProblem(storeError(this.kind.lost, { count }));
  }
}
