import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { RecordPayload } from '../../../lib/messages/types';
import type { CallQuery, CallTable } from '../../../lib/store/types';
import { record, TempStores } from './support/temp-store';

const MINUTE = 60_000;
const BEGIN = Date.UTC(2026, 0, 1);
const at = (minute: number): string => new Date(BEGIN + minute * MINUTE).toISOString();
const idsOf = (records: readonly RecordPayload[]): string[] => records.map(({ callId }) => callId);

async function allPages(calls: CallTable, query: CallQuery): Promise<string[]> {
  const found: string[] = [];
  let after: string | undefined;
  do {
    const page = await calls.find({ ...query, ...(after === undefined ? {} : { after }) });
    found.push(...idsOf(page.calls));
    after = page.next;
  } while (after !== undefined);
  return found;
}

describe('store: calls', () => {
  let stores: TempStores;
  let calls: CallTable;
  beforeEach(async () => {
    stores = new TempStores();
    calls = (await stores.ready()).calls;
  });
  afterEach(() => stores.clean());

  const find = async (query: Partial<CallQuery>): Promise<string[]> =>
    idsOf((await calls.find({ limit: 100, sort: 'startedAt', ...query })).calls);

  it('gives a record back as it was', async () => {
    const kept = record('1.1', { variables: { odd: 'Ж🙂"\\' }, cdrs: [{ Source: '101' }] });
    await calls.put([kept]);
    assert.deepEqual(await calls.find({ limit: 10 }), { calls: [kept], total: 1 });
  });

  it('finds numbers by their last ten digits, in any spelling, as client, own number or extension', async () => {
    await calls.put([
      record('1.1', { client: { number: '+7 (495) 123-45-67' }, startedAt: at(1) }),
      record('1.2', {
        client: { number: '84951234567' },
        startedAt: at(2),
        extension: '102',
        rung: ['102'],
        talked: ['102'],
        legs: [],
      }),
      record('1.3', {
        client: { number: '9161112233' },
        line: { number: '+74957654321' },
        startedAt: at(3),
        rung: ['103'],
      }),
    ]);
    assert.deepEqual(await find({ numbers: ['4951234567'] }), ['1.1', '1.2']);
    assert.deepEqual(await find({ numbers: ['+7 495 123 45 67', '89161112233'] }), ['1.1', '1.2', '1.3']);
    assert.deepEqual(await find({ numbers: ['84957654321'] }), ['1.3']);
    assert.deepEqual(await find({ numbers: ['103'] }), ['1.3']);
    assert.deepEqual(await find({ extensions: ['102'] }), ['1.2']);
    assert.deepEqual(await find({ extensions: ['9161112233'] }), []);
    assert.deepEqual(await find({ extensions: ['101'], numbers: ['4951234567'] }), ['1.1']);
    // A shorter number is another one.
    assert.deepEqual(await find({ numbers: ['1234567'] }), []);
  });

  it('finds those who were rung, talked or took over, and the colleague', async () => {
    await calls.put([
      record('1.1', {
        extension: '201',
        peer: { extension: '202' },
        rung: ['203'],
        talked: ['204'],
        legs: [{ legId: 'l', extension: '205' }],
        transfer: { type: 'blind', from: '201', to: '206' },
        lastExtension: '207',
      }),
    ]);
    for (const extension of ['201', '202', '203', '204', '205', '206', '207']) {
      assert.deepEqual(await find({ extensions: [extension] }), ['1.1'], extension);
    }
  });

  it('replaces the first record of a call by the second, and finds it only by what holds now', async () => {
    await calls.put([record('1.1', { result: 'missed', queue: { id: 'sales' } })]);
    await calls.put([record('1.1', { rung: ['105'], talked: [], legs: [], extension: '105', startedAt: at(9) })]);
    assert.deepEqual(await find({ results: ['missed'] }), []);
    assert.deepEqual(await find({ queues: ['sales'] }), []);
    assert.deepEqual(await find({ extensions: ['101'] }), []);
    assert.deepEqual(await find({ extensions: ['105'] }), ['1.1']);
    // The same Linkedid on another PBX is another call.
    await calls.put([record('1.1', { pbx: 'Branch' })]);
    assert.equal((await calls.find({ limit: 10, callId: '1.1' })).total, 2);
    assert.equal((await calls.find({ limit: 10, callId: '1.1', pbx: 'Branch' })).total, 1);
  });

  it('keeps pages stable while calls come in', async () => {
    await calls.put(Array.from({ length: 10 }, (_, n) => record(`1.${n}`, { startedAt: at(n) })));
    const first = await calls.find({ limit: 4 });
    assert.deepEqual(idsOf(first.calls), ['1.9', '1.8', '1.7', '1.6']);
    await calls.put([record('2.1', { startedAt: at(60) })]);
    const second = await calls.find({ limit: 4, after: first.next! });
    assert.deepEqual([idsOf(second.calls), second.total], [['1.5', '1.4', '1.3', '1.2'], 11]);
    const third = await calls.find({ limit: 4, after: second.next! });
    assert.deepEqual([idsOf(third.calls), third.next], [['1.1', '1.0'], undefined]);
    assert.deepEqual(idsOf((await calls.find({ limit: 4, offset: 9 })).calls), ['1.1', '1.0']);
    await assert.rejects(calls.find({ limit: 4, after: 'no token' }), { code: 'QUERY_BAD' });
  });

  it('counts up to ten thousand', async () => {
    await calls.put(Array.from({ length: 10_050 }, (_, n) => record(`1.${n}`, { startedAt: at(n), legs: [] })));
    const page = await calls.find({ limit: 1 });
    assert.deepEqual([page.total, page.totalIsMore], [10_000, true]);
    const some = await calls.find({ limit: 1, to: BEGIN + 9_999 * MINUTE });
    assert.deepEqual([some.total, some.totalIsMore], [10_000, undefined]);
    for (const filter of [
      {},
      { numbers: ['84951234567', '555'] },
      { extensions: ['101'] },
      { directions: ['in'] as const },
    ]) {
      const last = await calls.find({ limit: 5, offset: 10_048, sort: 'startedAt', ...filter });
      assert.deepEqual(idsOf(last.calls), ['1.10048', '1.10049'], JSON.stringify(filter));
    }
  });

  it('answers every question as a plain look through all records would', async () => {
    const directions = ['in', 'out', 'internal'] as const;
    const results = ['answered', 'missed', 'voicemail'] as const;
    const numbers = ['4951111111', '4952222222', '4953333333'];
    const extensions = ['101', '102', '103'];
    const queues = ['sales', 'help'];
    const pick = <T>(items: readonly T[]) => fc.constantFrom(...items);
    const some = <T>(items: readonly T[]) =>
      fc.option(fc.uniqueArray(pick(items), { minLength: 1 }), { nil: undefined });
    const when = fc.integer({ min: 0, max: 30 });

    const oneRecord = fc.record({
      direction: pick(directions),
      result: pick(results),
      number: pick(numbers),
      extension: pick(extensions),
      queue: fc.option(pick(queues), { nil: undefined }),
      pbx: pick(['A', 'B']),
      minute: when,
    });
    const question = fc.record({
      from: fc.option(when, { nil: undefined }),
      to: fc.option(when, { nil: undefined }),
      directions: some(directions),
      results: some(results),
      numbers: some(numbers),
      extensions: some(extensions),
      queues: some(queues),
      pbx: fc.option(pick(['A', 'B']), { nil: undefined }),
      newestFirst: fc.boolean(),
      limit: fc.integer({ min: 1, max: 7 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(oneRecord, { maxLength: 40 }),
        fc.array(question, { minLength: 5, maxLength: 5 }),
        async (rows, asked) => {
          const fresh = new TempStores();
          try {
            const table = (await fresh.ready()).calls;
            const kept = rows.map((row, n) =>
              record(`${n}`, {
                direction: row.direction,
                result: row.result,
                client: { number: row.number },
                extension: row.extension,
                rung: [],
                talked: [],
                legs: [],
                pbx: row.pbx,
                startedAt: at(row.minute),
                ...(row.queue === undefined ? {} : { queue: { id: row.queue } }),
              }),
            );
            await table.put(kept);
            for (const { newestFirst, from, to, limit, ...filters } of asked) {
              const fits = rows
                .map((row, n) => ({ ...row, n }))
                .filter(
                  (row) =>
                    (from === undefined || row.minute >= from) &&
                    (to === undefined || row.minute <= to) &&
                    (filters.directions?.includes(row.direction) ?? true) &&
                    (filters.results?.includes(row.result) ?? true) &&
                    (filters.numbers?.includes(row.number) ?? true) &&
                    (filters.extensions?.includes(row.extension) ?? true) &&
                    (filters.queues?.includes(row.queue ?? '') ?? true) &&
                    (filters.pbx === undefined || filters.pbx === row.pbx),
                )
                .sort((a, b) => a.minute - b.minute || a.n - b.n)
                .map(({ n }) => String(n));
              const query: CallQuery = {
                limit,
                sort: newestFirst ? '-startedAt' : 'startedAt',
                ...(from === undefined ? {} : { from: BEGIN + from * MINUTE }),
                ...(to === undefined ? {} : { to: BEGIN + to * MINUTE }),
                ...(Object.fromEntries(
                  Object.entries(filters).filter(([, value]) => value !== undefined),
                ) as Partial<CallQuery>),
              };
              assert.deepEqual(await allPages(table, query), newestFirst ? fits.reverse() : fits);
              assert.equal((await table.find(query)).total, fits.length);
            }
          } finally {
            await fresh.clean();
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('refuses what is no record', async () => {
    const bad = (value: unknown) => assert.rejects(calls.put([value as RecordPayload]), { code: 'STORE_BAD_VALUE' });
    for (const value of [
      undefined,
      null,
      'x',
      {},
      record(''),
      { ...record('1'), startedAt: 'noon' },
      { ...record('1'), direction: 'up' },
    ]) {
      await bad(value);
    }
    const bare = { callId: '1.1', pbx: 'Office', direction: 'in', startedAt: at(1) };
    await calls.put([bare as RecordPayload]);
    assert.equal((await calls.find({ limit: 1 })).total, 1);
  });
});
