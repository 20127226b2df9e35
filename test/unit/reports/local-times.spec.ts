import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Periods } from '../../../lib/reports/local-times';
import { offsetOf } from '../../../lib/time-zone';

const QUARTER = 15 * 60 * 1000;
const DAY = 96 * QUARTER;

/** Days on which clocks change: by an hour, by half an hour, at midnight, a minute past it, over the date line, for a month. */
const CHANGES: readonly (readonly [string, number])[] = [
  ['Europe/Berlin', Date.UTC(2026, 2, 29)],
  ['Europe/Berlin', Date.UTC(2026, 9, 25)],
  ['Europe/Moscow', Date.UTC(2014, 9, 25)],
  ['Australia/Lord_Howe', Date.UTC(2026, 3, 4)],
  ['America/Havana', Date.UTC(2026, 2, 8)],
  ['America/Asuncion', Date.UTC(2023, 2, 26)],
  ['America/St_Johns', Date.UTC(2006, 9, 29)],
  ['Pacific/Apia', Date.UTC(2011, 11, 30)],
  ['Africa/Casablanca', Date.UTC(2026, 1, 15)],
];
const quarters = (from: number, to: number): fc.Arbitrary<number> =>
  fc.integer({ min: from / QUARTER, max: to / QUARTER }).map((quarter) => quarter * QUARTER);
const start = fc.oneof(
  fc
    .tuple(fc.constantFrom(...CHANGES), quarters(-2 * DAY, 2 * DAY))
    .map(([[name, day], off]) => ({ name, at: day + off })),
  fc.record({
    name: fc.constantFrom('Asia/Kathmandu', ...CHANGES.map(([name]) => name)),
    at: quarters(Date.UTC(2005, 0, 1), Date.UTC(2030, 0, 1)),
  }),
);

const formats = new Map<string, Intl.DateTimeFormat>();

/** What the clocks show, by another way. */
function shown(name: string, at: number): string {
  let format = formats.get(name);
  if (!format) {
    const style = { dateStyle: 'short', timeStyle: 'medium', hourCycle: 'h23' } as const;
    format = new Intl.DateTimeFormat('en-CA', { timeZone: name, ...style });
    formats.set(name, format);
  }
  return format.format(at).replace(', ', 'T');
}

describe('periods of a report', () => {
  it('property: an offset is what the clocks show, also on the day on which they change', () => {
    fc.assert(
      fc.property(start, ({ name, at }) => {
        const local = new Date(at + offsetOf(name, at)).toISOString().slice(0, 19);
        assert.equal(local, shown(name, at));
      }),
      { numRuns: 500 },
    );
  });

  it('property: the parts of a time make it up, and hold what each quarter of an hour says for itself', () => {
    const by = fc.constantFrom('hour' as const, 'day' as const);
    fc.assert(
      fc.property(start, fc.integer({ min: 1, max: 3 * DAY }), by, ({ name, at: from }, length, period) => {
        const to = from + length;
        const told = new Map<string | undefined, number>();
        let at = from;
        for (const part of new Periods(period, name).parts(from, to)) {
          assert.equal(part.from, at, 'without a gap');
          at = part.to;
          told.set(part.label, (told.get(part.label) ?? 0) + part.to - part.from);
        }
        assert.equal(at, to);
        const expected = new Map<string | undefined, number>();
        for (let quarter = from; quarter < to; quarter += QUARTER) {
          const label = new Periods(period, name).labelAt(quarter);
          assert.ok(label?.startsWith(shown(name, quarter).slice(0, period === 'day' ? 10 : 13)), label);
          expected.set(label, (expected.get(label) ?? 0) + Math.min(QUARTER, to - quarter));
        }
        assert.deepEqual([...told], [...expected]);
      }),
    );
  });

  it('are one when it is not by periods', () => {
    const periods = new Periods('none', 'Europe/Moscow');
    assert.deepEqual([...periods.parts(5, 90 * DAY)], [{ from: 5, to: 90 * DAY, label: undefined }]);
    assert.deepEqual([...periods.parts(5, 5)], []);
  });
});
