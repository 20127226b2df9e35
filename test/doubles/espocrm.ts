import { HttpDouble, type DoubleReply, type DoubleRequest } from './support';

type Fields = Readonly<Record<string, unknown>>;
type StoredRecord = Record<string, unknown> & { readonly id: string };

const ENTITIES = ['Contact', 'Lead', 'Account', 'Call', 'User'];

interface Where {
  readonly type: string;
  readonly attribute: string;
  readonly value: string;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const digits = (value: string): string => value.replace(/[^0-9]/g, '');

/**
 * EspoCRM 9.1.7 as far as calls touch it; every shape, status, header and oddity was measured on a real one: the default role, a wrong
 * key (401 without a body), the default duration of calls, E.164 only, duplicates by name, secondary numbers found but not shown.
 */
export class EspoDouble extends HttpDouble {
  readonly key = '0123456789abcdef0123456789abcdef';
  /** `phoneNumberInternational` of the settings: the default of new installations. */
  phoneNumberInternational = true;
  /** Entities that the role of the API user hides. */
  readonly hidden = new Set<string>();
  private readonly records = new Map<string, StoredRecord[]>(ENTITIES.map((entity) => [entity, []]));
  private counter = 0;

  all(entity: string): readonly StoredRecord[] {
    return this.records.get(entity) ?? [];
  }

  /** Puts a record there as a person would; returns its id. */
  add(entity: string, fields: Fields): string {
    return this.store(entity, fields).id;
  }

  protected handle(request: DoubleRequest): DoubleReply {
    if (request.headers['x-api-key'] !== this.key) {
      return { status: 401, headers: { 'Content-Type': 'text/html; charset=UTF-8' } };
    }
    const [, entity = '', id] = /^\/api\/v1\/(\w+)(?:\/([^/]+))?$/.exec(request.path) ?? [];
    if (!this.records.has(entity)) return failed(404, `Controller '${entity}' does not exist.`);
    if (this.hidden.has(entity)) return failed(403, `No access to ${entity}.`);
    const fields = request.body.length === 0 ? {} : (JSON.parse(request.body.toString('utf8')) as Fields);
    if (request.method === 'POST') return this.create(entity, fields, request.headers['x-skip-duplicate-check']);
    if (id === undefined) return { status: 200, body: this.list(entity, request.query) };
    const record = this.all(entity).find((one) => one.id === id);
    if (record === undefined) return failed(404, `Record ${id} does not exist.`);
    if (request.method === 'PUT') Object.assign(record, fields);
    return { status: 200, body: record };
  }

  private list(entity: string, query: URLSearchParams): Fields {
    const packed = query.get('searchParams');
    const asked = packed === null ? undefined : (JSON.parse(packed) as { where?: Where[]; maxSize?: number });
    const part = (name: string) => query.get(`where[0][${name}]`) ?? '';
    const plain = query.has('where[0][type]')
      ? [{ type: part('type'), attribute: part('attribute'), value: part('value') }]
      : [];
    const where = asked?.where ?? plain;
    const found = this.all(entity).filter((record) => where.every((one) => this.matches(record, one)));
    const from = Number(query.get('offset') ?? 0);
    const size = Math.min(asked?.maxSize ?? Number(query.get('maxSize') ?? 20), 200);
    // A list shows the primary number; the others stand in the whole record only.
    const list = found.slice(from, from + size).map((record) => ({ ...record, phoneNumberData: undefined }));
    return { total: found.length, list };
  }

  private matches(record: StoredRecord, { type, attribute, value }: Where): boolean {
    const values = this.valuesOf(record, attribute).map((one) => one.toLowerCase());
    const wanted = value.toLowerCase();
    switch (type) {
      case 'equals':
        return values.includes(wanted);
      case 'like':
        return values.some((one) => one.includes(wanted.replaceAll('%', '')));
      case 'contains':
        return values.some((one) => one.includes(wanted));
      case 'startsWith':
        return values.some((one) => one.startsWith(wanted));
      case 'endsWith':
        return values.some((one) => one.endsWith(wanted));
      default:
        return false;
    }
  }

  private valuesOf(record: StoredRecord, attribute: string): string[] {
    const numbers =
      (record.phoneNumberData as { phoneNumber: string }[] | undefined)?.map((one) => one.phoneNumber) ?? [];
    if (attribute === 'phoneNumber') return numbers;
    if (attribute === 'phoneNumberNumeric') return numbers.map(digits);
    return [text(record[attribute])];
  }

