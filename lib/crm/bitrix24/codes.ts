import type { CallPayload, RecordPayload } from '../../messages/types';
import { optional, oneLine, type JsonObject } from '../json';

/** Q.850 causes of an outgoing call that failed, as SIP answers: Bitrix24 knows only some of those. */
const FAILED: Readonly<Record<number, string>> = {
  1: '404',
  3: '404',
  22: '404',
  28: '404',
  2: '503',
  27: '503',
  34: '503',
  38: '503',
  41: '503',
  42: '503',
  44: '503',
  50: '403',
  52: '403',
  54: '403',
  57: '403',
};

/**
 * `STATUS_CODE` of a finished call. Every incoming call that reached nobody is 304, whatever the reason: by this code alone Bitrix24
 * counts missed calls and starts its triggers for them (public sources of its telephony module).
 */
function statusOf({ direction, result, hangup }: RecordPayload): string {
  if (result === 'answered') return '200';
  if (direction === 'in' || result === 'missed' || result === 'abandoned' || result === 'voicemail') return '304';
  const code = hangup?.code ?? 0;
  switch (result) {
    case 'busy':
      return '486';
    case 'cancelled':
      return '603-S';
    case 'no-answer':
      if (code === 21) return '603';
      return code === 18 || code === 20 ? '480' : '304';
    default:
      return FAILED[code] ?? 'OTHER';
  }
}

/** How a call ended, in the words of `finish`. */
export function outcomeOf(payload: RecordPayload): JsonObject {
  const isAnswered = payload.result === 'answered';
  const reason = isAnswered ? undefined : payload.hangup?.text;
  return {
    // A call of 0 s is one that nobody answered, for Bitrix24.
    DURATION: isAnswered ? Math.max(payload.talkSeconds ?? 0, 1) : 0,
    STATUS_CODE: statusOf(payload),
    ...optional('FAILED_REASON', reason === undefined ? undefined : oneLine(reason, 200)),
  };
}

/** 1 outgoing, 2 incoming, 3 incoming and answered by an outside number to which an extension had forwarded it. */
export function typeOf(payload: CallPayload & Partial<RecordPayload>): 1 | 2 | 3 {
  if (payload.direction !== 'in') return 1;
  const wasForwarded = payload.result === 'answered' && payload.talked?.length === 0 && payload.extension !== undefined;
  return wasForwarded ? 3 : 2;
}

/** A moment as Bitrix24 writes it: it is not known to read fractions of seconds, or `Z`, everywhere. */
export const portalTime = (iso: string): string => iso.replace(/(\.\d+)?Z$/, '+00:00');
