import assert from 'node:assert/strict';
import { createAmiClient } from '../../lib/ami';
import type { AmiClient } from '../../lib/ami/types';
import { FakeCrm, text as body, type Behaviour } from '../support/fake-crm';
import { until } from '../support/wait';
import { REAL_PBX } from './support/order-flow';
import { exampleFlow, type FlowNode, type PackInNodeRed, startPack } from './support/pack-in-node-red';
import { describeAsterisk } from './support/roots';
import { SipPhone } from './support/sip/phone';
import { DID, TestBed } from './support/test-bed';

const NINE = [
  'queue-dial',
  'queue-hangup',
  'agent-dial',
  'agent-answer',
  'agent-hangup',
  'agent-cancel',
  'agent-custom',
  'agent-dialout-answer',
  'agent-dialout-hangup',
] as const;
/** The twelve of the document (2.1), in its order, and those that it names in words (3.1). */
const VARIABLES = [
  ...['callerid', 'directid', 'region_name', 'region_time', 'queue_id', 'queue_name', 'uniqueid'],
  ...['agent_id', 'agent_phone', 'agent_name', 'agent_info', 'call_info'],
  ...['transfer_uniqueid', 'dialed_number', 'hold_time', 'ring_time', 'talk_time', 'hangup_code', 'reason'],
] as const;
type Told = Readonly<Record<(typeof VARIABLES)[number] | 'event', string>>;

const QUEUE = '74951000202';
const NAME = 'ООО «Ромашка», (Юг)';
const text = (said: string): Behaviour => body(said, 'text/plain; charset=utf-8');
const SILENCE: Behaviour = text('');

