import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { QueueCallPayload, QueueMessage } from '../../../lib/messages/queues';
import { line24Variables } from '../../../lib/messages/line24';
import { amiEvent } from '../../support/ami-messages';
import { recordings } from '../calls/expected';
import { eventsOf } from '../calls/traces';
import { STORIES } from './stories';
import { MEMBERS, newQueueTracker, play } from './traces';

/** A tracker that knows the members before the recording begins. */
function replay(recording: string): QueueMessage[] {
  const events = eventsOf(recording);
  const tracker = newQueueTracker();
  const at = (events[0]?.at ?? 0) - 1000;
  tracker.resync({ status: MEMBERS }, at, at);
  return play(events, tracker);
}

const line = ({ topic, payload }: QueueMessage): string => {
  const what = 'change' in payload ? payload.change : topic === 'agent-custom' ? payload.dialled : undefined;
  const { queue, agent, reason } = payload;
  return [topic, queue?.id, agent?.phone, what, reason].filter((part) => part !== undefined).join(' ');
};
const isBusyOrIdle = ({ payload }: QueueMessage): boolean =>
  'change' in payload && (payload.change === 'busy' || payload.change === 'idle');
const story = (messages: readonly QueueMessage[]): string[] =>
  messages.filter((message) => !isBusyOrIdle(message)).map(line);
const calls = (messages: readonly QueueMessage[]): (QueueCallPayload & { topic: string })[] =>
  messages.flatMap((one) => (one.topic === 'agent_change' ? [] : [{ topic: one.topic, ...one.payload }]));

/** What holds for whatever is heard. */
function assertSound(messages: readonly QueueMessage[], when: string): void {
  const ids = messages.map(({ payload }) => payload.eventId);
  assert.equal(new Set(ids).size, ids.length, `${when}: an eventId twice`);
  const state = new Map<string, string>();
  for (const { topic, payload } of messages) {
    if ('change' in payload) {
      if (payload.change !== 'busy' && payload.change !== 'idle') continue;
      assert.notEqual(state.get(payload.extension) ?? 'idle', payload.change, `${when}: ${payload.change} twice`);
      state.set(payload.extension, payload.change);
    } else if (topic === 'agent-answer' || topic === 'agent-cancel') {
      const key = `closed ${payload.legId ?? ''}`;
      assert.equal(state.get(key), undefined, `${when}: ${topic} after ${state.get(key) ?? ''}`);
      state.set(key, topic);
    }
  }
}

