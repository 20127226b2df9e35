import assert from 'node:assert/strict';
import amiConfig from '../../nodes/ami-config';
import amiEvent from '../../nodes/ami-event';
import simulatedCall from '../../nodes/simulated-call';
import { FakeAmiServer } from '../support/fake-ami-server';
import type { Lang } from '../../lib/errors';
import type { SimulatedCallOutcome } from '../../lib/simulator/types';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import {
  deploy,
  load,
  messages,
  node,
  receive,
  statuses,
  unload,
  waitForMessages,
  waitForStatus,
  type FlowNode,
} from './support/runtime';
import { until } from '../support/wait';

const LINK = '@telephony-crm/node-red-asterisk/ami-config:ami-config.status';

const config = (more: Record<string, unknown> = {}): FlowNode => ({
  id: 'pbx',
  type: 'ami-config',
  name: 'practice',
  mode: 'simulator',
  ...more,
});
const call: FlowNode = {
  id: 'call',
  type: 'simulated-call',
  z: 'tab',
  pbx: 'pbx',
  from: '84951343060',
  did: '74951000101',
  callerName: '',
  wires: [['outcome']],
};
const rest: FlowNode[] = [
  { id: 'tab', type: 'tab' },
  { id: 'outcome', type: 'sink', z: 'tab', wires: [] },
  { id: 'catch', type: 'catch', z: 'tab', scope: null, wires: [['caught']] },
  { id: 'caught', type: 'sink', z: 'tab', wires: [] },
];

/** Plays the flow that answers the dialplan: every call goes to this extension, or nobody is responsible. */
function serveRoute(extension = ''): void {
  const { pbx } = node('pbx') as AmiConfigNode;
  pbx.client.subscribe(['AsyncAGIStart'], (event) => {
    const channel = event.get('Channel') ?? '';
    const ask = async (): Promise<void> => {
      const set = (name: string, value: string) =>
        pbx.client.action({ action: 'Setvar', headers: { Channel: channel, Variable: name, Value: value } });
      await set('CRM_ROUTE_NUMBER', extension);
      await set('CRM_ROUTE_STATUS', extension === '' ? 'nobody' : 'found');
      await pbx.client.action({ action: 'AGI', headers: { Channel: channel, Command: 'ASYNCAGI BREAK' } });
    };
    ask().catch(() => undefined);
  });
}

