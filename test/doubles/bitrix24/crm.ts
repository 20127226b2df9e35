import { isMap, listOf, Refusal, text, type Params } from './wire';

export type EntityType = 'CONTACT' | 'COMPANY' | 'LEAD';
export type Fields = Readonly<Record<string, unknown>>;

export interface User {
  readonly ID: string;
  readonly NAME: string;
  readonly LAST_NAME: string;
  readonly ACTIVE: boolean;
  readonly USER_TYPE: string;
  readonly UF_PHONE_INNER: string | null;
}

export interface Entity {
  readonly id: number;
  readonly type: EntityType;
  fields: Fields;
}

export interface Activity {
  readonly id: number;
  readonly fields: Fields;
}

const TYPE_IDS: Readonly<Record<EntityType, number>> = { LEAD: 1, CONTACT: 3, COMPANY: 4 };
/** Findings of one type, and how many of them hide the types after it. */
const MAX_DUPLICATES = 20;
const PAGE = 50;

export interface Listed {
  readonly result: unknown;
  readonly total?: number;
  readonly next?: number;
}

/** One page of 50: `next` is absent on the last one. */
function page(all: readonly unknown[], start: unknown): Listed {
  const from = Number(start ?? 0);
  const more = from + PAGE < all.length;
  return { result: all.slice(from, from + PAGE), total: all.length, ...(more ? { next: from + PAGE } : {}) };
}

const numbersOf = (fields: Fields): string[] => listOf(fields.PHONE).map((one) => (isMap(one) ? text(one.VALUE) : ''));

