import assert from 'node:assert/strict';
import { TelephonyError } from '../../lib/errors';
import type { AmiClient, AmiClientOptions, AmiMessage } from '../../lib/ami/types';
import { until } from './wait';

/** A server to log in to: scripted, simulated or real. The user must be allowed everything that the suite does. */
export interface AmiServerUnderTest {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly secret: string;
  stop(): Promise<void>;
  /** Comes back on the same port after {@link stop}; leave it out where that cannot be done. */
  restart?(): Promise<void>;
}

/** Behaviours that a driver may lack, if it says so. */
type AmiGap = 'amiVersion' | 'header names as sent';

export interface AmiConformance {
  makeClient(options: AmiClientOptions): AmiClient;
  server(): Promise<AmiServerUnderTest>;
  /** What the driver is known not to do. */
  readonly gaps?: readonly AmiGap[];
}

/** The code of the error that a promise is rejected with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (thrown) {
    assert.ok(thrown instanceof TelephonyError, `not an error for people: ${String(thrown)}`);
    return thrown.code;
  }
  return 'no error';
}

/** Waits until the link is ready; fails at once, saying why, when it is refused. */
export async function ready(client: AmiClient): Promise<void> {
  client.connect();
  await until(() => client.state.phase === 'ready' || client.state.phase === 'refused', 'the link is ready');
  assert.equal(client.state.phase, 'ready', client.state.error?.message);
}

