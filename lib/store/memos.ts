import type { Access } from './access';
import { checkBytes, checkText } from './values';
import type { MemoTable } from './types';

const MAX_VALUE = 8 * 1024;

/** Small facts with an expiry. Those that expired are not given any more, and are deleted with the next tidying. */
export class Memos implements MemoTable {
  constructor(private readonly access: Access) {}

  get(scope: string, key: string): Promise<string | undefined> {
    return this.access.read((sql) => {
      const value = sql.value('SELECT value FROM memos WHERE scope = ? AND key = ? AND until > ?', [
        scope,
        key,
        this.access.now(),
      ]);
      return typeof value === 'string' ? value : undefined;
    });
  }

  async set(scope: string, key: string, value: string, keepMs: number): Promise<void> {
    checkText('scope', scope);
    checkText('key', key);
    checkBytes('memo', value, MAX_VALUE);
    await this.access.write(value.length, (sql) =>
      sql.run('INSERT OR REPLACE INTO memos (scope, key, value, until) VALUES (?, ?, ?, ?)', [
        scope,
        key,
        value,
        Math.round(this.access.now() + keepMs),
      ]),
    );
  }
}
