import assert from 'node:assert/strict';
import type { AgentDone, ControlDone } from '../../lib/control/types';
import amiConfig from '../../nodes/ami-config';
import callControl from '../../nodes/call-control';
import crmConfig from '../../nodes/crm-config';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import { until } from '../support/wait';
import {
  deploy,
  load,
  messages,
  node,
  receive,
  unload,
  waitForMessages,
  waitForStatus,
  type FlowNode,
} from './support/runtime';

type Properties = Readonly<Record<string, unknown>>;
type Answer = ControlDone & {
  readonly ok: boolean;
  readonly error?: { readonly code: string; readonly message: string };
};

const nodes = [amiConfig, crmConfig, callControl];
const LINK = '@telephony-crm/node-red-asterisk/ami-config:ami-config.status';

const flow = (more: Properties = {}, pbxMore: Properties = {}): FlowNode[] => [
  { id: 'f', type: 'tab' },
  { id: 'pbx', type: 'ami-config', name: 'practice', mode: 'simulator', ...pbxMore },
  {
    id: 'crm',
    type: 'crm-config',
    kind: 'demo',
    settings: {},
    people: [{ userId: '3', extension: '101', name: 'Anna' }],
  },
  { id: 'control', type: 'call-control', z: 'f', pbx: 'pbx', crm: 'crm', wires: [['done']], ...more },
  { id: 'done', type: 'sink', z: 'f', wires: [] },
  { id: 'catch', type: 'catch', z: 'f', scope: null, uncaught: false, wires: [['caught']] },
  { id: 'caught', type: 'sink', z: 'f', wires: [] },
  { id: 'complete', type: 'complete', z: 'f', scope: ['control'], uncaught: false, wires: [['completed']] },
  { id: 'completed', type: 'sink', z: 'f', wires: [] },
];

async function start(more?: Properties, pbxMore?: Properties): Promise<void> {
  await load(nodes, flow(more, pbxMore));
  await waitForStatus('control', { text: `${LINK}.simulator` });
}

/** A client talks with 101, for a second and a half at most; gives the Linkedid. */
async function talk(): Promise<string> {
  const { pbx } = node('pbx') as AmiConfigNode;
  let isUp = false;
  const end = pbx.client.subscribe(['BridgeEnter'], (event) => {
    if (event.get('BridgeNumChannels') === '2') isUp = true;
  });
  const callId = await new Promise<string>((resolve) => {
    const call = { from: '84951343060', did: '74951000111', onBegin: resolve };
    void pbx.simulator!.call(call).catch(() => undefined);
  });
  await until(() => isUp, 'the conversation');
  end();
  return callId;
}

/** What became of an order: its answer, or the error that a Catch node got. */
async function outcome(msg: Properties): Promise<Answer | Error> {
  const before = [messages('done').length, messages('caught').length] as const;
  const news = (): Answer | Error | undefined => {
    const done = messages('done')[before[0]];
    if (done) return done.payload as Answer;
    const { error } = (messages('caught')[before[1]] ?? {}) as { readonly error?: { readonly code: string } };
    return error && Object.assign(new Error('caught'), error);
  };
  receive('control', { ...msg });
  await until(() => news() !== undefined, 'the outcome');
  return news()!;
}
/** A held call lasts as long as a test may need. */
async function wait(callId: string): Promise<void> {
  assert.equal(((await outcome({ payload: { action: 'hold', callId } })) as Answer).held, true);
}
const codeOf = (result: Answer | Error): unknown => (result as { readonly code?: unknown }).code;

