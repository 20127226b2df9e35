import { TelephonyError } from '../../errors';
import { asObject, isObject, optional, parseJson, scalar, type JsonObject } from '../json';
import type { CallContext, OrderQueue, WaitingOrder } from '../types';
import { isNotAllowed, isRefusal, rowsIn, type BitrixApi } from './api';

const CLICK = 'ONEXTERNALCALLSTART';
const CALLBACK = 'ONEXTERNALCALLBACKSTART';
/** Who has clicked waits at his phone; who has filled in a form waits for a call, and is still glad of it some minutes later. */
const GOOD_FOR_MS: Readonly<Record<string, number>> = { [CLICK]: 30_000, [CALLBACK]: 600_000 };
/** The portal's own page. */
const PAGE = 50;
/** The end of an own call that did not come about; see the codes of records. */
const NOT_CALLED = 'OTHER';

/**
 * The queue in which a portal keeps the clicks for an application that it cannot reach ("offline events"). Built from the documentation;
 * not confirmed on a portal, so tolerated in other shapes: `EVENT_DATA` as a text or with the data one level deeper, an empty list as a
 * map, a repeated binding that is refused.
 */
export class BitrixQueue implements OrderQueue {
  constructor(private readonly api: BitrixApi) {}

  async open(context: CallContext): Promise<void> {
    for (const event of [CLICK, CALLBACK]) {
      try {
        await this.api.call('event.bind', { event, event_type: 'offline' }, context);
      } catch (thrown) {
        if (!isRefusal(thrown, /already|exist/i)) throw thrown;
      }
    }
  }

  async fetch(limit: number, context: CallContext): Promise<WaitingOrder[]> {
    const { result, at } = await this.api.ask('event.offline.get', { clear: 0, limit: Math.min(limit, PAGE) }, context);
    const { process_id: batch, events } = asObject(result);
    return rowsIn(events).map((row) => orderOf(row, scalar(batch), at));
  }

  /** Those that some process has fetched bear its mark; the oldest page of the queue holds more than one process ever has. */
  async left(context: CallContext): Promise<WaitingOrder[]> {
    const { result, at } = await this.api.ask('event.offline.list', { order: { ID: 'ASC' } }, context);
    return rowsIn(result)
      .map((row) => orderOf(row, scalar(row.PROCESS_ID), at))
      .filter(({ batch }) => batch !== undefined);
  }

  async confirm(orders: readonly WaitingOrder[], context: CallContext): Promise<void> {
    for (const batch of new Set(orders.map((order) => order.batch))) {
      if (batch === undefined) continue;
      const id = orders.filter((order) => order.batch === batch).map((order) => order.id);
      await this.api.call('event.offline.clear', { process_id: batch, id }, context);
    }
  }

  /** A click has its call in the portal already, which would stay without an end. */
  async refuse({ event, data }: WaitingOrder, context: CallContext): Promise<void> {
    const [callId, userId] = [scalar(data.CALL_ID), scalar(data.USER_ID)];
    if (event !== CLICK || callId === undefined || userId === undefined) return;
    const params = { CALL_ID: callId, USER_ID: Number(userId), DURATION: 0, STATUS_CODE: NOT_CALLED };
    try {
      await this.api.call('telephony.externalCall.finish', params, context);
    } catch (thrown) {
      // Finished before, or not to be finished by us: there is nothing left to do.
      const isFinal = isNotAllowed(thrown) || (thrown instanceof TelephonyError && thrown.code === 'CRM_REFUSED');
      if (!isFinal) throw thrown;
    }
  }
}

function orderOf(row: JsonObject, batch: string | undefined, at: number | undefined): WaitingOrder {
  const event = (scalar(row.EVENT_NAME) ?? '').toUpperCase();
  const stamp = scalar(row.TIMESTAMP_X) ?? '';
  // Without its zone a time says nothing. Both times are the portal's: this machine's clock may be wrong.
  const since = /(Z|[+-]\d{2}:?\d{2})$/.test(stamp) && at !== undefined ? at - Date.parse(stamp) : NaN;
  return {
    id: scalar(row.ID) ?? scalar(row.MESSAGE_ID) ?? '',
    event,
    data: dataIn(row.EVENT_DATA),
    goodForMs: GOOD_FOR_MS[event] ?? 0,
    ...optional('ageMs', Number.isNaN(since) ? undefined : Math.max(since, 0)),
    ...optional('batch', batch),
  };
}

function dataIn(told: unknown): JsonObject {
  const data = asObject(typeof told === 'string' ? parseJson(told) : told);
  return isObject(data.data) ? data.data : data;
}
