import { join } from 'node:path';
import { standingOf, type Clock, type Timer } from '../clock';
import { asError, TelephonyError } from '../errors';
import type { Log } from '../log';
import type { Access } from './access';
import { backupFolder, backupName, copyStore, DailyBackup } from './backup';
import type { BackupPlan } from './backup';
import { Blocked } from './blocked';
import { Calls } from './calls';
import { storeError } from './errors';
import { LiveCalls } from './live-calls';
import { Memos } from './memos';
import { bytesOf, CHECKPOINT_PAGES, fileError, isInPlace, openFile } from './open-file';
import type { OpenFile } from './open-file';
import { openOrders, Orders } from './orders';
import { OutboxRows } from './outbox';
import { QueueFacts } from './queue-facts';
import { tidy } from './retention';
import type { Retention } from './retention';
import { rowsIn } from './schema';
import { SqlError } from './sqlite';
import type { Sqlite } from './sqlite';
import { countChanges } from './tally';
import type { Store, StoreState, StoreStats } from './types';
import { WriteQueue } from './write-queue';

/** One file and how it is kept. */
export interface StoreOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly retention: Retention;
  /** Without it copies are made on demand only. */
  readonly backup?: BackupPlan;
}

/** A failed store is tried again so often, ms. */
const RETRY_MS = 5000;
const TIDY_MS = 10 * 60 * 1000;
/** So soon it is seen that somebody took the file away while nobody asks for anything, ms. */
const LOOK_MS = 5000;
/** A clock that has jumped must go on for so long before anything is deleted for its age, ms. */
const TRUSTED_MS = 24 * 60 * 60 * 1000;
/** Closing waits so long for the writes under way, ms. */
const CLOSE_WITHIN_MS = 1500;
/** A file that is damaged again so soon is not set aside again: the disk would fill with them, ms. */
const BROKEN_AGAIN_MS = 60 * 60 * 1000;

class SqliteStore implements Store, Access {
  readonly outbox = new OutboxRows(this);
  readonly memos = new Memos(this);
  readonly calls = new Calls(this);
  readonly queueFacts = new QueueFacts(this);
  readonly live = new LiveCalls(this);
  readonly orders = new Orders(this);
  readonly blocked = new Blocked(this);
  state: StoreState = { status: 'closed' };

