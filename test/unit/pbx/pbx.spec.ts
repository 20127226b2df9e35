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
      await clock.advanceAsync(30_000);
      await until(() => problems.length === 2, 'the second try');
    } finally {
      await pbx?.close();
      assert.equal(clock.running, 0);
      await server.stop();
    }
  });
});
