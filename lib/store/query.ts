import { DIRECTIONS, numberKeys, RESULTS } from './call-rows';
import { badQuery } from './errors';
import type { CallQuery } from './types';

const MAX_LIMIT = 1000;
const USUAL_LIMIT = 50;
const MAX_OFFSET = 100_000;
const MAX_LIST = 100;
const MAX_TEXT = 128;
const MAX_DAYS = 36_500;
/** Below it a number is of seconds since 1970 (until the year 5138), above it of milliseconds (since 1973). */
const SECONDS_BELOW = 100_000_000_000;
/** What four digits of a year can write; JavaScript knows no date before the year -271821 or after 275760, nor can one be reckoned with near them. */
const FIRST_MOMENT = Date.parse('0000-01-01T00:00:00.000Z');
const LAST_MOMENT = Date.parse('9999-12-31T23:59:59.999Z');

type Fields = Readonly<Record<string, unknown>>;

const FIELDS = [
  'from',
  'to',
  'numbers',
  'extensions',
  'directions',
  'results',
  'queues',
  'pbx',
  'callId',
  'sort',
  'limit',
  'offset',
  'after',
];

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

export const isAbsent = (value: unknown): boolean => value === undefined || value === null || value === '';

/** What somebody sent, for an error: bounded, and never an object. */
const shown = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 60) : typeof value;

/** Whether a text begins with a date that there is: the 30th of February would be taken for a day of March. */
function isDate(text: string): boolean {
  const [month = '', day] = /^\d{4}-\d\d(-\d\d)?/.exec(text) ?? [];
  const at = Date.parse(`${month.slice(0, 7)}${day ?? '-01'}T00:00Z`);
  return !Number.isNaN(at) && (day === undefined || new Date(at).toISOString().startsWith(month));
}

/**
 * A moment as people and CRMs write it: ISO-8601, or a number (also as text) of seconds or of milliseconds since 1970. A day
 * without a time is its beginning in UTC; as `to` it is its end.
 */
export function moment(name: string, value: unknown): number {
  const text = typeof value === 'string' ? value.trim() : value;
  const read = momentIn(text);
  if (!(read >= FIRST_MOMENT && read <= LAST_MOMENT)) {
    throw badQuery({
      en: `"${name}" is "${shown(value)}"; write a time as 2026-01-31T09:00:00Z, or in seconds or milliseconds since 1970.`,
      ru: `«${name}»: «${shown(value)}»; напишите время как 2026-01-31T09:00:00Z, в секундах или в миллисекундах с 1970 года.`,
    });
  }
  const isDay = typeof text === 'string' && /^\d{4}-\d\d-\d\d$/.test(text);
  return isDay && name !== 'from' && name !== 'start_dt' ? read + 24 * 60 * 60 * 1000 - 1 : read;
}

/** NaN: it is none. */
function momentIn(value: unknown): number {
  if (value instanceof Date) return value.getTime();
  if (typeof value === 'string' && !/^-?\d+(?:\.\d+)?$/.test(value)) return isDate(value) ? Date.parse(value) : NaN;
  const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : NaN;
  return Math.trunc(Math.abs(number) < SECONDS_BELOW ? number * 1000 : number);
}

/** How far back a dialog goes, in days and parts of them (`0,5`); `undefined`: it does not say. */
export function daysBack(value: unknown): number | undefined {
  if (isAbsent(value)) return undefined;
  const text = typeof value === 'string' ? value.trim().replace(',', '.') : value;
  const days = typeof text === 'string' || typeof text === 'number' ? Number(text) : NaN;
  if (days >= 0 && days <= MAX_DAYS) return days === 0 ? undefined : days;
  throw badQuery({
    en: `"days" is "${shown(value)}"; write a number of days, at most ${MAX_DAYS}.`,
    ru: `«days»: «${shown(value)}»; напишите число дней, не больше ${MAX_DAYS}.`,
  });
}

/** A list, or one value, or values with commas. */
export function list(name: string, value: unknown): string[] {
  const items: unknown[] = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : [value];
  const texts = items.map((item) => (typeof item === 'number' ? String(item) : item));
  if (
    texts.length === 0 ||
    texts.length > MAX_LIST ||
    !texts.every((text) => typeof text === 'string' && isName(text))
  ) {
    throw badQuery({
      en: `"${name}" must be a list of 1 to ${MAX_LIST} short texts.`,
      ru: `«${name}» — список из 1–${MAX_LIST} коротких строк.`,
    });
  }
  return texts.map((text) => (text as string).trim());
}

const isName = (text: string): boolean => text.trim() !== '' && text.length <= MAX_TEXT && !text.includes('\0');

export function oneOf<T extends string>(name: string, value: unknown, known: readonly T[]): T[] {
  const given = list(name, value);
  const wrong = given.find((item) => !(known as readonly string[]).includes(item));
  if (wrong === undefined) return given as T[];
  throw badQuery({
    en: `"${name}" knows no "${shown(wrong)}"; there are ${known.join(', ')}.`,
    ru: `«${name}»: «${shown(wrong)}» не бывает; есть ${known.join(', ')}.`,
  });
}