describeAsterisk('scripts as in Линия24', (version) => {
  let bed: TestBed;
  let client: SipPhone;
  let crm: FakeCrm;
  let nodeRed: PackInNodeRed;
  let admin: AmiClient;
  /** What the script answers to an event, or before the queue (`lookup`). */
  let script: Readonly<Record<string, Behaviour>> = {};

  before(async () => {
    bed = await TestBed.start({ version, globals: { TELEPHONY_CRM_USUAL: `from-trunk,${QUEUE},1` } });
    const { amiPort: port, sipPort: server } = bed.asterisk;
    client = await SipPhone.registered({ server, user: 'client' });
    crm = await new FakeCrm((request, response) => {
      const event = new URL(request.url, 'http://crm').searchParams.get('event') ?? '';
      (script[event] ?? SILENCE)(request, response);
    }).start();
    nodeRed = await startPack(flow(port, crm.origin));
    await bed.asterisk.setGlobal('TELEPHONY_CRM_URL', `${nodeRed.url}/forward`);
    const isLinked = async () => (await bed.asterisk.cli('manager show connected')).includes('crm-dial');
    await until(isLinked, 'the link of the flow', 30_000);
    admin = createAmiClient({ host: '127.0.0.1', port, username: 'admin', secret: 'admin-secret' });
    admin.connect();
    await until(() => admin.state.phase === 'ready', 'the link of the admin');
  });
  after(async () => {
    client.close();
    await admin.close();
    await nodeRed.stop();
    await bed.stop();
    await crm.stop();
  });
  beforeEach(async () => {
    script = {};
    await bed.reset();
    bed.phones['101'].reset('ring');
    bed.phones['102'].reset('ring');
    crm.requests.length = 0;
  });
  afterEach(() => bed.hangUpAll());

  const told = (): Told[] =>
    crm.requests.flatMap(({ url }) => {
      const all = Object.fromEntries(new URL(url, 'http://crm').searchParams) as Told;
      return all.event === 'lookup' ? [] : [all];
    });
  const tellsOf = (event: string, is: (one: Told) => boolean = () => true): Promise<void> =>
    until(() => told().some((one) => one.event === event && is(one)), event, 30_000).catch((thrown: unknown) => {
      throw new Error(
        `only ${told()
          .map((one) => one.event)
          .join(', ')}\n${nodeRed.log().slice(-2000)}`,
        { cause: thrown },
      );
    });
  const of = (event: string): Told => told().find((one) => one.event === event) ?? assert.fail(event);
  /** The waiting line as the PBX shows it: channel and priority of each caller. */
  async function line(): Promise<(readonly [string, number])[]> {
    const shown = await bed.asterisk.cli('queue show support');
    return [...shown.matchAll(/\d+\. (\S+) \(wait: \S+ prio: (\d+)\)/g)].map(([, channel = '', prio]) => [
      channel,
      Number(prio),
    ]);
  }
  const waiting = (count: number): Promise<void> =>
    until(async () => (await line()).length === count, `${count} in the queue`, 30_000);
  async function variable(channel: string, Variable: string): Promise<string> {
    const answer = await admin.action({ action: 'Getvar', headers: { Channel: channel, Variable } });
    return answer.get('Value') ?? '';
  }
  /** So many answers to `queue-dial` have been set on their calls, or refused. */
  const settled = (): number => nodeRed.log().split(/\[debug:settled\]\s+queue-dial/).length - 1;
  /** An event is told anew after an answer that was none. */
  const asked = (): number => told().filter(({ event }) => event === 'queue-dial').length;
  const from = (fromNumber: string) => ({ fromNumber, fromName: 'Client' });

  it('are called at the nine events, in their order, with the variables of the document', async () => {
    script = {
      lookup: text(`CALLERID(name)=${NAME}&QUEUE_PRIO=5&call_info=VIP 1&agent_info=a@b`),
    };
    bed.phones['102'].reset('busy');
    const call = bed.call(DID.overAgi, from('+78124485301'));
    await tellsOf('agent-cancel');
    const rings = await bed.phones['101'].nextCall();
    assert.equal(rings.callerName, NAME);
    const [[channel] = []] = await line();
    const linkedid = await variable(channel ?? '', 'CHANNEL(linkedid)');
    const clocks = [clock()];
    rings.answer();
    await tellsOf('agent-answer');
    clocks.push(clock());
    await new Promise((done) => setTimeout(done, 2000));
    call.bye();
    await tellsOf('agent-hangup');
    client.reset('answer');
    const out = bed.phones['101'].call('88124485306');
    await out.answered;
    await new Promise((done) => setTimeout(done, 1500));
    out.bye();
    await tellsOf('agent-dialout-hangup');

    const inQueue = told().filter(({ agent_phone, event }) => !event.includes('dialout') && agent_phone !== '102');
    const order = inQueue.map(({ event }) => event).filter((event) => event !== 'queue-hangup');
    assert.deepEqual(order, ['queue-dial', 'agent-dial', 'agent-answer', 'agent-hangup', 'agent-custom']);
    const all = told().map(({ event }) => event);
    assert.deepEqual([...new Set(all)].sort(), [...NINE].sort());
    assert.deepEqual(all.slice(-3), ['agent-custom', 'agent-dialout-answer', 'agent-dialout-hangup']);
    for (const one of told().filter(({ event }) => !event.includes('dialout') && event !== 'agent-custom')) {
      const { callerid, directid, region_name, queue_id, queue_name, uniqueid } = one;
      assert.deepEqual(
        [callerid, directid, region_name, queue_id, queue_name, uniqueid],
        ['+78124485301', DID.overAgi, 'Saint Petersburg', 'support', 'support', linkedid],
        one.event,
      );
    }
    const answer = of('agent-answer');
    const { agent_id, agent_phone, agent_name, agent_info, call_info } = answer;
    assert.deepEqual(
      [agent_id, agent_phone, agent_name, agent_info, call_info],
      ['7', '101', 'Agent One', 'a@b', 'VIP 1'],
    );
    assert.ok(clocks.includes(answer.region_time), `${answer.region_time}, not ${clocks.join(' or ')}`);
    assert.ok(/^\d+$/.test(answer.hold_time) && /^\d+$/.test(answer.ring_time), 'times of the wait');
    assert.equal(of('queue-dial').call_info, 'VIP 1');
    assert.deepEqual([of('queue-hangup').reason, of('queue-hangup').hangup_code], ['answered', '16']);
    const cancel = of('agent-cancel');
    assert.deepEqual([cancel.agent_phone, cancel.reason, cancel.hangup_code], ['102', 'busy', '17']);
    const ended = of('agent-hangup');
    assert.deepEqual([ended.reason, ended.hold_time], ['caller', answer.hold_time]);
    assert.ok(Math.abs(Number(ended.talk_time) - 2) <= 1, ended.talk_time);
    const custom = of('agent-custom');
    assert.deepEqual([custom.agent_phone, custom.dialed_number.replace(/^(?:\+7|8)/, '')], ['101', '8124485306']);
    const over = of('agent-dialout-hangup');
    assert.deepEqual([over.agent_phone, over.hangup_code, over.uniqueid], ['101', '16', custom.uniqueid]);
    assert.equal(over.transfer_uniqueid, '');
  });

  for (const [how, did] of [
    ['AsyncAGI', DID.overAgi],
    ['CURL', DID.overHttp],
  ] as const) {
    it(`give a caller his priority before he is queued, over ${how}`, async () => {
      const plain = bed.call(did, from(`+7812448531${how.length}`));
      await waiting(1);
      const [[first] = []] = await line();
      const positions: string[] = [];
      const forget = admin.subscribe(['QueueCallerJoin'], (event) => positions.push(event.get('Position') ?? ''));
      script = { lookup: text('QUEUE_PRIO=10&call_info=VIP') };
      const important = bed.call(did, from(`+7812448532${how.length}`));
      await waiting(2);
      await until(() => positions.length > 0, 'the event of the second caller');
      forget();
      const [[vip, priority] = [], [last, usual] = []] = await line();
      assert.deepEqual([last, priority, usual], [first, 10, 0]);
      assert.deepEqual(positions, ['1']);
      assert.equal(await variable(vip ?? '', 'call_info'), 'VIP');
      assert.equal(await variable(last ?? '', 'call_info'), '');
      plain.bye();
      important.bye();
    });
  }

  it('set what they answer to an event on the call that it is about, and on no other', async () => {
    script = {
      'queue-dial': (request, response) => {
        const number = new URL(request.url, 'http://crm').searchParams.get('callerid') ?? '';
        text(`CALLERID(name)=Клиент ${number.slice(-2)}&call_info=${number.slice(-2)}`)(request, response);
      },
    };
    const calls = ['+78124485341', '+78124485342'].map((number) => bed.call(QUEUE, from(number)));
    await waiting(2);
    for (const [channel] of await line()) {
      const number = await variable(channel, 'CALLERID(num)');
      const wanted = number.slice(-2);
      await until(async () => (await variable(channel, 'call_info')) === wanted, `call_info of ${number}`, 20_000);
      assert.equal(await variable(channel, 'CALLERID(name)'), `Клиент ${wanted}`);
    }
    for (const call of calls) call.bye();
  });

  const HOSTILE: readonly (readonly [string, Behaviour])[] = [
    ['of 5 MB', text(`call_info=bad&x=${'y'.repeat(5 << 20)}`)],
    [
      'that comes late',
      (request, response) => void setTimeout(() => text('call_info=bad&QUEUE_PRIO=9')(request, response), 6000),
    ],
    ['with line ends', text(`call_info=${encodeURIComponent('a\r\nAction: Hangup')}&CALLERID(name)=b%0D%0Ac`)],
    ['of several lines', text('call_info=a\r\nQUEUE_PRIO=9\r\n')],
    [
      'with names that were not chosen',
      text('SHELL(touch x)=1&CHANNEL(musicclass)=bad&CALLERID(num)=112&TCRM_FILES=x&other=1'),
    ],
    [
      'with a status of its own',
      (_request, response) => void response.writeHead(500).end('call_info=bad&QUEUE_PRIO=9'),
    ],
  ];

  for (const [what, behaviour] of HOSTILE) {
    it(`never stop a call by an answer ${what}, and set nothing by it`, async () => {
      const number = `+781244853${50 + HOSTILE.findIndex(([name]) => name === what)}`;
      script = { lookup: behaviour, 'queue-dial': behaviour };
      const before = settled();
      const began = Date.now();
      const call = bed.call(DID.overAgi, from(number));
      await waiting(1);
      assert.ok(Date.now() - began < 5500, `in the queue only after ${Date.now() - began} ms`);
      await tellsOf('queue-dial');
      const rings = await bed.phones['101'].nextCall();
      rings.answer();
      await call.answered;
      const [channel] = (await admin.list({ action: 'CoreShowChannels' })).flatMap((row) => {
        const name = row.get('Channel') ?? '';
        return name.startsWith('PJSIP/provider') ? [name] : [];
      });
      assert.ok(channel !== undefined);
      // What comes late is still on its way.
      if (!what.includes('late')) await until(() => settled() > before || asked() > 1, 'the end of the answer', 60_000);
      const values = [
        'CALLERID(name)',
        'CALLERID(num)',
        'CHANNEL(musicclass)',
        'call_info',
        'QUEUE_PRIO',
        'other',
        'TCRM_FILES',
      ];
      assert.deepEqual(await Promise.all(values.map((name) => variable(channel, name))), [
        'Client',
        number,
        ...['', '', '', '', ''],
      ]);
      call.bye();
      await call.ended;
    });
  }
});

