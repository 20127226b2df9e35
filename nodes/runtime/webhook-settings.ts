import type { NodeDef } from 'node-red';
import type { DeliverableEvent } from '../../lib/crm/types';
import { isDeliverableTopic } from '../../lib/messages/parse';
import { nodeError } from './errors';
import { textOf } from './settings';

/** The dialog of `crm-webhook-out` as it is saved; whatever a person or an old flow left out is absent. */
export interface WebhookDef extends NodeDef {
  readonly crm?: string;
  readonly store?: string;
  /** What the CRM is told of; empty = what its kind suggests. */
  readonly topics?: readonly string[];
  /** The choices that the kind of the CRM offers. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly giveUpDays?: string | number;
}

const USUAL_DAYS = 7;
const MOST_DAYS = 365;
const DAY_MS = 24 * 60 * 60 * 1000;

/** How long a message is tried, in ms. Throws `WEBHOOK_BAD_DAYS`. */
export function giveUpMs(value: unknown): number {
  const days = Number(textOf(value).replace(',', '.') || USUAL_DAYS);
  if (!(days > 0 && days <= MOST_DAYS))
    throw nodeError('WEBHOOK_BAD_DAYS', { days: textOf(value).slice(0, 40), most: MOST_DAYS });
  return days * DAY_MS;
}

/** The chosen topics, of those that the CRM has a use for; records when that is not known. */
export function chosenTopics(
  chosen: WebhookDef['topics'],
  usable?: readonly DeliverableEvent['topic'][],
  usual: readonly DeliverableEvent['topic'][] = ['call_record'],
): ReadonlySet<string> {
  const known = (chosen ?? []).filter((topic) => isDeliverableTopic(topic) && usable?.includes(topic) !== false);
  return new Set(known.length > 0 ? known : usual);
}

/** What a message orders the outbox to do. */
export type OutboxOrder =
  | { readonly command: 'status' | 'list' | 'adopt' }
  | { readonly command: 'retry' | 'drop'; readonly ids?: readonly number[] };

/** Reads an order out of a message with the topic `outbox`. Throws `WEBHOOK_BAD_ORDER`. */
export function readOrder(payload: unknown): OutboxOrder {
  const order =
    typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : { command: payload };
  const { command, ids } = order;
  if (command === 'status' || command === 'list' || command === 'adopt') return { command };
  const areIds =
    ids === undefined || (Array.isArray(ids) && ids.length <= 10_000 && ids.every((id) => Number.isInteger(id)));
  if ((command !== 'retry' && command !== 'drop') || !areIds) throw nodeError('WEBHOOK_BAD_ORDER');
  return ids === undefined ? { command } : { command, ids: ids as number[] };
}
