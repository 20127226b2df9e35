import type { Sqlite } from './sqlite';

/** How the tables get at the file; rejects with the reason while it cannot be used. */
export interface Access {
  readonly file: string;
  /**
   * `work` runs in a transaction that it shares with its neighbours; resolves when that is on disk. It may be run again after a
   * neighbour failed, so it must do nothing but SQL. `bytes`: about what it holds while it waits.
   */
  write<T>(bytes: number, work: (sql: Sqlite) => T): Promise<T>;
  /** A write that changes orders or the do-not-call list, so many of them: counted beside the file before it resolves, see tally.ts. */
  count<T>(changes: number, bytes: number, work: (sql: Sqlite) => T): Promise<T>;
  read<T>(work: (sql: Sqlite) => T): Promise<T>;
  /** Wall-clock ms. */
  now(): number;
}

/** A list cut into parts: one transaction must not hold the event loop for long. */
export function chunks<T>(items: readonly T[], size: number): (readonly T[])[] {
  const parts: (readonly T[])[] = [];
  for (let at = 0; at < items.length; at += size) parts.push(items.slice(at, at + size));
  return parts;
}
