import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { SimulatedUser } from '../../../lib/simulator/types';
import { Office } from './support/office';
import { recording } from './support/recording';

const users: SimulatedUser[] = [
  { username: 'crm', secret: 'crmpw', read: ['system', 'call', 'user'], write: ['call', 'reporting'] },
  { username: 'single', secret: 'pw', multipleLogin: false },
  { username: 'readonly', secret: 'pw', write: [] },
  { username: 'quiet', secret: 'pw', read: [] },
];

describe('simulator: the manager session', () => {
  let office: Office;

  beforeEach(async () => {
    office = await Office.open({ users });
  });
  afterEach(() => office.close());

  it('greets, logs in, answers Ping and says goodbye as recorded', async () => {
    const client = await office.connect();
    assert.equal(client.greeting, 'Asterisk Call Manager/11.0.0');
    const { username, secret } = office.address;
    await office.clock.advanceAsync(20_000);
    await client.action('Login', { Username: username, Secret: secret, Events: 'system' });
    const ping = await client.action('Ping');
    assert.match(ping.get('Timestamp') ?? '', /^\d{10}\.\d{6}$/);
    await client.action('Logoff');
    await client.waitClosed();
    const recorded = recording('login-ok');
    assert.deepEqual(
      client.messages.map((message) => message.names),
      recorded.map((message) => message.names),
    );
    assert.deepEqual(client.messages[0]?.body, recorded[0]?.body);
    assert.equal(client.messages[1]?.get('Uptime'), '20');
    assert.deepEqual(client.messages[3]?.body, recorded[3]?.body);
  });

  it('takes the MD5 challenge instead of the password', async () => {
    const client = await office.connect();
    const challenge = (await client.action('Challenge', { AuthType: 'MD5' })).get('Challenge') ?? '';
    assert.match(challenge, /^\d{9}$/);
    const key = createHash('md5').update(`${challenge}crmpw`).digest('hex');
    const answer = await client.action('Login', { AuthType: 'MD5', Username: 'crm', Key: key, Events: 'off' });
    assert.deepEqual(answer.body, recording('login-md5-challenge')[1]?.body);
    await client.caughtUp();
    assert.equal(client.events().length, 0);
  });

  it('refuses a wrong key, and a key without a challenge', async () => {
    for (const prepare of [true, false]) {
      const client = await office.connect();
      if (prepare) await client.action('Challenge', { AuthType: 'MD5' });
      const answer = client.action('Login', {
        AuthType: 'MD5',
        Username: 'crm',
        Key: 'd41d8cd98f00b204e9800998ecf8427e',
      });
      assert.equal((await office.play(answer)).get('Message'), 'Authentication failed');
      await client.waitClosed();
    }
  });

  it('answers a wrong password after one second, then closes, and writes no password into the log', async () => {
    const client = await office.connect();
    const answer = client.action('Login', { Username: 'crm', Secret: 'nope-nope' });
    client.write('Action: Ping', 'ActionID: behind');
    await office.clock.advanceAsync(0);
    while (office.warnings.length === 0) await office.clock.advanceAsync(0);
    await office.clock.advanceAsync(999);
    assert.equal(client.messages.length, 0);
    await office.clock.advanceAsync(1);
    assert.deepEqual((await answer).body, recording('login-wrong-password')[0]?.body);
    await client.waitClosed();
    assert.equal(client.messages.length, 1);
    assert.ok(!office.warnings.join().includes('nope-nope'));
  });

  it('refuses a second login of a user who may have one only; the first stays', async () => {
    const first = await office.connect();
    await first.action('Login', { Username: 'single', Secret: 'pw' });
    const second = await office.connect();
    const answer = await second.action('Login', { Username: 'single', Secret: 'pw' });
    assert.deepEqual(answer.body, recording('login-already-in-use')[0]?.body);
    await second.waitClosed();
    await first.caughtUp();
    await first.action('Logoff');
    await first.waitClosed();
    const third = await office.connect();
    assert.equal((await third.action('Login', { Username: 'single', Secret: 'pw' })).get('Response'), 'Success');
  });

  it('permits nothing before the login and closes a connection that does not log in', async () => {
    const client = await office.connect();
    assert.equal((await client.action('CoreStatus')).get('Message'), 'Permission denied');
    assert.equal((await client.action('Ping')).get('Message'), 'Permission denied');
    await office.clock.advanceAsync(29_999);
    assert.equal(client.closed, false);
    await office.clock.advanceAsync(1);
    await client.waitClosed();
  });

  it('permits an action only with its class', async () => {
    const client = await office.connect();
    await client.action('Login', { Username: 'readonly', Secret: 'pw', Events: 'off' });
    await client.action('Originate', { Channel: 'PJSIP/101', Application: 'Wait', Data: '1' });
    await client.action('Command', { Command: 'core show version' });
    assert.deepEqual(
      client.messages.map((message) => message.body),
      recording('permission-denied').map((message) => message.body),
    );
  });

  it('lists exactly the actions that the user may use', async () => {
    const client = await office.connect();
    await client.action('Login', { Username: 'crm', Secret: 'crmpw' });
    const { body } = await client.action('ListCommands');
    assert.equal(body.Setvar, 'Sets a channel variable or function value.  (Priv: call,all)');
    assert.equal(body.CoreStatus, 'Show PBX core status variables.  (Priv: system,reporting,all)');
    assert.equal(body.Ping, 'Keepalive command.  (Priv: <none>)');
    for (const hidden of ['AGI', 'Originate', 'QueuePause', 'PJSIPShowContacts', 'Command', 'UserEvent']) {
      assert.equal(body[hidden], undefined, hidden);
      assert.equal((await client.action(hidden)).get('Message'), 'Permission denied', hidden);
    }
  });

  it('tells a user only the events of the classes it may read and asked for', async () => {
    const login = async (username: string, secret: string, events?: string) => {
      const client = await office.connect();
      await client.action('Login', { Username: username, Secret: secret, ...(events && { Events: events }) });
      return client;
    };
    const everything = await office.login();
    const crm = await login('crm', 'crmpw');
    const onlyUser = await login('crm', 'crmpw', 'user,agi');
    const quiet = await login('quiet', 'pw');
    await everything.action('UserEvent', { UserEvent: 'Test', Text: 'привет' });
    office.simulator.setPhone('101', 'unregistered');
    await Promise.all([crm, onlyUser, quiet].map((client) => client.caughtUp()));
    assert.deepEqual(crm.events(), [
      'FullyBooted',
      'UserEvent',
      'DeviceStateChange',
      'ExtensionStatus',
      'PeerStatus',
      'ContactStatus',
    ]);
    assert.deepEqual(onlyUser.events(), ['UserEvent']);
    assert.deepEqual(quiet.events(), []);
    assert.equal((await onlyUser.event('UserEvent')).get('Text'), 'привет');
  });

  it('changes the mask of a session by the action Events', async () => {
    const client = await office.login({ Events: 'off' });
    const mask = async (text: string) => (await client.action('Events', { EventMask: text })).get('Events');
    assert.equal(await mask('on'), 'On');
    assert.equal(await mask('bogus'), 'Off');
    assert.equal(await mask('call,agent'), 'On');
    await client.action('UserEvent', { UserEvent: 'Unheard' });
    office.simulator.setPhone('101', 'unregistered');
    await client.caughtUp();
    assert.equal(client.events().includes('UserEvent'), false);
    assert.equal(client.events().includes('DeviceStateChange'), true);
    assert.equal((await client.action('Events')).get('Message'), 'Invalid event mask');
  });

  it('says what it does not know as Asterisk does', async () => {
    const client = await office.login();
    const unknown = recording('command-and-getvar').at(-1);
    assert.deepEqual((await client.action('NoSuchAction')).body, unknown?.body);
    client.write('ActionID: none', 'Foo: bar');
    await client.caughtUp();
    assert.equal(
      client.messages.find((message) => message.get('ActionID') === 'none')?.get('Message'),
      'Missing action in request',
    );
  });
});
