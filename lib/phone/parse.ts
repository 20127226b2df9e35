import {
  getCountryCallingCode,
  parseDigits,
  parsePhoneNumberFromString,
  type CountryCode,
  type PhoneNumber,
} from 'libphonenumber-js/max';
import type { NumberingPlan, ParsedNumber } from './types';

/** Longer texts are nobody's number; the bound also keeps hostile input cheap. */
const MAX_INPUT = 128;
/** E.164 has at most 15 digits; before them at most five to dial out of a country (`8~10`, `0011`). */
const MAX_DIGITS = 20;

/** What phones, providers and Asterisk send instead of a withheld number. */
const WITHHELD = new Set([
  'anonymous',
  'unknown',
  'restricted',
  'private',
  'unavailable',
  'withheld',
  'blocked',
  'hidden',
  'unidentified',
]);

type None = Extract<ParsedNumber, { kind: 'none' }>;
type Phone = Extract<ParsedNumber, { kind: 'phone' }>;

const none = (reason: None['reason']): None => ({ kind: 'none', reason });

/** Digits of other scripts become 0-9; a digit that cannot be read stays and makes the text malformed later. */
function asciiDigits(text: string): string {
  return text.replace(/\p{Nd}/gu, (digit) => parseDigits(digit) || digit);
}

/** `%2B7495` in a SIP user part. A broken escape leaves the text as it is. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The number inside `"Name" <sip:+7495…@host;transport=tls>`, `tel:…;ext=12`, `7495…@host` or a bare text. */
function withoutUri(text: string): string {
  const bracketed = /<([^<>]*)>/.exec(text)?.[1] ?? text;
  const [, scheme = '', rest = ''] = /^\s*(sips?:|tel:|callto:)?([\s\S]*)$/i.exec(bracketed) ?? [];
  if (scheme.toLowerCase().startsWith('sip')) {
    const at = rest.indexOf('@');
    // A SIP address without a user names a host, not a caller.
    return at < 0 ? '' : percentDecoded(rest.slice(0, at).split(/[;:]/, 1)[0] ?? '');
  }
  if (scheme !== '') {
    const [number = '', ...parameters] = rest.split(';');
    const find = (name: string) => parameters.find((one) => one.toLowerCase().startsWith(name))?.slice(name.length);
    const context = find('phone-context=') ?? '';
    const international = context.startsWith('+') && !number.startsWith('+') ? context + number : number;
    const ext = find('ext=');
    return ext === undefined ? international : `${international};ext=${ext}`;
  }
  return rest.split('@', 1)[0] ?? '';
}

/** Russian words for "extension" that the library does not know. */
function withExtensionWord(text: string): string {
  return text.replace(/[\s,(]+(?:доб|добавочный|вн|внутр|внутренний)[.:]?\s{0,3}(\d{1,7})\s*\)?$/iu, ' ext. $1');
}

function asPhone(number: PhoneNumber): Phone {
  return {
    kind: 'phone',
    e164: number.number,
    national: number.nationalNumber,
    ...(number.country === undefined ? {} : { country: number.country }),
    ...(number.ext === undefined ? {} : { ext: number.ext }),
  };
}

function validPhone(text: string, plan: NumberingPlan): Phone | undefined {
  const number = parsePhoneNumberFromString(text, plan.country as CountryCode);
  return number?.isValid() ? asPhone(number) : undefined;
}

/**
 * Says what a text that should be a number is. Never throws, reads at most 128 characters.
 *
 * In this order (measured with libphonenumber-js 1.13.16, full metadata): a short digit string that the plan calls an
 * extension; a number valid in the plan's country or written with `+`; the same digits after a `+` (providers send
 * `375291234567`); the digits after `00`; else the digits as they stand (`raw`). The library alone takes 101 for a
 * phone and 375… for a Russian number.
 */
export function parseNumber(input: string, plan: NumberingPlan): ParsedNumber {
  if (input.length > MAX_INPUT) return none('too-long');
  const trimmed = input.replace(/^[\s\p{Cc}\p{Cf}]+|[\s\p{Cc}\p{Cf}]+$/gu, '');
  if (trimmed === '') return none('empty');
  // A line end inside a number is an attempt to inject a header, never a number.
  if (/[\p{Cc}]/u.test(trimmed.replaceAll('\t', ' '))) return none('malformed');

  const text = asciiDigits(withoutUri(trimmed)).trim();
  if (WITHHELD.has(text.toLowerCase())) return none('anonymous');
  if (/[^\P{Nd}0-9]/u.test(text)) return none('malformed');
  const digits = text.replace(/[^0-9]/g, '');
  if (digits === '') return none('malformed');

  const bare = /^\+?[0-9\s().~/-]+$/.test(text.replace(/\p{Cf}/gu, ''));
  const international = text.startsWith('+');
  if (bare && !international && plan.isExtension(digits)) return { kind: 'extension', extension: digits };

  const complete = bare ? withCallingCode(digits, plan) : undefined;
  const phone = complete ?? validPhone(withExtensionWord(text), plan);
  if (phone !== undefined) return phone;
  // From here on only digits count: a text with words or a second number in it has none to trust.
  if (!bare || text.includes('/')) return none('malformed');
  if (digits.length > MAX_DIGITS) return none('too-long');
  const abroad = international ? undefined : (validPhone(`+${digits}`, plan) ?? afterDoubleZero(digits, plan));
  return abroad ?? { kind: 'raw', digits };
}

/**
 * Providers send E.164 digits without the plus. Where numbers have no fixed length (Germany, Indonesia) such a text would
 * also pass for a national number; from eleven digits on, nobody writes that without its trunk prefix.
 */
function withCallingCode(digits: string, plan: NumberingPlan): Phone | undefined {
  const complete = digits.length >= 11 && digits.startsWith(getCountryCallingCode(plan.country as CountryCode));
  return complete ? validPhone(`+${digits}`, plan) : undefined;
}

function afterDoubleZero(digits: string, plan: NumberingPlan): Phone | undefined {
  return digits.startsWith('00') ? validPhone(`+${digits.slice(2)}`, plan) : undefined;
}
