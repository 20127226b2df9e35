import { storeError } from '../store/errors';
import type { QueueFact, QueueOutcome } from '../store/types';
import { QUEUE_OUTCOMES } from '../store/types';

/** The events of which the statistics are made; each tells by itself of something that is over. */
const FACT_TOPICS = [
  'queue-hangup',
  'agent-answer',
  'agent-cancel',
  'agent-hangup',
  'agent-dialout-hangup',
  'agent_change',
] as const;
type QueueFactTopic = (typeof FACT_TOPICS)[number];

/** What is read of such an event; what else it carries is left alone. */
export interface QueueEvent {
  readonly topic: string;
  readonly payload: {
    readonly eventId: string;
    readonly pbx: string;
    readonly queue?: { readonly id: string };
    readonly agent?: { readonly phone?: string; readonly id?: string; readonly name?: string };
    /** ISO-8601: when it happened. */
    readonly at: string;
    readonly waitSeconds?: number;
    readonly ringSeconds?: number;
    readonly talkSeconds?: number;
    /** How a stay or a ringing ended. */
    readonly reason?: string;
    /** Of `agent_change`: login, logout, paused, unpaused. */
    readonly state?: string;
  };
}

const STATES: readonly string[] = ['login', 'logout', 'paused', 'unpaused'];
/** What else happens to queues and agents; nothing is kept of it. */
const OTHER_TOPICS: readonly unknown[] = ['queue-dial', 'agent-dial', 'agent-custom', 'agent-dialout-answer'];
const isTopic = (topic: unknown): topic is QueueFactTopic => (FACT_TOPICS as readonly unknown[]).includes(topic);

/** Whether a message is an event of queues and agents. */
export const isQueueTopic = (topic: unknown): boolean => isTopic(topic) || OTHER_TOPICS.includes(topic);

/** Whole seconds that a flow may have written as text. */
const secondsOf = (value: unknown): number => {
  const seconds = Math.round(Number(value ?? 0));
  return Number.isFinite(seconds) && seconds > 0 ? seconds : 0;
};

const outcomeOf = (reason: unknown): QueueOutcome => QUEUE_OUTCOMES.find((known) => known === reason) ?? 'other';

type What = Pick<QueueFact, 'kind' | 'outcome' | 'seconds' | 'wait'>;

function whatOf(topic: QueueFactTopic, payload: QueueEvent['payload']): What | undefined {
  const { waitSeconds, ringSeconds, talkSeconds, reason, state } = payload;
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
      return { kind: 'dialout', outcome: talk > 0 ? 'answered' : 'no-answer', seconds: talk };
    case 'agent_change':
      return STATES.includes(state ?? '') ? { kind: 'state', outcome: outcomeOf(state), seconds: 0 } : undefined;
  }
}

/**
 * What the statistics keep of an event; `undefined`: nothing (that a call joined, that an agent is busy …). The order in which events
 * come does not matter, and one that comes again changes nothing. Throws `STORE_BAD_VALUE`: an event may come from a flow.
 */
export function queueFactOf({ topic, payload }: { topic?: unknown; payload?: unknown }): QueueFact | undefined {
  if (!isTopic(topic)) return undefined;
  if (typeof payload !== 'object' || payload === null) throw storeError('STORE_BAD_VALUE', { what: 'payload' });
  const event = payload as QueueEvent['payload'];
  const what = whatOf(topic, event);
  if (!what) return undefined;
  const happened = Date.parse(event.at);
  if (Number.isNaN(happened)) throw storeError('STORE_BAD_VALUE', { what: 'at' });
  const agent = event.agent?.phone ?? event.agent?.id;
  if (agent === undefined && what.kind !== 'stay') throw storeError('STORE_BAD_VALUE', { what: 'agent.phone' });
  return {
    eventId: event.eventId,
    pbx: event.pbx,
    ...what,
    at: happened - what.seconds * 1000,
    ...(event.queue?.id === undefined ? {} : { queue: event.queue.id }),
    ...(agent === undefined ? {} : { agent }),
    ...(event.agent?.name ? { agentName: event.agent.name } : {}),
  };
}
