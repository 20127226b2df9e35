import type { TelephonyError } from '../errors';

/** What to do after a failed try. */
export type RetryClass =
  /** This message may pass later (a busy line, a limit, a file that is not complete): wait, others go on. */
  | 'later'
  /** The CRM as a whole is away or refuses our key: everything waits, one message at a time probes. */
  | 'down'
  /** It will never pass: given up at once, with the CRM's own words. */
  | 'never';

/** What waits in an outbox, for the status of its node. */
export interface DeliveryState {
  readonly waiting: number;
  readonly dead: number;
  /** Wall-clock ms since when the oldest waits. */
  readonly oldestAt?: number;
  /** Set while the CRM is down, or the store cannot be used. */
  readonly problem?: TelephonyError;
  /** Wall-clock ms of the next try while it is down. */
  readonly retryAt?: number;
}
