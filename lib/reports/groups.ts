import { reportError } from './errors';
import type { Found, ReportRow } from './types';
import { mapSlowly } from './walk';

/** Rows of a report: what is counted for them lies in memory. */
export const MAX_ROWS = 20_000;

/** What is counted of one row. */
export interface Tally {
  row(): ReportRow;
}

/** Whom a row is of: two PBXs may each have a queue, or an agent, of one name. */
export interface Whose {
  readonly pbx: string;
  readonly name: string;
}

interface Group<T> extends Whose {
  readonly period: string;
  readonly tally: T;
}

/** The same for the same. */
export const keyOf = ({ pbx, name }: Whose): string => JSON.stringify([pbx, name]);

/** Rows are told apart by their PBX when there are several: then each says its own. */
export const haveSeveral = (pbxs: Iterable<string>): boolean => new Set(pbxs).size > 1;

/** Tallies by period, name and PBX, made when they are first needed, and one of everything. */
export class Groups<T extends Tally> {
  private readonly tallies = new Map<string, Group<T>>();
  private readonly total: T;

  constructor(private readonly make: (whose?: Whose) => T) {
    this.total = make();
  }

  /** Counts in the row and in the total. Throws `REPORT_TOO_LARGE`. */
  count(period: string | undefined, { pbx, name }: Whose, how: (tally: T) => void): void {
    how(this.total);
    const key = JSON.stringify([period, pbx, name]);
    let group = this.tallies.get(key);
    if (!group) {
      if (this.tallies.size >= MAX_ROWS) throw reportError('REPORT_TOO_LARGE', { limit: MAX_ROWS });
      group = { period: period ?? '', pbx, name, tally: this.make({ pbx, name }) };
      this.tallies.set(key, group);
    }
    how(group.tally);
  }

  /** In the order of periods, in each by names, and those of one name by their PBX. */
  async found(nameOfColumn: string, withPeriod: boolean): Promise<Found> {
    const order = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
    const all = [...this.tallies.values()];
    all.sort(
      (one, other) => order(one.period, other.period) || order(one.name, other.name) || order(one.pbx, other.pbx),
    );
    const withPbx = haveSeveral(all.map(({ pbx }) => pbx));
    const rows = await mapSlowly(all, ({ period, pbx, name, tally }) => ({
      ...(withPeriod ? { period } : {}),
      [nameOfColumn]: name,
      ...tally.row(),
      ...(withPbx ? { pbx } : {}),
    }));
    const total = this.total.row();
    return { columns: [nameOfColumn, ...Object.keys(total), ...(withPbx ? ['pbx'] : [])], rows, total };
  }
}
