import { momentsOf, offsetOf } from '../time-zone';
import type { Period } from './types';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const QUARTER_MS = HOUR_MS / 4;

const LOCAL = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?$/;

/**
 * A date, or a time without zone, as the clocks of `zone` show it: wall-clock ms; in the hour that comes twice the first time. A date that ends a time (`isEnd`) is there to its
 * end. `undefined`: it is written in another form, or there is no such date.
 */
export function localMoment(zone: string, value: string, isEnd: boolean): number | undefined {
  const [, date = '', time] = LOCAL.exec(value.trim()) ?? [];
  const local = Date.parse(`${date}T${time ?? '00:00'}Z`);
  // A day too many would be taken for one of the next month.
  if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 10) !== date) return undefined;
  const [at] = momentsOf(zone, time === undefined && isEnd ? local + DAY_MS : local);
  return at;
}

/** Hours or days of a zone, one after the other. */
export class Periods {
  /** Of the quarter of an hour that was asked for last: what comes is mostly in order. */
  private quarter = NaN;
  private label: string | undefined;

  constructor(
    private readonly by: Period,
    private readonly zone: string,
  ) {}

  /** `2026-01-31T09:00+03:00`, `2026-01-31`, or nothing when it is not by periods; sorts as time goes, but for the hour that comes twice. */
  labelAt(at: number): string | undefined {
    if (this.by === 'none') return undefined;
    const quarter = Math.floor(at / QUARTER_MS);
    if (quarter !== this.quarter) {
      this.quarter = quarter;
      this.label = this.labelOf(at);
    }
    return this.label;
  }

  /** The parts of a time, each within one period, in order. */
  *parts(from: number, to: number): Generator<{ readonly from: number; readonly to: number }> {
    if (this.by === 'none') {
      if (from < to) yield { from, to };
      return;
    }
    for (let at = from; at < to;) {
      const label = this.labelAt(at);
      let end = at;
      // Clocks change, and periods end, at the beginning of a quarter.
      do end = (Math.floor(end / QUARTER_MS) + 1) * QUARTER_MS;
      while (end < to && this.labelAt(end) === label);
      yield { from: at, to: Math.min(end, to) };
      at = end;
    }
  }

  private labelOf(at: number): string {
    const offset = offsetOf(this.zone, at);
    const local = new Date(at + offset).toISOString();
    if (this.by === 'day') return local.slice(0, 10);
    const minutes = Math.abs(offset) / 60_000;
    const two = (number: number): string => String(Math.floor(number)).padStart(2, '0');
    return `${local.slice(0, 13)}:00${offset < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
  }
}
