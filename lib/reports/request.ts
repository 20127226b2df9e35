import { isTimeZone, ownTimeZone, startOfDay } from '../time-zone';
import { badQuery } from '../store/errors';
import { daysBack, isAbsent, isFields, list, moment, oneOf, refuseUnknown, text, whole } from '../store/query';
import { localMoment } from './local-times';
import { FORMATS, PERIODS, REPORTS } from './types';
import type { Period, ReportFormat, ReportName, ReportQuery } from './types';

type Fields = Readonly<Record<string, unknown>>;

const FIELDS = [
  'report',
  'from',
  'to',
  'pbx',
  'queues',
  'agents',
  'by',
  'timeZone',
  'serviceSeconds',
  'format',
  'separator',
];
/** What the rows of a report do not have cannot be asked of it. */
const NOT_IN: Readonly<Record<string, readonly string[]>> = {
  queues: ['agents'],
  agents: [],
  missed: ['agents', 'by'],
};
const CALLS = 'calls';
const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_SERVICE_SECONDS = 3600;

/** What a dialog says of reports. */
export interface UsualReport {
  /** Absent: a question that names no report is one for calls. */
  readonly report?: ReportName;
  readonly by: Period;
  readonly format: ReportFormat;
  /** How far back, in days; absent: from the beginning of today. */
  readonly days?: number;
  readonly timeZone: string;
  readonly serviceSeconds: number;
  readonly separator: string;
}

/** Whether a question is one for a report, and not for calls: `calls` as name of the report, and the form of UserCRM, never are. */
export function isReportQuestion(payload: unknown, usual: UsualReport): boolean {
  if (!isFields(payload)) return usual.report !== undefined;
  if (payload.params !== undefined || payload.action === 'get_cdr') return false;
  return isAbsent(payload.report) ? usual.report !== undefined : payload.report !== CALLS;
}

/** A question without its `report`, when that says that it is one for calls. */
export function withoutReport(payload: unknown): unknown {
  if (!isFields(payload) || payload.report !== CALLS) return payload;
  return Object.fromEntries(Object.entries(payload).filter(([name]) => name !== 'report'));
}

/** One of `values`, and not a list of them. */
function choice<T extends string>(name: string, value: unknown, values: readonly T[]): T {
  const [first, ...more] = oneOf(name, value, values);
  if (first !== undefined && more.length === 0) return first;
  throw badQuery({ en: `"${name}" must be one value.`, ru: `«${name}» — одно значение.` });
}

function timeZoneOf(value: unknown): string {
  const zone = text('timeZone', value);
  if (isTimeZone(zone)) return zone;
  throw badQuery({
    en: '"timeZone" must be the name of a time zone, such as Europe/Moscow.',
    ru: '«timeZone» — название часового пояса, например Europe/Moscow.',
  });
}

function separatorOf(value: unknown): string {
  if (value === ',' || value === ';' || value === '\t') return value;
  throw badQuery({
    en: '"separator" must be a comma, a semicolon or a tab.',
    ru: '«separator» — запятая, точка с запятой или табуляция.',
  });
}

/** The dialog of a node; empty fields are the usual. Throws `QUERY_BAD`. */
export function usualReport(dialog: Fields): UsualReport {
  const { report, by, format, days, timeZone, serviceSeconds, separator } = dialog;
  const back = daysBack(days);
  return {
    timeZone: isAbsent(timeZone) ? ownTimeZone() : timeZoneOf(timeZone),
    serviceSeconds: isAbsent(serviceSeconds) ? 20 : whole('serviceSeconds', serviceSeconds, 1, MAX_SERVICE_SECONDS),
    separator: isAbsent(separator) ? ',' : separatorOf(separator),
    by: isAbsent(by) ? 'none' : choice('by', by, PERIODS),
    format: isAbsent(format) ? 'json' : choice('format', format, FORMATS),
    ...(isAbsent(report) || report === CALLS ? {} : { report: choice('report', report, REPORTS) }),
    ...(back === undefined ? {} : { days: back }),
  };
}

/**
 * Reads a question for a report, with `usual` for what it does not say; a date, or a time without a zone, is one of the time zone of
 * the report. Throws `QUERY_BAD`, naming the field that is wrong.
 */
export function reportQuery(question: unknown, usual: UsualReport, now: number): ReportQuery {
  if (Array.isArray(question)) throw badQuery({ en: 'it must be an object.', ru: 'нужен объект.' });
  const payload = isFields(question) ? question : {};
  const given = Object.keys(payload).filter((name) => !isAbsent(payload[name]));
  const report = choice('report', isAbsent(payload.report) ? usual.report : payload.report, REPORTS);
  refuseUnknown(
    given,
    FIELDS.filter((name) => !NOT_IN[report]?.includes(name)),
  );
  const read = <T>(name: string, absent: T, reader: (name: string, value: unknown) => T): T =>
    isAbsent(payload[name]) ? absent : reader(name, payload[name]);
  const timeZone = read('timeZone', usual.timeZone, (_name, value) => timeZoneOf(value));
  const when = (name: string, value: unknown): number =>
    (typeof value === 'string' ? localMoment(timeZone, value, name === 'to') : undefined) ?? moment(name, value);
  const to = read('to', now, when);
  const from = read(
    'from',
    usual.days === undefined ? startOfDay(timeZone, Math.min(to, now)) : to - usual.days * DAY_MS,
    when,
  );
  if (from >= to) throw badQuery({ en: '"from" must be before "to".', ru: '«from» должно быть раньше «to».' });
  const pbx = read<string | undefined>('pbx', undefined, text);
  const queues = read<string[] | undefined>('queues', undefined, list);
  const agents = read<string[] | undefined>('agents', undefined, list);
  return {
    report,
    from: Math.floor(from),
    to: Math.floor(to),
    timeZone,
    by: read('by', report === 'missed' ? 'none' : usual.by, (name, value) => choice(name, value, PERIODS)),
    serviceSeconds: read('serviceSeconds', usual.serviceSeconds, (name, value) =>
      whole(name, value, 1, MAX_SERVICE_SECONDS),
    ),
    format: read('format', usual.format, (name, value) => choice(name, value, FORMATS)),
    separator: read('separator', usual.separator, (_name, value) => separatorOf(value)),
    ...(pbx === undefined ? {} : { pbx }),
    ...(queues ? { queues } : {}),
    ...(agents ? { agents } : {}),
  };
}
