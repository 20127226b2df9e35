import type { PhoneRegion } from '../phone/region';

/** All events of calls that `ami-event` sends; the names are those of UserCRM where it has one. */
export const CALL_TOPICS = [
  'call_ringing',
  'call_answer',
  'call_held',
  'call_active',
  'call_transfer',
  'call_hangup',
  'call_record',
] as const;

/** All events that `ami-event` sends in the mode "life of calls". */
export const PBX_TOPICS = [...CALL_TOPICS, 'user_change', 'gap'] as const;

export type CallTopic = (typeof CALL_TOPICS)[number];

export const DIRECTIONS = ['in', 'out', 'internal'] as const;
export type Direction = (typeof DIRECTIONS)[number];

export const CALL_RESULTS = [
  'answered',
  'missed',
  'busy',
  'no-answer',
  'cancelled',
  'failed',
  'abandoned',
  'voicemail',
] as const;
export type CallResult = (typeof CALL_RESULTS)[number];

/** The outside party. Numbers are as Asterisk gave them (`number`), and as the numbering plan reads them. */
export interface Client {
  readonly number: string;
  readonly e164?: string;
  readonly national?: string;
  readonly name?: string;
  /** What is not certain is absent: a mobile number tells a region only by the registry of its country. */
  readonly region?: PhoneRegion;
}

export interface Hangup {
  /** Q.850 cause, as Asterisk's `Cause`. */
  readonly code: number;
  readonly text: string;
  readonly by?: 'client' | 'extension' | 'system';
}

export interface Transfer {
  readonly type: 'blind' | 'attended';
  readonly from: string;
  readonly to: string;
}

export interface Recording {
  /** As Asterisk names the file; untrusted. */
  readonly file?: string;
  readonly url?: string;
}

/** What every message of a call may carry: absent when unknown. Times are ISO-8601 UTC, durations whole seconds. */
export interface CallPayload {
  /** The same after a replay: an idempotency key. */
  readonly eventId: string;
  /** Name of the `ami-config`. */
  readonly pbx: string;
  /** Linkedid. */
  readonly callId: string;
  /** Uniqueid of the extension's leg. */
  readonly legId?: string;
  readonly direction: Direction;
  readonly client?: Client;
  /** The colleague, in internal calls. */
  readonly peer?: { readonly extension: string; readonly name?: string };
  readonly extension?: string;
  /** Of the CRM's table, when known. */
  readonly user?: { readonly id: string; readonly name?: string };
  /** The own number that the call came in on or went out by. */
  readonly line?: { readonly number?: string; readonly trunk?: string };
  readonly queue?: { readonly id: string; readonly name?: string };
  readonly startedAt: string;
  readonly answeredAt?: string;
  readonly endedAt?: string;
  readonly waitSeconds?: number;
  readonly talkSeconds?: number;
  readonly holdSeconds?: number;
  readonly result?: CallResult;
  readonly hangup?: Hangup;
  readonly transfer?: Transfer;
  readonly recording?: Recording;
  /** Channel variables that the admin chose to see. */
  readonly variables?: Readonly<Record<string, string>>;
  /** It happened while the link was down, and was concluded from what was found afterwards. */
  readonly reconciled?: true;
}

/** One leg of an extension in the record. */
export interface RecordLeg {
  readonly legId: string;
  readonly extension: string;
  readonly ringingAt?: string;
  readonly answeredAt?: string;
  readonly endedAt?: string;
  readonly talkSeconds?: number;
  readonly result?: CallResult;
  readonly hangup?: Hangup;
}

/** `call_record`: once for each call, last. */
export interface RecordPayload extends CallPayload {
  readonly rung: readonly string[];
  readonly talked: readonly string[];
  readonly legs: readonly RecordLeg[];
  readonly firstExtension?: string;
  readonly lastExtension?: string;
  /** Asterisk's own Cdr events, when they are enabled. */
  readonly cdrs?: readonly Readonly<Record<string, string>>[];
}

/** One thing that happened in a call, as it travels on wires. */
export type CallMessage =
  | { readonly topic: Exclude<CallTopic, 'call_record'>; readonly payload: CallPayload }
  | { readonly topic: 'call_record'; readonly payload: RecordPayload };

/** One state of an extension, from all its devices and hints. */
export type UserState = 'offline' | 'idle' | 'ringing' | 'busy';

export interface UserChange {
  readonly topic: 'user_change';
  readonly payload: {
    readonly eventId: string;
    readonly pbx: string;
    readonly extension: string;
    readonly user?: { readonly id: string; readonly name?: string };
    readonly state: UserState;
    readonly previous?: UserState;
    readonly at: string;
    readonly reconciled?: true;
  };
}

/** How an ordered call ended, as `originate` tells it once for each order: what of it a CRM is told. */
export interface OrderEnd {
  readonly topic: 'order_outcome';
  readonly payload: {
    readonly eventId: string;
    readonly pbx: string;
    /** Absent: it was refused at once. */
    readonly orderId?: number;
    readonly key?: string;
    readonly outcome: string;
    readonly number?: string;
    readonly e164?: string;
    /** Of a click: whose phone rang first. */
    readonly extension?: string;
    readonly tries?: number;
    readonly startedAt?: string;
    readonly answeredAt?: string;
    readonly endedAt?: string;
  };
}

/** The time in which nothing was heard from the PBX. */
export interface Gap {
  readonly topic: 'gap';
  readonly payload: {
    readonly eventId: string;
    readonly pbx: string;
    readonly from: string;
    readonly to: string;
    /** Asterisk itself was restarted meanwhile: every earlier call is over. */
    readonly restarted: boolean;
  };
}

export type PbxMessage = CallMessage | UserChange | Gap;
