import type { Cause, RetriedOutcome } from '../types';

/** What is known of a leg that was dialled and not answered. */
export interface UnansweredLeg {
  /** A DialBegin was seen: its device was really called. */
  readonly begun: boolean;
  /** `DialStatus` of its DialEnd. */
  readonly status?: string | undefined;
  /** Of its Hangup. */
  readonly cause?: Cause | undefined;
  /** `Reason` of the OriginateResponse. */
  readonly reason?: string | undefined;
}

const BUSY = 17;
/** No user responding, alerting without answer (SIP 480), declined (603): as the record of the call says it. */
const NOT_ANSWERED = [18, 19, 21];
/** What Asterisk gives when it knows nothing: 16 and 22 differ in which. */
const NOTHING_KNOWN = [0, 16, 127];
const RANG_OUT: Cause = { code: 19, text: 'User alerting, no answer' };
const NORMAL: Cause = { code: 16, text: 'Normal Clearing' };

/**
 * How a leg that nobody answered ended. One sign alone is not enough (measured on 22.10 and 16.28): a declined call has DialStatus
 * NOANSWER, one that rings out has cause 19, 0 or 127 and often no DialEnd, and Reason is 0 for nearly everything but a time-out.
 */
export function verdictOf({ begun, status, cause, reason }: UnansweredLeg): Exclude<RetriedOutcome, 'machine'> {
  const code = cause?.code ?? 0;
  if (status === 'BUSY' || code === BUSY) return 'busy';
  if (NOT_ANSWERED.includes(code) || reason === '3') return 'no-answer';
  const isWithdrawn = status === undefined || ['NOANSWER', 'CANCEL'].includes(status);
  return begun && isWithdrawn && NOTHING_KNOWN.includes(code) ? 'no-answer' : 'failed';
}

/** Whether a cause tells that the call could not be set up, and does not merely say that it is over. */
export function tellsFailure(cause: Cause | undefined): boolean {
  return cause !== undefined && !NOTHING_KNOWN.includes(cause.code);
}

/** The cause as it is told: where Asterisk knows none, the one that the outcome means. */
export function toldCause(cause: Cause | undefined, outcome: string): Cause | undefined {
  if (tellsFailure(cause)) return cause;
  if (outcome === 'no-answer') return RANG_OUT;
  return outcome === 'failed' ? undefined : NORMAL;
}
