import type { RecordPayload } from '../messages/types';
import type { Store, UnansweredCall } from '../store/types';
import { reportError } from './errors';
import { haveSeveral, MAX_ROWS } from './groups';
import { Spread } from './spread';
import type { Cell, Found, ReportQuery } from './types';
import { mapSlowly, walk } from './walk';

/** Calls of one client in which nobody talked with him, up to the one in which somebody did. */
interface Missed {
  readonly first: RecordPayload;
  last: RecordPayload;
  calls: number;
  readonly talk?: RecordPayload;
}

const startOf = ({ startedAt }: RecordPayload): number => Date.parse(startedAt);

/** From the first of the missed calls to the beginning of the conversation. */
function secondsUntil({ first, talk }: Missed): number | undefined {
  if (!talk) return undefined;
  const talked = Date.parse(talk.answeredAt ?? talk.startedAt);
  return Math.max(0, Math.round((talked - startOf(first)) / 1000));
}

/** Calls without a number stand each for itself, as do calls of different clients that one talk followed. */
const keyOf = ({ call, client, talk }: UnansweredCall): string =>
  JSON.stringify(client === undefined ? [call.pbx, call.callId] : [client, talk?.pbx, talk?.callId]);

const COLUMNS = [
  'number',
  'name',
  'calls',
  'firstAt',
  'lastAt',
  'result',
  'queue',
  'line',
  'isOpen',
  'talkedAt',
  'talkedBy',
  'talkedWay',
  'afterSeconds',
] as const;

function rowOf(missed: Missed): Readonly<Record<(typeof COLUMNS)[number], Cell>> {
  const { first, last, calls, talk } = missed;
  return {
    number: last.client?.e164 ?? last.client?.number,
    name: last.client?.name,
    calls,
    firstAt: first.startedAt,
    lastAt: last.startedAt,
    result: last.result,
    queue: last.queue?.id,
    line: last.line?.number,
    isOpen: talk === undefined,
    talkedAt: talk?.answeredAt ?? talk?.startedAt,
    talkedBy: talk?.talked.at(0),
    talkedWay: talk?.direction,
    afterSeconds: secondsUntil(missed),
  };
}

/**
 * The clients with whom nobody talked when they called: one row for each until somebody talks with him, in a call out or in. Also a
 * talk after the end of the report counts, one in a call that was on already, and one by another PBX: who called back is all the same to the client. The row tells the PBX
 * of his last call.
 */
export async function missedRows(store: Store, { from, to, pbx, queues }: ReportQuery): Promise<Found> {
  const found = new Map<string, Missed>();
  const question = { from, to, ...(pbx === undefined ? {} : { pbx }), ...(queues ? { queues } : {}) };
  for await (const each of walk((after) => store.calls.unanswered(question, after))) {
    const { call, talk } = each;
    const key = keyOf(each);
    const known = found.get(key);
    if (known) {
      known.last = call;
      known.calls += 1;
      continue;
    }
    if (found.size >= MAX_ROWS) throw reportError('REPORT_TOO_LARGE', { limit: MAX_ROWS });
    found.set(key, { first: call, last: call, calls: 1, ...(talk ? { talk } : {}) });
  }
  const all = [...found.values()];
  const after = new Spread();
  for (const missed of all) {
    const seconds = secondsUntil(missed);
    if (seconds !== undefined) after.add(seconds);
  }
  const withPbx = haveSeveral(all.map(({ last }) => last.pbx));
  return {
    columns: [...COLUMNS, ...(withPbx ? ['pbx'] : [])],
    rows: await mapSlowly(all, (missed) => ({ ...rowOf(missed), ...(withPbx ? { pbx: missed.last.pbx } : {}) })),
    total: {
      calls: all.reduce((sum, { calls }) => sum + calls, 0),
      clients: all.length,
      open: all.length - after.count,
      talked: after.count,
      afterMeanSeconds: after.mean,
      afterP95Seconds: after.p95,
      afterLongestSeconds: after.longest,
    },
  };
}
