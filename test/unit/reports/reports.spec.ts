import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { QueueMessage } from '../../../lib/messages/queues';
import type { RecordPayload } from '../../../lib/messages/types';
import { queueFactOf } from '../../../lib/reports/facts';
import { QueueKeeper } from '../../../lib/reports/keeper';
import { makeReport, reportCsv } from '../../../lib/reports/report';
import { reportQuery, usualReport } from '../../../lib/reports/request';
import type { Report } from '../../../lib/reports/types';
import type { QueueFact, Store } from '../../../lib/store/types';
import { record, TempStores } from '../store/support/temp-store';

const NOON = Date.UTC(2026, 0, 15, 9);
const MOSCOW = usualReport({ timeZone: 'Europe/Moscow', days: 31 });
const NOW = Date.UTC(2026, 1, 1);
const iso = (at: number): string => new Date(at).toISOString();

let events = 0;
interface Told {
  readonly at?: number;
  readonly pbx?: string;
  readonly queue?: string;
  readonly agent?: string;
  readonly reason?: string;
  readonly change?: string;
  readonly waitSeconds?: number;
  readonly ringSeconds?: number;
  readonly talkSeconds?: number;
  readonly eventId?: string;
}
const event = (topic: string, { at = NOON, queue = 'sales', agent, eventId, ...more }: Told) => {
  events += 1;
  return {
    topic,
    payload: {
      eventId: eventId ?? `event-${events}`,
      pbx: 'Office',
      callId: '1.1',
      queue: { id: queue },
      at: iso(at),
      ...(agent === undefined ? {} : { agent: { phone: agent, id: 'u7', name: `Agent ${agent}` } }),
      ...more,
    },
  };
};
const stay = (reason: string, waitSeconds: number, more: Told = {}) =>
  event('queue-hangup', { reason, waitSeconds, ...more });

