import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max';

/**
 * A number as it goes to a PBX in `country` (ISO 3166): `dialled` as people there dial it (+7 903… is 8903… in Russia, +44… is 81044…),
 * `digits` 7903…, `e164` +7903…. What is no number of E.164 comes back as it is.
 */
export function numberAs(e164: string, form: 'dialled' | 'digits' | 'e164', country: string): string {
  if (form === 'e164') return e164;
  if (form === 'digits') return e164.replace(/^\+/, '');
  // IDD is the national form where the country code is the same.
  const idd = parsePhoneNumberFromString(e164)?.format('IDD', { fromCountry: country as CountryCode });
  return idd?.replace(/\D/g, '') ?? e164;
}
