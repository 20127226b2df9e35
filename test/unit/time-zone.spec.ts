import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { offsetOf, startOfDay } from '../../lib/time-zone';

const iso = (at: number): string => new Date(at).toISOString();

describe('the day of a time zone', () => {
  const began = (zone: string, now: string): string => iso(startOfDay(zone, Date.parse(now)));

  it('began at midnight by its clocks', () => {
    assert.equal(began('Asia/Vladivostok', '2026-01-15T20:00:00Z'), '2026-01-15T14:00:00.000Z');
    assert.equal(began('America/New_York', '2026-01-15T04:59:59.999Z'), '2026-01-14T05:00:00.000Z');
    assert.equal(began('UTC', '2026-01-15T00:00:00Z'), '2026-01-15T00:00:00.000Z');
  });

  it('began with the first moment of its date where midnight is left out, or comes twice', () => {
    // São Paulo went from 0:00 to 1:00 at 03:00 UTC; Havana goes from 1:00 back to 0:00 at 05:00 UTC.
    assert.equal(began('America/Sao_Paulo', '2018-11-04T12:00:00Z'), '2018-11-04T03:00:00.000Z');
    assert.equal(began('America/Havana', '2026-11-01T12:00:00Z'), '2026-11-01T04:00:00.000Z');
  });

  it('has one date from its beginning on, and before it another', () => {
    const zones = ['Europe/Moscow', 'America/Sao_Paulo', 'America/Havana', 'Asia/Kathmandu', 'Australia/Lord_Howe'];
    const moment = fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2035, 0, 1) });
    fc.assert(
      fc.property(fc.constantFrom(...zones), moment, (zone, now) => {
        const dateAt = (at: number): string => iso(at + offsetOf(zone, at)).slice(0, 10);
        const from = startOfDay(zone, now);
        assert.ok(from <= now, iso(now));
        assert.deepEqual([dateAt(from), dateAt(from - 1) < dateAt(now)], [dateAt(now), true], iso(now));
      }),
    );
  });
});

describe('the time zone of this computer', () => {
  it('is one that can be used, whatever its settings say', () => {
    const code = `const { ownTimeZone, offsetOf } = require('./lib/time-zone');
      process.stdout.write(ownTimeZone() + ' ' + offsetOf(ownTimeZone(), Date.UTC(2026, 0, 1)) / 3_600_000);`;
    const told = ['Asia/Omsk', 'MSK-3', 'EST5', ''].map((TZ) =>
      execFileSync(process.execPath, ['--require', 'tsx/cjs', '--eval', code], {
        env: { ...process.env, TZ },
        encoding: 'utf8',
      }),
    );
    assert.deepEqual(told.slice(0, 3), ['Asia/Omsk 6', 'Etc/GMT-3 3', 'Etc/GMT+5 -5']);
    assert.match(told[3] ?? '', / 0$/);
  });
});
