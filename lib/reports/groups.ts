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
  readonly tally: T;
}

/** The same for the same: what the store keeps has no NUL in it. */
export const keyOf = ({ pbx, name }: Whose): string => `${pbx}\0${name}`;

/** Rows are told apart by their PBX when there are several: then each says its own. */
export const haveSeveral = (pbxs: Iterable<string>): boolean => new Set(pbxs).size > 1;

const order = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** Tallies by period, name and PBX, made when they are first needed, and one of everything. */
export class Groups<T extends Tally> {
  private readonly periods = new Map<string, Map<string, Group<T>>>();
  private readonly pbxs = new Set<string>();
  private size = 0;
  private readonly total: T;

  constructor(private readonly make: (whose?: Whose) => T) {
    this.total = make();
  }

  /** Counts in the row and in the total. Throws `REPORT_TOO_LARGE`. */
  count(period = '', whose: Whose, how: (tally: T) => void): void {
    how(this.total);
    let groups = this.periods.get(period);
    if (!groups) {
      groups = new Map<string, Group<T>>();
      this.periods.set(period, groups);
    }
    const key = keyOf(whose);
    let group = groups.get(key);
    if (!group) {
      if (this.size >= MAX_ROWS) throw reportError('REPORT_TOO_LARGE', { limit: MAX_ROWS });
      this.size += 1;
      this.pbxs.add(whose.pbx);
      group = { ...whose, tally: this.make(whose) };
      groups.set(key, group);
    }
    how(group.tally);
  }

  /** In the order of periods, in each by names, and those of one name by their PBX. */
  async found(nameOfColumn: string, withPeriod: boolean): Promise<Found> {
    const periods = [...this.periods].sort(([one], [other]) => order(one, other));
    const sorted = await mapSlowly(periods, ([period, groups]) =>
      [...groups.values()]
        .sort((one, other) => order(one.name, other.name) || order(one.pbx, other.pbx))
        .map((group) => ({ period, ...group })),
    );
    const withPbx = haveSeveral(this.pbxs);
    // Not spread: behind other fields that takes ten times as long.
    const rows = await mapSlowly(sorted.flat(), ({ period, pbx, name, tally }) =>
      Object.assign(withPeriod ? { period } : {}, { [nameOfColumn]: name }, tally.row(), withPbx ? { pbx } : {}),
    );
    const total = this.total.row();
    return { columns: [nameOfColumn, ...Object.keys(total), ...(withPbx ? ['pbx'] : [])], rows, total };
  }
}
