import assert from 'node:assert/strict';
import type { PhoneRule, SimulatedCallOutcome } from '../../../lib/simulator/types';
import type { BareClient } from './support/client';
import { Office } from './support/office';
import { assertLikeRecording, assertSameHeaders, recording, shapeOf } from './support/recording';

let office: Office;
let client: BareClient;

/** An office as the recorded one: 101 by the rule, and 105, who answers. Both are in the queue. */
async function open(rule: PhoneRule, extension = '101'): Promise<void> {
  office = await Office.open({
    phones: [
      { extension, name: 'Agent One', rule },
      { extension: '105', name: 'Agent Two', rule: 'answers' },
    ],
  });
  client = await office.login();
  client.messages.length = 0;
}

async function route(number: string, more: { readonly patienceMs?: number } = {}): Promise<SimulatedCallOutcome> {
  const { outcome } = await office.incoming(client, { CRM_ROUTE_NUMBER: number }, more);
  const told = await office.play(outcome);
  await client.caughtUp();
  return told;
}

describe('simulator: an incoming call goes as on a recorded Asterisk', () => {
  afterEach(() => office.close());

  it('answered, the caller hangs up', async () => {
    await open('answers');
    assert.equal((await route('101')).result, 'answered');
    assertLikeRecording(client.messages, 'inbound-answered-caller-hangs-up');
  });

  it('busy', async () => {
    await open('busy');
    assert.equal((await route('101')).result, 'busy');
    assertLikeRecording(client.messages, 'inbound-busy', { untilLegEnds: true });
  });

  it('nobody answers', async () => {
    await open('no-answer');
    assert.equal((await route('101')).result, 'no-answer');
    assertLikeRecording(client.messages, 'inbound-no-answer', { untilLegEnds: true });
  });

  it('the caller gives up while it rings', async () => {
    await open('no-answer');
    assert.equal((await route('101', { patienceMs: 1000 })).result, 'cancelled');
    assertLikeRecording(client.messages, 'inbound-cancelled');
  });

  it('declined: the legs end as in a busy call, with NOANSWER and cause 21', async () => {
    await open('declines');
    assert.equal((await route('101')).result, 'declined');
    assertSameHeaders(client.messages, recording('inbound-busy'));
    const { threads } = shapeOf(client.messages, { untilLegEnds: true });
    assert.deepEqual(threads['dial channel 2'], ['DialBegin', 'DialEnd NOANSWER']);
    assert.equal(threads['channel channel 2']?.at(-1), 'Hangup Down 21 Call Rejected');
  });

  it('the phone is not registered: no second channel and no Dial event', async () => {
    await open('unregistered');
    assert.equal((await route('101')).result, 'not-registered');
    assert.deepEqual(shapeOf(client.messages).milestones, ['Newchannel Ring channel 1']);
    assertSameHeaders(client.messages, recording('inbound-phone-not-registered'));
    const answered = client.messages.find((message) => message.get('Variable') === 'DIALSTATUS');
    assert.equal(answered?.get('Value'), 'CHANUNAVAIL');
  });

  it('hung up by a manager action', async () => {
    await open('answers');
    const { outcome, channel } = await office.incoming(client, { CRM_ROUTE_NUMBER: '101' });
    await office.clock.advanceAsync(1000);
    const answer = await client.action('Hangup', { Channel: channel, Cause: '16' });
    assert.equal(answer.get('Message'), 'Channel Hungup');
    assert.equal((await office.play(outcome)).result, 'answered');
    await client.caughtUp();
    assertLikeRecording(client.messages, 'crm-hangup', { without: /^ChannelsHungupListComplete$/ });
    assert.equal((await client.action('Hangup', { Channel: channel })).get('Message'), 'No such channel');
  });
});

