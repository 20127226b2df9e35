const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;
/** Zones in use at once are far fewer; the bound keeps hostile spellings of them from filling the memory. */
const MAX_ZONES = 512;
/** Of one zone; then they are forgotten and learnt anew. */
const MAX_OFFSETS = 256;

interface Zone {
  readonly format: Intl.DateTimeFormat;
  /** Offsets in ms by quarters of an hour since 1970: clocks change at the beginning of one only. */
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
  const { format, offsets } = zoneOf(name);
  const quarter = Math.floor(now / QUARTER_MS);
  const learnt = offsets.get(quarter);
  if (learnt !== undefined) return learnt;
  const [, sign, hours = '0', minutes = '0'] = /GMT([+-])(\d\d):(\d\d)/.exec(format.format(now)) ?? [];
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  if (offsets.size >= MAX_OFFSETS) offsets.clear();
  offsets.set(quarter, offset);
  return offset;
}
