import assert from 'node:assert/strict';
import { createAmiClient } from '../../../lib/ami';
import type { AmiClient } from '../../../lib/ami/types';
import { systemClock } from '../../../lib/clock';
import { dialplanScript, playbackScript } from '../../../lib/dialer/autocall/script';
import type { AutocallAttempt, AutocallHeard, AutocallScript } from '../../../lib/dialer/line/script';
import type { AutocallOrder } from '../../../lib/dialer/types';
import { silentLog } from '../../../lib/log';
import { createSimulator } from '../../../lib/simulator';
import type { Simulator } from '../../../lib/simulator/types';
import { until } from '../../support/wait';

const order: AutocallOrder = {
  mode: 'autocall',
  number: '79031234567',
  e164: '+79031234567',
  files: ['car', 'is-here'],
  detectMachine: false,
  triesOf: {},
  timeZones: [],
  expiresAt: 0,
  priority: 0,
  tries: 1,
  periodMs: 1000,
  variables: {},
};
const attempt = (change: Partial<AutocallOrder> = {}, orderId = 1): AutocallAttempt => ({
  orderId,
  try: 1,
  channelId: `tcrm-x-${orderId}-1`,
  startedAt: 0,
  order: { ...order, ...change },
});

describe('autocall script: playback', () => {
  it('gives the files to the application Playback, in the language of the order', () => {
    assert.deepEqual(playbackScript().originate(attempt({ language: 'ru' })), {
      headers: { Application: 'Playback', Data: 'car&is-here' },
      variables: { 'CHANNEL(language)': 'ru' },
    });
  });

  it('refuses what it cannot do', () => {
    const script = playbackScript();
    assert.equal(script.objection?.(order), undefined);
    for (const change of [{ prompt: 'press-1' }, { detectMachine: true }]) {
      assert.equal(script.objection?.({ ...order, ...change })?.code, 'AUTOCALL_NEEDS_DIALPLAN');
      assert.throws(() => script.originate(attempt(change)), { code: 'AUTOCALL_NEEDS_DIALPLAN' });
    }
  });
});

describe('autocall script: dialplan, on the simulator', () => {
  let simulator: Simulator;
  let client: AmiClient;
  let script: AutocallScript;
  let detach: () => void;
  let results: Map<string, AutocallHeard | undefined>;
  const confirmed: string[] = [];

  before(async () => {
    simulator = createSimulator({ ringMs: 20, talkMs: 60 });
    client = createAmiClient(await simulator.start());
    // As the line does: asked when the channel has hung up.
    client.subscribe(['Hangup'], (event) => {
      const id = event.get('Uniqueid') ?? '';
      results.set(id, script.resultOf(id));
    });
    script = dialplanScript({ clock: systemClock, log: silentLog });
    detach = script.attach(client, (id) => confirmed.push(id));
    client.connect();
    await until(() => client.state.phase === 'ready', 'the link');
  });
  after(async () => {
    detach();
    await client.close();
    await simulator.stop();
  });
  beforeEach(() => {
    results = new Map();
    confirmed.length = 0;
  });

  const dial = async (number: string, change: Partial<AutocallOrder> = {}, orderId = 1): Promise<void> => {
    const one = attempt(change, orderId);
    const { headers, variables } = script.originate(one);
    const channel = { Channel: `PJSIP/${number}@trunk`, ChannelId: one.channelId, Async: true };
    const answer = await client.action({ action: 'Originate', headers: { ...channel, ...headers }, variables });
    assert.equal(answer.name, 'Success');
  };
  const heard = async (number: string, change: Partial<AutocallOrder> = {}): Promise<AutocallHeard | undefined> => {
    await dial(number, change);
    await until(() => results.size > 0, 'the end of the call', 20_000);
    return results.get('tcrm-x-1-1');
  };
  const whole = { heard: 2, of: 2, confirmed: false, machine: false };

  it('plays all files', async () => {
    assert.deepEqual(await heard('79031234567', { language: 'ru' }), whole);
    assert.deepEqual(confirmed, []);
  });

  it('asks for the key first', async () => {
    assert.deepEqual(await heard('79031234567', { prompt: 'press-1' }), { ...whole, confirmed: true });
    assert.deepEqual(confirmed, ['tcrm-x-1-1']);
  });

  it('knows a client who hangs up in mid-message', async () => {
    assert.deepEqual(await heard('79031234516', { prompt: 'press-1' }), { ...whole, heard: 1, confirmed: true });
  });

  it('knows a machine', async () => {
    assert.deepEqual(await heard('79031234526', { detectMachine: true }), { ...whole, heard: 0, machine: true });
  });

  it('knows nothing of a client who did not answer', async () => {
    assert.equal(await heard('79031234517'), undefined);
  });

  it('serves 256 clients who answer at once', async () => {
    for (let orderId = 1; orderId <= 256; orderId += 1) await dial('79031234567', { prompt: 'press-1' }, orderId);
    await until(() => results.size === 256, 'the end of all calls', 20_000);
    assert.deepEqual(new Set([...results.values()].map((result) => JSON.stringify(result))).size, 1);
    assert.deepEqual(results.get('tcrm-x-256-1'), { ...whole, confirmed: true });
    assert.equal(confirmed.length, 256);
  });
});
