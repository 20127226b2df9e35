import { TelephonyError } from '../../errors';
import type { RecordPayload } from '../../messages/types';
import { likelyUsers, markOf, recordingLink, SKIPPED } from '../call-record';
import { optional, scalar, type JsonObject } from '../json';
import { clientNumber, wholeNumber } from '../numbers';
import type { ClientWish, Delivered, DeliveryContext, PhoneNumber } from '../types';
import { amoId, type AmoApi, type Entity } from './api';
import { resultOf, statusOf } from './call-text';
import type { Choices } from './choices';
import { contactOf, TYPES, type AmoClients } from './clients';
import { placeOf, unsortedIn, WrittenCalls, type CallMark, type Card, type Written } from './written';

const WRITTEN = 'amocrm.call';
const BEGUN = 'amocrm.begun';
/** The card that was made for the number of the call. */
const CARD = 'amocrm.card';
/** What amoCRM shows as the origin of calls and incoming leads. */
const SOURCE = 'Asterisk';
const SERVICE = 'asterisk';

/** One call on its way. */
interface Call {
  readonly payload: RecordPayload;
  readonly phone: PhoneNumber;
  /** As it is sent. */
  readonly number: string;
  readonly mark: CallMark;
  readonly userId: number | undefined;
  readonly choices: Choices;
}

/**
 * Writes each call once: to whomever amoCRM finds by its number, else as the admin chose.
 *
 * `uniq` is the same in every try, yet nothing says that amoCRM refuses it twice. So what is about to be written is kept first, and a try
 * that may be the second looks for it. What remains: a request that amoCRM finishes only after that search, and a call that is on
 * none of the cards that are looked at.
 */
export class AmoCalls {
  private readonly written: WrittenCalls;

  constructor(
    private readonly api: AmoApi,
    private readonly clients: AmoClients,
  ) {
    this.written = new WrittenCalls(api, clients);
  }

  async write(payload: RecordPayload, choices: Choices, context: DeliveryContext): Promise<Delivered> {
    const phone = clientNumber(payload.client);
    // A withheld number is nobody's, and amoCRM finds clients by numbers alone.
    if (phone === undefined || payload.direction === 'internal') return SKIPPED;
    const known = await context.memo.get(WRITTEN);
    if (known !== undefined) return told(JSON.parse(known) as Written);
    const call = callOf(payload, phone, choices, context);
    const isSecond = Boolean(await context.memo.get(BEGUN));
    const found = isSecond ? await this.written.find(call.mark, phone, await cardIn(context), context) : undefined;
    const written = found ?? (await this.begin(call, context));
    if (written === undefined) return SKIPPED;
    await context.memo.set(WRITTEN, JSON.stringify(written));
    return told(written);
  }

  private async begin(call: Call, context: DeliveryContext): Promise<Written | undefined> {
    await context.memo.set(BEGUN, call.mark.uniq);
    try {
      const added = await this.api.addCall(fieldsOf(call, context), context);
      return 'made' in added ? this.writtenIn(added.made) : await this.unknown(call, context);
    } catch (thrown) {
      // Refused is not done: the next try need not look for it.
      if (isRefused(thrown)) await context.memo.set(BEGUN, '');
      throw thrown;
    }
  }

  /** The call of a number that nobody has. */
  private async unknown(call: Call, context: DeliveryContext): Promise<Written | undefined> {
    const { choices, mark } = call;
    switch (choices.unknown) {
      case 'none':
        return undefined;
      case 'unsorted':
        return mark.direction === 'inbound' ? this.toUnsorted(call, context) : undefined;
      default: {
        const card = (await cardIn(context)) ?? (await this.newCard(choices.unknown, call, context));
        return this.toNote(card, call, context);
      }
    }
  }

  private async newCard(type: ClientWish['type'], call: Call, context: DeliveryContext): Promise<Card> {
    const { payload, phone, userId, choices } = call;
    const owner = userId === undefined ? undefined : String(userId);
    const wish = { type, ...optional('name', payload.client?.name), ...optional('ownerId', owner) };
    const { id } = await this.clients.create(phone, wish, context, choices.pipeline);
    const card = [type === 'lead' ? 'leads' : 'contacts', id] as const;
    await context.memo.set(CARD, JSON.stringify(card));
    return card;
  }

