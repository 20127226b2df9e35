import type { TelephonyError } from '../errors';
import type { StoreLoss } from '../store/types';

/** What a person can order: two people joined, a message to one, or whatever Asterisk's Originate can do. */
export type OrderMode = 'click' | 'autocall' | 'plain';

/** Untrusted: both go into the quoted part and the angle brackets of a caller id after they were checked. */
export interface OrderCallerId {
  readonly number?: string;
  readonly name?: string;
}

/** What every order has. Already read and checked: whoever holds one may rely on it. */
interface OrderBase {
  /** The second order with the same key is the first one (per node). */
  readonly key?: string;
  /** Wall-clock ms: never dialled at or after this moment. */
  readonly expiresAt: number;
  /** 0 to 9; higher is dialled first. */
  readonly priority: number;
  /** How many times it may be dialled in all. */
  readonly tries: number;
  /** Between the end of a try and the next one. */
  readonly periodMs: number;
  readonly callerId?: OrderCallerId;
  /** Channel variables of the first leg. */
  readonly variables: Readonly<Record<string, string>>;
  /** Returned in every message about the order; at most 8 KiB of JSON. */
  readonly data?: unknown;
  /** Who ordered it, for the cap per caller: an extension, a user, an address. */
  readonly by?: string;
}

/** The colleague's phone rings first, then the client's. */
export interface ClickOrder extends OrderBase {
  readonly mode: 'click';
  readonly extension: string;
  /** As it was asked for. */
  readonly number: string;
  /** Absent when another extension is called. */
  readonly e164?: string;
}

/** A client hears a message. */
export interface AutocallOrder extends OrderBase {
  readonly mode: 'autocall';
  readonly number: string;
  readonly e164: string;
  /** One to ten names of sound files, below the folder of the language, without ending. */
  readonly files: readonly string[];
  readonly language?: string;
  /** Asked before the message: "press 1 to hear". Absent: the message begins at once. */
  readonly prompt?: string;
  readonly detectMachine: boolean;
  /** How many tries each kind of failure may use, of {@link OrderBase.tries} in all. Absent: all of them. */
  readonly triesOf: Readonly<Partial<Record<RetriedOutcome, number>>>;
  /** IANA names; the client is called when the window is open in all of them. */
  readonly timeZones: readonly string[];
}

export interface PlainOrder extends OrderBase {
  readonly mode: 'plain';
  /** `PJSIP/101`, `Local/100@default` */
  readonly channel: string;
  readonly to: PlainTarget;
  readonly ringMs: number;
}

export type PlainTarget =
  | { readonly context: string; readonly exten: string; readonly priority: number }
  | { readonly application: string; readonly data: string };

export type Order = ClickOrder | AutocallOrder | PlainOrder;

/** How an order ended; each order has exactly one. */
export type Outcome =
  /** The client (plain: the first leg) answered; an autocall was heard to its end. */
  | 'answered'
  /** The client pressed 1 and heard the message to its end. */
  | 'confirmed'
  /** The client hung up before the message was over. */
  | 'heard-partly'
  | 'busy'
  /** Nobody answered, or nobody pressed 1. */
  | 'no-answer'
  | 'machine'
  | 'failed'
  /** Its time was over before it could be dialled (again). */
  | 'expired'
  | 'cancelled'
  /** Never dialled: the rules of the PBX, the do-not-call list or a bound forbid it. */
  | 'refused';

/** Outcomes of a try after which the next one may come. */
export type RetriedOutcome = 'busy' | 'no-answer' | 'machine' | 'failed';

export interface Cause {
  /** Q.850, as Asterisk's `Cause`. */
  readonly code: number;
  readonly text: string;
}

/** One try as it goes on disk before anything is sent to the PBX. */
export interface Attempt {
  /** AutoCallID: 1 to 2^32-1, one of a kind in its store. */
  readonly orderId: number;
  /** 1 for the first. */
  readonly try: number;
  /** `ChannelId` of the Originate, hence Uniqueid of the first leg: `tcrm-<store>-<orderId>-<try>`. */
  readonly channelId: string;
  /** Wall-clock ms. */
  readonly startedAt: number;
  /** Wall-clock ms: never dialled at or after this moment, at which the order expires or the client's window closes. */
  readonly dialBefore: number;
  readonly order: Order;
}

/** How far a try has come; told once each, in this order, some left out. */
export type AttemptPhase = 'dialing' | 'ringing' | 'agent-answered' | 'client-ringing' | 'answered' | 'confirmed';

/** How one try ended. */
export interface AttemptResult {
  /** `failed`: see `error`, `cause`. */
  readonly outcome: Extract<
    Outcome,
    'answered' | 'confirmed' | 'heard-partly' | 'busy' | 'no-answer' | 'machine' | 'failed' | 'cancelled'
  >;
  /**
   * Whether the client may have been reached by this try: `no` lets the next one come. `unknown` (link lost, PBX restarted) is
   * never dialled again. `not-sent`: nothing has reached the PBX; the try does not count.
   */
  readonly reached: 'yes' | 'no' | 'unknown' | 'not-sent';
  readonly cause?: Cause;
  readonly error?: TelephonyError;
  /** Linkedid. */
  readonly callId?: string;
  /** Wall-clock ms. */
  readonly answeredAt?: number;
  readonly endedAt: number;
  /** Files heard to their end. */
  readonly heard?: number;
}

