import { asError, TelephonyError } from '../errors';
import type { RecordPayload } from '../messages/types';
import type { Store } from './types';

/** Records held while the store cannot take them; beyond it the oldest go. */
const MAX_HELD = 5000;
const AT_ONCE = 100;

/**
 * Puts the records of calls into the store as they come, and holds them while it cannot: on a full disk the history has a gap only
 * when it lasts for thousands of calls. A record that the store refuses for itself is told and left out.
 */
export class RecordKeeper {
  private held: RecordPayload[] = [];
  private lost = 0;
  private isWriting = false;
  private readonly forget: () => void;

  constructor(
    private readonly store: Store,
    private readonly onProblem: (error: Error) => void,
  ) {
    this.forget = store.onState(({ status }) => {
      if (status === 'open') this.write();
    });
  }

  /** Records that had to go unkept. */
  get dropped(): number {
    return this.lost;
  }

  keep(record: RecordPayload): void {
    if (this.held.length >= MAX_HELD) {
      this.held.shift();
      this.lost += 1;
    }
    this.held.push(record);
    this.write();
  }

  /** Waits for the write under way. */
  async close(): Promise<void> {
    this.forget();
    if (this.store.state.status === 'open') await this.writeAll();
  }

  private write(): void {
    if (!this.isWriting && this.store.state.status === 'open') void this.writeAll();
  }

  private async writeAll(): Promise<void> {
    this.isWriting = true;
    while (this.held.length > 0) {
      const part = this.held.splice(0, AT_ONCE);
      try {
        await this.store.calls.put(part);
      } catch {
        if (!(await this.oneByOne(part))) break;
      }
    }
    this.isWriting = false;
  }

  /** @returns false when the store as a whole is the trouble: then they are held */
  private async oneByOne(part: readonly RecordPayload[]): Promise<boolean> {
    for (const [at, record] of part.entries()) {
      try {
        await this.store.calls.put([record]);
      } catch (again) {
        const isBusy = again instanceof TelephonyError && again.code === 'STORE_BUSY';
        if (isBusy || this.store.state.status !== 'open') {
          this.held = [...part.slice(at), ...this.held].slice(-MAX_HELD);
          return false;
        }
        this.onProblem(asError(again));
      }
    }
    return true;
  }
}
