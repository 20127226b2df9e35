import { causeText } from '../calls/causes';
import type { Agent, CancelReason, QueueCallPayload, QueueCallTopic, QueueMessage } from '../messages/queues';
import type { Client, Hangup } from '../messages/types';
import { parseNumber } from '../phone';
import type { NumberingPlan } from '../phone/types';
import type { CallerState, OfferState, StayState, TalkState } from './state';

export const iso = (ms: number): string => new Date(Math.round(ms)).toISOString();
const seconds = (ms: number): number => Math.max(0, Math.round(ms / 1000));

/** Somebody who hides his number is a client without digits. */
export function clientOf(plan: NumberingPlan, number: string | undefined, name: string | undefined): Client {
  const parsed = number === undefined ? undefined : parseNumber(number, plan);
  return {
    number: number ?? '',
    ...(parsed?.kind === 'phone' ? { e164: parsed.e164, national: parsed.national } : {}),
    ...(name === undefined || name === number || name === 'unknown' ? {} : { name }),
  };
}

export function hangupOf(code: number, by?: Hangup['by']): Hangup {
  return { code, text: causeText(code), ...(by === undefined ? {} : { by }) };
}

export const agentOf = ({ phone, name, info }: Pick<OfferState, 'phone' | 'name' | 'info'>): Agent => ({
  id: phone,
  phone,
  ...(name === undefined ? {} : { name }),
  ...(info === undefined ? {} : { info }),
});

export interface Told {
  readonly pbx: string;
  readonly t: number;
  readonly reconciled: boolean;
}

const common = (
  { pbx, t, reconciled }: Told,
  caller: CallerState,
  stay: StayState,
): Omit<QueueCallPayload, 'eventId'> => ({
  pbx,
  callId: caller.callId,
  at: iso(t),
  direction: caller.direction,
  ...(caller.client === undefined ? {} : { client: caller.client }),
  ...(caller.peer === undefined ? {} : { peer: caller.peer }),
  ...(caller.line === undefined ? {} : { line: caller.line }),
  queue: { id: stay.queue },
  ...(stay.position === undefined ? {} : { position: stay.position }),
  ...(stay.transferredFrom === undefined ? {} : { transferredFrom: stay.transferredFrom }),
  ...(caller.callInfo === undefined ? {} : { callInfo: caller.callInfo }),
  ...(reconciled ? { reconciled: true } : {}),
});

/** He joined the queue, or left the waiting line. */
export function stayMessage(
  told: Told,
  caller: CallerState,
  stay: StayState,
  end?: { readonly reason: string; readonly hangup: Hangup },
): QueueMessage {
  const topic: QueueCallTopic = end ? 'queue-hangup' : 'queue-dial';
  const count = stay.count === 1 ? '' : `:${stay.count}`;
  const eventId = `${told.pbx}:${caller.id}:${topic}:${stay.queue}${count}`;
  const more = end ? { waitSeconds: seconds(told.t - stay.joinedAt), ...end } : {};
  return { topic, payload: { eventId, ...common(told, caller, stay), ...more } };
}

const BY_REASON: Readonly<Record<CancelReason, Hangup>> = {
  'no-answer': hangupOf(19, 'system'),
  busy: hangupOf(17, 'extension'),
  declined: hangupOf(21, 'extension'),
  abandoned: hangupOf(16, 'client'),
  'answered-elsewhere': hangupOf(26, 'system'),
  unknown: hangupOf(31),
};

function ofAgent(
  topic: QueueCallTopic,
  told: Told,
  caller: CallerState,
  stay: StayState,
  offer: OfferState,
  more: Partial<QueueCallPayload>,
): QueueMessage {
  return {
    topic,
    payload: {
      eventId: `${told.pbx}:${offer.legId}:${topic}`,
      ...common(told, caller, stay),
      legId: offer.legId,
      agent: agentOf(offer),
      extension: offer.phone,
      ...more,
    },
  };
}

/** An agent's phone is rung. */
export const offerMessage = (told: Told, caller: CallerState, stay: StayState, offer: OfferState): QueueMessage =>
  ofAgent('agent-dial', told, caller, stay, offer, { waitSeconds: seconds(told.t - stay.joinedAt) });

export function cancelMessage(
  told: Told,
  caller: CallerState,
  stay: StayState,
  offer: OfferState,
  reason: CancelReason,
): QueueMessage {
  return ofAgent('agent-cancel', told, caller, stay, offer, {
    waitSeconds: seconds(told.t - stay.joinedAt),
    ringSeconds: seconds(told.t - offer.calledAt),
    reason,
    hangup: BY_REASON[reason],
  });
}

/** The agent has the caller, or, with an end, has him no more. */
export function talkMessage(
  told: Told,
  caller: CallerState,
  { stay, offer, extension, waitMs, ringMs, connectedAt }: TalkState,
  end?: { readonly reason: string; readonly hangup: Hangup; readonly wrapUp?: number },
): QueueMessage {
  const { reason, hangup, wrapUp = 0 } = end ?? {};
  return ofAgent(end ? 'agent-hangup' : 'agent-answer', told, caller, stay, offer, {
    extension,
    waitSeconds: seconds(waitMs),
    ringSeconds: seconds(ringMs),
    ...(reason === undefined || hangup === undefined
      ? {}
      : { talkSeconds: seconds(told.t - connectedAt), reason, hangup }),
    ...(wrapUp > 0 ? { wrapUpSeconds: wrapUp } : {}),
  });
}
