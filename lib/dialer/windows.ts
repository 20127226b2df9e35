import { offsetOf, ownTimeZone } from '../time-zone';
import type { Window } from './types';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
const WEEK_MINUTES = 7 * DAY_MINUTES;

/** Windows are used for all orders of a node: worked out once each. Minutes of a week that begins on Monday at 0:00. */
interface Span {
  readonly begin: number;
  readonly minutes: number;
}

const known = new WeakMap<readonly Window[], readonly Span[]>();

function spansOf(windows: readonly Window[]): readonly Span[] {
  const before = known.get(windows);
  if (before) return before;
  const spans = windows.flatMap(({ days, from, to }) =>
    days.map((day) => ({
      begin: (day - 1) * DAY_MINUTES + from,
      // Over midnight it belongs to the day it begins in; from = to is a whole day.
      minutes: to > from ? to - from : to - from + DAY_MINUTES,
    })),
  );
  known.set(windows, spans);
  return spans;
}

/** Minutes since Monday 0:00 by the clocks of the zone. */
function minuteOfWeek(zone: string, now: number): number {
  const local = Math.floor((now + offsetOf(zone, now)) / MINUTE_MS);
  // 1970 began on a Thursday.
  return (((local + 3 * DAY_MINUTES) % WEEK_MINUTES) + WEEK_MINUTES) % WEEK_MINUTES;
}

const since = (begin: number, minute: number): number => (minute - begin + WEEK_MINUTES) % WEEK_MINUTES;

const isOpenAt = (spans: readonly Span[], minute: number): boolean =>
  spans.some(({ begin, minutes }) => since(begin, minute) < minutes);

/** An order whose client may be anywhere counts by the clocks of this computer. */
function zonesOr(zones: readonly string[]): readonly string[] {
  return zones.length > 0 ? zones : [ownTimeZone()];
}

/**
 * Whether a client may be called at this moment (wall-clock ms): a window is open by the clocks of every one of his possible zones.
 * No windows = always; no zones = the one of this computer.
 */
export function isOpen(windows: readonly Window[], zones: readonly string[], now: number): boolean {
  if (windows.length === 0) return true;
  const spans = spansOf(windows);
  return zonesOr(zones).every((zone) => isOpenAt(spans, minuteOfWeek(zone, now)));
}

/**
 * The first moment from `now` on, and before `until`, at which {@link isOpen}; `undefined` when there is none. Right where clocks are
 * put forward or back: what counts is the time that they show.
 */
export function nextOpening(
  windows: readonly Window[],
  zones: readonly string[],
  now: number,
  until: number,
): number | undefined {
  const spans = spansOf(windows);
  let at = now;
  while (at < until) {
    if (isOpen(windows, zones, at)) return at;
    const moment = at;
    // Before its last zone opens, no moment fits all of them.
    at = Math.max(...zonesOr(zones).map((zone) => openingIn(spans, zone, moment, until)));
  }
  return undefined;
}

/** The first moment from `now` on, and before `until`, at which it is not {@link isOpen}; `until` when there is none. */
export function nextClosing(windows: readonly Window[], zones: readonly string[], now: number, until: number): number {
  const spans = spansOf(windows);
  let at = now;
  while (at < until && isOpen(windows, zones, at)) {
    const moment = at;
    at = Math.min(...zonesOr(zones).map((zone) => closingIn(spans, zone, moment, until)));
  }
  return Math.min(at, until);
}

/** The moment at which the last of the windows closes that are open now in this zone, or one before it at which its clocks change. */
function closingIn(spans: readonly Span[], zone: string, from: number, until: number): number {
  const minute = minuteOfWeek(zone, from);
  const left = Math.max(1, ...spans.map(({ begin, minutes }) => minutes - since(begin, minute)));
  const next = Math.min((Math.floor(from / MINUTE_MS) + left) * MINUTE_MS, until);
  return offsetOf(zone, next) === offsetOf(zone, from) ? next : clockChange(zone, from, next);
}

/** The first moment from `from` on that is open in this zone, or a moment before it at which its clocks change; {@link Infinity} for never. */
function openingIn(spans: readonly Span[], zone: string, from: number, until: number): number {
  const minute = minuteOfWeek(zone, from);
  if (isOpenAt(spans, minute)) return from;
  const wait = Math.min(...spans.map(({ begin }) => since(minute, begin)));
  if (wait === Infinity) return Infinity;
  const begun = Math.floor(from / MINUTE_MS) * MINUTE_MS;
  const next = Math.min(begun + wait * MINUTE_MS, until);
  return offsetOf(zone, next) === offsetOf(zone, from) ? next : clockChange(zone, from, next);
}

/** The moment between the two at which the clocks change. */
function clockChange(zone: string, from: number, to: number): number {
  const before = offsetOf(zone, from);
  let low = Math.floor(from / MINUTE_MS);
  let high = Math.ceil(to / MINUTE_MS);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetOf(zone, middle * MINUTE_MS) === before) low = middle;
    else high = middle;
  }
  return high * MINUTE_MS;
}
