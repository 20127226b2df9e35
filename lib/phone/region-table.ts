import type { Lang } from '../errors';
import { isTimeZone } from '../time-zone';
import { RUSSIAN_REGIONS } from './region-data';
import type { RussianRegion } from './region-data';
import { regionError } from './region-errors';

/** What a table says of a number. */
export interface TableRegion {
  readonly name: string;
  readonly timeZone?: string;
}

const MAX_ROWS = 1_000_000;
const MAX_NAMES = 50_000;
const MAX_LINE = 4096;
const MAX_NAME = 200;
const MAX_ZONES = 2000;

/** Registry: АВС/DEF;От;До;Емкость;Оператор;Регион… */
const REGISTRY_REGION = 5;
const isWhole = (text: string): boolean => /^\d{1,15}$/.test(text);

/** Cells between semicolons, those with quotes as CSV has them. */
function cellsOf(line: string): string[] {
  const cells = line.match(/(?:^|;)(?:"(?:[^"]|"")*"|[^;]*)/g) ?? [];
  return cells.map((cell, n) => {
    const text = (n === 0 ? cell : cell.slice(1)).trim();
    return text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).replaceAll('""', '"').trim() : text;
  });
}

/** Whether a word of the name begins with the stem. */
const begins = (name: string, stem: string): boolean =>
  name.startsWith(stem) || [' ', '-', '/', '(', '.', ','].some((before) => name.includes(`${before}${stem}`));

function regionsNamed(name: string): readonly RussianRegion[] {
  const found = RUSSIAN_REGIONS.filter(({ stem }) => begins(name, stem));
  // Ямало-Ненецкий is no Ненецкий.
  return found.filter(({ stem }) => stem !== 'Ненецк' || !found.some((other) => other.stem === 'Ямало'));
}

/** What stands of a number in a row of the registry of the Russian regulator: `г. Улан-Удэ|Республика Бурятия`. */
function registryRegion(
  text: string,
): { readonly ru: string; readonly en: string; readonly timeZone?: string } | undefined {
  const name = text.split('|').at(-1)?.trim().slice(0, MAX_NAME) ?? '';
  // Numbers that are given out all over the country say nothing of where they are.
  if (name === '' || /^Росси/i.test(name)) return undefined;
  const regions = regionsNamed(name);
  const zones = new Set(regions.map(({ timeZone }) => timeZone));
  const [zone] = zones;
  return {
    ru: name,
    en: regions.length === 0 ? name : regions.map(({ en }) => en).join(', '),
    ...(zones.size === 1 && zone !== undefined ? { timeZone: zone } : {}),
  };
}

interface Name {
  readonly en: string;
  readonly ru: string;
  readonly timeZone?: string;
}

/** Ranges of numbers and the region of each, as an admin has loaded them. Some 25 bytes a row. */
export class RegionTable {
  constructor(
    /** In order; of several with the same start the longest comes first. */
    private readonly starts: Float64Array,
    private readonly ends: Float64Array,
    /** By row: the last one before it that ends behind it, or -1. */
    private readonly around: Int32Array,
    private readonly places: Uint16Array,
    private readonly names: readonly Name[],
    /** Rows that could not be read, headings too. */
    readonly skipped: number,
  ) {}

  get size(): number {
    return this.starts.length;
  }

  /** `e164`: with its plus. Of ranges that hold the number the one that begins last counts, of those the shortest. */
  find(e164: string, language: Lang): TableRegion | undefined {
    const number = Number(e164.replace('+', ''));
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.starts[middle] ?? Infinity) <= number) low = middle + 1;
      else high = middle;
    }
    let row = low - 1;
    while (row >= 0 && number > (this.ends[row] ?? -1)) row = this.around[row] ?? -1;
    const name = this.names[this.places[row] ?? -1];
    return name && { name: name[language], ...(name.timeZone === undefined ? {} : { timeZone: name.timeZone }) };
  }
}

/** The row around each row; see {@link RegionTable}. */
function rowsAround(ends: Float64Array): Int32Array {
  const around = new Int32Array(ends.length);
  ends.forEach((end, row) => {
    let before = row - 1;
    while (before >= 0 && (ends[before] ?? 0) <= end) before = around[before] ?? -1;
    around[row] = before;
  });
  return around;
}

type Pause = () => Promise<void>;

/** Steps of sorting at once: some milliseconds. */
const STEPS = 50_000;

/** The numbers from 0 in the order that `isBefore` says. Merges, since a sort of so many at once holds the event loop for seconds. */
async function inOrder(
  count: number,
  isBefore: (one: number, other: number) => boolean,
  pause: Pause,
): Promise<Uint32Array> {
  let [from, into] = [new Uint32Array(count), new Uint32Array(count)];
  for (let row = 0; row < count; row += 1) from[row] = row;
  let steps = 0;
  for (let width = 1; width < count; width *= 2) {
    for (let start = 0; start < count; start += 2 * width) {
      const [middle, end] = [Math.min(start + width, count), Math.min(start + 2 * width, count)];
      let [left, right] = [start, middle];
      for (let at = start; at < end; at += 1) {
        const [one = 0, other = 0] = [from[left], from[right]];
        const isLeft = left < middle && (right >= end || !isBefore(other, one));
        into[at] = isLeft ? one : other;
        if (isLeft) left += 1;
        else right += 1;
        steps += 1;
        if (steps % STEPS === 0) await pause();
      }
    }
    [from, into] = [into, from];
  }
  return from;
}

