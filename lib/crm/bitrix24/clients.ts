import { TelephonyError } from '../../errors';
import { numberVariants } from '../../phone';
import { badAnswer } from '../errors';
import { asObject, isObject, optional, scalar, type JsonObject } from '../json';
import { wholeNumber } from '../numbers';
import type { CallContext, ClientWish, CrmAnswer, CrmEntity, PhoneNumber } from '../types';
import { rowsIn, type BitrixApi, type Command } from './api';

/** The types that have phone numbers, likeliest caller first. */
const TYPES = { CONTACT: 'contact', LEAD: 'lead', COMPANY: 'company' } as const;
type TypeName = keyof typeof TYPES;

const isType = (value: unknown): value is TypeName => typeof value === 'string' && Object.hasOwn(TYPES, value);

/** Several records may share a number; more than these are of no use to the person who answers. */
const MAX_EACH = 5;

/** The clients of one portal. */
export class BitrixClients {
  constructor(private readonly api: BitrixApi) {}

  /**
   * Asks telephony, which compares numbers as Bitrix24 itself does at a call and tells the extension of the responsible. A webhook without
   * the right "telephony" asks the CRM instead: that compares texts, so the usual ways of writing are all given.
   */
  async find(phone: PhoneNumber, context: CallContext): Promise<CrmAnswer> {
    const told = await this.search(wholeNumber(phone), context);
    return told === undefined ? this.findInCrm(phone, context) : this.answerOf(told);
  }

  /** Makes a lead or a contact. */
  async create(phone: PhoneNumber, { type, name, ownerId }: ClientWish, context: CallContext): Promise<CrmEntity> {
    const number = wholeNumber(phone);
    const fields = {
      NAME: name ?? number,
      ...(type === 'lead' ? { TITLE: name ?? number, STATUS_ID: 'NEW' } : {}),
      SOURCE_ID: 'CALL',
      OPENED: 'Y',
      ...optional('ASSIGNED_BY_ID', ownerId),
      PHONE: [{ VALUE: number, VALUE_TYPE: 'WORK' }],
    };
    const method = type === 'lead' ? 'crm.lead.add' : 'crm.contact.add';
    const id = scalar(await this.api.call(method, { fields, params: { REGISTER_SONET_EVENT: 'Y' } }, context));
    if (id === undefined) throw badAnswer({ en: 'the new record has no id.', ru: 'у новой записи нет id.' });
    return { type, id, name: fields.NAME, ...optional('ownerId', ownerId), url: this.api.card(type, id) };
  }

  /** `undefined`: this way is closed, for this webhook or for the next ten minutes. */
  private async search(PHONE_NUMBER: string, context: CallContext): Promise<JsonObject[] | undefined> {
    try {
      const told = await this.api.callIfAllowed('telephony.externalCall.searchCrmEntities', { PHONE_NUMBER }, context);
      return told && rowsIn(told.result);
    } catch (thrown) {
      if (thrown instanceof TelephonyError && thrown.params.error === 'OPERATION_TIME_LIMIT') return undefined;
      throw thrown;
    }
  }

  private answerOf(rows: readonly JsonObject[]): CrmAnswer {
    const found = rows.flatMap((row) => {
      const [type, id] = [row.CRM_ENTITY_TYPE, scalar(row.CRM_ENTITY_ID)];
      return isType(type) && id !== undefined
        ? [{ row, entity: this.entity(type, id, row.NAME, row.ASSIGNED_BY_ID) }]
        : [];
    });
    const owned = found.find(({ entity }) => entity.ownerId !== undefined);
    return answer(
      found.map(({ entity }) => entity),
      owned?.entity.ownerId,
      scalar(asObject(owned?.row.ASSIGNED_BY).USER_PHONE_INNER),
    );
  }

  private async findInCrm(phone: PhoneNumber, context: CallContext): Promise<CrmAnswer> {
    const params = { type: 'PHONE', values: numberVariants(phone) };
    const told = await this.api.call('crm.duplicate.findbycomm', params, context);
    const ids = Object.keys(TYPES)
      .filter(isType)
      .flatMap((type) => idsIn(asObject(told)[type]).map((id) => ({ type, id })));
    const [first] = ids;
    if (first === undefined) return { found: false };

    const commands = new Map<string, Command>(
      ids.map(({ type, id }, index) => [`e${index}`, [`crm.${TYPES[type]}.get`, `id=${id}`]]),
    );
    commands.set('owner', ['user.get', 'ID=$result[e0][ASSIGNED_BY_ID]']);
    const records = await this.api.batch(commands, context);
    const entities = ids.map(({ type, id }, index) => {
      const record = records.get(`e${index}`);
      // A record that this webhook may not read still belongs to the number.
      return isObject(record) ? this.entity(type, id, nameIn(record), record.ASSIGNED_BY_ID) : this.entity(type, id);
    });
    const users = records.get('owner');
    const owner = Array.isArray(users) ? (users as unknown[])[0] : undefined;
    const { ownerId } = entities[0] ?? {};
    const isOwner = isObject(owner) && ownerId !== undefined && scalar(owner.ID) === ownerId;
    return answer(entities, ownerId, isOwner ? scalar(owner.UF_PHONE_INNER) : undefined);
  }

  private entity(type: TypeName, id: string, name?: unknown, ownerId?: unknown): CrmEntity {
    const word = TYPES[type];
    const owner = scalar(ownerId);
    return {
      type: word,
      id,
      ...optional('name', scalar(name)),
      // Nobody is user 0.
      ...optional('ownerId', owner === '0' ? undefined : owner),
      url: this.api.card(word, id),
    };
  }
}

function answer(entities: readonly CrmEntity[], ownerId?: string, extension?: string): CrmAnswer {
  if (entities.length === 0) return { found: false };
  return {
    found: true,
    name: entities.find(({ name }) => name !== undefined)?.name ?? '',
    entities,
    ...(ownerId === undefined ? {} : { owner: { id: ownerId, ...optional('extension', extension) } }),
  };
}

const idsIn = (value: unknown): string[] =>
  (Array.isArray(value) ? (value as unknown[]) : [])
    .map(scalar)
    .filter((id) => id !== undefined && /^\d+$/.test(id))
    .slice(0, MAX_EACH) as string[];

const nameIn = (record: JsonObject): string | undefined => {
  const person = [record.NAME, record.LAST_NAME].map(scalar).filter((part) => part !== undefined);
  return person.length > 0 ? person.join(' ') : scalar(record.TITLE);
};
