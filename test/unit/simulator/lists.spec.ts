import assert from 'node:assert/strict';
import type { BareClient, Message } from './support/client';
import { Office } from './support/office';
import { assertSameHeaders, headerNames, recording } from './support/recording';

describe('simulator: lists and questions', () => {
  let office: Office;
  let client: BareClient;

  beforeEach(async () => {
    office = await Office.open();
    client = await office.login({ Events: 'off' });
  });
  afterEach(() => office.close());

  const recorded = recording('lists');
  const lists = [
    'CoreShowChannels',
    'Status',
    'BridgeList',
    'PJSIPShowEndpoints',
    'PJSIPShowContacts',
    'DeviceStateList',
    'ExtensionStateList',
    'QueueStatus',
    'QueueSummary',
  ];

  /** Puts a call through to 101, who is talking then. */
  const talk = async () => {
    const listener = await office.login();
    const { outcome } = await office.incoming(listener, { CRM_ROUTE_NUMBER: '101' });
    await office.clock.advanceAsync(1000);
    await listener.event('BridgeEnter');
    return { outcome };
  };

  for (const name of lists) {
    it(`${name} has the form of the recorded one, with a call up`, async () => {
      const { outcome } = await talk();
      const messages = await client.list(name);
      assertSameHeaders(messages, recorded);
      const [start] = messages;
      const end = messages.at(-1);
      assert.ok(start && end);
      const sameStart = recorded.find((message) => message.get('Message') === start.get('Message'));
      assert.equal(headerNames(start), sameStart && headerNames(sameStart));
      assert.ok(recorded.some((message) => message.event === end.event));
      assert.equal(end.get('ListItems'), String(messages.length - 2));
      await office.play(outcome);
    });
  }

  it('shows both channels of a call and what they do', async () => {
    const { outcome } = await talk();
    const rows = (await client.list('CoreShowChannels')).filter((row) => row.event === 'CoreShowChannel');
    assert.deepEqual(
      rows.map((row) => [row.get('Application'), row.get('ChannelStateDesc'), row.get('CallerIDNum')]),
      [
        ['Dial', 'Up', '79261112233'],
        ['AppDial', 'Up', '101'],
      ],
    );
    assert.equal(rows[0]?.get('BridgeId'), rows[1]?.get('BridgeId'));
    await office.play(outcome);
    assert.equal((await client.list('CoreShowChannels')).at(-1)?.get('ListItems'), '0');
  });

  it('knows the states of all phones', async () => {
    const pick = (rows: readonly Message[], key: string, value: string): Record<string, string | undefined> =>
      Object.fromEntries(rows.map((row): [string, string | undefined] => [row.get(key) ?? '', row.get(value)]));
    const states = pick(await client.list('DeviceStateList'), 'Device', 'State');
    assert.equal(states['PJSIP/101'], 'NOT_INUSE');
    assert.equal(states['PJSIP/104'], 'UNAVAILABLE');
    assert.equal(states['Queue:support_avail'], 'NOT_INUSE');
    const hints = pick(await client.list('ExtensionStateList'), 'Exten', 'StatusText');
    assert.equal(hints['104'], 'Unavailable');
    assert.equal(hints['106'], 'Idle');
    const contacts = (await client.list('PJSIPShowContacts')).flatMap((row) => row.get('Endpoint') ?? []);
    assert.deepEqual(contacts, ['101', '102', '103', '105', '106']);
    assert.equal((await client.action('ExtensionState', { Exten: '999' })).get('StatusText'), 'Unknown');
  });

  it('reads and writes variables, of channels and of the whole PBX', async () => {
    const [, , , setting, , reading] = recording('command-and-getvar');
    const set = await client.action('Setvar', { Variable: 'GV', Value: 'значение=1,2' });
    assert.deepEqual(set.body, setting?.body);
    assert.deepEqual((await client.action('Getvar', { Variable: 'GV' })).body, reading?.body);
    assert.equal((await client.action('Getvar', { Variable: 'NOPE' })).get('Value'), '');
    assert.equal((await client.action('Getvar')).get('Message'), 'No variable specified');
    assert.equal((await client.action('Getvar', { Variable: 'A', Channel: 'zz' })).get('Message'), 'No such channel');
    assert.equal((await client.action('Setvar', { Variable: 'A', Channel: 'zz' })).get('Message'), 'No such channel');
    assert.equal(
      (await client.action('Setvar', { Variable: 'NOFUNC(x)', Value: '1' })).get('Message'),
      'Variable not set',
    );
  });

  it('answers CoreStatus, CoreSettings and Command in the recorded form', async () => {
    const [version, , unknown, , , , , status, settings] = recording('command-and-getvar');
    const names = (message: Message | undefined) => message && headerNames(message);
    assert.equal(names(await client.action('CoreStatus')), names(status));
    const told = await client.action('CoreSettings');
    assert.equal(names(told), names(settings));
    assert.match(told.get('AsteriskVersion') ?? '', /^22\./);
    assert.equal(names(await client.action('Command', { Command: 'core show version' })), names(version));
    assert.deepEqual((await client.action('Command', { Command: 'no such command' })).body, unknown?.body);
  });

  it('changes the members of a queue as recorded', async () => {
    const listener = await office.login();
    listener.messages.length = 0;
    const member = { Queue: 'support', Interface: 'PJSIP/106' };
    const answers = [
      await listener.action('QueueAdd', { ...member, MemberName: 'Agent Three', Penalty: '2', Paused: 'false' }),
      await listener.action('QueuePenalty', { ...member, Penalty: '5' }),
      await listener.action('QueuePause', { ...member, Paused: 'true', Reason: 'Обед' }),
      await listener.action('QueueRemove', member),
    ];
    assert.deepEqual(
      answers.map((answer) => answer.get('Message')),
      [
        'Added interface to queue',
        'Interface penalty set successfully',
        'Interface paused successfully',
        'Removed interface from queue',
      ],
    );
    await listener.caughtUp();
    assert.deepEqual(
      listener.events().filter((name) => name !== 'DeviceStateChange'),
      ['QueueMemberAdded', 'QueueMemberPenalty', 'QueueMemberPause', 'QueueMemberRemoved'],
    );
    assertSameHeaders(listener.messages, [
      ...recording('queue-add-remove-member'),
      ...recording('queue-pause-unpause'),
    ]);
    const refused = async (action: string, headers: Readonly<Record<string, string>>) =>
      (await client.action(action, headers)).get('Message');
    assert.equal(
      await refused('QueueAdd', { Queue: 'nope', Interface: 'PJSIP/1' }),
      'Unable to add interface to queue: No such queue',
    );
    assert.equal(
      await refused('QueueAdd', { Queue: 'support', Interface: 'PJSIP/101' }),
      'Unable to add interface: Already there',
    );
    assert.equal(await refused('QueueRemove', member), 'Unable to remove interface: Not there');
    assert.equal(await refused('QueuePause', { ...member, Paused: 'true' }), 'Interface not found');
  });

  it('answers for a queue that does not exist with an empty list', async () => {
    const messages = await client.list('QueueStatus', { Queue: 'nosuch' });
    assert.equal(messages.length, 2);
    assert.equal(messages[1]?.get('ListItems'), '0');
  });
});