describe('reports', () => {
  let stores: TempStores;
  let store: Store;
  beforeEach(async () => {
    stores = new TempStores();
    store = await stores.ready();
  });
  afterEach(() => stores.clean());

  const put = (...told: ReturnType<typeof event>[]): Promise<void> =>
    store.queueFacts.put(
      told.map((one) => queueFactOf(one as unknown as QueueMessage)).filter((fact) => fact !== undefined),
    );
  const report = (payload: unknown): Promise<Report> => makeReport(store, reportQuery(payload, MOSCOW, NOW), NOW);

  describe('of queues', () => {
    it('counts how stays ended, and who was answered in time', async () => {
      await put(
        event('queue-dial', {}),
        stay('answered', 20),
        stay('answered', 21),
        stay('abandoned', 5),
        stay('timeout', 60),
        stay('other', 2),
        stay('answered', 1, { queue: 'support' }),
        event('agent-hangup', { agent: '101', talkSeconds: 100 }),
        event('agent-hangup', { agent: '102', talkSeconds: 50 }),
      );
      const { rows, total } = await report({ report: 'queues' });
      assert.deepEqual(rows[0], {
        queue: 'sales',
        offered: 5,
        answered: 2,
        abandoned: 1,
        timedOut: 1,
        left: 1,
        answeredInTime: 1,
        serviceLevelPercent: 20,
        waitMeanSeconds: 21.6,
        waitP95Seconds: 60,
        waitLongestSeconds: 60,
        answeredAfterMeanSeconds: 20.5,
        abandonedAfterMeanSeconds: 5,
        talks: 2,
        talkMeanSeconds: 75,
        talkP95Seconds: 100,
        talkLongestSeconds: 100,
      });
      assert.deepEqual([rows.length, rows[1]?.queue, rows[1]?.serviceLevelPercent], [2, 'support', 100]);
      assert.deepEqual([total.offered, total.answered, 'queue' in total], [6, 3, false]);
      const strict = await report({ report: 'queues', queues: 'sales', serviceSeconds: 30 });
      assert.deepEqual([strict.rows.length, strict.total.answeredInTime], [1, 2]);
    });

    it('counts an event once, however often and in which order it comes', async () => {
      const day = [stay('answered', 3), stay('abandoned', 9), event('agent-hangup', { agent: '101', talkSeconds: 7 })];
      await put(...day);
      const first = await report({ report: 'queues' });
      await fc.assert(
        fc.asyncProperty(fc.array(fc.constantFrom(...day), { maxLength: 12 }), async (again) => {
          await put(...again);
          assert.deepEqual(await report({ report: 'queues' }), first);
        }),
        { numRuns: 20 },
      );
    });

    it('tells hours apart as the clocks of the zone show them, also the one that comes twice', async () => {
      // In Berlin the clocks went back from 3 to 2 at 01:00 UTC.
      const before = Date.UTC(2026, 9, 25, 0, 30);
      const hour = 60 * 60_000;
      await put(
        stay('answered', 0, { at: before }),
        stay('answered', 0, { at: before + hour }),
        stay('answered', 0, { at: before + 2 * hour }),
      );
      const asked = { report: 'queues', timeZone: 'Europe/Berlin', from: '2026-10-25', to: '2026-10-25' };
      const { rows, from, to } = await report({ ...asked, by: 'hour' });
      assert.deepEqual(
        rows.map(({ period }) => period),
        ['2026-10-25T02:00+01:00', '2026-10-25T02:00+02:00', '2026-10-25T03:00+01:00'],
      );
      assert.equal(Date.parse(to) - Date.parse(from), 25 * hour, 'that day has 25 hours');
      assert.deepEqual(
        (await report({ ...asked, by: 'day' })).rows.map(({ period, offered }) => [period, offered]),
        [['2026-10-25', 3]],
      );
    });

    it('counts a stay where it began', async () => {
      await put(stay('answered', 60, { at: Date.UTC(2026, 0, 15, 10, 0, 30) }));
      const [row] = (await report({ report: 'queues', by: 'hour' })).rows;
      assert.equal(row?.period, '2026-01-15T12:00+03:00');
    });

    it('agrees with a plain count over any stays', async () => {
      const stays = fc.array(
        fc.record({
          reason: fc.constantFrom('answered', 'abandoned', 'timeout'),
          waitSeconds: fc.integer({ min: 0, max: 900 }),
          queue: fc.constantFrom('a', 'b'),
        }),
        { minLength: 1, maxLength: 60 },
      );
      let month = 0;
      await fc.assert(
        fc.asyncProperty(stays, async (given) => {
          month += 1;
          const at = Date.UTC(2000, month, 15);
          await put(...given.map((each) => event('queue-hangup', { ...each, at })));
          const { total } = await report({ report: 'queues', from: at - 86_400_000, to: at + 86_400_000 });
          const waits = given.map(({ waitSeconds }) => waitSeconds).sort((one, other) => one - other);
          assert.deepEqual(
            [total.offered, total.waitP95Seconds, total.waitLongestSeconds, total.answeredInTime],
            [
              given.length,
              waits[Math.ceil(given.length * 0.95) - 1],
              waits.at(-1),
              given.filter(({ reason, waitSeconds }) => reason === 'answered' && waitSeconds <= 20).length,
            ],
          );
        }),
        { numRuns: 25 },
      );
    });
  });

  describe('of agents', () => {
    it('counts how ringing ended, conversations, and calls that they made', async () => {
      await put(
        event('agent-answer', { agent: '101', ringSeconds: 4, waitSeconds: 10 }),
        event('agent-answer', { agent: '101', ringSeconds: 6, waitSeconds: 40, queue: 'support' }),
        event('agent-cancel', { agent: '101', ringSeconds: 15, reason: 'no-answer' }),
        event('agent-cancel', { agent: '101', ringSeconds: 3, reason: 'answered-elsewhere' }),
        event('agent-hangup', { agent: '101', talkSeconds: 30 }),
        event('agent-dialout-hangup', { agent: '101', talkSeconds: 12 }),
        event('agent-dialout-hangup', { agent: '101', talkSeconds: 0, reason: 'no-answer' }),
        event('agent-dialout-hangup', { agent: '101', talkSeconds: 0, reason: 'answered' }),
        event('agent-cancel', { agent: '102', ringSeconds: 1, reason: 'declined' }),
      );
      const { rows, total } = await report({ report: 'agents' });
      const [first, second] = rows;
      assert.deepEqual(
        [first?.agent, first?.name, first?.offered, first?.answered, first?.timedOut, first?.answeredElsewhere],
        ['101', 'Agent 101', 4, 2, 1, 1],
      );
      assert.deepEqual(
        [first?.serviceLevelPercent, first?.waitLongestSeconds, first?.talkSeconds, first?.ringLongestSeconds],
        [50, 40, 30, 15],
      );
      assert.deepEqual([first?.callsOut, first?.callsOutAnswered, first?.callsOutTalkSeconds], [3, 2, 12]);
      assert.deepEqual([second?.agent, second?.declined, total.offered], ['102', 1, 5]);
      assert.equal((await report({ report: 'agents', agents: ['102'] })).rows.length, 1);
      const support = await report({ report: 'agents', queues: ['support'] });
      assert.equal(support.total.answered, 1);
      const ownCalls = [...support.columns, ...Object.keys(support.total)].filter((name) =>
        name.startsWith('callsOut'),
      );
      assert.deepEqual(ownCalls, [], 'own calls belong to no queue: not told to be none');
    });

    it('tells how long they were logged in and paused, by hours, over several queues', async () => {
      const minute = 60_000;
      const change = (what: string, minutes: number, queue = 'sales') =>
        event('agent_change', { agent: '101', change: what, queue, at: NOON + minutes * minute });
      await put(
        change('login', 0),
        change('login', 5, 'support'),
        change('paused', 30),
        change('paused', 40, 'support'),
        change('unpaused', 50),
        change('logout', 70),
        change('busy', 75),
        change('logout', 90, 'support'),
      );
      const asked = { report: 'agents', from: NOON, to: NOON + 120 * minute };
      const [whole] = (await report(asked)).rows;
      // Paused in both from 40 to 50; and in all that is left from 70 to 90.
      assert.deepEqual([whole?.loggedInSeconds, whole?.pausedSeconds], [90 * 60, 30 * 60]);
      const hours = (await report({ ...asked, by: 'hour' })).rows;
      assert.deepEqual(
        hours.map(({ loggedInSeconds, pausedSeconds }) => [loggedInSeconds, pausedSeconds]),
        [
          [3600, 600],
          [1800, 1200],
        ],
      );
      const later = await report({ ...asked, from: NOON + 80 * minute });
      assert.equal(later.rows[0]?.loggedInSeconds, 600, 'logged in before the report began');
    });
  });

  describe('of several PBXs', () => {
    const branch = { pbx: 'Branch' };

    it('tell queues of one name apart, and say whose they are', async () => {
      await put(stay('answered', 3), stay('abandoned', 9), stay('answered', 5, branch));
      const { rows, columns, total } = await report({ report: 'queues' });
      assert.deepEqual(
        rows.map(({ queue, pbx, offered }) => [queue, pbx, offered]),
        [
          ['sales', 'Branch', 1],
          ['sales', 'Office', 2],
        ],
      );
      assert.deepEqual([columns[0], columns.at(-1), total.offered, 'pbx' in total], ['queue', 'pbx', 3, false]);
      const one = await report({ report: 'queues', pbx: 'Office' });
      assert.deepEqual([one.rows.length, one.total.offered, one.columns.includes('pbx')], [1, 2, false]);
      assert.equal((await report({ report: 'queues', pbx: 'None' })).rows.length, 0);
    });

    it('let no log-out at the one end a shift at the other', async () => {
      const change = (what: string, minutes: number, more: Told = {}) =>
        event('agent_change', { agent: '101', change: what, at: NOON + minutes * 60_000, ...more });
      await put(
        change('login', 0),
        change('login', 10, branch),
        change('logout', 20, branch),
        change('logout', 60),
        event('agent-hangup', { agent: '101', talkSeconds: 30, at: NOON + 15 * 60_000, ...branch }),
      );
      const asked = { report: 'agents', from: NOON, to: NOON + 120 * 60_000 };
      assert.deepEqual(
        (await report(asked)).rows.map(({ agent, pbx, loggedInSeconds, talks }) => [
          agent,
          pbx,
          loggedInSeconds,
          talks,
        ]),
        [
          ['101', 'Branch', 600, 1],
          ['101', 'Office', 3600, 0],
        ],
      );
      assert.equal((await report({ ...asked, pbx: 'Office' })).total.loggedInSeconds, 3600);
    });

    it('tell with which of them nobody talked', async () => {
      const missed = (callId: string, number: string, pbx: string) =>
        record(callId, { pbx, startedAt: iso(NOON), result: 'missed', talked: [], client: { number } });
      await store.calls.put([missed('1', '89161112233', 'Office'), missed('2', '89161112244', 'Branch')]);
      const { rows, columns } = await report({ report: 'missed' });
      assert.deepEqual([rows.map(({ pbx }) => pbx), columns.at(-1)], [['Office', 'Branch'], 'pbx']);
      const one = await report({ report: 'missed', pbx: 'Branch' });
      assert.deepEqual([one.rows.length, one.rows[0]?.number, one.columns.includes('pbx')], [1, '89161112244', false]);
    });
  });

  describe('of missed calls', () => {
    const call = (callId: string, minutes: number, more: Partial<RecordPayload> = {}): RecordPayload =>
      record(callId, {
        startedAt: iso(NOON + minutes * 60_000),
        ...(more.result === 'answered' ? {} : { talked: [] }),
        ...more,
      });
    const missed = (callId: string, minutes: number, more: Partial<RecordPayload> = {}): RecordPayload =>
      call(callId, minutes, { result: 'missed', ...more });

    it('tells who was called back, by whom and after how long, and who was not', async () => {
      await store.calls.put([
        missed('1', 0),
        missed('2', 10, { result: 'abandoned', queue: { id: 'sales' } }),
        // Nobody of ours: the client did not answer, and a machine played something.
        call('3', 20, { direction: 'out', result: 'no-answer' }),
        call('4', 25, { direction: 'out', result: 'answered', talked: [] }),
        call('5', 30, {
          direction: 'out',
          result: 'answered',
          client: { number: '+74951234567' },
          talked: ['105'],
          answeredAt: iso(NOON + 31 * 60_000),
        }),
        missed('6', 40),
        missed('7', 50, { client: { number: '89161112233' } }),
        missed('8', 55, { client: { number: 'anonymous' } }),
        missed('9', 56, { client: { number: 'anonymous' } }),
      ]);
      const { rows, total } = await report({ report: 'missed' });
      assert.deepEqual(
        rows.map(({ number, calls, isOpen, talkedBy, talkedWay, afterSeconds }) => [
          number,
          calls,
          isOpen,
          talkedBy,
          talkedWay,
          afterSeconds,
        ]),
        [
          ['+74951234567', 2, false, '105', 'out', 31 * 60],
          ['+74951234567', 1, true, undefined, undefined, undefined],
          ['89161112233', 1, true, undefined, undefined, undefined],
          ['anonymous', 1, true, undefined, undefined, undefined],
          ['anonymous', 1, true, undefined, undefined, undefined],
        ],
      );
      assert.deepEqual([rows[0]?.firstAt, rows[0]?.result], [iso(NOON), 'abandoned']);
      assert.deepEqual([total.calls, total.open, total.talked, total.afterMeanSeconds], [6, 4, 1, 1860]);
      const ofQueue = await report({ report: 'missed', queues: ['sales'] });
      assert.deepEqual([ofQueue.rows.length, ofQueue.rows[0]?.calls], [1, 1]);
    });

    it('has one row for a client, whether his number came with its country or without', async () => {
      await store.calls.put([
        missed('1', 0, { client: { number: '89161112233', e164: '+79161112233' } }),
        missed('2', 5, { client: { number: '9161112233' } }),
      ]);
      const { rows } = await report({ report: 'missed' });
      assert.deepEqual(
        rows.map(({ number, calls }) => [number, calls]),
        [['9161112233', 2]],
      );
    });

    it('counts a client who called again and was answered, also after the end of the report', async () => {
      await store.calls.put([missed('1', 0), call('2', 600, { result: 'answered', talked: ['101'] })]);
      const { rows } = await report({ report: 'missed', from: NOON, to: NOON + 60_000 });
      assert.deepEqual([rows[0]?.talkedBy, rows[0]?.talkedWay], ['101', 'in']);
    });

    it('counts a call that was on already: a client waits in one, and tries once more in another', async () => {
      const talk = (callId: string, minutes: number, answered: number, ended: number) =>
        call(callId, minutes, {
          result: 'answered',
          talked: [callId],
          answeredAt: iso(NOON + answered * 60_000),
          endedAt: iso(NOON + ended * 60_000),
        });
      await store.calls.put([
        talk('101', -30, -29, -1),
        talk('102', -10, 5, 20),
        missed('m', 0),
        talk('103', 6, 7, 8),
        missed('late', 30),
      ]);
      const talkedBy = async () =>
        (await report({ report: 'missed', from: NOON })).rows.map((row) => [row.talkedBy, row.afterSeconds]);
      assert.deepEqual(await talkedBy(), [
        ['102', 5 * 60],
        [undefined, undefined],
      ]);
      await store.calls.put([talk('104', 2, 3, 4)]);
      assert.deepEqual((await talkedBy())[0], ['104', 3 * 60]);
    });

    it('goes through more calls than one look takes', async () => {
      const many = Array.from({ length: 250 }, (_, n) =>
        missed(`m${n}`, n, {
          client: { number: `8916${String(1_000_000 + n)}` },
          result: n % 2 ? 'missed' : 'abandoned',
        }),
      );
      await store.calls.put(many);
      const { rows } = await report({ report: 'missed' });
      assert.deepEqual(
        rows.map(({ number }) => number),
        many.map(({ client }) => client?.number),
      );
    });
  });

  describe('as CSV', () => {
    it('quotes what must be, and lets no text be a formula', async () => {
      const call = (id: string, name: string): RecordPayload =>
        record(id, {
          startedAt: iso(NOON + Number(id)),
          result: 'missed',
          talked: [],
          client: { number: `8916000000${id}`, name },
        });
      const names = ['=1+1', '+7', '-1', '@a', 'a;b', 'a"b', 'a\r\nb', 'plain, name', '\t=1', 'x,=1', 'y;"=1', '＝1'];
      await store.calls.put(names.map((name, n) => call(String(n), name)));
      const csv = await reportCsv(await report({ report: 'missed' }), ';');
      const body = csv.slice(csv.indexOf('\r\n') + 2);
      for (const cell of [
        ";'=1+1;",
        ";'+7;",
        ";'-1;",
        ";'@a;",
        ';"a;b";',
        ';"a""b";',
        ';"a\r\nb";',
        ';plain, name;',
        ";'\t=1;",
        ";x,'=1;",
        `;"y;'""=1";`,
        ";'＝1;",
      ]) {
        assert.ok(body.includes(cell), cell);
      }
    });

    it('has the names of the columns also without rows, and the period where it is asked for', async () => {
      assert.match(await reportCsv(await report({ report: 'queues' }), ','), /^queue,offered,answered,[\w,]+\r\n$/);
      assert.match(
        await reportCsv(await report({ report: 'agents', by: 'day' }), '\t'),
        /^period\tagent\tname\toffered/,
      );
    });

    it('can be read back, whatever stands in it', async () => {
      const parse = (csv: string): string[][] => {
        const lines = [...csv.matchAll(/((?:"(?:[^"]|"")*"|[^",\r\n])*)(,|\r\n)/g)];
        return lines.reduce<string[][]>(
          (rows, [, cell = '', end]) => {
            rows.at(-1)?.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
            if (end === '\r\n') rows.push([]);
            return rows;
          },
          [[]],
        );
      };
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.integer()), { maxLength: 5 }),
          async (given) => {
            const rows = given.map(([text, number]) => ({ text, number }));
            const csv = await reportCsv({ ...EMPTY, columns: ['text', 'number'], rows }, ',');
            const read = parse(csv).slice(1, -1);
            assert.equal(read.length, given.length);
            read.forEach(([text = '', number], n) => {
              const [was, count] = given[n] ?? ['', 0];
              assert.doesNotMatch(text, /^[=+\-@\t\r]|[,;][=+\-@]/);
              const withoutApostrophes = (one: string): string => one.replaceAll("'", '');
              assert.deepEqual([withoutApostrophes(text), number], [withoutApostrophes(was), String(count)]);
            });
          },
        ),
      );
    });
  });

  describe('asked for', () => {
    const fails = (payload: unknown, pattern: RegExp): void =>
      assert.throws(() => reportQuery(payload, MOSCOW, NOW), { code: 'QUERY_BAD', message: pattern });

    it('with a word that is wrong, are refused by its name', () => {
      fails({ report: 'clients' }, /"report" knows no "clients"/);
      fails({ report: ['queues', 'agents'] }, /one value/);
      fails({ report: 'queues', agents: ['101'] }, /no "agents"/);
      fails({ report: 'missed', by: 'day' }, /no "by"/);
      fails({ report: 'queues', by: 'week' }, /"by" knows no "week"/);
      fails({ report: 'queues', timeZone: 'Moscow' }, /"timeZone"/);
      fails({ report: 'queues', separator: '|' }, /"separator"/);
      fails({ report: 'queues', from: '2026-02-30T25:00' }, /"from"/);
      fails({ report: 'queues', from: '2025-02-29' }, /"from" is/);
      fails({ report: 'queues', from: '2025-04-31T10:00:00Z' }, /"from" is/);
      fails({ report: 'queues', from: 2, to: 1 }, /before/);
      fails({}, /"report"/);
    });

    it('read a date and a time without zone by the clocks of the zone', () => {
      const { from, to } = reportQuery({ report: 'queues', from: '2026-01-15', to: '2026-01-15 18:30' }, MOSCOW, NOW);
      assert.deepEqual([iso(from), iso(to)], ['2026-01-14T21:00:00.000Z', '2026-01-15T15:30:00.000Z']);
      const zoned = reportQuery({ report: 'queues', from: '2026-01-15T00:00:00Z', to: 1768521600 }, MOSCOW, NOW);
      assert.deepEqual([iso(zoned.from), iso(zoned.to)], ['2026-01-15T00:00:00.000Z', '2026-01-16T00:00:00.000Z']);
    });

    it('without a time, are of today in the zone', () => {
      const usual = usualReport({ timeZone: 'Asia/Vladivostok', report: 'queues' });
      const { from, to } = reportQuery('now', usual, Date.UTC(2026, 0, 15, 20));
      assert.deepEqual([iso(from), to], ['2026-01-15T14:00:00.000Z', Date.UTC(2026, 0, 15, 20)]);
    });
  });

  it('are made of what a PBX told meanwhile; what is wrong stops nothing', async () => {
    const told: string[] = [];
    const keeper = new QueueKeeper(store, (error) => void told.push(error.code));
    const keep = (message: object): void => keeper.keep(message as QueueMessage);
    keep(stay('answered', 3));
    keep({ ...stay('answered', 3), payload: { eventId: 'x', pbx: 'Office', at: 'noon' } });
    keep(stay('abandoned', 3));
    await keeper.close();
    assert.deepEqual([told, (await report({ report: 'queues' })).total.offered], [['STORE_BAD_VALUE'], 2]);
  });

  it('lack what the store could not take to the end, and that is told', async () => {
    const told: string[] = [];
    const keeper = new QueueKeeper(store, ({ code, params }) => void told.push(`${code} ${params.count}`));
    await store.close();
    for (const reason of ['answered', 'abandoned']) keeper.keep(stay(reason, 3) as unknown as QueueMessage);
    await keeper.close();
    assert.deepEqual(told, ['STORE_FACTS_LOST 2']);
  });

  it('are refused when they would be too large', async () => {
    const facts = Array.from({ length: 20_001 }, (_, n): QueueFact => ({
      eventId: `e${n}`,
      pbx: 'Office',
      kind: 'stay',
      at: NOON,
      outcome: 'answered',
      queue: `q${n}`,
      seconds: 1,
    }));
    await store.queueFacts.put(facts);
    await assert.rejects(report({ report: 'queues' }), { code: 'REPORT_TOO_LARGE' });
  });
});

const EMPTY: Report = {
  report: 'queues',
  from: '',
  to: '',
  timeZone: 'UTC',
  by: 'none',
  serviceSeconds: 20,
  columns: [],
  rows: [],
  total: {},
};
