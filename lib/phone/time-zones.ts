import { describePhone } from './describe';
import type { PhoneFacts } from './describe';
import { COUNTRY_ZONES, PREFIXES_OF_ZONES } from './time-zone-data';

/** Where mobile numbers have area codes too, as libphonenumber has it. */
const AREA_CODES_OF_MOBILES = new Set(['BR', 'ID', 'MX']);
/** Of numbers that name a place, not a kind of service: it depends on the country which numbers can be told apart. */
const isGeographic = ({ type, country }: PhoneFacts): boolean =>
  type === 'FIXED_LINE' ||
  type === 'FIXED_LINE_OR_MOBILE' ||
  (type === 'MOBILE' && country !== undefined && AREA_CODES_OF_MOBILES.has(country));

let prefixes: ReadonlyMap<string, readonly string[]> | undefined;

/** Made when it is first needed: flows that call nobody do without it. */
function zonesByPrefix(): ReadonlyMap<string, readonly string[]> {
  prefixes ??= new Map(
    Object.entries(PREFIXES_OF_ZONES).flatMap(([names, found]) => {
      const zones = names.split(' ');
      return found.split(' ').map((prefix) => [prefix, zones] as const);
    }),
  );
  return prefixes;
}

/**
 * The IANA time zones in which the owner of this number (`+74951343060`) may be, one of each kind of clock. A number of a place has the
 * zone of the place; mobile and service numbers have all zones of their country (Russia: eleven, for a mobile number there says
 * nothing of where it is). None for a number that is not valid or belongs to no country.
 */
export function timeZonesOf(e164: string): readonly string[] {
  const facts = describePhone(e164);
  if (facts?.country === undefined) return [];
  const country = COUNTRY_ZONES[facts.country]?.split(' ') ?? [];
  if (country.length < 2 || !isGeographic(facts)) return country;
  const digits = e164.slice(1);
  for (let length = digits.length; length > facts.callingCode.length; length -= 1) {
    const zones = zonesByPrefix().get(digits.slice(0, length));
    if (zones) return zones;
  }
  return country;
}
