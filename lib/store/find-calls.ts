import type { RecordPayload } from '../messages/types';
import type { Access } from './access';
import { extensionKeys, kindsOf, numberKeys } from './call-rows';
import { badQuery } from './errors';
import type { Row, Sqlite } from './sqlite';
import type { CallPage, CallQuery } from './types';

/** A place in the order of calls: by start, and among equals by id. */
interface Place {
  readonly startedAt: number;
  readonly id: number;
}

/** Rows that one look into the file walks over, all branches together; then the event loop has its turn. */
const SLICE = 4000;
const LEAST_SLICE = 50;
const COUNT_UP_TO = 10_000;

type Values = (string | number)[];

/**
 * The index that a question walks along, as one branch for each value: `SELECT …` with the columns started_at, id, kind, in
 * order by itself, so that a page costs no sorting of all that fits. The rest of the question is looked at row by row.
 */
interface Walk {
  readonly table: 'participants' | 'calls';
  readonly column?: string;
  readonly values: Values;
  /** Conditions on the rows of the walk `d`, with their values. */
  readonly rest: readonly (readonly [string, Values])[];
}

const marks = (values: Values): string => values.map(() => '?').join(', ');

function walkOf(query: CallQuery): Walk {
  const rest: [string, Values][] = [];
  const kinds = kindsOf(query.directions, query.results);
  const numbers = query.numbers?.flatMap(numberKeys);
  const extensions = query.extensions && extensionKeys(query.extensions);
  const people = numbers ?? extensions;
  const ofCall = (column: string): string => `(SELECT ${column} FROM calls c WHERE c.id = d.id)`;

  if (query.pbx !== undefined && (people ?? query.callId ?? query.queues ?? kinds))
    rest.push([`${ofCall('pbx')} = ?`, [query.pbx]]);
  if (query.callId !== undefined && people) rest.push([`${ofCall('call_id')} = ?`, [query.callId]]);
  if (query.queues && (people ?? query.callId))
    rest.push([`${ofCall('queue')} IN (${marks([...query.queues])})`, [...query.queues]]);
  if (kinds && (people ?? query.queues ?? query.callId)) rest.push([`d.kind IN (${marks(kinds)})`, kinds]);
  if (numbers && extensions) {
    const alsoThere = `SELECT 1 FROM participants p WHERE p.value IN (${marks(extensions)}) AND p.started_at = d.started_at AND p.id = d.id`;
    rest.push([`EXISTS (${alsoThere})`, extensions]);
  }

  if (people) return { table: 'participants', column: 'value', values: people, rest };
  if (query.callId !== undefined) return { table: 'calls', column: 'call_id', values: [query.callId], rest };
  if (query.queues) return { table: 'calls', column: 'queue', values: [...query.queues], rest };
  if (kinds) return { table: 'calls', column: 'kind', values: kinds, rest };
  if (query.pbx !== undefined) return { table: 'calls', column: 'pbx', values: [query.pbx], rest };
  return { table: 'calls', values: [], rest };
}

/**
 * Rows of one look along each of several values. All of them together may give so many times more, of which the first are used; but
 * mostly few of the values are frequent.
 */
const share = (rows: number, values: Values): number =>
  Math.max(LEAST_SLICE, Math.floor(rows / Math.sqrt(Math.max(1, values.length))));

/** One walk through the calls that fit, in the order of the question, slice by slice. */
class Walker {
  private readonly walk: Walk;
  private readonly newestFirst: boolean;

  constructor(private readonly query: CallQuery) {
    this.walk = walkOf(query);
    this.newestFirst = query.sort !== 'startedAt';
  }

  /** Before the first call of the question. */
  get start(): Place {
    const { from = Number.MIN_SAFE_INTEGER, to = Number.MAX_SAFE_INTEGER } = this.query;
    return this.newestFirst
      ? { startedAt: Math.floor(to), id: Number.MAX_SAFE_INTEGER }
      : { startedAt: Math.ceil(from), id: -1 };
  }

  /** The calls that fit among the next ones behind `after`, and where to go on; no `last`: that was all. */
  look(sql: Sqlite, after: Place, rows: number): { readonly hits: readonly Place[]; readonly last?: Place } {
    const found = this.slice(
      sql,
      after,
      rows,
      (rest, order) => `SELECT started_at, id, -1 AS walked FROM d ${rest} ORDER BY ${order}`,
    );
    return { ...found, hits: found.rows.map(placeOf) };
  }

  /** As {@link look}, but only counts them, which is several times faster. */
  count(sql: Sqlite, after: Place, rows: number): { readonly hits: number; readonly last?: Place } {
    const found = this.slice(
      sql,
      after,
      rows,
      (rest) => `SELECT count(*) AS started_at, 0 AS id, -1 AS walked FROM d ${rest}`,
    );
    return { ...found, hits: Number(found.rows[0]?.started_at ?? 0) };
  }