/** What the clocks of Saint Petersburg show. */
const clock = (): string =>
  new Date().toLocaleTimeString('en-GB', { timeZone: 'Europe/Moscow', hour: '2-digit', minute: '2-digit' });

/** The shipped examples of routing and of scripts as an admin joins them: one PBX, one script. */
function flow(amiPort: number, script: string): FlowNode[] {
  const scripts = exampleFlow('08-line24-scripts').filter(
    ({ type }) => !/^(?:http|inject|simulated|debug|comment)/.test(type),
  );
  const routing = exampleFlow('01-routing-to-responsible').filter(({ type }) => /^(?:usercrm|crm-lookup)/.test(type));
  const [tab, pbx, crm, filter, control] = ['tab', 'ami-config', 'crm-config', 'switch', 'call-control'].map(
    (one) => scripts.find(({ type }) => type === one)?.id,
  );
  const query = ['event', ...VARIABLES].map((name) => `${name}=%${name}%`).join('&');
  const changes: Readonly<Record<string, object>> = {
    'ami-config': { ...REAL_PBX(amiPort), trunks: 'provider, client', trunkContexts: 'from-trunk' },
    'crm-config': {
      settings: {
        url: `${script}/event?${query}`,
        lookup: `${script}/who?aon=%callerid%&event=%event%`,
        method: 'GET',
      },
      people: [{ extension: '101', userId: '7', name: 'Анна Смирнова' }],
    },
    'queue-event': { topics: NINE, crm },
    'crm-webhook-out': {
      topics: NINE,
      settings: { waitForAnswer: true, variables: '' },
      wires: [[filter], ['settled']],
    },
    'call-control': { wires: [['settled']] },
  };
  const log = { console: true, tosidebar: false, complete: 'topic', targetType: 'msg' };
  const watchers = [
    { id: 'settled', type: 'debug', z: tab, x: 1, y: 1, name: 'settled', active: true, ...log, wires: [] },
    { id: 'caught', type: 'catch', z: tab, x: 1, y: 2, scope: [control], uncaught: false, wires: [['settled']] },
  ];
  const joined = routing.map((node) => ({
    ...node,
    z: tab,
    ...('pbx' in node ? { pbx } : {}),
    ...('crm' in node ? { crm } : {}),
  }));
  return [...[...scripts, ...joined].map((node) => ({ ...node, ...changes[node.type] })), ...watchers];
}
