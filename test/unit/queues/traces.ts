import { createQueueTracker } from '../../../lib/queues';
import type { QueueTracker } from '../../../lib/queues/types';
import type { QueueMessage } from '../../../lib/messages/queues';
import { numberingPlan } from '../../../lib/phone';
import { amiEvent } from '../../support/ami-messages';
import { newTracker, type Timed } from '../calls/traces';

export const newQueueTracker = (): QueueTracker =>
  createQueueTracker({
    pbx: 'office',
    plan: { numbers: numberingPlan({ country: 'RU' }), trunks: [], trunkContexts: [] },
  });

/** What is told of queues, with the life of calls beside it as in a PBX. `each`: called before every event. */
export function play(
  events: readonly Timed[],
  tracker = newQueueTracker(),
  each: (index: number, at: number) => readonly QueueMessage[] = () => [],
): QueueMessage[] {
  const calls = newTracker();
  const told: QueueMessage[] = [];
  const letRun = (until: number): void => {
    for (;;) {
      const next = Math.min(calls.wakeAt ?? Infinity, tracker.wakeAt ?? Infinity);
      if (next > until || next === Infinity) return;
      for (const message of calls.tick(next)) told.push(...tracker.applyCall(message, next));
      told.push(...tracker.tick(next));
    }
  };
  events.forEach(({ event, at }, index) => {
    letRun(at);
    told.push(...each(index, at));
    for (const message of calls.apply(event, at)) told.push(...tracker.applyCall(message, at));
    told.push(...tracker.apply(event, at));
  });
  letRun(Infinity);
  return told;
}

const member = (queue: string, location: string, name: string, stateInterface: string) =>
  amiEvent('QueueMember', {
    Queue: queue,
    Name: name,
    Location: location,
    StateInterface: stateInterface,
    Status: '1',
    Paused: '0',
  });

/** What `QueueStatus` lists when nobody waits and all agents are free. */
export const MEMBERS = [
  member('support', 'PJSIP/101', 'Agent One', 'PJSIP/101'),
  member('support', 'PJSIP/102', 'Agent Two', 'PJSIP/102'),
  member('nap', 'PJSIP/101', 'Agent One', 'PJSIP/101'),
  member('sales', 'Local/103@from-queue/n', 'Agent Three', 'PJSIP/103'),
];