/** What any driver must show against any server: runs the same against a script, the simulator and a real Asterisk. */
export function describeAmiClient(title: string, under: AmiConformance): void {
  describe(title, () => {
    let server: AmiServerUnderTest;
    const clients: AmiClient[] = [];

    const make = (overrides: Partial<AmiClientOptions> = {}): AmiClient => {
      const { host, port, username, secret } = server;
      const client = under.makeClient({ host, port, username, secret, ...overrides });
      clients.push(client);
      return client;
    };
    const open = async (overrides: Partial<AmiClientOptions> = {}): Promise<AmiClient> => {
      const client = make(overrides);
      await ready(client);
      return client;
    };
    const skipGap = (context: Mocha.Context, gap: AmiGap): void => {
      if (under.gaps?.includes(gap) === true) context.skip();
    };

    before(async () => {
      server = await under.server();
    });
    afterEach(async () => {
      await Promise.all(clients.splice(0).map((client) => client.close()));
    });
    after(() => server.stop());

    it('goes from idle over connecting and logging-in to ready', async () => {
      const client = make();
      const phases: string[] = [client.state.phase];
      client.onState((state) => phases.push(state.phase));
      await ready(client);
      assert.deepEqual(phases, ['idle', 'connecting', 'logging-in', 'ready']);
      assert.equal(client.state.session, 1);
    });

    it('knows the AMI version of the greeting', async function () {
      skipGap(this, 'amiVersion');
      const client = await open();
      assert.match(client.state.amiVersion ?? '', /^\d+\.\d+\.\d+$/);
    });

    it('opens one link, however often connect is called', async () => {
      const client = make();
      client.connect();
      await ready(client);
      client.connect();
      assert.equal((await client.action({ action: 'Ping' })).name, 'Success');
      assert.equal(client.state.session, 1);
    });

    it('answers an action, header names compared without case', async () => {
      const client = await open();
      const answer = await client.action({ action: 'Ping' });
      assert.equal(answer.kind, 'response');
      assert.equal(answer.name, 'Success');
      assert.equal(answer.get('PING'), 'Pong');
      assert.equal(answer.get('nothing'), undefined);
      assert.deepEqual(answer.all('nothing'), []);
    });

    it('gives an answer that is an Error as an answer', async () => {
      const client = await open();
      const answer = await client.action({ action: 'NoSuchAction' });
      assert.equal(answer.name, 'Error');
      assert.ok((answer.get('Message') ?? '') !== '');
    });

    it('gives each of many actions its own answer', async () => {
      const client = await open();
      const answers = await Promise.all(Array.from({ length: 200 }, () => client.action({ action: 'Ping' })));
      assert.equal(new Set(answers.map((one) => one.get('ActionID'))).size, 200);
      assert.equal(client.stats.pendingActions, 0);
    });

    it('brings text through unharmed, both ways', async () => {
      const client = await open();
      for (const value of ['Иван "Петров", ООО: все=да', 'a: b', 'back\\slash', '${X}', '0079031234567', '']) {
        await client.action({ action: 'Setvar', headers: { Variable: 'CONFORMANCE', Value: value } });
        const answer = await client.action({ action: 'Getvar', headers: { Variable: 'CONFORMANCE' } });
        assert.equal(answer.get('Value'), value);
      }
    });

    it('collects a list and keeps its items from those who listen to events', async () => {
      const client = await open();
      const heard: AmiMessage[] = [];
      client.subscribe('*', (event) => heard.push(event));
      const items = await client.list({ action: 'QueueStatus' });
      await client.action({ action: 'Ping' });
      const names = new Set(items.map((one) => one.name));
      for (const name of names) assert.ok(['QueueParams', 'QueueMember', 'QueueEntry'].includes(name), name);
      assert.deepEqual(
        heard.filter((event) => names.has(event.name)),
        [],
      );
    });

    it('rejects a list that Asterisk refuses', async () => {
      const client = await open();
      assert.equal(await codeOf(client.list({ action: 'NoSuchAction' })), 'AMI_ACTION_FAILED');
    });

    it('delivers events by name, without case, until the subscription ends', async () => {
      const client = await open();
      const heard: string[] = [];
      const end = client.subscribe(['userevent'], (event) => heard.push(event.get('Detail') ?? ''));
      client.subscribe(['Hangup'], () => heard.push('wrong event'));
      const send = (detail: string): Promise<AmiMessage> =>
        client.action({ action: 'UserEvent', headers: { UserEvent: 'Conformance', Detail: detail } });
      await send('первое: событие');
      await until(() => heard.length === 1, 'the event');
      end();
      end();
      await send('второе');
      await client.action({ action: 'Ping' });
      assert.deepEqual(heard, ['первое: событие']);
    });

    it('survives a handler that throws, and still serves the others', async () => {
      const client = await open();
      let heard = 0;
      client.subscribe('*', () => {
        throw new Error('a mistake in a flow');
      });
      client.subscribe(['UserEvent'], () => heard++);
      await client.action({ action: 'UserEvent', headers: { UserEvent: 'Conformance' } });
      await until(() => heard === 1, 'the second handler');
      assert.equal((await client.action({ action: 'Ping' })).name, 'Success');
    });

    it('shows the headers of an event with the names as sent', async function () {
      skipGap(this, 'header names as sent');
      const client = await open();
      const heard: AmiMessage[] = [];
      client.subscribe(['UserEvent'], (event) => heard.push(event));
      await client.action({ action: 'UserEvent', headers: { UserEvent: 'Conformance', DealId: '42' } });
      await until(() => heard.length === 1, 'the event');
      const object = heard[0]!.toObject();
      assert.equal(object.Event, 'UserEvent');
      assert.equal(object.DealId, '42');
      assert.equal(Object.getPrototypeOf(object), null);
    });

    it('refuses line ends and NUL before anything is sent, and does not repeat the value', async () => {
      const client = await open();
      let heard = 0;
      client.subscribe(['UserEvent'], () => heard++);
      const evil = 'x\r\n\r\nAction: UserEvent\r\nUserEvent: Injected';
      for (const value of [evil, 'a\rb', 'a\nb', 'a\0b']) {
        await assert.rejects(client.action({ action: 'Setvar', headers: { Variable: 'V', Value: value } }), (error) => {
          assert.ok(error instanceof TelephonyError);
          assert.equal(error.code, 'AMI_BAD_VALUE');
          assert.match(error.message, /Value/);
          assert.doesNotMatch(error.message, /Injected/);
          return true;
        });
        assert.equal(await codeOf(client.action({ action: 'Ping', headers: { [value]: 'x' } })), 'AMI_BAD_VALUE');
        assert.equal(await codeOf(client.action({ action: value })), 'AMI_BAD_VALUE');
        assert.equal(await codeOf(client.action({ action: 'Ping', variables: { X: value } })), 'AMI_BAD_VALUE');
        assert.equal(await codeOf(client.action({ action: 'Ping', variables: { [value]: 'x' } })), 'AMI_BAD_VALUE');
      }
      await client.action({ action: 'Ping' });
      assert.equal(heard, 0);
    });

    it('refuses by itself what Asterisk would refuse: long lines, too many headers', async () => {
      const client = await open();
      assert.equal(await codeOf(client.action({ action: 'Ping', headers: { X: 'я'.repeat(511) } })), 'AMI_BAD_VALUE');
      const headers = { X: Array.from({ length: 130 }, (_, n) => n) };
      assert.equal(await codeOf(client.action({ action: 'Ping', headers })), 'AMI_BAD_VALUE');
    });

    it('sends nothing before it is ready and after it is closed', async () => {
      const client = make();
      assert.equal(await codeOf(client.action({ action: 'Ping' })), 'AMI_NOT_CONNECTED');
      client.connect();
      assert.equal(await codeOf(client.list({ action: 'QueueStatus' })), 'AMI_NOT_CONNECTED');
      await ready(client);
      await client.close();
      assert.equal(client.state.phase, 'closed');
      assert.equal(await codeOf(client.action({ action: 'Ping' })), 'AMI_NOT_CONNECTED');
      client.connect();
      assert.equal(client.state.phase, 'closed');
    });

    it('settles an action in flight when it is closed', async () => {
      const client = await open();
      const code = codeOf(client.action({ action: 'Ping' }));
      await client.close();
      assert.equal(await code, 'AMI_LINK_LOST');
    });

    it('can be closed at any moment, twice, quickly', async () => {
      const idle = make();
      const connecting = make();
      connecting.connect();
      const started = performance.now();
      await Promise.all([idle.close(), connecting.close(), connecting.close()]);
      assert.ok(performance.now() - started < 2000);
      assert.equal(connecting.state.phase, 'closed');
    });

    it('is refused with a wrong secret, says so, and does not hurry to try again', async () => {
      const client = make({ secret: 'wrong' });
      client.connect();
      await until(() => client.state.phase === 'refused', 'the refusal');
      const { error, retryAt, since } = client.state;
      assert.equal(error?.code, 'AMI_LOGIN_REFUSED');
      assert.doesNotMatch(error.message, /wrong/);
      // The two are read from the clock one after the other.
      assert.equal(Math.round(((retryAt ?? 0) - since) / 1000), 60);
    });

    it('comes back by itself when the server does, in a new session, and replays nothing', async function () {
      if (!server.restart) this.skip();
      const client = await open();
      await server.stop();
      await until(() => client.state.phase === 'waiting', 'the loss of the link');
      assert.ok(client.state.error);
      assert.ok((client.state.retryAt ?? Infinity) - client.state.since <= 1000);
      assert.equal(await codeOf(client.action({ action: 'Ping' })), 'AMI_NOT_CONNECTED');
      await server.restart();
      await until(() => client.state.phase === 'ready', 'the new link');
      assert.equal(client.state.session, 2);
      assert.equal(client.stats.reconnects, 1);
      assert.equal((await client.action({ action: 'Ping' })).name, 'Success');
    });
  });
}
