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

/** A time that lies within one period. */
interface Part {
  readonly from: number;
  readonly to: number;
  /** `2026-01-31T09:00+03:00`, `2026-01-31`, or nothing when it is not by periods; sorts as time goes, but for the hour that comes twice. */
  readonly label: string | undefined;
}

/** Hours or days of a zone, one after the other. */
export class Periods {
  /** From the moment that was asked for last to the end of its period: what comes is mostly in order. */
  private last: Part = { from: 0, to: 0, label: undefined };

  constructor(
    private readonly by: Period,
    private readonly zone: string,
  ) {}

  /** See {@link Part}. */
  labelAt(at: number): string | undefined {
    return this.restAt(at).label;
  }

  /** The parts of a time, each within one period, in order. */
  *parts(from: number, to: number): Generator<Part> {
    for (let at = from; at < to;) {
      const rest = this.restAt(at);
      const end = Math.min(rest.to, to);
      yield { from: at, to: end, label: rest.label };
      at = end;
    }
  }

  private restAt(at: number): Part {
    if (at < this.last.from || at >= this.last.to) this.last = this.findRest(at);
    return this.last;
  }

  private findRest(at: number): Part {
    const { by, zone } = this;
    if (by === 'none') return { from: -Infinity, to: Infinity, label: undefined };
    const label = this.labelOf(at);
    const length = by === 'day' ? DAY_MS : HOUR_MS;
    const offset = offsetOf(zone, at);
    const to = (Math.floor((at + offset) / length) + 1) * length - offset;
    if (offsetOf(zone, to - 1) === offset) return { from: at, to, label };
    // Clocks change, and periods end, at the beginning of a quarter.
    let end = at;
    do end = (Math.floor(end / QUARTER_MS) + 1) * QUARTER_MS;
    while (this.labelOf(end) === label);
    return { from: at, to: end, label };
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
