import type { CancelReason, TransferredFrom } from '../messages/queues';
import type { Client, Direction } from '../messages/types';

/** By names of others, any word: also one that every object knows (`constructor`, `__proto__`). */
export type ByName<T> = Record<string, T>;

export const byName = <T>(entries: Iterable<readonly [string, T]> = []): ByName<T> => {
  const named = Object.create(null) as ByName<T>;
  for (const [name, value] of entries) named[name] = value;
  return named;
};

/** When something happened: by our clock, by the PBX's, and whether it was only found afterwards. */
export interface Heard {
  readonly at: number;
  readonly t: number;
  readonly reconciled: boolean;
}

/** One agent's phone is rung for one caller. Times are wall-clock ms, by the PBX's own clock where it gives it. */
export interface OfferState {
  readonly interface: string;
  readonly phone: string;
  readonly name?: string;
  readonly info?: string;
  readonly legId: string;
  readonly calledAt: number;
  /** By our clock. */
  seenAt: number;
  /** The phone, or whoever picked the call up, took it; the queue has not yet said so. */
  taken: boolean;
  takenBy?: string;
  cause?: number;
  /** The phone ended it: `DialEnd` came, not the word of the queue. */
  dialEnded?: true;
  /** The queue gave it up, and the cause is still to come. */
  refused?: true;
  /** Its end was seen in another way than by the queue's word, or the queue's word came without the cause: since (our clock). */
  waitsSince?: number;
  endedAt?: number;
  /** Told to be answered, or cancelled. */
  closed?: 'answered' | CancelReason;
}

/** One stay of a caller in a queue. */
export interface StayState {
  readonly queue: string;
  /** The how-manieth of the caller in this queue. */
  readonly count: number;
  joinedAt: number;
  position?: number;
  readonly transferredFrom?: TransferredFrom;
  /** By Interface: the last time that each was rung. */
  offers: ByName<OfferState>;
  /** Taken up from a list: the event of its begin may still come. */
  byList: boolean;
  /** `queue-dial` was told. */
  told: boolean;
  gaveUp?: 'abandoned' | 'timeout';
  /** He left the waiting line, why is not known yet: since (our clock), and whether he himself had hung up by then. */
  waitsSince?: number;
  leftAt?: number;
  leftByAsking?: boolean;
  ended: boolean;
}

export interface LeftQueue {
  readonly reason: string;
  /** When the queue said so, as long as that may be the end of the conversation: not once they were seen to talk on. */
  readonly t?: number;
}

/** A conversation of an agent with a caller of a queue. */
export interface TalkState {
  readonly stay: StayState;
  readonly offer: OfferState;
  readonly extension: string;
  readonly connectedAt: number;
  readonly waitMs: number;
  readonly ringMs: number;
  /** The agent counts as busy with it. */
  counted: boolean;
  /** It is over for the queue, while the phone is still connected: it hangs up just now, or was taken out of the queue's hands, as by hold with music. */
  leftQueue?: LeftQueue;
  ended: boolean;
}

/** Whoever is, or was, in a queue, by the Uniqueid of his channel. */
export interface CallerState {
  readonly id: string;
  readonly callId: string;
  readonly direction: Direction;
  readonly client?: Client;
  readonly peer?: { readonly extension: string; readonly name?: string };
  readonly line?: { readonly number?: string; readonly trunk?: string };
  callInfo?: string;
  agentInfo?: string;
  /** He himself hung up. */
  asked: boolean;
  /** By our clock. */
  seenAt: number;
  counts: ByName<number>;
  stay?: StayState;
  /** By Interface. */
  talks: ByName<TalkState>;
  goneAt?: number;
  goneSince?: number;
}
