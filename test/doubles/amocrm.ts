import { HttpDouble, type DoubleReply, type DoubleRequest } from './support';

type Fields = Readonly<Record<string, unknown>>;
type Stored = Record<string, unknown> & { readonly id: number };

const LISTS = ['contacts', 'companies', 'leads', 'customers'] as const;
type List = (typeof LISTS)[number];
const SINGULAR: Readonly<Record<List, string>> = {
  contacts: 'contact',
  companies: 'company',
  leads: 'lead',
  customers: 'customer',
};

const digits = (value: unknown): string => String(value).replace(/[^0-9]/g, '');
const fieldsIn = (value: unknown): Fields[] => (Array.isArray(value) ? (value as Fields[]) : []);
const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === '';

/**
 * amoCRM as far as calls touch it: the shapes of its documentation and of public clients and connectors. Where nobody says what it does
 * (a repeated `uniq`, an incoming lead sent twice) it does the worst, unless told otherwise.
 */
export class AmoDouble extends HttpDouble {
  readonly token = `eyJ0eXAiOiJKV1Qi.${'0'.repeat(32)}.long-lived`;
  /** Tokens that are good; one that is taken away has expired or was revoked. */
  readonly tokens = new Set([this.token]);
  /** Requests in any second; 429 above that, 403 for who goes on. */
  perSecond = 7;
  /** So many refusals by the limit lead to the block. */
  refusalsToBlock = 5;
  /** The IP address is barred (code 113). */
  barred = false;
  /** The account is paid for. */
  paid = true;
  /** What becomes of a call or an incoming lead whose `uniq` is there already. Nobody tells it: the worst is taken. */
  sameUniq: 'again' | 'once' = 'again';
  /** Whether incoming leads give `uniq` back: examples show it, tables do not. */
  tellsUniq = true;
  /** A record is found by its number only when this is off: searches of a moment ago. */
  searchIsBehind = false;
  /** Refuses calls with status 200 instead of 400: both happen with lists of several. */
  itemErrorsUnder200 = false;
  readonly notes: (Stored & { entity: List; entity_id: number; note_type: string; params: Fields })[] = [];
  readonly unsorted: (Fields & { uid: string; metadata: Fields })[] = [];
  /** The cards that opened: number and users. */
  readonly cards: Fields[] = [];
  private readonly records = new Map<string, Stored[]>([...LISTS, 'users'].map((list) => [list, []]));
  private counter = 1000;
  private readonly times: number[] = [];
  /** Requests refused by the limit. */
  refused = 0;
  private refusals = 0;
  private blockedUntil = -Infinity;

  constructor(private readonly now: () => number = () => performance.now()) {
    super();
  }

  all(list: string): readonly Stored[] {
    return this.records.get(list) ?? [];
  }

  /** Puts a record there as a person would; returns its id. */
  add(list: string, fields: Fields): number {
    return this.store(list, fields).id;
  }

  /** A contact or company with this number. */
  addClient(list: 'contacts' | 'companies', name: string, phone: string, more: Fields = {}): number {
    const values = [{ value: phone, enum_id: 1, enum_code: 'WORK' }];
    const field = { field_id: 3, field_name: 'Телефон', field_code: 'PHONE', field_type: 'multitext', values };
    return this.add(list, { name, custom_fields_values: [field], ...more });
  }

  protected handle(request: DoubleRequest): DoubleReply {
    const limit = this.limit();
    if (limit !== undefined) return limit;
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined || !this.tokens.has(token)) return problem(401, 'Unauthorized', 'Token has expired');
    if (!this.paid) return problem(402, 'Payment Required', 'Account is not paid');
    const { method, path } = request;
    if (method === 'POST' && path === '/api/v2/events/') return this.event(bodyOf(request));
    const [list = '', id, sub] = path.replace(/^\/api\/v4\//, '').split('/');
    if (method === 'GET') return this.get(list, id, sub, request.query);
    const items = fieldsIn(bodyOf(request));
    if (path === '/api/v4/calls') return this.addCalls(items);
    if (path === '/api/v4/leads/unsorted/sip') return this.addUnsorted(items);
    if (path === '/api/v4/leads/complex') return this.addComplex(items);
    if (LISTS.includes(list as List) && id === 'notes') return this.addNotes(list as List, items);
    if (LISTS.includes(list as List) && id === undefined) return this.addRecords(list, items);
    return problem(404, 'Not Found', path);
  }

  private limit(): DoubleReply | undefined {
    const now = this.now();
    if (this.barred) return problem(403, 'Forbidden', 'IP address is blocked', { code: 113 });
    if (now < this.blockedUntil) return problem(403, 'Forbidden', '');
    while (this.times.length > 0 && now - (this.times[0] ?? 0) >= 1000) this.times.shift();
    if (this.times.length < this.perSecond) {
      this.times.push(now);
      return undefined;
    }
    this.refused += 1;
    this.refusals += 1;
    if (this.refusals >= this.refusalsToBlock) {
      this.refusals = 0;
      this.blockedUntil = now + 1500;
    }
    return problem(429, 'Too Many Requests', '');
  }

