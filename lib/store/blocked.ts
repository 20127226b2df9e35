import type { Access } from './access';
import { chunks } from './access';
import { storeError } from './errors';
import { addRows, rowsIn } from './schema';
import type { Sqlite } from './sqlite';
import type { BlockedNumbers } from './types';
import { checkBytes, checkMs } from './values';

const MAX_NUMBERS = 1_000_000;
const MAX_REASON = 512;
const CHUNK = 250;

/** A number in another form would be on the list and never be found there. */
const E164 = /^\+\d{3,17}$/;

export class Blocked implements BlockedNumbers {
  constructor(
    private readonly access: Access,
    private readonly limit = MAX_NUMBERS,
  ) {}

  async add(numbers: readonly string[], at: number, reason?: string): Promise<number> {
    for (const number of numbers) {
      if (!E164.test(number)) throw storeError('STORE_BAD_VALUE', { what: 'number' });
    }
    checkMs('at', at);
    if (reason !== undefined) checkBytes('reason', reason, MAX_REASON);
    return this.change(numbers, (sql, part) => {
      let added = 0;
      for (const number of part) {
        added += sql.run('INSERT OR IGNORE INTO blocked_numbers (number, at, reason) VALUES (?, ?, ?)', [
          number,
          at,
          reason ?? null,
        ]);
      }
      addRows(sql, 'blocked', added);
      if (added > 0 && rowsIn(sql, 'blocked') > this.limit) {
        throw storeError('STORE_BLOCKED_FULL', { file: this.access.file, limit: this.limit });
      }
      return added;
    });
  }

  remove(numbers: readonly string[]): Promise<number> {
    return this.change(numbers, (sql, part) => {
      let removed = 0;
      for (const number of part) removed += sql.run('DELETE FROM blocked_numbers WHERE number = ?', [number]);
      addRows(sql, 'blocked', -removed);
      return removed;
    });
  }

  async among(numbers: readonly string[]): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    for (const part of chunks(numbers, CHUNK)) {
      const rows = await this.access.read((sql) =>
        sql.all('SELECT number FROM blocked_numbers WHERE number IN (SELECT value FROM json_each(?))', [
          JSON.stringify(part),
        ]),
      );
      for (const row of rows) found.add(String(row.number));
    }
    return found;
  }

  list(
    limit: number,
    after = '',
  ): Promise<{ readonly number: string; readonly at: number; readonly reason?: string }[]> {
    return this.access.read((sql) =>
      sql
        .all('SELECT * FROM blocked_numbers WHERE number > ? ORDER BY number LIMIT ?', [after, limit])
        .map(({ number, at, reason }) => ({
          number: String(number),
          at: Number(at),
          ...(typeof reason === 'string' && { reason }),
        })),
    );
  }

  count(): Promise<number> {
    return this.access.read((sql) => rowsIn(sql, 'blocked'));
  }

  /** @returns how many rows changed in all */
  private async change(
    numbers: readonly string[],
    work: (sql: Sqlite, numbers: readonly string[]) => number,
  ): Promise<number> {
    const changed = chunks(numbers, CHUNK).map((part) => this.access.count(1, 0, (sql) => work(sql, part)));
    return (await Promise.all(changed)).reduce((sum, each) => sum + each, 0);
  }
}
