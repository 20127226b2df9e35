import { QUEUE_TOPICS, type QueueMessage } from '../messages/queues';
import { extensionMatcher } from '../phone/extension-pattern';
import { chosen, queueMatcher } from './call-filter';

/** What a dialog holds; an empty list or text lets everything through. */
export interface QueueFilterOptions {
  readonly topics: readonly string[];
  /** Names of queues with commas, compared without case. */
  readonly queues: string;
  /** Extensions of agents, as Asterisk patterns and ranges: `1XX, 201-299`. */
  readonly agents: string;
}

/**
 * Compiles what stands in a dialog into "does this message pass?". The events of a caller (`queue-dial`, `queue-hangup`) pass
 * whichever agents are chosen. Of a choice of queues, `busy` and `idle` pass for whoever is logged in to one of them; an
 * agent's own call belongs to no queue, and passes for the same. Throws `PHONE_BAD_PLAN` for a pattern that cannot be.
 */
export function queueFilter(options: QueueFilterOptions): (message: QueueMessage) => boolean {
  const topics = chosen(QUEUE_TOPICS, options.topics);
  const isQueue = queueMatcher(options.queues);
  const isWanted = options.agents.trim() === '' ? undefined : extensionMatcher(options.agents);
  return ({ topic, payload }) => {
    if (!topics.has(topic)) return false;
    const { agent, queue } = payload;
    if (agent && isWanted && !isWanted(agent.phone)) return false;
    if (queue) return isQueue(queue.id);
    const queues = 'state' in payload ? payload.state.queues : (payload.agentQueues ?? []);
    return isQueue(undefined) || queues.some((id) => isQueue(id));
  };
}

/** A copy of the message for one flow: `user` and `agent.id` from the CRM's table, where the agent has a line there. */
export function queueForFlow(
  message: QueueMessage,
  userOf: (extension: string) => { readonly userId: string; readonly name?: string } | undefined,
): QueueMessage {
  const copy = structuredClone(message);
  const { agent } = copy.payload;
  const line = agent && userOf(agent.phone);
  if (!line) return copy;
  const user = { id: line.userId, ...(line.name === undefined ? {} : { name: line.name }) };
  return { ...copy, payload: { ...copy.payload, user, agent: { ...agent, id: line.userId } } } as QueueMessage;
}