  readonly file: string;
  private readonly queue: WriteQueue;
  private readonly handlers = new Set<(state: StoreState) => void>();
  private opened: OpenFile | undefined;
  private opening: Promise<void> | undefined;
  private isClosed = true;
  private note: TelephonyError | undefined;
  private setAsideAt = -Infinity;
  /** What a read met: the file is not used again. */
  private damage: SqlError | undefined;
  private timers: Timer[] = [];
  private retry: Timer | undefined;
  private daily: DailyBackup | undefined;
  private tidying = false;
  private copying: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: StoreOptions) {
    this.file = options.file;
    this.queue = new WriteQueue(
      options.file,
      () => this.session(),
      (thrown) => this.fail(thrown),
    );
  }

  onState(handler: (state: StoreState) => void): () => void {
    this.handlers.add(handler);
    return () => void this.handlers.delete(handler);
  }

  open(): Promise<void> {
    if (!this.isClosed) return this.opening ?? Promise.resolve();
    this.isClosed = false;
    const { clock, log, backup } = this.options;
    standingOf(clock);
    this.timers = [clock.every(TIDY_MS, () => void this.tidy()), clock.every(LOOK_MS, () => this.look())];
    if (backup) this.daily = new DailyBackup(this.file, backup, clock, log, () => this.backup());
    return this.tryToOpen();
  }

  now(): number {
    return this.options.clock.now();
  }

  async write<T>(bytes: number, work: (sql: Sqlite) => T): Promise<T> {
    await this.opening;
    return this.queue.add(bytes, work);
  }

  async count<T>(changes: number, bytes: number, work: (sql: Sqlite) => T): Promise<T> {
    const { result, done } = await this.write(bytes, (sql) => ({
      result: work(sql),
      done: countChanges(sql, changes),
    }));
    try {
      this.opened?.tally.write(done);
    } catch (thrown) {
      throw this.fail(thrown);
    }
    return result;
  }

  async read<T>(work: (sql: Sqlite) => T): Promise<T> {
    await this.opening;
    const sql = this.session();
    try {
      return work(sql);
    } catch (thrown) {
      if (thrown instanceof TelephonyError) throw thrown;
      // A question that cannot be carried out says nothing of the file.
      throw thrown instanceof SqlError && thrown.kind === 'other' ? fileError(this.file, thrown) : this.fail(thrown);
    }
  }

  async stats(): Promise<StoreStats> {
    const count = (sql: Sqlite, state: number): number =>
      Number(sql.value(`SELECT count(*) FROM outbox WHERE state = ${state}`));
    return this.read((sql) => ({
      bytes: bytesOf(this.file),
      calls: rowsIn(sql, 'calls'),
      waiting: count(sql, 0),
      dead: count(sql, 1),
      orders: openOrders(sql),
    }));
  }

  backup(file = join(backupFolder(this.file), backupName(this.file, this.now()))): Promise<string> {
    // One at a time: the second would let the file move under the first.
    const copy = this.copying
      .then(() => this.read(() => undefined))
      .then(() => copyStore(this.file, file, () => this.holdStill()));
    this.copying = copy.catch(() => undefined);
    return copy;
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const timer of [...this.timers, this.retry]) timer?.cancel();
    this.daily?.stop();
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => (timer = this.options.clock.after(CLOSE_WITHIN_MS, resolve)));
    await Promise.race([this.settle(), late]);
    timer?.cancel();
    this.shut();
    this.queue.rejectAll(storeError('STORE_CLOSED', { file: this.file }));
    this.tell({ status: 'closed' });
  }

  private async settle(): Promise<void> {
    await this.opening;
    await this.copying;
    while (!this.queue.isEmpty) await new Promise((resolve) => setImmediate(resolve));
  }

  /** The open file; throws the reason why there is none. */
  private session(): Sqlite {
    if (!this.opened) {
      throw this.state.status === 'failed' ? this.state.error : storeError('STORE_CLOSED', { file: this.file });
    }
    // Without the file its record is often gone too, and that is not what to tell.
    if (!isInPlace(this.file, this.opened.held)) throw this.fail(storeError('STORE_REPLACED', { file: this.file }));
    if (!this.opened.owner.isStillOwner()) throw this.fail(storeError('STORE_TAKEN', { file: this.file }));
    return this.opened.sql;
  }

  private look(): void {
    if (!this.opened) return;
    try {
      this.session();
    } catch {
      // The state tells it.
    }
  }

  private tryToOpen(): Promise<void> {
    this.opening ??= this.openOnce().finally(() => (this.opening = undefined));
    return this.opening;
  }

  private async openOnce(): Promise<void> {
    const { clock } = this.options;
    const mayBeginAnew = clock.monotonic() - this.setAsideAt > BROKEN_AGAIN_MS;
    try {
      const date = new Date(clock.now()).toISOString();
      const opened = await openFile(this.file, { date, mayBeginAnew, ...(this.damage && { damage: this.damage }) });
      this.opened = opened;
      this.damage = undefined;
      if (opened.note) {
        if (opened.note.code === 'STORE_WAS_BROKEN') this.setAsideAt = clock.monotonic();
        this.note = opened.note;
      }
      if (this.isClosed) this.shut();
      else this.tell({ status: 'open', ...(this.note && { note: this.note }) });
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  /**
   * The file cannot be used: it is closed, everybody hears why, and it is tried again by itself. Not so when somebody took it away:
   * a file that is just being copied into its place must not be opened, nor an empty one be made there.
   */
  private fail(thrown: unknown): TelephonyError {
    const error = fileError(this.file, thrown);
    if (thrown instanceof SqlError && thrown.kind === 'data') this.damage = thrown;
    this.shut();
    if (this.isClosed) return error;
    this.tell({ status: 'failed', error });
    this.retry?.cancel();
    if (error.code === 'STORE_REPLACED') return error;
    this.retry = this.options.clock.after(RETRY_MS, () => void this.tryToOpen());
    return error;
  }

  private shut(): void {
    this.opened?.sql.close();
    this.opened?.held.close();
    this.opened?.tally.close();
    this.opened?.owner.release();
    this.opened = undefined;
  }

  private tell(state: StoreState): void {
    const words = (each: StoreState): string =>
      `${each.status} ${(each.status === 'failed' ? each.error : each.status === 'open' ? each.note : undefined)?.message ?? ''}`;
    const isNews = words(state) !== words(this.state);
    this.state = state;
    if (!isNews) return;
    if (state.status === 'failed') this.options.log.warn(state.error);
    else if (state.status === 'open' && state.note) this.options.log.warn(state.note);
    for (const handler of this.handlers) handler(state);
  }

  private async tidy(): Promise<void> {
    const isOpen = (): boolean => this.state.status === 'open';
    if (this.tidying || !isOpen()) return;
    this.tidying = true;
    try {
      const { clock, retention } = this.options;
      const { maxBytes } = retention;
      const { sinceJump } = standingOf(clock);
      const { isOverSize } = await tidy(this, retention, sinceJump >= TRUSTED_MS ? clock.now() : undefined);
      const wasOver = this.note?.code === 'STORE_OVER_SIZE';
      if (isOverSize === wasOver || (isOverSize && this.note)) return;
      const mib = Math.round(maxBytes / 1024 / 1024);
      this.note = isOverSize ? storeError('STORE_OVER_SIZE', { file: this.file, mib }) : undefined;
      this.tell({ status: 'open', ...(this.note && { note: this.note }) });
    } catch (thrown) {
      // When the store failed, its state tells it. It is tried again with the next round.
      if (isOpen()) this.options.log.warn(asError(thrown).message);
    } finally {
      this.tidying = false;
    }
  }

  /**
   * Moves the log into the file and keeps that from happening again until the returned function is called, which tells whether the
   * file stood still all the time: it does not when it was closed meanwhile.
   */
  private async holdStill(): Promise<() => boolean> {
    const held = await this.read((sql) => {
      sql.exec('PRAGMA wal_autocheckpoint = 0');
      sql.all('PRAGMA wal_checkpoint(TRUNCATE)');
      return sql;
    });
    return () => {
      if (this.opened?.sql !== held) return false;
      held.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
      return true;
    };
  }
}

/** A store that is not shared; the nodes of one process that use the same file take `shareStore` instead. */
export function createStore(options: StoreOptions): Store {
  return new SqliteStore(options);
}
