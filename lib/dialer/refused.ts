import { randomUUID } from 'node:crypto';
import type { Lang, TelephonyError } from '../errors';
import { jsonCopy } from './fields';
import { iso } from './reports';
import type { OrderMode, OrderOutcome } from './types';

/** As much of a field as is repeated of an order that may be anything. */
const SHOWN = 128;

function shown(payload: object, name: string): Record<string, string> {
  const value: unknown = (payload as Readonly<Record<string, unknown>>)[name];
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && text !== '' ? { [name]: text.slice(0, SHOWN) } : {};
}

function dataOf(payload: object): { readonly data?: unknown } {
  try {
    const data = jsonCopy('data', (payload as { readonly data?: unknown }).data);
    return data === undefined ? {} : { data };
  } catch {
    return {};
  }
}

/** The outcome of an order that was not taken: with what of it can be read, so that whoever ordered knows it again. */
export function refusedOutcome(
  payload: unknown,
  where: { readonly pbx: string; readonly mode: OrderMode; readonly now: number; readonly lang: Lang },
  error: TelephonyError,
): OrderOutcome {
  const { pbx, mode, now, lang } = where;
  const given = typeof payload === 'object' && payload !== null ? payload : {};
  return {
    eventId: `tcrm-refused-${randomUUID()}`,
    outcome: 'refused',
    pbx,
    mode,
    tries: 0,
    queuedAt: iso(now),
    endedAt: iso(now),
    error: { code: error.code, message: error.textIn(lang) },
    ...shown(given, 'key'),
    ...shown(given, 'number'),
    ...shown(given, 'extension'),
    ...dataOf(given),
  };
}
