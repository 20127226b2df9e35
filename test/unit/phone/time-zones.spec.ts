import assert from 'node:assert/strict';
import { COUNTRY_ZONES, PREFIXES_OF_ZONES } from '../../../lib/phone/time-zone-data';
import { timeZonesOf } from '../../../lib/phone/time-zones';

const zones = (e164: string) => timeZonesOf(e164).join(' ');
/** Hours ahead of UTC on a winter's and a summer's day. */
const hours = (zone: string) =>
  ['2026-01-15', '2026-07-15'].map((day) => {
    const shown = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' }).format(
      Date.parse(day),
    );
    const [, hour = '0', minute = '0'] = /GMT([+-]\d\d):(\d\d)/.exec(shown) ?? [];
    return Number(hour) + Number(minute) / 60;
  });

describe('time zones of numbers', () => {
  it('are those of the place for a number of a place', () => {
    assert.equal(zones('+74951343060'), 'Europe/Moscow');
    assert.equal(zones('+78122345678'), 'Europe/Moscow');
    assert.equal(zones('+73432345678'), 'Asia/Yekaterinburg');
    assert.equal(zones('+74152345678'), 'Asia/Kamchatka');
    assert.equal(zones('+74012345678'), 'Europe/Kaliningrad');
    assert.equal(zones('+78452345678'), 'Europe/Saratov');
    assert.equal(zones('+12125551234'), 'America/New_York');
    assert.equal(zones('+13105551234'), 'America/Los_Angeles');
    assert.equal(zones('+14165551234'), 'America/Toronto');
    assert.equal(zones('+61292345678'), 'Australia/Sydney');
    assert.equal(zones('+34922123456'), 'Atlantic/Canary');
  });

  it('are all zones of Russia for its mobile and service numbers, from Kaliningrad to Kamchatka', () => {
    for (const number of ['+79031234567', '+79991234567', '+78005553535']) {
      const found = timeZonesOf(number);
      const offsets = found.map((zone) => hours(zone)[0]).sort((a = 0, b = 0) => a - b);
      assert.deepEqual(offsets, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], number);
    }
  });

  it('do not take Kazakhstan for Russia, though both begin with 7', () => {
    for (const number of ['+77011234567', '+77172123456']) {
      for (const zone of timeZonesOf(number)) assert.match(zone, /^Asia\/(Almaty|Aqt)/);
      assert.notEqual(zones(number), '');
    }
  });

  it('are the one zone of a country that has one, for any number', () => {
    assert.equal(zones('+375291234567'), 'Europe/Minsk');
    assert.match(zones('+380501234567'), /^Europe\/(Kiev|Kyiv)$/);
    assert.equal(zones('+491761234567'), 'Europe/Berlin');
    assert.equal(zones('+18765551234'), 'America/Jamaica');
    assert.equal(zones('+212661234567'), 'Africa/Casablanca');
  });

  it('are unknown for what is no number of a country', () => {
    for (const number of ['', '101', '+7', '84951343060', '+870773111632', '+7'.repeat(100)])
      assert.equal(zones(number), '');
  });

  it('are all known to this Node.js', () => {
    const names = [...Object.values(COUNTRY_ZONES), ...Object.keys(PREFIXES_OF_ZONES)].flatMap((list) =>
      list.split(' '),
    );
    for (const zone of new Set(names)) assert.equal(hours(zone).length, 2, zone);
  });
});
