import type { CallResult, Direction, Hangup, Transfer } from '../messages/types';

/** `other`: what Asterisk makes for itself (the announcer of a conference, a surrogate while a channel is redirected). */
export type ChannelKind = 'extension' | 'trunk' | 'local' | 'other';

/** One channel, as plain data. Times are wall-clock ms, by the PBX's own clock where it gives it. */
export interface ChannelState {
  readonly id: string;
  readonly name: string;
  readonly kind: ChannelKind;
  /** The extension, or the endpoint of the trunk. */
  readonly party: string;
  /** Linkedid at its birth. */
  readonly linkedid: string;
  /** It called the PBX; else the PBX called it. */
  readonly incoming: boolean;
  /** What was dialled when the channel began: the DID on a trunk, the number on a phone. */
  readonly exten: string;
  /** The number and name of who is at its far end. */
  number?: string;
  callerName?: string;
  /** The number that its far end was shown when it rang. */
  connected?: string;
  readonly bornAt: number;
  /** Of the last event of this channel, by our clock: what is younger than a list cannot be missing in it. */
  seenAt: number;
  upAt?: number;
  goneAt?: number;
  cause?: number;
  /** Uniqueid of the channel that dials it; empty = an Originate does. */
  dialledBy?: string;
  dialString?: string;
  dialEnd?: string;
  /** It sent the call on to another number (302), unanswered. */
  forwarded?: true;
  bridge?: string;
  /** The other half of a Local channel. */
  pair?: string;
  /** Its far end asked for the hang-up. */
  askedAt?: number;
  leg?: LegState;
}

/** What became of a phone in the call; only channels of extensions have one. */
export interface LegState {
  ringingAt?: number;
  answeredAt?: number;
  /** Connected to somebody since. */
  talkSince?: number;
  talkMs: number;
  /** On hold by its own phone. */
  held: boolean;
  /** `call_held` was told, and neither `call_active` nor the end. */
  toldHeld: boolean;
  holds: number;
  /** It handed the client over: its end is not the end of the call. */
  handedOver: boolean;
  /** Whom a blind transfer of its phone dialled; told when it ends, so that a park, which begins alike, is none. */
  transferTo?: string;
  /** How it ended, once `call_hangup` was told. */
  end?: { readonly result: CallResult; readonly hangup: Hangup };
}

export interface BridgeState {
  members: string[];
  /** Parked callers wait in it, and do not hear each other. */
  holding: boolean;
  conference: boolean;
}

/** A hand-over under way: whoever of ours has the client next completes it. */
export interface PendingTransfer {
  readonly type: Transfer['type'];
  readonly from: string;
  readonly fromLeg: string;
  /** Of the call when it began: another one since is about another client. */
  readonly direction: Direction;
  /** A manager took the client away: if the same phone gets him back, nothing was handed over. */
  readonly byRedirect: boolean;
}

/** What an answer was good for; a service or a colleague before the client is reached does not count for the client. */
export type Answered = 'service' | 'colleague' | 'client';

/** Everything that is known of one call, as plain data: it survives a restart as JSON. */
export interface CallState {
  callId: string;
  /** Every Linkedid that its channels had. */
  linkedids: string[];
  /** In the order in which they began. */
  channels: Record<string, ChannelState>;
  bridges: Record<string, BridgeState>;
  startedAt: number;
  answeredAt?: number;
  answeredAs?: Answered;
  /** Uniqueid of the phone that an internal call is about after the caller has handed it over. */
  subject?: string;
  /** The client is in the hands of ours, or on hold, since. */
  talkSince?: number;
  talkMs: number;
  holdSince?: number;
  holdMs: number;
  rung: string[];
  talked: string[];
  /** The extension for which an outside number has, or had, the client. */
  takenFor?: string;
  /** Uniqueid of the leg that had the client last. */
  lastTalker?: string;
  /** Why nobody hears the client although somebody still has him. */
  holdKind?: 'parked' | 'music';
  queue?: string;
  inQueue: boolean;
  /** The client hung up while he waited in a queue. */
  abandoned: boolean;
  voicemail: boolean;
  endedBy?: 'client' | 'extension';
  transfer?: Transfer;
  pending?: PendingTransfer;
  originate?: { readonly exten?: string; readonly application?: string };
  recording?: { file?: string };
  variables: Record<string, string>;
  cdrs: Record<string, string>[];
  reconciled: boolean;
  /** By our clock: the last channel went, and the record may be told. */
  doneAt?: number;
  /** The record was told, or there is none: it only waits for latecomers. */
  told: boolean;
}

/** A call may hold so much; beyond it, what comes is left out, and channels are counted as over the bound. */
export const CALL_BOUNDS = {
  channels: 500,
  /** Beyond it a Linkedid is not known as the call's: a channel that begins with it is a call of its own. */
  linkedids: 500,
  bridges: 100,
  extensions: 200,
  cdrs: 50,
  variables: 32,
} as const;
/** A queue rings phones again and again: of those that rang in vain, so many are kept once a call holds many channels. */
const MANY_CHANNELS = 100;
const KEPT_IN_VAIN = 40;

/**
 * What a call with many channels need not know any more: the oldest that were called in vain. They stay in `rung`, and are missing
 * in the record's `legs`.
 */
export function superfluousChannels(call: CallState): readonly string[] {
  const channels = Object.values(call.channels);
  if (channels.length < MANY_CHANNELS) return [];
  const live = channels.filter(({ goneAt }) => goneAt === undefined);
  const needed = new Set(live.flatMap(({ dialledBy, pair }) => [dialledBy, pair]));
  // Who began the call, and whom somebody talked with, is a part of it to the end.
  const inVain = channels.filter(
    ({ id, kind, goneAt, incoming, dialledBy, upAt, leg }) =>
      goneAt !== undefined &&
      !needed.has(id) &&
      (kind === 'local' || kind === 'other' || (!incoming && upAt === undefined)) &&
      dialledBy !== '' &&
      leg?.answeredAt === undefined,
  );
  inVain.sort((one, other) => one.bornAt - other.bornAt);
  return inVain.slice(0, Math.max(0, inVain.length - KEPT_IN_VAIN)).map(({ id }) => id);
}

export function newCall(callId: string, at: number): CallState {
  return {
    callId,
    linkedids: [],
    channels: {},
    bridges: {},
    startedAt: at,
    talkMs: 0,
    holdMs: 0,
    rung: [],
    talked: [],
    inQueue: false,
    abandoned: false,
    voicemail: false,
    variables: {},
    cdrs: [],
    reconciled: false,
    told: false,
  };
}

export function newLeg(): LegState {
  return { talkMs: 0, held: false, toldHeld: false, holds: 0, handedOver: false };
}
