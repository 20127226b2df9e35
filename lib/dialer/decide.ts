import type { TelephonyError } from '../errors';
import type { Calendar } from './calendar';
import type { Notes } from './saved';
import type { AttemptResult, Cause, Order, Outcome, RetriedOutcome } from './types';

/** How an order ends, as far as it is not known from the order itself. */
export interface Ending {
  readonly outcome: Outcome;
  readonly cause?: Cause;
  readonly error?: TelephonyError;
  readonly callId?: string;
  /** Wall-clock ms. */
  readonly answeredAt?: number;
  readonly endedAt: number;
  readonly heard?: number;
}

export type Decision =
  | { readonly kind: 'over'; readonly ending: Ending }
  /** `tryOutcome` is absent when nothing was dialled: then the try does not count. */
  | { readonly kind: 'again'; readonly at: number; readonly notes: Notes; readonly tryOutcome?: RetriedOutcome };

/** What is known of a try beside its result. */
export interface TryFacts {
  readonly order: Order;
  /** Tries begun, this one included. */
  readonly tries: number;
  readonly notes: Notes;
  readonly isCancelled: boolean;
  /** The colleague's phone was answered, of a click. */
  readonly agentAnswered: boolean;
  /** Wall-clock ms. */
  readonly now: number;
  readonly calendar: Calendar;
}

const UNSENT_MS = 1000;
const MAX_UNSENT_MS = 30_000;
/** A text that no line of AMI can carry: it would be refused in the same way each time. */
const UNSENDABLE = 'AMI_BAD_VALUE';

function retried(outcome: Outcome): RetriedOutcome | undefined {
  return outcome === 'busy' || outcome === 'no-answer' || outcome === 'machine' || outcome === 'failed'
    ? outcome
    : undefined;
}

/** The next moment for a try: not before its period is over, and in a window. `undefined`: there is none before the order expires. */
function nextAt({ order, now, calendar }: TryFacts): number | undefined {
  const at = now + order.periodMs;
  return calendar.opening(order.mode === 'autocall' ? order.timeZones : [], at, order.expiresAt);
}

/**
 * Whether an order is over after a try. Only what surely did not reach the client is dialled again: when nobody can know (the link
 * was lost, the PBX started anew), the order ends there.
 */
export function decide(facts: TryFacts, result: AttemptResult): Decision {
  const { order, tries, notes, isCancelled, now } = facts;
  const { reached, outcome, ...known } = result;
  const over = (how: Outcome): Decision => ({ kind: 'over', ending: { ...known, outcome: how } });
  if (reached === 'not-sent') {
    if (isCancelled) return over('cancelled');
    const unsent = notes.unsent + 1;
    const wait = Math.min(UNSENT_MS * 2 ** (unsent - 1), MAX_UNSENT_MS);
    return { kind: 'again', at: now + wait, notes: { ...notes, unsent } };
  }
  const way = retried(outcome);
  if (reached !== 'no' || way === undefined || result.error?.code === UNSENDABLE) return over(outcome);
  if (isCancelled) return over('cancelled');
  // A colleague who declines his own call is not rung again for it.
  if (order.mode === 'click' && !facts.agentAnswered) return over(outcome);
  const count = (notes.failed[way] ?? 0) + 1;
  const most = order.mode === 'autocall' ? (order.triesOf[way] ?? order.tries) : order.tries;
  const at = tries < order.tries && count < most ? nextAt(facts) : undefined;
  if (at === undefined) return over(outcome);
  const { cause } = result;
  const failed = { ...notes.failed, [way]: count };
  return {
    kind: 'again',
    at,
    notes: { failed, unsent: 0, ...(cause === undefined ? {} : { cause }) },
    tryOutcome: way,
  };
}
