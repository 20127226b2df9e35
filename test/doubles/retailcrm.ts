import { HttpDouble, type DoubleReply, type DoubleRequest } from './support';

type Fields = Readonly<Record<string, unknown>>;

export interface RetailCustomer {
  readonly id: number;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly email?: string;
  readonly phones: readonly { readonly number: string }[];
  readonly managerId?: number;
  readonly site: string;
}

export interface RetailUser {
  readonly id: number;
  readonly firstName: string;
  readonly lastName?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly active: boolean;
  /** The extension: an additional code of the registered telephony. */
  readonly code?: string;
}

const RESULTS = ['answered', 'busy', 'failed', 'no answer', 'not allowed', 'unknown'];
const HANGUPS = ['answered', 'busy', 'cancel', 'failed', 'no answered'];
const METHODS = [
  '/api/telephony/manager',
  '/api/telephony/call/event',
  '/api/telephony/calls/upload',
  '/api/users',
  '/api/settings',
  '/api/customers/create',
  '/api/integration-modules/{code}',
];
const MAX_CALLS = 50;

/** The last ten digits: `+7 495 …` and `8 (495) …` are one number. */
const end = (number: string): string => number.replace(/[^0-9]/g, '').slice(-10);

/**
 * retailCRM's API v5 as far as calls touch it: paths, fields and answers as its public clients write and read them. What a real account says in
 * the rarer cases (an unknown extension, a bad field) is a guess with the documented shape of errors.
 */
export class RetailDouble extends HttpDouble {
  readonly key = 'X2EDxEta9U3lcsSV0dwdF38UvtSCxIuG';
  /** Code of the registered telephony. */
  readonly module = 'asterisk';
  /** Requests in any second after which a 503 comes; of one address, as the rules say. */
  perSecond = Infinity;
  timeZone = 'Europe/Moscow';
  /** Shops that the key may use. */
  sites = ['main'];
  /** Compares numbers as text only. */
  strictNumbers = false;
  /** Refuses calls whose extension nobody has. */
  strictCodes = false;
  /** Methods that the key may not use, as `credentials` writes them. */
  readonly denied = new Set<string>();
  readonly users: RetailUser[] = [];
  readonly customers: RetailCustomer[] = [];
  readonly calls: Fields[] = [];
  readonly events: Fields[] = [];
  /** The clock of the limit, in ms. */
  now = (): number => Date.now();
  private times: number[] = [];

  addUser(fields: Partial<RetailUser>): RetailUser {
    const user = { id: this.users.length + 1, firstName: 'User', active: true, ...fields };
    this.users.push(user);
    return user;
  }

  addCustomer(fields: Partial<RetailCustomer>): RetailCustomer {
    const customer = { id: this.customers.length + 100, phones: [], site: 'main', ...fields };
    this.customers.push(customer);
    return customer;
  }

  protected handle(request: DoubleRequest): DoubleReply {
    const now = this.now();
    this.times = [...this.times.filter((time) => time > now - 1000), now];
    if (this.times.length > this.perSecond) {
      return { status: 503, body: '<html><head><title>503 Service Temporarily Unavailable</title></head></html>' };
    }
    const key = request.headers['x-api-key'] ?? request.query.get('apiKey');
    if (key === null) return refused(403, '"apiKey" is missing.');
    if (key !== this.key) return refused(403, 'Wrong "apiKey" value.');
    const [, path = ''] = /^\/api(?:\/v5)?(\/.*)$/.exec(request.path) ?? [];
    const isModule = path.startsWith('/integration-modules/');
    if (this.denied.has(`/api${isModule ? '/integration-modules/{code}' : path}`))
      return refused(403, 'Access denied.');
    const form = new URLSearchParams(request.method === 'POST' ? request.body.toString('utf8') : '');
    switch (`${request.method} ${isModule ? '/integration-modules' : path}`) {
      case 'GET /credentials':
        return done({ credentials: METHODS.filter((one) => !this.denied.has(one)), siteAccess: 'access_full' });
      case 'GET /settings':
        return done({ settings: { timezone: { value: this.timeZone, updated_at: '2026-02-08 08:29:40' } } });
      case 'GET /users':
        return this.listUsers(request.query);
      case 'GET /integration-modules':
        return this.telephony(path.split('/').pop() ?? '');
      case 'GET /telephony/manager':
        return this.manager(request.query);
      case 'POST /telephony/call/event':
        return this.event(form);
      case 'POST /telephony/calls/upload':
        return this.upload(form);
      case 'POST /customers/create':
        return this.createCustomer(form);
      default:
        return refused(404, 'API method not found');
    }
  }

  private listUsers(query: URLSearchParams): DoubleReply {
    const limit = Number(query.get('limit') ?? 20);
    if (![20, 50, 100].includes(limit)) return invalid({ limit: 'The value you selected is not a valid choice.' });
    const page = Number(query.get('page') ?? 1);
    const all = query.get('filter[active]') === '1' ? this.users.filter(({ active }) => active) : this.users;
    const users = all.slice((page - 1) * limit, page * limit).map((user) => ({ ...user, code: undefined }));
    const totalPageCount = Math.ceil(all.length / limit);
    return done({ pagination: { limit, totalCount: all.length, currentPage: page, totalPageCount }, users });
  }