/** As typed, formatting apart: `8 (495) …` and `+7 495 …` stay different. */
const typed = (number: string): string => number.replace(/(доб|ext|;|,|#|x).*$/i, '').replace(/[^0-9+]/g, '');

/** As telephony compares: by the international number, Russia being the country of the portal. */
function international(number: string): string {
  const digits = typed(number).replace(/\D/g, '');
  if (digits.length === 10) return `7${digits}`;
  return digits.length === 11 && digits.startsWith('8') ? `7${digits.slice(1)}` : digits;
}

/** Users, contacts, companies, leads and activities of a portal. Old methods give all values as texts. */
export class CrmTables {
  readonly users: User[] = [];
  readonly entities: Entity[] = [];
  readonly activities: Activity[] = [];
  private lastId = 650;

  addUser(user: Partial<User> & { readonly ID: string }): void {
    const defaults = { NAME: 'Рита', LAST_NAME: 'Иванова', ACTIVE: true, USER_TYPE: 'employee', UF_PHONE_INNER: null };
    this.users.push({ ...defaults, ...user });
  }

  add(type: EntityType, fields: Fields): Entity {
    this.lastId += 1;
    const entity = { id: this.lastId, type, fields };
    this.entities.push(entity);
    return entity;
  }

  all(type: EntityType): Entity[] {
    return this.entities.filter((one) => one.type === type);
  }

  /** What telephony finds: contacts, leads, companies, in this order. */
  byNumber(number: string): Entity[] {
    const wanted = international(number);
    const has = (entity: Entity) => numbersOf(entity.fields).some((one) => international(one) === wanted);
    return (['CONTACT', 'LEAD', 'COMPANY'] as const).flatMap((type) => this.all(type).filter(has));
  }

  nameOf({ type, fields }: Entity): string {
    const person = [text(fields.NAME), text(fields.LAST_NAME)].filter((part) => part !== '').join(' ');
    return type === 'CONTACT' ? person : text(fields.TITLE) || person;
  }

  activeUser(id: string): User | undefined {
    return this.users.find((user) => user.ID === id && user.ACTIVE);
  }

  userByInner(number: string): User | undefined {
    return this.users.find((user) => user.UF_PHONE_INNER === number && user.ACTIVE);
  }

  userGet(params: Params, withInner: boolean): Listed {
    const filter = isMap(params.FILTER) ? params.FILTER : {};
    const wanted = { ...filter, ...(params.ID === undefined ? {} : { ID: params.ID }) };
    const fits = (user: User) =>
      Object.entries(wanted).every(([name, value]) =>
        name === 'ACTIVE'
          ? user.ACTIVE === (value === true || value === 'true' || value === 'Y' || value === '1')
          : text(user[name as keyof User]) === text(value),
      );
    const shown = this.users.filter(fits).map(({ UF_PHONE_INNER, ...user }) => ({
      ...user,
      SECOND_NAME: '',
      EMAIL: `user${user.ID}@example.com`,
      TIMESTAMP_X: {},
      LAST_ACTIVITY_DATE: {},
      UF_DEPARTMENT: [1],
      ...(withInner ? { UF_PHONE_INNER } : {}),
    }));
    return page(shown, params.start);
  }

  findByComm(params: Params): unknown {
    const type = text(params.type);
    if (type === '') {
      throw new Refusal(400, 'Communication type is not defined', "Parameter 'type' is required.");
    }
    if (type !== 'PHONE') throw new Refusal(400, `Communication type '${type}' is not supported in this context`, '');
    const values = listOf(params.values).map((one) => typed(text(one)));
    if (values.length === 0) throw new Refusal(400, 'Communication values is not defined', '');
    const found: Record<string, number[]> = {};
    let count = 0;
    for (const kind of ['LEAD', 'CONTACT', 'COMPANY'] as const) {
      if (count >= MAX_DUPLICATES) break;
      const ids = this.all(kind)
        .filter((entity) => numbersOf(entity.fields).some((one) => values.includes(typed(one))))
        .map(({ id }) => id)
        .slice(0, MAX_DUPLICATES);
      if (ids.length > 0) found[kind] = ids;
      count += ids.length;
    }
    return Object.keys(found).length === 0 ? [] : found;
  }

  get(type: EntityType, params: Params): unknown {
    const id = Number(params.id ?? params.ID ?? 0);
    if (!Number.isInteger(id) || id <= 0) throw new Refusal(400, '', 'ID is not defined or invalid.');
    const entity = this.entities.find((one) => one.type === type && one.id === id);
    if (entity === undefined) throw new Refusal(400, '', 'Not found');
    const { PHONE, ...fields } = entity.fields;
    const phones = numbersOf({ PHONE }).map((VALUE, index) => ({
      ID: String(id * 10 + index),
      VALUE_TYPE: 'WORK',
      VALUE,
      TYPE_ID: 'PHONE',
    }));
    const texts = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, text(value)]));
    return {
      ID: String(id),
      ...texts,
      HAS_PHONE: phones.length > 0 ? 'Y' : 'N',
      ...(phones.length > 0 ? { PHONE: phones } : {}),
    };
  }

  /** `crm.item.list` and `crm.item.get`: integers, names in camelCase. */
  item(params: Params): Params {
    const type = (Object.keys(TYPE_IDS) as EntityType[]).find((one) => TYPE_IDS[one] === Number(params.entityTypeId));
    const entity = this.entities.find((one) => one.type === type && one.id === Number(params.id));
    if (entity === undefined) throw new Refusal(400, 'NOT_FOUND', 'Элемент не найден');
    const { fields } = entity;
    return {
      id: entity.id,
      title: text(fields.TITLE),
      name: text(fields.NAME),
      lastName: text(fields.LAST_NAME),
      assignedById: Number(fields.ASSIGNED_BY_ID ?? 0),
      phone: numbersOf(fields)[0] ?? '',
    };
  }

  create(type: EntityType, params: Params): number {
    const fields = isMap(params.fields) ? params.fields : {};
    const named = [fields.TITLE, fields.NAME, fields.LAST_NAME].some((one) => text(one) !== '');
    if (!named) throw new Refusal(400, '', 'Не заполнено обязательное поле.');
    return this.add(type, fields).id;
  }

  addActivity(params: Params): number {
    const fields = isMap(params.fields) ? params.fields : {};
    for (const name of ['OWNER_ID', 'OWNER_TYPE_ID', 'TYPE_ID', 'RESPONSIBLE_ID']) {
      if (text(fields[name]) === '') throw new Refusal(400, '', `The field ${name} is required.`);
    }
    if (listOf(fields.COMMUNICATIONS).length === 0) throw new Refusal(400, '', 'The field COMMUNICATIONS is required.');
    return this.storeActivity(fields);
  }

  storeActivity(fields: Fields): number {
    const id = 7900 + this.activities.length + 1;
    this.activities.push({ id, fields });
    return id;
  }

  listActivities(params: Params): Listed {
    const filter = Object.entries(isMap(params.filter) ? params.filter : {});
    const found = this.activities.filter(({ fields }) =>
      filter.every(([name, value]) => text(fields[name.replace(/^=/, '')]) === text(value)),
    );
    const shown = found.map(({ id, fields }) => ({
      ID: String(id),
      ORIGINATOR_ID: text(fields.ORIGINATOR_ID) || null,
      ORIGIN_ID: text(fields.ORIGIN_ID) || null,
      SUBJECT: text(fields.SUBJECT),
    }));
    return page(shown, params.start);
  }
}
