import type { AgentChangePayload, QueueCallPayload } from '../messages/queues';
import { QUEUE_TOPICS } from '../messages/queues';
import { storeError } from '../store/errors';
import type { QueueFact, QueueOutcome } from '../store/types';
import { QUEUE_OUTCOMES } from '../store/types';

/** What is read of an event; a flow may have left things out. */
type Payload = Partial<QueueCallPayload> & Partial<Pick<AgentChangePayload, 'change'>>;

/** The changes of which a time of work or of a pause is made. */
const STATES: readonly unknown[] = ['login', 'logout', 'paused', 'unpaused'];

/** Whether a message is an event of queues and agents. */
export const isQueueTopic = (topic: unknown): boolean => (QUEUE_TOPICS as readonly unknown[]).includes(topic);

/** Whole seconds that a flow may have written as text. */
const secondsOf = (value: unknown): number => {
  const seconds = Math.round(Number(value ?? 0));
  return Number.isFinite(seconds) && seconds > 0 ? seconds : 0;
};

const outcomeOf = (reason: unknown): QueueOutcome => QUEUE_OUTCOMES.find((known) => known === reason) ?? 'other';

type What = Pick<QueueFact, 'kind' | 'outcome' | 'seconds' | 'wait'>;

/** Each event tells by itself of something that is over. */
function whatOf(topic: unknown, payload: Payload): What | undefined {
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
 * come does not matter, and one that comes again changes nothing. Throws `STORE_BAD_VALUE`: an event may come from a flow.
 */
export function queueFactOf({ topic, payload }: { topic?: unknown; payload?: unknown }): QueueFact | undefined {
  if (!isQueueTopic(topic)) return undefined;
  if (typeof payload !== 'object' || payload === null) throw storeError('STORE_BAD_VALUE', { what: 'payload' });
  const { eventId, pbx, at = '', queue, agent, ...rest }: Payload = payload;
  const what = whatOf(topic, rest);
  if (!what) return undefined;
  const happened = Date.parse(at);
  if (Number.isNaN(happened)) throw storeError('STORE_BAD_VALUE', { what: 'at' });
  if (eventId === undefined) throw storeError('STORE_BAD_VALUE', { what: 'eventId' });
  if (pbx === undefined) throw storeError('STORE_BAD_VALUE', { what: 'pbx' });
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
