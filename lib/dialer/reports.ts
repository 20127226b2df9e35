import type { Lang } from '../errors';
import type { StoredOrder } from '../store/types';
import type { Ending } from './decide';
import type { SavedOrder } from './saved';
import { notesOf } from './saved';
import type { Order, OrderMode, OrderOutcome, OrderProgress, OrderReport } from './types';

export const iso = (ms: number): string => new Date(ms).toISOString();

/** What an Asterisk says of a failure can be long. */
const MAX_TEXT = 1000;

/** What is told of an order, whatever happens to it. */
type About = Omit<OrderReport, 'eventId'>;

/** What a message about an order begins with: everything but its eventId. */
function about(pbx: string, mode: OrderMode, order: Order | undefined, tries: number, queuedAt: number): About {
  const general = { pbx, mode: order?.mode ?? mode, tries, queuedAt: iso(queuedAt) };
  if (!order) return general;
  return {
    ...general,
    ...(order.key === undefined ? {} : { key: order.key }),
    ...(order.mode === 'plain' ? {} : { number: order.number }),
    ...(order.mode === 'plain' || order.e164 === undefined ? {} : { e164: order.e164 }),
    ...(order.mode === 'click' ? { extension: order.extension } : {}),
    ...(order.data === undefined ? {} : { data: order.data }),
  };
}

/** Writes the messages about the orders of one dialler. */
export class Reporter {
  constructor(
    private readonly pbx: string,
    /** Of the orders; of one that cannot be read, nothing else tells it. */
    private readonly mode: OrderMode,
    /** Names the store in channel and event ids. */
    private readonly store: string,
    private readonly lang: Lang,
  ) {}

  /** `ChannelId` of a try. */
  channelId(orderId: number, attempt: number): string {
    return `tcrm-${this.store}-${orderId}-${attempt}`;
  }

  progress(
    { id, tries, queuedAt }: Pick<StoredOrder, 'id' | 'tries' | 'queuedAt'>,
    order: Order | undefined,
    state: OrderProgress['state'],
    more: Pick<OrderProgress, 'tryOutcome' | 'isKnown' | 'result'> & { readonly nextAt?: number } = {},
  ): OrderProgress {
    const { nextAt, tryOutcome, isKnown, result } = more;
    // An order can wait for its window more than once.
    const often = state === 'waits' && nextAt !== undefined ? `-${nextAt}` : '';
    return {
      eventId: `${this.channelId(id, tries)}-${state}${often}`,
      orderId: id,
      state,
      ...about(this.pbx, this.mode, order, tries, queuedAt),
      ...(isKnown === undefined ? {} : { isKnown }),
      ...(nextAt === undefined ? {} : { nextAt: iso(nextAt) }),
      ...(tryOutcome === undefined ? {} : { tryOutcome }),
      ...(result === undefined ? {} : { result }),
    };
  }

  /** The answer to a second order with the key of this one. */
  known(stored: StoredOrder, saved: SavedOrder | undefined): OrderProgress {
    const result = stored.state === 'over' ? { result: Reporter.fromDisk(stored, saved) } : {};
    return this.progress(stored, saved?.order, 'queued', { isKnown: true, ...result });
  }

  outcome(stored: StoredOrder, order: Order | undefined, ending: Ending): OrderOutcome {
    const { id, tries, queuedAt, startedAt } = stored;
    const { outcome, error, callId, answeredAt, endedAt, heard } = ending;
    const cause = ending.cause ?? (error === undefined && tries > 0 ? notesOf(stored).cause : undefined);
    return {
      eventId: `tcrm-${this.store}-${id}-outcome`,
      orderId: id,
      outcome,
      ...about(this.pbx, this.mode, order, tries, queuedAt),
      ...(cause === undefined ? {} : { cause }),
      ...(error === undefined
        ? {}
        : { error: { code: error.code, message: error.textIn(this.lang).slice(0, MAX_TEXT) } }),
      ...(callId === undefined ? {} : { callId }),
      ...(startedAt === undefined || tries === 0 ? {} : { startedAt: iso(startedAt) }),
      ...(answeredAt === undefined ? {} : { answeredAt: iso(answeredAt) }),
      endedAt: iso(endedAt),
      ...(heard === undefined ? {} : { heard }),
      ...(order?.mode === 'autocall' ? { of: order.files.length } : {}),
    };
  }

  /** As it goes on disk: what the order itself says stands there already. */
  static toDisk(outcome: OrderOutcome): string {
    return JSON.stringify({ ...outcome, data: undefined });
  }

  /** The outcome of an order that is over. */
  static fromDisk({ outcome = '{}' }: StoredOrder, saved: SavedOrder | undefined): OrderOutcome {
    const kept = JSON.parse(outcome) as OrderOutcome;
    return saved?.order.data === undefined ? kept : { ...kept, data: saved.order.data };
  }
}