/** Gathers the rows of a table. */
class Rows {
  /** Of each row, as they come. */
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly regionOf: number[] = [];
  /** What texts of the registry say: there are some hundreds of them. */
  private readonly regions = new Map<string, ReturnType<typeof registryRegion>>();
  private readonly names: Name[] = [];
  private readonly places = new Map<string, number>();
  /** To ask what a name of a time zone is worth takes a fraction of a millisecond. */
  private readonly zones = new Map<string, boolean>();
  skipped = 0;

  line(line: string): void {
    if (line.trim() === '') return;
    const cells = line.length > MAX_LINE ? [] : cellsOf(line);
    if (!(isWhole(cells[0] ?? '') && (cells.length > REGISTRY_REGION ? this.registry(cells) : this.own(cells)))) {
      this.skipped += 1;
    }
  }

  async table(pause: Pause): Promise<RegionTable> {
    const { names, skipped } = this;
    const count = this.starts.length;
    if (count === 0) throw regionError('REGION_TABLE_BAD');
    const isBefore = (one: number, other: number): boolean => {
      const apart = (this.starts[one] ?? 0) - (this.starts[other] ?? 0);
      return apart < 0 || (apart === 0 && (this.ends[one] ?? 0) > (this.ends[other] ?? 0));
    };
    const order = await inOrder(count, isBefore, pause);
    const [starts, ends, places] = [new Float64Array(count), new Float64Array(count), new Uint16Array(count)];
    for (let at = 0; at < count; at += 1) {
      const row = order[at] ?? 0;
      starts[at] = this.starts[row] ?? 0;
      ends[at] = this.ends[row] ?? 0;
      places[at] = this.regionOf[row] ?? 0;
      if (at % STEPS === 0) await pause();
    }
    return new RegionTable(starts, ends, rowsAround(ends), places, names, skipped);
  }

  private registry(cells: readonly string[]): boolean {
    const [code = '', from = '', to = ''] = cells;
    const text = cells[REGISTRY_REGION] ?? '';
    if (!/^\d{3}$/.test(code) || !/^\d{1,7}$/.test(from) || !/^\d{1,7}$/.test(to)) return false;
    if (!this.regions.has(text) && this.regions.size < MAX_NAMES) this.regions.set(text, registryRegion(text));
    const region = this.regions.has(text) ? this.regions.get(text) : registryRegion(text);
    if (!region) return true;
    return this.add(Number(`7${code}${from.padStart(7, '0')}`), Number(`7${code}${to.padStart(7, '0')}`), region);
  }

  private own([from = '', to = '', name = '', zone = '']: readonly string[]): boolean {
    if (!isWhole(to) || name === '' || name.length > MAX_NAME || !this.isZone(zone)) return false;
    return this.add(Number(from), Number(to), { en: name, ru: name, ...(zone === '' ? {} : { timeZone: zone }) });
  }

  private isZone(zone: string): boolean {
    if (zone === '') return true;
    const known = this.zones.get(zone);
    if (known !== undefined) return known;
    // There are some hundreds of them: beyond it they are no names of time zones.
    const isOne = this.zones.size < MAX_ZONES && isTimeZone(zone);
    if (this.zones.size < MAX_ZONES) this.zones.set(zone, isOne);
    return isOne;
  }

  private add(start: number, end: number, name: Name): boolean {
    if (start > end) return false;
    if (this.starts.length >= MAX_ROWS) throw regionError('REGION_TABLE_TOO_LARGE', { limit: MAX_ROWS });
    const key = `${name.ru};${name.timeZone ?? ''}`;
    let place = this.places.get(key);
    if (place === undefined) {
      if (this.names.length >= MAX_NAMES) throw regionError('REGION_TABLE_TOO_LARGE', { limit: MAX_NAMES });
      place = this.names.push(name) - 1;
      this.places.set(key, place);
    }
    this.starts.push(start);
    this.ends.push(end);
    this.regionOf.push(place);
    return true;
  }
}

/**
 * Reads a table as it comes in, chunk by chunk (UTF-8): rows `from;to;region;time zone` of whole numbers with country code, or those of
 * the open registry of the Russian regulator (АВС/DEF;От;До;Емкость;Оператор;Регион…) as they are. Rows that cannot be read are counted
 * and left out. Rejects with `REGION_TABLE_BAD` (no row) or `REGION_TABLE_TOO_LARGE`, or as `chunks` does. At the end `pause` is
 * waited for every few milliseconds, so that others have their turn.
 */
export async function readRegionTable(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  pause: Pause = () => Promise.resolve(),
): Promise<RegionTable> {
  const decoder = new TextDecoder();
  const rows = new Rows();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/);
    rest = lines.pop() ?? '';
    // What is longer is no row, and its end is not waited for.
    if (rest.length > 2 * MAX_LINE) rest = rest.slice(0, MAX_LINE + 1);
    for (const line of lines) rows.line(line);
  }
  rows.line(rest + decoder.decode());
  return rows.table(pause);
}
