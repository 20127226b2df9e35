import assert from 'node:assert/strict';
import { createAmiClient } from '../../lib/ami';
import type { AmiMessage } from '../../lib/ami/types';
import type { AgentChangePayload, QueueCallPayload, QueueMessage } from '../../lib/messages/queues';
import { numberingPlan } from '../../lib/phone';
import { createPbx, type Pbx } from '../../lib/pbx/pbx';
import { until } from '../support/wait';
import { cuttableLink, type CuttableLink } from './support/cuttable-link';
import { describeAsterisk } from './support/roots';
import { TestBed } from './support/test-bed';

const QUEUE = '74951000202';
const CLIENT = '+74951343060';

describeAsterisk('the life of queues and agents', (version) => {
  let bed: TestBed;
  let link: CuttableLink;
  let pbx: Pbx;
  let told: QueueMessage[] = [];
  const problems: string[] = [];

  before(async () => {
    bed = await TestBed.start({ version });
    link = await cuttableLink(bed.asterisk.amiPort);
    const client = { host: '127.0.0.1', port: link.port, username: 'crm-min', secret: 'crm-min-secret' };
    pbx = createPbx(
      {
        name: 'office',
        plan: numberingPlan({ country: 'RU' }),
        calls: { trunks: ['provider'], trunkContexts: ['from-trunk'] },
        connection: { kind: 'asterisk', driver: 'built-in', client },
      },
      { onProblem: ({ message }) => problems.push(message) },
    );
    pbx.queues.subscribe((message) => told.push(message));
    pbx.open();
    await until(() => pbx.queues.stats.members === 2, 'the members of the queue', 20_000);
  });
  after(async () => {
    await pbx.close();
    await link.close();
    await bed.stop();
  });
  beforeEach(async () => {
    await bed.reset();
    told = [];
  });
  afterEach(async () => {
    link.mend();
    await bed.hangUpAll();
    await until(() => pbx.queues.stats.waiting + pbx.queues.stats.talking === 0, 'the end of all calls', 20_000);
    assert.deepEqual(problems, []);
  });

  const of = (topic: string): QueueCallPayload[] =>
    told.flatMap((one) => (one.topic !== 'agent_change' && one.topic === topic ? [one.payload] : []));
  const changes = (): AgentChangePayload[] =>
    told.flatMap((one) => (one.topic === 'agent_change' ? [one.payload] : []));
  const story = (): string[] =>
    told.flatMap(({ topic, payload }) =>
      'change' in payload ? [] : [[topic, payload.agent?.phone, payload.reason].filter(Boolean).join(' ')],
    );
  const came = (topic: string): Promise<void> => until(() => of(topic).length > 0, topic, 20_000);

  it('are told from the waiting line to the end of the conversation', async () => {
    bed.phones['101'].reset('busy');
    bed.phones['102'].reset('ring');
    const call = bed.call(QUEUE);
    const rings = await bed.phones['102'].nextCall();
    await until(() => of('agent-cancel').some(({ reason }) => reason === 'busy'), 'the busy agent', 20_000);
    rings.answer();
    await came('agent-answer');
    await until(() => changes().some(({ change }) => change === 'busy'), 'the agent to be busy', 20_000);
    rings.bye();
    await came('agent-hangup');
    await call.ended;
    const [joined] = of('queue-dial');
    assert.deepEqual(
      [joined?.queue?.id, joined?.client?.e164, joined?.line?.number, joined?.position, joined?.direction],
      ['support', CLIENT, QUEUE, 1, 'in'],
    );
    assert.deepEqual(
      of('queue-hangup').map(({ reason }) => reason),
      ['answered'],
    );
    const [ended] = of('agent-hangup');
    assert.deepEqual(
      [ended?.agent?.phone, ended?.agent?.name, ended?.reason, ended?.callId],
      ['102', 'Agent Two', 'agent', joined?.callId],
    );
    const opened = of('agent-dial').map(({ legId }) => legId);
    const closed = [...of('agent-answer'), ...of('agent-cancel')].map(({ legId }) => legId);
    assert.deepEqual(closed.sort(), opened.sort());
    await until(() => changes().at(-1)?.change === 'idle', 'the agent to be idle', 20_000);
    assert.deepEqual(
      changes().map(({ change, agent }) => `${agent.phone} ${change}`),
      ['102 busy', '102 idle'],
    );
  });

  it('tell who declined, and that the caller gave up', async () => {
    bed.phones['101'].reset('decline');
    bed.phones['102'].reset('ring');
    const call = bed.call(QUEUE);
    await bed.phones['102'].nextCall();
    await until(() => of('agent-cancel').some(({ reason }) => reason === 'declined'), 'the refusal', 20_000);
    await until(() => of('agent-dial').some(({ agent }) => agent?.phone === '102'), 'the other agent', 20_000);
    call.bye();
    await came('queue-hangup');
    const [left] = of('queue-hangup');
    assert.deepEqual([left?.reason, left?.hangup?.by], ['abandoned', 'client']);
    assert.ok(of('agent-cancel').some(({ agent, reason }) => agent?.phone === '102' && reason === 'abandoned'));
    assert.equal(of('agent-answer').length, 0);
  });

  it('tell pauses and log-ins per queue, once, and what changed while the link was cut', async () => {
    const [other, third] = ['PJSIP/102', 'PJSIP/103'];
    await admin('QueuePause', { Interface: other, Paused: 'true', Reason: 'Обед' });
    await until(() => changes().length > 0, 'the pause', 20_000);
    await admin('QueuePause', { Interface: other, Paused: 'true', Reason: 'Обед' });
    link.cut();
    await until(() => pbx.client.state.phase === 'waiting', 'the cut to be noticed');
    await admin('QueuePause', { Interface: other, Paused: 'false' });
    await admin('QueueAdd', { Queue: 'support', Interface: third, MemberName: 'Agent Three' });
    link.mend();
    await until(() => changes().length >= 3, 'what was missed', 30_000);
    await admin('QueueRemove', { Queue: 'support', Interface: third });
    await until(() => changes().length >= 4, 'the log-out', 20_000);
    const lines = changes().map(({ agent, change, reason = '', reconciled = false }) =>
      [agent.phone, change, reason, reconciled ? 'found' : 'heard'].join(' '),
    );
    assert.deepEqual(
      [lines[0], ...lines.slice(1, 3).sort(), ...lines.slice(3)],
      ['102 paused Обед heard', '102 unpaused  found', '103 login  found', '103 logout  heard'],
    );
  });

  it('tell after a cut what became of a caller, and nothing twice', async () => {
    bed.phones['101'].reset('ring');
    bed.phones['102'].reset('ring');
    const call = bed.call(QUEUE);
    const rings = await bed.phones['102'].nextCall();
    await until(() => of('agent-dial').length === 2, 'both phones', 20_000);
    link.cut();
    await until(() => pbx.client.state.phase === 'waiting', 'the cut to be noticed');
    rings.answer();
    await call.answered;
    await until(
      async () =>
        (await bed.asterisk.cli('core show channels concise')).split('\n').filter((line) => line.includes('!Up!'))
          .length === 2,
      'the conversation',
      20_000,
    );
    link.mend();
    await came('agent-answer');
    assert.deepEqual(story().sort(), [
      'agent-answer 102',
      'agent-cancel 101 answered-elsewhere',
      'agent-dial 101',
      'agent-dial 102',
      'queue-dial',
      'queue-hangup answered',
    ]);
    call.bye();
    await came('agent-hangup');
    const [ended] = of('agent-hangup');
    assert.deepEqual([ended?.agent?.phone, ended?.reason, ended?.reconciled], ['102', 'caller', undefined]);
    assert.equal(of('agent-hangup').length, 1);
  });

  it('find a caller who came while the link was cut', async () => {
    bed.phones['101'].reset('ring');
    bed.phones['102'].reset('ring');
    link.cut();
    await until(() => pbx.client.state.phase === 'waiting', 'the cut to be noticed');
    const call = bed.call(QUEUE);
    await bed.phones['102'].nextCall();
    link.mend();
    await came('queue-dial');
    assert.deepEqual(story(), ['queue-dial']);
    assert.equal(of('queue-dial')[0]?.reconciled, true);
    call.bye();
    await came('queue-hangup');
    assert.deepEqual(
      of('queue-hangup').map(({ reason }) => reason),
      ['abandoned'],
    );
  });

  async function admin(action: string, headers: Record<string, string>): Promise<AmiMessage> {
    const { amiPort: port } = bed.asterisk;
    const other = createAmiClient({ host: '127.0.0.1', port, username: 'admin', secret: 'admin-secret' });
    try {
      other.connect();
      await until(() => other.state.phase === 'ready', 'the link of the admin');
      const answer = await other.action({ action, headers });
      assert.equal(answer.name, 'Success', answer.get('Message'));
      return answer;
    } finally {
      await other.close();
    }
  }
});