function numbers(name: string, value: unknown): string[] {
  const given = list(name, value);
  const wrong = given.find((item) => numberKeys(item).length === 0);
  if (wrong === undefined) return given;
  throw badQuery({
    en: `"${name}" holds "${shown(wrong)}", which has no digits.`,
    ru: `«${name}»: в «${shown(wrong)}» нет цифр.`,
  });
}

export function whole(name: string, value: unknown, least: number, most: number): number {
  const text =
    typeof value === 'number' ? value : typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : NaN;
  if (Number.isInteger(text) && text >= least && text <= most) return text;
  throw badQuery({
    en: `"${name}" is "${shown(value)}"; write a whole number from ${least} to ${most}.`,
    ru: `«${name}»: «${shown(value)}»; нужно целое число от ${least} до ${most}.`,
  });
}

export function text(name: string, value: unknown): string {
  if (typeof value === 'string' && isName(value)) return value;
  throw badQuery({ en: `"${name}" must be a short text.`, ru: `«${name}» — короткая строка.` });
}

function sortOf(value: unknown): NonNullable<CallQuery['sort']> {
  // UserCRM: {"dt": "+"} is the oldest first.
  const asked = isFields(value)
    ? ({ '+': 'startedAt', '-': '-startedAt' } as Fields)[typeof value.dt === 'string' ? value.dt : '']
    : value;
  if (asked === 'startedAt' || asked === '-startedAt') return asked;
  throw badQuery({
    en: '"sort" must be "startedAt" (the oldest first), "-startedAt", or {"dt": "+"} or {"dt": "-"}.',
    ru: '«sort»: «startedAt» (сначала старые), «-startedAt», {"dt": "+"} или {"dt": "-"}.',
  });
}

/** Reads one field each, those that are there. */
function fieldsOf(given: Fields): Partial<CallQuery> {
  const read = <T>(name: string, reader: (name: string, value: unknown) => T): Readonly<Record<string, T>> =>
    isAbsent(given[name]) ? {} : { [name]: reader(name, given[name]) };
  return {
    ...read('from', moment),
    ...read('to', moment),
    ...read('numbers', numbers),
    ...read('extensions', list),
    ...read('directions', (name, value) => oneOf(name, value, DIRECTIONS)),
    ...read('results', (name, value) => oneOf(name, value, RESULTS)),
    ...read('queues', list),
    ...read('pbx', text),
    ...read('callId', text),
    ...read('sort', (_name, value) => sortOf(value)),
    ...read('limit', (name, value) => whole(name, value, 1, MAX_LIMIT)),
    ...read('offset', (name, value) => whole(name, value, 0, MAX_OFFSET)),
    ...read('after', text),
  };
}

/**
 * UserCRM's `get_cdr`: `{sort: {dt: "+"}, limit, offset, params: {start_dt, end_dt, src_or_dst_list}}`. What else stands around
 * `params` belongs to the request and not to the question.
 */
function ownForm(payload: Fields): Fields {
  if (payload.params === undefined && payload.action !== 'get_cdr') return payload;
  const params = payload.params ?? {};
  if (!isFields(params)) throw badQuery({ en: '"params" must be an object.', ru: '«params» — объект.' });
  const { start_dt: from, end_dt: to, src_or_dst_list: src, ...unknown } = params;
  refuseUnknown(Object.keys(unknown), ['start_dt', 'end_dt', 'src_or_dst_list']);
  const { sort, limit, offset, after } = payload;
  return { from, to, numbers: Array.isArray(src) && src.length === 0 ? undefined : src, sort, limit, offset, after };
}

/** A filter with a slip of the pen must not answer with all calls. */
export function refuseUnknown(names: readonly string[], known: readonly string[]): void {
  const [wrong] = names.filter((name) => !known.includes(name));
  if (wrong === undefined) return;
  throw badQuery({
    en: `there is no "${shown(wrong)}"; known are ${known.join(', ')}.`,
    ru: `поля «${shown(wrong)}» нет; есть ${known.join(', ')}.`,
  });
}

/**
 * Reads a question for calls, with `usual` for what it does not say. A payload that is no object (the time that an inject node
 * sends, nothing at all) asks for the usual. Throws `QUERY_BAD`, naming the field that is wrong.
 */
export function callQuery(payload: unknown, usual: Partial<CallQuery> = {}): CallQuery {
  if (Array.isArray(payload)) throw badQuery({ en: 'it must be an object.', ru: 'нужен объект.' });
  const given = isFields(payload) ? ownForm(payload) : {};
  refuseUnknown(
    Object.keys(given).filter((name) => given[name] !== undefined),
    FIELDS,
  );
  const asked = { limit: USUAL_LIMIT, ...usual, ...fieldsOf(given) };
  if (asked.after !== undefined && asked.offset !== undefined) {
    throw badQuery({ en: 'give "after" or "offset", not both.', ru: 'укажите «after» или «offset», но не оба.' });
  }
  return asked;
}

/** The same fields as they stand in a dialog; empty ones are absent. */
export const usualQuery = (fields: Fields): Partial<CallQuery> => fieldsOf(fields);