describe('simulator: a queue call goes as on a recorded Asterisk', () => {
  afterEach(() => office.close());

  it('the first agent answers, the caller hangs up', async () => {
    await open('answers');
    const told = await route('700');
    assert.deepEqual([told.result, told.extension], ['answered', '101']);
    assertLikeRecording(client.messages, 'queue-answered-caller-hangs-up');
  });

  it('the first agent lets it ring, the second answers', async () => {
    await open('no-answer');
    const told = await route('700');
    assert.deepEqual([told.result, told.extension], ['answered', '105']);
    // From there on the agent hangs up in the recording.
    assertLikeRecording(client.messages, 'queue-member2-after-member1-rings-out', { until: 'HangupRequest' });
  });

  it('the first agent is busy, the second answers', async () => {
    await open('busy');
    assert.equal((await route('700')).extension, '105');
    assertLikeRecording(client.messages, 'queue-agent-busy');
  });

  it('the caller gives up', async () => {
    await open('no-answer');
    const told = await route('700', { patienceMs: 2000 });
    assert.equal(told.result, 'cancelled');
    assertLikeRecording(client.messages, 'queue-abandon');
  });

  it('the caller gives up while no agent is free', async () => {
    await open('unregistered');
    await client.action('QueuePause', { Queue: 'support', Interface: 'PJSIP/105', Paused: 'true' });
    const { outcome } = await office.incoming(client, { CRM_ROUTE_NUMBER: '700' }, { patienceMs: 3000 });
    await office.clock.advanceAsync(2500);
    const entry = (await client.list('QueueStatus')).find((message) => message.event === 'QueueEntry');
    assert.deepEqual([entry?.get('Position'), entry?.get('Wait')], ['1', '2']);
    assert.equal((await office.play(outcome)).result, 'cancelled');
    await client.caughtUp();
    const told = client.events().filter((name) => name.startsWith('QueueCaller'));
    assert.deepEqual(told, ['QueueCallerJoin', 'QueueCallerAbandon', 'QueueCallerLeave']);
  });

  it('no agent takes the call: the dialplan goes on', async () => {
    await open('no-answer');
    await client.action('QueuePause', { Interface: 'PJSIP/105', Paused: 'true', Reason: 'Обед' });
    const told = await route('700');
    assert.deepEqual([told.way, told.why, told.result], ['usual', 'phone-did-not-take-it', 'no-answer']);
    assert.ok(client.events().includes('QueueCallerAbandon'));
  });
});

describe('simulator: registration', () => {
  afterEach(() => office.close());

  it('is told as on a recorded Asterisk', async () => {
    await open('answers');
    office.simulator.setPhone('101', 'unregistered');
    office.simulator.setPhone('101', 'answers');
    await client.caughtUp();
    assertLikeRecording(client.messages, 'registration-and-states');
  });

  it('is not told when the phone only behaves differently', async () => {
    await open('answers');
    office.simulator.setPhone('101', 'busy');
    await client.caughtUp();
    assert.deepEqual(client.events(), []);
  });
});

