import assert from 'node:assert/strict';
import type { AmiMessage } from '../../../lib/ami/types';
import type { QueueMessage } from '../../../lib/messages/queues';
import type { CallMessage, CallPayload } from '../../../lib/messages/types';
import type { QueueTracker } from '../../../lib/queues/types';
import { amiEvent } from '../../support/ami-messages';
import { newQueueTracker } from './traces';

const CALLER = { Channel: 'PJSIP/trunk-1', Uniqueid: '1.1', Linkedid: '1.1', CallerIDNum: '79031112233' };
const AGENT = { Interface: 'PJSIP/101', MemberName: 'Anna', DestUniqueid: '1.2', DestChannel: 'PJSIP/101-2' };
const OTHER = { Interface: 'PJSIP/102', MemberName: 'Boris', DestUniqueid: '1.3', DestChannel: 'PJSIP/102-3' };

const of = (name: string, more: Readonly<Record<string, string>> = {}): AmiMessage =>
  amiEvent(name, { ...CALLER, Queue: 'support', Position: '1', ...more });
const dialEnd = (DialStatus: string): AmiMessage => amiEvent('DialEnd', { DestUniqueid: '1.2', DialStatus });

describe('callers in queues', () => {
  let tracker: QueueTracker;
  let told: QueueMessage[];
  const hear = (at: number, ...events: readonly AmiMessage[]): void => {
    for (const event of events) told.push(...tracker.apply(event, at));
  };
  const story = (): string[] =>
    told.flatMap(({ topic, payload }) =>
      'change' in payload
        ? []
        : [[topic, payload.queue?.id, payload.agent?.phone, payload.reason].filter(Boolean).join(' ')],
    );
  const payloadOf = (wanted: string) => {
    const found = told.find(({ topic }) => topic === wanted)?.payload;
    assert.ok(found && !('change' in found), wanted);
    return found;
  };

  beforeEach(() => {
    tracker = newQueueTracker();
    told = [];
  });

  it('whose agent hung up while he was told who calls wait on, and the agent is said to have declined', () => {
    hear(0, of('QueueCallerJoin'), of('AgentCalled', AGENT));
    hear(1000, dialEnd('ANSWER'), of('AgentDump', AGENT));
    hear(2000, of('AgentCalled', OTHER));
    hear(4000, of('AgentConnect', OTHER), of('AgentComplete', { ...OTHER, Reason: 'agent' }));
    assert.deepEqual(story(), [
      'queue-dial support',
      'agent-dial support 101',
      'agent-cancel support 101 declined',
      'agent-dial support 102',
      'queue-hangup support answered',
      'agent-answer support 102',
      'agent-hangup support 102 agent',
    ]);
  });

  describe('whom the queue gave out of its hands', () => {
    const phone = (
      topic: 'call_answer' | 'call_held' | 'call_active' | 'call_transfer' | 'call_hangup',
      more: Partial<CallPayload> = {},
    ): CallMessage => ({
      topic,
      payload: {
        ...{ eventId: topic, pbx: 'office', callId: '1.1', legId: '1.2', extension: '101' },
        ...{ direction: 'in', startedAt: '2026-01-01T00:00:00Z', ...more },
      },
    });
    const ends = (): (readonly unknown[])[] =>
      told.flatMap(({ topic, payload }) =>
        topic === 'agent-hangup' ? [[payload.reason, payload.talkSeconds, payload.hangup?.by]] : [],
      );
    beforeEach(() => {
      hear(0, of('QueueCallerJoin'), of('AgentCalled', AGENT), of('AgentConnect', AGENT));
      told.push(...tracker.applyCall(phone('call_answer'), 0));
      told = [];
    });

    it('talk on with the agent, until one of the two hangs up', () => {
      hear(5000, of('AgentComplete', { ...AGENT, Reason: 'agent' }));
      assert.deepEqual([ends(), tracker.stats.talking], [[], 1]);
      const hangup = { code: 16, text: 'Normal Clearing', by: 'client' } as const;
      told.push(
        ...tracker.applyCall(phone('call_hangup', { hangup, endedAt: new Date(60_000).toISOString() }), 60_000),
      );
      assert.deepEqual([ends(), tracker.stats.talking], [[['caller', 60, 'client']], 0]);
    });

    it('are not hung up by the agent, because he put them on hold just before they hung up', () => {
      hear(5000, of('AgentComplete', { ...AGENT, Reason: 'agent' }));
      told.push(...tracker.applyCall(phone('call_held'), 5100), ...tracker.applyCall(phone('call_active'), 5300));
      const hangup = { code: 16, text: 'Normal Clearing', by: 'client' } as const;
      told.push(...tracker.applyCall(phone('call_hangup', { hangup, endedAt: new Date(5500).toISOString() }), 5500));
      assert.deepEqual(ends(), [['caller', 6, 'client']]);
    });

    it('have left the agent when he handed them over, though the queue says so at their end only', () => {
      const transfer = { type: 'blind', from: '101', to: '102' } as const;
      told.push(...tracker.applyCall(phone('call_transfer', { transfer }), 7000));
      told.push(...tracker.applyCall(phone('call_hangup'), 7000));
      assert.deepEqual([ends(), tracker.stats.talking], [[['transfer', 7, 'extension']], 0]);
      hear(60_000, of('AgentComplete', { ...AGENT, Reason: 'caller' }));
      assert.equal(ends().length, 1);
    });

    it('end when the queue says so where the phone hangs up just then', () => {
      hear(5000, of('AgentComplete', { ...AGENT, Reason: 'caller' }));
      // The call itself was found after a cut of the link; this end of it was heard.
      const found = phone('call_hangup', { endedAt: new Date(5200).toISOString(), reconciled: true });
      told.push(...tracker.applyCall(found, 5200));
      assert.deepEqual(ends(), [['caller', 5, 'client']]);
      assert.equal(payloadOf('agent-hangup').reconciled, undefined);
    });
  });

  it('who left by a key to the voicemail have not given up when they hang up there', () => {
    hear(0, of('QueueCallerJoin'), of('AgentCalled', AGENT));
    hear(10_000, dialEnd('CANCEL'), of('QueueCallerLeave'));
    hear(11_500, amiEvent('HangupRequest', CALLER), amiEvent('Hangup', { ...CALLER, Cause: '16' }));
    const { reason, waitSeconds } = payloadOf('queue-hangup');
    assert.deepEqual([reason, waitSeconds], ['other', 10]);
    assert.equal(payloadOf('agent-cancel').reason, 'abandoned', 'the agent missed nothing');
  });

  it('who go on to another queue waited in the first one until they left it', () => {
    hear(0, of('QueueCallerJoin'));
    hear(10_000, of('QueueCallerLeave'));
    hear(12_600, of('QueueCallerJoin', { Queue: 'sales' }));
    assert.deepEqual(story(), ['queue-dial support', 'queue-hangup support other', 'queue-dial sales']);
    assert.equal(payloadOf('queue-hangup').waitSeconds, 10);
  });

  it('whose answer was missed were answered when the agent is done with them', () => {
    hear(0, of('QueueCallerJoin'), of('AgentCalled', AGENT));
    tracker.linkLost(5000);
    hear(60_000, of('AgentComplete', { ...AGENT, HoldTime: '10', TalkTime: '50', Reason: 'caller' }));
    assert.deepEqual(story(), [
      'queue-dial support',
      'agent-dial support 101',
      'queue-hangup support answered',
      'agent-answer support 101',
      'agent-hangup support 101 caller',
    ]);
    const { waitSeconds, talkSeconds } = payloadOf('agent-hangup');
    assert.deepEqual([waitSeconds, talkSeconds], [10, 50]);
    assert.deepEqual([payloadOf('queue-hangup').reconciled, payloadOf('agent-hangup').reconciled], [true, undefined]);
    assert.equal(tracker.stats.waiting + tracker.stats.talking, 0);
  });

  it('who are found to ring in another queue have left the one before', () => {
    hear(0, of('QueueCallerJoin'));
    hear(9000, of('AgentCalled', { ...AGENT, Queue: 'sales' }));
    assert.deepEqual(story(), ['queue-dial support', 'queue-hangup support other', 'agent-dial sales 101']);
  });

  for (const name of ['__proto__', 'constructor', 'toString', 'x'.repeat(300), 'a\r\nb, "c" \u{1F600}']) {
    it(`may be in a queue, and rung at an interface, of any name: ${JSON.stringify(name).slice(0, 20)}`, () => {
      const agent = { ...AGENT, Interface: name };
      const odd = (event: string, more = {}): AmiMessage => of(event, { Queue: name, ...more });
      const talk = [odd('AgentCalled', agent), odd('AgentConnect', agent), odd('AgentComplete', agent)];
      for (const at of [0, 10_000]) hear(at, odd('QueueCallerJoin'), ...talk);
      const before = tracker;
      tracker = newQueueTracker();
      assert.deepEqual(tracker.restore(before.takeChanges().changed, 10_000), { unreadable: 0 });
      hear(20_000, odd('QueueCallerJoin'), ...talk, amiEvent('Hangup', CALLER));
      const counts = ['queue-dial', 'queue-hangup', 'agent-dial', 'agent-answer', 'agent-hangup'].map(
        (topic) => told.filter((one) => one.topic === topic).length,
      );
      assert.deepEqual(counts, [3, 3, 3, 3, 3]);
      assert.deepEqual(
        told.flatMap(({ topic, payload }) => (topic === 'queue-dial' ? [payload.eventId.slice(-2)] : [])),
        [told[0]!.payload.eventId.slice(-2), ':2', ':3'],
      );
      assert.deepEqual(Object.keys(Object.prototype), []);
    });
  }
});
