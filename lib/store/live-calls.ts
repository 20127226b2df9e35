import type { Access } from './access';
import { chunks } from './access';
import { checkBytes, checkText } from './values';
import type { LiveCallTable } from './types';

const MAX_STATE = 256 * 1024;
const MAX_CALLS = 20_000;
const CHUNK = 200;

/** See {@link LiveCallTable}. Of one key `load` gives 20 000 calls at most: no more are followed at a time. */
export class LiveCalls implements LiveCallTable {
  constructor(private readonly access: Access) {}

  async save(
    pbx: string,
    changed: readonly { readonly callId: string; readonly state: string }[],
    forgotten: readonly string[],
  ): Promise<void> {
    checkText('pbx', pbx);
    for (const { callId, state } of changed) {
      checkText('callId', callId);
      checkBytes('state', state, MAX_STATE);
    }
    const saved = chunks(changed, CHUNK).map((part) =>
      this.access.write(
        part.reduce((sum, { state }) => sum + state.length, 0),
        (sql) => {
          for (const { callId, state } of part) {
            sql.run('INSERT OR REPLACE INTO live_calls (pbx, call_id, state, saved_at) VALUES (?, ?, ?, ?)', [
              pbx,
              callId,
              state,
              this.access.now(),
            ]);
          }
        },
      ),
    );
    const removed = chunks(forgotten, CHUNK).map((part) =>
      this.access.write(0, (sql) => {
        for (const callId of part) sql.run('DELETE FROM live_calls WHERE pbx = ? AND call_id = ?', [pbx, callId]);
      }),
    );
    await Promise.all([...saved, ...removed]);
  }

  load(pbx: string): Promise<{ readonly callId: string; readonly state: string; readonly savedAt: number }[]> {
    return this.access.read((sql) =>
      sql
        .all(`SELECT call_id, state, saved_at FROM live_calls WHERE pbx = ? LIMIT ${MAX_CALLS}`, [pbx])
        .map((row) => ({ callId: String(row.call_id), state: String(row.state), savedAt: Number(row.saved_at) })),
    );
  }
}
