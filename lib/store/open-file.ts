import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { ftruncateSync, rmdirSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { asError, TelephonyError } from '../errors';
import { storeError } from './errors';
import { HeldFiles } from './held-files';
import { Owner } from './owner';
import { APPLICATION_ID, migrate, SCHEMA_VERSION } from './schema';
import { SqlError, Sqlite } from './sqlite';
import { noteLoss, Tally } from './tally';

/** An opened store file, and what there is to say of it. */
export interface OpenFile {
  readonly sql: Sqlite;
  readonly owner: Owner;
  /** The file and its log. */
  readonly held: HeldFiles;
  readonly tally: Tally;
  /** `STORE_WAS_BROKEN`: the old file was set aside. `STORE_RESTORED`, `STORE_BEGUN_ANEW`: it is not the one that was used last. */
  readonly note?: TelephonyError;
}

/** `PRAGMA quick_check` blocks the loop for about 2 ms per MiB: a larger file is not checked when it is opened. */
const CHECK_UP_TO_BYTES = 32 * 1024 * 1024;
const ROOM_BYTES = 256 * 1024;
const HEADER_BYTES = 100;

/** Pages of the write-ahead log after which it is written into the file (4 MiB), and the bytes it may keep after a burst. */
export const CHECKPOINT_PAGES = 1000;
const LOG_KEEPS_BYTES = 16 * 1024 * 1024;

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
const logOf = (file: string): string => `${file}-wal`;

/** Whether the file is still the one that was opened, and not emptied. */
export const isInPlace = (file: string, held: HeldFiles): boolean => held.areInPlace() && sizeOf(file) > 0;

/** Bytes on disk, with what is not yet moved from the log into the file. */
export const bytesOf = (file: string): number => sizeOf(file) + sizeOf(logOf(file));

/** What the file cannot tell of itself. */
export interface OpenOptions {
  /** ISO-8601, for the name of a file that is set aside. */
  readonly date: string;
  /** Whether a damaged file may be set aside. */
  readonly mayBeginAnew: boolean;
  /** What a read met in this file before: then it is damaged, however well it opens. */
  readonly damage?: SqlError;
}

/**
 * Opens the file, makes it when it is not there, and moves its schema on. Damaged, it is set aside and begun anew.
 * Throws a TelephonyError `STORE_…`; then nothing is left open.
 */
export async function openFile(file: string, options: OpenOptions): Promise<OpenFile> {
  let owner: Owner | undefined;
  try {
    // Calls are nobody else's business.
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    refuseNewer(file, SCHEMA_VERSION);
    owner = await Owner.acquire(file);
    checkRoom(file);
    // Its owner is gone: see owner.ts.
    if (existsSync(`${file}.lock`)) rmdirSync(`${file}.lock`);
    const opened = openOrBeginAnew(file, owner.afterCrash, options);
    const { sql } = opened;
    try {
      const tally = Tally.of(file);
      const loss = noteLoss(sql, tally.found);
      const code = loss === 'restored' ? 'STORE_RESTORED' : 'STORE_BEGUN_ANEW';
      const note = opened.note ?? (loss && storeError(code, { file }));
      return { owner, sql, tally, held: HeldFiles.open([file, logOf(file)]), ...(note && { note }) };
    } catch (thrown) {
      sql.close();
      throw thrown;
    }
  } catch (thrown) {
    owner?.release();
    throw thrown instanceof TelephonyError ? thrown : fileError(file, thrown);
  }
}

function openOrBeginAnew(file: string, check: boolean, options: OpenOptions): Pick<OpenFile, 'sql' | 'note'> {
  try {
    // The library would take it for a new file, and throw the log away.
    if (sizeOf(file) === 0 && sizeOf(logOf(file)) > 0) throw new SqlError('the file is empty: malformed');
    if (options.damage) throw options.damage;
    return { sql: openWhole(file, check) };
  } catch (thrown) {
    if (!(thrown instanceof SqlError && thrown.kind === 'data')) throw thrown;
    if (!options.mayBeginAnew) throw storeError('STORE_BROKEN', { file, reason: thrown.message }, thrown);
    // A process that is killed before the new file knows what it has lost finds it by this.
    markUsed(file);
    const aside = setAside(file, options.date);
    return {
      sql: openWhole(file, false),
      note: storeError('STORE_WAS_BROKEN', { file, aside, reason: thrown.message }),
    };
  }
}

function openWhole(file: string, check: boolean): Sqlite {
  // Calls are nobody else's business; the library would let everybody read.
  for (const path of [file, logOf(file)]) closeSync(openSync(path, 'a', 0o600));
  const sql = Sqlite.open(file);
  try {
    expect(file, 'locking_mode', sql.value('PRAGMA locking_mode = EXCLUSIVE'), 'exclusive');
    sql.exec('PRAGMA auto_vacuum = INCREMENTAL');
    expect(file, 'journal_mode', sql.value('PRAGMA journal_mode = WAL'), 'wal');
    sql.exec('PRAGMA synchronous = FULL');
    expect(file, 'synchronous', sql.value('PRAGMA synchronous'), 2);
    sql.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA journal_size_limit = ${LOG_KEEPS_BYTES};
              PRAGMA cache_size = -16384`);
    const version = Number(sql.value('PRAGMA user_version'));
    if (version > SCHEMA_VERSION) throw newer(file, version);
    if (
      sql.value('PRAGMA application_id') !== APPLICATION_ID &&
      Number(sql.value('SELECT count(*) FROM sqlite_schema')) > 0
    ) {
      throw storeError('STORE_NOT_OURS', { file });
    }
    if (check && sizeOf(file) <= CHECK_UP_TO_BYTES) {
      const found = sql.value('PRAGMA quick_check(1)');
      if (found !== 'ok') throw new SqlError(`malformed: ${String(found)}`);
    }
    migrate(sql);
    return sql;
  } catch (thrown) {
    sql.close();
    throw thrown;
  }
}

function expect(file: string, name: string, answer: unknown, wanted: string | number): void {
  if (answer !== wanted) throw storeError('STORE_UNSAFE', { file, reason: `${name} is ${String(answer)}` });
}

const newer = (file: string, found: number): TelephonyError =>
  storeError('STORE_NEWER', { file, found, known: SCHEMA_VERSION });

/** Looks into the header before anything opens the file: one that is not ours to change stays as it is, byte by byte. */
function refuseNewer(file: string, known: number): void {
  if (sizeOf(file) < HEADER_BYTES) return;
  const header = Buffer.alloc(HEADER_BYTES);
  const handle = openSync(file, 'r');
  try {
    readSync(handle, header, 0, HEADER_BYTES, 0);
  } finally {
    closeSync(handle);
  }
  if (header.toString('latin1', 0, 15) !== 'SQLite format 3') return;
  const id = header.readUInt32BE(68);
  const version = header.readUInt32BE(60);
  if (id === APPLICATION_ID && version > known) throw newer(file, version);
  if (id !== APPLICATION_ID && (id !== 0 || version !== 0)) throw storeError('STORE_NOT_OURS', { file });
}

function markUsed(file: string): void {
  const tally = Tally.of(file);
  try {
    tally.write(1);
  } finally {
    tally.close();
  }
}

function setAside(file: string, date: string): string {
  const stamp = date.replace(/[:.]/g, '-');
  let aside = `${file}.broken-${stamp}`;
  for (let copy = 2; existsSync(aside); copy += 1) aside = `${file}.broken-${stamp}-${copy}`;
  renameSync(file, aside);
  for (const end of ['-wal', '-journal']) if (existsSync(file + end)) renameSync(file + end, aside + end);
  return aside;
}

/**
 * Whether the folder takes some more bytes, and the file may grow. The library tells every failure to write as "disk I/O
 * error", so the reason is found by writing here.
 */
function checkRoom(file: string): void {
  const path = `${file}.room`;
  try {
    const handle = openSync(path, 'w', 0o600);
    try {
      // The log starts beside a file of that size; a limit of file sizes or a quota shows without using the space.
      ftruncateSync(handle, Math.max(sizeOf(file), sizeOf(logOf(file))) + ROOM_BYTES);
      writeSync(handle, Buffer.alloc(ROOM_BYTES, 1));
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  } finally {
    rmSync(path, { force: true });
  }
}

const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];
const UNWRITABLE = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ENOENT', 'EEXIST', 'ELOOP', 'ENAMETOOLONG'];

/** What a failure of the file means for people. */
export function fileError(file: string, thrown: unknown): TelephonyError {
  if (thrown instanceof TelephonyError) return thrown;
  const error = asError(thrown);
  const reason = error instanceof SqlError ? error.message : ((error as NodeJS.ErrnoException).code ?? error.message);
  if (error instanceof SqlError && error.kind === 'disk') {
    try {
      checkRoom(file);
    } catch (found) {
      return fileError(file, found);
    }
    return storeError('STORE_IO', { file, reason }, error);
  }
  if (error instanceof SqlError && error.kind === 'data') return storeError('STORE_BROKEN', { file, reason }, error);
  const code = FULL.includes(reason) ? 'STORE_FULL' : UNWRITABLE.includes(reason) ? 'STORE_UNWRITABLE' : 'STORE_FAILED';
  return storeError(code, { file, reason: reason.slice(0, 200) }, error);
}