  private slice(
    sql: Sqlite,
    after: Place,
    rows: number,
    wanted: (rest: string, order: string) => string,
  ): { readonly rows: readonly Row[]; readonly last?: Place } {
    const { table, column, values, rest } = this.walk;
    if (column !== undefined && values.length === 0) return { rows: [] };
    const size = share(rows, values);
    const { from = Number.MIN_SAFE_INTEGER, to = Number.MAX_SAFE_INTEGER } = this.query;
    const [order, back, edge] = this.newestFirst
      ? ['started_at DESC, id DESC', 'started_at, id', 'started_at >= ? AND (started_at, id) < (?, ?)']
      : ['started_at, id', 'started_at DESC, id DESC', 'started_at <= ? AND (started_at, id) > (?, ?)'];
    const limits = [this.newestFirst ? Math.ceil(from) : Math.floor(to), after.startedAt, after.id];
    const branch = (where: string): string =>
      `SELECT * FROM (SELECT started_at, id, kind FROM ${table} WHERE ${where}${edge} ORDER BY ${order} LIMIT ${size})`;
    const branches = column === undefined ? [branch('')] : values.map(() => branch(`${column} = ? AND `));
    const bound = column === undefined ? limits : values.flatMap((value) => [value, ...limits]);
    // UNION: a call in which two of the numbers took part comes once.
    const found = sql.all(
      `WITH d AS MATERIALIZED (SELECT * FROM (${branches.join(' UNION ')}) ORDER BY ${order} LIMIT ${size})
       SELECT * FROM (${wanted(whereOf(rest), order)})
       UNION ALL
       SELECT * FROM (SELECT started_at, id, (SELECT count(*) FROM d) FROM d ORDER BY ${back} LIMIT 1)`,
      [...bound, ...rest.flatMap(([, given]) => given)],
    );
    const end = found.at(-1);
    if (end === undefined || end.walked === -1) return { rows: found };
    const others = found.slice(0, -1);
    return Number(end.walked) < size ? { rows: others } : { rows: others, last: placeOf(end) };
  }
}

const whereOf = (rest: Walk['rest']): string =>
  rest.length === 0 ? '' : `WHERE ${rest.map(([condition]) => condition).join(' AND ')}`;

const placeOf = (row: Row): Place => ({ startedAt: Number(row.started_at), id: Number(row.id) });

/** `after` of a page: opaque to others. */
const tokenOf = ({ startedAt, id }: Place): string => Buffer.from(`${startedAt}.${id}`).toString('base64url');

function placeOfToken(token: string): Place {
  const [, startedAt, id] = /^(-?\d{1,16})\.(\d{1,16})$/.exec(Buffer.from(token, 'base64url').toString('latin1')) ?? [];
  if (startedAt === undefined) {
    throw badQuery({
      en: '"after" must be the "next" of the page before.',
      ru: '«after» — это «next» предыдущей страницы.',
    });
  }
  return { startedAt: Number(startedAt), id: Number(id) };
}

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Walks until `enough` calls that fit were seen, or all: then there is no `last`. */
async function walk(
  access: Access,
  walker: Walker,
  from: Place,
  enough: number,
): Promise<{ readonly places: readonly Place[]; readonly last?: Place }> {
  const places: Place[] = [];
  for (let after = from; ;) {
    const here = after;
    const { hits, last } = await access.read((sql) => walker.look(sql, here, Math.min(SLICE, enough)));
    places.push(...hits);
    if (last === undefined) return { places };
    if (places.length >= enough) return { places, last };
    after = last;
    await breathe();
  }
}

/** Counts on from a place until more than can be told. */
async function countOn(access: Access, walker: Walker, from: Place | undefined, known: number): Promise<number> {
  let total = known;
  for (let after = from; after !== undefined && total <= COUNT_UP_TO;) {
    const here = after;
    const { hits, last } = await access.read((sql) => walker.count(sql, here, SLICE));
    total += hits;
    after = last;
    await breathe();
  }
  return total;
}

/** A page of calls. The event loop is never held for long, however rare the calls are that fit. */
export async function findCalls(access: Access, query: CallQuery): Promise<CallPage> {
  const walker = new Walker(query);
  const { limit, offset = 0, after } = query;
  const from = after === undefined ? walker.start : placeOfToken(after);
  const { places, last: walked } = await walk(access, walker, from, offset + limit + 1);
  const page = places.slice(offset, offset + limit);
  // All that fit are counted, also those of the pages before.
  const total =
    after === undefined
      ? await countOn(access, walker, walked, places.length)
      : await countOn(access, walker, walker.start, 0);
  const isMore = total > COUNT_UP_TO;
  const last = page.at(-1);
  return {
    calls: await bodiesOf(access, page),
    total: Math.min(total, COUNT_UP_TO),
    ...(isMore ? { totalIsMore: true } : {}),
    ...(last && places.length > offset + limit ? { next: tokenOf(last) } : {}),
  };
}

const BODIES_AT_ONCE = 100;

async function bodiesOf(access: Access, places: readonly Place[]): Promise<RecordPayload[]> {
  const bodies: RecordPayload[] = [];
  for (let at = 0; at < places.length; at += BODIES_AT_ONCE) {
    const part = places.slice(at, at + BODIES_AT_ONCE);
    const found = await access.read((sql) =>
      part.map(({ id }) => sql.value('SELECT body FROM calls WHERE id = ?', [id])),
    );
    // One may be deleted between the two looks.
    for (const body of found) if (typeof body === 'string') bodies.push(JSON.parse(body) as RecordPayload);
    if (part.length === BODIES_AT_ONCE) await breathe();
  }
  return bodies;
}
