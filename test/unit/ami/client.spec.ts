import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { AmiClientOptions, AmiMessage } from '../../../lib/ami';
import { MAX_PENDING_ACTIONS } from '../../../lib/ami/limits';
import { codeOf, ready } from '../../support/ami-conformance';
import { FakeAmiServer, refuseLogin, type FakeServerOptions } from '../../support/fake-ami-server';
import { until } from '../../support/wait';
import { drivers, rig, type Rig } from './drivers';

for (const { driver, create } of drivers) {
  describe(`AMI client against a scripted server, ${driver}`, () => {
    let server: FakeAmiServer;
    const rigs: Rig[] = [];

    const start = async (options?: FakeServerOptions): Promise<void> => {
      server = await FakeAmiServer.start(options);
    };
    const make = (overrides?: Partial<AmiClientOptions>): Rig => {
      const made = rig(create, server, overrides);
      rigs.push(made);
      return made;
    };
    const open = async (overrides?: Partial<AmiClientOptions>): Promise<Rig> => {
      const made = make(overrides);
      await ready(made.client);
      return made;
    };
    const phase = (of: Rig, wanted: string): Promise<void> =>
      until(() => of.client.state.phase === wanted, `the phase ${wanted}`);

    afterEach(async () => {
      for (const { client, clock } of rigs.splice(0)) {
        const closed = client.close();
        clock.advance(2000);
        await closed;
        assert.equal(clock.running, 0, 'a timer was left');
      }
      await until(() => server.open === 0, 'every connection is gone').finally(() => server.stop());
    });

    describe('login', () => {
      it('proves the secret by MD5 without sending it, and asks for the events that were chosen', async () => {
        await start();
        await open({ events: 'call,agent,system' });
        const login = server.actions.find((one) => one.Action === 'Login');
        const key = createHash('md5').update(`177969088${server.secret}`).digest('hex');
        assert.equal(login?.Key, key);
        assert.equal(login.Secret, undefined);
        assert.equal(login.Events, 'call,agent,system');
      });

      it('does not send the secret itself when the challenge is refused', async () => {
        await start();
        server.on('Challenge', (action, from) => from.answer(action, 'Error', 'Message: Permission denied'));
        const it = make();
        it.client.connect();
        await phase(it, 'refused');
        assert.equal(it.client.state.error?.code, 'AMI_NO_MD5');
        assert.ok(server.actions.every((one) => one.Action === 'Challenge'));
      });

      it('sends it when the settings allow that', async () => {
        await start();
        server.on('Challenge', (action, from) => from.answer(action, 'Error', 'Message: Permission denied'));
        await open({ plainLogin: true });
        assert.equal(server.actions.find((one) => one.Action === 'Login')?.Secret, server.secret);
      });

      it('is refused, and comes back a minute later, when the user may log in only once', async () => {
        await start();
        server.on('Login', (action, from) => refuseLogin(action, from, 'Login Already In Use'));
        const it = make();
        it.client.connect();
        await phase(it, 'refused');
        assert.equal(it.client.state.error?.code, 'AMI_LOGIN_IN_USE');
        it.clock.advance(59_999);
        assert.equal(server.connections.length, 1);
        it.clock.advance(1);
        await until(() => server.connections.length === 2, 'the second try');
      });

      it('refuses a user name or secret that would smuggle in a line', async () => {
        await start();
        server.on('Challenge', (action, from) => from.answer(action, 'Error'));
        for (const overrides of [{ username: 'a\r\nEvents: on' }, { secret: 'a\nb', plainLogin: true }]) {
          const it = make({ ...overrides, plainLogin: true });
          it.client.connect();
          await phase(it, 'refused');
          assert.equal(it.client.state.error?.code, 'AMI_BAD_VALUE');
        }
        assert.ok(server.actions.every((one) => one.Action === 'Challenge'));
      });

      it('waits for FullyBooted', async () => {
        await start({ fullyBooted: false });
        const it = make();
        it.client.connect();
        await until(() => server.actions.some((one) => one.Action === 'Ping'), 'the ping after the login');
        await until(() => it.client.stats.pendingActions === 0, 'its answer');
        assert.equal(it.client.state.phase, 'logging-in');
        server.last.send('Event: FullyBooted', 'Privilege: system,all', 'Status: Fully Booted');
        await phase(it, 'ready');
      });

      it('is ready after a ping for a user who never hears FullyBooted', async () => {
        await start({ fullyBooted: false });
        const it = make();
        it.client.connect();
        await until(() => server.actions.some((one) => one.Action === 'Ping'), 'the ping after the login');
        await until(() => it.client.stats.pendingActions === 0, 'its answer');
        await new Promise((resolve) => setImmediate(resolve));
        it.clock.advance(1000);
        await phase(it, 'ready');
        await open({ events: 'call,agent' });
      });

      it('gives up on a server that takes the connection and says nothing', async () => {
        await start();
        server.mute = true;
        const it = make();
        it.client.connect();
        await phase(it, 'logging-in');
        it.clock.advance(10_000);
        assert.equal(it.client.state.phase, 'waiting');
        assert.equal(it.client.state.error?.code, 'AMI_LOGIN_TIMEOUT');
        await until(() => server.open === 0, 'the dead connection is dropped');
      });

      it('tries again soon when the connection breaks during the login', async () => {
        await start();
        server.on('Login', (_action, from) => from.reset());
        const it = make();
        it.client.connect();
        await phase(it, 'waiting');
        assert.equal(it.client.state.error?.code, 'AMI_LINK_LOST');
        assert.equal((it.client.state.retryAt ?? 0) - it.client.state.since, 500);
      });
    });

    describe('a link that breaks', () => {
      it('waits longer and longer while nobody answers, and reconnects when somebody does', async () => {
        await start();
        const it = await open();
        await server.stop();
        for (const wait of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
          await phase(it, 'waiting');
          assert.equal((it.client.state.retryAt ?? 0) - it.client.state.since, wait);
          it.clock.advance(wait);
          assert.equal(it.client.state.phase, 'connecting');
        }
        await phase(it, 'waiting');
        assert.equal(it.client.state.error?.code, 'AMI_CONNECT_FAILED');
        await server.listen();
        it.clock.advance(30_000);
        await phase(it, 'ready');
        assert.equal(it.client.state.session, 2);
        const told = it.log.infos.filter((text) => !text.includes('ready'));
        assert.equal(told.length, 2, 'the loss and its reason, not every try');
      });

      it('begins the waiting anew only after the link was stable', async () => {
        await start();
        const it = await open();
        const lose = async (): Promise<number> => {
          server.last.reset();
          await phase(it, 'waiting');
          const wait = (it.client.state.retryAt ?? 0) - it.client.state.since;
          it.clock.advance(wait);
          await phase(it, 'ready');
          return wait;
        };
        assert.deepEqual([await lose(), await lose(), await lose()], [500, 1000, 2000]);
        for (let second = 0; second < 40; second++) {
          it.clock.advance(1000);
          await until(() => it.client.stats.pendingActions === 0, 'the answer to a ping');
        }
        assert.equal(await lose(), 500);
      });

      it('settles every action in flight once, and replays none', async () => {
        await start();
        server.on('Getvar', () => undefined).on('QueueStatus', () => undefined);
        const it = await open();
        let settled = 0;
        const actions = Array.from({ length: 20 }, async (_, n) => {
          const asked =
            n % 2 === 0 ? it.client.action({ action: 'Getvar' }) : it.client.list({ action: 'QueueStatus' });
          const code = await codeOf(asked);
          settled++;
          return code;
        });
        await until(() => server.last.actions.length >= 23, 'the actions at the server');
        server.last.reset();
        assert.deepEqual(new Set(await Promise.all(actions)), new Set(['AMI_LINK_LOST']));
        assert.equal(settled, 20);
        await phase(it, 'waiting');
        it.clock.advance(1000);
        await phase(it, 'ready');
        assert.ok(server.last.actions.every((one) => one.Action !== 'Getvar' && one.Action !== 'QueueStatus'));
      });

      it('forgets the half message that the break left', async () => {
        await start();
        const it = await open();
        const heard: string[] = [];
        it.client.subscribe('*', (event) => heard.push(event.name));
        server.last.raw('Event: Newchannel\r\nUniqueid: 1\r\nResponse: Err');
        server.last.socket.end();
        await phase(it, 'waiting');
        it.clock.advance(1000);
        await phase(it, 'ready');
        assert.deepEqual(heard, ['FullyBooted']);
        assert.equal((await it.client.action({ action: 'Ping' })).name, 'Success');
      });

      it('notices within 15 seconds that the other side is frozen, and drops the link', async () => {
        await start();
        const it = await open();
        const frozen = server.last;
        frozen.freeze();
        const asked = codeOf(it.client.action({ action: 'Getvar' }, { timeoutMs: 60_000 }));
        let seconds = 0;
        while (it.client.state.phase === 'ready' && seconds < 60) {
          seconds++;
          await it.clock.advanceAsync(1000);
        }
        assert.ok(seconds <= 15, `${seconds} s`);
        assert.equal(it.client.state.error?.code, 'AMI_SILENT');
        assert.equal(await asked, 'AMI_LINK_LOST');
        frozen.socket.resume();
        await until(() => frozen.closed, 'the frozen connection is dropped');
      });

      it('leaves a quiet but living link alone', async () => {
        await start();
        const it = await open();
        for (let second = 0; second < 60; second++) {
          it.clock.advance(1000);
          await until(() => it.client.stats.pendingActions === 0, 'the answer to a ping');
        }
        assert.equal(it.client.state.phase, 'ready');
        const pings = server.last.actions.filter((one) => one.Action === 'Ping').length;
        assert.ok(pings >= 8 && pings <= 14, `${pings} pings in a minute`);
      });
    });

    describe('actions', () => {
      it('rejects an action that is not answered in time, and ignores the late answer', async () => {
        await start();
        let late: (() => void) | undefined;
        server.on('Getvar', (action, from) => {
          late = () => from.answer(action, 'Success', 'Value: late');
        });
        const it = await open();
        const code = codeOf(it.client.action({ action: 'Getvar' }, { timeoutMs: 3000 }));
        await until(() => late !== undefined, 'the action at the server');
        it.clock.advance(3000);
        assert.equal(await code, 'AMI_TIMEOUT');
        late!();
        assert.equal((await it.client.action({ action: 'Ping' })).get('Ping'), 'Pong');
      });

      it('does not take the event OriginateResponse for the answer', async () => {
        await start();
        server.on('Originate', (action, from) => {
          from.send(
            'Event: OriginateResponse',
            'Privilege: call,all',
            `ActionID: ${action.ActionID ?? ''}`,
            'Response: Failure',
          );
          from.answer(action, 'Success', 'Message: Originate successfully queued');
        });
        const it = await open();
        const heard: AmiMessage[] = [];
        it.client.subscribe(['OriginateResponse'], (event) => heard.push(event));
        const answer = await it.client.action({ action: 'Originate', headers: { Async: true } });
        assert.equal(answer.kind, 'response');
        assert.equal(answer.name, 'Success');
        assert.equal(heard[0]?.get('Response'), 'Failure');
        assert.equal(heard[0].get('ActionID'), answer.get('ActionID'));
      });

      it('uses ids that no other client uses, nor this one after a restart', async () => {
        await start();
        await open();
        await open();
        const ids = server.actions.map((one) => one.ActionID);
        assert.equal(new Set(ids).size, ids.length);
      });

      it('refuses more actions than it can follow, and takes them again later', async () => {
        await start();
        const held: (() => void)[] = [];
        server.on('Getvar', (action, from) => held.push(() => from.answer(action, 'Success')));
        const it = await open();
        const ask = (): Promise<string> => codeOf(it.client.action({ action: 'Getvar' }));
        const asked = Array.from({ length: MAX_PENDING_ACTIONS }, ask);
        assert.equal(await ask(), 'AMI_TOO_MANY_PENDING');
        await until(() => held.length === MAX_PENDING_ACTIONS, 'all actions at the server');
        server.on('Getvar', (action, from) => from.answer(action, 'Success'));
        for (const answer of held) answer();
        assert.deepEqual(new Set(await Promise.all(asked)), new Set(['no error']));
        assert.equal(await ask(), 'no error');
      });
    });

    describe('lists', () => {
      it('gives its own items to the list, and everything else to the subscribers', async () => {
        await start();
        server.on('QueueStatus', (action, from) => {
          const id = `ActionID: ${action.ActionID ?? ''}`;
          from.answer(action, 'Success', 'EventList: start');
          from.send('Event: QueueMember', 'Queue: sales', id);
          from.send('Event: QueueMember', 'Privilege: agent,all', 'Queue: news');
          from.send('Event: QueueMember', 'Privilege: agent,all', 'Queue: of another client', 'ActionID: 17');
          from.send('Event: QueueStatusComplete', 'EventList: Complete', id);
        });
        const it = await open();
        const heard: (string | undefined)[] = [];
        it.client.subscribe(['QueueMember', 'QueueStatusComplete'], (event) => heard.push(event.get('Queue')));
        const items = await it.client.list({ action: 'QueueStatus' });
        assert.deepEqual(
          items.map((one) => one.get('Queue')),
          ['sales'],
        );
        assert.deepEqual(heard, ['news', 'of another client']);
      });

      it('takes items that come after the time-out for neither an answer nor news', async () => {
        await start();
        let late: (() => void) | undefined;
        server.on('QueueStatus', (action, from) => {
          from.answer(action, 'Success', 'EventList: start');
          late = () => from.send('Event: QueueMember', 'Queue: sales', `ActionID: ${action.ActionID ?? ''}`);
        });
        const it = await open();
        const heard: AmiMessage[] = [];
        it.client.subscribe('*', (event) => heard.push(event));
        const code = codeOf(it.client.list({ action: 'QueueStatus' }, { timeoutMs: 500 }));
        await until(() => late !== undefined, 'the action at the server');
        it.clock.advance(500);
        assert.equal(await code, 'AMI_TIMEOUT');
        late!();
        await it.client.action({ action: 'Ping' });
        assert.deepEqual(heard, []);
      });

      it('gives an empty list when there is nothing, and an error when Asterisk breaks off', async () => {
        await start();
        let mark = 'Complete';
        server.on('QueueStatus', (action, from) => {
          from.answer(action, 'Success', 'EventList: start');
          from.send('Event: QueueStatusComplete', `EventList: ${mark}`, `ActionID: ${action.ActionID ?? ''}`);
        });
        const it = await open();
        assert.deepEqual(await it.client.list({ action: 'QueueStatus' }), []);
        mark = 'Cancelled';
        assert.equal(await codeOf(it.client.list({ action: 'QueueStatus' })), 'AMI_ACTION_FAILED');
      });

      it('says why Asterisk refused it', async () => {
        await start();
        server.on('QueueStatus', (action, from) => from.answer(action, 'Error', 'Message: Permission denied'));
        const it = await open();
        await assert.rejects(it.client.list({ action: 'QueueStatus' }), /QueueStatus.*Permission denied/);
      });
    });

    describe('hostile and odd messages', () => {
      it('ignores, counts and reports what no Asterisk sends', async () => {
        await start();
        const it = await open();
        const heard: string[] = [];
        it.client.subscribe('*', (event) => heard.push(event.name));
        server.last.send('Uniqueid: 1', 'Event: Hangup');
        server.last.send('Event: Newchannel', 'Privilege: call,all', 'Channel: PJSIP/1', 'CallerIDNum: 1');
        server.last.send('Event: Newstate', 'Privilege: call,all', 'Uniqueid: forged', 'Uniqueid: 1');
        // Asterisk puts a class into every event that it tells unasked.
        server.last.send('Event: Hangup', 'Channel: PJSIP/1');
        server.last.send('Event: Hangup', 'Privilege: call,all', 'Uniqueid: 1', 'Linkedid: 1');
        await until(() => heard.length > 0, 'the genuine event');
        assert.deepEqual(heard, ['Hangup']);
        assert.equal(it.client.stats.tampered, 4);
        assert.deepEqual(
          it.log.warnings.map((line) => line.includes('no Asterisk produces')),
          [true],
        );
        it.clock.advance(60_000);
      });

      it('sees a forged Newchannel even when nobody listens', async () => {
        await start();
        const it = await open();
        server.last.send('Event: Newchannel', 'Channel: PJSIP/1');
        await it.client.action({ action: 'Ping' });
        assert.equal(it.client.stats.tampered, 1);
      });

      it('delivers a UserEvent that carries its own name twice', async () => {
        await start();
        const it = await open();
        const heard: string[][] = [];
        it.client.subscribe(['UserEvent'], (event) => heard.push(event.all('UserEvent')));
        server.last.send('Event: UserEvent', 'Privilege: user,all', 'UserEvent: a', 'UserEvent: b');
        await until(() => heard.length === 1, 'the event');
        assert.deepEqual(heard, [['a', 'b']]);
      });

      it('reads Cyrillic cut in the middle of a letter', async () => {
        await start();
        const it = await open();
        const heard: string[] = [];
        it.client.subscribe(['Newstate'], (event) => heard.push(event.get('CallerIDName') ?? ''));
        for (const byte of Buffer.from('Event: Newstate\r\nPrivilege: call,all\r\nCallerIDName: Иван Петров\r\n\r\n')) {
          server.last.raw(Buffer.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
        await until(() => heard.length === 1, 'the event');
        assert.deepEqual(heard, ['Иван Петров']);
      });
    });

    describe('close', () => {
      it('logs off', async () => {
        await start();
        const it = await open();
        await it.client.close();
        assert.equal(server.actions.at(-1)?.Action, 'Logoff');
        assert.equal(it.clock.running, 0);
      });

      it('does not wait for a silent server', async () => {
        await start();
        const it = await open();
        server.last.freeze();
        const closed = it.client.close();
        assert.equal(it.client.state.phase, 'closed');
        it.clock.advance(1000);
        await closed;
        server.last.socket.resume();
      });

      it('ends the waiting for the next try', async () => {
        await start();
        const it = await open();
        server.last.reset();
        await phase(it, 'waiting');
        await it.client.close();
        assert.equal(it.clock.running, 0);
        it.clock.advance(120_000);
        assert.equal(server.connections.length, 1);
      });

      it('may come from a handler of events or of states', async () => {
        await start();
        const it = await open();
        const heard: string[] = [];
        it.client.subscribe('*', (event) => {
          heard.push(event.name);
          void it.client.close();
        });
        server.last.raw('Event: A\r\nPrivilege: call,all\r\n\r\nEvent: B\r\nPrivilege: call,all\r\n\r\n');
        await until(() => server.open === 0, 'the end of the connection');
        assert.deepEqual(heard, ['A']);

        for (const wanted of ['connecting', 'logging-in', 'ready'] as const) {
          const other = make();
          other.client.onState((state) => {
            if (state.phase === wanted) void other.client.close();
          });
          other.client.connect();
          await phase(other, 'closed');
          await other.client.close();
          assert.equal(other.clock.running, 0, wanted);
        }
      });

      it('survives a handler of states that throws', async () => {
        await start();
        const it = make();
        it.client.onState(() => {
          throw new Error('a mistake in a node');
        });
        await ready(it.client);
        assert.ok(it.log.warnings.length > 0);
      });
    });
  });
}
