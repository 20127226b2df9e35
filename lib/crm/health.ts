import type { Clock } from '../clock';
import { asError, type TelephonyError } from '../errors';
import type { Log } from '../log';
import { createBreaker, type Breaker } from './breaker';
import { crmError, isOwnLimit, type CrmErrorCode } from './errors';

/** What the account last heard from its CRM. */
export type CrmState =
  /** Nothing was asked yet. */
  | { readonly status: 'idle' }
  | { readonly status: 'ok' }
  | { readonly status: 'failing'; readonly error: TelephonyError };

/** So many numbers refused in a row are no matter of one number any more. */
const REFUSALS_TO_FAIL = 3;

/** Whom a failure concerns: the CRM with everything that it is asked and told, one number or event only, or nobody but us. */
const CONCERNS: Readonly<Record<string, 'crm' | 'one' | 'us'>> = {
  CRM_BAD_SETTINGS: 'crm',
  CRM_BAD_URL: 'crm',
  CRM_TIMEOUT: 'crm',
  CRM_UNREACHABLE: 'crm',
  CRM_TLS: 'crm',
  CRM_UNAUTHORIZED: 'crm',
  CRM_SIGNED_OUT: 'crm',
  CRM_SIGN_IN_UNKEPT: 'crm',
  CRM_SIGN_IN_UNREADABLE: 'crm',
  CRM_NOT_FOUND: 'crm',
  CRM_REDIRECTED: 'crm',
  CRM_LIMITED: 'crm',
  CRM_SERVER_ERROR: 'crm',
  CRM_NOT_JSON: 'crm',
  CRM_BAD_ANSWER: 'crm',
  CRM_TOO_LARGE: 'crm',
  CRM_EXPRESSION: 'crm',
  CRM_FAULT: 'crm',
  CRM_NOT_NOW: 'one',
  CRM_REFUSED: 'one',
  CRM_BAD_PATH: 'one',
  CRM_CANNOT_CREATE: 'one',
  CRM_NO_USER: 'one',
  CRM_RECORDING_FORMAT: 'one',
  CRM_BREAKER_OPEN: 'us',
  CRM_CLOSED: 'us',
} satisfies Record<CrmErrorCode, 'crm' | 'one' | 'us'>;

/** What is no matter of the CRM room (a recording, the store) concerns one event. */
const concernOf = (error: TelephonyError): 'crm' | 'one' | 'us' =>
  isOwnLimit(error) ? 'us' : (CONCERNS[error.code] ?? 'one');

/** How the CRM is, judged by what became of everything that it was asked and told; holds the breaker of the lookups. */
export class Health {
  state: CrmState = { status: 'idle' };
  /** Failed lookups. */
  failures = 0;
  private readonly breaker: Breaker;
  private refusals = 0;
  private closed = false;
  private readonly handlers = new Set<(state: CrmState) => void>();

  constructor(
    clock: Clock,
    private readonly log: Log,
  ) {
    this.breaker = createBreaker(clock);
  }

  get breakerState(): Breaker['state'] {
    return this.breaker.state;
  }

  /** Throws `CRM_BREAKER_OPEN` when no lookup may begin now. */
  admit(): void {
    if (!this.breaker.admit()) throw crmError('CRM_BREAKER_OPEN', { retryAfterMs: this.breaker.retryAfterMs });
  }

  /** A lookup, or what an admin asked by a button: it ends the pause of the breaker. */
  succeeded(): void {
    this.breaker.succeeded();
    this.refusals = 0;
    this.change({ status: 'ok' });
  }

  lookupFailed(error: TelephonyError): void {
    const concern = concernOf(error);
    if (concern === 'us' || error.code === 'CRM_LIMITED') this.breaker.skipped();
    // A CRM that refuses one number is there and knows us.
    else if (concern === 'one') this.breaker.succeeded();
    else this.breaker.failed();
    if (concern === 'us') return;
    this.failures += 1;
    if (concern === 'one') this.refusals += 1;
    const oneNumberOnly = concern === 'one' && this.refusals < REFUSALS_TO_FAIL;
    this.change(oneNumberOnly ? { status: 'ok' } : { status: 'failing', error });
  }

  /** What an admin asked by a button. */
  questionFailed(error: TelephonyError): void {
    if (concernOf(error) !== 'us') this.change({ status: 'failing', error });
  }

  delivered(): void {
    this.change({ status: 'ok' });
  }

  deliveryFailed(error: TelephonyError): void {
    if (concernOf(error) === 'crm') this.change({ status: 'failing', error });
  }

  /** Calls `handler` when the state is another, or fails with another error. Returns the function that ends it. */
  onState(handler: (state: CrmState) => void): () => void {
    this.handlers.add(handler);
    return () => void this.handlers.delete(handler);
  }

  /** Nothing changes any more. */
  close(): void {
    this.closed = true;
    this.handlers.clear();
  }

  private change(state: CrmState): void {
    if (this.closed) return;
    const before = this.state;
    this.state = state;
    const code = (of: CrmState) => (of.status === 'failing' ? of.error.code : of.status);
    if (code(before) === code(state)) return;
    for (const handler of this.handlers) {
      try {
        handler(state);
      } catch (thrown) {
        this.log.warn(`A listener of the CRM state failed: ${asError(thrown).message}`);
      }
    }
  }
}
