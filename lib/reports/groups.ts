import { reportError } from './errors';
import type { ReportRow } from './types';
import { mapSlowly } from './walk';

/** Rows of a report: what is counted for them lies in memory. */
export const MAX_ROWS = 20_000;

/** What is counted of one row. */
export interface Tally {
  row(): ReportRow;
}

/** Tallies by period and name, made when they are first needed, and one of everything. */
export class Groups<T extends Tally> {
  private readonly tallies = new Map<string, { readonly period: string; readonly name: string; readonly tally: T }>();
  readonly total: T;

  constructor(private readonly make: (name: string) => T) {
    this.total = make('');
  }

  /** Counts in the row and in the total. Throws `REPORT_TOO_LARGE`. */
  count(period: string | undefined, name: string, how: (tally: T) => void): void {
    how(this.total);
    const key = JSON.stringify([period, name]);
    let group = this.tallies.get(key);
    if (!group) {
      if (this.tallies.size >= MAX_ROWS) throw reportError('REPORT_TOO_LARGE', { limit: MAX_ROWS });
      group = { period: period ?? '', name, tally: this.make(name) };
      this.tallies.set(key, group);
    }
    how(group.tally);
  }

  /** In the order of periods, and in each by names. */
  rows(nameOfColumn: string, withPeriod: boolean): Promise<ReportRow[]> {
    const order = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
    const all = [...this.tallies.values()];
    all.sort((one, other) => order(one.period, other.period) || order(one.name, other.name));
    return mapSlowly(all, ({ period, name, tally }) => ({
      ...(withPeriod ? { period } : {}),
      [nameOfColumn]: name,
      ...tally.row(),
    }));
  }
}