  /** Straight onto a card that was just made: by its number it may not be found yet. */
  private async toNote([entity, cardId]: Card, call: Call, context: DeliveryContext): Promise<Written> {
    const { direction, created_at, responsible_user_id, ...params } = fieldsOf(call, context);
    const note_type = direction === 'inbound' ? 'call_in' : 'call_out';
    const more = { ...optional('created_at', created_at), ...optional('responsible_user_id', responsible_user_id) };
    const fields = { entity_id: Number(cardId), note_type, params, ...more };
    const made = await this.api.create(`${entity}/notes`, fields, context);
    return this.writtenIn({ ...made, entity_id: cardId, entity_type: entity });
  }

  /** Incoming leads show the caller in `from`, the card created from them in `phone`: both are sent (amocrm-api-php#441). */
  private async toUnsorted(call: Call, context: DeliveryContext): Promise<Written> {
    const { number, payload, choices } = call;
    const { created_at, duration, uniq, link, call_responsible } = fieldsOf(call, context);
    const name = payload.client?.name ?? number;
    const fields = {
      source_uid: SERVICE,
      source_name: SOURCE,
      created_at,
      ...optional('pipeline_id', choices.pipeline),
      metadata: {
        uniq,
        from: number,
        phone: number,
        called_at: created_at,
        duration,
        ...optional('link', link),
        service_code: SERVICE,
        is_call_event_needed: true,
        ...optional('call_responsible', call_responsible),
      },
      _embedded: { leads: [{ name }], contacts: [contactOf(number, name, {})] },
    };
    return unsortedIn(await this.api.create('leads/unsorted/sip', fields, context), this.api);
  }

  private writtenIn(made: JsonObject): Written {
    const [type, id] = [scalar(made.entity_type), scalar(made.entity_id)];
    const entity = ENTITIES.find((one) => one === type || TYPES[one] === type);
    const isTold = entity !== undefined && id !== undefined;
    return { id: scalar(made.id) ?? '', kind: 'call', ...(isTold ? { entity: placeOf(entity, id, this.api) } : {}) };
  }
}

/** amoCRM writes `lead` in some answers and `leads` in others. */
const ENTITIES: readonly Entity[] = ['contacts', 'companies', 'leads', 'customers'];

const told = ({ id, kind, entity }: Written): Delivered => ({
  status: 'delivered',
  answer: { ...optional(kind === 'call' ? 'callId' : 'unsortedUid', id || undefined), ...optional('entity', entity) },
});

async function cardIn({ memo }: DeliveryContext): Promise<Card | undefined> {
  const kept = await memo.get(CARD);
  return kept === undefined ? undefined : (JSON.parse(kept) as Card);
}

/** amoCRM answered, and did not do it. */
const isRefused = (thrown: unknown): boolean => {
  const status = thrown instanceof TelephonyError ? Number(thrown.params.status) : 0;
  return status >= 400 && status < 500;
};

function callOf(payload: RecordPayload, phone: PhoneNumber, choices: Choices, context: DeliveryContext): Call {
  return {
    payload,
    phone,
    number: wholeNumber(phone),
    mark: {
      uniq: markOf(payload.eventId, 32),
      direction: payload.direction === 'in' ? 'inbound' : 'outbound',
      startedAt: Math.floor(Date.parse(payload.startedAt) / 1000),
    },
    userId: userOf(payload, context) ?? choices.fallbackUser,
    choices,
  };
}

/** Ids that are no numbers are not of amoCRM. */
const userOf = (payload: RecordPayload, context: DeliveryContext): number | undefined =>
  likelyUsers(payload, context)
    .map(amoId)
    .find((id) => id !== undefined);

/** A call as `POST /calls` takes it. What there is nothing to say of is left out: amoCRM refuses null. */
function fieldsOf({ payload, number, mark, userId, choices }: Call, context: DeliveryContext) {
  const { recording, extension } = payload;
  return {
    direction: mark.direction,
    uniq: mark.uniq,
    duration: payload.result === 'answered' ? (payload.talkSeconds ?? 0) : 0,
    source: SOURCE,
    phone: number,
    call_status: statusOf(payload),
    call_result: resultOf(payload, choices.language),
    created_at: mark.startedAt,
    ...optional('link', choices.recording ? recordingLink(recording, context) : undefined),
    ...optional('responsible_user_id', userId),
    // Somebody who is no user is named by extension.
    ...optional('call_responsible', userId ?? extension),
  };
}
