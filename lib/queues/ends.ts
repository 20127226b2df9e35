import type { CancelReason } from '../messages/queues';
import type { Hangup } from '../messages/types';
import { hangupOf } from './payloads';
import type { Heard, LeftQueue, OfferState, StayState } from './state';

/** The phone hangs up as soon after the queue's word: so it ends for both. */
const SAME_END_MS = 1000;

/** How a stay in a queue can end. */
export type StayEnd = 'answered' | 'abandoned' | 'timeout' | 'other';

export const HANGUPS: Readonly<Record<StayEnd, Hangup>> = {
  answered: hangupOf(16),
  abandoned: hangupOf(16, 'client'),
  timeout: hangupOf(19, 'system'),
  other: hangupOf(31),
};

/** Causes (Q.850) of a phone's hang-up that say more than that nobody answered. */
export const CANCELLED_BY_CAUSE: Readonly<Record<number, CancelReason>> = {
  17: 'busy',
  21: 'declined',
  26: 'answered-elsewhere',
};

/** The phones that have neither been answered nor given up. */
export const openOffers = (stay: StayState): OfferState[] =>
  Object.values(stay.offers).filter(({ closed }) => closed === undefined);

/** Why a phone that was given up was not answered. */
export const reasonOf = ({ cause }: OfferState): CancelReason => CANCELLED_BY_CAUSE[cause ?? 0] ?? 'no-answer';

/** Why and when a conversation ended that was over for the queue before, or just now. */
export function endOf({ reason, t }: LeftQueue, by: Hangup['by'], heard: Heard): readonly [string, Heard] {
  if (t !== undefined && heard.t - t < SAME_END_MS) return [reason, { ...heard, t, reconciled: false }];
  return [by === 'client' ? 'caller' : by === 'extension' ? 'agent' : reason, heard];
}
