import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max';
import type { ParsedNumber } from './types';

/**
 * The ways in which a CRM that compares exactly may hold this number, likeliest first: `+74951343060`, `74951343060`,
 * `84951343060` (as dialled inside its country, by metadata), `4951343060`. Each of them parses back to the same number in
 * its own country. Digits that are no valid number, and extensions, come back as they are; nothing for `none`.
 */
export function numberVariants(number: ParsedNumber): string[] {
  if (number.kind === 'raw') return [number.digits];
  if (number.kind === 'extension') return [number.extension];
  if (number.kind === 'none') return [];
  const { e164, national, country } = number;
  const certain = [e164, e164.slice(1)];
  if (country === undefined) return certain;
  const dialled =
    parsePhoneNumberFromString(e164)
      ?.formatNational()
      .replace(/[^0-9]/g, '') ?? '';
  const meansTheSame = (text: string) =>
    text !== '' && parsePhoneNumberFromString(text, country as CountryCode)?.number === e164;
  return [...new Set([...certain, ...[dialled, national].filter(meansTheSame)])];
}

/**
 * The one text by which numbers are compared and cached, or `undefined` when there is no number. Extensions, phones and
 * raw digits never collide; the extension behind a phone number (`доб. 12`) does not count.
 */
export function numberKey(number: ParsedNumber): string | undefined {
  switch (number.kind) {
    case 'phone':
      return number.e164;
    case 'extension':
      return `ext:${number.extension}`;
    case 'raw':
      return `raw:${number.digits}`;
    case 'none':
      return undefined;
  }
}
