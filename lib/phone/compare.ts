import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max';
import { parseNumber } from './parse';
import type { NumberingPlan, ParsedNumber } from './types';

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

/** Do both texts name the same number? Two texts without a number are not the same. */
export function sameNumber(a: string, b: string, plan: NumberingPlan): boolean {
  const key = numberKey(parseNumber(a, plan));
  return key !== undefined && key === numberKey(parseNumber(b, plan));
}

/**
 * Hides the middle of everything in a text that looks like a phone number (seven digits or more, separators allowed)
 * and keeps its last four digits: `+74951343060` becomes `+7495***3060`. For logs.
 */
export function maskNumber(text: string): string {
  // Separators are bounded and never digits: the expression cannot be made to backtrack.
  return text.replace(/\+?[0-9](?:[\s()-]{0,3}[0-9]){6,}/g, (found) => {
    const digits = found.replace(/[^0-9]/g, '');
    const head = digits.slice(0, Math.min(4, digits.length - 7));
    return `${found.startsWith('+') ? '+' : ''}${head}***${digits.slice(-4)}`;
  });
}
