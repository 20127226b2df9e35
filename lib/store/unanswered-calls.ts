import type { CallResult, RecordPayload } from '../messages/types';
import { clientKey, kindsOf } from './call-rows';
import type { Row, Sqlite } from './sqlite';
import type { Place, Slice, UnansweredCall, UnansweredQuery } from './types';

const NOBODY_TALKED: readonly CallResult[] = ['missed', 'abandoned', 'voicemail'];
const KINDS = kindsOf(['in'], NOBODY_TALKED) ?? [];
const TALKS = kindsOf(['in', 'out'], ['answered']) ?? [];
/** Calls of one look: with the search for a talk it holds the event loop for some milliseconds, 20 at the worst. */
const SLICE = 20;
/** Answered calls of one client that are looked at for a person: most have one, those that a machine made do not. */
const MAX_TALKS = 50;
/** The same of those that began before: one that lasts longer is not looked for. */
const MAX_BEFORE = 10;
const LONGEST_MS = 12 * 60 * 60_000;

const bodyOf = ({ body }: Row): RecordPayload => JSON.parse(String(body)) as RecordPayload;

/** One look along the calls in which nobody talked, oldest first; conditions that are not in the index are asked row by row. */
export function unansweredCalls(sql: Sqlite, query: UnansweredQuery, after?: Place): Slice<UnansweredCall> {
  const { from, to, queues, pbx } = query;
  const { at, id } = after ?? { at: from, id: -1 };
  const branches = KINDS.map(
    () => `SELECT * FROM (SELECT started_at, id FROM calls WHERE kind = ? AND started_at < ? AND (started_at, id) > (?, ?)
             ORDER BY started_at, id LIMIT ${SLICE})`,
  );
  const places = sql.all(
    `SELECT * FROM (${branches.join(' UNION ALL ')}) ORDER BY started_at, id LIMIT ${SLICE}`,
    KINDS.flatMap((kind) => [kind, to, at, id]),
  );
  const rows: UnansweredCall[] = [];
  for (const place of places) {
    const [row] = sql.all('SELECT body, queue, pbx FROM calls WHERE id = ?', [place.id ?? 0]);
    if (!row || (pbx !== undefined && row.pbx !== pbx) || (queues && !queues.includes(String(row.queue)))) continue;
    const call = bodyOf(row);
    const client = clientKey(call);
    const talk = client === undefined ? undefined : talkAfter(sql, client, place);
    rows.push({ call, ...(client === undefined ? {} : { client }), ...(talk ? { talk } : {}) });
  }
  const last = places.length === SLICE ? places.at(-1) : undefined;
  return { rows, ...(last ? { next: { at: Number(last.started_at), id: Number(last.id) } } : {}) };
}

/** The first talk of one of ours with the client of this key that began, or was still on, after this call had begun. */
function talkAfter(sql: Sqlite, key: string, { started_at: at = 0, id = 0 }: Row): RecordPayload | undefined {
  const ofClient = `SELECT id FROM participants WHERE value = ? AND kind IN (${TALKS.join(', ')})`;
  const before = sql.all(
    `${ofClient} AND (started_at, id) < (?, ?) AND started_at > ? ORDER BY started_at DESC, id DESC LIMIT ${MAX_BEFORE}`,
    [key, at, id, Number(at) - LONGEST_MS],
  );
  const after = sql.all(`${ofClient} AND (started_at, id) > (?, ?) ORDER BY started_at, id LIMIT ${MAX_TALKS}`, [
    key,
    at,
    id,
  ]);
  const wasOn = firstTalk(sql, key, before, ({ startedAt, answeredAt, endedAt }) => {
    return Date.parse(endedAt ?? answeredAt ?? startedAt) > Number(at);
  });
  const later = firstTalk(sql, key, after, () => true);
  return wasOn && later ? (talkedAt(later) < talkedAt(wasOn) ? later : wasOn) : (wasOn ?? later);
}

const talkedAt = ({ answeredAt, startedAt }: RecordPayload): number => Date.parse(answeredAt ?? startedAt);

function firstTalk(
  sql: Sqlite,
  key: string,
  places: readonly Row[],
  fits: (talk: RecordPayload) => boolean,
): RecordPayload | undefined {
  for (const { id = 0 } of places) {
    const [row] = sql.all('SELECT body FROM calls WHERE id = ?', [id]);
    const talk = row && bodyOf(row);
    // The number may also be that of the line; and a machine that plays a message is nobody of ours.
    if (talk && clientKey(talk) === key && talk.talked.length > 0 && fits(talk)) return talk;
  }
  return undefined;
}
