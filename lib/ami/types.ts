import type { TelephonyError } from '../errors';

/**
 * One message from Asterisk. Values are untrusted text: a SIP caller can put anything into most of them.
 * Header names are compared without case (Cdr says `UniqueID`, channel events `Uniqueid`).
 * Reading is lazy: a message that nobody reads is never split into headers.
 */
export interface AmiMessage {
  readonly kind: 'event' | 'response';
  /** The event's name (`Hangup`) or the answer's word (`Success`, `Error`, `Goodbye`). */
  readonly name: string;
  /** The first value of a header, `undefined` when it is absent. Safe to keep: never a slice of the read buffer. */
  get(header: string): string | undefined;
  /** All values of a header, in order; empty when it is absent. */
  all(header: string): string[];
  /** Header names as sent, in order; one value = string, repeated = array. A null-prototype object. */
  toObject(): Record<string, string | string[]>;
}

export type AmiValue = string | number | boolean;

/** What to ask of Asterisk. CR, LF and NUL anywhere are refused before anything is sent (`AMI_BAD_VALUE`). */
export interface AmiAction {
  readonly action: string;
  /** Headers; an array repeats the header; `undefined` leaves it out. */
  readonly headers?: Readonly<Record<string, AmiValue | readonly AmiValue[] | undefined>>;
  /** Channel variables, sent as repeated `Variable` headers with commas, quotes and backslashes quoted. */
  readonly variables?: Readonly<Record<string, AmiValue>>;
}

export interface ActionOptions {
  /** Milliseconds until `AMI_TIMEOUT`; default 10 000. */
  readonly timeoutMs?: number;
}

/**
 * - `idle`: not opened yet; `connecting`: TCP or TLS is being set up; `logging-in`: until Asterisk accepted the login and
 *   says it is fully booted; `ready`: logged in and answering;
 * - `waiting`: the link is down, another try comes at `retryAt`;
 * - `refused`: as `waiting`, but Asterisk (or the certificate) said no, and trying fast would not help: once a minute;
 * - `closed`: for good.
 */
export type AmiPhase = 'idle' | 'connecting' | 'logging-in' | 'ready' | 'waiting' | 'refused' | 'closed';

export interface AmiState {
  readonly phase: AmiPhase;
  /** Wall-clock ms of the change into this phase. */
  readonly since: number;
  /** Why the link is down (`waiting`, `refused`). */
  readonly error?: TelephonyError;
  /** Wall-clock ms of the next try (`waiting`, `refused`). */
  readonly retryAt?: number;
  /** AMI version of the greeting (`11.0.0`), once seen. */
  readonly amiVersion?: string;
  /** Grows by one with every login: what was known before belongs to an older session. */
  readonly session: number;
}

export interface AmiStats {
  /** Messages received since the start. */
  readonly received: number;
  readonly reconnects: number;
  /** Messages whose shape no Asterisk produces: somebody injects text (facts: header injection by SIP callers). */
  readonly tampered: number;
  readonly pendingActions: number;
}

/**
 * The link to one Asterisk, whichever driver makes it. It keeps itself up until {@link AmiClient.close}.
 * No method throws synchronously, no promise is left unsettled, no `error` event can go unheard.
 */
export interface AmiClient {
  readonly state: AmiState;
  readonly stats: AmiStats;
  /** Opens the link and keeps it open. Idempotent. */
  connect(): void;
  /**
   * Sends one action and settles exactly once: with the answer (`Response: Error` included: see `name`), or rejected with a
   * {@link TelephonyError} `AMI_NOT_CONNECTED`, `AMI_TIMEOUT`, `AMI_LINK_LOST`, `AMI_BAD_VALUE`, `AMI_TOO_MANY_PENDING`,
   * or `AMI_BLOCKING_ACTION` (an Originate without `Async: true`, which would freeze the whole session).
   * Nothing is held back for later and nothing is sent twice.
   */
  action(action: AmiAction, options?: ActionOptions): Promise<AmiMessage>;
  /** As {@link action}, but collects the event list that follows and rejects an answer that is an Error (`AMI_ACTION_FAILED`) or a list over its bound (`AMI_LIST_TOO_LONG`). */
  list(action: AmiAction, options?: ActionOptions): Promise<AmiMessage[]>;
  /** Calls `handler` for every event of these names (without case), `'*'` for all. Returns the function that ends it. A handler that throws is logged, nothing else. */
  subscribe(names: '*' | readonly string[], handler: (event: AmiMessage) => void): () => void;
  /** Calls `handler` at every change of {@link state}. Returns the function that ends it. */
  onState(handler: (state: AmiState) => void): () => void;
  /** Logs off and closes within two seconds, whatever the other side does; leaves no socket, timer or listener. */
  close(): Promise<void>;
}

export interface AmiTls {
  /** PEM of the authority (or the self-signed certificate) to trust, instead of the system's. */
  readonly ca?: string;
  /** The name the certificate must carry, when it is not the address. */
  readonly serverName?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
}

/** Where an Asterisk is and who we are there. */
export interface AmiAddress {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly secret: string;
}

export interface AmiClientOptions {
  /** Asked before every connection, instead of the four fixed fields: the built-in simulator is found on a new port after each start. */
  readonly locate?: () => Promise<AmiAddress>;
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly secret: string;
  readonly tls?: AmiTls;
  /** Fall back to sending the password itself when Asterisk refuses the MD5 challenge. Default false. */
  readonly plainLogin?: boolean;
  /** The `Events` mask at login: `on`, `off` or classes (`call,agent`). Default `on`. */
  readonly events?: string;
}
