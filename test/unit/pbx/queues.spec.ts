import assert from 'node:assert/strict';
import { TelephonyError } from '../../../lib/errors';
import { silentLog } from '../../../lib/log';
import type { QueueMessage } from '../../../lib/messages/queues';
import { createPbxQueues } from '../../../lib/pbx/queues';
import type { OwnedPbxQueues, PbxQueuesDeps } from '../../../lib/pbx/queues';
import { numberingPlan } from '../../../lib/phone';
import { createQueueTracker } from '../../../lib/queues';
import type { QueueTracker } from '../../../lib/queues/types';
import type { LiveCall, LiveCallTable, UnkeptCall } from '../../../lib/store/types';
import { amiEvent } from '../../support/ami-messages';
import { FakeClock } from '../../support/fake-clock';
import { FakeLink } from './support/fake-link';

const START = Date.UTC(2026, 0, 15, 9);
const CALLER = { Channel: 'PJSIP/trunk-1', Uniqueid: '1.1', Linkedid: '1.1', CallerIDNum: '79031112233' };
const IN_QUEUE = { ...CALLER, Queue: 'sales', Position: '1' };
const AGENT = { ...IN_QUEUE, Interface: 'PJSIP/101', MemberName: 'Anna', DestUniqueid: '1.2' };
const MEMBER = amiEvent('QueueMember', {
  Queue: 'sales',
  Name: 'Anna',
  Location: 'PJSIP/101',
  Status: '1',
  Paused: '0',
});

/** The rows of one key, without a disk. */
class Table implements LiveCallTable {
  rows = new Map<string, LiveCall & { readonly savedAt: number }>();
  now = START;
  failure: Error | undefined;
  /** It refuses the row of this id. */
  refused: UnkeptCall | undefined;

  save(key: string, changed: readonly LiveCall[], forgotten: readonly string[]): Promise<readonly UnkeptCall[]> {
    if (this.failure) return Promise.reject(this.failure);
    const { refused } = this;
    if (refused && changed.some(({ callId }) => callId === refused.callId)) return Promise.resolve([refused]);
    for (const call of changed) this.rows.set(`${key} ${call.callId}`, { ...call, savedAt: this.now });
    for (const callId of forgotten) this.rows.delete(`${key} ${callId}`);
    return Promise.resolve([]);
  }

  load(key: string): Promise<(LiveCall & { readonly savedAt: number })[]> {
    return Promise.resolve([...this.rows].flatMap(([name, row]) => (name.startsWith(`${key} `) ? [row] : [])));
  }
}

