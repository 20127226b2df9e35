import { isObject, objects, scalar, type JsonObject } from '../json';
import { numberEnd } from '../numbers';
import type { CallContext, PhoneNumber } from '../types';
import { embeddedIn, type AmoApi, type Entity } from './api';
import { linked, TYPES, type AmoClients } from './clients';

/** What a call left in amoCRM. */
export interface Written {
  /** Of the call's note, or of the incoming lead. */
  readonly id: string;
  readonly kind: 'call' | 'unsorted';
  readonly entity?: { readonly type: string; readonly id: string; readonly url: string };
}

export type Card = readonly [Entity, string];

/** How a call is known again. */
export interface CallMark {
  readonly uniq: string;
  readonly direction: 'inbound' | 'outbound';
  /** Unix seconds. */
  readonly startedAt: number;
}

/** Cards whose notes are read, one request each; a client has rarely more. */
const MAX_CARDS = 12;
const MAX_CLIENTS = 3;
const NOTES = 250;
const UNSORTED = 50;

/**
 * Looks whether a call was written by a try whose answer was lost. amoCRM takes `uniq`, and is not known to refuse the same one twice.
 * Notes give it back in `params`, incoming leads in `metadata`, where it is in the examples of the documentation but not in its
 * tables: time and number count as well there.
 */
export class WrittenCalls {
  constructor(
    private readonly api: AmoApi,
    private readonly clients: AmoClients,
  ) {}

  /** `made`: a card that was made for this call, and may not be found by its number yet. */
  async find(
    mark: CallMark,
    phone: PhoneNumber,
    made: Card | undefined,
    context: CallContext,
  ): Promise<Written | undefined> {
    const cards = await this.cardsOf(phone, context);
    for (const [entity, id] of made === undefined ? cards : [made, ...cards]) {
      const note = await this.noteIn(entity, id, mark, context);
      if (note !== undefined) return note;
    }
    return mark.direction === 'inbound' ? this.unsorted(mark, phone, context) : undefined;
  }

  /** Where amoCRM may have put a call of this number: the lead or customer of its client, or the client. */
  private async cardsOf(phone: PhoneNumber, context: CallContext): Promise<Card[]> {
    const cards: Card[] = [];
    for (const entity of ['contacts', 'companies'] as const) {
      const found = await this.clients.search(entity, phone, context);
      for (const record of found.slice(0, MAX_CLIENTS)) {
        for (const kind of ['leads', 'customers'] as const) {
          cards.push(...linked(record, kind).map((id) => [kind, id] as const));
        }
        cards.unshift([entity, scalar(record.id) ?? '']);
      }
    }
    const unique = new Map(cards.map((card) => [card.join(), card]));
    return [...unique.values()].slice(0, MAX_CARDS);
  }

  private async noteIn(
    entity: Entity,
    cardId: string,
    { uniq, direction }: CallMark,
    context: CallContext,
  ): Promise<Written | undefined> {
    const type = direction === 'inbound' ? 'call_in' : 'call_out';
    const query = { 'filter[note_type][]': type, 'order[updated_at]': 'desc', limit: String(NOTES) };
    const notes = await this.api.list(`${entity}/${cardId}/notes`, query, context);
    const note = notes.find(({ params }) => isObject(params) && scalar(params.uniq) === uniq);
    const id = scalar(note?.id);
    if (id === undefined) return undefined;
    return { id, kind: 'call', entity: placeOf(entity, cardId, this.api) };
  }

  private async unsorted(mark: CallMark, phone: PhoneNumber, context: CallContext): Promise<Written | undefined> {
    const query = { 'filter[category][]': 'sip', 'order[created_at]': 'desc', limit: String(UNSORTED) };
    const items = await this.api.list('leads/unsorted', query, context);
    const item = items.find(({ metadata }) => isObject(metadata) && isOf(metadata, mark, phone));
    return item === undefined ? undefined : unsortedIn(item, this.api);
  }
}

function isOf(metadata: JsonObject, { uniq, startedAt }: CallMark, phone: PhoneNumber): boolean {
  const told = scalar(metadata.uniq);
  if (told !== undefined) return told === uniq;
  const end = numberEnd(phone);
  const numbers = [metadata.phone, metadata.from].map((one) => (scalar(one) ?? '').replace(/[^0-9]/g, ''));
  return Number(metadata.called_at) === startedAt && numbers.some((digits) => digits.endsWith(end));
}

/** The card that holds a call. */
export const placeOf = (entity: Entity, id: string, api: AmoApi) => ({
  type: TYPES[entity],
  id,
  url: api.card(entity, id),
});

/** An incoming lead as {@link Written}. */
export function unsortedIn(item: JsonObject, api: AmoApi): Written {
  const lead = scalar(objects(embeddedIn(item).leads)[0]?.id);
  return {
    id: scalar(item.uid) ?? '',
    kind: 'unsorted',
    ...(lead === undefined ? {} : { entity: placeOf('leads', lead, api) }),
  };
}
