import { createCallTracker } from '../../../lib/calls';
import type { CallTracker } from '../../../lib/calls/types';
import type { AmiMessage } from '../../../lib/ami/types';
import type { CallMessage, RecordPayload } from '../../../lib/messages/types';
import { numberingPlan } from '../../../lib/phone';
import { recordedMessages } from '../../support/ami-messages';

/** The clock of the recordings; one without time stamps goes on from here. */
const BEGIN = 1_795_203_500_000;

export const plan = { numbers: numberingPlan({ country: 'RU' }), trunks: [], trunkContexts: [] };

export const newTracker = (trunks: readonly string[] = []): CallTracker =>
  createCallTracker({ pbx: 'office', plan: { ...plan, trunks }, variables: ['CRM_ID'] });

export interface Timed {
  readonly event: AmiMessage;
  readonly at: number;
}

/** The live events of a recording, with the moment at which each arrived. Items of lists are no live events. */
export function eventsOf(trace: string): Timed[] {
  let at = BEGIN;
  return recordedMessages(trace).flatMap((event): Timed[] => {
    const isOfList = event.get('ActionID') !== undefined && event.name !== 'OriginateResponse';
    if (event.kind !== 'event' || isOfList) return [];
    const stamp = event.get('Timestamp');
    if (stamp !== undefined) at = Math.max(at, Number(stamp) * 1000);
    return [{ event, at }];
  });
}

/** Lets time run on until nothing waits any more. */
export function finish(tracker: CallTracker): CallMessage[] {
  const told: CallMessage[] = [];
  for (let wake = tracker.wakeAt; wake !== undefined; wake = tracker.wakeAt) told.push(...tracker.tick(wake));
  return told;
}

export function play(events: readonly Timed[], tracker = newTracker()): CallMessage[] {
  const told = events.flatMap(({ event, at }) => [...tracker.apply(event, at)]);
  return [...told, ...finish(tracker)];
}

export const recordsOf = (messages: readonly CallMessage[]): RecordPayload[] =>
  messages.flatMap((message) => (message.topic === 'call_record' ? [message.payload] : []));

/** What was told of each phone, in order: `101: ringing, answer, hangup answered 16`. */
export function legsOf(messages: readonly CallMessage[]): Record<string, string> {
  const legs = new Map<string, string[]>();
  for (const { topic, payload } of messages) {
    if (topic === 'call_record') continue;
    const key = `${payload.extension ?? ''} ${payload.legId ?? ''}`;
    const end = topic === 'call_hangup' ? ` ${payload.result ?? ''} ${payload.hangup?.code ?? ''}` : '';
    legs.set(key, [...(legs.get(key) ?? []), topic.replace('call_', '') + end]);
  }
  const told: Record<string, string> = {};
  for (const [key, words] of legs) {
    const extension = key.split(' ')[0] ?? '';
    told[extension in told ? `${extension}+` : extension] = words.join(', ');
  }
  return told;
}

/** A record as a line that a person can check: `in answered 16 client · wait 1 talk 1 hold 0 · rung 101 · talked 101`. */
export function lineOf(record: RecordPayload): string {
  const { direction, result, hangup, transfer } = record;
  const times = `wait ${record.waitSeconds ?? ''} talk ${record.talkSeconds ?? ''} hold ${record.holdSeconds ?? ''}`;
  return [
    `${direction} ${result ?? ''} ${hangup?.code ?? ''} ${hangup?.by ?? ''}`,
    times,
    `rung ${record.rung.join(' ')}`.trim(),
    `talked ${record.talked.join(' ')}`.trim(),
    `ext ${record.extension ?? '-'}`,
    ...(record.client === undefined ? [] : [`client ${record.client.number}`]),
    ...(record.peer === undefined ? [] : [`peer ${record.peer.extension}`]),
    ...(record.queue === undefined ? [] : [`queue ${record.queue.id}`]),
    ...(transfer === undefined ? [] : [`${transfer.type} ${transfer.from}>${transfer.to}`]),
  ].join(' · ');
}