/**
 * What dials. One for each PBX (AMI, Finesse). It keeps nothing on disk: {@link takeUp} takes up what an earlier process began.
 * No method throws; a promise always settles.
 */
export interface DialLine {
  /** Whether an order could be dialled this very moment: the link is up and has answered lately. */
  readonly isReady: boolean;
  /** Calls `handler` at every change of {@link isReady}. Returns the function that ends it. */
  onReady(handler: (isReady: boolean) => void): () => void;
  /**
   * Why this order could never be dialled here (unknown prefix, unknown extension, a mode it does not have); asked when the order
   * comes and again before it is dialled.
   */
  objection(order: Order): TelephonyError | undefined;
  /** What the try occupies, for caps per trunk: `PJSIP/trunk`. */
  trunkOf(order: Order): string;
  /** Dials and follows to the end. */
  dial(attempt: Attempt, onPhase: (phase: AttemptPhase) => void): Promise<AttemptResult>;
  /**
   * After a restart of this process, with the link up: follows those that are still alive, as {@link dial} does, and settles those that are
   * gone with `reached: 'unknown'`. Resolves when it is known which is which.
   */
  takeUp(
    attempts: readonly Attempt[],
    onPhase: (attempt: Attempt, phase: AttemptPhase) => void,
    onResult: (attempt: Attempt, result: AttemptResult) => void,
  ): Promise<void>;
  /** Hangs the try up; its result comes as usual (`cancelled`). */
  cancel(channelId: string): void;
  /** Ends all subscriptions. Tries in the air stay in the air: the next process takes them up. */
  close(): Promise<void>;
}

/** What a flow hears of an order: `order_progress` on output 2, `order_outcome` once on output 1. */
export interface OrderReport {
  /** The same after a replay. */
  readonly eventId: string;
  readonly key?: string;
  readonly pbx: string;
  readonly mode: OrderMode;
  readonly number?: string;
  readonly e164?: string;
  readonly extension?: string;
  readonly tries: number;
  /** ISO-8601 UTC. */
  readonly queuedAt: string;
  readonly callId?: string;
  readonly data?: unknown;
}

export interface OrderProgress extends OrderReport {
  /** AutoCallID. */
  readonly orderId: number;
  readonly state: 'queued' | AttemptPhase | 'retry' | 'waits';
  /** Of `queued`, when it has been ordered before: this is the first order with its key. */
  readonly isKnown?: true;
  /** Of a known order that is over: what has become of it. */
  readonly result?: OrderOutcome;
  /** Of `retry`, `waits` and `queued` (for its window): when it is dialled next. */
  readonly nextAt?: string;
  /** Of `retry`: how the try ended. */
  readonly tryOutcome?: RetriedOutcome;
}

export interface OrderOutcome extends OrderReport {
  /** AutoCallID. Absent: it was refused at once, and never was in the store. */
  readonly orderId?: number;
  readonly outcome: Outcome;
  readonly cause?: Cause;
  /** Why, when no cause says it. */
  readonly error?: { readonly code: string; readonly message: string };
  readonly startedAt?: string;
  readonly answeredAt?: string;
  readonly endedAt: string;
  readonly heard?: number;
  readonly of?: number;
}

/** What a node's dialler is set to. */
export interface DialerSettings {
  /** Tries at once, 1 to 256. */
  readonly lines: number;
  /** Tries at once by trunk; absent: {@link lines}. */
  readonly trunkLines: Readonly<Record<string, number>>;
  readonly windows: readonly Window[];
  /** Orders that may wait; one more is refused. */
  readonly maxWaiting: number;
}

/** When clients may be called, by their own clocks. No window at all = always. */
export interface Window {
  /** 1 = Monday … 7 = Sunday. */
  readonly days: readonly number[];
  /** Minutes after midnight, `to` exclusive; `from` > `to` goes over midnight and belongs to the day it begins in. */
  readonly from: number;
  readonly to: number;
}

export interface DialerCounts {
  readonly waiting: number;
  readonly inAir: number;
  /** By command, or for {@link loss}. */
  readonly isPaused: boolean;
  /** What the store has lost: nothing is dialled until somebody has seen it and resumes. */
  readonly loss?: StoreLoss;
  /** When the next one is due, when all wait for later. Wall-clock ms. */
  readonly nextAt?: number;
}

/** What can be asked of an order at any time, until 30 days after its end. */
export interface OrderStatus {
  readonly orderId: number;
  readonly key?: string;
  readonly state: 'waiting' | 'in-air' | 'over';
  /** In the air: how far the try has come. */
  readonly phase?: AttemptPhase;
  readonly tries: number;
  readonly queuedAt: string;
  readonly expiresAt: string;
  /** Waiting: not dialled before. */
  readonly nextAt?: string;
  /** Over. */
  readonly result?: OrderOutcome;
}
