import type { Clock } from '../clock';
import type { Lang, TelephonyError } from '../errors';
import type { Log } from '../log';
import type { DialGuard } from '../outbound/types';
import type { NumberingPlan } from '../phone/types';
import type { BlockedNumbers, OrderTable } from '../store/types';
import type { Openings } from './calendar';
import type { DialerCounts, DialerSettings, DialLine, OrderMode, OrderOutcome, OrderProgress } from './types';

export interface DialerOptions {
  /** Whose orders these are: the id of a node. One dialler at a time. */
  readonly queue: string;
  /** Of its orders. */
  readonly mode: OrderMode;
  /** The name of the PBX, as it appears in messages. */
  readonly pbx: string;
  readonly orders: OrderTable;
  readonly blocked: BlockedNumbers;
  /** Not closed with the dialler: others dial over it too. */
  readonly line: DialLine;
  readonly guard: DialGuard;
  readonly plan: NumberingPlan;
  readonly settings: DialerSettings;
  readonly openings: Openings;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the words in outcomes. */
  readonly lang: Lang;
  readonly onProgress: (progress: OrderProgress) => void;
  /** Once for each order that was placed, after it is on disk; once more if the process was killed in that moment. */
  readonly onOutcome: (outcome: OrderOutcome, reply: unknown) => void;
  readonly onState: (state: DialerState) => void;
}

export interface DialerState extends DialerCounts {
  /** Why nothing can be kept, and so nothing dialled. */
  readonly problem?: TelephonyError;
}
