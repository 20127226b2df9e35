import type { Client } from '../messages/types';
import { parseNumber } from '../phone';
import type { PhoneNumber } from './types';

/** Fewer digits than these are no number that a CRM could know a client by. */
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
