import assert from 'node:assert/strict';
import { createAmiClient } from '../../../lib/ami';
import type { AmiClient } from '../../../lib/ami/types';
import { systemClock } from '../../../lib/clock';
import { dialplanScript, playbackScript } from '../../../lib/dialer/autocall/script';
import { createAmiLine } from '../../../lib/dialer/line/ami-line';
import type { AutocallAttempt } from '../../../lib/dialer/line/script';
import type { AttemptPhase, AttemptResult, AutocallOrder, DialLine } from '../../../lib/dialer/types';
import { silentLog } from '../../../lib/log';
import { numberingPlan } from '../../../lib/phone';
import { createSimulator } from '../../../lib/simulator';
import type { Simulator } from '../../../lib/simulator/types';
import { until } from '../../support/wait';
import { DIAL_SETTINGS } from './support/line';
import { attemptOf, autocallOrder } from './support/orders';

const attempt = (change: Partial<AutocallOrder> = {}): AutocallAttempt => {
  const order = autocallOrder(change);
  return { ...attemptOf(order), order };
};

describe('autocall script: playback', () => {
  it('gives the files to the application Playback, in the language of the order', () => {
    assert.deepEqual(playbackScript().originate(attempt({ language: 'ru' })), {
      headers: { Application: 'Playback', Data: 'car-is-here&thank-you' },
      variables: { 'CHANNEL(language)': 'ru' },
    });
  });

  it('refuses what it cannot do', () => {
    const script = playbackScript();
    assert.equal(script.objection?.(autocallOrder()), undefined);
    for (const change of [{ prompt: 'press-1' }, { detectMachine: true }]) {
      assert.equal(script.objection?.(autocallOrder(change))?.code, 'AUTOCALL_NEEDS_DIALPLAN');
      assert.throws(() => script.originate(attempt(change)), { code: 'AUTOCALL_NEEDS_DIALPLAN' });
    }
  });
});

describe('autocalls on the simulator', () => {
  let simulator: Simulator;
  let client: AmiClient;
  const lines: DialLine[] = [];

  before(async () => {
    simulator = createSimulator({ ringMs: 20, talkMs: 60 });
    client = createAmiClient(await simulator.start());
    client.connect();
    await until(() => client.state.phase === 'ready', 'the link');
  });
  after(async () => {
    await client.close();
    await simulator.stop();
  });
  afterEach(() => Promise.all(lines.splice(0).map((line) => line.close())));

  function lineOf(script = dialplanScript({ clock: systemClock, log: silentLog })): DialLine {
    const plan = numberingPlan({ country: 'RU' });
    const made = { client, plan, dialling: { settings: DIAL_SETTINGS }, clock: systemClock, log: silentLog, script };
    const line = createAmiLine(made);
    lines.push(line);
    return line;
  }
  const essence = ({ outcome, reached, heard }: AttemptResult) => [outcome, reached, heard];
  async function call(last: string, change: Partial<AutocallOrder> = {}, line = lineOf()): Promise<unknown[]> {
    const order = autocallOrder({ e164: `+790312345${last}`, number: `890312345${last}`, ...change });
    return essence(await line.dial(attemptOf(order), () => undefined));
  }
  const prompt = 'press-1';

  it('are answered when all was heard', async () => {
    assert.deepEqual(await call('67', { language: 'ru' }), ['answered', 'yes', 2]);
  });

  it('are confirmed by the key 1', async () => {
    const phases: AttemptPhase[] = [];
    const result = await lineOf().dial(attemptOf(autocallOrder({ prompt })), (phase) => phases.push(phase));
    assert.deepEqual(essence(result), ['confirmed', 'yes', 2]);
    assert.deepEqual(phases, ['dialing', 'ringing', 'answered', 'confirmed']);
  });

  it('are heard partly by a client who hangs up', async () => {
    assert.deepEqual(await call('16'), ['heard-partly', 'yes', 1]);
  });

  it('are not answered by a client who presses nothing', async () => {
    assert.deepEqual(await call('18', { prompt }), ['no-answer', 'no', 0]);
  }).timeout(30_000);

  it('are taken by a machine', async () => {
    assert.deepEqual(await call('26', { detectMachine: true }), ['machine', 'no', 0]);
  });

  it('meet a client who is busy', async () => {
    assert.deepEqual(await call('17'), ['busy', 'no', undefined]);
  });

  it('are played back without any dialplan; what that cannot do is refused', async () => {
    const line = lineOf(playbackScript());
    assert.deepEqual(await call('67', {}, line), ['answered', 'yes', undefined]);
    assert.equal(line.objection(autocallOrder({ prompt }))?.code, 'AUTOCALL_NEEDS_DIALPLAN');
  });

  it('are served by the line that dialled them, when another one listens to the same PBX', async () => {
    lineOf();
    assert.deepEqual(await call('67', { prompt }), ['confirmed', 'yes', 2]);
  });

  it('are served when 256 clients answer at once', async () => {
    const line = lineOf();
    const results = await Promise.all(
      Array.from({ length: 256 }, (_, at) => {
        const one = { ...attemptOf(autocallOrder({ prompt }), `tcrm-x-${at}-1`), orderId: at };
        return line.dial(one, () => undefined);
      }),
    );
    assert.deepEqual(new Set(results.map((result) => essence(result).join())), new Set(['confirmed,yes,2']));
  }).timeout(60_000);
});
