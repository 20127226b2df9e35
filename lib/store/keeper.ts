import { TelephonyError } from '../errors';
import type { RecordPayload } from '../messages/types';
import { storeError } from './errors';
import type { Store } from './types';

/** Records held while the store cannot take them; beyond it the oldest go. */
const MAX_HELD = 5000;
const AT_ONCE = 100;

/**
 * Puts the records of calls into the store as they come, and holds them while it cannot: on a full disk the history has a gap only
 * when it lasts for thousands of calls, and `STORE_RECORDS_LOST` says how large it is. A record that the store refuses for itself is
 * reported and left out.
 */
export class RecordKeeper {
  private held: RecordPayload[] = [];
  /** Records that went unkept and have not been reported yet. */
  private lost = 0;
  private writing: Promise<void> | undefined;
  private readonly forget: () => void;

  constructor(
    private readonly store: Store,
    private readonly onProblem: (error: TelephonyError) => void,
  ) {
    this.forget = store.onState(() => void this.write());
  }

  /** Never rejects or throws: what becomes of the record is seen in the history, or reported. */
  keep(record: RecordPayload): void {
    this.held.push(record);
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
        await this.store.calls.put(part);
      } catch {
        if (!(await this.oneByOne(part))) return;
      }
    }
    this.reportLost();
  }

  /** @returns false when the store as a whole is the trouble: then they are held */
  private async oneByOne(part: readonly RecordPayload[]): Promise<boolean> {
    for (const [at, record] of part.entries()) {
      try {
        await this.store.calls.put([record]);
      } catch (again) {
        const isBusy = again instanceof TelephonyError && again.code === 'STORE_BUSY';
        if (isBusy || this.store.state.status !== 'open') {
          this.held = [...part.slice(at), ...this.held];
          this.shorten();
          return false;
        }
        const isKnown = again instanceof TelephonyError;
        this.onProblem(isKnown ? again : storeError('STORE_BAD_VALUE', { what: 'call_record' }, again));
      }
    }
    return true;
  }

  private reportLost(): void {
    if (this.lost === 0) return;
    const count = this.lost;
    this.lost = 0;
    this.onProblem(storeError('STORE_RECORDS_LOST', { count }));
  }
}
