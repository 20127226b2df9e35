import { TelephonyError } from '../errors';
import type { Access } from './access';
import { chunks } from './access';
import { checkBytes, checkText } from './values';
import type { LiveCall, LiveCallTable, UnkeptCall } from './types';

/**
 * What a call at the bounds of lib/calls needs (CALL_BOUNDS: 500 channels of up to 12 texts of 256 characters, 50 CDRs of 40 fields), so
 * that only text of several bytes a character in all of them is too large.
 */
const MAX_STATE = 4 * 1024 * 1024;
const MAX_CALLS = 20_000;
const CHUNK = 200;

/** Why this one call can never be kept; `undefined` when it can. */
function faultOf({ callId, state }: LiveCall): TelephonyError | undefined {
  try {
    checkText('callId', callId);
    checkBytes('state', state, MAX_STATE);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof TelephonyError) return thrown;
    throw thrown;
  }
}

/** The table of the calls that are not over: one row for each, its newest state. */
export class LiveCalls implements LiveCallTable {
  constructor(private readonly access: Access) {}

  async save(key: string, changed: readonly LiveCall[], forgotten: readonly string[]): Promise<readonly UnkeptCall[]> {
    checkText('key', key);
    const unkept = new Map<LiveCall, UnkeptCall>();
    for (const call of changed) {
      const error = faultOf(call);
      if (error) unkept.set(call, { callId: call.callId, error });
    }
    const fit = changed.filter((call) => !unkept.has(call));
    const saved = chunks(fit, CHUNK).map((part) =>
      this.access.write(
        part.reduce((sum, { state }) => sum + state.length, 0),
        (sql) => {
          for (const { callId, state } of part) {
            sql.run('INSERT OR REPLACE INTO live_calls (pbx, call_id, state, saved_at) VALUES (?, ?, ?, ?)', [
              key,
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
        for (const callId of part) sql.run('DELETE FROM live_calls WHERE pbx = ? AND call_id = ?', [key, callId]);
      }),
    );
    await Promise.all([...saved, ...removed]);
    return [...unkept.values()];
  }

  load(key: string): Promise<(LiveCall & { readonly savedAt: number })[]> {
    return this.access.read((sql) =>
      sql
        .all(`SELECT call_id, state, saved_at FROM live_calls WHERE pbx = ? LIMIT ${MAX_CALLS}`, [key])
        .map((row) => ({ callId: String(row.call_id), state: String(row.state), savedAt: Number(row.saved_at) })),
    );
  }
}