  private create(entity: string, fields: Fields, skipDuplicates: unknown): DoubleReply {
    const problem = this.problemOf(entity, fields);
    if (problem !== undefined) {
      const { field, type } = problem;
      const body = { messageTranslation: { label: 'validationFailure', scope: null, data: problem } };
      return failed(400, `Field validation failure; entityType: ${entity}, field: ${field}, type: ${type}.`, body);
    }
    const twins = entity === 'Call' ? [] : this.all(entity).filter(({ name }) => name === nameOf(entity, fields));
    if (twins.length > 0 && skipDuplicates !== 'true') return failed(409, 'duplicate', twins);
    return { status: 200, body: this.store(entity, fields) };
  }

  private problemOf(entity: string, fields: Fields): { field: string; type: string } | undefined {
    const numbers = numbersOf(fields).map((one) => one.phoneNumber);
    if (this.phoneNumberInternational && numbers.some((one) => !/^\+\d{7,15}$/.test(one))) {
      return { field: 'phoneNumber', type: 'valid' };
    }
    const required: Readonly<Record<string, readonly string[]>> = {
      Contact: ['lastName'],
      Lead: ['lastName'],
      Account: ['name'],
      Call: ['name', 'dateStart', 'dateEnd', 'assignedUserId'],
    };
    const missing = required[entity]?.find((field) => text(fields[field]) === '');
    if (missing !== undefined) return { field: missing.replace(/Id$/, ''), type: 'required' };
    const options: readonly (readonly [string, readonly string[]])[] =
      entity === 'Call'
        ? [
            ['status', ['Planned', 'Held', 'Not Held']],
            ['direction', ['Inbound', 'Outbound']],
          ]
        : [];
    const wrong = options.find(([field, allowed]) => field in fields && !allowed.includes(text(fields[field])));
    if (wrong !== undefined) return { field: wrong[0], type: 'valid' };
    const times = entity === 'Call' ? ['dateStart', 'dateEnd'] : [];
    const badTime = times.find((field) => !/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text(fields[field])));
    return badTime === undefined ? undefined : { field: badTime, type: 'valid' };
  }

  private store(entity: string, fields: Fields): StoredRecord {
    this.counter += 1;
    const id = `6b00a0d6${this.counter.toString(16).padStart(9, '0')}`;
    const numbers = numbersOf(fields);
    const user = this.all('User').find((one) => one.id === fields.assignedUserId);
    const record: StoredRecord = {
      deleted: false,
      ...fields,
      id,
      name: nameOf(entity, fields),
      createdAt: '2026-11-20 19:34:46',
      createdById: '6b00a0b7b1d799e2a',
      ...(user === undefined ? {} : { assignedUserName: user.name }),
    };
    if (entity === 'Contact') record.accountIsInactive = false;
    if (entity !== 'Call') {
      record.phoneNumber = numbers[0]?.phoneNumber ?? null;
      record.phoneNumberData = numbers;
    } else {
      // Whatever the times are: the default of the field is stored.
      record.duration = 300;
      const contact = this.all('Contact').find((one) => one.id === fields.parentId);
      record.phoneNumbersMap = contact === undefined ? {} : { [`Contact_${contact.id}`]: contact.phoneNumber };
      record.accountId = contact?.accountId ?? null;
    }
    this.records.get(entity)?.push(record);
    return record;
  }
}

const failed = (status: number, reason: string, body?: unknown): DoubleReply => ({
  status,
  headers: { 'Content-Type': 'application/json', 'X-Status-Reason': reason },
  body,
});

function nameOf(entity: string, fields: Fields): string {
  const isPerson = entity === 'Contact' || entity === 'Lead';
  return isPerson && !('name' in fields)
    ? [fields.firstName, fields.lastName]
        .map(text)
        .filter((part) => part !== '')
        .join(' ')
    : text(fields.name);
}

function numbersOf(fields: Fields): { phoneNumber: string; primary: boolean; type: string }[] {
  const data = fields.phoneNumberData;
  if (Array.isArray(data)) return data as { phoneNumber: string; primary: boolean; type: string }[];
  const one = text(fields.phoneNumber);
  return one === '' ? [] : [{ phoneNumber: one, primary: true, type: 'Mobile' }];
}
