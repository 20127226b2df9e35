import assert from 'node:assert/strict';
import type { AmiMessage } from '../../../lib/ami/types';
import type { QueueMessage } from '../../../lib/messages/queues';
import type { CallPayload } from '../../../lib/messages/types';
import { queueFactOf } from '../../../lib/reports/facts';
import type { QueueTracker } from '../../../lib/queues/types';
import { amiEvent } from '../../support/ami-messages';
import { MEMBERS, newQueueTracker } from './traces';

const CALLER = {
  Channel: 'PJSIP/trunk-00000001',
  Context: 'from-trunk',
  CallerIDNum: '79031112233',
  Uniqueid: '1795203500.1',
  Linkedid: '1795203500.1',
  Exten: '74951000200',
};
const AGENT = { Interface: 'PJSIP/101', MemberName: 'Agent One', DestUniqueid: '1795203501.2' };
const inQueue = (name: string, more: Record<string, string> = {}): AmiMessage =>
  amiEvent(name, { ...CALLER, Queue: 'support', ...more });
const waits = (seconds: number): AmiMessage => inQueue('QueueEntry', { Wait: String(seconds), Position: '1' });

describe('queues compared with the lists of the PBX', () => {
  let tracker: QueueTracker;
  const names = (told: readonly QueueMessage[]): string[] =>
    told.map(({ topic, payload }) => {
      const found = payload.reconciled ? 'found' : '';
      return [topic, 'change' in payload ? payload.change : payload.reason, found].filter(Boolean).join(' ');
    });
  const lists = (at: number, status: readonly AmiMessage[], channels?: readonly AmiMessage[]): string[] =>
    names(tracker.resync({ status, ...(channels ? { channels } : {}) }, at, at + 1000));

  beforeEach(() => (tracker = newQueueTracker()));

  it('tell nothing of how things were before, and go on from there', () => {
    assert.deepEqual(lists(100_000, [...MEMBERS, waits(30)]), []);
    assert.equal(tracker.stats.waiting, 1);
    tracker.apply(amiEvent('HangupRequest', CALLER), 102_000);
    tracker.apply(inQueue('QueueCallerAbandon'), 102_000);
    assert.deepEqual(names(tracker.apply(inQueue('QueueCallerLeave'), 102_000)), ['queue-hangup abandoned']);
  });

  it('tell a caller who is found and then heard of once', () => {
    lists(100_000, MEMBERS);
    tracker.linkLost(110_000);
    assert.deepEqual(lists(120_000, [...MEMBERS, waits(3)]), ['queue-dial found']);
    assert.deepEqual(names(tracker.apply(inQueue('QueueCallerJoin'), 121_001)), []);
    assert.deepEqual(lists(180_000, [...MEMBERS, waits(63)]), []);
  });

  it('end what is gone, without a word of why', () => {
    lists(100_000, MEMBERS);
    tracker.apply(inQueue('QueueCallerJoin'), 101_000);
    tracker.apply(inQueue('AgentCalled', AGENT), 102_000);
    tracker.linkLost(103_000);
    assert.deepEqual(lists(120_000, MEMBERS, []), ['queue-hangup other found', 'agent-cancel unknown found']);
    assert.deepEqual(lists(180_000, MEMBERS, []), []);
  });

  it('end a conversation by the state of the phone when the channels may not be seen', () => {
    lists(100_000, MEMBERS);
    for (const event of [inQueue('QueueCallerJoin'), inQueue('AgentCalled', AGENT), inQueue('AgentConnect', AGENT)])
      tracker.apply(event, 101_000);
    tracker.linkLost(103_000);
    assert.deepEqual(lists(120_000, MEMBERS), ['agent-hangup unknown found', 'agent_change idle found']);
    assert.equal(tracker.stats.talking, 0);
  });

  describe('over an outage of eight hours', () => {
    const HOURS = 8 * 60 * 60 * 1000;
    const AT = Date.UTC(2026, 10, 21, 9);
    const facts = (told: readonly QueueMessage[]) =>
      told.flatMap((message) => {
        const fact = queueFactOf(message);
        return fact && fact.kind !== 'state' ? [[fact.kind, fact.seconds, fact.at - AT, fact.outcome]] : [];
      });
    const found = (channels?: readonly AmiMessage[]) =>
      facts(tracker.resync({ status: MEMBERS, ...(channels ? { channels } : {}) }, AT + HOURS, AT + HOURS + 1000));

    beforeEach(() => {
      lists(AT - 60_000, MEMBERS, []);
      tracker.apply(inQueue('QueueCallerJoin'), AT);
      tracker.apply(inQueue('AgentCalled', AGENT), AT + 4000);
    });

    for (const channels of [[], undefined]) {
      const seeing = channels ? 'with' : 'without';
      it(`nobody talks through it: the statistics keep what is known, ${seeing} a list of channels`, () => {
        tracker.apply(inQueue('AgentConnect', AGENT), AT + 10_000);
        tracker.linkLost(AT + 17_000);
        assert.deepEqual(found(channels), [['talk', 7, 10_000, 'answered']]);
      });
    }

    it('nobody waits or rings through it', () => {
      tracker.linkLost(AT + 9000);
      assert.deepEqual(found([]), [
        ['stay', 9, 0, 'other'],
        ['ring', 5, 4000, 'other'],
      ]);
    });

    it('no call of an agent lasts through it', () => {
      const call = {
        eventId: 'x',
        pbx: 'office',
        callId: '1.7',
        legId: '1.7',
        direction: 'out',
        extension: '101',
        startedAt: new Date(AT).toISOString(),
      } as CallPayload;
      const [dialled, answered] = [AT, AT + 3000].map((at) => new Date(at).toISOString());
      tracker.applyCall({ topic: 'call_ringing', payload: call }, AT);
      const trunk = { DestChannel: 'PJSIP/provider-1', DestUniqueid: '1.8', DestLinkedid: '1.7' };
      tracker.apply(amiEvent('DialBegin', { ...trunk, DestContext: 'from-trunk' }), AT);
      tracker.applyCall({ topic: 'call_answer', payload: { ...call, answeredAt: answered! } }, AT + 3000);
      tracker.linkLost(AT + 60_000);
      const over = { reconciled: true, result: 'answered', talkSeconds: HOURS / 1000 } as const;
      const endedAt = new Date(AT + HOURS).toISOString();
      const payload = { ...call, startedAt: dialled!, answeredAt: answered!, endedAt, ...over };
      const told = tracker.applyCall({ topic: 'call_hangup', payload }, AT + HOURS);
      assert.deepEqual(facts(told), [['dialout', 57, 3000, 'answered']]);
    });
  });

  it('forget whoever has neither a place in a queue nor a conversation, also when the channels may not be seen', () => {
    const hour = 60 * 60 * 1000;
    lists(0, MEMBERS);
    tracker.apply(inQueue('QueueCallerJoin'), 1000);
    tracker.apply(inQueue('QueueCallerJoin', { Uniqueid: '1.5', Linkedid: '1.5' }), 1000);
    tracker.apply(inQueue('QueueCallerLeave'), 2000);
    const waiting = inQueue('QueueEntry', { Uniqueid: '1.5', Linkedid: '1.5', Wait: '1', Position: '1' });
    const kept = (at: number): readonly string[] => {
      lists(at, [...MEMBERS, waiting]);
      tracker.tick(at + 10_000);
      return tracker.takeChanges().forgotten.filter((id) => !id.includes('\n'));
    };
    assert.deepEqual(kept(hour), [], 'he may yet come back');
    assert.deepEqual(kept(5 * hour), [CALLER.Uniqueid]);
    assert.equal(tracker.stats.waiting, 1, 'who waits stays');
  });

  it('end a conversation that nothing tells of any more', () => {
    lists(0, []);
    for (const event of [inQueue('QueueCallerJoin'), inQueue('AgentCalled', AGENT), inQueue('AgentConnect', AGENT)])
      tracker.apply(event, 1000);
    const hour = 60 * 60 * 1000;
    assert.deepEqual(lists(hour, []), []);
    assert.deepEqual(lists(5 * hour, []), ['agent-hangup unknown found', 'agent_change idle found']);
    assert.equal(tracker.stats.talking, 0);
  });

  it('let a conversation go on while the agent asks a colleague, and end it when his phone is gone', () => {
    lists(100_000, MEMBERS);
    for (const event of [inQueue('QueueCallerJoin'), inQueue('AgentCalled', AGENT), inQueue('AgentConnect', AGENT)])
      tracker.apply(event, 101_000);
    const channel = (Channel: string, Uniqueid: string, BridgeId: string, Linkedid = CALLER.Linkedid): AmiMessage =>
      amiEvent('CoreShowChannel', { Channel, Uniqueid, BridgeId, Linkedid, Context: 'x' });
    const client = channel(CALLER.Channel, CALLER.Uniqueid, 'one');
    const colleague = channel('PJSIP/102-00000005', '1795203580.5', 'two');
    assert.deepEqual(
      lists(160_000, MEMBERS, [client, channel('PJSIP/101-00000002', AGENT.DestUniqueid, 'two'), colleague]),
      [],
    );
    // The Local channel by which he was called is optimised away.
    assert.deepEqual(lists(220_000, MEMBERS, [client, channel('PJSIP/101-00000003', '1.8', 'two'), colleague]), []);
    const another = channel('PJSIP/101-00000009', '1.9', 'two', '1.9');
    assert.deepEqual(lists(280_000, MEMBERS, [client, another, colleague]), [
      'agent-hangup unknown found',
      'agent_change idle found',
    ]);
  });

  it('leave what was heard since they were asked for', () => {
    lists(100_000, MEMBERS);
    tracker.linkLost(103_000);
    tracker.apply(inQueue('QueueCallerJoin'), 120_500);
    tracker.apply(amiEvent('QueueMemberPause', { Queue: 'support', Interface: 'PJSIP/101', Paused: '1' }), 120_500);
    assert.deepEqual(lists(120_000, MEMBERS, []), []);
  });

  it('have a bound: beyond it callers are left out, and counted', () => {
    for (let index = 0; index < 20_002; index += 1)
      tracker.apply(inQueue('QueueCallerJoin', { Uniqueid: `1.${index}`, Linkedid: `1.${index}` }), index);
    assert.deepEqual([tracker.stats.waiting, tracker.stats.overBound], [20_000, 2]);
  });
});
