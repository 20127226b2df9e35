import assert from 'node:assert/strict';
import { createAmiClient } from '../../lib/ami';
import type { AmiClient } from '../../lib/ami/types';
import { systemClock } from '../../lib/clock';
import { dialplanScript, playbackScript } from '../../lib/dialer/autocall/script';
import { createAmiLine } from '../../lib/dialer/line/ami-line';
import type { AutocallHeard, AutocallScript } from '../../lib/dialer/line/script';
import type { AttemptResult, AutocallOrder, DialLine } from '../../lib/dialer/types';
import type { TelephonyError } from '../../lib/errors';
import { silentLog } from '../../lib/log';
import { DEFAULT_DIALLING } from '../../lib/outbound/defaults';
import { numberingPlan } from '../../lib/phone';
import { ready } from '../support/ami-conformance';
import { until } from '../support/wait';
import { attemptOf, autocallOrder } from '../unit/dialer/support/orders';
import { startAsterisk, type TestAsterisk } from './support/asterisk';
import { describeAsterisk } from './support/roots';
import { type IncomingCall, SipPhone } from './support/sip/phone';

/** Sounds that Debian's Asterisk brings: 0.4 s, 0.4 s, and 16 s of monkeys. */
const [SHORT, SECOND, LONG] = ['beep', 'beeperr', 'tt-monkeys'] as const;
const FILES: readonly string[] = [SHORT, SECOND];

const order = autocallOrder({ files: FILES });

interface ProcessOptions {
  readonly user?: string;
  /** `absent`: dials by the dialplan, and then plays nothing. */
  readonly player?: 'dialplan' | 'playback' | 'absent';
}

/** A process that dials and plays, with a link of its own. */
class Process {
  readonly results = new Map<string, AutocallHeard | 'not-offered' | undefined>();
  readonly confirmed: string[] = [];
  readonly problems: string[] = [];
  readonly script: AutocallScript;
  private readonly detach: () => void;

  private constructor(
    readonly client: AmiClient,
    player: ProcessOptions['player'],
  ) {
    const warn = (what: string | TelephonyError) =>
      void this.problems.push(typeof what === 'string' ? what : what.code);
    const log = { info: () => undefined, debug: () => undefined, warn };
    this.script = player === 'playback' ? playbackScript() : dialplanScript({ clock: systemClock, log });
    // As the line does: asked when the channel has hung up.
    client.subscribe(['Hangup'], (event) => {
      const id = event.get('Uniqueid') ?? '';
      this.results.set(id, this.script.resultOf(id));
    });
    const attach = () => this.script.attach(client, (id) => this.confirmed.push(id));
    this.detach = player === 'absent' ? () => undefined : attach();
  }

  static async start(asterisk: TestAsterisk, { user = 'autocall', player }: ProcessOptions = {}): Promise<Process> {
    const { amiPort: port } = asterisk;
    const client = createAmiClient({ host: '127.0.0.1', port, username: user, secret: `${user}-secret` });
    const one = new Process(client, player);
    client.connect();
    await ready(client);
    return one;
  }

  async end(): Promise<void> {
    this.detach();
    await this.client.close();
  }
}