describe('the recorded queues', () => {
  for (const [recording, expected] of Object.entries(STORIES)) {
    it(recording, () => assert.deepEqual(story(replay(recording)), expected));
  }

  it('have all been worked out', () => {
    const queues = recordings.filter((name) => name.includes('queue'));
    assert.deepEqual(
      queues.filter((name) => !(name in STORIES)),
      [],
    );
  });

  it('close every call of an agent once, and tell nothing twice', () => {
    for (const recording of recordings) {
      const told = replay(recording);
      assertSound(told, recording);
      const dialled = calls(told).filter(({ topic }) => topic === 'agent-dial');
      const closed = calls(told).filter(({ topic }) => topic === 'agent-answer' || topic === 'agent-cancel');
      assert.deepEqual(closed.map(({ legId }) => legId).sort(), dialled.map(({ legId }) => legId).sort(), recording);
      const count = (topic: string): number => calls(told).filter((one) => one.topic === topic).length;
      assert.equal(count('agent-answer'), count('agent-hangup'), recording);
      assert.equal(count('queue-dial'), count('queue-hangup'), recording);
    }
  });

  it('are the same when they are heard a second time', () => {
    for (const recording of Object.keys(STORIES)) assert.deepEqual(replay(recording), replay(recording));
  });

  it('tell busy and idle once for an agent, not for each of his queues', () => {
    const told = replay('queue-answered-caller-hangs-up').filter(isBusyOrIdle);
    assert.deepEqual(told.map(line), ['agent_change 101 busy', 'agent_change 101 idle']);
    assert.deepEqual('state' in told[0]!.payload && told[0]!.payload.state, {
      queues: ['support', 'nap'],
      pausedIn: [],
      busy: true,
    });
  });

  it('tell the busy agent also when his Local channel has no device behind it', () => {
    const events = eventsOf('queue-local-member-optimized').filter(({ event }) => event.name !== 'QueueMemberStatus');
    const told = play(events).filter(isBusyOrIdle);
    assert.deepEqual(told.map(line), ['agent_change 103 busy', 'agent_change 103 idle']);
  });

  it('carry the variables of the document', () => {
    const told = replay('queue-agent-back-to-queue');
    const last = told.filter(({ topic }) => topic === 'agent-hangup').at(-1)!;
    assert.ok('client' in last.payload && last.payload.client);
    const region = { country: 'RU', name: 'Москва', timeZone: 'Europe/Moscow' };
    const known = { ...last.payload, client: { ...last.payload.client, region } };
    assert.deepEqual(line24Variables({ ...last, payload: known } as QueueMessage), {
      callerid: '79261112233',
      directid: '74951000200',
      region_name: 'Москва',
      region_time: last.payload.at.replace(/.*T(\d\d):(\d\d).*/, (_all, hour: string, minute: string) =>
        `${(Number(hour) + 3) % 24}:${minute}`.padStart(5, '0'),
      ),
      queue_id: 'support',
      queue_name: 'support',
      uniqueid: '1795237317.124',
      agent_id: '102',
      agent_phone: '102',
      agent_name: 'Agent Two',
      agent_info: '',
      call_info: '',
      event: 'agent-hangup',
      transfer_uniqueid: '1795237317.124',
      transfer_queue_id: 'support',
      dialed_number: '',
      hold_time: '0',
      ring_time: '0',
      talk_time: '1',
      hangup_code: '16',
      reason: 'caller',
    });
    const paused = replay('queue-pause-unpause')[0]!;
    assert.deepEqual(line24Variables(paused), {
      event: 'agent_change',
      queue_id: 'support',
      agent_id: '101',
      agent_phone: '101',
      agent_name: 'Agent One',
      agent_info: '',
      change: 'paused',
      reason: 'Обед',
    });
  });

  it('carry what the dialplan says of the call and the agent', () => {
    const events = eventsOf('queue-answered-caller-hangs-up');
    const joins = events.findIndex(({ event }) => event.name === 'QueueCallerJoin');
    const { event, at } = events[joins]!;
    const set = (Variable: string, Value: string) => ({
      event: amiEvent('VarSet', { Uniqueid: event.get('Uniqueid') ?? '', Variable, Value }),
      at,
    });
    const told = play([
      ...events.slice(0, joins),
      set('__call_info', 'Иванов, VIP'),
      set('agent_info', 'anna@example.com'),
      ...events.slice(joins),
    ]);
    const answer = calls(told).find(({ topic }) => topic === 'agent-answer');
    assert.deepEqual([answer?.callInfo, answer?.agent?.info], ['Иванов, VIP', 'anna@example.com']);
  });

  it('stay sound whatever is missed', () => {
    const names = Object.keys(STORIES);
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.infiniteStream(fc.nat(9)), (recording, chance) => {
        const kept = eventsOf(recording).filter(() => chance.next().value !== 0);
        assertSound(play(kept), recording);
      }),
      { numRuns: 150 },
    );
  });

  it('end once whatever began, when events are missed or change places and lists come after', () => {
    const names = Object.keys(STORIES).filter((name) => name.includes('queue'));
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.infiniteStream(fc.nat(19)), (recording, chance) => {
        const heard = eventsOf(recording).filter(() => chance.next().value !== 0);
        heard.forEach(({ at }, index) => {
          const [one, next] = [heard[index]!, heard[index + 1]];
          // Of one channel the order holds.
          if (chance.next().value !== 0 || !next || one.event.get('Uniqueid') === next.event.get('Uniqueid')) return;
          [heard[index], heard[index + 1]] = [
            { ...next, at },
            { ...one, at: next.at },
          ];
        });
        const tracker = newQueueTracker();
        const told = play(heard, tracker);
        const end = (heard.at(-1)?.at ?? 0) + 60_000;
        tracker.linkLost(end);
        told.push(...tracker.resync({ status: MEMBERS, channels: [] }, end + 1000, end + 2000));
        told.push(...tracker.tick(end + 60_000));
        assertSound(told, recording);
        const ids = (...topics: string[]): string[] =>
          calls(told)
            .filter(({ topic }) => topics.includes(topic))
            .map(({ eventId }) => eventId.replace(/queue-hangup|agent-(answer|cancel|hangup|dial)/, ''));
        const [joined, left] = [ids('queue-dial').map((id) => id.replace('queue-dial', '')), ids('queue-hangup')];
        assert.deepEqual(
          joined.filter((id) => !left.includes(id)),
          [],
          `${recording}: stays without an end`,
        );
        const ends = ids('agent-answer', 'agent-cancel');
        assert.deepEqual(
          ids('agent-dial').filter((id) => !ends.includes(id)),
          [],
          `${recording}: phones that ring for ever`,
        );
        assert.deepEqual(
          ids('agent-answer').filter((id) => !ids('agent-hangup').includes(id)),
          [],
          `${recording}: talks without an end`,
        );
        assert.deepEqual({ ...tracker.stats, members: 0 }, { waiting: 0, talking: 0, members: 0, overBound: 0 });
        assert.equal(tracker.wakeAt, undefined);
      }),
      { numRuns: 100 },
    );
  });

  it('leave nothing behind', () => {
    for (const recording of recordings) {
      const tracker = newQueueTracker();
      play(eventsOf(recording), tracker);
      assert.deepEqual(
        { ...tracker.stats, members: 0 },
        { waiting: 0, talking: 0, members: 0, overBound: 0 },
        recording,
      );
      assert.equal(tracker.wakeAt, undefined);
    }
  });
});
