import assert from 'node:assert/strict';
import { parseOrder } from '../../lib/control/order';
import type { CallControl, ControlDone } from '../../lib/control/types';
import type { TelephonyError } from '../../lib/errors';
import type { CallMessage, PbxMessage, RecordPayload } from '../../lib/messages/types';
import { numberingPlan } from '../../lib/phone';
import { createPbx, type Pbx } from '../../lib/pbx/pbx';
import { until } from '../support/wait';
import { callControlOf } from './support/call-control';
import { describeAsterisk } from './support/roots';
import type { IncomingCall, OutgoingCall } from './support/sip/phone';
import { TestBed } from './support/test-bed';

/** Straight to 101, whose phone may transfer with keys. */
const DIRECT = '74951000102';
/** Straight to 101, without. */
const NO_KEYS = '74951000101';
const QUEUE = '74951000202';

describeAsterisk('call control', (version) => {
  const plan = numberingPlan({ country: 'RU' });
  let bed: TestBed;
  const pbxs: Pbx[] = [];
  let plain: Pbx;
  let pbx: Pbx;
  let control: CallControl;
  let told: PbxMessage[] = [];

  async function link(username: string): Promise<Pbx> {
    const client = { host: '127.0.0.1', port: bed.asterisk.amiPort, username, secret: `${username}-secret` };
    const made = createPbx({
      name: 'office',
      plan,
      calls: { trunks: ['provider'], trunkContexts: ['from-trunk'] },
      connection: { kind: 'asterisk', driver: 'built-in', client },
    });
    pbxs.push(made);
    made.open();
    await until(() => made.client.state.phase === 'ready', 'the link');
    return made;
  }

  before(async () => {
    bed = await TestBed.start({ version });
    plain = await link('control');
    pbx = await link('control-system');
    pbx.calls.subscribe((message) => void told.push(message));
  });
  after(async () => {
    await Promise.all(pbxs.map((one) => one.close()));
    await bed.stop();
  });
  beforeEach(async () => {
    await bed.reset();
    told = [];
    control = callControlOf(plain, 'redirect');
  });
  afterEach(async () => {
    await control.close();
    await bed.hangUpAll();
    await until(() => pbx.calls.stats.channels === 0, 'the tracker to see the end of all calls');
    const ids = (topic?: string): Set<string> =>
      new Set(calls().flatMap((one) => (topic === undefined || one.topic === topic ? [one.payload.callId] : [])));
    await until(() => ids().size === ids('call_record').size, 'the record of every call');
  });

  const run = (order: Readonly<Record<string, unknown>>): Promise<ControlDone> => control.run(parseOrder(order));
  async function refusal(order: Readonly<Record<string, unknown>>): Promise<string> {
    return run(order).then(
      () => 'done',
      (thrown: unknown) => (thrown as TelephonyError).code,
    );
  }
  const calls = (): CallMessage[] =>
    told.flatMap((message) => (message.topic === 'user_change' || message.topic === 'gap' ? [] : [message]));
  const story = (extension: string): string[] =>
    calls().flatMap(({ topic, payload }) =>
      topic !== 'call_record' && payload.extension === extension ? [topic] : [],
    );
  async function record(): Promise<RecordPayload> {
    const records = (): RecordPayload[] =>
      calls().flatMap((message) => (message.topic === 'call_record' ? [message.payload] : []));
    await until(() => records().length > 0, 'the record', 20_000);
    assert.equal(records().length, 1);
    return records()[0]!;
  }

  /** The provider's call, answered by 101, who is quiet but there: keys are heard between the packets of sound. */
  async function talk(did = DIRECT): Promise<{ readonly call: OutgoingCall; readonly phone: IncomingCall }> {
    const call = bed.call(did);
    await call.answered;
    const phone = bed.phones['101'].received.at(-1)!;
    phone.speak(0);
    await until(() => story('101').includes('call_answer'), 'the answer');
    return { call, phone };
  }
  const isUp = async (extension: string): Promise<boolean> =>
    (await plain.client.list({ action: 'CoreShowChannels' })).some(
      (row) => row.get('Channel')?.startsWith(`PJSIP/${extension}-`) && row.get('ChannelState') === '6',
    );

  for (const way of ['redirect', 'phone', 'park'] as const) {
    it(`holds and takes back (${way}), again and again, and the record stays right`, async () => {
      await control.close();
      control = callControlOf(way === 'phone' ? pbx : plain, way);
      const { call } = await talk();
      for (const round of [1, 2]) {
        const { held, slot } = await run({ action: 'toggle-hold', extension: '101' });
        assert.deepEqual([held, slot], [true, way === 'park' ? '701' : undefined]);
        await until(() => story('101').filter((topic) => topic === 'call_held').length === round, 'the hold');
        assert.equal((await run({ action: 'toggle-hold', extension: '101' })).held, false);
        await until(() => story('101').filter((topic) => topic === 'call_active').length === round, 'the end of it');
      }
      call.bye();
      const { result, talked, transfer, hangup } = await record();
      assert.deepEqual([result, talked, transfer, hangup?.by], ['answered', ['101'], undefined, 'client']);
      const held = ['call_held', 'call_active'];
      assert.deepEqual(story('101'), ['call_ringing', 'call_answer', ...held, ...held, 'call_hangup']);
    });

    it(`sends a held client on (${way})`, async () => {
      await control.close();
      control = callControlOf(way === 'phone' ? pbx : plain, way);
      const { call } = await talk();
      await run({ action: 'hold', extension: '101' });
      await run({ action: 'transfer', extension: '101', to: '102' });
      await until(() => story('102').includes('call_answer'), 'the second answer');
      call.bye();
      const { talked, transfer } = await record();
      assert.deepEqual([talked, transfer], [['101', '102'], { type: 'blind', from: '101', to: '102' }]);
    });
  }

  for (const way of ['redirect', 'park'] as const) {
    it(`lets the phone end the call after it took the client back (${way})`, async () => {
      await control.close();
      control = callControlOf(plain, way);
      const { call, phone } = await talk();
      await run({ action: 'hold', extension: '101' });
      await run({ action: 'unhold', extension: '101' });
      phone.bye();
      await call.ended;
      assert.equal((await record()).hangup?.by, 'extension');
    });
  }

  for (const first of ['client', 'phone'] as const) {
    it(`does not leave anybody with the music when the ${first} hangs up`, async () => {
      const { call, phone } = await talk();
      await run({ action: 'hold', extension: '101' });
      (first === 'client' ? call : phone).bye();
      await Promise.all([call.ended, phone.ended]);
      assert.equal((await record()).result, 'answered');
    });
  }

  it('holds a call of a queue', async () => {
    const call = bed.call(QUEUE);
    await until(
      () => story('101').includes('call_answer') || story('102').includes('call_answer'),
      'the answer',
      40_000,
    );
    const extension = story('101').includes('call_answer') ? '101' : '102';
    assert.equal((await run({ action: 'hold', extension })).held, true);
    assert.equal((await run({ action: 'unhold', extension })).held, false);
    call.bye();
    const { result, talked } = await record();
    assert.deepEqual([result, talked], ['answered', [extension]]);
  });

  it('hands the client over blindly', async () => {
    const { call } = await talk();
    await run({ action: 'transfer', extension: '101', to: '102' });
    await until(() => story('102').includes('call_answer'), 'the second answer');
    call.bye();
    assert.deepEqual((await record()).transfer, { type: 'blind', from: '101', to: '102' });
  });

  for (const held of [false, true]) {
    it(`hands the client over after a word with the colleague${held ? ', from hold' : ''}`, async () => {
      const { call } = await talk();
      if (held) await run({ action: 'hold', extension: '101' });
      await run({ action: 'attended-transfer', extension: '101', to: '102' });
      await until(() => isUp('102'), 'the consultation');
      await run({ action: 'complete-transfer', extension: '101' });
      // A client who hangs up while Asterisk joins the two leaves the colleague alone in a bridge.
      await until(() => story('101').includes('call_transfer'), 'the transfer');
      await until(() => story('101').includes('call_hangup'), 'the phone to be free');
      call.bye();
      const { talked, transfer } = await record();
      assert.deepEqual([talked, transfer], [['101', '102'], { type: 'attended', from: '101', to: '102' }]);
    });
  }

  it("hands the client over while the colleague's phone rings", async () => {
    const { call } = await talk();
    bed.phones['102'].rule = 'ring';
    await run({ action: 'attended-transfer', extension: '101', to: '102' });
    const first = await bed.phones['102'].nextCall();
    await run({ action: 'complete-transfer', extension: '101' });
    await first.ended;
    const second = await bed.phones['102'].nextCall();
    assert.equal(call.isOver, false);
    second.answer();
    await until(() => story('102').includes('call_answer'), 'the answer');
    call.bye();
    const { talked, transfer } = await record();
    assert.deepEqual([talked, transfer], [['101', '102'], { type: 'blind', from: '101', to: '102' }]);
  });

  it('comes back from the colleague to the client', async () => {
    const { call } = await talk();
    await run({ action: 'attended-transfer', extension: '101', to: '102' });
    await until(() => isUp('102'), 'the consultation');
    await run({ action: 'cancel-transfer', extension: '101' });
    await until(() => story('101').includes('call_active'), 'the way back');
    call.bye();
    const { talked, transfer } = await record();
    assert.deepEqual([talked, transfer], [['101'], undefined]);
  });

  for (const how of ['hangs up', 'declines'] as const) {
    it(`tells that the phone has its client again when the colleague ${how}`, async () => {
      const { call } = await talk();
      if (how === 'declines') bed.phones['102'].rule = 'decline';
      await run({ action: 'attended-transfer', extension: '101', to: '102' });
      if (how === 'hangs up') {
        await until(() => isUp('102'), 'the consultation');
        bed.phones['102'].received.at(-1)!.bye();
      }
      await until(() => story('101').includes('call_active'), 'the way back', 20_000);
      call.bye();
      const { talked, transfer } = await record();
      assert.deepEqual([talked, transfer], [['101'], undefined]);
    });
  }

  it('says so where the dialplan lets no phone transfer with keys', async () => {
    await bed.asterisk.cli('dialplan remove extension transfer@telephony-crm-hold');
    try {
      await talk(NO_KEYS);
      assert.equal(await refusal({ action: 'attended-transfer', extension: '101', to: '102' }), 'CONTROL_NOT_POSSIBLE');
      assert.equal(await refusal({ action: 'complete-transfer', extension: '101' }), 'CONTROL_NOT_POSSIBLE');
    } finally {
      await bed.asterisk.cli('dialplan reload');
    }
  });

  it('sends a client on who still waits for the phone', async () => {
    bed.phones['101'].reset('ring');
    const call = bed.call(DIRECT);
    await until(() => story('101').includes('call_ringing'), 'the ringing');
    const { callId } = await run({ action: 'redirect', extension: '101', to: '102' });
    await call.answered;
    await until(() => story('102').includes('call_answer'), 'the answer');
    assert.equal((await run({ action: 'hangup', callId })).callId, callId);
    assert.deepEqual((await record()).talked, ['102']);
  });

  it('parks the client for anybody, and frees the phone', async () => {
    const { phone, call } = await talk();
    const { slot } = await run({ action: 'park', extension: '101', to: '102' });
    assert.equal(slot, '701');
    await phone.ended;
    const [parked] = await plain.client.list({ action: 'ParkedCalls' });
    assert.equal(parked?.get('ParkerDialString'), 'PJSIP/102');
    call.bye();
    assert.equal((await record()).result, 'answered');
  });

  it('records, pauses, goes on and stops; mutes', async () => {
    await control.close();
    control = callControlOf(pbx, 'redirect');
    const { call } = await talk();
    assert.equal(await refusal({ action: 'record-stop', extension: '101' }), 'CONTROL_NOT_POSSIBLE');
    const { file } = await run({ action: 'record-start', extension: '101', file: 'offer-7' });
    assert.match(file ?? '', /\/monitor\/offer-7\.wav$/);
    for (const action of ['record-pause', 'record-resume', 'mute', 'unmute', 'hold', 'unhold', 'record-stop']) {
      assert.equal(await refusal({ action, extension: '101' }), 'done', action);
    }
    call.bye();
    assert.match((await record()).recording?.file ?? '', /offer-7\.wav$/);
  });

  it('names the class that is missing to mute, to record and to let phones hold', async () => {
    await control.close();
    control = callControlOf(plain, 'phone');
    await talk();
    for (const action of ['mute', 'record-start', 'hold']) {
      await assert.rejects(run({ action, extension: '101' }), /"system"/);
    }
  });

  it('does nothing to a call that is sent to where the dialplan has nothing', async () => {
    const { call, phone } = await talk();
    assert.equal(await refusal({ action: 'transfer', extension: '101', to: '199' }), 'CONTROL_NOT_POSSIBLE');
    const order = { action: 'redirect', extension: '101', to: '102', context: 'nowhere' };
    assert.equal(await refusal(order), 'CONTROL_NOT_POSSIBLE');
    assert.deepEqual([call.isOver, phone.isOver], [false, false]);
  });
});
