import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { QueueCallPayload, QueueMessage } from '../../lib/messages/queues';
import type { Report } from '../../lib/reports/types';
import type { CallPage } from '../../lib/store/types';
import amiConfig from '../../nodes/ami-config';
import callHistory from '../../nodes/call-history';
import type { AmiConfigNode, StoreConfigNode } from '../../nodes/runtime/config-nodes';
import simulatedCall from '../../nodes/simulated-call';
import storeConfig from '../../nodes/store-config';
import { until } from '../support/wait';
import { record } from '../unit/store/support/temp-store';
import { tab } from './support/route-flow';
import {
  deploy,
  lastStatus,
  load,
  messages,
  node,
  receive,
  unload,
  waitForMessages,
  waitForStatus,
} from './support/runtime';
import type { FlowNode } from './support/runtime';
import { storeNode, UserDir } from './support/store-flow';

type Properties = Readonly<Record<string, unknown>>;

const STATUS = '@telephony-crm/node-red-asterisk/store-config:store-config.status';
const NOW = new Date().toISOString();

const history = (more: Properties = {}): FlowNode => ({
  id: 'history',
  type: 'call-history',
  z: 'f',
  store: 'store',
  query: 'payload',
  output: 'payload',
  limit: '50',
  sort: '-startedAt',
  wires: [['found']],
  ...more,
});
const sinks: FlowNode[] = ['found', 'caught', 'completed'].map((id) => ({ id, type: 'sink', z: 'f', wires: [] }));
const others: FlowNode[] = [
  ...sinks,
  { id: 'catch', type: 'catch', z: 'f', scope: null, uncaught: false, wires: [['caught']] },
  { id: 'complete', type: 'complete', z: 'f', scope: ['history'], uncaught: false, wires: [['completed']] },
];

