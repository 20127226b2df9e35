import type { Text } from '../errors';
import { momentsOf } from '../time-zone';

/** By which clocks the times of the rows are: those of the database (UTC), of each row's `gmtOffset`, or of a time zone. */
export type RowClock =
  { readonly by: 'utc' } | { readonly by: 'offset' } | { readonly by: 'zone'; readonly zone: string };

const MINUTE_MS = 60_000;
/** No clock is further from UTC. */
const MOST_MINUTES = 14 * 60;
/** What is not between is no call of a contact centre, and a time that was read wrongly. */
const EARLIEST = Date.UTC(2000, 0);
const LATEST = Date.UTC(2100, 0);

const WRITTEN =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/** Minutes east of UTC, as the column `gmtOffset` has them; `undefined`: it is none. */
export function offsetMinutes(value: number | undefined): number | undefined {
  return value !== undefined && Math.abs(value) <= MOST_MINUTES && value % 15 === 0 ? value : undefined;
}

/** Minutes of `Z`, `+03`, `+03:00`, `+0300`. */
function writtenOffset(text: string): number {
  if (text.toUpperCase() === 'Z') return 0;
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(3).replace(':', ''));
  return text.startsWith('-') ? -minutes : minutes;
}

export const TIME_PROBLEM: Text = {
  en: 'a time in it is none: use 2026-11-21 13:05:06.000.',
  ru: 'в ней есть время, которое прочесть нельзя: нужно 2026-11-21 13:05:06.000.',
};
export const OFFSET_PROBLEM: Text = {
  en: 'it has no usable gmtOffset (minutes, such as 180), by which its times are to be read.',
  ru: 'в ней нет годного gmtOffset (в минутах, например 180), по которому нужно читать её времена.',
};

/**
 * The moments that a time of a row can mean, in wall-clock ms, the likeliest first; empty when it is none. A time that names its own zone, a
 * `Date` and a number of ms mean one. In the hour that comes twice when clocks are set back, `gmtOffset` tells which it was, if the row has
 * it; else both are given, the first one first.
 */
export function momentsIn(value: unknown, clock: RowClock, gmtOffset: number | undefined): readonly number[] {
  if (value instanceof Date || typeof value === 'number') return [Number(value)].filter(isLikely);
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone] =
    typeof value === 'string' && value.length <= 64 ? (WRITTEN.exec(value.trim()) ?? []) : [];
  if (year === undefined) return [];
  const date = `${year}-${month}-${day}`;
  const local = Date.parse(`${date}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0').slice(0, 3)}Z`);
  // 30 February would become the 2nd of March.
  if (Number.isNaN(local) || !new Date(local).toISOString().startsWith(date)) return [];
  if (zone !== undefined) return [local - writtenOffset(zone) * MINUTE_MS].filter(isLikely);
  return localMoments(local, clock, gmtOffset).filter(isLikely);
}

function localMoments(local: number, clock: RowClock, gmtOffset: number | undefined): readonly number[] {
  const byOffset = gmtOffset === undefined ? undefined : local - gmtOffset * MINUTE_MS;
  if (clock.by === 'utc') return [local];
  if (clock.by === 'offset') return byOffset === undefined ? [] : [byOffset];
  const both = momentsOf(clock.zone, local);
  return byOffset !== undefined && both.includes(byOffset) ? [byOffset] : both;
}

const isLikely = (at: number): boolean => at >= EARLIEST && at < LATEST;
