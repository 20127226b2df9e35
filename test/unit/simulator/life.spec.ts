import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { defaultPhones, createSimulator } from '../../../lib/simulator';
import { FakeClock } from '../../support/fake-clock';
import { BareClient } from './support/client';
import { Office } from './support/office';
import { recording } from './support/recording';

const call = { from: '79261112233', did: '74951000101' };

describe('simulator: start and stop', () => {
  it('listens on the loopback only, each time on a fresh port with a fresh password', async () => {
    const simulator = createSimulator({}, { clock: new FakeClock() });
    const first = await simulator.start();
    assert.deepEqual(await simulator.start(), first);
    assert.equal(first.host, '127.0.0.1');
    assert.ok(first.secret.length >= 20);
    await simulator.stop();
    await simulator.stop();
    const second = await simulator.start();
    assert.notEqual(second.secret, first.secret);
    await simulator.stop();
  });

  it('forgets what an earlier life did', async () => {
    const simulator = createSimulator({}, { clock: new FakeClock() });
    await simulator.start();
    simulator.setPhone('101', 'unregistered');
    await simulator.stop();
    const { port, username, secret } = await simulator.start();
    const client = await BareClient.open(port);
    await client.action('Login', { Username: username, Secret: secret });
    const state = await client.action('ExtensionState', { Exten: '101' });
    assert.equal(state.get('StatusText'), 'Idle');
    await simulator.stop();
  });

  it('never gives a Uniqueid again, also when it is started anew within a second, and stamps its events', async () => {
    const clock = new FakeClock();
    const simulator = createSimulator({}, { clock });
    const ids: string[] = [];
    for (let life = 0; life < 2; life++) {
      const { port, username, secret } = await simulator.start();
      const client = await BareClient.open(port);
      await client.action('Login', { Username: username, Secret: secret });
      const ended = simulator.call(call).catch(() => undefined);
      const created = await client.event('Newchannel');
      ids.push(created.get('Uniqueid') ?? '');
      assert.equal(created.get('Timestamp'), (clock.now() / 1000).toFixed(6));
      await simulator.stop();
      await ended;
    }
    assert.equal(new Set(ids).size, 2);
  });

  it('tells of the shutdown, ends all calls and sessions, leaves no timer', async () => {
    const office = await Office.open();
    const client = await office.login();
    await office.connect();
    const { outcome } = await office.incoming(client, { CRM_ROUTE_NUMBER: '101' });
    const waiting = office.simulator.call(call);
    await office.clock.advanceAsync(1000);
    const cut = Promise.allSettled([outcome, waiting, office.simulator.call(call)]);
    await office.simulator.stop();
    for (const end of await cut) {
      assert.equal(end.status, 'rejected');
      assert.equal((end.reason as { code: string }).code, 'SIMULATOR_STOPPED');
    }
    await client.waitClosed();
    const last = client.messages.at(-1);
    assert.deepEqual(
      { ...last?.body, Timestamp: undefined },
      { ...recording('shutdown').at(-1)?.body, Timestamp: undefined },
    );
    const came = client.events().filter((name) => name === 'Newchannel').length;
    assert.equal(client.events().filter((name) => name === 'Hangup').length, came);
    assert.equal(office.clock.running, 0);
  });

  it('stops while queue calls, redirections and originated calls are under way', async () => {
    const office = await Office.open();
    const client = await office.login();
    const queued = await office.incoming(client, { CRM_ROUTE_NUMBER: '700' });
    const moved = await office.incoming(client, { CRM_ROUTE_NUMBER: '103' });
    const ends = Promise.allSettled([queued.outcome, moved.outcome]);
    await office.clock.advanceAsync(500);
    const order = { Context: 'from-internal', Exten: '105', Priority: '1', Async: 'true' };
    await client.action('Originate', { Channel: 'PJSIP/103', ...order });
    await client.action('Redirect', { Channel: moved.channel, Context: 'telephony-crm-hold', Exten: 's', Priority: '1' });
    await office.simulator.stop();
    await ends;
    assert.equal(office.clock.running, 0);
    assert.deepEqual(office.warnings, []);
  });

  it('cuts off a client that does not read, and one that says nothing', async () => {
    const office = await Office.open();
    const mute = connect(office.address.port, '127.0.0.1');
    mute.on('error', () => undefined);
    mute.pause();
    await office.connect();
    await office.simulator.stop();
    mute.destroy();
    assert.equal(office.clock.running, 0);
  });

  it('takes no call and no change when it is not running', async () => {
    const simulator = createSimulator();
    await assert.rejects(simulator.call(call), { code: 'SIMULATOR_NOT_RUNNING' });
    assert.throws(() => simulator.setPhone('101', 'busy'), { code: 'SIMULATOR_NOT_RUNNING' });
    await simulator.stop();
  });

  it('names its phones when asked for one that it has not', async () => {
    const office = await Office.open();
    assert.throws(() => office.simulator.setPhone('999', 'busy'), /101, 102, 103, 104, 105, 106/);
    await office.close();
  });

  it('has a phone for every way to take a call', () => {
    const rules = new Set(defaultPhones.map((phone) => phone.rule));
    assert.deepEqual([...rules].sort(), ['answers', 'busy', 'declines', 'no-answer', 'unregistered']);
  });

  it('works on the real clock too', async () => {
    const simulator = createSimulator({ ringMs: 5, talkMs: 5, routeMs: 20 });
    await simulator.start();
    const told = await simulator.call(call);
    assert.equal(told.result, 'ivr');
    await simulator.stop();
  });
});