describe('call-history', () => {
  let user: UserDir;
  beforeEach(() => (user = new UserDir()));
  afterEach(async () => {
    await unload();
    user.remove();
  });

  const start = (more: Properties = {}, nodes: readonly FlowNode[] = [storeNode()]) =>
    load([user.init, storeConfig, amiConfig, simulatedCall, callHistory], [tab, ...nodes, history(more), ...others]);
  const keep = async (...records: ReturnType<typeof record>[]): Promise<void> => {
    const before = messages('completed').length;
    for (const payload of records) receive('history', { topic: 'call_record', payload });
    await waitForMessages('completed', before + records.length);
  };
  const ask = async (payload: unknown): Promise<CallPage> => {
    const count = messages('found').length;
    receive('history', { payload });
    return (await waitForMessages('found', count + 1)).at(-1)?.payload as CallPage;
  };
  const idsOf = ({ calls }: CallPage): string[] => calls.map(({ callId }) => callId);
  const errorOf = async (msg: Properties): Promise<{ readonly code: string; readonly message: string }> => {
    const count = messages('caught').length;
    receive('history', msg);
    const caught = (await waitForMessages('caught', count + 1)).at(-1);
    const { error } = caught as { readonly error: { readonly message: string; readonly code?: string } };
    return { code: String((error as { code?: string }).code), message: error.message };
  };

  it('keeps records from the wire and finds them, in its own form and that of UserCRM', async () => {
    await start();
    await keep(
      record('1.1', { startedAt: '2026-01-10T10:00:00.000Z' }),
      record('1.2', { startedAt: '2026-01-11T10:00:00.000Z', result: 'missed', client: { number: '89160000000' } }),
    );
    assert.equal(messages('found').length, 0, 'a record is kept and goes nowhere');
    assert.deepEqual(await ask({ numbers: '+7 495 123-45-67' }), { calls: [record('1.1')], total: 1 });
    assert.deepEqual(idsOf(await ask({ results: ['missed'], from: '2026-01-11' })), ['1.2']);
    const getCdr = {
      sort: { dt: '+' },
      limit: 10,
      offset: 0,
      params: {
        start_dt: String(Date.UTC(2026, 0, 1) / 1000),
        end_dt: String(Date.UTC(2026, 1, 1) / 1000),
        src_or_dst_list: ['+74951234567', '+79160000000'],
      },
    };
    assert.deepEqual(idsOf(await ask(getCdr)), ['1.1', '1.2']);
    assert.deepEqual([lastStatus('history')?.fill, lastStatus('history')?.text], ['green', 'found: 2']);
  });

  it('goes on with the next page', async () => {
    await start({ limit: '2' });
    await keep(...['1', '2', '3'].map((id, n) => record(id, { startedAt: new Date(n * 1000).toISOString() })));
    const first = await ask({});
    assert.deepEqual([idsOf(first), first.total], [['3', '2'], 3]);
    const second = await ask({ after: first.next });
    assert.deepEqual([idsOf(second), second.next], [['1'], undefined]);
  });

  it('asks as the dialog says where the message says nothing, and leaves the rest of it alone', async () => {
    await start({
      query: 'ask.calls',
      output: 'answer',
      days: '2',
      results: ['missed'],
      directions: ['in'],
      sort: 'startedAt',
    });
    await keep(
      record('old', { result: 'missed' }),
      record('answered', { startedAt: NOW }),
      record('missed', { startedAt: NOW, result: 'missed' }),
    );
    receive('history', { payload: 'mine', topic: 't' });
    const [message] = await waitForMessages('found', 1);
    assert.deepEqual([message?.payload, message?.topic, idsOf(message?.answer as CallPage)], ['mine', 't', ['missed']]);
    receive('history', { ask: { calls: { results: 'answered' } } });
    const [, second] = await waitForMessages('found', 2);
    assert.deepEqual(idsOf(second?.answer as CallPage), ['answered']);
  });

  it('tells a Catch node what is wrong with a question or a record', async () => {
    await start();
    assert.equal((await errorOf({ payload: { number: '101' } })).code, 'QUERY_BAD');
    assert.match((await errorOf({ payload: { from: 'noon' } })).message, /"from" is "noon"/);
    assert.equal((await errorOf({ payload: { after: 'x' } })).code, 'QUERY_BAD');
    for (const payload of ['x', { ...record('1'), extension: 101 }, { ...record('1'), legs: [null] }]) {
      assert.equal((await errorOf({ topic: 'call_record', payload })).code, 'MESSAGE_BAD');
    }
    assert.match(
      (await errorOf({ topic: 'call_record', payload: { ...record('1'), client: { number: 5 } } })).message,
      /payload\.client\.number must be a text/,
    );
    assert.equal((await errorOf({ payload: { sort: { dt: { toString: null } } } })).code, 'QUERY_BAD');
    assert.equal(messages('completed').length, 0);
  });

  it('keeps the calls of a PBX without a wire', async function () {
    this.timeout(30_000);
    const pbx = { id: 'pbx', type: 'ami-config', name: 'Office', mode: 'simulator', country: 'RU' };
    const call = {
      id: 'call',
      type: 'simulated-call',
      z: 'f',
      pbx: 'pbx',
      from: '84951343060',
      did: '74950000001',
      wires: [[]],
    };
    await start({ pbx: 'pbx' }, [storeNode(), pbx, call]);
    await until(() => (node('pbx') as AmiConfigNode).pbx.client.state.phase === 'ready', 'the simulator');
    await waitForStatus('history', { fill: 'green', text: `${STATUS}.open` });
    receive('call', { payload: {} });
    const { store } = node('store') as StoreConfigNode;
    await until(async () => (await store?.stats())?.calls === 1, 'the record of the call', 25_000);
    const [kept] = (await ask({ numbers: '84951343060' })).calls;
    assert.deepEqual([kept?.pbx, kept?.direction, kept?.client?.number], ['Office', 'in', '84951343060']);
  });

  it('answers in red while the PBX whose calls it keeps is out of reach', async () => {
    const pbx = { id: 'pbx', type: 'ami-config', name: 'Office', mode: 'asterisk', host: '127.0.0.1', port: '1' };
    await start({ pbx: 'pbx' }, [storeNode(), pbx]);
    await waitForStatus('history', { fill: 'red' }, 5000);
    const { shape } = lastStatus('history')!;
    assert.equal((await ask({})).total, 0);
    assert.deepEqual(lastStatus('history'), { fill: 'red', shape, text: 'found: 0' });
  });

  it('keeps the life of the queues and agents of a PBX without a wire', async function () {
    this.timeout(30_000);
    const pbx: FlowNode = { id: 'pbx', type: 'ami-config', name: 'Office', mode: 'simulator' };
    const flow = (name: string) => [tab, storeNode(), pbx, history({ pbx: 'pbx', name }), ...others];
    await start({ pbx: 'pbx' }, [storeNode(), pbx]);
    const { queues, client, simulator } = (node('pbx') as AmiConfigNode).pbx;
    await until(() => queues.stats.members > 0, 'the members');
    await waitForStatus('history', { fill: 'green', text: `${STATUS}.open` });
    const told: QueueMessage[] = [];
    queues.subscribe((message) => told.push(message));
    const isTold = (topic: string) => until(() => told.some((one) => one.topic === topic), topic, 25_000);
    await simulator!.call({ from: '79031112233', did: '74951000170' });
    await isTold('agent-hangup');
    // Deployed anew it misses nothing.
    await deploy(flow('anew'), 'nodes');
    await client.action({ action: 'QueuePause', headers: { Interface: 'PJSIP/101', Paused: 'true', Reason: 'Lunch' } });
    await isTold('agent_change');
    const reportOf = async (name: string): Promise<Report> => (await ask({ report: name })) as unknown as Report;
    await until(async () => (await reportOf('agents')).rows[0]?.talks === 1, 'the conversation');
    const { store } = node('store') as StoreConfigNode;
    const paused = async () => (await store!.queueFacts.read({ kind: 'state', from: 0, to: Infinity })).rows;
    await until(async () => (await paused()).length > 0, 'the pause');

    const answer = told.find(({ topic }) => topic === 'agent-answer')!.payload as QueueCallPayload;
    const hangup = told.find(({ topic }) => topic === 'agent-hangup')!.payload as QueueCallPayload;
    const [queue] = (await reportOf('queues')).rows;
    assert.deepEqual(
      [
        queue?.queue,
        queue?.offered,
        queue?.answered,
        queue?.waitLongestSeconds,
        queue?.talks,
        queue?.talkLongestSeconds,
      ],
      [answer.queue?.id, 1, 1, answer.waitSeconds, 1, hangup.talkSeconds],
    );
    const [agent] = (await reportOf('agents')).rows;
    assert.deepEqual(
      [agent?.agent, agent?.offered, agent?.answered, agent?.ringLongestSeconds, agent?.talkSeconds],
      ['101', 1, 1, answer.ringSeconds, hangup.talkSeconds],
    );
    const [{ agent: who, outcome } = assert.fail()] = await paused();
    assert.deepEqual([who, outcome], ['101', 'paused']);
  });

  it('keeps events of queues from the wire, and makes reports as the dialog and the message say', async () => {
    await start({ timeZone: 'Europe/Moscow', serviceSeconds: '30', separator: ';', days: '1', report: 'queues' });
    const call = { callId: '1.1', direction: 'in' };
    const left = {
      ...call,
      eventId: 'e1',
      pbx: 'Office',
      queue: { id: 'sales' },
      at: NOW,
      reason: 'answered',
      waitSeconds: 25,
    };
    for (const topic of ['queue-dial', 'queue-hangup', 'queue-hangup']) receive('history', { topic, payload: left });
    await waitForMessages('completed', 3);
    assert.equal(messages('found').length, 0, 'an event is kept and goes nowhere');
    const report = (await ask('now')) as unknown as Report;
    assert.deepEqual(
      [report.timeZone, report.rows[0]?.queue, report.total.offered, report.total.serviceLevelPercent],
      ['Europe/Moscow', 'sales', 1, 100],
    );
    assert.match(lastStatus('history')?.text ?? '', /found: 1$/);
    const csv: unknown = await ask({ report: 'queues', serviceSeconds: 20, format: 'csv' });
    assert.match(String(csv), /^queue;offered;answered;.*\r\nsales;1;1;0;0;0;0;0;25;/);
    await keep(record('1', { startedAt: NOW, result: 'missed', talked: [] }));
    assert.deepEqual(idsOf(await ask({ report: 'calls' })), ['1']);
    assert.equal(((await ask({ report: 'missed' })) as unknown as Report).total.open, 1);
    assert.match((await errorOf({ payload: { report: 'agents', by: 'year' } })).message, /"by" knows no "year"/);
    for (const [wrong, code] of [
      [{ at: 'noon' }, 'MESSAGE_BAD'],
      [{ pbx: undefined }, 'MESSAGE_BAD'],
      [{ waitSeconds: '25' }, 'MESSAGE_BAD'],
      [{ at: undefined }, 'STORE_BAD_VALUE'],
      [{}, 'STORE_BAD_VALUE'],
    ] as const)
      assert.equal((await errorOf({ topic: 'agent-hangup', payload: { ...left, ...wrong } })).code, code);
  });

  it('shows the state of the store, and refuses in words while it fails', async () => {
    writeFileSync(join(user.path, 'telephony-crm'), 'a file in the place of the folder');
    await start();
    await waitForStatus('history', { fill: 'red', shape: 'ring', text: `${STATUS}.unwritable` });
    assert.equal((await errorOf({ payload: {} })).code, 'STORE_UNWRITABLE');
    assert.equal((await errorOf({ topic: 'call_record', payload: record('1') })).code, 'STORE_UNWRITABLE');
  });

  it('says that no store is chosen, or that its settings are wrong', async () => {
    await start({ store: '' });
    assert.equal(lastStatus('history')?.text, `${STATUS}.missing`);
    assert.equal((await errorOf({ payload: {} })).code, 'STORE_NOT_CHOSEN');
    await unload();
    await start({}, [storeNode({ file: '../x' })]);
    assert.equal(lastStatus('history')?.text, `${STATUS}.settings`);
    assert.equal((await errorOf({ payload: {} })).code, 'STORE_BAD_SETTINGS');
    await unload();
    await start({ limit: '5000' });
    assert.equal(lastStatus('history')?.text, 'call-history.status.settings');
    assert.equal((await errorOf({ payload: {} })).code, 'QUERY_BAD');
    for (const days of ['abc', '-1', '1e9']) {
      await unload();
      await start({ days });
      assert.match((await errorOf({ payload: {} })).message, /"days" is/, days);
    }
  });

  it('answers nothing else than what was meant when its settings are wrong, and goes on keeping what comes', async () => {
    await start({ report: 'missed', timeZone: 'Moskau' });
    await keep(record('1.1'));
    const { code, message } = await errorOf({ payload: {} });
    assert.equal(code, 'QUERY_BAD');
    assert.match(message, /timeZone/);
    receive('history', { payload: {}, usercrm: { id: '7' } });
    const [reply] = await waitForMessages('found', 1);
    assert.equal((reply?.payload as { error?: { code?: string } }).error?.code, 'QUERY_BAD');
  });
});
