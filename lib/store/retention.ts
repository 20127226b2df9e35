import type { Access } from './access';
import { deleteOldest } from './calls';
import { deleteOldFacts } from './queue-facts';
import { rowsIn } from './schema';
import type { Sqlite } from './sqlite';

/** How much of the history is kept. */
export interface Retention {
  /** Calls that began longer ago are deleted; 0 = never. */
  readonly days: number;
  /** Above it the oldest calls are deleted. What waits for delivery, or to be dialled, never is. */
  readonly maxBytes: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** A delivered eventId is known for so long, and at most so many are. */
const DELIVERED_MS = 7 * DAY_MS;
const MAX_DELIVERED = 500_000;
/** An order whose outcome was told is known by its key for so long, and at most so many are. */
const TOLD_MS = 30 * DAY_MS;
const MAX_TOLD = 500_000;
/** Those that expire first go first. */
const MAX_MEMOS = 100_000;
/** Calls that nobody has taken up since belong to a PBX that is gone. */
const LIVE_MS = 7 * DAY_MS;

/** Rows or pages of one step: it holds the event loop for a few ms. */
const ROWS = 200;
const PAGES = 100;
/** The share of free pages from which the file is made smaller; below, what comes fills them again. */
const FREE_SHARE = 0.25;

function pagesOf(sql: Sqlite): { readonly used: number; readonly free: number; readonly size: number } {
  const number = (name: string): number => Number(sql.value(`PRAGMA ${name}`));
  const free = number('freelist_count');
  return { used: number('page_count') - free, free, size: number('page_size') };
}

const isOver = (sql: Sqlite, maxBytes: number): boolean => {
  const { used, size } = pagesOf(sql);
  return used * size > maxBytes;
};

/** For lack of room the statistics go as far back as the calls. */
const factsWithoutCalls = (sql: Sqlite): number =>
  deleteOldFacts(sql, ROWS, Number(sql.value('SELECT min(started_at) FROM calls') ?? Number.MAX_SAFE_INTEGER));

function shrink(sql: Sqlite): number {
  const { used, free } = pagesOf(sql);
  if (free < PAGES || free < (used + free) * FREE_SHARE) return 0;
  sql.all(`PRAGMA incremental_vacuum(${PAGES})`);
  return PAGES;
}

/** Tidying, as steps that are repeated until they find nothing more: each gives how much it took away. */
function stepsOf(sql: Sqlite, { days, maxBytes }: Retention, now: number): ((sql: Sqlite) => number)[] {
  // When so many are newer, it is forgotten, whatever its age.
  const bound = (table: string, keep: number): number =>
    Number(sql.value(`SELECT at FROM (${table} ORDER BY at DESC LIMIT 1 OFFSET ${keep})`) ?? 0);
  const delivered = 'SELECT changed_at AS at FROM outbox WHERE state = 2';
  const forgetDelivered = Math.max(now - DELIVERED_MS, bound(delivered, MAX_DELIVERED));
  const told = 'SELECT ended_at AS at FROM orders WHERE state = 3';
  const forgetTold = Math.max(now - TOLD_MS, bound(told, MAX_TOLD));
  const forgetMemos = Math.max(now, bound('SELECT until AS at FROM memos', MAX_MEMOS));
  return [
    (db) => (days > 0 ? deleteOldest(db, ROWS, now - days * DAY_MS) : 0),
    (db) => (days > 0 ? deleteOldFacts(db, ROWS, now - days * DAY_MS) : 0),
    (db) => (isOver(db, maxBytes) ? deleteOldest(db, ROWS) + factsWithoutCalls(db) : 0),
    (db) =>
      db.run(
        `DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE state = 2 AND changed_at <= ? LIMIT ${ROWS})`,
        [forgetDelivered],
      ),
    (db) =>
      db.run(`DELETE FROM orders WHERE id IN (SELECT id FROM orders WHERE state = 3 AND ended_at <= ? LIMIT ${ROWS})`, [
        forgetTold,
      ]),
    (db) =>
      db.run(`DELETE FROM memos WHERE (scope, key) IN (SELECT scope, key FROM memos WHERE until <= ? LIMIT ${ROWS})`, [
        forgetMemos,
      ]),
    (db) =>
      db.run(
        `DELETE FROM live_calls WHERE (pbx, call_id) IN (SELECT pbx, call_id FROM live_calls WHERE saved_at < ? LIMIT ${ROWS})`,
        [now - LIVE_MS],
      ),
    shrink,
  ];
}

/**
 * Deletes what is past its time at `now`, in small writes among those of others; without `now` only what is too much. Resolves with
 * whether the file is still over its size, with no call left to delete; rejects as the writes do.
 */
export async function tidy(
  access: Access,
  retention: Retention,
  now: number | undefined,
): Promise<{ readonly isOverSize: boolean }> {
  // At the beginning of time nothing is old.
  const steps = await access.read((sql) => stepsOf(sql, retention, now ?? 0));
  for (const step of steps) {
    while ((await access.write(0, step)) > 0);
  }
  return access.read((sql) => ({ isOverSize: isOver(sql, retention.maxBytes) && rowsIn(sql, 'calls') === 0 }));
}
