import type { RecordPayload } from '../messages/types';
import type { Access } from './access';
import { chunks } from './access';
import { callRow } from './call-rows';
import type { CallRow } from './call-rows';
import { findCalls } from './find-calls';
import { addRows } from './schema';
import type { Row, Sqlite } from './sqlite';
import type { CallPage, CallQuery, CallTable, Place, Slice, UnansweredCall, UnansweredQuery } from './types';
import { unansweredCalls } from './unanswered-calls';

const CHUNK = 50;

/** The records of calls that are over: one row for each call of a PBX, its latest record, and who took part in a table of its own. */
export class Calls implements CallTable {
  constructor(private readonly access: Access) {}

  async put(records: readonly RecordPayload[]): Promise<void> {
    const parts = chunks(records.map(callRow), CHUNK);
    await Promise.all(
      parts.map((part) =>
        this.access.write(
          part.reduce((sum, { body }) => sum + body.length, 0),
          (sql) => part.forEach((row) => putCall(sql, row)),
        ),
      ),
    );
  }

  find(query: CallQuery): Promise<CallPage> {
    return findCalls(this.access, query);
  }

  unanswered(query: UnansweredQuery, after?: Place): Promise<Slice<UnansweredCall>> {
    return this.access.read((sql) => unansweredCalls(sql, query, after));
  }
}

function putCall(sql: Sqlite, row: CallRow): void {
  const { callId, pbx, startedAt, kind, queue, participants, body } = row;
  const [known] = sql.all('SELECT id, started_at, participants FROM calls WHERE call_id = ? AND pbx = ?', [
    callId,
    pbx,
  ]);
  const values = [startedAt, kind, queue, JSON.stringify(participants), body];
  let id: number;
  if (known) {
    id = Number(known.id);
    removeParticipants(sql, known);
    sql.run('UPDATE calls SET started_at = ?, kind = ?, queue = ?, participants = ?, body = ? WHERE id = ?', [
      ...values,
      id,
    ]);
  } else {
    sql.run(
      'INSERT INTO calls (started_at, kind, queue, participants, body, call_id, pbx) VALUES (?, ?, ?, ?, ?, ?, ?)',
      [...values, callId, pbx],
    );
    id = sql.lastId();
    addRows(sql, 'calls', 1);
  }
  for (const value of participants) {
    sql.run('INSERT INTO participants (value, started_at, id, kind) VALUES (?, ?, ?, ?)', [value, startedAt, id, kind]);
  }
}

function removeParticipants(sql: Sqlite, { id, started_at, participants }: Row): void {
  for (const value of JSON.parse(String(participants)) as string[]) {
    sql.run('DELETE FROM participants WHERE value = ? AND started_at = ? AND id = ?', [
      value,
      started_at ?? 0,
      id ?? 0,
    ]);
  }
}

/** Deletes the oldest calls, those before `before` (wall-clock ms) at most; gives how many. */
export function deleteOldest(sql: Sqlite, limit: number, before = Number.MAX_SAFE_INTEGER): number {
  const rows = sql.all(
    'SELECT id, started_at, participants FROM calls WHERE started_at < ? ORDER BY started_at, id LIMIT ?',
    [before, limit],
  );
  for (const row of rows) {
    removeParticipants(sql, row);
    sql.run('DELETE FROM calls WHERE id = ?', [row.id ?? 0]);
  }
  addRows(sql, 'calls', -rows.length);
  return rows.length;
}
