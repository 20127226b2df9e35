import assert from 'node:assert/strict';
import type { QueueMessage } from '../../../lib/messages/queues';
import type { SavedCall } from '../../../lib/calls/types';
import type { QueueTracker } from '../../../lib/queues/types';
import { amiEvent } from '../../support/ami-messages';
import { eventsOf } from '../calls/traces';
import { MEMBERS, newQueueTracker, play } from './traces';

const CALLER = { Channel: 'PJSIP/trunk-1', Uniqueid: '1.1', Linkedid: '1.1', CallerIDNum: '79031112233' };
const AGENT = { Interface: 'PJSIP/101', MemberName: 'Anna', DestUniqueid: '1.2', DestChannel: 'PJSIP/101-2' };
const inQueue = (name: string, more: Readonly<Record<string, string>> = {}) =>
  amiEvent(name, { ...CALLER, Queue: 'support', Position: '1', ...more });

/** What lies on disk: the newest state of each. */
class Disk {
  readonly rows = new Map<string, SavedCall>();

  save(tracker: QueueTracker): void {
    const { changed, forgotten } = tracker.takeChanges();
    for (const one of changed) this.rows.set(one.callId, one);
    for (const callId of forgotten) this.rows.delete(callId);
  }

  /** The next process, which knows the members. */
  next(at: number): QueueTracker {
    const tracker = newQueueTracker();
    assert.deepEqual(tracker.restore([...this.rows.values()], at), { unreadable: 0 });
    tracker.resync({ status: MEMBERS }, -Infinity, at);
    return tracker;
  }
}

const ofCalls = (messages: readonly QueueMessage[]): QueueMessage[] =>
  messages.filter(({ topic }) => topic !== 'agent_change');

