import { recordingLink } from '../call-record';
import { isQueueMessage } from '../../messages/deliverable';
import type { CallMessage } from '../../messages/types';
import type { TemplateValues } from '../template';
import type { DeliverableEvent, DeliveryContext } from '../types';
import { isObject } from '../json';

/** Placeholders that are texts: in JSON they want quotes. */
const TEXTS = [
  'topic',
  'eventId',
  'pbx',
  'callId',
  'legId',
  'direction',
  'client.number',
  'client.e164',
  'client.national',
  'client.name',
  'client.region.name',
  'client.region.timeZone',
  'client.region.country',
  'peer.extension',
  'peer.name',
  'extension',
  'firstExtension',
  'lastExtension',
  'user.id',
  'user.name',
  'line.number',
  'line.trunk',
  'queue.id',
  'queue.name',
  'startedAt',
  'answeredAt',
  'endedAt',
  'result',
  'hangup.text',
  'hangup.by',
  'transfer.type',
  'transfer.from',
  'transfer.to',
  'recording.file',
  'recording.url',
  'state',
  'previous',
  'at',
  'outcome',
  'key',
  'number',
  'e164',
  'error.message',
  'agent.id',
  'agent.phone',
  'agent.name',
  'agent.info',
  'callInfo',
  'dialled',
  'reason',
  'change',
  'token',
] as const;

/** Numbers, lists and objects: in JSON without quotes. The `…Unix` are seconds since 1970. */
const OTHERS = [
  'waitSeconds',
  'talkSeconds',
  'holdSeconds',
  'ringSeconds',
  'position',
  'hangup.code',
  'startedUnix',
  'answeredUnix',
  'endedUnix',
  'reconciled',
  'rung',
  'talked',
  'legs',
  'cdrs',
  'variables',
  'orderId',
  'tries',
  'heard',
  'of',
  'data',
  'payload',
] as const;

/** Every placeholder of an event, and `variables.NAME` for each channel variable that the template names. */
export function eventNames(template: string): string[] {
  const chosen = [...template.matchAll(/\{\{\s*(variables\.[^{}\s]+)\s*\}\}/g)].map(([, name = '']) => name);
  return [...TEXTS, ...OTHERS, ...chosen];
}

/** Values with which a template shows whether it can be filled in: no text is a number by chance, nothing optional is there. */
export function sampleValues(template: string): TemplateValues {
  const texts = eventNames(template).filter((name) => !(OTHERS as readonly string[]).includes(name));
  return Object.fromEntries(texts.map((name) => [name, 'a b']));
}

const unix = (time: unknown): number | undefined =>
  typeof time === 'string' ? Math.floor(Date.parse(time) / 1000) : undefined;

const isOfCall = (event: DeliverableEvent): event is CallMessage =>
  event.topic !== 'user_change' && event.topic !== 'order_outcome' && !isQueueMessage(event);

/** What the placeholders stand for in one event. The user comes from the table, the address of the recording from its signed link. */
export function eventValues(
  event: DeliverableEvent,
  context: Pick<DeliveryContext, 'userOf' | 'recordings'>,
  template: string,
): TemplateValues {
  const { extension } = event.payload;
  const line = extension === undefined ? undefined : context.userOf(extension);
  const known =
    line === undefined ? {} : { user: { id: line.userId, ...(line.name === undefined ? {} : { name: line.name }) } };
  const recording = isOfCall(event) ? event.payload.recording : undefined;
  const url = recordingLink(recording, context);
  const heard = recording === undefined ? {} : { recording: url === undefined ? recording : { ...recording, url } };
  const payload: Readonly<Record<string, unknown>> = { ...known, ...event.payload, ...heard };
  const values: Record<string, TemplateValues[string]> = { topic: event.topic, payload };
  for (const name of eventNames(template)) {
    const value = values[name] ?? at(payload, name);
    if (value !== undefined && value !== null) values[name] = value as TemplateValues[string];
  }
  return {
    ...values,
    startedUnix: unix(payload.startedAt),
    answeredUnix: unix(payload.answeredAt),
    endedUnix: unix(payload.endedAt),
  };
}

/** `client.e164`, `client.region.name`; the name of a channel variable may hold dots itself. */
function at(payload: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  const dot = name.indexOf('.');
  const group = dot < 0 ? undefined : payload[name.slice(0, dot)];
  return isObject(group) ? at(group, name.slice(dot + 1)) : undefined;
}
