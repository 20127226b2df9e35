import { createCallTracker } from '../../../lib/calls';
import type { CallTracker } from '../../../lib/calls/types';
import type { AmiMessage } from '../../../lib/ami/types';
import type { CallMessage, RecordPayload } from '../../../lib/messages/types';
import { numberingPlan } from '../../../lib/phone';
import { recordedMessages } from '../../support/ami-messages';

/** The clock of the recordings; one without time stamps goes on from here. */
const BEGIN = 1_795_203_500_000;

const plan = { numbers: numberingPlan({ country: 'RU' }), trunks: [], trunkContexts: [] };

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
