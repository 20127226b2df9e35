import type { TelephonyError } from './errors';

/** Where an engine writes what its operator should read. The nodes hand in Node-RED's own log. */
export interface Log {
  info(text: string): void;
  /** What calls for an act of the operator is an error, which has his language too. */
  warn(what: string | TelephonyError): void;
  debug(text: string): void;
}

export const silentLog: Log = { info: () => undefined, warn: () => undefined, debug: () => undefined };
