import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import amiConfig from '../../nodes/ami-config';
import crmConfig from '../../nodes/crm-config';
import originate from '../../nodes/originate';
import storeConfig from '../../nodes/store-config';
import type { OrderOutcome, OrderProgress } from '../../lib/dialer/types';
import { until } from '../support/wait';
import { deploy, lastStatus, load, logLines, messages, receive, unload, waitForMessages } from './support/runtime';
import type { FlowNode } from './support/runtime';
import { storeNode, UserDir } from './support/store-flow';

const CLIENT = '84951343060';

describe('originate', () => {
  const nodes = [amiConfig, crmConfig, storeConfig, originate];
  let user: UserDir;

  beforeEach(() => (user = new UserDir()));
  afterEach(async () => {
    await unload();
    user.remove();
  });

  const flow = (more: object = {}): FlowNode[] => [
    { id: 'f', type: 'tab', label: 'f' },
    storeNode(),
    { id: 'pbx', type: 'ami-config', mode: 'simulator', name: 'office' },
    {
      id: 'crm',
      type: 'crm-config',
      kind: 'demo',
      settings: {},
      people: [{ userId: '7', name: 'Anna', extension: '102' }],
    },
    {
      id: 'dial',
      type: 'originate',
      z: 'f',
      mode: 'click',
      pbx: 'pbx',
      store: 'store',
      crm: 'crm',
      wires: [['outcomes'], ['progress']],
      ...more,
    },
    { id: 'outcomes', type: 'sink', z: 'f', wires: [] },
    { id: 'progress', type: 'sink', z: 'f', wires: [] },
    { id: 'catch', type: 'catch', z: 'f', scope: ['dial'], wires: [['caught']] },
    { id: 'caught', type: 'sink', z: 'f', wires: [] },
  ];
  const start = (more: object = {}): Promise<void> => load([user.init, ...nodes], flow(more));
  const order = (payload: unknown, more: object = {}): void => receive('dial', { payload, ...more });
  const outcomes = () =>
    messages('outcomes') as unknown as { topic: string; payload: OrderOutcome; usercrm?: unknown }[];
  const progress = () =>
    messages('progress') as unknown as { topic: string; payload: OrderProgress; usercrm?: unknown }[];
  const states = (): string[] => progress().map(({ payload }) => payload.state);
  const ready = () => until(() => lastStatus('dial')?.fill === 'green', 'the link');

  it('joins a colleague and a client, and tells how it goes and how it ended', async () => {
    await start();
    await ready();
    order({ number: CLIENT, extension: '101', data: { deal: 7 } }, { req: 'mine' });
    await waitForMessages('outcomes', 1);
    const [first] = progress();
    assert.equal(first?.topic, 'order_progress');
    assert.equal((first as { req?: string }).req, 'mine', 'the first message is the one that came');
    assert.equal(states()[0], 'queued');
    assert.ok(states().includes('agent-answered'), states().join());
    const [{ topic, payload } = assert.fail()] = outcomes();
    assert.equal(topic, 'order_outcome');
    assert.equal(payload.outcome, 'answered');
    assert.equal(payload.pbx, 'office');
    assert.deepEqual(payload.data, { deal: 7 });
    assert.equal(payload.orderId, 1);
    assert.ok(payload.callId);
  });

  it('answers an order that is on disk with that, before it asks whether it could be carried out now', async () => {
    await start();
    await ready();
    order({ number: CLIENT, extension: '101', key: 'deal 7' });
    await waitForMessages('progress', 1);
    order({ number: CLIENT, extension: '199', key: 'deal 7' });
    await until(() => progress().some(({ payload }) => payload.isKnown === true), 'the first order');
    assert.deepEqual(
      progress().flatMap(({ payload: { isKnown, orderId, extension } }) => (isKnown ? [[orderId, extension]] : [])),
      [[1, '101']],
    );
    order({ number: CLIENT, extension: '199', key: 'deal 8' });
    await until(() => outcomes().some(({ payload }) => payload.error?.code === 'ORDER_UNKNOWN_EXTENSION'), 'no');
  });

  it('knows whose phone a CRM user has', async () => {
    await start();
    await ready();
    order({ number: CLIENT, user: 7 });
    order({ number: CLIENT, user: 8 });
    await waitForMessages('progress', 1);
    await waitForMessages('outcomes', 1);
    assert.equal(progress()[0]?.payload.extension, '102');
    assert.equal(outcomes()[0]?.payload.error?.code, 'ORDER_NO_EXTENSION');
  });

  it('answers every order that it does not take with a refusal, whatever it is', async () => {
    await start();
    await ready();
    const hostile: unknown[] = [
      undefined,
      'hello',
      [],
      { number: CLIENT },
      { number: '+1 212 555 2368', extension: '101' },
      { number: '*65', extension: '101' },
      { number: '112', extension: '101' },
      { number: `${CLIENT}\r\nAction: Logoff`, extension: '101' },
      { number: CLIENT, extension: '89001234567' },
      { number: CLIENT, extension: '101', variables: { 'SHELL(id)': 'x' } },
      { number: CLIENT, extension: '101', callerId: { name: 'x" <1>' } },
    ];
    hostile.forEach((payload, index) => order(payload, { usercrm: { id: String(index) } }));
    await waitForMessages('outcomes', hostile.length);
    assert.deepEqual([...new Set(outcomes().map(({ payload }) => payload.outcome))], ['refused']);
    for (const { payload, usercrm } of outcomes()) {
      assert.ok(usercrm, 'the asker can be answered');
      assert.match(payload.error?.message ?? '', /\w{3}/);
      assert.equal(payload.orderId, undefined);
    }
    assert.deepEqual(progress(), []);
  });

  it('tells who asked what is wrong with a command, in the place of a Catch node', async () => {
    await start();
    order({ command: 'cancel' }, { usercrm: { id: 'question' } });
    await waitForMessages('progress', 1);
    const [{ topic, payload, usercrm } = {} as ReturnType<typeof progress>[number]] = progress();
    assert.deepEqual(
      [topic, (payload as unknown as { ok: unknown }).ok, usercrm],
      ['orders', false, { id: 'question' }],
    );
  });

  it('hands who asked over to the outcome, when the order says so', async () => {
    await start();
    await ready();
    order({ number: CLIENT, extension: '101', answer: 'outcome' }, { usercrm: { id: 'question' } });
    await waitForMessages('outcomes', 1);
    assert.ok(progress().every(({ usercrm }) => usercrm === undefined));
    assert.deepEqual(outcomes()[0]?.usercrm, { id: 'question' });
  });

  it('plays a message to a client', async () => {
    await start({ mode: 'autocall', files: 'hello-world', play: 'dialplan' });
    await ready();
    order({ number: CLIENT, key: 'order 17' });
    order({ number: CLIENT, key: 'order 17' });
    await waitForMessages('outcomes', 1);
    const { payload } = outcomes()[0] ?? assert.fail();
    assert.equal(payload.outcome, 'answered', JSON.stringify(payload));
    assert.deepEqual([payload.heard, payload.of, payload.key], [1, 1, 'order 17']);
    const queued = progress().filter(({ payload: told }) => told.state === 'queued');
    assert.deepEqual(
      queued.map(({ payload: told }) => [told.orderId, told.isKnown]),
      [
        [1, undefined],
        [1, true],
      ],
    );
  });

  it('obeys: pause, status, cancel, resume, and the do-not-call list', async () => {
    await start({ mode: 'autocall', files: 'hello-world' });
    await ready();
    const ask = async (payload: object): Promise<Record<string, unknown>> => {
      const before = progress().length;
      order(payload);
      await waitForMessages('progress', before + 1);
      const answer = progress()[before];
      assert.equal(answer?.topic, 'orders');
      return answer.payload as unknown as Record<string, unknown>;
    };
    assert.equal((await ask({ command: 'pause' })).isPaused, true);
    order({ number: CLIENT });
    await waitForMessages('progress', 2);
    await until(() => lastStatus('dial')?.text === 'paused, 1 wait', 'the status');
    assert.equal((await ask({ command: 'status', orderId: 1 })).state, 'waiting');
    assert.equal((await ask({ command: 'status', key: 'none' })).found, false);
    assert.equal((await ask({ command: 'cancel', orderId: 1 })).cancelled, 1);
    await waitForMessages('outcomes', 1);
    assert.equal(outcomes()[0]?.payload.outcome, 'cancelled');
    assert.equal((await ask({ command: 'block', numbers: [CLIENT] })).count, 1);
    order({ number: CLIENT });
    await waitForMessages('outcomes', 2);
    assert.equal(outcomes()[1]?.payload.error?.code, 'ORDER_BLOCKED');
    assert.deepEqual((await ask({ command: 'unblock', numbers: [CLIENT] })).changed, 1);
    assert.equal((await ask({ command: 'resume' })).isPaused, false);
    order({ command: 'explode' });
    await waitForMessages('caught', 1);
  });

  it('follows on what is in the air when it is deployed anew', async () => {
    await start();
    await ready();
    order({ number: CLIENT, extension: '101' });
    await until(() => states().includes('agent-answered'), 'the call');
    await deploy(flow({ name: 'again' }));
    await waitForMessages('outcomes', 1);
    assert.equal(outcomes()[0]?.payload.outcome, 'answered');
    assert.equal(outcomes().length, 1);
  });

  describe('orders of a node that was deleted', () => {
    const auto = { mode: 'autocall', files: 'hello-world' };
    const drawnAnew = (more: object = {}): FlowNode[] =>
      flow({ ...auto, ...more }).map((one) => (one.id === 'dial' ? { ...one, id: 'new' } : one));
    const warnings = () => logLines().filter(({ text }) => text.includes('ORIGINATE_ORPHANS'));
    const ask = async (payload: object): Promise<Record<string, unknown>> => {
      const before = progress().length;
      receive('new', { payload });
      await until(
        () =>
          progress()
            .slice(before)
            .some(({ topic }) => topic === 'orders'),
        'the answer',
      );
      return progress()
        .slice(before)
        .find(({ topic }) => topic === 'orders')!.payload as unknown as Record<string, unknown>;
    };
    const greenNew = () => until(() => lastStatus('new')?.fill === 'green', 'the link');

    beforeEach(async () => {
      await start(auto);
      await ready();
      order({ command: 'pause' });
      order({ number: CLIENT, key: 'a' });
      order({ number: '84951343061', key: 'b' });
      await waitForMessages('progress', 3);
    });

    it('are told of, dialled by no other node, and by the one that takes them over', async () => {
      assert.deepEqual(warnings(), []);
      await deploy(drawnAnew());
      await greenNew();
      await until(() => warnings().length === 1, 'the warning');
      assert.match(warnings()[0]?.text ?? '', /no longer exists.*: 2\./);
      assert.equal((await ask({ command: 'status' })).orphans, 2);
      assert.deepEqual(outcomes(), []);
      const { adopted, isPaused } = await ask({ command: 'adopt' });
      // Whoever paused the node that is gone meant its orders.
      assert.deepEqual([adopted, isPaused], [2, true]);
      assert.deepEqual(outcomes(), []);
      await ask({ command: 'resume' });
      await waitForMessages('outcomes', 2);
      assert.deepEqual(
        outcomes()
          .map(({ payload }) => `${payload.key} ${payload.outcome}`)
          .sort(),
        ['a answered', 'b answered'],
      );
      assert.equal((await ask({ command: 'status' })).orphans, undefined);
    });

    it('are cancelled', async () => {
      await deploy(drawnAnew());
      await greenNew();
      assert.equal((await ask({ command: 'cancel', orphans: true })).cancelled, 2);
      await waitForMessages('outcomes', 2);
      assert.ok(outcomes().every(({ payload }) => payload.outcome === 'cancelled'));
    });

    it('are those of the node while it stands in a disabled flow, or beside its copy', async () => {
      const aside: FlowNode = { id: 'aside', type: 'tab', label: 'aside', disabled: true };
      const old = flow(auto).filter(({ id }) => id === 'dial');
      await deploy([...drawnAnew(), aside, ...old.map((one) => ({ ...one, z: 'aside' }))]);
      await greenNew();
      assert.equal((await ask({ command: 'adopt' })).adopted, 0);
      await deploy([...drawnAnew(), ...old]);
      await until(() => lastStatus('dial')?.text === 'paused, 2 wait', 'the orders of the node');
      assert.equal((await ask({ command: 'status' })).waiting, 0);
      assert.deepEqual(warnings(), []);
      assert.deepEqual(outcomes(), []);
    });
  });

  it('dials nothing from a store that was restored from a copy, says so, and goes on when it is resumed', async () => {
    await start({ mode: 'autocall', files: 'hello-world' });
    await ready();
    order({ command: 'pause' });
    order({ number: CLIENT });
    await waitForMessages('progress', 2);
    await unload();
    const file = join(user.path, 'telephony-crm', 'telephony-crm.sqlite');
    const tally = readFileSync(`${file}.tally`, 'utf8');
    // As if much had been done since.
    writeFileSync(`${file}.tally`, tally.replace(/\d{16}/, '0000000000000099'));
    await start({ mode: 'autocall', files: 'hello-world' });
    await until(() => lastStatus('dial')?.text === 'originate.status.restored', 'the status');
    assert.ok(logLines().some(({ id, text }) => id === 'dial' && text.includes('restored from a copy')));
    order({ command: 'resume' });
    await waitForMessages('outcomes', 1);
    assert.equal(outcomes()[0]?.payload.outcome, 'answered');
  });

  it('calls nobody whom neither the PBX nor the table of people knows', async () => {
    await start();
    await ready();
    order({ number: CLIENT, extension: '877' });
    order({ number: '878', extension: '101' });
    await waitForMessages('outcomes', 2);
    for (const { payload } of outcomes()) {
      assert.equal(payload.outcome, 'refused');
      assert.equal(payload.error?.code, 'ORDER_UNKNOWN_EXTENSION');
    }
  });

  it('keeps to the cap of a minute over a deploy', async () => {
    const capped = (name: string): FlowNode[] =>
      flow({ name }).map((one) =>
        one.type === 'ami-config' ? { ...one, perMinute: '1', dialContext: `from-${name}` } : one,
      );
    await load([user.init, ...nodes], capped('internal'));
    await ready();
    order({ number: CLIENT, extension: '101' });
    await until(() => states().includes('agent-answered'), 'the first call');
    await deploy(capped('again'));
    await ready();
    order({ number: CLIENT, extension: '102', expiresInSeconds: 1 });
    await until(() => outcomes().some(({ payload }) => payload.extension === '102'), 'the second order');
    assert.equal(outcomes().find(({ payload }) => payload.extension === '102')?.payload.outcome, 'expired');
  });

  it('says in its status what is missing', async () => {
    await start({ lines: '1000' });
    await until(() => lastStatus('dial')?.text === 'originate.status.settings', 'the status');
    order({ number: CLIENT, extension: '101' });
    await waitForMessages('caught', 1);
    const [{ error } = assert.fail()] = messages('caught') as unknown as { error: { message: string } }[];
    assert.match(error.message, /lines must be a whole number from 1 to 256/);
    await deploy(flow({ store: '' }));
    await until(() => /store-config.status.missing$/.test(lastStatus('dial')?.text ?? ''), 'the status');
  });
});
