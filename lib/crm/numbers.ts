import type { Client } from '../messages/types';
import { numberKey, parseNumber } from '../phone';
import type { PhoneNumber } from './types';

/** A number of fewer digits is none that a CRM could know a client by. */
const SHORTEST = 5;

/** The number of a call's outside party, as `findByPhone` takes it; `undefined` when there is nothing to look for. */
export function clientNumber(client: Client | undefined): PhoneNumber | undefined {
  if (client === undefined) return undefined;
  // The numbering plan of the PBX has read it already: what it made international needs no country, the rest stays as it is.
  const parsed = parseNumber(client.e164 ?? client.number, { country: 'RU', isExtension: () => false });
  if (client.e164 !== undefined && parsed.kind === 'phone') return parsed;
  const digits = client.number.replace(/[^0-9]/g, '');
  return digits.length < SHORTEST ? undefined : { kind: 'raw', digits };
}

/** A call's outside party as a text, which need not be a number: `anonymous`. */
export const clientText = (client: Client | undefined): string | undefined => client?.e164 ?? client?.number;

/** Whether the text is a number at all: withheld ones are words, or nothing. */
export const hasDigits = (text: string | undefined): text is string => text !== undefined && /\d/.test(text);

/** A number as it is written into a CRM: E.164 or, where that is unknown, its digits. */
export const wholeNumber = (phone: PhoneNumber): string => (phone.kind === 'phone' ? phone.e164 : phone.digits);

/** The last ten digits at most: what a number has in common with itself in most ways of writing it. */
export const numberEnd = (phone: PhoneNumber): string =>
  (phone.kind === 'phone' ? phone.national : phone.digits).slice(-10);

/** Whether the CRM's text is this number. Without a country code it is taken for one of the same country. */
export function isSameNumber(text: string, phone: PhoneNumber): boolean {
  const country = phone.kind === 'phone' ? phone.country : undefined;
  const parsed = parseNumber(text, { country: country ?? 'RU', isExtension: () => false });
  return numberKey(parsed) === numberKey(phone);
}

/** A user's phone number where it is short enough for an extension, for CRMs that have no field for that. */
export const shortNumber = (text: string | undefined): string | undefined =>
  text !== undefined && /^\d{1,6}$/.test(text) ? text : undefined;
