import assert from 'node:assert/strict';
import { parseOrder } from '../../lib/control/order';
import type { CallControl, ControlDone } from '../../lib/control/types';
import type { TelephonyError } from '../../lib/errors';
import type { QueueMessage } from '../../lib/messages/queues';
import type { CallMessage, PbxMessage, RecordPayload } from '../../lib/messages/types';
import { numberingPlan } from '../../lib/phone';
import { createPbx, type Pbx } from '../../lib/pbx/pbx';
import { until } from '../support/wait';
import { callControlOf } from './support/call-control';
import { describeAsterisk } from './support/roots';
import type { IncomingCall, OutgoingCall } from './support/sip/phone';
import { TestBed } from './support/test-bed';

/** The queue without options, and with `t`. */
const PLAIN = '74951000203';
const WITH_T = '74951000205';

const PHONE = 'PJSIP/101';
/** Goes away when the phone has answered. */
const LOCAL = 'Local/101@from-internal';
const LOCAL_STAYS = 'Local/101@from-internal/n';
/** Its Dial has the option `t`. */
const LIKE_FREEPBX = 'Local/101@from-queue/n';

describeAsterisk('the call of a queue', (version) => {
  const plan = numberingPlan({ country: 'RU' });
  let bed: TestBed;
  let pbx: Pbx;
  let control: CallControl;
  let told: PbxMessage[] = [];
  let ofQueues: QueueMessage[] = [];
  let member: string | undefined;

  before(async () => {
    bed = await TestBed.start({ version });
    const secret = 'crm-system-secret';
    const client = { host: '127.0.0.1', port: bed.asterisk.amiPort, username: 'crm-system', secret };
    pbx = createPbx({
      name: 'office',
      plan,
      calls: { trunks: ['provider'], trunkContexts: ['from-trunk'] },
      connection: { kind: 'asterisk', driver: 'built-in', client },
    });
    pbx.calls.subscribe((message) => void told.push(message));
    pbx.queues.subscribe((message) => void ofQueues.push(message));
    pbx.open();
    await until(() => pbx.queues.stats.members === 2, 'the members of the queues', 20_000);
  });
  after(async () => {
    await pbx.close();
    await bed.stop();
  });
  beforeEach(async () => {
    await bed.reset();
    control = callControlOf(pbx, 'redirect');
  });
  afterEach(async () => {
    await control.close();
    await bed.hangUpAll();
    await until(() => pbx.calls.stats.channels === 0, 'the tracker to see the end of all calls');
    await until(() => pbx.queues.stats.talking === 0, 'the end of the conversations');
    await until(() => ids().size === ids('call_record').size, 'the record of every call');
    if (member !== undefined) await admin('QueueRemove', { Queue: 'sales', Interface: member });
    [member, told, ofQueues] = [undefined, [], []];
  });

  async function admin(action: string, headers: Readonly<Record<string, string>>): Promise<void> {
    const answer = await pbx.client.action({ action, headers });
    assert.equal(answer.name, 'Success', answer.get('Message'));
  }
  const run = (action: string): Promise<ControlDone> =>
    control.run(parseOrder({ action, extension: '101', ...(action.endsWith('transfer') ? { to: '102' } : {}) }));
  const refusal = (action: string): Promise<string> =>
    run(action).then(
      () => 'done',
      (thrown: unknown) => `${(thrown as TelephonyError).code}: ${(thrown as TelephonyError).message}`,
    );
  const calls = (): CallMessage[] =>
    told.flatMap((message) => (message.topic === 'user_change' || message.topic === 'gap' ? [] : [message]));
  const ids = (topic?: string): Set<string> =>
    new Set(calls().flatMap((one) => (topic === undefined || one.topic === topic ? [one.payload.callId] : [])));
  const story = (extension: string): string[] =>
    calls().flatMap(({ topic, payload }) =>
      topic !== 'call_record' && payload.extension === extension ? [topic] : [],
    );
  const ends = (): (string | undefined)[] =>
    ofQueues.flatMap(({ topic, payload }) =>
      topic === 'agent-hangup' && payload.agent?.phone === '101' ? [payload.reason] : [],
    );
  const isUp = async (extension: string): Promise<boolean> =>
    (await pbx.client.list({ action: 'CoreShowChannels' })).some(
      (row) => row.get('Channel')?.startsWith(`PJSIP/${extension}-`) && row.get('ChannelState') === '6',
    );
  async function record(): Promise<RecordPayload> {
    const records = (): RecordPayload[] =>
      calls().flatMap((message) => (message.topic === 'call_record' ? [message.payload] : []));
    await until(() => records().length > 0, 'the record', 20_000);
    assert.equal(records().length, 1);
    return records()[0]!;
  }

  /** 101 joins the queue, and has a caller of it. */
  async function talk(
    interfaceName: string,
    did: string,
    { isSilent = false } = {},
  ): Promise<{ readonly call: OutgoingCall; readonly phone: IncomingCall }> {
    await admin('QueueAdd', { Queue: 'sales', Interface: interfaceName, StateInterface: PHONE });
    member = interfaceName;
    const call = bed.call(did);
    const phone = await bed.phones['101'].nextCall();
    if (!isSilent) phone.speak(0);
    await until(() => story('101').includes('call_answer'), 'the answer');
    await until(() => ofQueues.some(({ topic }) => topic === 'agent-answer'), 'the word of the queue');
    if (interfaceName === LOCAL) await until(async () => !(await hasLocal()), 'the Local channel to go away');
    return { call, phone };
  }
  /** 102 has the client, whom 101 gave away without a word. */
  async function hasHimBlindly(call: OutgoingCall): Promise<void> {
    await until(() => story('102').includes('call_answer'), 'the second answer');
    await until(() => ends().length > 0, 'the end of the conversation');
    assert.equal(call.isOver, false);
    call.bye();
    const { talked, transfer } = await record();
    assert.deepEqual([talked, transfer], [['101', '102'], { type: 'blind', from: '101', to: '102' }]);
    assert.deepEqual(ends(), ['transfer']);
  }
  const hasLocal = async (): Promise<boolean> =>
    (await pbx.client.list({ action: 'CoreShowChannels' })).some((row) => row.get('Channel')?.startsWith('Local/'));

  const WAYS_IN = [
    [PHONE, PLAIN],
    [PHONE, WITH_T],
    [LOCAL, WITH_T],
    [LOCAL_STAYS, PLAIN],
    [LOCAL_STAYS, WITH_T],
    [LIKE_FREEPBX, PLAIN],
  ] as const;
  for (const [interfaceName, did] of WAYS_IN) {
    const way = `${interfaceName}, Queue ${did === WITH_T ? 'with t' : 'without options'}`;

    it(`is handed over after a word with the colleague (${way})`, async () => {
      const { call, phone } = await talk(interfaceName, did);
      await run('attended-transfer');
      await until(() => isUp('102'), 'the consultation');
      assert.deepEqual(ends(), []);
      await run('complete-transfer');
      await phone.ended;
      // A client who hangs up while Asterisk joins the two leaves the colleague alone in a bridge.
      await until(() => story('101').includes('call_transfer'), 'the transfer');
      await until(() => story('101').includes('call_hangup'), 'the phone to be free');
      await until(() => ends().length > 0, 'the end of the conversation');
      assert.equal(call.isOver, false);
      call.bye();
      const { result, talked, transfer, queue } = await record();
      assert.deepEqual(
        [result, talked, transfer, queue?.id],
        ['answered', ['101', '102'], { type: 'attended', from: '101', to: '102' }, 'sales'],
      );
      assert.deepEqual(ends(), ['transfer']);
    });

    it(`is handed over while the colleague's phone rings (${way})`, async () => {
      const { call, phone } = await talk(interfaceName, did);
      bed.phones['102'].rule = 'ring';
      await run('attended-transfer');
      const first = await bed.phones['102'].nextCall();
      await run('complete-transfer');
      await Promise.all([phone.ended, first.ended]);
      (await bed.phones['102'].nextCall()).answer();
      await hasHimBlindly(call);
    });

    it(`comes back from the colleague (${way})`, async () => {
      const { call, phone } = await talk(interfaceName, did);
      await run('attended-transfer');
      await until(() => isUp('102'), 'the consultation');
      await run('cancel-transfer');
      await until(() => story('101').at(-1) === 'call_active', 'the way back');
      await until(async () => !(await isUp('102')), 'the colleague to be free');
      assert.deepEqual([call.isOver, phone.isOver, ends()], [false, false, []]);
      call.bye();
      await phone.ended;
      const { talked, transfer, hangup } = await record();
      assert.deepEqual([talked, transfer, hangup?.by], [['101'], undefined, 'client']);
      await until(() => ends().length > 0, 'the end of the conversation');
      assert.deepEqual(ends(), ['caller']);
    });
  }

  it('is given to a second colleague, after the first one was asked', async () => {
    const { call } = await talk(PHONE, PLAIN);
    for (const end of ['cancel-transfer', 'complete-transfer']) {
      await run('attended-transfer');
      await until(() => isUp('102'), 'the consultation');
      await run(end);
      await until(() => story('101').at(-1) !== 'call_held', 'the end of the consultation');
    }
    await until(() => story('101').includes('call_transfer'), 'the transfer');
    await until(() => story('101').includes('call_hangup'), 'the phone to be free');
    call.bye();
    assert.deepEqual((await record()).transfer, { type: 'attended', from: '101', to: '102' });
  });

  it('ends for both when either hangs up after a consultation', async () => {
    const { call, phone } = await talk(PHONE, PLAIN);
    await run('attended-transfer');
    await until(() => isUp('102'), 'the consultation');
    await run('cancel-transfer');
    phone.bye();
    await call.ended;
    assert.equal((await record()).hangup?.by, 'extension');
  });

  it('is told as not handed over when the phone sends no sound', async () => {
    const { call, phone } = await talk(PHONE, WITH_T, { isSilent: true });
    assert.match(await refusal('attended-transfer'), /^CONTROL_NOT_POSSIBLE: .*dialled nobody/);
    await until(() => story('101').at(-1) === 'call_active', 'the way back', 30_000);
    assert.deepEqual([call.isOver, phone.isOver, bed.phones['102'].received.length], [false, false, 0]);
  });

  it('is left as it is, with the reason, where the dialplan has no place for it', async () => {
    await bed.asterisk.cli('dialplan remove extension transfer@telephony-crm-hold');
    try {
      const { call, phone } = await talk(LOCAL_STAYS, WITH_T);
      assert.match(await refusal('attended-transfer'), /^CONTROL_NOT_POSSIBLE: .*Queue.*Local/);
      assert.deepEqual([call.isOver, phone.isOver, bed.phones['102'].received.length], [false, false, 0]);
    } finally {
      await bed.asterisk.cli('dialplan reload');
    }
  });

  for (const interfaceName of [PHONE, LOCAL_STAYS]) {
    for (const way of ['redirect', 'phone', 'park'] as const) {
      if (way === 'park' && interfaceName === LOCAL_STAYS) continue;
      it(`is held and taken back (${way}, ${interfaceName})`, async () => {
        await control.close();
        control = callControlOf(pbx, way);
        const { call, phone } = await talk(interfaceName, PLAIN);
        assert.equal((await run('hold')).held, true);
        await until(() => story('101').at(-1) === 'call_held', 'the hold');
        assert.equal((await run('unhold')).held, false);
        await until(() => story('101').at(-1) === 'call_active', 'the end of it');
        assert.deepEqual(ends(), []);
        call.bye();
        await phone.ended;
        const { result, talked, hangup } = await record();
        assert.deepEqual([result, talked, hangup?.by], ['answered', ['101'], 'client']);
        await until(() => ends().length > 0, 'the end of the conversation');
        assert.deepEqual(ends(), ['caller']);
      });
    }

    it(`is handed over blindly (${interfaceName})`, async () => {
      const { call, phone } = await talk(interfaceName, PLAIN);
      await run('transfer');
      await phone.ended;
      await hasHimBlindly(call);
    });

    it(`is hung up (${interfaceName})`, async () => {
      const { call, phone } = await talk(interfaceName, PLAIN);
      await run('hangup');
      await Promise.all([call.ended, phone.ended]);
      assert.equal((await record()).result, 'answered');
      await until(() => ends().length > 0, 'the end of the conversation');
      assert.equal(ends().length, 1);
    });
  }

  it('is not parked for a phone behind a Local channel, which would lose its line', async () => {
    await control.close();
    control = callControlOf(pbx, 'park');
    const { call, phone } = await talk(LOCAL_STAYS, PLAIN);
    assert.match(await refusal('hold'), /^CONTROL_NOT_POSSIBLE: .*Local/);
    assert.deepEqual([call.isOver, phone.isOver], [false, false]);
  });
});
