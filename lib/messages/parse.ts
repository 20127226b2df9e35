import { messageError } from './errors';
import { DELIVERABLE_TOPICS, type Deliverable, type DeliverableTopic } from './deliverable';
import { QUEUE_TOPICS, type QueueMessage } from './queues';
import { AGENT_CHANGE, CALL, misfitIn, ORDER_END, QUEUE_CALL, RECORD, USER_CHANGE } from './shape';
import type { CallMessage } from './types';

/** Of a payload as JSON, in UTF-8, wherever it goes: a record with hundreds of legs is below it. */
export const MAX_PAYLOAD_BYTES = 256 * 1024;
const MAX_ID = 500;

const bad = (problemEn: string, problemRu: string): Error => messageError('MESSAGE_BAD', { problemEn, problemRu });

const isOneOf = <T extends string>(words: readonly T[], word: unknown): word is T =>
  (words as readonly unknown[]).includes(word);

/** Whether it is the topic of an event that a CRM can be sent. Other messages are ignored. */
export function isDeliverableTopic(topic: unknown): topic is DeliverableTopic {
  return isOneOf(DELIVERABLE_TOPICS, topic);
}

/**
 * Reads what a flow sends as an event: a copy, which later changes of the message do not reach. What is known of it must be of its
 * kind, so that nobody behind has to ask; what is not known stays. Throws `MESSAGE_BAD`.
 */
export function readMessage(topic: 'call_record', payload: unknown): Extract<CallMessage, { topic: 'call_record' }>;
export function readMessage(topic: QueueMessage['topic'], payload: unknown): QueueMessage;
export function readMessage(topic: unknown, payload: unknown): Deliverable;
export function readMessage(topic: unknown, payload: unknown): Deliverable {
  if (!isDeliverableTopic(topic)) {
    throw bad(`the topic "${shown(topic)}" is unknown.`, `тема «${shown(topic)}» неизвестна.`);
  }
  const copy = copied(payload);
  const { name: what, shape } = kindOf(topic);
  for (const name of ['eventId', 'pbx', what]) {
    const value = copy[name];
    if (typeof value !== 'string' || value === '' || value.length > MAX_ID) {
      throw bad(`payload.${name} must be a text.`, `payload.${name} должно быть строкой.`);
    }
  }
  const wrong = misfitIn(copy, shape, 'payload');
  if (wrong) throw bad(`${wrong.path} must be ${wrong.en}.`, `${wrong.path} должно быть ${wrong.ru}.`);
  if (topic === 'call_record') for (const name of ['rung', 'talked', 'legs']) copy[name] ??= [];
  return { topic, payload: copy } as unknown as Deliverable;
}

/** The member without which nobody knows what it is about, and what its members must be. */
function kindOf(topic: DeliverableTopic) {
  switch (topic) {
    case 'user_change':
      return { name: 'extension', shape: USER_CHANGE };
    case 'order_outcome':
      return { name: 'outcome', shape: ORDER_END };
    case 'agent_change':
      return { name: 'change', shape: AGENT_CHANGE };
    case 'call_record':
      return { name: 'callId', shape: RECORD };
    default:
      return { name: 'callId', shape: isOneOf(QUEUE_TOPICS, topic) ? QUEUE_CALL : CALL };
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 40) : typeof value;
}

/** Of a function, or of nothing at all, there is no text. */
const toJson: (value: unknown) => string | undefined = JSON.stringify;

function copied(payload: unknown): Record<string, unknown> {
  let text: string;
  try {
    text = toJson(payload) ?? '';
  } catch {
    throw bad('the payload cannot be written as JSON.', 'payload нельзя записать в JSON.');
  }
  if (!text.startsWith('{')) throw bad('the payload is no object.', 'payload — не объект.');
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_PAYLOAD_BYTES) {
    throw bad(
      `the payload has ${bytes} bytes as JSON, at most ${MAX_PAYLOAD_BYTES} can be delivered.`,
      `payload в JSON занимает ${bytes} байт, доставить можно не больше ${MAX_PAYLOAD_BYTES}.`,
    );
  }
  return JSON.parse(text) as Record<string, unknown>;
}

/** What keeps its order with what: the events of one call, the states of one extension or agent; an order has one end only. */
export function orderKeyOf({ topic, payload }: Deliverable): string {
  switch (topic) {
    case 'user_change':
      return `user ${payload.pbx} ${payload.extension}`;
    case 'order_outcome':
      return `order ${payload.pbx} ${payload.eventId}`;
    case 'agent_change':
      return `agent ${payload.pbx} ${payload.extension}`;
    default:
      return `call ${payload.pbx} ${payload.callId}`;
  }
}
