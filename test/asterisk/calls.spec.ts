import assert from 'node:assert/strict';
import { createAmiClient } from '../../lib/ami';
import type { AmiClient } from '../../lib/ami/types';
import type { CallMessage, PbxMessage, RecordPayload } from '../../lib/messages/types';
import { numberingPlan } from '../../lib/phone';
import { createPbx, type Pbx } from '../../lib/pbx/pbx';
import { assertSameButMasked, byCall, LiveTraces } from '../support/traces';
import { until } from '../support/wait';
import { cuttableLink, type CuttableLink } from './support/cuttable-link';
import { describeAsterisk } from './support/roots';
import { TestBed } from './support/test-bed';

const CLIENT = '+74951343060';
const DIRECT = '74951000101';
const RING_GROUP = '74951000201';
const QUEUE = '74951000202';

describeAsterisk('the life of calls', (version) => {
  let bed: TestBed;
  let link: CuttableLink;
  let pbx: Pbx;
  let told: PbxMessage[];
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
    pbx.calls.subscribe((message) => told.push(message));
    told = [];
    pbx.open();
    await until(() => pbx.client.state.phase === 'ready', 'the link');
    await pbx.presence.settled?.();
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
    await until(() => pbx.calls.stats.channels === 0, 'the tracker to see the end of all calls');
    assert.deepEqual(problems, []);
  });

  const calls = (): CallMessage[] =>
    told.flatMap((message) => (message.topic === 'user_change' || message.topic === 'gap' ? [] : [message]));
  const story = (extension: string): string[] =>
    calls().flatMap(({ topic, payload }) =>
      topic !== 'call_record' && payload.extension === extension ? [topic] : [],
    );
  async function record(): Promise<RecordPayload> {
    await until(() => calls().some(({ topic }) => topic === 'call_record'), 'the record', 20_000);
    const records = calls().flatMap((message) => (message.topic === 'call_record' ? [message.payload] : []));
    assert.equal(records.length, 1);
    assert.equal(calls().at(-1)?.topic, 'call_record');
    return records[0]!;
  }
  const essence = ({ direction, result, rung, talked, extension, line, hangup, client }: RecordPayload) => ({
    direction,
    result,
    rung: [...rung].sort(),
    talked,
    extension,
    number: line?.number,
    trunk: line?.trunk,
    code: hangup?.code,
    by: hangup?.by,
    client: client?.e164,
  });
  const incoming = { direction: 'in', trunk: 'provider', client: CLIENT } as const;

  it('tells an answered call, and the states of the phone', async () => {
    const call = bed.call(DIRECT);
    await call.answered;
    await until(() => story('101').includes('call_answer'), 'the answer');
    call.bye();
    assert.deepEqual(essence(await record()), {
      ...incoming,
      number: DIRECT,
      result: 'answered',
      rung: ['101'],
      talked: ['101'],
      extension: '101',
      code: 16,
      by: 'client',
    });
    assert.deepEqual(story('101'), ['call_ringing', 'call_answer', 'call_hangup']);
    await until(() => told.some((one) => one.topic === 'user_change' && one.payload.state === 'idle'), 'idle again');
    const states = told.flatMap((one) => (one.topic === 'user_change' ? [one.payload.state] : []));
    assert.deepEqual(states.slice(-2), ['busy', 'idle']);
  });

  it('tells a call to a busy phone as missed, with the reason', async () => {
    bed.phones['101'].reset('busy');
    const call = bed.call(DIRECT);
    await call.ended;
    assert.deepEqual(essence(await record()), {
      ...incoming,
      number: DIRECT,
      result: 'missed',
      rung: ['101'],
      talked: [],
      extension: '101',
      code: 17,
      by: 'extension',
    });
  });

  it('tells a ring group as one call: the phone that lost did not miss it', async () => {
    bed.phones['101'].reset('ring');
    const call = bed.call(RING_GROUP);
    await call.answered;
    await until(() => story('102').includes('call_answer'), 'the answer');
    call.bye();
    const found = await record();
    assert.deepEqual(essence(found), {
      ...incoming,
      number: RING_GROUP,
      result: 'answered',
      rung: ['101', '102'],
      talked: ['102'],
      extension: '102',
      code: 16,
      by: 'client',
    });
    const loser = found.legs.find(({ extension }) => extension === '101');
    assert.deepEqual([loser?.result, loser?.hangup?.code], ['cancelled', 26]);
  });

  it('tells a call through a queue', async () => {
    bed.phones['101'].reset('ring');
    bed.phones['102'].reset('ring');
    const call = bed.call(QUEUE);
    const rings = await bed.phones['102'].nextCall();
    rings.answer();
    await until(() => story('102').includes('call_answer'), 'the answer');
    rings.bye();
    const found = await record();
    assert.deepEqual(essence(found), {
      ...incoming,
      number: QUEUE,
      result: 'answered',
      rung: ['101', '102'],
      talked: ['102'],
      extension: '102',
      code: 16,
      by: 'extension',
    });
    assert.equal(found.queue?.id, 'support');
    await call.ended;
  });

  it('tells a blind transfer: who handed over to whom, and who talked', async () => {
    const call = bed.call(DIRECT);
    await call.answered;
    await until(() => story('101').includes('call_answer'), 'the answer');
    await transfer('PJSIP/101-', '102');
    await until(() => story('102').includes('call_answer'), 'the answer of the second');
    call.bye();
    const found = await record();
    assert.deepEqual(essence(found), {
      ...incoming,
      number: DIRECT,
      result: 'answered',
      rung: ['101', '102'],
      talked: ['101', '102'],
      extension: '102',
      code: 16,
      by: 'client',
    });
    assert.deepEqual(found.transfer, { type: 'blind', from: '101', to: '102' });
    assert.deepEqual(story('101'), ['call_ringing', 'call_answer', 'call_transfer', 'call_hangup']);
  });

  it('leaves a trace that replays to the same records, with other numbers when they are masked', async () => {
    const traces = new LiveTraces(pbx.client);
    try {
      bed.phones['101'].reset('busy');
      bed.phones['102'].reset('ring');
      const queued = bed.call(QUEUE);
      const rings = await bed.phones['102'].nextCall();
      rings.answer();
      await until(() => story('102').includes('call_answer'), 'the answer');
      await admin(async (link) => {
        const headers = { Channel: await channelOf(link, 'PJSIP/provider-'), File: 'office-79031112233.wav' };
        assert.equal((await link.action({ action: 'MixMonitor', headers })).name, 'Success');
      });
      await transfer('PJSIP/102-', '101');
      await queued.ended;
      bed.phones['101'].reset('answer');
      const direct = bed.call(DIRECT);
      await direct.answered;
      await until(() => story('101').includes('call_answer'), 'the second answer');
      direct.bye();
      const records = () => calls().flatMap(({ topic, payload }) => (topic === 'call_record' ? [payload] : []));
      await until(() => records().length === 2, 'both records', 20_000);
      await traces.end();

      const plan = { name: 'office', trunks: ['provider'], trunkContexts: ['from-trunk'] };
      const live = byCall(records());
      assert.match(live.find(({ queue }) => queue)?.recording?.file ?? '', /office-79031112233\.wav$/);
      assert.deepEqual(traces.replayed(plan, false), live);
      assert.ok(assertSameButMasked(live, traces.replayed(plan, true)) >= 4);
    } finally {
      traces.remove();
    }
  });

  it('tells what ended while the link was cut, after a gap, and goes on with what did not', async () => {
    const ends = bed.call(DIRECT);
    await ends.answered;
    await until(() => story('101').includes('call_answer'), 'the answer');
    link.cut();
    await until(() => pbx.client.state.phase === 'waiting', 'the cut to be noticed');
    ends.bye();
    await ends.ended;
    link.mend();
    const found = await record();
    const { result, talked, reconciled } = found;
    assert.deepEqual({ result, talked, reconciled }, { result: 'answered', talked: ['101'], reconciled: true });
    assert.deepEqual(orderOf(['gap', 'call_record']), ['gap', 'call_record']);
  });

  it('takes up a call again that lived through the cut', async () => {
    const call = bed.call(DIRECT);
    await call.answered;
    await until(() => story('101').includes('call_answer'), 'the answer');
    link.cut();
    await until(() => pbx.client.state.phase === 'waiting', 'the cut to be noticed');
    link.mend();
    await until(() => told.some(({ topic }) => topic === 'gap'), 'the gap', 20_000);
    await until(() => pbx.calls.stats.liveCalls === 1, 'the call');
    call.bye();
    const { result, talked, hangup } = await record();
    assert.deepEqual({ result, talked, by: hangup?.by }, { result: 'answered', talked: ['101'], by: 'client' });
    assert.equal(story('101').filter((topic) => topic === 'call_answer').length, 1);
  });

  /** The first message of each of these topics, in the order in which they came. */
  const orderOf = (topics: readonly string[]): string[] => [
    ...new Set(told.map(({ topic }) => topic).filter((topic) => topics.includes(topic))),
  ];

  /** Sends the other party of a channel on to an extension, as a transfer key of the phone does. */
  const transfer = (channel: string, exten: string): Promise<void> =>
    admin(async (link) => {
      const headers = { Channel: await channelOf(link, channel), Context: 'from-internal', Exten: exten };
      assert.equal((await link.action({ action: 'BlindTransfer', headers })).name, 'Success');
    });

  async function channelOf(link: AmiClient, beginning: string): Promise<string> {
    const rows = await link.list({ action: 'CoreShowChannels' });
    const name = rows.map((row) => row.get('Channel') ?? '').find((one) => one.startsWith(beginning));
    assert.ok(name);
    return name;
  }

  async function admin(order: (link: AmiClient) => Promise<void>): Promise<void> {
    const { amiPort: port } = bed.asterisk;
    const link = createAmiClient({ host: '127.0.0.1', port, username: 'admin', secret: 'admin-secret' });
    try {
      link.connect();
      await until(() => link.state.phase === 'ready', 'the link of the admin');
      await order(link);
    } finally {
      await link.close();
    }
  }
});
