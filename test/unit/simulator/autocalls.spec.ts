import assert from 'node:assert/strict';
import type { BareClient } from './support/client';
import { Office } from './support/office';

const TALK_MS = 1000;
const RING_MS = 500;
/** Enough for every client to have rung and to have heard the longest message. */
const LONG_MS = 60_000;

describe('simulator: autocalls', () => {
  let office: Office;
  let client: BareClient;

  beforeEach(async () => {
    office = await Office.open({ talkMs: TALK_MS, ringMs: RING_MS });
    client = await office.login();
  });
  afterEach(() => office.close());

  const originate = async (
    number: string,
    variables: Readonly<Record<string, string>>,
    more: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    const where = { Context: 'telephony-crm-autocall', Exten: 's', Priority: '1' };
    const answer = await client.action('Originate', {
      Channel: `PJSIP/${number}@trunk`,
      ...('Application' in more ? {} : where),
      Async: 'true',
      ChannelId: 'tcrm-1-1-1',
      Variable: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      ...more,
    });
    assert.equal(answer.get('Message'), 'Originate successfully queued');
    await office.clock.advanceAsync(RING_MS);
  };
  const pass = async (ms: number): Promise<void> => {
    await office.clock.advanceAsync(ms);
    await client.caughtUp();
  };
  const named = (event: string) => client.messages.filter((message) => message.event === event);
  const steps = () => named('Newexten').map((step) => `${step.get('Application')} ${step.get('AppData')}`);
  const hangup = () => {
    const [asked, end] = [named('HangupRequest'), named('Hangup')];
    assert.equal(end.length, 1);
    return { byClient: asked.length === 1, cause: end[0]!.get('Cause') };
  };
  /** Gives the waiting channel commands of AGI; what became of those that ran. */
  const agi = async (commands: readonly string[], ms = LONG_MS): Promise<string[]> => {
    for (const command of commands) {
      await client.action('AGI', { Channel: 'tcrm-1-1-1', Command: command, CommandID: command });
    }
    await pass(ms);
    return named('AsyncAGIExec').map((done) => decodeURIComponent(done.get('Result') ?? '').trim());
  };
  const FILES = { TCRM_FILES: 'hello&bill' };

  it('plays by itself when nobody serves the channel', async () => {
    await originate('79031234567', FILES);
    await pass(LONG_MS);
    assert.deepEqual(steps().slice(-2), ['Playback hello&bill', 'Hangup ']);
    assert.equal(named('AsyncAGIEnd').length, 1);
    assert.deepEqual(hangup(), { byClient: false, cause: '16' });
  });

  it('asks by itself for the key, and hangs up with cause 19 when it is not pressed', async () => {
    await originate('79031234518', { ...FILES, TCRM_PROMPT: 'press-1' });
    await pass(LONG_MS);
    assert.ok(!steps().some((step) => step.startsWith('Playback')));
    assert.deepEqual(hangup(), { byClient: false, cause: '19' });
  });

  it('plays by itself after the key', async () => {
    await originate('79031234567', { ...FILES, TCRM_PROMPT: 'press-1' });
    await pass(LONG_MS);
    assert.deepEqual(steps().slice(-3), ['Read TCRM_KEY,press-1,1,,2,5', 'Playback hello&bill', 'Hangup ']);
  });

  it('plays nothing to a machine, nor when it is too late', async () => {
    await originate('79031234526', { ...FILES, TCRM_AMD: '1' });
    await pass(LONG_MS);
    await originate('79031234567', { ...FILES, TCRM_EXPIRES: String(Math.floor(office.clock.now() / 1000)) });
    await pass(LONG_MS);
    assert.ok(!steps().some((step) => step.startsWith('Playback')));
    assert.equal(named('AsyncAGIStart').length, 1, 'the late one is not even offered');
    assert.equal(named('Hangup').length, 2);
  });

  it('knows the commands that play and ask', async () => {
    await originate('79031234567', FILES);
    const results = await agi([
      'SET VARIABLE TIMEOUT(absolute) 60',
      'STREAM FILE hello ""',
      'STREAM FILE hello "1"',
      'WAIT FOR DIGIT 3000',
      'GET DATA press-1 5000 1',
      'EXEC Playback hello',
      'GET VARIABLE PLAYBACKSTATUS',
      'EXEC AMD ""',
      'GET VARIABLE AMDSTATUS',
      'SET VARIABLE TCRM_STEP 1',
      'ASYNCAGI BREAK',
    ]);
    assert.deepEqual(results, [
      '200 result=1',
      '200 result=0 endpos=8000',
      '200 result=49 endpos=8000',
      '200 result=49',
      '200 result=1',
      '200 result=0',
      '200 result=1 (SUCCESS)',
      '200 result=0',
      '200 result=1 (HUMAN)',
      '200 result=1',
      '200 result=0',
    ]);
    assert.deepEqual(hangup(), { byClient: false, cause: '16' });
  });

  it('has a client who never presses a key', async () => {
    await originate('79031234518', FILES);
    const results = await agi(['SET VARIABLE TIMEOUT(absolute) 60', 'GET DATA press-1 5000 1', 'WAIT FOR DIGIT 3000']);
    assert.deepEqual(results.slice(1), ['200 result= (timeout)', '200 result=0']);
  });

  it('has a client who hangs up in the middle of the last file', async () => {
    await originate('79031234516', FILES);
    const results = await agi(['EXEC Playback hello', 'EXEC Playback bill', 'GET VARIABLE PLAYBACKSTATUS']);
    assert.deepEqual(results, ['200 result=0', '200 result=-1']);
    assert.deepEqual(hangup(), { byClient: true, cause: '0' });
    assert.equal(named('AsyncAGIEnd').length, 1);
  });

  it('has a machine', async () => {
    await originate('79031234526', { ...FILES, TCRM_AMD: '1' });
    await pass(TALK_MS);
    const status = await client.action('Getvar', { Channel: 'tcrm-1-1-1', Variable: 'AMDSTATUS' });
    assert.equal(status.get('Value'), 'MACHINE');
  });

  it('guards a channel that is served and then forgotten', async () => {
    await originate('79031234567', FILES);
    await agi(['SET VARIABLE TCRM_STEP 0', 'SET VARIABLE TIMEOUT(absolute) 20'], 19_000);
    assert.equal(named('Hangup').length, 0);
    await pass(2000);
    assert.deepEqual(hangup(), { byClient: false, cause: '16' });
    assert.ok(!steps().some((step) => step.startsWith('Playback')), 'what was served is not played a second time');
  });

  it('plays a list of files as an application, and hangs up', async () => {
    await originate('79031234567', {}, { Application: 'Playback', Data: 'hello&bill' });
    await pass(1.5 * TALK_MS);
    assert.equal(named('Hangup').length, 0);
    await pass(TALK_MS);
    assert.deepEqual(hangup(), { byClient: false, cause: '0' });
  });

  it('connects no click that is late', async () => {
    const late = String(Math.floor(office.clock.now() / 1000));
    const click = { Channel: 'PJSIP/101', Context: 'telephony-crm-click', Exten: '79031234567' };
    await originate('', { TCRM_EXPIRES: late }, click);
    await pass(LONG_MS);
    assert.deepEqual(named('BridgeEnter'), []);
    await originate('', { TCRM_EXPIRES: String(Number(late) + 3600) }, click);
    await pass(LONG_MS);
    assert.equal(named('BridgeEnter').length, 2);
  });
});
