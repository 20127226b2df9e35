import type { CancelReason } from '../messages/queues';
import type { Hangup } from '../messages/types';
import { hangupOf } from './payloads';
import type { OfferState, StayState } from './state';

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