  private get(list: string, id: string | undefined, sub: string | undefined, query: URLSearchParams): DoubleReply {
    if (list === 'leads' && id === 'unsorted')
      return page('unsorted', this.unsorted.map((one) => this.shown(one)).reverse(), query);
    if (sub === 'notes') {
      const type = query.get('filter[note_type][]');
      const notes = this.notes.filter((one) => one.entity === list && one.entity_id === Number(id));
      return page(
        'notes',
        notes.filter((one) => type === null || one.note_type === type),
        query,
      );
    }
    if (!this.records.has(list)) return problem(404, 'Not Found', list);
    const wanted = (query.get('query') ?? '').toLowerCase();
    // A search goes through many fields and finds parts; numbers are found by their digits.
    const found = this.all(list).filter((record) => {
      const text = JSON.stringify([record.name, record.custom_fields_values]).toLowerCase();
      const inNumber = /^\d+$/.test(wanted) && phonesOf(record).some((phone) => digits(phone).includes(wanted));
      return wanted === '' || (!this.searchIsBehind && (text.includes(wanted) || inNumber));
    });
    return page(list, [...found].reverse(), query);
  }

  private shown(item: Fields & { metadata: Fields }): Fields {
    const { uniq, ...metadata } = item.metadata;
    return { ...item, metadata: this.tellsUniq ? { ...metadata, uniq } : metadata };
  }

  private addRecords(list: string, items: readonly Fields[]): DoubleReply {
    const wrong = items.findIndex((item) => isEmpty(item.name) || !isUserId(item.responsible_user_id));
    if (wrong >= 0) return invalid(wrong, isEmpty(items[wrong]?.name) ? 'name' : 'responsible_user_id');
    const made = items.map((item, index) => ({
      id: this.store(list, item).id,
      request_id: requestId(item, index),
    }));
    return hal({ _links: {}, _embedded: { [list]: made } });
  }

  /** A lead with its contact, answered by a bare list. */
  private addComplex(items: readonly Fields[]): DoubleReply {
    const made = items.map((item, index) => {
      const { contacts = [] } = (item._embedded ?? {}) as { contacts?: Fields[] };
      const lead = this.store('leads', { ...item, _embedded: {} });
      const [contact] = contacts.map((one) =>
        this.store('contacts', { ...one, _embedded: { leads: [{ id: lead.id }], companies: [] } }),
      );
      return {
        id: lead.id,
        contact_id: contact?.id ?? null,
        company_id: null,
        request_id: [String(index)],
        merged: false,
      };
    });
    return hal(made);
  }

  private addCalls(items: readonly Fields[]): DoubleReply {
    const required = ['direction', 'duration', 'source', 'phone'];
    for (const [index, item] of items.entries()) {
      // null is refused where a value may be left out.
      const missing =
        required.find((field) => isEmpty(item[field])) ?? Object.keys(item).find((field) => item[field] === null);
      if (missing !== undefined) return invalid(index, missing);
      const wrong = ['responsible_user_id', 'created_by'].find((field) => !isUserId(item[field]));
      if (wrong !== undefined) return invalid(index, wrong);
    }
    const results = items.map((item, index) => this.addCall(item, index));
    const errors = results.flatMap((one) => ('error' in one ? [one.error] : []));
    const calls = results.flatMap((one) => ('call' in one ? [one.call] : []));
    const body = { _total_items: calls.length, errors, _embedded: { calls } };
    const status = errors.length > 0 && calls.length === 0 && !this.itemErrorsUnder200 ? 400 : 200;
    return { ...hal(body), status };
  }

  private addCall(item: Fields, index: number): { readonly call: Fields } | { readonly error: Fields } {
    const place = this.placeOf(digits(item.phone).slice(-10));
    const request_id = requestId(item, index);
    if (place === undefined) {
      return {
        error: { title: 'Entity not found', type: 'https://httpstatus.es/400', status: 263, detail: '', request_id },
      };
    }
    const [entity, entity_id] = place;
    const known = this.notes.find(({ params }) => this.sameUniq === 'once' && params.uniq === item.uniq);
    const note = known ?? this.addNote(entity, entity_id, item);
    const call = {
      id: note.id,
      entity_id: note.entity_id,
      entity_type: SINGULAR[note.entity],
      account_id: 288,
      request_id,
    };
    return { call };
  }

  /** The one active lead, the one customer, else the contact or company: by the last ten digits. */
  private placeOf(end: string): readonly [List, number] | undefined {
    if (this.searchIsBehind) return undefined;
    for (const list of ['contacts', 'companies'] as const) {
      const client = this.all(list).find((record) =>
        phonesOf(record).some((phone) => digits(phone).slice(-10) === end),
      );
      if (client === undefined) continue;
      const { leads = [], customers = [] } = (client._embedded ?? {}) as Partial<Record<List, { id: number }[]>>;
      const active = leads.filter(({ id }) => !this.all('leads').some((lead) => lead.id === id && lead.closed_at));
      const [lead, customer] = [active[0], customers[0]];
      if (lead !== undefined && active.length === 1 && customers.length === 0) return ['leads', lead.id];
      if (customer !== undefined && customers.length === 1 && active.length === 0) return ['customers', customer.id];
      return [list, client.id];
    }
    return undefined;
  }

