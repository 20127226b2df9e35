import type { Window } from './types';

/** The rules of the clock: see `windows.ts`. */
export interface Openings {
  /** Whether all zones are within a window at a moment (wall-clock ms). */
  isOpen(windows: readonly Window[], zones: readonly string[], now: number): boolean;
  /** The first such moment from `now` on and before `until`. */
  nextOpening(windows: readonly Window[], zones: readonly string[], now: number, until: number): number | undefined;
  /** The first moment from `now` on that is not, `until` at the latest. */
  nextClosing(windows: readonly Window[], zones: readonly string[], now: number, until: number): number;
}

const DAY_MS = 24 * 60 * 60_000;
const MAX_KEPT = 500;

/** When clients may be called: the windows of one dialler. */
export class Calendar {
  /** The window that is open now or next, by zones: thousands of orders ask for the same few. Emptied when it is full. */
  private readonly kept = new Map<string, { readonly from: number; readonly to: number }>();

  constructor(
    private readonly windows: readonly Window[],
    private readonly openings: Openings,
  ) {}

  /** The first moment from `at` on when the client may be called; `undefined`: none before `until`. */
  opening(zones: readonly string[], at: number, until: number): number | undefined {
    if (at >= until) return undefined;
    if (this.isOpen(zones, at)) return at;
    const next = this.openings.nextOpening(this.windows, zones, at, until);
    return next === undefined || next >= until ? undefined : next;
  }

  isOpen(zones: readonly string[], at: number): boolean {
    return this.windows.length === 0 || this.openings.isOpen(this.windows, zones, at);
  }

  /** The end of the window that is open at `now`, else of the next one; a day without windows. */
  end(zones: readonly string[], now: number): number {
    if (this.windows.length === 0) return now + DAY_MS;
    const key = zones.join();
    const known = this.kept.get(key);
    if (known && now >= known.from && now < known.to) return known.to;
    const opening = this.opening(zones, now, now + 8 * DAY_MS);
    if (opening === undefined) return now + DAY_MS;
    // A window that never closes is taken for one of a day.
    const to = this.openings.nextClosing(this.windows, zones, opening, opening + DAY_MS);
    if (this.kept.size >= MAX_KEPT) this.kept.clear();
    this.kept.set(key, { from: now, to });
    return to;
  }
}
