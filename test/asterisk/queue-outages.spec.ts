import assert from 'node:assert/strict';
import { createAmiClient } from '../../lib/ami';
import type { AmiClient } from '../../lib/ami/types';
import type { QueueMessage } from '../../lib/messages/queues';
import { createPbx, type Pbx } from '../../lib/pbx/pbx';
import { numberingPlan } from '../../lib/phone';
import { QueueKeeper } from '../../lib/reports/keeper';
import { makeReport } from '../../lib/reports/report';
import { reportQuery, usualReport } from '../../lib/reports/request';
import type { Store } from '../../lib/store/types';
import { until } from '../support/wait';
import { TempStores } from '../unit/store/support/temp-store';
import { cuttableLink, type CuttableLink } from './support/cuttable-link';
import { describeAsterisk } from './support/roots';
import { TestBed } from './support/test-bed';

const [QUEUE, SLOW] = ['74951000202', '74951000204'];
const LONG = 20_000;

describeAsterisk('queues and agents when something goes wrong', (version) => {
  let bed: TestBed;
  let admin: AmiClient;
  let stores: TempStores;
  let store: Store;
  let open: { readonly pbx: Pbx; readonly link: CuttableLink }[] = [];
  let told: QueueMessage[] = [];
  const problems: string[] = [];

  before(async () => {
    bed = await TestBed.start({ version });
    await connectAdmin();
  });
  after(async () => {
    await admin.close();
    await bed.stop();
  });
  beforeEach(async () => {
    await bed.reset();
    stores = new TempStores();
    store = await stores.ready();
    told = [];
  });
  afterEach(async () => {
    await bed.hangUpAll();
    for (const { pbx, link } of open) {
      await pbx.close();
      await link.close();
    }
    open = [];
    await stores.clean();
    assert.deepEqual(problems.splice(0), []);
  });

  async function connectAdmin(): Promise<void> {
    admin = createAmiClient({
      host: '127.0.0.1',
      port: bed.asterisk.amiPort,
      username: 'admin',
      secret: 'admin-secret',
    });
    admin.connect();
    await until(() => admin.state.phase === 'ready', 'the link of the admin', LONG);
  }

  /** One process of the pack: what it tells goes to `told` and into the facts, until it is killed. */
  async function live(members: number): Promise<{ readonly pbx: Pbx; readonly link: CuttableLink; kill(): void }> {
    const link = await cuttableLink(bed.asterisk.amiPort);
    const client = { host: '127.0.0.1', port: link.port, username: 'crm-min', secret: 'crm-min-secret' };
    const pbx = createPbx(
      {
        name: 'office',
        plan: numberingPlan({ country: 'RU' }),
        calls: { trunks: ['provider'], trunkContexts: ['from-trunk'], live: { table: store.live, key: 'pbx' } },
        connection: { kind: 'asterisk', driver: 'built-in', client },
      },
      { onProblem: ({ message }) => problems.push(message) },
    );
    const keeper = new QueueKeeper(store, ({ message }) => problems.push(message));
    let isKilled = false;
    pbx.queues.subscribe((message) => {
      if (isKilled) return;
      told.push(message);
      keeper.keep(message);
    });
    pbx.open();
    open.push({ pbx, link });
    await until(() => pbx.queues.stats.members === members, 'the members', LONG);
    const kill = (): void => {
      isKilled = true;
      link.cut();
    };
    return { pbx, link, kill };
  }

  const story = (): string[] =>
    told.flatMap(({ topic, payload }) =>
      'change' in payload
        ? payload.change === 'busy' || payload.change === 'idle'
          ? []
          : [`${payload.agent.phone} ${payload.change} ${payload.queue?.id ?? ''}`]
        : [[topic, payload.agent?.phone, payload.reason].filter(Boolean).join(' ')],
    );
  const came = (line: string): Promise<void> => until(() => story().includes(line), line, LONG);
  const act = async (action: string, headers: Record<string, string>): Promise<void> => {
    const answer = await admin.action({ action, headers });
    assert.equal(answer.name, 'Success', answer.get('Message'));
  };
  const join = async (queue: string, phone: string): Promise<void> =>
    act('QueueAdd', { Queue: queue, Interface: `PJSIP/${phone}` });
  const leave = async (queue: string, phone: string): Promise<void> =>
    act('QueueRemove', { Queue: queue, Interface: `PJSIP/${phone}` });
  const channelOf = async (part: string): Promise<string> => {
    const rows = await admin.list({ action: 'CoreShowChannels' });
    return rows.map((row) => row.get('Channel') ?? '').find((name) => name.includes(part)) ?? '';
  };

  const talking = (count: number): Promise<void> =>
    until(
      async () =>
        (await bed.asterisk.cli('core show channels concise')).split('\n').filter((line) => line.includes('!Up!'))
          .length === count,
      'the phones to be up',
      LONG,
    );
  const client = (fromNumber: string) => ({ fromNumber, headers: { 'X-Trunk': 'provider' } });

  describe('a queue that lets its agent wait before he has the caller', () => {
    beforeEach(() => join('slow', '101'));
    afterEach(() => leave('slow', '101'));

    it('goes on when the agent hangs up in that time', async () => {
      await live(3);
      const call = bed.call(SLOW);
      await came('agent-dial 101');
      await talking(2);
      bed.phones['101'].received.at(-1)?.bye();
      await came('agent-answer 101');
      call.bye();
      await came('agent-hangup 101 caller');
      assert.deepEqual(story(), [
        'queue-dial',
        'agent-dial 101',
        'agent-cancel 101 declined',
        'agent-dial 101',
        'queue-hangup answered',
        'agent-answer 101',
        'agent-hangup 101 caller',
      ]);
    });

    it('has lost a caller who hangs up in that time', async () => {
      await live(3);
      const call = bed.call(SLOW);
      await came('agent-dial 101');
      await talking(2);
      call.bye();
      await came('agent-cancel 101 abandoned');
      assert.deepEqual(story(), [
        'queue-dial',
        'agent-dial 101',
        'queue-hangup abandoned',
        'agent-cancel 101 abandoned',
      ]);
    });

    it('has not lost a caller who leaves it by a key, though he hangs up soon after', async () => {
      bed.phones['101'].reset('ring');
      await live(3);
      const call = bed.call(SLOW);
      await came('agent-dial 101');
      const Channel = await channelOf('provider');
      await act('PlayDTMF', { Channel, Digit: '1', Receive: 'true' });
      await until(
        async () => (await bed.asterisk.cli('core show channels concise')).includes('!queue-exits!'),
        'the way out',
        LONG,
      );
      call.bye();
      await came('queue-hangup other');
      await came('agent-cancel 101 abandoned');
    });
  });

  it('are told once, and counted once, by a process that was killed and the one after it', async () => {
    await join('support', '103');
    // Whoever answers first gets the caller.
    bed.phones['102'].reset('ring');
    const first = await live(3);
    const talks = bed.call(QUEUE);
    await came('agent-answer 101');
    for (const phone of ['101', '102'] as const) bed.phones[phone].reset('ring');
    const waits = bed.call(QUEUE, client('+74951343061'));
    await until(() => told.filter(({ topic }) => topic === 'agent-dial').length >= 4, 'the second call', LONG);
    await until(async () => (await store.live.load('pbx:queues')).length >= 5, 'the state on disk', LONG);
    first.kill();
    waits.bye();
    await leave('support', '103');
    const before = told.length;
    await live(2);
    await came('103 logout support');
    await came('queue-hangup other');
    talks.bye();
    await came('agent-hangup 101 caller');
    assert.deepEqual(
      told
        .slice(before)
        .filter(({ topic }) => topic !== 'agent-cancel' && topic !== 'agent_change')
        .map(({ topic, payload }) => [topic, payload.reconciled === true]),
      [
        ['queue-hangup', true],
        ['agent-hangup', false],
      ],
    );
    const ids = told.map(({ payload }) => payload.eventId);
    assert.equal(new Set(ids).size, ids.length, 'an event twice');
    const now = Date.now();
    const asked = async (report: string) => {
      const usual = usualReport({ timeZone: 'UTC', days: 1 });
      return (await makeReport(store, reportQuery({ report }, usual, now), now)).total;
    };
    await until(async () => (await asked('queues')).talks === 1, 'the last fact', LONG);
    const { offered, answered, left } = await asked('queues');
    assert.deepEqual([offered, answered, left], [2, 1, 1]);
  });

  it('end with the PBX', async () => {
    bed.phones['102'].reset('busy');
    const { pbx } = await live(2);
    bed.call(QUEUE);
    await came('agent-answer 101');
    await bed.asterisk.restart();
    await came('agent-hangup 101 unknown');
    // Whoever asks while it begins is refused.
    problems.splice(0);
    assert.deepEqual(pbx.queues.stats, { waiting: 0, talking: 0, members: 2, overBound: 0 });
    await admin.close();
    await connectAdmin();
  });

  it('tell an agent with two callers busy until both are gone', async () => {
    bed.phones['102'].reset('busy');
    const { pbx } = await live(2);
    const one = bed.call(QUEUE);
    await came('agent-answer 101');
    const two = bed.call(QUEUE, client('+74951343062'));
    await until(() => pbx.queues.stats.talking === 2, 'both callers', LONG);
    one.bye();
    await until(() => pbx.queues.stats.talking === 1, 'the end of the first', LONG);
    const changes = (): unknown[] =>
      told.flatMap(({ payload }) => ('change' in payload && payload.agent.phone === '101' ? [payload.change] : []));
    assert.deepEqual(changes(), ['busy']);
    two.bye();
    await until(() => changes().includes('idle'), 'the end of the second', LONG);
    assert.deepEqual(changes(), ['busy', 'idle']);
  });
});
