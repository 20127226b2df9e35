import type { Clock } from '../clock';
import { asError, type TelephonyError } from '../errors';
import type { Log } from '../log';
import { createBreaker, type Breaker } from './breaker';
import { crmError } from './errors';

/** What the account last heard from its CRM. */
export type CrmState =
  /** Nothing was asked yet. */
  | { readonly status: 'idle' }
  | { readonly status: 'ok' }
  | { readonly status: 'failing'; readonly error: TelephonyError };

/** So many numbers refused in a row are no matter of one number any more. */
const REFUSALS_TO_FAIL = 3;

/** A refusal by our own limiter or our own close tells nothing about the CRM. */
const isOurOwn = (error: TelephonyError): boolean =>
  error.code === 'CRM_CLOSED' || (error.code === 'CRM_LIMITED' && error.params.status === undefined);

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

  /** Throws `CRM_BREAKER_OPEN` when no lookup shall be begun now. */
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
    if (error.code === 'CRM_LIMITED' || error.code === 'CRM_CLOSED') this.breaker.skipped();
    // A CRM that refuses one number is there and knows us.
    else if (error.code === 'CRM_REFUSED') this.breaker.succeeded();
    else this.breaker.failed();
    if (isOurOwn(error)) return;
    this.failures += 1;
    if (error.code === 'CRM_REFUSED') this.refusals += 1;
    const oneNumberOnly = error.code === 'CRM_REFUSED' && this.refusals < REFUSALS_TO_FAIL;
    this.change(oneNumberOnly ? { status: 'ok' } : { status: 'failing', error });
  }

  /** What an admin asked by a button. */
  questionFailed(error: TelephonyError): void {
    if (!isOurOwn(error)) this.change({ status: 'failing', error });
  }

  delivered(): void {
    this.change({ status: 'ok' });
  }

  deliveryFailed(error: TelephonyError): void {
    // What is refused or not ready concerns this one event.
    const concernsAll = error.code.startsWith('CRM_') && error.code !== 'CRM_REFUSED' && !isOurOwn(error);
    if (concernsAll) this.change({ status: 'failing', error });
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
