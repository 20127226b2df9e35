import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createAmiClient } from '../../lib/ami';
import type { AmiClient } from '../../lib/ami/types';
import { systemClock } from '../../lib/clock';
import { createAmiLine, type AmiLineOptions } from '../../lib/dialer/line/ami-line';
import type { AutocallScript } from '../../lib/dialer/line/script';
import type { AttemptPhase, AttemptResult, DialLine, Order } from '../../lib/dialer/types';
import { silentLog } from '../../lib/log';
import type { PbxMessage } from '../../lib/messages/types';
import { DEFAULT_DIALLING } from '../../lib/outbound/defaults';
import type { DialSettings } from '../../lib/outbound/types';
import { createPbx } from '../../lib/pbx/pbx';
import { numberingPlan } from '../../lib/phone';
import { until } from '../support/wait';
import { attemptOf, autocallOrder, clickOrder, colleague, plainOrder } from '../unit/dialer/support/orders';
import { cuttableLink, type CuttableLink } from './support/cuttable-link';
import { describeAsterisk } from './support/roots';
import { TestBed } from './support/test-bed';

const plan = numberingPlan({ country: 'RU' });
/** Phone 102 plays the trunk and the client. */
const TO_102: Partial<DialSettings> = { channels: [{ prefix: '', channel: 'PJSIP/{number}@102' }], dialAs: 'digits' };
/** Plays without any dialplan. */
const playback = (files: string): AutocallScript => ({
  originate: () => ({ headers: { Application: 'Playback', Data: files }, variables: {} }),
  attach: () => () => undefined,
  resultOf: () => undefined,
});
const essence = ({ outcome, reached, cause, error }: AttemptResult) => [outcome, reached, cause?.code, error?.code];