  private addNote(entity: List, entity_id: number, fields: Fields) {
    const { direction, ...params } = fields;
    const note_type = direction === 'inbound' ? 'call_in' : 'call_out';
    const note = { id: this.nextId(), entity, entity_id, note_type, params };
    this.notes.push(note);
    return note;
  }

  private addNotes(list: List, items: readonly Fields[]): DoubleReply {
    const wrong = items.findIndex(({ params }) => Object.values(params as Fields).some((value) => value === null));
    if (wrong >= 0) return invalid(wrong, 'params');
    const made = items.map((item, index) => {
      const { entity_id, note_type, params } = item as { entity_id: number; note_type: string; params: Fields };
      const note = { id: this.nextId(), entity: list, entity_id, note_type, params };
      this.notes.push(note);
      return { id: note.id, entity_id, request_id: String(index) };
    });
    return hal({ _links: {}, _embedded: { notes: made } });
  }

  private addUnsorted(items: readonly Fields[]): DoubleReply {
    const wrong = items.findIndex(
      (item) => isEmpty(item.source_uid) || isEmpty(item.source_name) || isEmpty(item.metadata),
    );
    if (wrong >= 0) return invalid(wrong, 'source_uid');
    const made = items.map((item, index) => {
      const metadata = item.metadata as Fields;
      const known = this.unsorted.find((one) => this.sameUniq === 'once' && one.metadata.uniq === metadata.uniq);
      if (known !== undefined) return known;
      const ids = { contacts: [{ id: this.nextId() }], leads: [{ id: this.nextId() }], companies: [] };
      const uid = `98fb033cefde74f5de1a5d3980a2${this.nextId()}`;
      const unsorted = {
        ...item,
        uid,
        account_id: 288,
        request_id: String(index),
        metadata,
        sent: item._embedded,
        _embedded: ids,
      };
      this.unsorted.push(unsorted);
      return unsorted;
    });
    return hal({ _total_items: made.length, _embedded: { unsorted: made } });
  }

  private event(body: unknown): DoubleReply {
    const items = fieldsIn((body as { add?: unknown } | undefined)?.add);
    this.cards.push(...items);
    const shown = items.map(({ phone_number }) => {
      const place = this.placeOf(digits(phone_number).slice(-10));
      return { element_id: place?.[1] ?? null, element_type: place === undefined ? null : 2, uid: 'u', phone_number };
    });
    return hal({ _links: { self: { href: '/api/v2/events', method: 'post' } }, _embedded: { items: shown } });
  }

  private store(list: string, fields: Fields): Stored {
    const record: Stored = {
      responsible_user_id: 504141,
      custom_fields_values: null,
      ...fields,
      id: this.nextId(),
      _embedded: { tags: [], companies: [], leads: [], ...(fields._embedded as object | undefined) },
    };
    this.records.get(list)?.push(record);
    return record;
  }

  private nextId(): number {
    this.counter += 1;
    return this.counter;
  }
}

function bodyOf(request: DoubleRequest): unknown {
  return request.body.length === 0 ? undefined : (JSON.parse(request.body.toString('utf8')) as unknown);
}

const requestId = ({ request_id }: Fields, index: number): string =>
  typeof request_id === 'string' ? request_id : String(index);

const isUserId = (value: unknown): boolean =>
  value === undefined || (Number.isInteger(value) && Number(value) < 1_000_000);

function phonesOf({ custom_fields_values }: Stored): unknown[] {
  const fields = fieldsIn(custom_fields_values).filter(({ field_code }) => field_code === 'PHONE');
  return fields.flatMap(({ values }) => fieldsIn(values).map(({ value }) => value));
}

/** One page; nothing is 204 without a body. */
function page(list: string, rows: readonly unknown[], query: URLSearchParams): DoubleReply {
  const size = Math.min(Number(query.get('limit') ?? 50), 250);
  const number = Number(query.get('page') ?? 1);
  const shown = rows.slice((number - 1) * size, number * size);
  if (shown.length === 0) return { status: 204 };
  const next = number * size < rows.length ? { next: { href: `?page=${number + 1}` } } : {};
  return hal({ _page: number, _links: { self: { href: '' }, ...next }, _embedded: { [list]: shown } });
}

const hal = (body: unknown): DoubleReply => ({
  status: 200,
  headers: { 'Content-Type': 'application/hal+json' },
  body,
});

const problem = (status: number, title: string, detail: string, more: Fields = {}): DoubleReply => ({
  status,
  headers: { 'Content-Type': 'application/problem+json' },
  body: { ...more, title, type: `https://httpstatus.es/${status}`, status, detail },
});

function invalid(index: number, path: string): DoubleReply {
  const errors = [{ code: 'FieldMissing', path, detail: 'This field is missing.' }];
  const more = { 'validation-errors': [{ request_id: String(index), errors }] };
  return problem(400, 'Bad Request', 'Request validation failed', more);
}
