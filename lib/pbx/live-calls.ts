import type { CallTracker, SavedCall } from '../calls/types';
import type { Clock, Timer } from '../clock';
import { asError, type TelephonyError } from '../errors';
import type { LiveCallTable, UnkeptCall } from '../store/types';
import { pbxError } from './errors';

/** In milliseconds. */
const SAVE_EVERY_MS = 250;
const SAVE_AGAIN_MS = 5000;
/** A call that is over stays on disk so long, until a flow had time to put its record on disk. */
const OUTLIVE_MS = 10_000;
const LOAD_MS = 5000;
const LAST_SAVE_MS = 1500;

/** What a tracker says of its calls; see {@link CallTracker.takeChanges}. */
type Changes = ReturnType<CallTracker['takeChanges']>;

/** Where the calls of one PBX are kept: under the id of its `ami-config`, which stays when the PBX is given another name. */
export interface LiveCallPlace {
  readonly table: LiveCallTable;
  readonly key: string;
}

/** What the operator is told of when it cannot be kept: everything, or one alone. */
const NOT_KEPT = {
  calls: { all: 'PBX_CALLS_NOT_KEPT', one: 'PBX_CALL_NOT_KEPT' },
  queues: { all: 'PBX_QUEUES_NOT_KEPT', one: 'PBX_QUEUE_NOT_KEPT' },
} as const;

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
  /** Calls whose record was told and that are not forgotten yet. */
  private readonly told = new Set<string>();
  /** Calls that are over, and when (monotonic) they may leave the disk. */
  private readonly leaving = new Map<string, number>();
  /** What the disk holds, so that nothing else need ever be taken off it. */
  private readonly onDisk = new Set<string>();
  /** Calls that the store refuses for themselves. */
  private readonly refused = new Set<string>();
  /** What is being written just now. */
  private writing: ReadonlySet<string> = new Set();
  private timer: Timer | undefined;
  private timerAt = Infinity;
  private saving: Promise<void> | undefined;
  /** The store refused the last time: it is tried less often, and told no more. */
  private failing = false;
  private closed = false;

  constructor(
    private readonly place: LiveCallPlace,
    private readonly pbx: string,
    private readonly clock: Clock,
    private readonly onProblem: (problem: TelephonyError) => void,
    private readonly what: keyof typeof NOT_KEPT,
  ) {}

  /** What an earlier process left; nothing when the store fails or takes longer than five seconds. */
  async load(): Promise<LoadedCalls> {
    try {
      const rows = await this.within(LOAD_MS, this.place.table.load(this.place.key));
      for (const { callId } of rows) this.onDisk.add(callId);
      const calls = rows.map(({ callId, state }) => ({ callId, state }));
      return rows.length === 0 ? { calls } : { calls, savedAt: Math.max(...rows.map((row) => row.savedAt)) };
    } catch (thrown) {
      this.tell(thrown);
      return { calls: [] };
    }
  }

  /**
   * The record of a call was told. What the disk holds of it stays as it was before, so that a process that ends before the
   * record is on some disk of its own is followed by one that tells it again.
   */
  recordTold(callId: string): void {
    this.told.add(callId);
  }

  /** What changed since the last time. */
  note({ changed, forgotten }: Changes): void {
    for (const call of changed) {
      if (this.told.has(call.callId)) continue;
      this.unsaved.set(call.callId, call);
      this.leaving.delete(call.callId);
    }
    const now = this.clock.monotonic();
    for (const callId of forgotten) {
      this.refused.delete(callId);
      const isTold = this.told.delete(callId);
      if (!this.onDisk.has(callId) && !this.writing.has(callId)) {
        this.unsaved.delete(callId);
        continue;
      }
      // One without a record became a part of another call, whose state is on its way to the disk: two must not be taken up.
      this.leaving.set(callId, isTold ? now + OUTLIVE_MS : now);
    }
    this.plan(0);
  }

  /** Puts what is left on disk, as far as that takes 1.5 s at most. */
  async close(): Promise<void> {
    this.closed = true;
    this.timer?.cancel();
    // Flows had their time: only a process that is killed leaves calls behind whose record was told a while ago.
    for (const callId of this.leaving.keys()) this.leaving.set(callId, -Infinity);
    await this.within(
      LAST_SAVE_MS,
      (this.saving ?? Promise.resolve()).then(() => this.save()),
    ).catch(() => undefined);
  }

  /** Sees to it that what is to be written is, `soonest` ms from now at the soonest. */
  private plan(soonest: number): void {
    const first = Math.min(...this.leaving.values());
    if (this.unsaved.size > 0) this.saveIn(soonest);
    else if (first !== Infinity) this.saveIn(Math.max(first - this.clock.monotonic(), soonest));
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
        this.plan(SAVE_EVERY_MS);
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
    this.writing = new Set(this.unsaved.keys());
    let unkept: readonly UnkeptCall[];
    try {
      unkept = await this.place.table.save(this.place.key, changed, forgotten);
    } catch (thrown) {
      for (const callId of forgotten) this.leaving.set(callId, now);
      this.tell(thrown);
      return;
    } finally {
      this.writing = new Set();
    }
    this.failing = false;
    const refused = new Set(unkept.map(({ callId }) => callId));
    for (const call of changed) {
      if (!refused.has(call.callId)) this.onDisk.add(call.callId);
      if (this.unsaved.get(call.callId) === call) this.unsaved.delete(call.callId);
    }
    for (const callId of forgotten) this.onDisk.delete(callId);
    for (const each of unkept) this.tellOf(each);
  }

  /** One call that cannot be kept is told once, however often it changes. */
  private tellOf({ callId, error }: UnkeptCall): void {
    if (this.closed || this.refused.has(callId)) return;
    this.refused.add(callId);
    const reasons = { reasonEn: error.textIn('en'), reasonRu: error.textIn('ru') };
    const params = { pbx: this.pbx, callId: callId.slice(0, 100).replace('\n', ' '), ...reasons };
    this.onProblem(pbxError(NOT_KEPT[this.what].one, params, error));
  }

  private tell(thrown: unknown): void {
    const isNews = !this.failing;
    this.failing = true;
    if (isNews && !this.closed)
      this.onProblem(pbxError(NOT_KEPT[this.what].all, { pbx: this.pbx, reason: asError(thrown).message }, thrown));
  }

  private within<T>(ms: number, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.clock.after(ms, () => reject(new Error(`no answer within ${ms} ms`)));
      void work.then(resolve, reject).finally(() => timer.cancel());
    });
  }
}
