import type { SavedCall } from '../calls/types';
import type { Clock, Timer } from '../clock';
import { asError, type TelephonyError } from '../errors';
import type { LiveCallTable } from '../store/types';
import { pbxError } from './errors';

/** In milliseconds. */
const SAVE_EVERY_MS = 250;
const SAVE_AGAIN_MS = 5000;
/** A call that is over stays on disk so long, until a flow had time to put its record on disk. */
const OUTLIVE_MS = 10_000;
const LOAD_MS = 5000;
const LAST_SAVE_MS = 1500;

export interface LoadedCalls {
  readonly calls: readonly SavedCall[];
  /** Wall-clock ms of the last word that is on disk; absent when there is none. */
  readonly savedAt?: number;
}

/**
 * Keeps the calls under way on disk. What cannot be kept never holds up a call: the newest state of each waits in memory
 * until the store takes it again, and the operator is told once.
 */
export class LiveCallKeeper {
  /** The newest state that is not on disk yet. */
  private readonly unsaved = new Map<string, SavedCall>();
  /** Calls that are over, and when (monotonic) they may leave the disk. */
  private readonly leaving = new Map<string, number>();
  /** What the disk holds, so that nothing else need ever be taken off it. */
  private readonly onDisk = new Set<string>();
  private timer: Timer | undefined;
  private timerAt = Infinity;
  private saving: Promise<void> | undefined;
  /** The store refused the last time: it is tried less often, and told no more. */
  private failing = false;
  private closed = false;

  constructor(
    private readonly table: LiveCallTable,
    private readonly pbx: string,
    private readonly clock: Clock,
    private readonly onProblem: (problem: TelephonyError) => void,
  ) {}

  /** What an earlier process left; nothing when the store fails or takes longer than five seconds. */
  async load(): Promise<LoadedCalls> {
    try {
      const rows = await this.within(LOAD_MS, this.table.load(this.pbx));
      for (const { callId } of rows) this.onDisk.add(callId);
      const calls = rows.map(({ callId, state }) => ({ callId, state }));
      return rows.length === 0 ? { calls } : { calls, savedAt: Math.max(...rows.map((row) => row.savedAt)) };
    } catch (thrown) {
      this.tell(thrown);
      return { calls: [] };
    }
  }

  /** What changed since the last time. */
  note({
    changed,
    forgotten,
  }: {
    readonly changed: readonly SavedCall[];
    readonly forgotten: readonly string[];
  }): void {
    for (const call of changed) {
      this.unsaved.set(call.callId, call);
      this.leaving.delete(call.callId);
    }
    const leaveAt = this.clock.monotonic() + OUTLIVE_MS;
    for (const callId of forgotten) this.leaving.set(callId, leaveAt);
    if (changed.length > 0) this.saveIn(0);
    else if (forgotten.length > 0) this.saveIn(OUTLIVE_MS);
  }

  /** Puts what is left on disk, as far as that takes 1.5 s at most. */
  async close(): Promise<void> {
    this.closed = true;
    this.timer?.cancel();
    await this.within(
      LAST_SAVE_MS,
      (this.saving ?? Promise.resolve()).then(() => this.save()),
    ).catch(() => undefined);
  }

  private saveIn(ms: number): void {
    const delay = this.failing ? SAVE_AGAIN_MS : ms;
    const at = this.clock.monotonic() + delay;
    if (this.closed || this.saving || this.timerAt <= at) return;
    this.timer?.cancel();
    this.timerAt = at;
    this.timer = this.clock.after(delay, () => {
      this.timerAt = Infinity;
      this.saving = this.save().finally(() => {
        this.saving = undefined;
        const [first] = this.leaving.values();
        if (this.unsaved.size > 0) this.saveIn(SAVE_EVERY_MS);
        else if (first !== undefined) this.saveIn(Math.max(first - this.clock.monotonic(), SAVE_EVERY_MS));
      });
    });
  }

  private async save(): Promise<void> {
    const now = this.clock.monotonic();
    const over = [...this.leaving].filter(([, at]) => at <= now).map(([callId]) => callId);
    for (const callId of over) {
      this.leaving.delete(callId);
      this.unsaved.delete(callId);
    }
    const changed = [...this.unsaved.values()];
    const forgotten = over.filter((callId) => this.onDisk.has(callId));
    if (changed.length === 0 && forgotten.length === 0) return;
    try {
      await this.table.save(this.pbx, changed, forgotten);
    } catch (thrown) {
      for (const callId of forgotten) this.leaving.set(callId, now);
      this.tell(thrown);
      return;
    }
    this.failing = false;
    for (const call of changed) {
      this.onDisk.add(call.callId);
      if (this.unsaved.get(call.callId) === call) this.unsaved.delete(call.callId);
    }
    for (const callId of forgotten) this.onDisk.delete(callId);
  }

  private tell(thrown: unknown): void {
    const isNews = !this.failing;
    this.failing = true;
    if (isNews && !this.closed)
      this.onProblem(pbxError('PBX_CALLS_NOT_KEPT', { pbx: this.pbx, reason: asError(thrown).message }, thrown));
  }

  private within<T>(ms: number, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.clock.after(ms, () => reject(new Error(`no answer within ${ms} ms`)));
      void work.then(resolve, reject).finally(() => timer.cancel());
    });
  }
}