describe('simulated-call', () => {
  afterEach(() => unload());

  const start = (flow: FlowNode[], lang: Lang = 'en') =>
    load([amiConfig, amiEvent, simulatedCall], [...rest, ...flow], { lang });
  const outcome = (index = 0) => messages('outcome')[index]?.payload as SimulatedCallOutcome;

  it('plays the call of the dialog right after the deploy and tells how it ended', async () => {
    await start([config(), call]);
    serveRoute();
    receive('call', { topic: 'kept', payload: 1 });
    await waitForMessages('outcome');
    assert.equal(messages('outcome')[0]!.topic, 'kept');
    assert.equal(outcome().from, '84951343060');
    assert.equal(outcome().did, '74951000101');
    assert.equal(outcome().way, 'usual');
    assert.equal(outcome().why, 'nobody-responsible');
    assert.equal(messages('caught').length, 0);
  });

  it('shows who is rung and who answered, in the language of the runtime', async () => {
    await start([config(), call], 'ru');
    await waitForStatus('call', { fill: 'green', text: `${LINK}.simulator` });
    serveRoute('101');
    receive('call', { payload: { from: '+79161234567', name: 'Иван' } });
    await waitForMessages('outcome');
    assert.equal(outcome().result, 'answered');
    assert.equal(outcome().extension, '101');
    assert.equal(outcome().from, '+79161234567');
    const texts = statuses('call').map((status) => status.text);
    assert.ok(texts.includes('звонит 101'), texts.join());
    await waitForStatus('call', { fill: 'green', shape: 'dot', text: 'ответил 101' });
    // What happened gives way to what holds.
    await waitForStatus('call', { text: `${LINK}.simulator` });
  });

  it('gives the events of its calls to ami-event', async () => {
    const event: FlowNode = {
      id: 'event',
      type: 'ami-event',
      z: 'tab',
      pbx: 'pbx',
      mode: 'raw',
      events: 'Newchannel',
      filters: [],
      wires: [['events']],
    };
    await start([config(), call, event, { id: 'events', type: 'sink', z: 'tab', wires: [] }]);
    await waitForStatus('event', { fill: 'green', text: `${LINK}.simulator` });
    receive('call', { payload: {} });
    const [first] = await waitForMessages('events');
    assert.equal(first!.pbx, 'practice');
    assert.equal((first!.payload as { CallerIDNum: string }).CallerIDNum, '84951343060');
  });

  it('ends a call that cannot be played in one error for Catch', async () => {
    await start([config(), call]);
    serveRoute();
    receive('call', { payload: { from: 'a\r\nAction: Originate' } });
    await waitForMessages('caught');
    receive('call', { payload: {} });
    await waitForMessages('outcome');
    assert.equal(messages('caught').length, 1);
    const error = messages('caught')[0]!.error as { message: string; source: { id: string } };
    assert.equal(error.source.id, 'call');
    assert.match(error.message, /"from"/);
  });

  it('does not ring a real PBX: grey status, one error that says what to do', async () => {
    const real = await FakeAmiServer.start();
    try {
      await load(
        [amiConfig, simulatedCall],
        [...rest, config({ mode: 'asterisk', host: real.host, port: real.port }), call],
        { credentials: { pbx: { username: real.username, secret: real.secret } } },
      );
      await waitForStatus('call', { fill: 'grey', shape: 'ring', text: 'simulated-call.status.real-pbx' });
      receive('call', { payload: {} });
      const [caught] = await waitForMessages('caught');
      assert.match((caught!.error as { message: string }).message, /"practice" is a real Asterisk/);
      assert.equal(real.connections.length, 0);
    } finally {
      await real.stop();
    }
  });

  it('says what is wrong with the settings of its PBX, not that it is an Asterisk', async () => {
    await start([config({ country: 'Nowhere' }), call]);
    await waitForStatus('call', { fill: 'red', text: `${LINK}.settings` });
    receive('call', { payload: {} });
    const [caught] = await waitForMessages('caught');
    assert.match((caught!.error as { message: string }).message, /"Nowhere"/);
  });

  it('shows its own calls, not those that another node puts in', async () => {
    const other: FlowNode = { ...call, id: 'other', wires: [['others']] };
    await start([config(), call, other, { id: 'others', type: 'sink', z: 'tab', wires: [] }]);
    await waitForStatus('call', { fill: 'green', text: `${LINK}.simulator` });
    serveRoute('101');
    receive('other', { payload: {} });
    await waitForMessages('others');
    assert.ok(statuses('other').some(({ text }) => text === 'ringing 101'));
    assert.deepEqual(
      statuses('call').filter(({ text }) => text?.startsWith('ringing')),
      [],
    );
  });

  it('says what is missing when it has no PBX', async () => {
    await start([call]);
    await waitForStatus('call', { fill: 'grey', text: `${LINK}.missing` });
    receive('call', { payload: {} });
    const [caught] = await waitForMessages('caught');
    assert.match((caught!.error as { message: string }).message, /has no PBX/);
  });

  it('starts a fresh simulator with each full deploy and leaves no call behind', async () => {
    await start([config(), call]);
    await waitForStatus('call', { text: `${LINK}.simulator` });
    receive('call', { payload: {} });
    await until(() => (node('pbx') as AmiConfigNode).pbx.client.stats.received > 10, 'the call to begin');
    await deploy([...rest, config(), call], 'full');
    await waitForStatus('call', { text: `${LINK}.simulator` });
    serveRoute();
    receive('call', { payload: { from: '101000' } });
    await waitForMessages('outcome');
    assert.deepEqual(
      messages('outcome').map((msg) => (msg.payload as SimulatedCallOutcome).from),
      ['101000'],
    );
  });
});
