import { CLICK_VARIABLE, isClickId } from '../messages/bitrix24-click';
import type { CallResult, OrderEnd, RecordPayload } from '../messages/types';
import { parseNumber } from '../phone';
import type { UccxSettings } from './records';

/** What of an outcome becomes a record, beside what {@link OrderEnd} names. */
type Outcome = OrderEnd['payload'] & {
  readonly queuedAt?: string;
  readonly data?: unknown;
  readonly cause?: { readonly code: number; readonly text: string };
};

const RESULTS: Readonly<Record<string, CallResult>> = {
  answered: 'answered',
  busy: 'busy',
  'no-answer': 'no-answer',
  cancelled: 'cancelled',
};

/**
 * The record of a call that an agent made by a click: Finesse tells of it long before Unified CCX does, and knows which click it was.
 * `undefined`: it was never dialled, and no CRM waits to hear of it.
 */
export function recordOfClick(
  outcome: Outcome,
  { pbx, plan }: Pick<UccxSettings, 'pbx' | 'plan'>,
): RecordPayload | undefined {
  const { eventId, extension, number = '', queuedAt, startedAt, answeredAt, endedAt } = outcome;
  const click = clickIn(outcome.data);
  const begun = startedAt ?? queuedAt ?? endedAt;
  if (begun === undefined || (startedAt === undefined && click === undefined)) return undefined;
  const read = parseNumber(outcome.e164 ?? number, plan);
  const direction = read.kind === 'extension' ? 'internal' : 'out';
  const phone = read.kind === 'phone' ? { e164: read.e164, national: read.national } : {};
  const result = RESULTS[outcome.outcome] ?? 'failed';
  const isAnswered = result === 'answered';
  const between = (from: string, to = from): number =>
    Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
  const people = extension === undefined ? [] : [extension];
  return {
    eventId: `${pbx}:${eventId}:call_record`,
    pbx,
    callId: eventId,
    direction,
    ...(direction === 'out' && number !== '' ? { client: { number, ...phone } } : {}),
    ...(direction === 'internal' ? { peer: { extension: number } } : {}),
    ...(extension === undefined ? {} : { extension, firstExtension: extension, lastExtension: extension }),
    startedAt: begun,
    ...(isAnswered && answeredAt !== undefined ? { answeredAt } : {}),
    ...(endedAt === undefined ? {} : { endedAt }),
    waitSeconds: between(begun, (isAnswered ? answeredAt : undefined) ?? endedAt),
    talkSeconds: isAnswered && answeredAt !== undefined ? between(answeredAt, endedAt) : 0,
    result,
    ...(outcome.cause === undefined ? {} : { hangup: outcome.cause }),
    ...(click === undefined ? {} : { variables: { [CLICK_VARIABLE]: click } }),
    rung: [],
    talked: isAnswered ? people : [],
    legs: [],
  };
}

/** The CALL_ID that Bitrix24 gave to the click, as its event left it in the order. */
function clickIn(data: unknown): string | undefined {
  const { bitrix24 } = (data ?? {}) as { readonly bitrix24?: { readonly callId?: unknown } | null };
  const id = bitrix24?.callId;
  return typeof id === 'string' && isClickId(id) ? id : undefined;
}
