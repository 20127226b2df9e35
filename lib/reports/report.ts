import type { Store } from '../store/types';
import { agentRows } from './agents';
import { csvOf } from './csv';
import { missedRows } from './missed';
import { queueRows } from './queues';
import type { Found, Report, ReportQuery, ReportRow } from './types';
import { mapSlowly } from './walk';

/**
 * Makes a report of what the store has, with many short looks into it. Rejects with `REPORT_TOO_LARGE`, or as the store does.
 * `now`: wall-clock ms.
 */
export async function makeReport(store: Store, query: ReportQuery, now: number): Promise<Report> {
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
