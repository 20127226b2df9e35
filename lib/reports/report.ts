import type { Store } from '../store/types';
import { Turns } from '../turns';
import { agentRows } from './agents';
import { csvOf } from './csv';
import { reportError } from './errors';
import { missedRows } from './missed';
import { queueRows } from './queues';
import type { Found, Report, ReportQuery, ReportRow } from './types';
import { mapSlowly } from './walk';

/** What is counted for a report lies in memory until it is made. */
const AT_ONCE = 4;
const MAX_WAITING = 100;

/** Of the whole process, as is the event loop. */
const turns = new Turns(AT_ONCE, MAX_WAITING);

/**
 * Makes a report of what the store has, with many short looks into it; a few at once, the others wait. Rejects with `REPORTS_BUSY` when
 * too many wait, with `REPORT_TOO_LARGE`, or as the store does. `now`: wall-clock ms.
 */
export async function makeReport(store: Store, query: ReportQuery, now: number): Promise<Report> {
  if (turns.isFull) throw reportError('REPORTS_BUSY', { limit: MAX_WAITING });
  return turns.run(() => made(store, query, now));
}

async function made(store: Store, query: ReportQuery, now: number): Promise<Report> {
  const { report, from, to, timeZone, by, serviceSeconds } = query;
  const found: Record<typeof report, () => Promise<Found>> = {
    queues: () => queueRows(store, query),
    agents: () => agentRows(store, query, now),
    missed: () => missedRows(store, query),
  };
  const { columns, rows, total } = await found[report]();
  return {
    report,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    timeZone,
    by,
    serviceSeconds,
    columns: by === 'none' ? columns : ['period', ...columns],
    rows: await mapSlowly(rows, withoutAbsent),
    total: withoutAbsent(total),
  };
}

const withoutAbsent = (row: ReportRow): ReportRow =>
  Object.fromEntries(Object.entries(row).filter(([, cell]) => cell !== undefined));

/** The rows of a report as CSV. */
export const reportCsv = ({ columns, rows }: Report, separator: string): Promise<string> =>
  csvOf(columns, rows, separator);