describe('the queues of a PBX over a restart', () => {
  let table: Table;
  let problems: TelephonyError[];
  let open: OwnedPbxQueues[];

  /** One process; what is killed closes nothing. */
  async function live(
    at: number,
    act: (link: FakeLink, run: (ms: number) => Promise<void>) => Promise<void>,
    more: Partial<PbxQueuesDeps> = {},
  ) {
    const [clock, link, told] = [new FakeClock(at), new FakeLink(), [] as QueueMessage[]];
    link.queues = [MEMBER];
    const plan = { numbers: numberingPlan({ country: 'RU' }), trunks: [], trunkContexts: [] };
    const queues = createPbxQueues({
      pbxName: 'office',
      live: { table, key: 'node:queues' },
      client: link,
      clock,
      log: silentLog,
      calls: { subscribe: () => () => undefined },
      onProblem: (problem) => problems.push(problem),
      createTracker: () => createQueueTracker({ pbx: 'office', plan }),
      mayHear: true,
      ...more,
    });
    open.push(queues);
    queues.subscribe((message) => told.push(message));
    const run = async (ms: number): Promise<void> => {
      await clock.advanceAsync(ms);
      table.now = clock.now();
    };
    await run(10);
    link.up();
    await run(10);
    await act(link, run);
    return { told };
  }
  const seen = (messages: readonly QueueMessage[]) =>
    messages.flatMap(({ topic, payload }) => ('change' in payload ? [] : [[topic, payload.eventId, payload.at]]));
  const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString();
  const stamp = (seconds: number) => ({ Timestamp: String((START + seconds * 1000) / 1000) });

  beforeEach(() => {
    [table, problems, open] = [new Table(), [], []];
  });
  afterEach(() => Promise.all(open.map((one) => one.close())));

  it('tell the end of a wait and of a conversation with their own times, though the process was killed', async () => {
    const first = await live(START, async (link, run) => {
      link.hear('QueueCallerJoin', { ...IN_QUEUE, ...stamp(1) });
      link.hear('AgentCalled', { ...AGENT, ...stamp(2) });
      await run(1000);
    });
    assert.deepEqual(seen(first.told), [
      ['queue-dial', 'office:1.1:queue-dial:sales', at(1)],
      ['agent-dial', 'office:1.2:agent-dial', at(2)],
    ]);
    const second = await live(START + 4000, async (link, run) => {
      link.hear('AgentConnect', { ...AGENT, ...stamp(5) });
      await run(1000);
    });
    assert.deepEqual(seen(second.told), [
      ['queue-hangup', 'office:1.1:queue-hangup:sales', at(5)],
      ['agent-answer', 'office:1.2:agent-answer', at(5)],
    ]);
    const third = await live(START + 60_000, async (link, run) => {
      link.hear('AgentComplete', { ...AGENT, Reason: 'caller', ...stamp(65) });
      link.hear('Hangup', { ...CALLER, Cause: '16', ...stamp(65) });
      await run(20_000);
    });
    assert.deepEqual(seen(third.told), [['agent-hangup', 'office:1.2:agent-hangup', at(65)]]);
    const [end] = third.told.filter(({ topic }) => topic === 'agent-hangup');
    assert.ok(end && 'talkSeconds' in end.payload);
    assert.deepEqual([end.payload.talkSeconds, end.payload.waitSeconds, end.payload.reason], [60, 4, 'caller']);
    assert.deepEqual([[...table.rows.keys()].filter((key) => !key.includes('\n')).length, problems], [0, []]);
  });

  it('tell what ended while there was no process', async () => {
    await live(START, async (link, run) => {
      link.hear('QueueCallerJoin', { ...IN_QUEUE, ...stamp(1) });
      await run(1000);
    });
    const { told } = await live(START + 60_000, (_link, run) => run(5000));
    assert.deepEqual(
      told.map(({ topic, payload }) => [topic, payload.reason, payload.reconciled]),
      [['queue-hangup', 'other', true]],
    );
  });

  it('are asked for again as soon as a PBX that refused them has begun', async () => {
    const { told } = await live(START, async (link, run) => {
      await run(2000);
      link.queues = new Error('Invalid/unknown command');
      link.down();
      link.up();
      await run(100);
      assert.deepEqual(
        problems.splice(0).map(({ code }) => code),
        ['PBX_QUEUES_FAILED'],
      );
      link.queues = [MEMBER, amiEvent('QueueEntry', { ...IN_QUEUE, Wait: '0' })];
      link.hear('FullyBooted');
      link.hear('FullyBooted');
      await run(1500);
      assert.equal(link.asked.filter((action) => action === 'QueueStatus').length, 3);
    });
    assert.deepEqual(
      told.map(({ topic }) => topic),
      ['queue-dial'],
    );
  });

  it('go on without what another version wrote', async () => {
    table.rows.set('node:queues 1.1', { callId: '1.1', state: '{"version":99}', savedAt: START });
    const { told } = await live(START, async (link, run) => {
      link.hear('QueueCallerJoin', { ...IN_QUEUE, ...stamp(1) });
      await run(1000);
    });
    assert.deepEqual(
      told.map(({ topic }) => topic),
      ['queue-dial'],
    );
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['PBX_QUEUES_UNREADABLE'],
    );
  });

  it('ask for the next lists when one could not be read: the process goes on', async () => {
    const plan = { numbers: numberingPlan({ country: 'RU' }), trunks: [], trunkContexts: [] };
    let lists = 0;
    const createTracker = (): QueueTracker => {
      const tracker = createQueueTracker({ pbx: 'office', plan });
      const resync: QueueTracker['resync'] = (...given) => {
        lists += 1;
        if (lists === 1) throw new TypeError('nobody thought of that');
        return tracker.resync(...given);
      };
      return new Proxy(tracker, {
        get: (of, name) => {
          const value: unknown = name === 'resync' ? resync : Reflect.get(of, name, of);
          return typeof value === 'function' ? (value as () => unknown).bind(of) : value;
        },
      });
    };
    await live(START, (_link, run) => run(130_000), { createTracker });
    assert.equal(lists, 3);
  });

  it('say once that their events are left out by the settings, or that there are more than can be watched', async () => {
    const codes = () => problems.splice(0).map(({ code }) => code);
    await live(START, (_link, run) => run(2000), { mayHear: false });
    assert.deepEqual(codes(), ['PBX_QUEUES_DEAF']);
    const plan = { numbers: numberingPlan({ country: 'RU' }), trunks: [], trunkContexts: [] };
    const full = (): QueueTracker => {
      const tracker = createQueueTracker({ pbx: 'office', plan });
      const stats = { get: () => ({ waiting: 0, talking: 0, members: 0, overBound: 1 }) };
      return Object.create(tracker, { stats }) as QueueTracker;
    };
    const join = async (link: FakeLink, run: (ms: number) => Promise<void>): Promise<void> => {
      link.hear('QueueCallerJoin', { ...IN_QUEUE, ...stamp(1) });
      link.hear('QueueCallerJoin', { ...IN_QUEUE, Uniqueid: '1.2', Linkedid: '1.2', ...stamp(2) });
      await run(5000);
    };
    await live(START, join, { createTracker: full });
    assert.deepEqual(codes(), ['PBX_QUEUES_TOO_MANY']);
  });

  it('are told all the same while the store fails, or refuses one of them: the operator hears what is not kept', async () => {
    table.failure = new Error('disk full');
    const { told } = await live(START, async (link, run) => {
      await run(2000);
      link.hear('QueueCallerJoin', { ...IN_QUEUE, ...stamp(1) });
      await run(1000);
    });
    assert.deepEqual(
      told.map(({ topic }) => topic),
      ['queue-dial'],
    );
    table.failure = undefined;
    const error = new TelephonyError('STORE_TOO_LARGE', { en: 'Large.', ru: 'Много.' });
    table.refused = { callId: 'sales\nPJSIP/101', error };
    await live(START, (_link, run) => run(2000));
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['PBX_QUEUES_NOT_KEPT', 'PBX_QUEUE_NOT_KEPT'],
    );
    assert.match(problems[1]?.textIn('ru') ?? '', /«office» \(sales PJSIP\/101\).*Много/);
  });
});
