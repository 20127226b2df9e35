import { asError, TelephonyError } from '../errors';
import { storeError } from './errors';
import type { Sqlite } from './sqlite';
import { SqlError } from './sqlite';

interface Write {
  readonly bytes: number;
  readonly work: (sql: Sqlite) => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Writes that have run in a transaction not yet on disk. */
interface Done {
  readonly write: Write;
  readonly result: unknown;
}

/** One transaction takes writes until so much time has gone: then the event loop has its turn. */
const TURN_MS = 10;
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Groups the writes of one turn of the event loop into one transaction, so that they share one wait for the disk. Each
 * resolves after the commit. `fail` is told when the file as a whole is the trouble, and gives the error for those who wait.
 */
export class WriteQueue {
  private waiting: Write[] = [];
  private bytes = 0;
  private scheduled: NodeJS.Immediate | undefined;

  constructor(
    private readonly file: string,
    /** Throws while nothing can be written. */
    private readonly session: () => Sqlite,
    private readonly fail: (error: unknown) => TelephonyError,
  ) {}

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /** Resolves with what `work` gave when that is on disk; rejects with `STORE_BUSY` beyond 64 MiB of waiting writes. */
  add<T>(bytes: number, work: (sql: Sqlite) => T): Promise<T> {
    if (this.bytes > 0 && this.bytes + bytes > MAX_BYTES) {
      return Promise.reject(storeError('STORE_BUSY', { file: this.file, mib: Math.round(this.bytes / 1024 / 1024) }));
    }
    return new Promise<T>((resolve, reject) => {
      this.bytes += bytes;
      this.waiting.push({ bytes, work, resolve: resolve as (result: unknown) => void, reject });
      this.scheduled ??= setImmediate(() => this.turn());
    });
  }

  /** Everything that waits is refused. */
  rejectAll(error: Error): void {
    for (const write of this.take(this.waiting.length)) write.reject(error);
  }

  /** Writes what waits, in transactions of bounded length. */
  private turn(): void {
    this.scheduled = undefined;
    try {
      this.transaction(this.session());
    } catch (thrown) {
      this.rejectAll(asError(thrown));
    }
    if (!this.isEmpty) this.scheduled = setImmediate(() => this.turn());
  }

  private transaction(sql: Sqlite): void {
    const done: Done[] = [];
    let failing: Write | undefined;
    try {
      sql.exec('BEGIN IMMEDIATE');
      const until = performance.now() + TURN_MS;
      for (const write of this.waiting) {
        failing = write;
        done.push({ write, result: write.work(sql) });
        if (performance.now() >= until) break;
      }
      failing = undefined;
      sql.exec('COMMIT');
    } catch (thrown) {
      this.undo(sql, thrown, failing);
      return;
    }
    this.take(done.length);
    for (const { write, result } of done) write.resolve(result);
  }

  /** One write that cannot be carried out must not take its neighbours with it: they are run again without it. */
  private undo(sql: Sqlite, thrown: unknown, failing: Write | undefined): void {
    const ofTheFile = failing === undefined || (thrown instanceof SqlError && thrown.kind !== 'other');
    if (ofTheFile) {
      this.rejectAll(this.fail(thrown));
      return;
    }
    try {
      if (sql.inTransaction) sql.exec('ROLLBACK');
    } catch (again) {
      this.rejectAll(this.fail(again));
      return;
    }
    this.waiting = this.waiting.filter((write) => write !== failing);
    this.bytes -= failing.bytes;
    failing.reject(
      thrown instanceof TelephonyError
        ? thrown
        : storeError('STORE_FAILED', { file: this.file, reason: asError(thrown).message }, thrown),
    );
  }

  private take(count: number): Write[] {
    const taken = this.waiting.splice(0, count);
    for (const { bytes } of taken) this.bytes -= bytes;
    return taken;
  }
}
