import { badAnswer, unauthorizedError } from '../errors';
import { objects, optional, scalar, type JsonObject } from '../json';
import type { CallContext, ClientWish, CrmAnswer, CrmEntity, PhoneNumber } from '../types';
import { isSameNumber, numberEnd, wholeNumber } from '../numbers';
import { PEOPLE, type Entity, type EspoApi } from './api';

const FIELDS = ['id', 'name', 'phoneNumber', 'assignedUserId', 'assignedUserName'];
const SELECT: Readonly<Record<Entity, readonly string[]>> = {
  Contact: [...FIELDS, 'accountId', 'accountName'],
  Lead: FIELDS,
  Account: FIELDS,
};
const TYPES = { Contact: 'contact', Lead: 'lead', Account: 'company' } as const;

/** Several records may share a number; more than these are of no use to the person who answers. */
const MAX_EACH = 5;
/** Records whose other numbers are read, for a number that was found by its end only. */
const MAX_CHECKED = 5;

interface Found {
  readonly entity: Entity;
  readonly record: JsonObject;
}

/** The clients of one EspoCRM. */
export class EspoClients {
  constructor(
    private readonly api: EspoApi,
    private readonly host: string,
  ) {}

  /**
   * Asks by the whole number first, which EspoCRM 9 keeps in E.164; then by its end, for numbers typed in other ways, and looks whether
   * these are really the same.
   */
  async find(phone: PhoneNumber, context: CallContext): Promise<CrmAnswer> {
    const exact = await this.search('equals', 'phoneNumber', wholeNumber(phone), context);
    if (exact.length > 0) return this.answer(exact);

    const alike = await this.search('endsWith', 'phoneNumberNumeric', numberEnd(phone), context);
    const same: Found[] = [];
    for (const one of alike.slice(0, MAX_CHECKED)) {
      if (await this.hasNumber(one, phone, context)) same.push(one);
    }
    return same.length > 0 ? this.answer(same) : { found: false };
  }

  /**
   * Makes a lead or a contact. EspoCRM refuses what it takes for a duplicate (409), by the same name among others: a record that
   * has this number is taken, others are no reason not to make it.
   */
  async create(phone: PhoneNumber, wish: ClientWish, context: CallContext): Promise<CrmEntity> {
    const number = wholeNumber(phone);
    const entity = wish.type === 'lead' ? 'Lead' : 'Contact';
    const common = { lastName: wish.name ?? number, ...optional('assignedUserId', wish.ownerId) };
    const fields =
      entity === 'Lead'
        ? { ...common, phoneNumber: number, source: 'Call', status: 'New' }
        : { ...common, phoneNumberData: [{ phoneNumber: number, primary: true, type: 'Mobile' }] };
    const first = await this.api.create(entity, fields, context);
    if ('made' in first) return this.entityOf({ entity, record: first.made });
    const existing = first.duplicates.find((record) => numbersIn(record).some((text) => isSameNumber(text, phone)));
    if (existing !== undefined) return this.entityOf({ entity, record: existing });
    const second = await this.api.create(entity, fields, context, true);
    if ('made' in second) return this.entityOf({ entity, record: second.made });
    throw badAnswer({
      en: 'it calls the new client a duplicate again.',
      ru: 'он снова называет нового клиента дубликатом.',
    });
  }

  private async search(
    type: 'equals' | 'endsWith',
    attribute: string,
    value: string,
    context: CallContext,
  ): Promise<Found[]> {
    const pages = await Promise.all(
      PEOPLE.map((entity) =>
        this.api.listIfAllowed(
          entity,
          { where: { type, attribute, value }, select: SELECT[entity], maxSize: MAX_EACH },
          context,
        ),
      ),
    );
    // A role may hide leads or accounts; one that hides everybody is a mistake.
    if (pages.every((page) => page === undefined)) {
      throw unauthorizedError({ host: this.host, status: 403 }, `no access to ${PEOPLE.join(', ')}`);
    }
    return PEOPLE.flatMap((entity, index) =>
      (pages[index]?.list ?? []).filter(({ id }) => scalar(id) !== undefined).map((record) => ({ entity, record })),
    );
  }

  /** The list shows the first number of a record only; the others are in the record itself. */
  private async hasNumber({ entity, record }: Found, phone: PhoneNumber, context: CallContext): Promise<boolean> {
    if (numbersIn(record).some((text) => isSameNumber(text, phone))) return true;
    const whole = await this.api.read(entity, scalar(record.id) ?? '', context);
    return whole !== undefined && numbersIn(whole).some((text) => isSameNumber(text, phone));
  }

  private answer(found: readonly Found[]): CrmAnswer {
    const entities = found.map((one) => this.entityOf(one));
    for (const { record } of found) {
      const company = this.companyOf(record);
      const listed = entities.some(({ type, id }) => type === 'company' && id === company?.id);
      if (company !== undefined && !listed) entities.push(company);
    }
    const owned = found.find(({ record }) => scalar(record.assignedUserId) !== undefined)?.record;
    const owner = {
      ...optional('id', scalar(owned?.assignedUserId)),
      ...optional('name', scalar(owned?.assignedUserName)),
    };
    return {
      found: true,
      name: entities.find(({ name }) => name !== undefined)?.name ?? '',
      entities,
      ...(owned === undefined ? {} : { owner }),
    };
  }

  private entityOf({ entity, record }: Found): CrmEntity {
    const id = scalar(record.id) ?? '';
    return {
      type: TYPES[entity],
      id,
      ...optional('name', scalar(record.name)),
      ...optional('ownerId', scalar(record.assignedUserId)),
      url: this.api.card(entity, id),
    };
  }

  private companyOf(record: JsonObject): CrmEntity | undefined {
    const id = scalar(record.accountId);
    if (id === undefined) return undefined;
    return { type: 'company', id, ...optional('name', scalar(record.accountName)), url: this.api.card('Account', id) };
  }
}

function numbersIn(record: JsonObject): string[] {
  const texts = [record, ...objects(record.phoneNumberData)].map(({ phoneNumber }) => phoneNumber);
  return texts.map(scalar).filter((text) => text !== undefined);
}
