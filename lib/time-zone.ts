const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Zones in use at once are far fewer; the bound keeps hostile spellings of them from filling the memory. */
const MAX_ZONES = 512;
/** Of one zone; then they are forgotten and learnt anew. */
const MAX_OFFSETS = 256;

interface Zone {
  readonly format: Intl.DateTimeFormat;
  /** Offsets in ms at beginnings of quarters of an hour (ms since 1970): clocks change there only. */
  readonly offsets: Map<number, number>;
}

const zones = new Map<string, Zone>();

function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  const zone: Zone = { format, offsets: new Map() };
  const oldest = zones.size >= MAX_ZONES ? zones.keys().next().value : undefined;
  if (oldest !== undefined) zones.delete(oldest);
  zones.set(name, zone);
  return zone;
}

/** Whether the text is the name of a time zone of the IANA database (`Asia/Omsk`, `UTC`) that this Node.js knows. */
export function isTimeZone(name: string): boolean {
  // Node.js takes offsets like +03:00 too, and what is longer than any name is none.
  if (!/^[A-Za-z][\w+/-]{0,63}$/.test(name)) return false;
  try {
    zoneOf(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * How far the clocks of a zone are ahead of UTC at this moment, in ms: the rules of the zone by the data of this Node.js.
 * Throws a RangeError for a name that {@link isTimeZone} refuses.
 */
export function offsetOf(name: string, now: number): number {
  const zone = zoneOf(name);
  // No zone changes twice in a day (since 1970 there are six days between two changes, at least), so most days cost one look for all of it.
  const day = Math.floor(now / DAY_MS) * DAY_MS;
  const offset = offsetAt(zone, day);
  return offset === offsetAt(zone, day + DAY_MS) ? offset : offsetAt(zone, Math.floor(now / QUARTER_MS) * QUARTER_MS);
}

function offsetAt({ format, offsets }: Zone, at: number): number {
  const learnt = offsets.get(at);
  if (learnt !== undefined) return learnt;
  const [, sign, hours = '0', minutes = '0'] = /GMT([+-])(\d\d):(\d\d)/.exec(format.format(at)) ?? [];
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  if (offsets.size >= MAX_OFFSETS) offsets.clear();
  offsets.set(at, offset);
  return offset;
}

/**
 * When the clocks of a zone show this (as ms since 1970 of those clocks), in order: one moment, two in the hour that comes twice; in the one
 * that is left out, the end of it by the clocks before. Throws as {@link offsetOf}.
 */
export function momentsOf(name: string, local: number): readonly [number, ...number[]] {
  const [earlier = 0, later = 0] = [-DAY_MS, DAY_MS]
    .map((days) => local - offsetOf(name, local + days))
    .sort((a, b) => a - b);
  const shown = [earlier, later].filter((at) => at + offsetOf(name, at) === local);
  const [first = later, second = first] = shown;
  return first === second ? [first] : [first, second];
}

/** When the day began that a zone has at this moment, as wall-clock ms. Throws as {@link offsetOf}. */
export function startOfDay(name: string, now: number): number {
  const local = now + offsetOf(name, now);
  return momentsOf(name, Math.floor(local / DAY_MS) * DAY_MS)[0];
}

/** The time zone of this computer; where its settings name none (`TZ=MSK-3`, or empty), the hours by which it is ahead or behind. */
export function ownTimeZone(): string {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions() as { readonly timeZone?: string };
  if (timeZone !== undefined && isTimeZone(timeZone)) return timeZone;
  const behind = Math.round(new Date().getTimezoneOffset() / 60);
  // In these names, as in those of POSIX, a plus is behind: Etc/GMT-3 is the time of Moscow.
  return `Etc/GMT${behind < 0 ? '-' : '+'}${Math.abs(behind)}`;
}
