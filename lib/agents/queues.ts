import { parseAgentOrder } from '../control/order';
import type { AgentOrder } from '../control/types';
import type { QueuePlace } from '../queues/types';
import { agentError } from './errors';

/** What agents may do with queues at the page. */
export interface QueueRules {
  /** Those that they may join and leave; empty: all that the PBX has. */
  readonly allowed: readonly string[];
  /** Reasons for a pause to choose from; with none, and without one of his own, a pause has no reason. */
  readonly reasons: readonly string[];
  /** An agent may write another reason. */
  readonly freeReason: boolean;
}

/** What the PBX says of its queues. */
export interface QueueMembers {
  readonly queues: readonly string[];
  placesOf(extension: string): readonly QueuePlace[];
}

/** A queue as the page shows it to one agent. */
export interface DeskQueue {
  readonly id: string;
  readonly joined: boolean;
  /** What he may do now; `none`: he is a fixed member, or the settings do not name this queue. */
  readonly may: 'join' | 'leave' | 'none';
  readonly paused: boolean;
  readonly reason?: string;
  readonly pausedAt?: string;
}

const MAX_REASON = 80;
/** Queues that a page shows; a PBX with more needs a choice in the settings. */
const MAX_SHOWN = 100;

/** Where he is, and where he may go. */
export function queuesFor(extension: string, members: QueueMembers, rules: QueueRules): readonly DeskQueue[] {
  const places = new Map(members.placesOf(extension).map((place) => [place.queue, place]));
  const open = members.queues.filter((queue) => mayUse(queue, rules));
  return [...new Set([...places.keys(), ...open])]
    .slice(0, MAX_SHOWN)
    .sort((one, other) => one.localeCompare(other, undefined, { numeric: true }))
    .map((id) => shown(id, places.get(id), mayUse(id, rules)));
}

function shown(id: string, place: QueuePlace | undefined, isAllowed: boolean): DeskQueue {
  if (!place) return { id, joined: false, may: 'join', paused: false };
  const { isDynamic, paused, reason, pausedAt } = place;
  return {
    id,
    joined: true,
    may: isDynamic && isAllowed ? 'leave' : 'none',
    paused,
    ...(paused && reason !== '' ? { reason } : {}),
    ...(pausedAt === undefined ? {} : { pausedAt: new Date(pausedAt * 1000).toISOString() }),
  };
}

/**
 * What an agent asked for as an order on himself, and on nobody else; `undefined`: it is no order on queues. With `all` in the place of a queue
 * he joins, or leaves, each one that {@link queuesFor} says he may. Throws `AGENT_QUEUE_NOT_ALLOWED`, `AGENT_BAD_REASON` or
 * `CONTROL_BAD_ORDER`.
 */
export function queueOrder(
  extension: string,
  asked: Readonly<Record<string, unknown>>,
  rules: QueueRules,
  { name, members }: { readonly name?: string | undefined; readonly members?: QueueMembers | undefined },
): AgentOrder | undefined {
  const { action, queue, all, reason } = asked;
  const open = all === true && members ? openFor(action, extension, members, rules) : undefined;
  const own = { action, extension, reason, ...(name === undefined ? {} : { name }) };
  const order = parseAgentOrder({ ...own, queue: open ? open[0] : queue });
  if (!order) return undefined;
  if (order.action === 'pause' || order.action === 'unpause') {
    if (order.action === 'pause') mustBeReason(order.reason, rules);
    // A pause is a person's: he is not there for one queue and away for the other.
    return { ...order, queues: [] };
  }
  // More than somebody outside may name: the list is the PBX's own.
  if (open) return { ...order, queues: open };
  const other = order.queues.find((one) => !mayUse(one, rules));
  if (other !== undefined || order.queues.length === 0)
    throw agentError('AGENT_QUEUE_NOT_ALLOWED', { queue: other ?? '—' });
  return order;
}

/** The queues that an agent may join now, or leave. */
function openFor(
  action: unknown,
  extension: string,
  members: QueueMembers,
  rules: QueueRules,
): readonly string[] | undefined {
  const may = action === 'queue-login' ? 'join' : action === 'queue-logout' ? 'leave' : undefined;
  if (may === undefined) return undefined;
  const open = queuesFor(extension, members, rules).filter((one) => one.may === may);
  if (open.length === 0) throw agentError('AGENT_QUEUE_NOT_ALLOWED', { queue: '—' });
  return open.map(({ id }) => id);
}

const mayUse = (queue: string, { allowed }: QueueRules): boolean => allowed.length === 0 || allowed.includes(queue);

function mustBeReason(reason: string | undefined, { reasons, freeReason }: QueueRules): void {
  const isFine =
    reason === undefined
      ? reasons.length === 0
      : reasons.includes(reason) || (freeReason && reason.length <= MAX_REASON);
  if (!isFine) throw agentError('AGENT_BAD_REASON', { limit: MAX_REASON });
}
