import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import type { RecordPayload } from '../../lib/messages/types';
import uccxRecords from '../../nodes/uccx-records';
import { until } from '../support/wait';
import { deploy, lastStatus, load, logLines, messages, receive, unload, waitForMessages } from './support/runtime';
import type { FlowNode } from './support/runtime';

const row = {
  sessionID: '93000000123',
  sessionSeqNum: 0,
  nodeID: 1,
  contactType: 1,
  contactDisposition: 1,
  originatorType: 3,
  originatorDN: '84951343060',
  startDateTime: '2026-11-20 12:00:00.000',
  endDateTime: '2026-11-20 12:01:00.000',
  csqName: 'Sales',
};

describe('uccx-records', () => {
  afterEach(unload);

  const start = (more: Record<string, unknown> = {}, lang: 'en' | 'ru' = 'en') => {
    const flow: FlowNode[] = [
      { id: 'f', type: 'tab', label: 'f' },
      { id: 'n', type: 'uccx-records', z: 'f', name: '', wires: [['record'], ['done']], ...more },
      { id: 'record', type: 'sink', z: 'f', wires: [] },
      { id: 'done', type: 'sink', z: 'f', wires: [] },
      { id: 'c', type: 'catch', z: 'f', scope: null, uncaught: false, wires: [['caught']] },
      { id: 'caught', type: 'sink', z: 'f', wires: [] },
    ];
    return load([uccxRecords], flow, { lang });
  };
  const records = () => messages('record').map(({ payload }) => payload as RecordPayload);
  const caught = async (count = 1) => {
    const { error } = (await waitForMessages('caught', count)).at(-1) as { readonly error: { message: string } };
    return error.message;
  };

  it('sends each call as a record, then the message itself with what became of the rows', async () => {
    await start();
    receive('n', { payload: [row, null, row, { ...row, nodeID: 2, endDateTime: null }], topic: 'mine', res: 'kept' });
    const [done] = await waitForMessages('done');
    assert.deepEqual(
      [done?.topic, done?.res, done?.payload],
      ['mine', 'kept', { rows: 4, records: 1, unfinished: 1, bad: 1 }],
    );
    assert.deepEqual(
      messages('record').map(({ topic }) => topic),
      ['call_record'],
    );
    assert.deepEqual([records()[0]?.callId, records()[0]?.pbx], ['uccx-93000000123-0-1', 'UCCX']);
    assert.deepEqual([lastStatus('n')?.fill, lastStatus('n')?.text], ['yellow', 'calls: 1, bad: 1']);
    const [warning, ...more] = logLines('n').filter(({ level }) => level === 'warn');
    assert.match(warning?.text ?? '', /^1 of 4 rows could not be used, the first of them is row 2: it is no object/);
    assert.deepEqual(more, []);
  });

  it('sends nothing more once it was closed', async () => {
    await start();
    const rows = Array.from({ length: 20_000 }, (_, i) => ({ ...row, sessionID: String(93_000_000_000 + i) }));
    const flow: FlowNode[] = [
      { id: 'f', type: 'tab', label: 'f' },
      { id: 'record', type: 'sink', z: 'f', wires: [] },
      { id: 'done', type: 'sink', z: 'f', wires: [] },
    ];
    receive('n', { payload: rows });
    await until(() => messages('record').length > 0, 'the first records');
    await deploy(flow);
    const count = messages('record').length;
    assert.ok(count < rows.length, String(count));
    for (let turn = 0; turn < 100; turn += 1) await setImmediate();
    assert.deepEqual([messages('record').length, messages('done').length], [count, 0]);
  });

  it('reads times, numbers and directions as its dialog says', async () => {
    await start({
      pbx: 'CC',
      clock: 'zone',
      timeZone: 'Europe/Moscow',
      country: 'BY',
      extensions: '6XXX',
      directions: ['in', 'out'],
    });
    receive('n', {
      payload: [
        { ...row, originatorDN: '80172000101' },
        { ...row, nodeID: 2, contactType: 3 },
      ],
    });
    await waitForMessages('done');
    assert.deepEqual(
      records().map(({ pbx, startedAt, client }) => [pbx, startedAt, client?.e164]),
      [['CC', '2026-11-20T09:00:00.000Z', '+375172000101']],
    );
  });

  it('makes a record of a click through Finesse, and nothing of an order that nobody dialled', async () => {
    await start();
    const refused = {
      eventId: 'tcrm-a-7-outcome',
      pbx: 'Finesse',
      outcome: 'busy',
      number: '89031234567',
      extension: '1001',
      queuedAt: '2026-11-20T09:00:00.000Z',
      endedAt: '2026-11-20T09:00:05.000Z',
    };
    receive('n', { topic: 'order_outcome', payload: { ...refused, outcome: 'refused' } });
    receive('n', { topic: 'order_outcome', payload: { ...refused, startedAt: refused.queuedAt } });
    await waitForMessages('record');
    assert.deepEqual(
      records().map(({ direction, result, extension }) => [direction, result, extension]),
      [['out', 'busy', '1001']],
    );
    receive('n', { topic: 'order_outcome', payload: { outcome: 7 } });
    assert.match(await caught(), /eventId/);
  });

  it('refuses what are no rows, and more of them than a day has', async () => {
    await start();
    let count = 0;
    for (const payload of [undefined, null, 'sessionID;nodeID', { rows: [] }, 7]) {
      receive('n', { payload });
      assert.match(await caught((count += 1)), /There are no rows of Unified CCX here/);
    }
    receive('n', { payload: Array.from({ length: 50_001 }, () => row) });
    assert.match(await caught(count + 1), /50001 rows in one message are too many: take at most 50000/);
    assert.deepEqual(messages('done'), []);
    receive('n', { payload: [] });
    assert.deepEqual((await waitForMessages('done'))[0]?.payload, { rows: 0, records: 0, unfinished: 0, bad: 0 });
  });

  it('reads a day of a large contact centre, and lets others work meanwhile', async () => {
    await start();
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    receive('n', { payload: Array.from({ length: 5000 }, (_each, at) => ({ ...row, sessionID: String(at) })) });
    await waitForMessages('done', 1, 30_000);
    clearInterval(timer);
    assert.equal(records().length, 5000);
    assert.ok(turns >= 5, `${turns} turns`);
  });

  it('says which setting is wrong, in the language of the runtime, and does nothing else', async () => {
    for (const [settings, words] of [
      [{ clock: 'zone', timeZone: 'Moscow time' }, /Часовой пояс: «Moscow time» не подходит/],
      [{ country: 'Russia' }, /Russia/],
      [{ prefix: '9 or 0' }, /Выход в город/],
      [{ extensions: '9-1' }, /9-1/],
    ] as const) {
      await start(settings, 'ru');
      assert.deepEqual([lastStatus('n')?.fill, lastStatus('n')?.text], ['red', 'uccx-records.status.settings']);
      assert.match(logLines('n').find(({ level }) => level === 'error')?.text ?? '', words);
      receive('n', { payload: [row] });
      assert.match(await caught(), words);
      assert.deepEqual(records(), []);
      await unload();
    }
  });
});