describe('queues over a restart', () => {
  for (const recording of [
    'queue-answered-caller-hangs-up',
    'queue-abandon',
    'queue-two-callers',
    'queue-exit-timeout',
  ]) {
    it(`tell the same, with the same times and ids, wherever ${recording} is cut`, () => {
      const events = eventsOf(recording);
      const known = (): QueueTracker => {
        const tracker = newQueueTracker();
        tracker.resync({ status: MEMBERS }, -Infinity, 0);
        return tracker;
      };
      const whole = ofCalls(play(events, known()));
      const first = events.findIndex(({ event }) => event.name === 'QueueCallerJoin');
      assert.ok(first >= 0 && whole.length > 1);
      for (let cut = first + 1; cut < events.length; cut += 1) {
        let now = known();
        const disk = new Disk();
        const handed = new Proxy({} as QueueTracker, {
          get: (_target, name) => {
            const value: unknown = Reflect.get(now, name, now);
            return typeof value === 'function' ? (value as () => unknown).bind(now) : value;
          },
        });
        const told = play(events, handed, (index, at) => {
          disk.save(now);
          if (index === cut) now = disk.next(at);
          return [];
        });
        const seen = (messages: readonly QueueMessage[]): string[] =>
          messages.map((one) => JSON.stringify({ ...one.payload, line: undefined })).sort();
        // The number that somebody dialled who was not yet in a queue is not heard again.
        assert.deepEqual(seen(ofCalls(told)), seen(whole), `cut before ${events[cut]!.event.name} (${cut})`);
      }
    });
  }

  it('end with the lists what ended meanwhile, and tell who joined', () => {
    const before = newQueueTracker();
    before.resync({ status: MEMBERS }, 0, 1000);
    before.apply(inQueue('QueueCallerJoin'), 100_000);
    before.apply(inQueue('AgentCalled', AGENT), 102_000);
    before.apply(inQueue('AgentConnect', AGENT), 105_000);
    before.apply(inQueue('QueueCallerJoin', { Uniqueid: '1.5', Linkedid: '1.5' }), 106_000);
    const disk = new Disk();
    disk.save(before);
    const tracker = disk.next(107_000);
    assert.deepEqual([tracker.stats.waiting, tracker.stats.talking], [1, 1]);
    const entry = amiEvent('QueueEntry', { ...CALLER, Queue: 'support', Uniqueid: '1.9', Wait: '5', Position: '1' });
    const told = tracker.resync({ status: [...MEMBERS, entry], channels: [] }, 200_000, 201_000);
    assert.deepEqual(
      told.map(({ topic, payload }) => [topic, payload.reconciled, 'callId' in payload && payload.callId]),
      [
        ['agent-hangup', true, '1.1'],
        ['agent_change', true, false],
        ['queue-hangup', true, '1.5'],
        ['queue-dial', true, '1.1'],
      ],
    );
    tracker.tick(300_000);
    disk.save(tracker);
    assert.deepEqual(
      [...disk.rows.keys()].filter((key) => !key.includes('\n')),
      ['1.9'],
    );
  });

  it('tell who logged out, took a pause or hung up meanwhile', () => {
    const row = (queue: string, more: Readonly<Record<string, string>>) =>
      amiEvent('QueueMember', { Queue: queue, Location: 'PJSIP/101', Name: 'Anna', Paused: '0', Status: '1', ...more });
    const before = newQueueTracker();
    before.resync({ status: [row('support', { Status: '2' }), row('sales', {})] }, 0, 1000);
    before.apply(amiEvent('QueueMemberAdded', { Queue: 'vip', Interface: 'PJSIP/102', Paused: '0' }), 2000);
    const disk = new Disk();
    disk.save(before);
    const tracker = newQueueTracker();
    assert.deepEqual(tracker.restore([...disk.rows.values()], 10_000), { unreadable: 0 });
    const told = tracker.resync({ status: [row('support', { Paused: '1', PausedReason: 'Lunch' })] }, 60_000, 61_000);
    assert.deepEqual(
      told.map(({ payload }) =>
        'change' in payload
          ? [payload.agent.phone, payload.queue?.id, payload.change, payload.reason, payload.reconciled]
          : [],
      ),
      [
        ['101', 'support', 'paused', 'Lunch', true],
        ['101', undefined, 'idle', undefined, true],
        ['101', 'sales', 'logout', undefined, true],
        ['102', 'vip', 'logout', undefined, true],
      ],
    );
    disk.save(tracker);
    assert.deepEqual([...disk.rows.keys()], ['support\nPJSIP/101']);
    assert.deepEqual(
      tracker.resync({ status: [row('support', { Paused: '1', PausedReason: 'Lunch' })] }, 70_000, 71_000),
      [],
    );
  });

  it('go to disk when they change, not when a list has them again', () => {
    const tracker = newQueueTracker();
    tracker.resync({ status: MEMBERS }, 0, 1000);
    tracker.apply(inQueue('QueueCallerJoin'), 2000);
    assert.equal(tracker.takeChanges().changed.length, MEMBERS.length + 1);
    const entry = amiEvent('QueueEntry', { ...CALLER, Queue: 'support', Wait: '60', Position: '1' });
    tracker.resync({ status: [...MEMBERS, entry] }, 61_000, 62_000);
    assert.deepEqual(tracker.takeChanges(), { changed: [], forgotten: [] });
  });

  it('have a bound: members beyond it are left out, and counted', () => {
    const before = newQueueTracker();
    before.resync({ status: MEMBERS.slice(0, 1) }, 0, 1000);
    const [one] = before.takeChanges().changed;
    const saved = Array.from({ length: 20_002 }, (_, index) => ({
      callId: one!.callId.replaceAll('101', `7${index}`),
      state: one!.state.replaceAll('101', `7${index}`),
    }));
    const tracker = newQueueTracker();
    tracker.restore(saved, 2000);
    assert.deepEqual([tracker.stats.members, tracker.stats.overBound], [20_000, 2]);
  });

  it('count what they cannot read, and go on without it', () => {
    const tracker = newQueueTracker();
    const caller = { id: '3', callId: '3', direction: 'in', seenAt: 1, counts: {}, talks: { a: {} } };
    const member = { queue: 'support', interface: 'PJSIP/101', stateInterface: '', phone: '101', paused: 1 };
    const half = JSON.stringify({ version: 1, member });
    const saved = [
      '',
      half,
      'null',
      '{"version":1}',
      '{"version":99,"caller":{}}',
      JSON.stringify({ version: 1, caller }),
    ];
    assert.deepEqual(
      tracker.restore(
        saved.map((state) => ({ callId: '3', state })),
        0,
      ),
      { unreadable: saved.length },
    );
    assert.equal(tracker.apply(inQueue('QueueCallerJoin'), 1).length, 1);
  });
});
