import type { AgentChangePayload, QueueCallPayload, QueueMessage } from '../messages/queues';
import { QUEUE_TOPICS } from '../messages/queues';
import { storeError } from '../store/errors';
import type { QueueFact, QueueOutcome } from '../store/types';
import { QUEUE_OUTCOMES } from '../store/types';

/** What is read of an event; a flow may have left things out. */
type Payload = Pick<QueueCallPayload, 'eventId' | 'pbx'> &
  Partial<QueueCallPayload & Pick<AgentChangePayload, 'change'>>;

/** The changes of which a time of work or of a pause is made. */
const STATES: readonly unknown[] = ['login', 'logout', 'paused', 'unpaused'];

/** Whether a message is an event of queues and agents. */
export const isQueueTopic = (topic: unknown): topic is QueueMessage['topic'] =>
  (QUEUE_TOPICS as readonly unknown[]).includes(topic);

const secondsOf = (value: number | undefined): number => Math.round(value ?? 0);

const outcomeOf = (reason: unknown): QueueOutcome => QUEUE_OUTCOMES.find((known) => known === reason) ?? 'other';

type What = Pick<QueueFact, 'kind' | 'outcome' | 'seconds' | 'wait'>;

/** Each event tells by itself of something that is over. */
function whatOf(topic: unknown, payload: Partial<Payload>): What | undefined {
  const { waitSeconds, ringSeconds, talkSeconds, reason, change } = payload;
  const talk = secondsOf(talkSeconds);
  switch (topic) {
    case 'queue-hangup':
      return { kind: 'stay', outcome: outcomeOf(reason), seconds: secondsOf(waitSeconds) };
    case 'agent-answer': {
      const wait = waitSeconds === undefined ? {} : { wait: secondsOf(waitSeconds) };
      return { kind: 'ring', outcome: 'answered', seconds: secondsOf(ringSeconds), ...wait };
    }
    case 'agent-cancel':
      return { kind: 'ring', outcome: outcomeOf(reason), seconds: secondsOf(ringSeconds) };
    case 'agent-hangup':
      return { kind: 'talk', outcome: 'answered', seconds: talk };
    case 'agent-dialout-hangup':
      // Whoever rings off at once has talked for no whole second.
      return { kind: 'dialout', outcome: talk > 0 || reason === 'answered' ? 'answered' : 'no-answer', seconds: talk };
    case 'agent_change':
      return STATES.includes(change) ? { kind: 'state', outcome: outcomeOf(change), seconds: 0 } : undefined;
    default:
      return undefined;
  }
}

/**
 * What the statistics keep of an event; `undefined`: nothing (that a call joined, that an agent is busy …). The order in which events
 * come does not matter, and one that comes again changes nothing. Throws `STORE_BAD_VALUE` when a flow left out of its event what the
 * fact needs.
 */
export function queueFactOf({ topic, payload }: QueueMessage): QueueFact | undefined {
  const told: Payload = payload;
  const { eventId, pbx, at = '', queue, agent, ...rest } = told;
  const what = whatOf(topic, rest);
  if (!what) return undefined;
  const happened = Date.parse(at);
  if (Number.isNaN(happened)) throw storeError('STORE_BAD_VALUE', { what: 'at' });
  const phone = agent?.phone ?? agent?.id;
  if (phone === undefined && what.kind !== 'stay') throw storeError('STORE_BAD_VALUE', { what: 'agent.phone' });
  return {
    eventId,
    pbx,
    ...what,
    at: happened - what.seconds * 1000,
    ...(queue?.id === undefined ? {} : { queue: queue.id }),
    ...(phone === undefined ? {} : { agent: phone }),
    ...(agent?.name ? { agentName: agent.name } : {}),
  };
}