  private telephony(code: string): DoubleReply {
    if (code !== this.module) return refused(404, 'Not found');
    const additionalCodes = this.users
      .filter((user) => user.code !== undefined)
      .map((user) => ({ userId: user.id, code: user.code }));
    const telephony = { inputEventSupported: true, hangupEventSupported: true, additionalCodes, externalPhones: [] };
    return done({ integrationModule: { code, name: 'Asterisk', active: true, integrations: { telephony } } });
  }

  private manager(query: URLSearchParams): DoubleReply {
    const phone = query.get('phone') ?? '';
    if (phone === '') return refused(400, "Parameter 'phone' is missing");
    const isSame = (number: string) => (this.strictNumbers ? number === phone : end(number) === end(phone));
    const customer = this.customers.find(({ phones }) => phones.some(({ number }) => isSame(number)));
    const add = (what: string) => `${this.origin}/${what}/add?phone=${encodeURIComponent(phone)}`;
    if (customer === undefined) {
      return done({ links: { newOrderLink: add('orders'), newCustomerLink: add('customers') } });
    }
    const shown = { ...customer, managerId: undefined, site: undefined };
    const user = this.users.find(({ id }) => id === customer.managerId);
    const { id, firstName, lastName, email, code } = user ?? {};
    return done({
      ...(user === undefined ? {} : { manager: { id, firstName, lastName, email, code } }),
      ...(query.get('details') === '1' ? { customer: shown } : {}),
      links: { newOrderLink: add('orders'), customerLink: `${this.origin}/customers/${customer.id}` },
    });
  }

  private event(form: URLSearchParams): DoubleReply {
    const event = json(form.get('event')) as Fields | undefined;
    if (event === undefined) return refused(400, "Parameter 'event' is missing");
    const { type, hangupStatus, codes = [], userIds = [] } = event;
    if (!['in', 'out', 'hangup'].includes(String(type))) return invalid({ type: 'This value is not valid.' });
    if (type === 'hangup' && !HANGUPS.includes(String(hangupStatus))) {
      return invalid({ hangupStatus: 'This value is not valid.' });
    }
    this.events.push(event);
    return done({
      notExistCodes: (codes as string[]).filter((code) => !this.users.some((user) => user.code === code)),
      notExistUsers: (userIds as number[]).filter((id) => !this.users.some((user) => user.id === id)),
    });
  }

  private upload(form: URLSearchParams): DoubleReply {
    const calls = json(form.get('calls')) as Fields[] | undefined;
    if (!Array.isArray(calls)) return refused(400, "Parameter 'calls' is missing");
    if (calls.length > MAX_CALLS) return refused(400, 'Too many calls');
    const problems = calls.map((call) => this.problemOf(call)).filter((one) => one !== undefined);
    if (problems.length > 0) return invalid(problems);
    const known = new Set(this.calls.map(({ externalId }) => externalId));
    const fresh = calls.filter(({ externalId }) => !known.has(externalId));
    this.calls.push(...fresh);
    const duplicateCalls = calls.filter(({ externalId }) => known.has(externalId)).map(({ externalId }) => externalId);
    return done({ processedCallsCount: fresh.length, duplicateCalls });
  }

  private problemOf(call: Fields): string | undefined {
    const { date, type, phone, result, duration, durationWaiting, userId, code } = call;
    if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(String(date))) return 'date: This value is not valid.';
    if (type !== 'in' && type !== 'out') return 'type: This value is not valid.';
    if (typeof phone !== 'string' || phone === '') return 'phone: This value should not be blank.';
    if (!RESULTS.includes(String(result))) return 'result: This value is not valid.';
    if (!Number.isInteger(duration) || !Number.isInteger(durationWaiting)) return 'duration: This value is not valid.';
    if (userId !== undefined && !this.users.some(({ id }) => id === userId)) return 'userId: User does not exist.';
    if (this.strictCodes && code !== undefined && !this.users.some((user) => user.code === code)) {
      return 'code: User does not exist.';
    }
    return undefined;
  }

  private createCustomer(form: URLSearchParams): DoubleReply {
    const customer = json(form.get('customer')) as Partial<RetailCustomer> | undefined;
    if (customer === undefined) return refused(400, "Parameter 'customer' is missing");
    const site = form.get('site') ?? (this.sites.length === 1 ? this.sites[0] : undefined);
    if (site === undefined) return refused(400, "Parameter 'site' is missing");
    if (!this.sites.includes(site)) return invalid({ site: 'Site does not exist.' });
    const { id } = this.addCustomer({ ...customer, site });
    return { status: 201, body: { success: true, id } };
  }
}

const done = (body: Fields): DoubleReply => ({ status: 200, body: { success: true, ...body } });
const refused = (status: number, errorMsg: string): DoubleReply => ({ status, body: { success: false, errorMsg } });
const invalid = (errors: unknown): DoubleReply => ({
  status: 400,
  body: { success: false, errorMsg: 'Errors in the entity format', errors },
});

function json(text: string | null): unknown {
  try {
    return text === null ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}
