// Makes lib/phone/time-zone-data.ts from libphonenumber's table of numbers and time zones:
//   node scripts/time-zones.mjs map_data.txt     (its resources/timezones/map_data.txt: lines like `7812|Europe/Moscow`)
// Which zones a country has comes from this Node.js; the table says where in it a number is.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const { getCountries, getCountryCallingCode } = createRequire(import.meta.url)('libphonenumber-js/max');
const [, , source] = process.argv;
if (!source) throw new Error('Name the file map_data.txt of libphonenumber.');

/** Where the table names a zone with the same clock once, and another one today. */
const RIGHT = { 740: 'Europe/Kaliningrad', 7840: 'Europe/Moscow', 7845: 'Europe/Saratov' };

const table = new Map(
  readFileSync(source, 'utf8')
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => line.trim().split('|'))
    .map(([prefix, zones]) => [prefix, (RIGHT[prefix] ?? zones).split('&')]),
);

/** What the clocks of a zone show in each month of two years: zones alike in that are one for us. */
const clocks = new Map();
function clock(zone) {
  if (!clocks.has(zone)) {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    const months = Array.from({ length: 24 }, (_, month) => format.format(Date.UTC(2026, month, 15)).split(', ')[1]);
    clocks.set(zone, months.join());
  }
  return clocks.get(zone);
}

/** One zone for each kind of clock, those that the table knows first. */
function different(zones) {
  const named = new Set([...table.values()].flat());
  const sorted = [...zones].sort((a, b) => Number(named.has(b)) - Number(named.has(a)) || (a < b ? -1 : 1));
  const kinds = new Map(sorted.map((zone) => [clock(zone), zone]).reverse());
  return [...kinds.values()].sort();
}

function zonesOfCountry(country, code) {
  const locale = new Intl.Locale(`und-${country}`);
  const zones = (locale.getTimeZones ? locale.getTimeZones() : locale.timeZones) ?? [];
  if (zones.length === 0) return different(table.get(code) ?? []);
  // A calling code of its own: of the zones of the country those in which its numbers are.
  const isAlone = getCountries().filter((one) => getCountryCallingCode(one) === code).length === 1;
  const told = (table.get(code) ?? []).map(clock);
  const numbered = zones.filter((zone) => isAlone && told.includes(clock(zone)));
  return different(numbered.length > 0 ? numbered : zones);
}

const countries = getCountries()
  .sort()
  .map((country) => {
    const code = getCountryCallingCode(country);
    return { country, code, zones: zonesOfCountry(country, code) };
  });

/** Prefixes of countries with several kinds of clocks, where they say more than the shorter prefix or the country. */
const prefixes = new Map();
for (const code of new Set(countries.filter(({ zones }) => zones.length > 1).map((one) => one.code))) {
  const own = countries.filter((one) => one.code === code).flatMap(({ zones }) => zones.map(clock));
  const entries = [...table].filter(([prefix]) => prefix.startsWith(code) && prefix !== code);
  const kept = new Map(
    entries
      .filter(([, zones]) => zones.every((zone) => own.includes(clock(zone))))
      .map(([prefix, zones]) => [prefix, different(zones).join(' ')]),
  );
  for (const [prefix, zones] of kept) {
    const shorter = Array.from(prefix, (_, cut) => kept.get(prefix.slice(0, prefix.length - cut - 1))).find(Boolean);
    if (shorter !== zones) prefixes.set(zones, [...(prefixes.get(zones) ?? []), prefix]);
  }
}

const lines = (entries) =>
  entries.map(([key, value]) => `  ${/^[A-Z]+$/.test(key) ? key : `'${key}'`}: '${value}',`).join('\n');
const file = join(dirname(fileURLToPath(import.meta.url)), '..', 'lib', 'phone', 'time-zone-data.ts');
writeFileSync(
  file,
  `// Made by scripts/time-zones.mjs; change that, not this. Derived from the table of phone numbers and time zones of libphonenumber,
// Copyright (C) The Libphonenumber Authors, Apache License 2.0 (see NOTICE); changed: repaired, cut down, and joined with the
// zones that the Unicode CLDR gives each country.

/** The different clocks of each country. */
export const COUNTRY_ZONES: Readonly<Record<string, string>> = {
${lines(countries.map(({ country, zones }) => [country, zones.join(' ')]))}
};

/** Digits with which geographic numbers of countries with several clocks begin, by the zones that they mean; the longest counts. */
export const PREFIXES_OF_ZONES: Readonly<Record<string, string>> = {
${lines([...prefixes].sort().map(([zones, found]) => [zones, found.sort().join(' ')]))}
};
`,
);
spawnSync('npx', ['prettier', '--write', file], { stdio: 'inherit' });
