import { badAnswer } from '../errors';
import { objects, optional, scalar, type JsonObject } from '../json';
import { isSameNumber, numberEnd, wholeNumber } from '../numbers';
import type { CallContext, ClientWish, CrmAnswer, CrmEntity, PhoneNumber } from '../types';
import { amoId, embeddedIn, type AmoApi, type Entity } from './api';

/** A search looks into many fields, so more than the wanted ones may come back. */
const PAGE = 50;
/** More of a kind are of no use to the person who answers. */
const MAX_EACH = 5;
/** What the rest of the pack calls them. */
export const TYPES: Readonly<Record<Entity, string>> = {
  contacts: 'contact',
  companies: 'company',
  leads: 'lead',
  customers: 'customer',
};

/** The clients of one amoCRM account. */
export class AmoClients {
  constructor(private readonly api: AmoApi) {}

  /**
   * Asks contacts and, when none has the number, companies. Leads have no numbers of their own: they come with their contact. Names of
   * companies and leads are not in these answers, and would take a request each.
   */
  async find(phone: PhoneNumber, context: CallContext): Promise<CrmAnswer> {
    for (const entity of ['contacts', 'companies'] as const) {
      const found = await this.search(entity, phone, context);
      const same = found.filter((record) => numbersIn(record).some((text) => isSameNumber(text, phone)));
      if (same.length > 0) return this.answer(entity, same.slice(0, MAX_EACH));
    }
    return { found: false };
  }

  /** Whatever holds the last ten digits of the number, wherever: what it is must be looked at. The latest changed come first. */
  async search(entity: 'contacts' | 'companies', phone: PhoneNumber, context: CallContext): Promise<JsonObject[]> {
    const query = numberEnd(phone);
    const params = { query, with: 'leads,customers', limit: String(PAGE), 'order[updated_at]': 'desc' };
    const found = await this.api.list(entity, params, context);
    return found.filter(({ id }) => scalar(id) !== undefined);
  }

  /** Makes a contact, or a lead with one. A name that is not wished is the number. */
  async create(phone: PhoneNumber, wish: ClientWish, context: CallContext, pipeline?: number): Promise<CrmEntity> {
    const number = wholeNumber(phone);
    const name = wish.name ?? number;
    const owner = optional('responsible_user_id', amoId(wish.ownerId));
    const contact = contactOf(number, name, owner);
    const made =
      wish.type === 'contact'
        ? await this.api.create('contacts', contact, context)
        : await this.api.create(
            'leads/complex',
            { name, ...owner, ...optional('pipeline_id', pipeline), _embedded: { contacts: [contact] } },
            context,
          );
    const id = scalar(made.id);
    if (id === undefined) throw badAnswer({ en: 'the new record has no "id".', ru: 'у новой записи нет «id».' });
    const entity = wish.type === 'contact' ? 'contacts' : 'leads';
    return { type: wish.type, id, name, ...optional('ownerId', wish.ownerId), url: this.api.card(entity, id) };
  }

  private answer(entity: 'contacts' | 'companies', records: readonly JsonObject[]): CrmAnswer {
    const people = records.map((record) => this.entityOf(entity, record));
    const others = (['companies', 'leads'] as const)
      .filter((kind) => kind !== entity)
      .flatMap((kind) => {
        const ids = new Set(records.flatMap((record) => linked(record, kind)));
        return [...ids].slice(0, MAX_EACH).map((id) => this.entityOf(kind, { id }));
      });
    const ownerId = people.find((person) => person.ownerId !== undefined)?.ownerId;
    return {
      found: true,
      name: people.find(({ name }) => name !== undefined)?.name ?? '',
      entities: [...people, ...others],
      ...(ownerId === undefined ? {} : { owner: { id: ownerId } }),
    };
  }

  private entityOf(entity: Entity, { id, name, responsible_user_id }: JsonObject): CrmEntity {
    return {
      type: TYPES[entity],
      id: scalar(id) ?? '',
      ...optional('name', scalar(name)),
      ...optional('ownerId', userId(responsible_user_id)),
      url: this.api.card(entity, scalar(id) ?? ''),
    };
  }
}

export const contactOf = (number: string, name: string, more: JsonObject): JsonObject => ({
  name,
  ...more,
  custom_fields_values: [{ field_code: 'PHONE', values: [{ value: number, enum_code: 'WORK' }] }],
});

/** Ids of what hangs on a record, the newest first. */
export function linked(record: JsonObject, kind: Entity): string[] {
  const ids = objects(embeddedIn(record)[kind]).map(({ id }) => scalar(id));
  return ids.filter((id) => id !== undefined).sort((one, other) => Number(other) - Number(one));
}

/** 0 is the robot, and nobody. */
function userId(value: unknown): string | undefined {
  const id = scalar(value);
  return id === '0' ? undefined : id;
}

/** `custom_fields_values` is null where there are none. */
function numbersIn({ custom_fields_values }: JsonObject): string[] {
  const phones = objects(custom_fields_values).filter(({ field_code }) => field_code === 'PHONE');
  const values = phones.flatMap((field) => objects(field.values));
  return values.map(({ value }) => scalar(value)).filter((text) => text !== undefined);
}