describeAsterisk('autocalls', (version) => {
  let asterisk: TestAsterisk;
  let phone: SipPhone;
  let one: Process;
  let count = 0;

  before(async () => {
    asterisk = await startAsterisk({ version, globals: { TELEPHONY_CRM_INTERNAL: 'from-internal' } });
    phone = await SipPhone.registered({ server: asterisk.sipPort, user: 'client' });
  });
  after(async () => {
    phone.close();
    await asterisk.stop();
  });
  beforeEach(async () => {
    phone.reset('answer');
    one = await Process.start(asterisk);
  });
  afterEach(async () => {
    await one.end();
    await asterisk.cli('channel request hangup all');
    await until(
      async () => (await asterisk.cli('core show channels count')).startsWith('0 active channels'),
      'all calls to end',
    );
  });

  interface Dialled {
    readonly id: string;
    readonly call: IncomingCall;
    readonly answeredAt: number;
  }
  async function dial(
    change: Partial<AutocallOrder> = {},
    more: Readonly<Record<string, string | number>> = {},
    dialler: Process = one,
    channel = 'PJSIP/client',
  ): Promise<Dialled> {
    const id = `tcrm-t-${(count += 1)}-1`;
    const entry = dialler.script.originate({
      orderId: count,
      try: 1,
      channelId: id,
      startedAt: 0,
      dialBefore: order.expiresAt,
      order: { ...order, ...change },
    });
    const headers = { Channel: channel, ...entry.headers, Async: true, ChannelId: id, Timeout: 20_000 };
    const answer = await dialler.client.action({
      action: 'Originate',
      headers,
      variables: { ...entry.variables, ...more },
    });
    assert.equal(answer.name, 'Success', answer.get('Message'));
    const call = await phone.nextCall();
    return { id, call, answeredAt: performance.now() };
  }
  const variable = async (id: string, name: string): Promise<string> => {
    const answer = await one.client.action({ action: 'Getvar', headers: { Channel: id, Variable: name } });
    return answer.get('Value') ?? '';
  };
  const isIn = async (application: string): Promise<boolean> =>
    (await asterisk.cli('core show channels')).includes(`${application}(`);
  async function result(id: string, process = one): Promise<AutocallHeard | 'not-offered' | undefined> {
    await until(() => process.results.has(id), 'the end of the call', 30_000);
    return process.results.get(id);
  }
  const whole = { heard: 2, of: 2, confirmed: false, machine: false };

  it('plays the files, and hangs up', async () => {
    const { id } = await dial();
    assert.deepEqual(await result(id), whole);
    assert.deepEqual(one.problems, []);
  });

  it('speaks the language of the order', async () => {
    const { id } = await dial({ files: [LONG], language: 'ru' });
    assert.equal(await variable(id, 'CHANNEL(language)'), 'ru');
  });

  it('asks for the key 1 first', async () => {
    const { id, call } = await dial({ prompt: LONG });
    await until(async () => (await variable(id, 'TCRM_STEP')) === 'ask:1', 'the prompt');
    call.press('1');
    assert.deepEqual(await result(id), { ...whole, confirmed: true });
    assert.deepEqual(one.confirmed, [id]);
  });

  it('asks once more after another key', async () => {
    const { id, call } = await dial({ prompt: LONG });
    await until(async () => (await variable(id, 'TCRM_STEP')) === 'ask:1', 'the prompt');
    call.press('7');
    await until(async () => (await variable(id, 'TCRM_STEP')) === 'ask:2', 'the second round');
    call.press('1');
    assert.deepEqual(await result(id), { ...whole, confirmed: true });
  });

  it('plays nothing to a client who presses nothing', async () => {
    const { id } = await dial({ prompt: SHORT });
    assert.deepEqual(await result(id), { ...whole, heard: 0 });
    assert.deepEqual(one.confirmed, []);
  });

  it('knows how much was heard by a client who hangs up in mid-message', async () => {
    const { id, call } = await dial({ files: [SHORT, LONG, SECOND] });
    await until(async () => (await variable(id, 'TCRM_STEP')) === '1', 'the second file');
    call.bye();
    assert.deepEqual(await result(id), { ...whole, heard: 1, of: 3 });
  });

  it('tells of a sound that is not there, and plays the others', async () => {
    const { id } = await dial({ files: [SHORT, 'no-such-sound', SECOND] });
    assert.deepEqual(await result(id), { ...whole, of: 3 });
    assert.deepEqual(one.problems, ['AGI_NO_SUCH_SOUND']);
  });

  it('hears a machine, without the class system', async () => {
    const { id, call } = await dial({ detectMachine: true });
    call.speak(6000);
    assert.deepEqual(await result(id), { ...whole, heard: 0, machine: true });
  });

  it('hears a human being, without the class system', async () => {
    const { id, call } = await dial({ detectMachine: true });
    call.speak(600);
    assert.deepEqual(await result(id), whole);
  });

  it('plays to the end when the process dies, and the next one knows how it went', async () => {
    const { id } = await dial({ files: [SHORT, LONG] });
    await until(async () => (await variable(id, 'TCRM_STEP')) === '1', 'the second file');
    await one.end();
    one = await Process.start(asterisk);
    assert.deepEqual(await result(id), whole);
  });

  it('goes on where the process died that was asking', async () => {
    const { id, call } = await dial({ prompt: LONG });
    await until(async () => (await variable(id, 'TCRM_STEP')) === 'ask:1', 'the prompt');
    await one.end();
    one = await Process.start(asterisk);
    // The key may come before the next process listens: then it asks again.
    const pressing = setInterval(() => call.press('1'), 1000);
    await until(() => one.confirmed.length > 0, 'the key to be heard', 30_000);
    clearInterval(pressing);
    assert.deepEqual(await result(id), { ...whole, confirmed: true });
  });

  describe('when nobody serves the channel', () => {
    /** Seconds from the answer to the end of the call; 3 of them are the guard's. */
    const lasted = async ({ call, answeredAt }: Dialled): Promise<number> => {
      await call.ended;
      return (performance.now() - answeredAt) / 1000;
    };
    beforeEach(async () => {
      await one.end();
      one = await Process.start(asterisk, { player: 'absent' });
    });

    it('the dialplan plays the message by itself after three seconds', async () => {
      const dialled = await dial();
      const seconds = await lasted(dialled);
      assert.ok(seconds > 3.5 && seconds < 6, `${seconds} s`);
      assert.ok(asterisk.log().includes("Playing 'beep.gsm' (language 'en')"));
      assert.equal(await result(dialled.id), undefined);
    });

    it('the dialplan asks for the key by itself', async () => {
      const dialled = await dial({ prompt: SHORT, files: [LONG] });
      await until(() => isIn('Read'), 'the prompt', 10_000);
      dialled.call.press('1');
      await until(() => isIn('Playback'), 'the message', 10_000);
    });

    it('and hangs up with cause 19 when it is not pressed', async () => {
      const causes: (string | undefined)[] = [];
      const dialled = await dial({ prompt: SHORT });
      one.client.subscribe(['Hangup'], (event) => causes.push(event.get('Cause')));
      const seconds = await lasted(dialled);
      assert.ok(seconds > 13 && seconds < 20, `${seconds} s`);
      await until(() => causes.length > 0, 'the end of the channel');
      assert.deepEqual(causes, ['19']);
    });
  });

  it('lets go of a channel that was served and then forgotten', async () => {
    const { id, call } = await dial({ prompt: LONG });
    await until(async () => (await variable(id, 'TCRM_STEP')) === 'ask:1', 'the prompt');
    await one.client.action({ action: 'Setvar', headers: { Channel: id, Variable: 'TIMEOUT(absolute)', Value: 2 } });
    await call.ended;
  });

  it('plays nothing that is late, and connects no late click', async () => {
    const past = Math.floor(Date.now() / 1000) - 1;
    const causes: (string | undefined)[] = [];
    one.client.subscribe(['Hangup'], (event) => causes.push(event.get('Cause')));
    const { id } = await dial({ files: [LONG] }, { TCRM_EXPIRES: past });
    assert.equal(await result(id), undefined);
    assert.deepEqual(causes, ['103']);
    const click = async (expires: number): Promise<string | undefined> => {
      const ChannelId = `tcrm-t-${(count += 1)}-1`;
      const headers = {
        Channel: 'PJSIP/client',
        Context: 'telephony-crm-click',
        Exten: '9000',
        Priority: 1,
        Async: true,
        ChannelId,
      };
      await one.client.action({ action: 'Originate', headers, variables: { TCRM_EXPIRES: expires } });
      const call = await phone.nextCall();
      await until(async () => call.isOver || (await isIn('Wait')), 'either of the two');
      return call.isOver ? 'over' : 'connected';
    };
    assert.equal(await click(past), 'over');
    assert.equal(await click(past + 3600), 'connected');
  });

  it('plays to a client whom the dialplan dials (Local channel), too', async () => {
    const { id } = await dial({}, {}, one, 'Local/client@from-internal');
    assert.deepEqual(await result(id), whole);
  });

  describe('dialled by a line', () => {
    const lines: DialLine[] = [];
    afterEach(() => Promise.all(lines.splice(0).map((line) => line.close())));

    function lineOf({ client }: Process): DialLine {
      const settings = { ...DEFAULT_DIALLING, channels: [{ prefix: '', channel: 'PJSIP/client' }] };
      const script = dialplanScript({ clock: systemClock, log: silentLog });
      const plan = numberingPlan({ country: 'RU' });
      const line = createAmiLine({ client, plan, dialling: { settings }, clock: systemClock, log: silentLog, script });
      lines.push(line);
      return line;
    }
    beforeEach(async () => {
      await one.end();
      one = await Process.start(asterisk, { player: 'absent' });
    });
    const essence = ({ outcome, reached, heard }: AttemptResult) => [outcome, reached, heard];
    const attempt = (change: Partial<AutocallOrder>) =>
      attemptOf(autocallOrder({ files: FILES, ...change }), `tcrm-t-${(count += 1)}-1`);

    it('is confirmed by the key 1', async () => {
      const dialled = attempt({ prompt: LONG });
      const result = lineOf(one).dial(dialled, () => undefined);
      const call = await phone.nextCall();
      await until(async () => (await variable(dialled.channelId, 'TCRM_STEP')) === 'ask:1', 'the prompt');
      call.press('1');
      assert.deepEqual(essence(await result), ['confirmed', 'yes', 2]);
    });

    it('is taken up by the next process, which knows how it goes on', async () => {
      const dialled = attempt({ prompt: LONG, files: [SHORT, LONG] });
      void lineOf(one).dial(dialled, () => undefined);
      const call = await phone.nextCall();
      await until(async () => (await variable(dialled.channelId, 'TCRM_STEP')) === 'ask:1', 'the prompt');
      await Promise.all(lines.splice(0).map((line) => line.close()));
      await one.end();
      one = await Process.start(asterisk, { player: 'absent' });
      const line = lineOf(one);
      const phases: string[] = [];
      const result = new Promise<AttemptResult>((resolve) => {
        void line.takeUp(
          [dialled],
          (_, phase) => phases.push(phase),
          (_, found) => resolve(found),
        );
      });
      const pressing = setInterval(() => call.press('1'), 1000);
      await until(() => phases.includes('confirmed'), 'the key to be heard', 30_000);
      clearInterval(pressing);
      await until(async () => (await variable(dialled.channelId, 'TCRM_STEP')) === '1', 'the second file');
      call.bye();
      assert.deepEqual(essence(await result), ['heard-partly', 'yes', 1]);
    });

    it('has failed when it was late by the clock of the PBX, and is unheard when the client hangs up at once', async () => {
      const line = lineOf(one);
      const late = { ...attempt({ files: [LONG] }), dialBefore: Date.now() + 5000 };
      // A PBX whose clock went ahead since it was asked.
      const action = one.client.action.bind(one.client);
      one.client.action = (sent, options) => {
        const { variables } = sent;
        const past = Math.floor(Date.now() / 1000) - 1;
        return action(variables ? { ...sent, variables: { ...variables, TCRM_EXPIRES: past } } : sent, options);
      };
      const { outcome, reached, heard, error } = await line.dial(late, () => undefined);
      assert.deepEqual([outcome, reached, heard, error?.code], ['failed', 'yes', 0, 'LINE_NOTHING_PLAYED']);
      one.client.action = action;
      assert.deepEqual(essence(await line.dial(attempt({}), () => undefined)), ['answered', 'yes', 2]);
      const cut = line.dial(attempt({ detectMachine: true, files: [LONG] }), () => undefined);
      phone.reset('answer');
      const call = await phone.nextCall();
      await until(() => isIn('AMD'), 'the detection');
      call.bye();
      assert.deepEqual(essence(await cut), ['heard-partly', 'yes', 0]);
    });

    it('is taken by a machine', async () => {
      const result = lineOf(one).dial(attempt({ detectMachine: true }), () => undefined);
      (await phone.nextCall()).speak(6000);
      assert.deepEqual(essence(await result), ['machine', 'no', 0]);
    });
  });

  it('plays a list without any dialplan', async () => {
    const plain = await Process.start(asterisk, { player: 'playback' });
    const { id, call } = await dial({ language: 'en' }, {}, plain);
    await call.ended;
    assert.equal(await result(id, plain), undefined);
    await plain.end();
  });
});