describe('simulator: Originate goes as on a recorded Asterisk', () => {
  afterEach(() => office.close());

  const order = {
    Channel: 'PJSIP/101',
    Context: 'click2call',
    Exten: '79031234567',
    Priority: '1',
    CallerID: '"Click" <79031234567>',
    Timeout: '10000',
    Async: 'true',
    Account: 'crm',
    ChannelId: 'crm-1-a',
    Variable: ['CRM_ID=deal-42', '__CRM_USER=7'],
  };

  async function originate(change: Readonly<Record<string, string | readonly string[]>> = {}): Promise<void> {
    const answer = await client.action('Originate', { ...order, ...change });
    assert.equal(answer.get('Message'), 'Originate successfully queued');
    await office.clock.advanceAsync(60_000);
    await client.caughtUp();
  }

  /** The recorded phones have an account of their own, which the order replaces; the simulated ones have none. */
  const same = { without: /^(?:ContactStatus|PeerStatus)$/ };

  it('agent and client answer', async () => {
    await open('answers');
    await originate();
    assertLikeRecording(client.messages, 'originate-click2call-success', same);
    const newchannel = await client.event('Newchannel');
    assert.equal(newchannel.get('Uniqueid'), 'crm-1-a');
  });

  it('the agent is busy', async () => {
    await open('busy');
    await originate();
    assertLikeRecording(client.messages, 'originate-agent-busy', same);
  });

  it('the agent declines', async () => {
    await open('declines');
    await originate();
    assertLikeRecording(client.messages, 'originate-agent-declined', same);
  });

  it('the agent does not answer', async () => {
    await open('no-answer');
    await originate({ Timeout: '2000' });
    assertLikeRecording(client.messages, 'originate-agent-no-answer', same);
  });

  it('the agent is not registered', async () => {
    await open('unregistered');
    await originate();
    const without = /^(?:ContactStatus|PeerStatus|DeviceStateChange|ExtensionStatus|QueueMemberStatus)$/;
    assertLikeRecording(client.messages, 'originate-agent-not-registered', { without });
  });

  it('an application instead of an extension', async () => {
    // One who hangs up in the middle of a message, as the recorded one did.
    await open('answers', '116');
    const play = { Context: '', Exten: '', Priority: '', Application: 'Playback', Data: 'demo-congrats' };
    await originate({ Channel: 'PJSIP/116', ...play });
    assertLikeRecording(client.messages, 'originate-application', { ...same, without: /^QueueMemberStatus$/ });
  });

  it('a client who is busy or does not answer, by the last digits of the number', async () => {
    await open('answers');
    await originate({ Exten: '79031234517', CallerID: '"Click" <79031234517>' });
    await originate({ Exten: '79031234519', ChannelId: 'crm-1-b' });
    const ends = client.messages.filter((message) => message.event === 'DialEnd').map((end) => end.get('DialStatus'));
    assert.deepEqual(ends, ['ANSWER', 'BUSY', 'ANSWER', 'NOANSWER']);
  });

  it('a call to an outside number first', async () => {
    await open('answers');
    await originate({ Channel: 'PJSIP/79031234567@trunk', Context: 'from-internal', Exten: '101' });
    const response = await client.event('OriginateResponse');
    assert.equal(response.get('Response'), 'Success');
    const talking = client.messages.filter((message) => message.event === 'BridgeEnter');
    assert.deepEqual(
      talking.map((enter) => enter.get('Channel')?.replace(/-.*/, '')),
      ['PJSIP/101', 'PJSIP/trunk'],
    );
  });

  it('refuses at once what Asterisk refuses', async () => {
    await open('answers');
    const refused = async (change: Readonly<Record<string, string>>): Promise<string | undefined> =>
      (await client.action('Originate', { ...order, ...change })).get('Message');
    assert.equal(await refused({ Context: 'no-such-context' }), 'Extension does not exist.');
    assert.equal(await refused({ Channel: '' }), 'Channel not specified');
    assert.equal(await refused({ Channel: 'PJSIP' }), 'Invalid channel');
    assert.equal(await refused({ Priority: 'x' }), 'Invalid priority');
    assert.equal(await refused({ Exten: '' }), "Originate with 'Exten' requires 'Context' and 'Priority'");
  });

  it('queues an unknown technology and a used ChannelId, and then fails', async () => {
    await open('answers');
    await client.action('Originate', order);
    await client.action('Originate', order);
    await client.action('Originate', { ...order, Channel: 'NOSUCH/101', ChannelId: '' });
    await client.caughtUp();
    const failed = client.messages.filter((message) => message.event === 'OriginateResponse');
    assert.deepEqual(
      failed.map((response) => [response.get('Response'), response.get('Reason'), response.get('Uniqueid')]),
      [
        ['Failure', '0', 'crm-1-a'],
        ['Failure', '0', '<unknown>'],
      ],
    );
    assertSameHeaders(client.messages, recording('originate-errors'));
  });

  it('reads variable lists as Asterisk does', async () => {
    await open('answers');
    const lists = ['A="x,y",B=2', 'C=x\\,y', 'D="a\\"b",E=', 'F=a"b,c"d', 'G', 'H=1=2', "I='x", 'J=(x,y),K=2'];
    await originate({ Variable: lists });
    const values = client.messages.filter((message) => message.event === 'VarSet');
    assert.deepEqual(
      values
        .map((message) => [message.get('Variable'), message.get('Value')].join(' '))
        .filter((told) => /^[A-K] /.test(told)),
      ['A x,y', 'B 2', 'C x,y', 'D a\\"b', 'E ', 'F ab,cd', 'H 1=2', "I \\'x", 'J (x,y)', 'K 2'],
    );
  });

  it('hands variables with underscores on to the leg that it dials', async () => {
    await open('answers');
    await originate({ Variable: ['_ONCE=1', '__ALWAYS=2', 'OWN=3'] });
    const leg = client.messages
      .filter((message) => message.event === 'Newchannel')
      .at(1)
      ?.get('Channel');
    const told = client.messages
      .filter((message) => message.event === 'VarSet' && message.get('Channel') === leg)
      .map((message) => message.get('Variable'));
    assert.deepEqual(told, ['ONCE', '__ALWAYS']);
  });

  it('holds everything back for the session that waits for it without Async', async () => {
    await open('answers');
    const answer = client.action('Originate', { ...order, Async: 'false' });
    const ping = client.action('Ping');
    await office.clock.advanceAsync(400);
    assert.equal(client.messages.length, 0);
    await office.play(Promise.all([answer, ping]));
    assert.equal(client.messages[0]?.get('Message'), 'Originate successfully queued');
    assert.equal(client.messages[1]?.event, 'Newchannel');
  });
});
