import type { CallResult, Hangup, Transfer } from '../messages/types';

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
  /** The number shown to its far end. */
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
}

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
  /** The client is in the hands of ours, or on hold, since. */
  talkSince?: number;
  talkMs: number;
  holdSince?: number;
  holdMs: number;
  rung: string[];
  talked: string[];
  /** Uniqueid of the leg that had the client last. */
  lastTalker?: string;
  /** Why nobody hears the client although somebody still has him. */
  holdKind?: 'parked' | 'music';
  /** Nobody else is meant: music, a feature code, a conference, something that is played. */
  service: boolean;
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

/** A call may hold so much; beyond it, what comes is counted as over the bound, and left out. */
export const CALL_BOUNDS = { channels: 500, bridges: 100, extensions: 200, cdrs: 50, variables: 32 } as const;

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
    service: false,
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