describeAsterisk('a line over AMI', (version) => {
  let bed: TestBed;
  let link: CuttableLink;
  let client: AmiClient;
  const lines: DialLine[] = [];
  let count = 0;

  before(async () => {
    bed = await TestBed.start({ version });
    link = await cuttableLink(bed.asterisk.amiPort);
    client = await logIn('dialler');
  });
  after(async () => {
    await client.close();
    await link.close();
    await bed.stop();
  });
  beforeEach(() => bed.reset());
  afterEach(async () => {
    bed.asterisk.thaw();
    await Promise.all(lines.splice(0).map((line) => line.close()));
    link.mend();
    await bed.hangUpAll();
    await until(() => client.state.phase === 'ready', 'the link');
  });

  async function logIn(user: string): Promise<AmiClient> {
    const made = createAmiClient({ host: '127.0.0.1', port: link.port, username: user, secret: `${user}-secret` });
    made.connect();
    await until(() => made.state.phase === 'ready', 'the link');
    return made;
  }

  function lineWith(settings: Partial<DialSettings> = TO_102, more: Partial<AmiLineOptions> = {}): DialLine {
    const dialling = { settings: { ...DEFAULT_DIALLING, ...settings } };
    const line = createAmiLine({ client, clock: systemClock, log: silentLog, plan, dialling, ...more });
    lines.push(line);
    return line;
  }

  function dial(order: Order, line = lineWith()) {
    const phases: AttemptPhase[] = [];
    const attempt = attemptOf(order, `tcrm-test0000-${++count}-1`);
    return { attempt, phases, result: line.dial(attempt, (phase) => phases.push(phase)) };
  }

  for (const [title, settings, order] of [
    ['by a channel of the map', TO_102, clickOrder()],
    ['by the context', {}, colleague('102')],
    [
      'with a Local channel for the agent',
      { ...TO_102, agentChannel: 'Local/{extension}@from-internal' },
      clickOrder(),
    ],
  ] as const) {
    it(`joins two people ${title}: the agent sees the client, the client the agent`, async () => {
      for (const phone of [bed.phones['101'], bed.phones['102']]) phone.reset('ring');
      const { attempt, phases, result } = dial(order, lineWith(settings));
      // Picked up as people do, after it rang: of an answer in the same moment Asterisk may tell the end only.
      const agent = await bed.phones['101'].nextCall();
      await until(() => phases.includes('ringing'), 'the phone of the agent to ring');
      agent.answer();
      const called = await bed.phones['102'].nextCall();
      await until(() => phases.includes('client-ringing'), 'the phone of the client to ring');
      called.answer();
      assert.deepEqual([agent.callerNumber, called.callerNumber], [order.e164?.slice(1) ?? '102', '101']);
      await until(() => phases.includes('answered'), 'the answer');
      called.bye();
      const found = await result;
      assert.deepEqual(essence(found), ['answered', 'yes', 16, undefined]);
      assert.equal(found.callId, attempt.channelId);
      assert.deepEqual(phases, ['dialing', 'ringing', 'agent-answered', 'client-ringing', 'answered']);
    });
  }

  it('shows the client the caller id of the order', async () => {
    dial(clickOrder({ callerId: { number: '74951343060', name: 'Такси, "Ваня"' } }));
    assert.equal((await bed.phones['101'].nextCall()).callerNumber, '79031234567');
    const { callerNumber, callerName } = await bed.phones['102'].nextCall();
    assert.deepEqual([callerNumber, callerName], ['74951343060', 'Такси, "Ваня"']);
  });

  it('leaves a call that its record tells by the client', async () => {
    const told: PbxMessage[] = [];
    const pbx = createPbx(
      {
        name: 'office',
        plan,
        calls: { trunks: ['102'] },
        connection: {
          kind: 'asterisk',
          driver: 'built-in',
          client: { host: '127.0.0.1', port: link.port, username: 'admin', secret: 'admin-secret' },
        },
      },
      {},
    );
    pbx.calls.subscribe((message) => told.push(message));
    pbx.open();
    await until(() => pbx.client.state.phase === 'ready', 'the link');
    const { attempt, phases } = dial(clickOrder());
    await until(() => phases.includes('answered'), 'the answer');
    (await bed.phones['102'].nextCall()).bye();
    const records = () => told.flatMap((one) => (one.topic === 'call_record' ? [one.payload] : []));
    await until(() => records().length > 0, 'the record');
    const { callId, direction, result, extension, client: other } = records()[0]!;
    assert.deepEqual(
      [callId, direction, result, extension, other?.e164],
      [attempt.channelId, 'out', 'answered', '101', '+79031234567'],
    );
    await pbx.close();
  });

  for (const [autoAnswer, header, value] of [
    ['call-info', 'Call-Info', '<sip:127.0.0.1>;answer-after=0'],
    ['alert-info', 'Alert-Info', '<http://127.0.0.1>;info=alert-autoanswer;delay=0'],
    ['answer-mode', 'Answer-Mode', 'Auto'],
  ] as const) {
    it(`asks the agent’s phone, and nobody else’s, to answer by itself: ${header}`, async () => {
      dial(clickOrder(), lineWith({ ...TO_102, autoAnswer }));
      assert.deepEqual((await bed.phones['101'].nextCall()).headers(header), [value]);
      assert.deepEqual((await bed.phones['102'].nextCall()).headers(header), []);
    });
  }

  it('tells what the agent’s phone did, when the client was never called', async () => {
    bed.phones['101'].reset('busy');
    assert.deepEqual(essence(await dial(clickOrder()).result), ['failed', 'no', 17, 'LINE_AGENT_BUSY']);
    bed.phones['101'].reset('decline');
    assert.deepEqual(essence(await dial(clickOrder()).result), ['failed', 'no', 21, 'LINE_AGENT_NO_ANSWER']);
    assert.deepEqual(essence(await dial(clickOrder({ extension: '103' })).result), [
      'failed',
      'no',
      undefined,
      'LINE_AGENT_UNREACHABLE',
    ]);
    assert.deepEqual(bed.phones['102'].received, []);
  });

  it('tells what the client did', async () => {
    bed.phones['102'].reset('busy');
    assert.deepEqual(essence(await dial(clickOrder()).result), ['busy', 'no', 17, undefined]);
    bed.phones['102'].reset('decline');
    assert.deepEqual(essence(await dial(clickOrder()).result), ['no-answer', 'no', 21, undefined]);
    bed.phones['102'].reset('ring');
    const away = dial(clickOrder());
    (await bed.phones['102'].nextCall()).reject(480, 'Temporarily Unavailable');
    assert.deepEqual(essence(await away.result), ['no-answer', 'no', 19, undefined]);
    const nowhere = lineWith({ channels: [{ prefix: '', channel: 'PJSIP/{number}@103' }] });
    assert.deepEqual(essence(await dial(clickOrder(), nowhere).result), ['failed', 'no', 3, undefined]);
  });

  it('tells an agent who gives up while the client’s phone rings', async () => {
    bed.phones['102'].reset('ring');
    const { result } = dial(clickOrder());
    await bed.phones['102'].nextCall();
    (await bed.phones['101'].nextCall()).bye();
    assert.deepEqual(essence(await result), ['cancelled', 'no', 16, undefined]);
  });

  it('hangs up what is cancelled', async () => {
    bed.phones['101'].reset('ring');
    const line = lineWith();
    const { attempt, result } = dial(clickOrder(), line);
    const agent = await bed.phones['101'].nextCall();
    line.cancel(attempt.channelId);
    assert.deepEqual(essence(await result), ['cancelled', 'no', 16, undefined]);
    assert.equal(await agent.ended, 487);
  });

  it('plays a message, and tells whether the client heard it to its end', async () => {
    const line = lineWith(TO_102, { script: playback('beep&beep') });
    assert.deepEqual(essence(await dial(autocallOrder(), line).result), ['answered', 'yes', 16, undefined]);
    const long = dial(autocallOrder(), lineWith(TO_102, { script: playback('demo-congrats') }));
    await until(() => long.phases.includes('answered'), 'the answer');
    bed.phones['102'].received.at(-1)?.bye();
    assert.deepEqual(essence(await long.result), ['heard-partly', 'yes', 16, undefined]);
    bed.phones['102'].reset('busy');
    assert.deepEqual(essence(await dial(autocallOrder(), line).result), ['busy', 'no', 17, undefined]);
  });

  it('tells a plain call by its first leg: nobody picks up', async () => {
    bed.phones['101'].reset('ring');
    const { result, phases } = dial(plainOrder({ ringMs: 1000 }));
    assert.deepEqual(essence(await result), ['no-answer', 'no', 19, undefined]);
    assert.deepEqual(phases, ['dialing', 'ringing']);
  });

  it('tells in Asterisk’s words why an order cannot be carried out, and which permission is missing', async () => {
    const to = { context: 'no-such-context', exten: 'nope', priority: 1 };
    const refused = await dial(plainOrder({ to })).result;
    assert.deepEqual(essence(refused), ['failed', 'no', undefined, 'LINE_REFUSED']);
    assert.match(refused.error?.message ?? '', /does not exist/);
    const single = await logIn('single');
    const denied = await dial(clickOrder(), lineWith(TO_102, { client: single })).result;
    assert.deepEqual(essence(denied), ['failed', 'no', undefined, 'LINE_PERMISSION']);
    await single.close();
  });

  it('goes on when the link was cut meanwhile', async () => {
    bed.phones['102'].reset('ring');
    const { phases, result } = dial(clickOrder());
    const called = await bed.phones['102'].nextCall();
    link.cut();
    await until(() => client.state.phase !== 'ready', 'the loss of the link');
    called.answer();
    link.mend();
    await until(() => phases.includes('answered'), 'the answer');
    called.bye();
    assert.deepEqual(essence(await result), ['answered', 'yes', 16, undefined]);
  });

  it('takes up what an earlier process began', async () => {
    const first = lineWith();
    const { attempt, phases } = dial(clickOrder(), first);
    await until(() => phases.includes('answered'), 'the answer');
    await first.close();
    const results = new Map<string, AttemptResult>();
    const gone = attemptOf(clickOrder(), 'tcrm-test0000-999-1');
    await lineWith().takeUp(
      [attempt, gone],
      () => undefined,
      (one, result) => results.set(one.channelId, result),
    );
    assert.deepEqual([...results.keys()], [gone.channelId]);
    assert.equal(results.get(gone.channelId)?.reached, 'unknown');
    (await bed.phones['102'].nextCall()).bye();
    await until(() => results.size === 2, 'the end of the call');
    assert.deepEqual(essence(results.get(attempt.channelId)!), ['answered', 'yes', 16, undefined]);
  });

  /** Resolves when none of its threads runs any more: the signal takes its time on a busy machine. */
  async function freeze(): Promise<void> {
    bed.asterisk.freeze();
    const tasks = `/proc/${bed.asterisk.pid}/task`;
    const stands = (thread: string) => readFileSync(`${tasks}/${thread}/stat`, 'utf8').includes(') T ');
    await until(() => readdirSync(tasks).every(stands), 'Asterisk to stand still');
  }

  it('gives a frozen PBX nothing to do later', async () => {
    const line = lineWith();
    await freeze();
    assert.deepEqual(essence(await dial(clickOrder(), line).result), ['failed', 'not-sent', undefined, 'LINE_SILENT']);
    assert.equal(line.isReady, false);
    bed.asterisk.thaw();
    await until(() => line.isReady, 'the line to be ready again');
    assert.deepEqual(bed.phones['101'].received, []);
  });

  it('hangs up what a PBX that froze at the wrong moment carries out too late', async () => {
    bed.phones['101'].reset('ring');
    const orders = { isOver: (store: string) => Promise.resolve(store === 'test0000') };
    // For this line no time goes by: what has answered once is taken for alive.
    const line = lineWith(TO_102, { orders, clock: { ...systemClock, monotonic: () => 0 } });
    const { result: before } = dial(clickOrder({ extension: '103' }), line);
    await before;
    await freeze();
    const { result } = dial(clickOrder({ expiresAt: Date.now() + 5000 }), line);
    await until(() => client.state.phase !== 'ready', 'the loss of the link');
    bed.asterisk.thaw();
    // Found ringing, or not there yet when it was looked for: then it is hung up when it comes.
    const [outcome, , , error] = essence(await result);
    assert.equal(outcome, 'failed');
    assert.ok(error === 'LINE_TOO_LATE' || error === 'LINE_LOST_SIGHT', String(error));
    await until(
      async () => (await bed.asterisk.cli('core show channels count')).startsWith('0 active channels'),
      'the late call to be hung up',
      15_000,
    );
    assert.ok(bed.phones['101'].received.length <= 1);
  });

  it('does not know how a call ended that a restart of the PBX took with it', async () => {
    bed.phones['102'].reset('ring');
    const { result } = dial(clickOrder());
    await bed.phones['102'].nextCall();
    await bed.asterisk.restart();
    assert.deepEqual(essence(await result), ['failed', 'unknown', undefined, 'LINE_LOST_SIGHT']);
  });
});