describe('call-control', () => {
  afterEach(unload);

  it('carries an order out, says so, and leaves the rest of the message alone', async () => {
    await start();
    const callId = await talk();
    receive('control', { payload: { action: 'toggle-hold', user: '3', callId }, topic: 't', usercrm: { id: '1' } });
    const [message] = await waitForMessages('done');
    const { payload, topic, usercrm } = message as { payload: Answer; topic: string; usercrm: unknown };
    const { ok, held, extension } = payload;
    assert.deepEqual({ ok, held, extension }, { ok: true, held: true, extension: '101' });
    assert.equal(payload.callId, callId);
    assert.deepEqual([topic, usercrm], ['t', { id: '1' }]);
    await waitForStatus('control', { fill: 'green', text: 'done: toggle-hold' });
    await waitForMessages('completed');
    assert.equal(messages('completed').length, 1);
  });

  it('goes after the orders of other nodes on the same call', async () => {
    const other = { id: 'other', type: 'call-control', z: 'f', pbx: 'pbx', wires: [['done']] };
    const both = [...flow(), other];
    await load(nodes, both);
    await waitForStatus('control', { text: `${LINK}.simulator` });
    await wait(await talk());
    const payload = { action: 'toggle-hold', extension: '101' };
    for (const id of ['control', 'other']) receive(id, { payload: { ...payload } });
    await until(() => messages('done').length === 3, 'both orders');
    const held = messages('done').map((each) => (each.payload as Answer).held);
    assert.deepEqual(held, [true, false, true]);
    // One of the nodes goes: the other one works on, and with the last of them nothing is left behind.
    const { client } = (node('pbx') as AmiConfigNode).pbx;
    await deploy(flow());
    assert.equal(((await outcome({ payload })) as Answer).held, false);
    assert.equal(((await outcome({ payload })) as Answer).held, true);
    const ends: string[] = [];
    const subscribe = client.subscribe.bind(client);
    client.subscribe = (names, handler) => {
      const end = subscribe(names, handler);
      ends.push('begun');
      return () => {
        ends.push('ended');
        end();
      };
    };
    await deploy(flow().filter(({ id }) => id !== 'control'));
    await deploy(flow());
    assert.ok(ends.includes('begun'), 'it was not closed');
    await deploy(flow().filter(({ id }) => id !== 'control'));
    assert.equal(ends.filter((each) => each === 'begun').length, ends.filter((each) => each === 'ended').length);
  });

  it('takes from the dialog what the message does not say', async () => {
    await start({ action: 'transfer', extension: '101', to: '105' });
    await wait(await talk());
    const first = (await outcome({ payload: { to: '199' } })) as Answer;
    assert.equal(codeOf(first), 'CONTROL_NOT_POSSIBLE');
    const { action, extension } = (await outcome({ payload: 'now' })) as Answer;
    assert.deepEqual([action, extension], ['transfer', '101']);
  });

  it('reads and writes the properties that were chosen', async () => {
    await start({ order: 'order.x', output: 'order.done' });
    await talk();
    receive('control', { order: { x: { action: 'mute', extension: '101' } }, payload: 'mine' });
    const [message] = await waitForMessages('done');
    assert.equal((message?.order as { done: Answer }).done.ok, true);
    assert.equal(message?.payload, 'mine');
  });

  it('gives an order that fails to a Catch node, once', async () => {
    await start();
    const failing: readonly (readonly [Properties, string])[] = [
      [{ action: 'hangup', extension: '101' }, 'CONTROL_NO_CALL'],
      [{ action: 'explode', extension: '101' }, 'CONTROL_BAD_ORDER'],
      [{ action: 'hangup' }, 'CONTROL_BAD_ORDER'],
      [{ action: 'hangup', user: '99' }, 'CONTROL_NO_USER'],
      [{ action: 'hangup', ip: '192.0.2.7' }, 'CONTROL_NO_PHONE'],
    ];
    for (const [payload, code] of failing) assert.equal(codeOf(await outcome({ payload })), code);
    assert.equal(messages('caught').length, failing.length);
    assert.equal(messages('done').length, 0);
  });

  it('sends it on when somebody outside asked, so that he is told', async () => {
    await start();
    const usercrm = { id: '1' };
    const answer = await outcome({ payload: { action: 'hangup', callId: '1.1' }, usercrm });
    const { ok, error } = answer as Answer;
    assert.deepEqual([ok, error?.code], [false, 'CONTROL_NO_CALL']);
    assert.match(error?.message ?? '', /1\.1/);
    assert.equal(messages('caught').length, 0);
  });

  it('refuses hostile texts in every field before anything is sent', async () => {
    await start();
    const callId = await talk();
    await wait(callId);
    const hostile = ['a\r\nAction: Hangup', 'x\u0000', 'y'.repeat(300), { 'a b': 1 }, ['101'], NaN, '"; rm', '101,1'];
    const asked = { callId, extension: '101', to: '105' };
    for (const value of hostile) {
      for (const field of ['callId', 'legId', 'extension', 'to', 'context', 'file', 'variables', 'action']) {
        const action = field === 'file' ? 'record-start' : field === 'variables' ? 'set' : 'redirect';
        const result = await outcome({ payload: { action, ...asked, [field]: value } });
        assert.match(String(codeOf(result)), /^CONTROL_(BAD_ORDER|NO_CALL)$/, `${field}: ${JSON.stringify(value)}`);
      }
    }
    assert.equal(((await outcome({ payload: { action: 'mute', callId } })) as Answer).ok, true);
  });

  it('refuses at once without a PBX, and with wrong settings of it', async () => {
    await load(nodes, flow({ pbx: '' }));
    assert.equal(codeOf(await outcome({ payload: { action: 'hangup', extension: '101' } })), 'PBX_NOT_CHOSEN');
    await deploy(flow({}, { country: 'nowhere' }), 'full');
    assert.equal(codeOf(await outcome({ payload: { action: 'hangup', extension: '101' } })), 'PHONE_BAD_PLAN');
  });

  it('logs an agent in under his name in the CRM, pauses him and logs him out', async () => {
    await start({ queue: 'support', reason: 'Обед' });
    const { client } = (node('pbx') as AmiConfigNode).pbx;
    const order = async (payload: Properties): Promise<AgentDone> =>
      (await outcome({ payload })) as unknown as AgentDone;
    const { ok, changed, queues } = (await outcome({
      payload: { action: 'queue-login', extension: '102' },
    })) as unknown as AgentDone & { readonly ok: boolean };
    assert.deepEqual([ok, changed, queues], [true, true, ['support']]);
    await waitForStatus('control', { fill: 'green', text: 'done: queue-login' });
    assert.equal((await order({ action: 'queue-login', extension: '102' })).changed, false);
    assert.equal((await order({ action: 'pause', user: '3' })).changed, true);
    const rows = await client.list({ action: 'QueueStatus' });
    assert.equal(rows.find((row) => row.get('Location') === 'PJSIP/101')?.get('PausedReason'), 'Обед');
    assert.equal((await order({ action: 'queue-logout', extension: '102' })).changed, true);
    assert.equal(codeOf(await outcome({ payload: { action: 'pause', extension: '102' } })), 'CONTROL_NOT_MEMBER');
  });

  it('goes on after a deploy with a call that was held before', async () => {
    await start();
    const callId = await talk();
    await wait(callId);
    await deploy(flow({ name: 'changed' }));
    const { held } = (await outcome({ payload: { action: 'toggle-hold', callId } })) as Answer;
    assert.equal(held, false);
  });

  it('counts its transfers on when the PBX is deployed anew', async () => {
    await start({}, { perCaller: '1' });
    const guard = () => (node('pbx') as AmiConfigNode).pbx.dialling.guard;
    const before = guard();
    assert.ok(before.take('101', 'transfer-1').free);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await deploy(flow({}, { perCaller: '1', country: 'RU' }));
    assert.notEqual(guard(), before);
    assert.equal(guard().take('101').free, false);
    assert.ok(guard().take('102').free);
  });
});
