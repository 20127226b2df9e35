import { parsePhoneNumberFromString, type CountryCode, type PhoneNumberType } from 'libphonenumber-js/max';

/** What the metadata tell of a valid phone number. */
export interface PhoneFacts {
  /** ISO 3166; absent for numbers of no country (satellites, international services, Abkhazia). */
  readonly country?: string;
  /** `7` */
  readonly callingCode: string;
  readonly type: PhoneNumberType;
  /** Whoever calls pays more than for a call, or may: premium rate, shared cost, personal numbers and the like. */
  readonly isCostly: boolean;
}

const COSTLY: ReadonlySet<PhoneNumberType> = new Set<PhoneNumberType>([
  'PREMIUM_RATE',
  'SHARED_COST',
  'PERSONAL_NUMBER',
  'PAGER',
  'VOICEMAIL',
]);

/**
 * Codes of Abkhazia, which the metadata count as Russia. Calls there are billed as calls abroad, and ISO 3166 has no code of its own
 * for it.
 */
const NO_COUNTRY = /^\+7[89]40/;

/** `undefined` when this is no valid number in the form `+74951343060`. */
export function describePhone(e164: string): PhoneFacts | undefined {
  const number = parsePhoneNumberFromString(e164);
  const type = number?.isValid() ? number.getType() : undefined;
  if (!number || type === undefined || number.number !== e164) return undefined;
  return {
    callingCode: number.countryCallingCode,
    type,
    isCostly: COSTLY.has(type),
    ...(number.country === undefined || NO_COUNTRY.test(e164) ? {} : { country: number.country }),
  };
}

/**
 * The digits by which people in `country` dial this number: `84951343060` in Russia, `81037411234567` from there abroad. The
 * digits of E.164 when the metadata do not know.
 */
export function dialledFrom(country: string, e164: string): string {
  const number = parsePhoneNumberFromString(e164);
  const dialled = number?.format('IDD', { fromCountry: country as CountryCode }).replace(/[^0-9]/g, '') ?? '';
  return dialled === '' ? e164.replace('+', '') : dialled;
}
