import { messageError } from './errors';
import { DELIVERABLE_TOPICS, DIRECTIONS, type CallMessage, type DeliverableTopic, type UserChange } from './types';

/** As JSON: a record with hundreds of legs is far below it. */
const MAX_CHARS = 250_000;
const MAX_ID = 500;

const bad = (problemEn: string, problemRu: string): Error => messageError('MESSAGE_BAD', { problemEn, problemRu });

const isOneOf = <T extends string>(words: readonly T[], word: unknown): word is T =>
  (words as readonly unknown[]).includes(word);

/** Whether it is the topic of an event that a CRM can be sent. Other messages are ignored. */
export function isDeliverableTopic(topic: unknown): topic is DeliverableTopic {
  return isOneOf(DELIVERABLE_TOPICS, topic);
}

/**
 * Reads what a flow sends as an event: a copy, which later changes of the message do not reach. Only the fields that everything
 * depends on are checked; of the rest each CRM takes what it can use. Throws `MESSAGE_BAD`.
 */
export function readMessage(topic: unknown, payload: unknown): CallMessage | UserChange {
  if (!isDeliverableTopic(topic)) {
    throw bad(`the topic "${shown(topic)}" is unknown.`, `тема «${shown(topic)}» неизвестна.`);
  }
  const copy = copied(payload);
  const needed = topic === 'user_change' ? ['eventId', 'pbx', 'extension', 'state'] : ['eventId', 'pbx', 'callId'];
  for (const name of needed) {
    const value = copy[name];
    if (typeof value !== 'string' || value === '' || value.length > MAX_ID) {
      throw bad(`payload.${name} must be a text.`, `payload.${name} должно быть строкой.`);
    }
  }
  if (topic === 'user_change') return { topic, payload: copy as unknown as UserChange['payload'] };
  if (!isOneOf(DIRECTIONS, copy.direction)) {
    throw bad('payload.direction must be in, out or internal.', 'payload.direction должно быть in, out или internal.');
  }
  if (typeof copy.startedAt !== 'string' || Number.isNaN(Date.parse(copy.startedAt))) {
    throw bad('payload.startedAt must be a time.', 'payload.startedAt должно быть временем.');
  }
  if (topic === 'call_record') for (const name of ['rung', 'talked', 'legs']) copy[name] ??= [];
  return { topic, payload: copy } as unknown as CallMessage;
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
  if (text.length > MAX_CHARS) throw bad('the payload is too large.', 'payload слишком велик.');
  return JSON.parse(text) as Record<string, unknown>;
}

/** What keeps its order with what: the events of one call, the states of one extension. */
export function orderKeyOf({ topic, payload }: CallMessage | UserChange): string {
  return topic === 'user_change' ? `user ${payload.pbx} ${payload.extension}` : `call ${payload.pbx} ${payload.callId}`;
}
