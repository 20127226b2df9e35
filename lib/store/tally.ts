import { closeSync, constants, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';
import type { Sqlite } from './sqlite';
import type { StoreLoss } from './types';

/*
 * Whether the file is the one that was used last. Every change of orders or of the do-not-call list is counted in the file itself, in the
 * same transaction, and then in a small file beside it, before anybody hears that the change is done. A file that is older than the one
 * beside it was restored from a copy, or begun anew. A process that is killed leaves the one beside it behind, never ahead: the file is
 * on disk first.
 */

const WORDS = /^telephony-crm (\d{16})\n/;
const BYTES = 'telephony-crm '.length + 16 + 1;
/** A power cut costs the number beside the file so much of what it counted, ms; the end of a process costs nothing. */
const SYNC_EVERY_MS = 1000;

/** The number beside a store file. It is made with the first change that is counted. */
export class Tally {
  private handle: number | undefined;
  private written: number;
  private syncedAt = -Infinity;

  private constructor(
    private readonly path: string,
    /** What stood there when it was opened; 0: nothing, or nothing that can be read. */
    readonly found: number,
  ) {
    this.written = found;
  }

  /** Throws what the filesystem throws. */
  static of(file: string): Tally {
    const path = `${file}.tally`;
    return new Tally(path, readNumber(path));
  }

  /** In place, so that it needs no room and is there whole or not at all; of two numbers the higher one stays. */
  write(done: number): void {
    if (done <= this.written) return;
    this.handle ??= openSync(this.path, constants.O_RDWR | constants.O_CREAT, 0o600);
    writeSync(this.handle, Buffer.from(`telephony-crm ${String(done).padStart(16, '0')}\n`), 0, BYTES, 0);
    this.written = done;
    if (performance.now() - this.syncedAt < SYNC_EVERY_MS) return;
    fdatasyncSync(this.handle);
    this.syncedAt = performance.now();
  }

  close(): void {
    if (this.handle !== undefined) closeSync(this.handle);
    this.handle = undefined;
  }
}

function readNumber(path: string): number {
  let handle: number;
  try {
    handle = openSync(path, 'r');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw thrown;
  }
  try {
    const bytes = Buffer.alloc(BYTES);
    readSync(handle, bytes, 0, BYTES, 0);
    return Number(WORDS.exec(bytes.toString('latin1'))?.[1] ?? 0);
  } finally {
    closeSync(handle);
  }
}

/** Counts changes, inside the transaction that makes them; gives how many there were in all. */
export function countChanges(sql: Sqlite, changes: number): number {
  return Number(sql.value('UPDATE tally SET done = done + ? RETURNING done', [changes]));
}

/**
 * Compares a file that was just opened with the number beside it. What is missing is noted in the file until each queue is resumed; from then
 * on its orders have numbers, and its channels names, that were never given before.
 */
export function noteLoss(sql: Sqlite, beside: number): StoreLoss | undefined {
  const done = Number(sql.value('SELECT done FROM tally'));
  if (beside <= done) return undefined;
  const loss: StoreLoss = done === 0 ? 'begun-anew' : 'restored';
  sql.exec(`
    BEGIN IMMEDIATE;
    INSERT INTO sqlite_sequence (name, seq) SELECT 'orders', 0
      WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'orders');
    UPDATE sqlite_sequence SET seq = seq + ${beside - done} WHERE name = 'orders';
    UPDATE store_name SET name = lower(hex(randomblob(4)));
    UPDATE tally SET done = ${beside}, loss = '${loss}', lost_at = ${beside};
    COMMIT`);
  return loss;
}

/** What the file has lost since this queue was resumed last. */
export function lossOf(sql: Sqlite, queue: string): StoreLoss | undefined {
  const loss = sql.value(
    `SELECT loss FROM tally
     WHERE loss IS NOT NULL AND NOT EXISTS (SELECT 1 FROM resumed_queues WHERE queue = ? AND resumed_at >= lost_at)`,
    [queue],
  );
  return loss === 'restored' || loss === 'begun-anew' ? loss : undefined;
}

/** Somebody has seen the loss, and lets the queue go on. */
export function forgiveLoss(sql: Sqlite, queue: string): void {
  sql.run(
    `INSERT INTO resumed_queues (queue, resumed_at) SELECT ?, lost_at FROM tally WHERE loss IS NOT NULL
     ON CONFLICT (queue) DO UPDATE SET resumed_at = excluded.resumed_at`,
    [queue],
  );
}
