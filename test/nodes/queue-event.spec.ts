import assert from 'node:assert/strict';
import type { QueueMessage } from '../../lib/messages/queues';
import amiConfig from '../../nodes/ami-config';
import crmConfig from '../../nodes/crm-config';
import queueEvent from '../../nodes/queue-event';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import { until } from '../support/wait';
import { deploy, load, logLines, messages, node, unload, waitForStatus, type FlowNode } from './support/runtime';

const STATUS = '@telephony-crm/node-red-asterisk/ami-config:ami-config.status';
const TAB: FlowNode = { id: 'tab', type: 'tab' };
/** The number of the queue of the simulator. */
const QUEUE = '74951000170';

describe('queue-event', () => {
  afterEach(unload);

  const config: FlowNode = { id: 'pbx', type: 'ami-config', name: 'office', mode: 'simulator' };
  const people = [{ extension: '101', userId: '7', name: 'Анна' }];
  const crm: FlowNode = { id: 'crm', type: 'crm-config', kind: 'demo', settings: {}, people };
  const event = (more: Record<string, unknown> = {}): FlowNode => ({
    id: 'event',
    type: 'queue-event',
    z: 'tab',
    pbx: 'pbx',
    wires: [['sink']],
    ...more,
  });
  const sink: FlowNode = { id: 'sink', type: 'sink', z: 'tab', wires: [] };
  const pbx = () => (node('pbx') as AmiConfigNode).pbx;
  const came = () => messages('sink') as unknown as readonly (QueueMessage & { variables?: Record<string, string> })[];
  const topics = () => came().map(({ topic }) => topic);
  const connected = () => until(() => pbx().queues.stats.members > 0, 'the members');
  const call = () => pbx().simulator!.call({ from: '79031112233', did: QUEUE });

  it('tells a call in a queue and the agent who takes it, as the CRM knows him', async () => {
    await load([amiConfig, queueEvent, crmConfig], [TAB, config, crm, event({ crm: 'crm', line24: true }), sink]);
    await waitForStatus('event', { fill: 'green', text: `${STATUS}.simulator` });
    await connected();
    await call();
    await until(() => came().some(({ payload }) => 'change' in payload && payload.change === 'idle'), 'the end');
    const calls = topics().filter((topic) => topic !== 'agent_change');
    assert.deepEqual(calls, ['queue-dial', 'agent-dial', 'queue-hangup', 'agent-answer', 'agent-hangup']);
    const answer = came().find(({ topic }) => topic === 'agent-answer');
    assert.ok(answer);
    assert.deepEqual(
      [answer.payload.agent?.id, answer.payload.agent?.phone, answer.payload.user],
      ['7', '101', { id: '7', name: 'Анна' }],
    );
    assert.deepEqual(
      ['callerid', 'directid', 'agent_id', 'event'].map((name) => answer.variables?.[name]),
      ['79031112233', QUEUE, '7', 'agent-answer'],
    );
  });

  it('sends only what is chosen', async () => {
    const chosen = { topics: ['agent-answer', 'agent-hangup'], agents: '102-103' };
    const nodes = [TAB, config, event(chosen), event({ id: 'other', queues: 'sales' }), sink];
    await load([amiConfig, queueEvent], nodes);
    await connected();
    const seen: string[] = [];
    pbx().queues.subscribe(({ topic }) => seen.push(topic));
    await call();
    await until(() => seen.includes('agent-hangup'), 'the end of the conversation');
    assert.deepEqual(topics(), []);
  });

  it('misses nothing while it is deployed anew', async () => {
    const flow = [TAB, config, event({ topics: ['agent_change'] }), sink];
    await load([amiConfig, queueEvent], flow);
    await connected();
    await deploy([TAB, config, event({ name: 'anew', topics: ['agent_change'] }), sink], 'nodes');
    const headers = { Interface: 'PJSIP/101', Paused: 'true', Reason: 'Обед' };
    await pbx().client.action({ action: 'QueuePause', headers });
    await until(() => came().length > 0, 'the pause');
    const [{ payload } = assert.fail()] = came();
    assert.deepEqual(
      ['change' in payload && payload.change, payload.agent?.phone, payload.reason],
      ['paused', '101', 'Обед'],
    );
  });

  it('says what is wrong in the dialog, and that no PBX was chosen', async () => {
    await load([amiConfig, queueEvent], [TAB, config, event({ agents: '199-101' }), event({ id: 'lost', pbx: '' })]);
    await waitForStatus('event', { fill: 'red', text: 'queue-event.status.settings' });
    await waitForStatus('lost', { fill: 'grey' });
    assert.match(logLines('event').find(({ level }) => level === 'error')!.text, /199-101/);
  });
});
