import type { CrmErrorCode } from '../crm/errors';
import type { TelephonyError } from '../errors';
import type { recordingError } from '../recordings/errors';
import type { storeError } from '../store/errors';
import type { RetryClass } from './types';

type StoreErrorCode = Parameters<typeof storeError>[0];
type RecordingErrorCode = Parameters<typeof recordingError>[0];
/** What no delivery can meet: what concerns the history, and the wishes of a person that the store cannot fulfil. */
type NotOfDelivery =
  | 'STORE_RECORDS_LOST'
  | 'STORE_BAD_SETTINGS'
  | 'STORE_BAD_PATH'
  | 'STORE_BACKUP_EXISTS'
  | 'STORE_BACKUP_FAILED'
  | 'STORE_ORDERS_FULL'
  | 'STORE_BLOCKED_FULL'
  | 'QUERY_BAD';

/** Every code that a try can end with has its place here: a new one does not compile without. */
const CLASS: Readonly<Record<string, RetryClass | 'a while'>> = {
  CRM_UNREACHABLE: 'down',
  CRM_TIMEOUT: 'down',
  CRM_SERVER_ERROR: 'down',
  CRM_UNAUTHORIZED: 'down',
  CRM_SIGNED_OUT: 'down',
  CRM_SIGN_IN_UNKEPT: 'down',
  CRM_SIGN_IN_UNREADABLE: 'down',
  // An address that is mistyped, or has moved, says one of these to everything. A kind for which a 404 means one record says so itself.
  CRM_NOT_FOUND: 'down',
  CRM_REDIRECTED: 'down',
  CRM_NOT_JSON: 'down',
  CRM_TLS: 'down',
  CRM_BAD_URL: 'down',
  CRM_BAD_SETTINGS: 'down',
  CRM_LIMITED: 'later',
  CRM_NOT_NOW: 'later',
  CRM_BREAKER_OPEN: 'later',
  CRM_CLOSED: 'later',
  CRM_BAD_ANSWER: 'a while',
  CRM_REFUSED: 'never',
  CRM_TOO_LARGE: 'never',
  CRM_BAD_PATH: 'never',
  CRM_EXPRESSION: 'never',
  CRM_CANNOT_CREATE: 'never',
  CRM_NO_USER: 'never',
  CRM_RECORDING_FORMAT: 'never',
  CRM_FAULT: 'never',
  RECORDING_NOT_READY: 'later',
  RECORDING_UNREADABLE: 'later',
  RECORDING_MISSING: 'a while',
  RECORDING_BAD_SETTINGS: 'never',
  RECORDING_OUTSIDE: 'never',
  RECORDING_TOO_LARGE: 'never',
  // A fact about the call could not be read or kept: that says nothing of the CRM, nor of the event.
  STORE_CLOSED: 'later',
  STORE_LOCKED: 'later',
  STORE_FOREIGN_OWNER: 'later',
  STORE_TAKEN: 'later',
  STORE_REPLACED: 'later',
  STORE_FULL: 'later',
  STORE_UNWRITABLE: 'later',
  STORE_IO: 'later',
  STORE_RESTORED: 'later',
  STORE_BEGUN_ANEW: 'later',
  STORE_WAS_BROKEN: 'later',
  STORE_BROKEN: 'later',
  STORE_NEWER: 'later',
  STORE_NOT_OURS: 'later',
  STORE_UNSAFE: 'later',
  STORE_BUSY: 'later',
  STORE_OUTBOX_FULL: 'later',
  STORE_OVER_SIZE: 'later',
  STORE_FAILED: 'later',
  STORE_TOO_LARGE: 'never',
  STORE_BAD_VALUE: 'never',
} satisfies Record<CrmErrorCode | RecordingErrorCode | Exclude<StoreErrorCode, NotOfDelivery>, RetryClass | 'a while'>;

/**
 * "A while" is so many tries, spread over about half an hour. A recording that is not there may still be on its way (converters, copies
 * to another machine). A CRM that takes an event and answers with something else than it should may be behind a proxy that is being
 * mended; but perhaps it did take the event, and must not get it hundreds of times.
 */
const TRIES_OF_A_WHILE = 12;

/** What to do after a failed try. Whatever is not known to pass is never tried again. */
export function retryClass({ code }: TelephonyError, attempt: number): RetryClass {
  const known = CLASS[code] ?? 'never';
  if (known !== 'a while') return known;
  return attempt < TRIES_OF_A_WHILE ? 'later' : 'never';
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
