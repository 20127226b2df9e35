import type { RecordPayload } from '../messages/types';
import type { Store, UnansweredCall } from '../store/types';
import { reportError } from './errors';
import { haveSeveral, MAX_ROWS } from './groups';
import { Spread } from './spread';
import type { Cell, Found, ReportQuery } from './types';
import { mapSlowly, walk } from './walk';

/** What a row tells of the last of its calls, and of the talk: whole records of so many would fill the memory. */
const lastOf = ({ pbx, client, startedAt, result, queue, line }: RecordPayload) => ({
  number: client?.e164 ?? client?.number,
  name: client?.name,
  lastAt: startedAt,
  result,
  queue: queue?.id,
  line: line?.number,
  pbx,
});
const talkOf = ({ startedAt, answeredAt, talked, direction }: RecordPayload) => ({
  at: answeredAt ?? startedAt,
  by: talked.at(0),
  way: direction,
});

/** Calls of one client in which nobody talked with him, up to the one in which somebody did. */
interface Missed {
  readonly firstAt: string;
  last: ReturnType<typeof lastOf>;
  calls: number;
  readonly talk?: ReturnType<typeof talkOf>;
}

/** From the first of the missed calls to the beginning of the conversation. */
function secondsUntil({ firstAt, talk }: Missed): number | undefined {
  if (!talk) return undefined;
  return Math.max(0, Math.round((Date.parse(talk.at) - Date.parse(firstAt)) / 1000));
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
  const { firstAt, last, calls, talk } = missed;
  return {
    number: last.number,
    name: last.name,
    calls,
    firstAt,
    lastAt: last.lastAt,
    result: last.result,
    queue: last.queue,
    line: last.line,
    isOpen: talk === undefined,
    talkedAt: talk?.at,
    talkedBy: talk?.by,
    talkedWay: talk?.way,
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
  for await (const slice of walk((after) => store.calls.unanswered(question, after))) {
    for (const each of slice) {
      const { call, talk } = each;
      const key = keyOf(each);
      const known = found.get(key);
      if (known) {
        known.last = lastOf(call);
        known.calls += 1;
        continue;
      }
      if (found.size >= MAX_ROWS) throw reportError('REPORT_TOO_LARGE', { limit: MAX_ROWS });
      const { startedAt: firstAt } = call;
      found.set(key, { firstAt, last: lastOf(call), calls: 1, ...(talk ? { talk: talkOf(talk) } : {}) });
    }
  }
  const all = [...found.values()];
  const withPbx = haveSeveral(all.map(({ last }) => last.pbx));
  const after = new Spread();
  const rows = await mapSlowly(all, (missed) => {
    const row = rowOf(missed);
    if (typeof row.afterSeconds === 'number') after.add(row.afterSeconds);
    return { ...row, ...(withPbx ? { pbx: missed.last.pbx } : {}) };
  });
  return {
    columns: [...COLUMNS, ...(withPbx ? ['pbx'] : [])],
    rows,
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
