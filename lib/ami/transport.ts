import type { TelephonyError } from '../errors';
import type { AmiMessage } from './types';

/** A message as a driver hands it to the engine: with cheap looks at it that split nothing into headers. */
export interface ReadMessage extends AmiMessage {
  /** Length of its text, for those who bound what they collect. */
  readonly chars: number;
  /** Whether the text occurs anywhere in it. */
  mentions(text: string): boolean;
  /** Whether a header, written exactly so, comes more than once. */
  repeats(header: string): boolean;
}

/** A message that came in, not read yet. Valid only during the call that hands it over. */
export interface Incoming {
  /** `other`: the first header is neither `Event` nor `Response`; no Asterisk sends that. */
  readonly kind: 'event' | 'response' | 'other';
  /** The event's name or the answer's word; a short-lived string, copy it to keep it. */
  readonly name: string;
  /** Reads the message: from then on it may be kept. */
  read(): ReadMessage;
}

/** One header of an action, checked and ready to be written. */
export type HeaderLine = readonly [name: string, value: string];

/** Who listens to a {@link Transport}. */
export interface TransportSink {
  /** The line (with TLS: the trusted line) is open. */
  connected(): void;
  /** The other side speaks AMI and waits for the login. */
  greeted(amiVersion: string | undefined): void;
  receive(incoming: Incoming): void;
  /** The line is gone. Comes once, nothing comes after it. `refused`: trying again soon would not help. */
  lost(error: TelephonyError, refused: boolean): void;
}

/** One connection, used once. Never throws, never leaves an `error` event unheard. */
export interface Transport {
  /** Writes one action. `false`: too much is still unsent, nothing was written. */
  send(lines: readonly HeaderLine[]): boolean;
  /** Says goodbye politely; {@link TransportSink.lost} follows when the other side plays along. */
  end(): void;
  /** Drops the line at once. The sink hears nothing any more. */
  destroy(): void;
}

/** Opens a connection; the sink is called later, never from within. Throws when the options cannot be used at all. */
export type OpenTransport = (sink: TransportSink) => Transport;
