import type { TelephonyError } from '../errors';
import type { RetryClass } from './types';

/** The CRM as a whole: away, or it does not know us. One message less would not help. */
const DOWN = new Set([
  'CRM_UNREACHABLE',
  'CRM_TIMEOUT',
  'CRM_SERVER_ERROR',
  'CRM_UNAUTHORIZED',
  'CRM_REDIRECTED',
  'CRM_NOT_JSON',
  'CRM_TLS',
  'CRM_BAD_URL',
]);
/** This message, later. */
const LATER = new Set(['CRM_LIMITED', 'CRM_BREAKER_OPEN', 'RECORDING_NOT_READY', 'RECORDING_UNREADABLE']);
/** A recording that is not there may still be on its way (converters, copies to another machine); after so many tries it is not. */
const MISSING_TRIES = 12;

/** What to do after a failed try. Whatever is not known to pass is never tried again. */
export function retryClass({ code }: TelephonyError, attempt: number): RetryClass {
  if (DOWN.has(code)) return 'down';
  if (LATER.has(code)) return 'later';
  if (code === 'RECORDING_MISSING' && attempt < MISSING_TRIES) return 'later';
  return 'never';
}

const FIRST_MS = 1000;
const LONGEST_MS = 5 * 60_000;
const LONGEST_ASKED_MS = 60 * 60_000;

/**
 * How long to wait after the n-th failure in a row, in ms: doubling from a second to five minutes, up to a fifth more or less
 * so that many do not come back at the same moment; longer when the CRM asked for it (an hour at most).
 */
export function backoffMs(failures: number, error: TelephonyError, random: number): number {
  const usual = Math.min(FIRST_MS * 2 ** Math.min(failures - 1, 20), LONGEST_MS);
  const asked = Number(error.params.retryAfterMs ?? 0);
  const spread = usual * (0.8 + 0.4 * random);
  return Math.round(Math.max(spread, Math.min(Number.isFinite(asked) ? asked : 0, LONGEST_ASKED_MS)));
}
