import assert from 'node:assert/strict';
import type { TelephonyError } from '../../../lib/errors';
import { numberingPlan } from '../../../lib/phone';
import { createPbx, type Pbx } from '../../../lib/pbx/pbx';
import { whenReady } from '../../../lib/pbx/ready';
import { createSimulator } from '../../../lib/simulator';
import { FakeAmiServer } from '../../support/fake-ami-server';
import { FakeClock } from '../../support/fake-clock';
import { until } from '../../support/wait';

const plan = numberingPlan({ country: 'RU' });

describe('a PBX', () => {
  let pbx: Pbx | undefined;
  const problems: TelephonyError[] = [];
  const onProblem = (problem: TelephonyError): void => void problems.push(problem);

  beforeEach(() => problems.splice(0));
  afterEach(async () => {
    await pbx?.close();
    pbx = undefined;
  });

  const connectTo = (client: { host: string; port: number; username: string; secret: string }): Pbx => {
    pbx = createPbx({ name: 'x', plan, connection: { kind: 'asterisk', driver: 'built-in', client } }, { onProblem });
    return pbx;
  };

  describe('in the built-in simulator', () => {
    it('is ready after open, knows its phones, follows them, and forgets them when closed', async () => {
      const own = (pbx = createPbx({ name: 'x', plan, connection: { kind: 'simulator' } }, { onProblem }));
      assert.equal(own.presence.availability('101', false).available, false);
      own.open();
      await whenReady(own, 10_000);
      await until(() => own.presence.availability('101', false).available, 'the states of the phones');
      assert.deepEqual(own.presence.availability('104', false), {
        available: false,
        reason: 'not-registered',
        state: 'unavailable',
      });
      own.simulator!.setPhone('101', 'unregistered');
      await until(() => !own.presence.availability('101', false).available, 'the phone to go');
      await own.close();
      assert.deepEqual(own.presence.availability('105', false), {
        available: false,
        reason: 'link-down',
        state: 'unknown',
      });
      assert.deepEqual(problems, []);
    });

    it('can be closed at once, and while it starts', async () => {
      for (const wait of [() => undefined, () => new Promise(setImmediate)]) {
        const own = createPbx({ name: 'x', plan, connection: { kind: 'simulator' } }, {});
        own.open();
        await wait();
        await own.close();
        assert.equal(own.client.state.phase, 'closed');
        await assert.rejects(whenReady(own, 1000), { code: 'PBX_NOT_READY' });
      }
    });
  });

  it('says which class is missing when states may not be read, and then counts nobody as available', async () => {
    const user = { username: 'u', secret: 's', read: ['system', 'call'], write: ['user'] };
    const office = createSimulator({ users: [user] });
    try {
      const own = connectTo({ ...(await office.start()), username: 'u', secret: 's' });
      own.open();
      await until(() => problems.length > 0, 'the problem');
      assert.equal(problems[0]!.code, 'PBX_PRESENCE_DENIED');
      assert.match(problems[0]!.textIn('ru'), /«reporting» в write=/);
      assert.equal(own.presence.availability('101', true).available, false);
      // Nobody need wait for what will not come.
      await own.presence.settled?.();
    } finally {
      await pbx?.close();
      await office.stop();
    }
  });

  it('learns the states anew after every login, and knows none while the link is down', async () => {
    let state = 'NOT_INUSE';
    const server = await FakeAmiServer.start();
    server
      .on('DeviceStateList', (action, from) => {
        const id = `ActionID: ${action.ActionID ?? ''}`;
        from.answer(action, 'Success', 'EventList: start');
        from.send('Event: DeviceStateChange', 'Device: PJSIP/101', `State: ${state}`, id);
        from.send('Event: DeviceStateListComplete', id, 'EventList: Complete', 'ListItems: 1');
      })
      .on('ExtensionStateList', (action, from) => {
        const id = `ActionID: ${action.ActionID ?? ''}`;
        from.answer(action, 'Success', 'EventList: start');
        from.send('Event: ExtensionStateListComplete', id, 'EventList: Complete', 'ListItems: 0');
      });
    try {
      const own = connectTo({ host: server.host, port: server.port, username: server.username, secret: server.secret });
      own.open();
      await until(() => own.presence.availability('101', false).available, 'the first list');
      state = 'UNAVAILABLE';
      server.last.reset();
      await until(() => own.presence.availability('101', false).state === 'unknown', 'the link to be noticed as down');
      await until(() => own.presence.availability('101', false).state === 'unavailable', 'the second list');
      assert.deepEqual(problems, []);
    } finally {
      await pbx?.close();
      await server.stop();
    }
  });

  it('asks again for states after a failure that is no refusal', async () => {
    const clock = new FakeClock();
    const server = await FakeAmiServer.start();
    try {
      const { host, port, username, secret } = server;
      const client = { host, port, username, secret };
      const connection = { kind: 'asterisk', driver: 'built-in', client } as const;
      pbx = createPbx({ name: 'x', plan, connection }, { onProblem, clock });
      pbx.open();
      await until(() => problems.length === 1, 'the first failure');
      assert.equal(problems[0]!.code, 'PBX_PRESENCE_FAILED');
      // A PBX that has just begun takes log-ins before it knows all its actions.
      for (const [tries, seconds] of [1, 5, 30, 30].entries()) {
        await clock.advanceAsync(seconds * 1000 - 1);
        assert.equal(problems.length, tries + 1);
        await clock.advanceAsync(1);
        await until(() => problems.length === tries + 2, 'the next try');
      }
    } finally {
      await pbx?.close();
      assert.equal(clock.running, 0);
      await server.stop();
    }
  });

  describe('whose events do not tell everything', () => {
    let server: FakeAmiServer;
    let clock: FakeClock;
    /** What the PBX lists, and how often it was asked to. */
    let states: Record<string, string>;
    let listed: number;
    let answers: boolean;
    /** Gives the list that was kept back. */
    let give: () => void;

    const open = async (events?: string): Promise<Pbx> => {
      const { host, port, username, secret } = server;
      const client = { host, port, username, secret, ...(events === undefined ? {} : { events }) };
      pbx = createPbx(
        { name: 'x', plan, connection: { kind: 'asterisk', driver: 'built-in', client } },
        { onProblem, clock },
      );
      pbx.open();
      await whenReady(pbx, 10_000, clock);
      await pbx.presence.settled?.();
      return pbx;
    };
    /** Lets seconds pass, and everything on the wire arrive meanwhile. */
    const pass = async (seconds: number): Promise<void> => {
      for (let left = seconds; left > 0; left -= 5) {
        await clock.advanceAsync(1000 * Math.min(left, 5));
        await pbx?.client.action({ action: 'Ping' });
      }
    };
    const tell = (device: string, state: string): void => {
      states[device] = state;
      server.broadcast('Event: DeviceStateChange', 'Privilege: call,all', `Device: ${device}`, `State: ${state}`);
    };
    const isAvailable = (extension: string): boolean => pbx!.presence.availability(extension, false).available;
    const codes = (): string[] => problems.map(({ code }) => code);

    beforeEach(async () => {
      clock = new FakeClock();
      states = { 'PJSIP/101': 'NOT_INUSE', 'PJSIP/102': 'NOT_INUSE' };
      listed = 0;
      answers = true;
      server = await FakeAmiServer.start();
      server
        .on('DeviceStateList', (action, from) => {
          listed += 1;
          const id = `ActionID: ${action.ActionID ?? ''}`;
          give = () => {
            from.answer(action, 'Success', 'EventList: start');
            for (const [device, state] of Object.entries(states))
              from.send('Event: DeviceStateChange', `Device: ${device}`, `State: ${state}`, id);
            from.send('Event: DeviceStateListComplete', id, 'EventList: Complete', 'ListItems: 2');
          };
          if (answers) give();
        })
        .on('ExtensionStateList', (action, from) => {
          from.answer(action, 'Success', 'EventList: start');
          const id = `ActionID: ${action.ActionID ?? ''}`;
          from.send('Event: ExtensionStateListComplete', id, 'EventList: Complete', 'ListItems: 0');
        });
    });
    afterEach(async () => {
      await pbx?.close();
      assert.equal(clock.running, 0);
      await server.stop();
    });

    it('is put right by a list a minute later, and answers all the while', async () => {
      await open();
      states['PJSIP/101'] = 'UNAVAILABLE';
      await pass(59);
      assert.deepEqual([isAvailable('101'), listed], [true, 1]);
      answers = false;
      await pass(2);
      assert.deepEqual([isAvailable('101'), isAvailable('102'), listed], [true, true, 2]);
      give();
      await until(() => !isAvailable('101'), 'the list');
      assert.deepEqual([isAvailable('102'), listed], [true, 2]);
    });

    it('asks for one list at a time, and keeps to what the events tell when it does not come', async () => {
      await open();
      tell('PJSIP/101', 'INUSE');
      answers = false;
      await pass(65);
      assert.deepEqual([listed, isAvailable('101'), isAvailable('102')], [2, false, true]);
      tell('PJSIP/101', 'NOT_INUSE');
      await pass(10);
      assert.deepEqual([listed, isAvailable('101'), codes()], [2, true, ['PBX_PRESENCE_FAILED']]);
      answers = true;
      states['PJSIP/102'] = 'UNAVAILABLE';
      await pass(30);
      await until(() => !isAvailable('102'), 'the list');
      assert.equal(listed, 3);
    });

    for (const mask of ['off', 'system,agi', 'agent']) {
      it(`says at once that the mask "${mask}" lets no state through`, async () => {
        await open(mask);
        assert.deepEqual(codes(), ['PBX_PRESENCE_DEAF']);
        assert.match(problems[0]!.textIn('en'), /Events.*"call".*read=/);
        assert.match(problems[0]!.textIn('ru'), /«События».*«call».*read=/);
        await pass(190);
        assert.deepEqual(codes(), ['PBX_PRESENCE_DEAF']);
      });
    }

    for (const mask of ['on', 'all', 'system, Call']) {
      it(`has nothing to say of the mask "${mask}"`, async () => {
        await open(mask);
        assert.deepEqual(codes(), []);
      });
    }

    it('tells each change of an extension once, and those that only a list knew as found afterwards', async () => {
      server.on('CoreShowChannels', (action, from) => {
        from.answer(action, 'Success', 'EventList: start');
        const id = `ActionID: ${action.ActionID ?? ''}`;
        from.send('Event: CoreShowChannelsComplete', id, 'EventList: Complete', 'ListItems: 0');
      });
      await open();
      const told: unknown[] = [];
      pbx!.calls.subscribe(({ topic, payload }) => {
        if (topic !== 'user_change') return;
        const { extension, state, previous, reconciled } = payload;
        told.push([extension, state, previous, reconciled]);
      });
      await pass(1);
      await until(() => server.actions.some(({ Action }) => Action === 'CoreShowChannels'), 'the list of channels');
      tell('PJSIP/101', 'RINGING');
      tell('PJSIP/101', 'INUSE');
      tell('PJSIP/101', 'ONHOLD');
      tell('PJSIP/103', 'NOT_INUSE');
      states['PJSIP/102'] = 'UNAVAILABLE';
      await pass(61);
      await until(() => told.length === 4, 'the changes');
      assert.deepEqual(told, [
        ['101', 'ringing', 'idle', undefined],
        ['101', 'busy', 'ringing', undefined],
        ['103', 'idle', undefined, undefined],
        ['102', 'offline', 'idle', true],
      ]);
    });

    it('says once that Asterisk tells no state although the mask would let it through', async () => {
      await open();
      states['PJSIP/101'] = 'UNAVAILABLE';
      await pass(61);
      assert.deepEqual(codes(), []);
      await pass(180);
      assert.deepEqual(codes(), ['PBX_PRESENCE_DEAF']);
    });

    it('has nothing to say when nothing changes, or when one event was heard', async () => {
      await open();
      await pass(125);
      tell('PJSIP/102', 'INUSE');
      states['PJSIP/101'] = 'UNAVAILABLE';
      await pass(125);
      await until(() => !isAvailable('101'), 'the list');
      assert.deepEqual(codes(), []);
    });
  });
});
