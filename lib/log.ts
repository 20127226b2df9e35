/** Where an engine writes what its operator should read. The nodes hand in Node-RED's own log. */
export interface Log {
  info(text: string): void;
  warn(text: string): void;
  debug(text: string): void;
}

export const silentLog: Log = { info: () => undefined, warn: () => undefined, debug: () => undefined };
