import assert from 'node:assert/strict';
import type { AmiMessage } from '../../../lib/ami/types';
import type { QueueMessage } from '../../../lib/messages/queues';
import { numberingPlan } from '../../../lib/phone';
import { whoseChannels } from '../../../lib/phone/interfaces';
import { createQueueTracker } from '../../../lib/queues';
import type { QueueTracker } from '../../../lib/queues/types';
import { amiEvent } from '../../support/ami-messages';
import { newQueueTracker } from './traces';

const SEAT = 'Local/anna@agents';
const member = (name: string, more: Readonly<Record<string, string>>): AmiMessage =>
  amiEvent(name, { Queue: 'support', MemberName: 'Anna', Status: '1', Paused: '0', ...more });

describe('agents of queues', () => {
  let tracker: QueueTracker;
  let told: QueueMessage[];
  const hear = (at: number, ...events: readonly AmiMessage[]): void => {
    for (const event of events) told.push(...tracker.apply(event, at));
  };
  const story = (): string[] =>
    told.map(({ topic, payload }) =>
      [topic, payload.agent?.phone, 'change' in payload ? payload.change : ''].join(' ').trim(),
    );

  beforeEach(() => {
    tracker = newQueueTracker();
    told = [];
  });

  it('are one person under one extension, however the endpoints of phones are called', () => {
    const numbers = numberingPlan({ country: 'RU' });
    const plan = { numbers, trunks: [], trunkContexts: [] };
    const named = (): QueueTracker =>
      createQueueTracker({ pbx: 'office', plan, whose: whoseChannels('PJSIP/phone-{extension}', numbers, []) });
    tracker = named();
    const seat = { Interface: 'PJSIP/phone-101' };
    hear(0, member('QueueMemberAdded', seat), member('QueueMemberPause', { ...seat, Paused: '1' }));
    const call = { Queue: 'support', Uniqueid: '1.1', ...seat, DestUniqueid: '1.2', DestCallerIDNum: '101' };
    hear(1000, amiEvent('AgentCalled', call), amiEvent('AgentConnect', call));
    assert.deepEqual(story(), [
      'agent_change 101 login',
      'agent_change 101 paused',
      'agent-dial 101',
      'queue-hangup',
      'agent-answer 101',
      'agent_change 101 busy',
    ]);
    assert.deepEqual(
      tracker.placesOf('101').map(({ queue, paused }) => [queue, paused]),
      [['support', true]],
    );

    const before = newQueueTracker();
    before.apply(member('QueueMemberAdded', seat), 0);
    tracker = named();
    tracker.restore(before.takeChanges().changed, 5000);
    assert.equal(tracker.placesOf('101').length, 1, 'kept under the name of the endpoint, before the settings said it');
  });

  it('have the phone that they sit at today, not that of yesterday', () => {
    const at = (phone: string) => ({ Interface: SEAT, StateInterface: `PJSIP/${phone}` });
    hear(0, member('QueueMemberAdded', at('101')), member('QueueMemberRemoved', at('101')));
    hear(1000, member('QueueMemberAdded', at('105')));
    hear(2000, amiEvent('AgentCalled', { Queue: 'support', Uniqueid: '1.1', Interface: SEAT, DestUniqueid: '1.2' }));
    assert.deepEqual(story(), [
      'agent_change 101 login',
      'agent_change 101 logout',
      'agent_change 105 login',
      'agent-dial 105',
    ]);
  });

  it('who changed places while nothing was heard are out at the one and in at the other', () => {
    const row = (phone: string): AmiMessage =>
      member('QueueMember', { Location: SEAT, Name: 'Anna', StateInterface: `PJSIP/${phone}` });
    tracker.resync({ status: [row('101')] }, 0, 1000);
    told.push(...tracker.resync({ status: [row('105')] }, 60_000, 61_000));
    assert.deepEqual(story(), ['agent_change 101 logout', 'agent_change 105 login']);
  });

  it('are in a queue once, whatever number of interfaces they are in it by', () => {
    const [one, other] = [{ Interface: 'PJSIP/101' }, { Interface: 'Local/101@queue', StateInterface: 'PJSIP/101' }];
    hear(0, member('QueueMemberAdded', one), member('QueueMemberAdded', other));
    const [{ payload }] = told as [QueueMessage];
    assert.deepEqual('state' in payload && payload.state.queues, ['support']);
    hear(1000, member('QueueMemberRemoved', one));
    assert.deepEqual(story(), ['agent_change 101 login']);
    hear(2000, member('QueueMemberRemoved', other));
    assert.deepEqual(story(), ['agent_change 101 login', 'agent_change 101 logout']);
  });

  it('stay paused when an event says nothing of it', () => {
    hear(0, member('QueueMemberAdded', { Interface: 'PJSIP/101', Paused: '1', PausedReason: 'Lunch' }));
    hear(1000, amiEvent('QueueMemberStatus', { Queue: 'support', Interface: 'PJSIP/101', Status: '1' }));
    assert.deepEqual(story(), ['agent_change 101 login', 'agent_change 101 paused']);
  });
});
