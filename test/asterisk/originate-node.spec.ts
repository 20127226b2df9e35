import assert from 'node:assert/strict';
import { until } from '../support/wait';
import { startAsterisk, type TestAsterisk } from './support/asterisk';
import { type ClientKind, Clients } from './support/clients';
import { alsoTo, FlowListener, give, PLACE, REAL_PBX } from './support/order-flow';
import { exampleFlow, type FlowNode, type PackInNodeRed, startPack } from './support/pack-in-node-red';
import { describeAsterisk } from './support/roots';
import { SipPhone } from './support/sip/phone';

/** 0.4 s each, and 16 s. */
const [SHORT, SECOND, LONG] = ['beep', 'beeperr', 'tt-monkeys'] as const;
const TAB = 'test-tab';
const NUMBERS: Readonly<Record<string, ClientKind>> = {
  '79060000005': 'confirming',
  '79060000015': 'patient',
  '79060000016': 'leaving',
  '79060000017': 'busy',
  '79060000018': 'away',
  '79060000019': 'ringing',
  '79060000026': 'machine',
};
const ORDER_KEY = 'a-key-of-the-test';

describeAsterisk('originate', (version) => {
  let asterisk: TestAsterisk;
  let clients: Clients;
  let agent: SipPhone;
  let listener: FlowListener;
  let nodeRed: PackInNodeRed | undefined;

  before(async () => {
    asterisk = await startAsterisk({ version });
    clients = await Clients.at(asterisk.sipPort, 'client');
    agent = await SipPhone.registered({ server: asterisk.sipPort, user: '101' });
    listener = await FlowListener.start();
  });
  after(async () => {
    await listener.stop();
    clients.phone.close();
    agent.close();
    await asterisk.stop();
  });
  beforeEach(() => {
    clients.reset();
    for (const [number, kind] of Object.entries(NUMBERS)) clients.add(number, kind);
    agent.reset('answer');
    listener.forget();
  });
  afterEach(async () => {
    await nodeRed?.stop();
    nodeRed = undefined;
    await asterisk.cli('channel request hangup all');
    await until(
      async () => (await asterisk.cli('core show channels count')).startsWith('0 active channels'),
      'all calls to end',
    );
  });

  const order = (name: string, payload: object) => give(nodeRed?.url ?? '', name, payload);
  const outcomeOf = (key: string, name = 'outcomes') => listener.outcomes(name).find((one) => one.key === key);
  async function ended(keys: readonly string[], ms = 60_000): Promise<void> {
    await until(() => keys.every((key) => outcomeOf(key)), 'every order to have its outcome', ms).catch(
      (thrown: unknown) => {
        const known = listener.outcomes('outcomes').map((one) => one.key);
        throw new Error(`only ${known.join(', ')}\n${(nodeRed?.log() ?? '').slice(-3000)}`, { cause: thrown });
      },
    );
  }
  /** Output 1 to the ear `outcomes`, output 2 to `progress`. */
  const EARS = [['ear-outcomes'], ['ear-progress']] as const;
  const ears = (tab: string): FlowNode[] => [listener.ear('outcomes', tab), listener.ear('progress', tab)];

  it('carries out orders of all three modes', async () => {
    const node = (mode: string, more: object): FlowNode[] => [
      alsoTo(
        { id: `dial-${mode}`, type: 'originate', z: TAB, ...PLACE, mode, pbx: 'pbx', store: 'store', ...more },
        EARS,
      ),
      ...listener.into(`dial-${mode}`, mode, TAB),
    ];
    nodeRed = await startPack([
      { id: TAB, type: 'tab', label: 'orders' },
      { id: 'pbx', type: 'ami-config', name: 'office', ...REAL_PBX(asterisk.amiPort) },
      { id: 'store', type: 'store-config', file: 'telephony-crm.sqlite' },
      ...ears(TAB),
      ...node('click', {}),
      ...node('autocall', { files: `${SHORT}, ${SECOND}` }),
      ...node('plain', { channel: 'PJSIP/101', application: 'Playback', applicationData: SHORT }),
    ]);
    await order('autocall', { number: '8 906 000-00-15', key: 'message' });
    await order('autocall', { number: '8 906 000-00-17', key: 'busy' });
    await order('autocall', { number: '8 906 000-00-05', key: 'asked', prompt: LONG });
    await order('autocall', { number: '+1 212 555 2368', key: 'abroad' });
    await ended(['message', 'busy', 'asked', 'abroad']);
    agent.reset('ring');
    clients.add('79060000015', 'ringing');
    await order('click', { number: '8 906 000-00-15', extension: '101', key: 'click' });
    // Picked up as people do, after it rang: of an answer in the same moment Asterisk may tell the end only.
    const ringing = await agent.nextCall();
    await until(() => listener.states('progress', 'click').includes('ringing'), 'the phone of the agent to ring');
    ringing.answer();
    await until(() => listener.states('progress', 'click').includes('client-ringing'), 'the client to be called');
    clients.callsOf('79060000015').at(-1)?.answer();
    await until(() => listener.states('progress', 'click').includes('answered'), 'the two to talk');
    clients.callsOf('79060000015').at(-1)?.bye();
    await ended(['click']);
    const [shown] = agent.received;
    agent.reset('answer');
    await order('plain', { key: 'plain' });
    await ended(['plain']);

    const told = listener.outcomes('outcomes').map(({ key, outcome, heard, mode }) => [key, outcome, heard, mode]);
    assert.deepEqual(
      told.sort(([one = ''], [other = '']) => (one < other ? -1 : 1)),
      [
        ['abroad', 'refused', undefined, 'autocall'],
        ['asked', 'confirmed', 2, 'autocall'],
        ['busy', 'busy', undefined, 'autocall'],
        ['click', 'answered', undefined, 'click'],
        ['message', 'answered', 2, 'autocall'],
        ['plain', 'answered', undefined, 'plain'],
      ],
    );
    assert.deepEqual(listener.states('progress', 'click'), [
      'queued',
      'dialing',
      'ringing',
      'agent-answered',
      'client-ringing',
      'answered',
    ]);
    assert.equal(shown?.callerNumber, '79060000015');
  });

  it('tells the CRM how each notification of the example ended', async () => {
    const example = exampleFlow('06-autocall-notification');
    const tab = example.find(({ type }) => type === 'tab')?.id ?? '';
    nodeRed = await startPack([
      ...example.map((node) => {
        if (node.type === 'tab') return { ...node, env: [{ name: 'ORDER_KEY', value: ORDER_KEY, type: 'str' }] };
        if (node.type === 'ami-config') return { ...node, ...REAL_PBX(asterisk.amiPort) };
        if (node.type === 'crm-webhook-out') return alsoTo(node, [['ear-delivered'], []]);
        if (node.type !== 'originate') return node;
        return alsoTo({ ...node, files: `${SHORT} ${LONG}`, prompt: SHORT, tries: '1' }, EARS);
      }),
      ...ears(tab),
      listener.ear('delivered', tab),
    ]);
    const url = `${nodeRed.url}/autocalls`;
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${ORDER_KEY}` };
    await until(async () => (await fetch(`${url}/1`)).status === 401, 'the flow to start');
    const numbers = Object.keys(NUMBERS);
    for (const number of numbers) {
      const body = JSON.stringify({ number, key: number });
      const answers = [
        await fetch(url, { method: 'POST', headers, body }),
        await fetch(url, { method: 'POST', headers, body }),
      ];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [202, 202],
      );
    }
    await ended(numbers, 90_000);
    const outcomes = numbers.map((number) => [NUMBERS[number], outcomeOf(number)?.outcome, outcomeOf(number)?.heard]);
    assert.deepEqual(outcomes, [
      ['confirming', 'confirmed', 2],
      ['patient', 'no-answer', 0],
      ['leaving', 'heard-partly', 1],
      ['busy', 'busy', undefined],
      ['away', 'no-answer', undefined],
      ['ringing', 'no-answer', undefined],
      ['machine', 'machine', 0],
    ]);
    await until(() => listener.heard('delivered').length >= numbers.length, 'the CRM to be told');
    assert.equal(listener.outcomes('outcomes').length, numbers.length);
    for (const number of numbers) assert.equal(clients.callsOf(number).length, 1, number);
    const state = await fetch(`${url}/${outcomeOf('79060000005')?.orderId ?? ''}`, { headers });
    assert.equal(((await state.json()) as { outcome?: string }).outcome, 'confirmed');
  });

  it('joins a click of the example, and the CRM gets the record of the call', async () => {
    const example = exampleFlow('07-click-to-call');
    const tab = example.find(({ type }) => type === 'tab')?.id ?? '';
    const dial = example.find(({ type }) => type === 'originate')?.id ?? '';
    nodeRed = await startPack([
      ...example.map((node) => {
        if (node.type === 'ami-config') return { ...node, ...REAL_PBX(asterisk.amiPort), trunks: 'client' };
        if (node.type === 'crm-webhook-out') return alsoTo(node, [['ear-delivered'], []]);
        return node.type === 'originate' ? alsoTo(node, EARS) : node;
      }),
      ...ears(tab),
      listener.ear('delivered', tab),
      ...listener.into(dial, 'click', tab),
    ]);
    await order('click', { user: '1', number: '89060000017', key: 'busy' });
    await ended(['busy']);
    await order('click', { user: '1', number: '89060000015', key: 'talk' });
    await until(() => listener.states('progress', 'talk').includes('answered'), 'the two to talk');
    clients.callsOf('79060000015').at(-1)?.bye();
    await ended(['talk']);
    await order('click', { user: '1', number: '89060000018', key: 'away' });
    await ended(['away']);
    agent.reset('busy');
    await order('click', { user: '1', number: '89060000015', key: 'agent busy' });
    await ended(['agent busy']);
    const told = ['busy', 'talk', 'away', 'agent busy'].map((key) => outcomeOf(key));
    assert.deepEqual(
      told.map((one) => [one?.outcome, one?.error?.code]),
      [
        ['busy', undefined],
        ['answered', undefined],
        ['no-answer', undefined],
        ['failed', 'LINE_AGENT_BUSY'],
      ],
    );
    assert.equal(clients.callsOf('79060000015').length, 1);
    await until(() => listener.heard('delivered').length >= 3, 'the CRM to get the records');
  });
});
