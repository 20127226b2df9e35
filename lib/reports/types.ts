export const REPORTS = ['queues', 'agents', 'missed'] as const;
export type ReportName = (typeof REPORTS)[number];
export const PERIODS = ['none', 'hour', 'day'] as const;
export type Period = (typeof PERIODS)[number];
export const FORMATS = ['json', 'csv'] as const;
export type ReportFormat = (typeof FORMATS)[number];

/** What is asked for. */
export interface ReportQuery {
  readonly report: ReportName;
  /** Wall-clock ms, inclusive: of a stay when the call joined, of a conversation when it began, of a missed call when it came in. */
  readonly from: number;
  /** Wall-clock ms, not inclusive. */
  readonly to: number;
  /** Name of the `ami-config`; absent: all of them. */
  readonly pbx?: string;
  readonly queues?: readonly string[];
  /** Extensions. */
  readonly agents?: readonly string[];
  readonly by: Period;
  /** IANA: what an hour and a day are. */
  readonly timeZone: string;
  /** A call that is answered so soon after it joined the queue counts for the service level. */
  readonly serviceSeconds: number;
  readonly format: ReportFormat;
  /** Between the cells of CSV. */
  readonly separator: string;
}

/** A value of a report: seconds, a number of calls, a name; absent in JSON and empty in CSV when there is none. */
export type Cell = string | number | boolean | undefined;
export type ReportRow = Readonly<Record<string, Cell>>;

/** What is found for a report. */
export interface Found {
  /** The same for every report of its kind, in the order of a table; but for the period, and for `pbx` behind them when the rows are of several. */
  readonly columns: readonly string[];
  readonly rows: readonly ReportRow[];
  /** All rows together. */
  readonly total: ReportRow;
}

export interface Report extends Found {
  readonly report: ReportName;
  /** ISO-8601 UTC. */
  readonly from: string;
  readonly to: string;
  readonly timeZone: string;
  readonly by: Period;
  readonly serviceSeconds: number;
}
