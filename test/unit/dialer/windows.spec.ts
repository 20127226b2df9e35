import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isTimeZone, offsetOf } from '../../../lib/time-zone';
import type { Window } from '../../../lib/dialer/types';
import { isOpen, nextClosing, nextOpening } from '../../../lib/dialer/windows';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const workdays = [1, 2, 3, 4, 5];
const allDays = [...workdays, 6, 7];
const daytime: Window[] = [{ days: workdays, from: 9 * 60, to: 21 * 60 }];
const at = (iso: string) => Date.parse(iso);
const next = (windows: Window[], zones: string[], now: string, days = 14) => {
  const found = nextOpening(windows, zones, at(now), at(now) + days * DAY);
  return found === undefined ? undefined : new Date(found).toISOString();
};

describe('windows: when clients may be called', () => {
  it('go by the clock of the client', () => {
    // A Monday; Moscow is three hours ahead, Kamchatka twelve, New York five behind.
    assert.equal(isOpen(daytime, ['Europe/Moscow'], at('2026-01-12T05:59:59.999Z')), false);
    assert.equal(isOpen(daytime, ['Europe/Moscow'], at('2026-01-12T06:00:00Z')), true);
    assert.equal(isOpen(daytime, ['Europe/Moscow'], at('2026-01-12T17:59:59.999Z')), true);
    assert.equal(isOpen(daytime, ['Europe/Moscow'], at('2026-01-12T18:00:00Z')), false);
    assert.equal(isOpen(daytime, ['Asia/Kamchatka'], at('2026-01-12T06:00:00Z')), true);
    assert.equal(isOpen(daytime, ['America/New_York'], at('2026-01-12T06:00:00Z')), false);
    assert.equal(isOpen(daytime, ['Asia/Kamchatka'], at('2026-01-11T22:00:00Z')), true, 'Monday there, Sunday here');
  });

  it('open next on the next workday, and that is now while they are open', () => {
    assert.equal(next(daytime, ['Europe/Moscow'], '2026-01-12T10:00:30.500Z'), '2026-01-12T10:00:30.500Z');
    assert.equal(next(daytime, ['Europe/Moscow'], '2026-01-12T03:12:30.500Z'), '2026-01-12T06:00:00.000Z');
    assert.equal(
      next(daytime, ['Europe/Moscow'], '2026-01-16T18:00:00Z'),
      '2026-01-19T06:00:00.000Z',
      'over a weekend',
    );
  });

  it('must be open in all zones at once', () => {
    const zones = ['Europe/Kaliningrad', 'Europe/Moscow', 'Asia/Kamchatka'];
    assert.equal(next(daytime, zones, '2026-01-12T00:00:00Z'), '2026-01-12T07:00:00.000Z');
    assert.equal(isOpen(daytime, zones, at('2026-01-12T08:59:00Z')), true);
    assert.equal(isOpen(daytime, zones, at('2026-01-12T09:00:00Z')), false);
    const never = ['Pacific/Honolulu', 'Europe/Moscow'];
    assert.equal(next([{ days: allDays, from: 9 * 60, to: 12 * 60 }], never, '2026-01-12T00:00:00Z'), undefined);
  });

  it('say nothing when they open too late, and at the end itself it is too late', () => {
    const now = at('2026-01-12T03:00:00Z');
    assert.equal(nextOpening(daytime, ['Europe/Moscow'], now, at('2026-01-12T06:00:00Z')), undefined);
    assert.equal(
      nextOpening(daytime, ['Europe/Moscow'], now, at('2026-01-12T06:00:00.001Z')),
      at('2026-01-12T06:00:00Z'),
    );
    const open = at('2026-01-12T10:00:00Z');
    assert.equal(nextOpening(daytime, ['Europe/Moscow'], open, open), undefined);
  });

  it('are always open when there are none, and never when they have no day', () => {
    const now = at('2026-01-11T03:00:00Z');
    assert.equal(isOpen([], ['Asia/Omsk'], now), true);
    assert.equal(nextOpening([], ['Asia/Omsk'], now, now + 1), now);
    assert.equal(next([{ days: [], from: 0, to: 1440 }], ['Asia/Omsk'], '2026-01-11T03:00:00Z'), undefined);
  });

  it('over midnight belong to the day they begin in', () => {
    const night: Window[] = [{ days: [5], from: 22 * 60, to: 2 * 60 }];
    assert.equal(isOpen(night, ['UTC'], at('2026-01-16T22:00:00Z')), true);
    assert.equal(isOpen(night, ['UTC'], at('2026-01-17T01:59:00Z')), true);
    assert.equal(isOpen(night, ['UTC'], at('2026-01-17T02:00:00Z')), false);
    assert.equal(isOpen(night, ['UTC'], at('2026-01-16T01:00:00Z')), false, 'the night before');
    const sunday: Window[] = [{ days: [7], from: 23 * 60, to: 60 }];
    assert.equal(isOpen(sunday, ['UTC'], at('2026-01-12T00:30:00Z')), true, 'over the end of the week');
    assert.equal(isOpen([{ days: [1], from: 0, to: 1440 }], ['UTC'], at('2026-01-12T23:59:00Z')), true);
  });

  it('open by the new time on the day when clocks are put forward or back', () => {
    // Berlin: forward on 29 March 2026 at 1:00 UTC (2:00 becomes 3:00), back on 25 October at 1:00 UTC (3:00 becomes 2:00).
    const morning: Window[] = [{ days: allDays, from: 9 * 60, to: 10 * 60 }];
    assert.equal(next(morning, ['Europe/Berlin'], '2026-03-28T20:00:00Z'), '2026-03-29T07:00:00.000Z');
    assert.equal(next(morning, ['Europe/Berlin'], '2026-10-24T20:00:00Z'), '2026-10-25T08:00:00.000Z');
    assert.equal(next(daytime, ['Europe/Berlin'], '2026-10-23T20:00:00Z'), '2026-10-26T08:00:00.000Z', 'over a change');
    // A window that begins in the hour that is left out opens when that hour would have begun.
    const gap: Window[] = [{ days: allDays, from: 150, to: 210 }];
    assert.equal(next(gap, ['Europe/Berlin'], '2026-03-29T00:00:00Z'), '2026-03-29T01:00:00.000Z');
    // 2:30 comes twice; for half an hour between the clocks say 2:00 to 2:30.
    assert.equal(next(gap, ['Europe/Berlin'], '2026-10-25T00:00:00Z'), '2026-10-25T00:30:00.000Z');
    assert.equal(next(gap, ['Europe/Berlin'], '2026-10-25T01:00:00Z'), '2026-10-25T01:30:00.000Z');
    // What the clocks of the past say twice is open twice.
    const two: Window[] = [{ days: allDays, from: 120, to: 130 }];
    assert.equal(next(two, ['Europe/Berlin'], '2026-10-25T00:15:00Z'), '2026-10-25T01:00:00.000Z');
  });

  it('know zones whose offset is no whole hour', () => {
    const now = at('2026-01-12T00:00:00Z');
    assert.equal(offsetOf('Asia/Kolkata', now), 5.5 * HOUR);
    assert.equal(offsetOf('Asia/Kathmandu', now), 5.75 * HOUR);
    assert.equal(offsetOf('America/St_Johns', now), -3.5 * HOUR);
    assert.equal(offsetOf('UTC', now), 0);
    assert.equal(next(daytime, ['Asia/Kathmandu'], '2026-01-12T00:00:00Z'), '2026-01-12T03:15:00.000Z');
  });

  it('without a zone go by the clock of this computer', () => {
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    for (const hour of [0, 6, 12, 18]) {
      const now = at('2026-01-12T00:00:00Z') + hour * HOUR;
      assert.equal(isOpen(daytime, [], now), isOpen(daytime, [here], now));
    }
  });

  it('know what a time zone is, however often they are asked for nonsense', () => {
    for (const zone of ['Europe/Moscow', 'UTC', 'Etc/GMT+3', 'America/Argentina/Buenos_Aires'])
      assert.ok(isTimeZone(zone));
    for (const zone of ['', '+03:00', 'Mars/Base', 'Europe/Moscow\r\n', 'x'.repeat(300), '__proto__']) {
      assert.ok(!isTimeZone(zone), zone);
    }
    for (let spelling = 0; spelling < 2000; spelling += 1) {
      const name = Array.from('europe/moscow', (sign, bit) => ((spelling >> bit) & 1 ? sign.toUpperCase() : sign)).join(
        '',
      );
      assert.ok(isTimeZone(name));
    }
    assert.equal(offsetOf('Europe/Moscow', at('2026-01-12T00:00:00Z')), 3 * HOUR);
  });

  it('property: the next opening is open, and nothing before it is', () => {
    const minuteOfDay = fc.integer({ min: 0, max: 96 }).map((quarter) => quarter * 15);
    const window: fc.Arbitrary<Window> = fc.record({
      days: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      from: minuteOfDay.map((minute) => Math.min(minute, 1439)),
      to: minuteOfDay,
    });
    const zone = fc.constantFrom('Europe/Berlin', 'America/St_Johns', 'Asia/Kamchatka', 'Australia/Lord_Howe', 'UTC');
    // Around both changes of clocks of the northern and the southern half.
    const moment = fc
      .tuple(fc.constantFrom('2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25'), fc.nat(4 * DAY))
      .map(([day, ms]) => at(day) - 2 * DAY + ms);
    fc.assert(
      fc.property(
        fc.array(window, { minLength: 1, maxLength: 3 }),
        fc.uniqueArray(zone, { minLength: 1, maxLength: 3 }),
        moment,
        (windows, zones, now) => {
          const until = now + 3 * DAY;
          const opening = nextOpening(windows, zones, now, until);
          assert.ok(opening === undefined || (opening >= now && opening < until && isOpen(windows, zones, opening)));
          for (let probe = now; probe < Math.min(opening ?? until, until); probe += 7 * MINUTE + 1)
            assert.ok(!isOpen(windows, zones, probe), new Date(probe).toISOString());
          if (opening === undefined) return;
          const closing = nextClosing(windows, zones, opening, until);
          assert.ok(closing > opening && (closing === until || !isOpen(windows, zones, closing)));
          for (let probe = opening; probe < closing; probe += 7 * MINUTE + 1)
            assert.ok(isOpen(windows, zones, probe), new Date(probe).toISOString());
        },
      ),
      { numRuns: 150 },
    );
  });
});
