import type { Lang } from '../errors';
import { describePhone } from './describe';
import { RUSSIAN_REGIONS } from './region-data';
import type { RussianRegion } from './region-data';
import type { RegionTable } from './region-table';
import { timeZonesOf } from './time-zones';

/** Where a number is from: what is not certain is absent. */
export interface PhoneRegion {
  /** ISO 3166 */
  readonly country: string;
  /** Of the region in the country, not of the country. */
  readonly name?: string;
  /** IANA */
  readonly timeZone?: string;
}

let byCode: ReadonlyMap<string, RussianRegion> | undefined;

function russianRegion(e164: string): RussianRegion | undefined {
  byCode ??= new Map(
    RUSSIAN_REGIONS.flatMap((region) => region.codes.split(' ').map((code) => [code, region] as const)),
  );
  return byCode.get(e164.slice(2, 7)) ?? byCode.get(e164.slice(2, 5));
}

/**
 * The region of a number (`+74951343060`): by the table that the admin has loaded, else by the area codes of Russia. A mobile number
 * without a table has a country only; a number that may be in several time zones has none. `undefined`: it is not valid, or belongs to
 * no country.
 */
export function regionOf(e164: string, language: Lang, table?: RegionTable): PhoneRegion | undefined {
  const facts = describePhone(e164);
  if (facts?.country === undefined) return undefined;
  const { country } = facts;
  const told = table?.find(e164, language);
  if (told) {
    // A table that says where, and not when: the clock of the country, if it has one.
    const timeZone = told.timeZone ?? onlyZone(e164);
    return { country, name: told.name, ...(timeZone === undefined ? {} : { timeZone }) };
  }
  const region = country === 'RU' && facts.type === 'FIXED_LINE' ? russianRegion(e164) : undefined;
  const timeZone = onlyZone(e164);
  return {
    country,
    ...(region ? { name: region[language] } : {}),
    ...(timeZone === undefined ? {} : { timeZone }),
  };
}

function onlyZone(e164: string): string | undefined {
  const [zone, ...others] = timeZonesOf(e164);
  return others.length === 0 ? zone : undefined;
}
