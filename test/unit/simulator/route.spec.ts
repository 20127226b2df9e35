import assert from 'node:assert/strict';
import type { SimulatedCallOutcome } from '../../../lib/simulator/types';
import { until } from '../../support/wait';
import type { BareClient } from './support/client';
import { Office } from './support/office';

const call = { from: '79261112233', name: 'Иван', did: '74951000101' };

describe('simulator: a call asks for its route', () => {
  let office: Office;
  let client: BareClient;

  beforeEach(async () => {
    office = await Office.open();
    client = await office.login();
  });
  afterEach(() => office.close());

  const route = async (answer: Readonly<Record<string, string>>): Promise<SimulatedCallOutcome> => {
    const { outcome } = await office.incoming(client, answer);
    return office.play(outcome);
  };
  const agi = async (channel: string, command: string): Promise<string> => {
    const before = client.messages.length;
    await client.action('AGI', { Channel: channel, Command: command, CommandID: command });
    await office.clock.advanceAsync(100);
    await client.caughtUp();
    const done = client.messages.slice(before).find((message) => message.event === 'AsyncAGIExec');
    assert.equal(done?.get('CommandId'), command);
    return decodeURIComponent(done.get('Result') ?? '');
  };

  it('tells all that the dialplan knows in AsyncAGIStart', async () => {
    const outcome = office.simulator.call(call);
    const start = await client.event('AsyncAGIStart');
    assert.equal(start.get('Privilege'), 'agi,all');
    assert.equal(start.get('CallerIDNum'), '79261112233');
    assert.equal(start.get('CallerIDName'), 'Иван');
    assert.equal(start.get('Exten'), '74951000101');
    assert.equal(start.get('Uniqueid'), start.get('Linkedid'));
    const env = decodeURIComponent(start.get('Env') ?? '');
    for (const line of [
      'agi_request: async',
      `agi_channel: ${start.get('Channel')}`,
      'agi_callerid: 79261112233',
      'agi_calleridname: Иван',
      'agi_dnid: 74951000101',
      'agi_extension: 74951000101',
      'agi_context: from-trunk',
      'agi_arg_1: telephony-crm',
      'agi_arg_2: 74951000101',
    ]) {
      assert.ok(env.includes(`${line}\n`), line);
    }
    assert.ok(env.endsWith('\n\n'));
    assert.equal((await office.play(outcome)).callId, start.get('Linkedid'));
  });

  it('goes to the responsible person under the name that the flow gives', async () => {
    const told = await route({ CRM_ROUTE_NUMBER: '105', CRM_ROUTE_NAME: 'ООО "Ромашка"' });
    assert.deepEqual(told, {
      callId: told.callId,
      from: call.from,
      did: call.did,
      way: 'responsible',
      extension: '105',
      callerName: 'ООО "Ромашка"',
      result: 'answered',
      askedMs: 100,
    });
    const ringing = client.messages.find((message) => message.event === 'DialBegin');
    assert.equal(ringing?.get('DestConnectedLineName'), 'ООО \\"Ромашка\\"');
  });

  it('takes every phone of the office as its rule says, and goes on to the greeting', async () => {
    const expected = {
      '102': 'busy',
      '103': 'no-answer',
      '104': 'not-registered',
      '106': 'declined',
      '999': 'not-registered',
    };
    for (const [extension, result] of Object.entries(expected)) {
      const told = await route({ CRM_ROUTE_NUMBER: extension });
      assert.deepEqual(
        [told.way, told.why, told.extension, told.result],
        ['usual', 'phone-did-not-take-it', extension, result],
      );
      await client.caughtUp();
      assert.equal(client.messages.filter((message) => message.get('Application') === 'Playback').length, 1);
      client.messages.length = 0;
    }
  });

  it('can be sent to a number outside', async () => {
    const told = await route({ CRM_ROUTE_NUMBER: '79031234567' });
    assert.deepEqual([told.way, told.extension, told.result], ['responsible', '79031234567', 'answered']);
  });

  it('goes its usual way when nobody is responsible', async () => {
    const told = await route({ CRM_ROUTE_NUMBER: '' });
    assert.deepEqual(
      [told.way, told.why, told.result, told.extension],
      ['usual', 'nobody-responsible', 'ivr', undefined],
    );
  });

  it('goes its usual way at once when no session could hear the question', async () => {
    await client.action('Logoff');
    await client.waitClosed();
    const deaf = await office.login({ Events: 'call' });
    const told = await office.play(office.simulator.call(call));
    assert.deepEqual([told.way, told.why, told.result, told.askedMs], ['usual', 'nobody-serves', 'ivr', 0]);
    await deaf.caughtUp();
    assert.deepEqual(
      deaf.events().filter((name) => name.includes('AGI')),
      [],
    );
  });

  it('does not wait longer than its guard', async () => {
    const told = await office.play(office.simulator.call(call));
    assert.deepEqual([told.why, told.result, told.askedMs], ['no-answer-in-time', 'ivr', 3000]);
    await client.caughtUp();
    const late = await client.action('AGI', { Channel: 'PJSIP/trunk-00000000', Command: 'ASYNCAGI BREAK' });
    assert.equal(late.get('Message'), 'Channel PJSIP/trunk-00000000 does not exist.');
  });

  it('shows a waiting channel to a client that comes later', async () => {
    const outcome = office.simulator.call(call);
    await client.event('AsyncAGIStart');
    const second = await office.login();
    const row = (await second.list('CoreShowChannels')).find((message) => message.event === 'CoreShowChannel');
    assert.equal(row?.get('Application'), 'AGI');
    assert.equal(row.get('ApplicationData'), 'agi:async,telephony-crm,74951000101');
    const channel = row.get('Channel') ?? '';
    await second.action('Setvar', { Channel: channel, Variable: 'CRM_ROUTE_NUMBER', Value: '101' });
    await second.action('AGI', { Channel: channel, Command: 'ASYNCAGI BREAK' });
    assert.equal((await office.play(outcome)).result, 'answered');
  });

  it('keeps waiting while the client is away', async () => {
    const outcome = office.simulator.call(call);
    await client.event('AsyncAGIStart');
    client.socket.destroy();
    await office.clock.advanceAsync(2000);
    const back = await office.login();
    const row = (await back.list('CoreShowChannels')).find((message) => message.event === 'CoreShowChannel');
    await back.action('AGI', { Channel: row?.get('Channel') ?? '', Command: 'ASYNCAGI BREAK' });
    assert.equal((await office.play(outcome)).why, 'nobody-responsible');
  });

  it('does what AGI commands say and answers as Asterisk does', async () => {
    const outcome = office.simulator.call(call);
    const channel = (await client.event('AsyncAGIStart')).get('Channel') ?? '';
    assert.equal(await agi(channel, 'GET VARIABLE CRM_X'), '200 result=0\n');
    assert.equal(await agi(channel, 'SET VARIABLE CALLERID(name) "Иван \\"П\\" Петров"'), '200 result=1\n');
    assert.equal(await agi(channel, 'GET VARIABLE CALLERID(name)'), '200 result=1 (Иван "П" Петров)\n');
    assert.equal(await agi(channel, 'EXEC NoOp hello world'), '200 result=0\n');
    assert.equal(await agi(channel, 'EXEC NoSuchApp hello'), '200 result=-2\n');
    assert.equal(await agi(channel, 'NOSUCH'), '510 Invalid or unknown command\n');
    assert.match(await agi(channel, 'SET VARIABLE X'), /^520-Invalid command syntax/);
    assert.equal(await agi(channel, 'ANSWER'), '200 result=0\n');
    assert.equal(await agi(channel, 'ASYNCAGI BREAK'), '200 result=0\n');
    const tail = client.events().filter((name) => name.includes('AGI'));
    assert.deepEqual(tail.slice(-4), ['AGIExecStart', 'AGIExecEnd', 'AsyncAGIExec', 'AsyncAGIEnd']);
    await office.play(outcome);
  });

  it('knows what the dialplan knows of a channel, and takes a new caller id', async () => {
    const outcome = office.simulator.call(call);
    const channel = (await client.event('AsyncAGIStart')).get('Channel') ?? '';
    const value = async (name: string): Promise<string | undefined> =>
      (await client.action('Getvar', { Channel: channel, Variable: name })).get('Value');
    assert.equal(await value('EXTEN'), '74951000101');
    assert.equal(await value('CONTEXT'), 'from-trunk');
    assert.equal(await value('CHANNEL'), channel);
    assert.equal(await value('CHANNEL(linkedid)'), await value('UNIQUEID'));
    assert.equal(await value('CALLERID(dnid)'), '74951000101');
    await client.action('Setvar', { Channel: channel, Variable: 'CALLERID(all)', Value: '"Пётр" <84951234567>' });
    assert.equal(await value('CALLERID(num)'), '84951234567');
    assert.equal(await value('CALLERID(name)'), 'Пётр');
    const shown = await client.event('NewCallerid');
    assert.equal(shown.get('CID-CallingPres'), '0 (Presentation Allowed, Not Screened)');
    await office.play(outcome);
  });

  it('never answers a command when the caller hangs up', async () => {
    const outcome = office.simulator.call({ ...call, patienceMs: 50 });
    const channel = (await client.event('AsyncAGIStart')).get('Channel') ?? '';
    await client.action('AGI', { Channel: channel, Command: 'ASYNCAGI BREAK', CommandID: 'x' });
    const told = await office.play(outcome);
    assert.deepEqual([told.result, told.askedMs], ['cancelled', 50]);
    await client.caughtUp();
    assert.equal(client.events().includes('AsyncAGIExec'), false);
    assert.equal(client.events().includes('AsyncAGIEnd'), true);
  });

  it('bounds the commands that wait on a channel, and refuses other channels', async () => {
    const outcome = office.simulator.call(call);
    const channel = (await client.event('AsyncAGIStart')).get('Channel') ?? '';
    const add = async (name: string): Promise<string | undefined> =>
      (await client.action('AGI', { Channel: name, Command: 'NOOP' })).get('Message');
    for (let count = 0; count < 64; count++) assert.equal(await add(channel), 'Added AGI command to queue');
    assert.equal(await add(channel), `Failed to add AGI command to channel ${channel} queue`);
    assert.equal(await add('zz'), 'Channel zz does not exist.');
    assert.equal((await client.action('AGI')).get('Message'), 'Both, Channel and Command are *required*');
    await office.play(outcome);
  });

  it('can be redirected while it waits', async () => {
    const outcome = office.simulator.call(call);
    const channel = (await client.event('AsyncAGIStart')).get('Channel') ?? '';
    const place = { Context: 'from-internal', Exten: '101', Priority: '1' };
    assert.equal(
      (await client.action('Redirect', { Channel: channel, ...place })).get('Message'),
      'Redirect successful',
    );
    const told = await office.play(outcome);
    assert.deepEqual([told.way, told.extension, told.result], ['responsible', '101', 'answered']);
  });

  it('can be redirected while people talk: the phone is let go, the caller goes on', async () => {
    const { outcome, channel } = await office.incoming(client, { CRM_ROUTE_NUMBER: '101' });
    await office.clock.advanceAsync(1000);
    await client.event('BridgeEnter');
    await client.action('Redirect', { Channel: channel, Context: 'from-internal', Exten: '105', Priority: '1' });
    const told = await office.play(outcome);
    assert.deepEqual([told.extension, told.result], ['105', 'answered']);
    await client.caughtUp();
    const ended = client.messages
      .filter((message) => message.event === 'Hangup')
      .map((message) => message.get('Channel'));
    assert.deepEqual(
      ended.map((name) => name?.replace(/-.*/, '')),
      ['PJSIP/101', 'PJSIP/105', 'PJSIP/trunk'],
    );
  });

  it('can have both legs redirected', async () => {
    const { outcome, channel } = await office.incoming(client, { CRM_ROUTE_NUMBER: '101' });
    await office.clock.advanceAsync(1000);
    const leg = (await client.event('DialBegin')).get('DestChannel') ?? '';
    const both = { Channel: channel, ExtraChannel: leg, Context: 'telephony-crm-hold', Exten: 's', Priority: '1' };
    assert.equal((await client.action('Redirect', both)).get('Message'), 'Dual Redirect successful');
    await client.caughtUp();
    const held = client.messages.filter((message) => message.event === 'MusicOnHoldStart');
    assert.deepEqual(held.map((message) => message.get('Channel')).sort(), [channel, leg].sort());
    await office.play(outcome);
  });

  it('hangs up a channel that is redirected to nowhere', async () => {
    const outcome = office.simulator.call(call);
    const channel = (await client.event('AsyncAGIStart')).get('Channel') ?? '';
    await client.action('Redirect', { Channel: channel, Context: 'nope', Exten: 'nope', Priority: '1' });
    assert.equal((await office.play(outcome)).result, 'cancelled');
    const gone = await client.action('Redirect', {
      Channel: channel,
      Context: 'from-internal',
      Exten: '101',
      Priority: '1',
    });
    assert.equal(gone.get('Message'), `Channel does not exist: ${channel}`);
  });

  it('plays many calls at once, each with its own answer', async () => {
    const served = new Set<string>();
    const outcomes = Array.from({ length: 20 }, (_, index) =>
      office.simulator.call({ ...call, from: `7926000000${index}` }),
    );
    await until(() => client.events().filter((name) => name === 'AsyncAGIStart').length === 20, '20 questions');
    for (const start of client.messages.filter((message) => message.event === 'AsyncAGIStart')) {
      const channel = start.get('Channel') ?? '';
      served.add(channel);
      const number = Number(start.get('CallerIDNum')?.slice(10)) % 2 === 0 ? '101' : '105';
      await client.action('Setvar', { Channel: channel, Variable: 'CRM_ROUTE_NUMBER', Value: number });
      await client.action('AGI', { Channel: channel, Command: 'ASYNCAGI BREAK' });
    }
    const told = await office.play(Promise.all(outcomes));
    assert.equal(served.size, 20);
    assert.ok(told.every((each) => each.extension === (Number(each.from.slice(10)) % 2 === 0 ? '101' : '105')));
  });
});
