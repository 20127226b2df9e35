import { CrmTables, type Listed } from './bitrix24/crm';
import { OfflineEvents } from './bitrix24/offline';
import { Telephony } from './bitrix24/telephony';
import { isMap, paramsOf, phpMap, phpParams, Refusal, text, uploadedFile, type Params } from './bitrix24/wire';
import { HttpDouble, type DoubleReply, type DoubleRequest, type Fault } from './support';

type Method = (params: Params) => Listed;

const MAX_BATCH = 50;
const TOKEN_PATH = '/oauth/token/';
/** Methods that the documentation reserves for applications; older portals let webhooks call them. */
const FOR_APPLICATIONS = new Set([
  'telephony.externalcall.register',
  'telephony.externalcall.finish',
  'telephony.externalline.add',
]);

export interface PortalOptions {
  /** Wall-clock time in ms: limits and the 30 minutes of a registration go by it. */
  readonly now?: () => number;
}

/**
 * A Bitrix24 portal as far as telephony touches it. Shapes, codes and texts are those of the official documentation; the life of a call
 * is that of the telephony module. What it holds is open to the test.
 */
export class BitrixDouble extends HttpDouble {
  readonly code = 'k3y0f4h00kqwerty';
  readonly crm = new CrmTables();
  readonly telephony: Telephony;
  readonly offline: OfflineEvents;
  readonly scopes = new Set(['crm', 'user', 'telephony']);
  /** Webhooks may not register and finish calls (403 WRONG_AUTH_TYPE), as the documentation has it. */
  applicationsOnly = false;
  /** Methods that used up their time (429 OPERATION_TIME_LIMIT). */
  readonly exhausted = new Set<string>();
  /** The bucket: how many fit, and how many drain each second. */
  bucket = { size: 50, perSecond: 2 };
  /** Requests refused because the bucket was full. */
  refused = 0;
  /** `codes`: what the authorize page gave, each good once. */
  readonly oauth = {
    clientId: 'local.app',
    clientSecret: 's3cr3t-0f-app',
    access: 'access-1',
    refresh: 'refresh-1',
    issued: 1,
    codes: new Set<string>(),
  };
  /** Methods in the order in which they came, without those refused by the bucket. */
  readonly methods: string[] = [];
  private readonly now: () => number;
  private level = 0;
  private levelAt: number;

  constructor({ now = Date.now }: PortalOptions = {}) {
    super();
    this.now = now;
    this.levelAt = now();
    this.telephony = new Telephony(this.crm, now);
    this.offline = new OfflineEvents(now);
    this.crm.addUser({ ID: '1', NAME: 'Админ', LAST_NAME: '' });
  }

  /** What an admin copies from the portal. */
  get webhook(): string {
    return `${this.server.origin}/rest/1/${this.code}/`;
  }

  /** The hour of the access token is over. */
  expire(): void {
    this.oauth.access = `unknown-${this.oauth.issued}`;
  }

  /** How often tokens were asked for. */
  get tokenRequests(): number {
    return this.server.requests.filter(({ path }) => path === TOKEN_PATH).length;
  }

  /** Lets the next requests of one method fail. */
  fail(method: string, ...[fault, times]: readonly [Fault, number?]): void {
    const wanted = method.toLowerCase();
    const when = (request: DoubleRequest) => methodOf(request.path) === wanted;
    this.server.fail(fault, { when, ...(times === undefined ? {} : { times }) });
  }

  protected handle(request: DoubleRequest): DoubleReply {
    const startedAt = this.now();
    try {
      if (request.path === TOKEN_PATH) return { status: 200, body: this.token(request.query) };
      if (this.isOver()) throw new Refusal(503, 'QUERY_LIMIT_EXCEEDED', 'Too many requests');
      const params = paramsOf(request);
      const isWebhook = this.authorize(request, params);
      const method = methodOf(request.path);
      this.methods.push(method);
      const body =
        method === 'upload'
          ? {
              result: this.telephony.upload(
                text(params.token).replace('telephony|', ''),
                uploadedFile(request, 'file'),
              ),
            }
          : method === 'batch'
            ? { result: this.batch(params, isWebhook) }
            : this.call(method, params, isWebhook);
      return { status: 200, body: { ...body, time: this.time(startedAt) } };
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      return { status: thrown.status, body: { error: thrown.error, error_description: thrown.description } };
    }
  }

  private isOver(): boolean {
    const now = this.now();
    this.level = Math.max(0, this.level - ((now - this.levelAt) / 1000) * this.bucket.perSecond);
    this.levelAt = now;
    if (this.level + 1 > this.bucket.size) {
      this.refused += 1;
      return true;
    }
    this.level += 1;
    return false;
  }

  /** Whether it is a webhook; an application otherwise. */
  private authorize(request: DoubleRequest, params: Params): boolean {
    const [, user, code] = /^\/rest\/(\d+)\/([^/]+)\//.exec(request.path) ?? [];
    if (code !== undefined) {
      if (user !== '1' || code !== this.code) throw new Refusal(401, 'NO_AUTH_FOUND', 'Wrong authorization data');
      return true;
    }
    if (text(params.auth) !== this.oauth.access) {
      throw new Refusal(401, 'expired_token', 'The access token provided has expired.');
    }
    return false;
  }

  private token(query: URLSearchParams): unknown {
    const { oauth } = this;
    const known = query.get('client_id') === oauth.clientId && query.get('client_secret') === oauth.clientSecret;
    if (!known) throw new Refusal(400, 'invalid_client', 'Invalid client');
    const code = query.get('code') ?? '';
    const isGranted =
      query.get('grant_type') === 'authorization_code'
        ? oauth.codes.delete(code)
        : query.get('grant_type') === 'refresh_token' && query.get('refresh_token') === oauth.refresh;
    if (!isGranted) throw new Refusal(400, 'invalid_grant', 'Invalid grant');
    oauth.issued += 1;
    oauth.access = `access-${oauth.issued}`;
    oauth.refresh = `refresh-${oauth.issued}`;
    return {
      access_token: oauth.access,
      refresh_token: oauth.refresh,
      expires_in: 3600,
      domain: 'double',
      status: 'L',
    };
  }

  private call(method: string, params: Params, isWebhook: boolean): Listed {
    const run = this.methodsOfPortal()[method];
    if (run === undefined) throw new Refusal(404, 'ERROR_METHOD_NOT_FOUND', 'Method not found!');
    const [family = ''] = method.split('.');
    const scopes =
      family === 'user' ? ['user', 'user_brief', 'user_basic'] : family === 'voximplant' ? ['telephony'] : [family];
    const isFree = method === 'profile' || method === 'scope' || family === 'event';
    if (!isFree && !scopes.some((scope) => this.scopes.has(scope))) {
      const description = 'The request requires higher privileges than provided by the webhook token';
      throw new Refusal(403, 'insufficient_scope', description);
    }
    const isForApplications = method.startsWith('event.') || (this.applicationsOnly && FOR_APPLICATIONS.has(method));
    if (isWebhook && isForApplications) {
      throw new Refusal(403, 'WRONG_AUTH_TYPE', 'Current authorization type is denied for this method');
    }
    if (this.exhausted.has(method)) {
      throw new Refusal(429, 'OPERATION_TIME_LIMIT', 'Method is blocked due to operation time limit.');
    }
    return run(params);
  }

  private methodsOfPortal(): Readonly<Record<string, Method>> {
    const { crm, offline, telephony } = this;
    const upload = (callId: string) =>
      `${this.server.origin}/rest/upload.json?auth=${this.oauth.access}&token=${encodeURIComponent(`telephony|${callId}`)}`;
    const only =
      (run: (params: Params) => unknown): Method =>
      (params) => ({ result: run(params) });
    return {
      profile: only(() => ({ ID: '1', ADMIN: true, NAME: 'Админ', LAST_NAME: '', PERSONAL_GENDER: '' })),
      scope: only(() => [...this.scopes]),
      'user.get': (params) => crm.userGet(params, this.scopes.has('user')),
      'event.bind': only((params) => offline.bind(params)),
      'event.offline.get': only((params) => offline.get(params)),
      'event.offline.list': (params) => offline.list(params),
      'event.offline.clear': only((params) => offline.clear(params)),
      'crm.duplicate.findbycomm': only((params) => crm.findByComm(params)),
      'crm.contact.get': only((params) => crm.get('CONTACT', params)),
      'crm.company.get': only((params) => crm.get('COMPANY', params)),
      'crm.lead.get': only((params) => crm.get('LEAD', params)),
      'crm.item.get': only((params) => ({ item: crm.item(params) })),
      'crm.lead.add': only((params) => crm.create('LEAD', params)),
      'crm.contact.add': only((params) => crm.create('CONTACT', params)),
      'crm.activity.add': only((params) => crm.addActivity(params)),
      'crm.activity.list': (params) => crm.listActivities(params),
      'telephony.externalcall.register': only((params) => telephony.register(params)),
      'telephony.externalcall.finish': only((params) => telephony.finish(params)),
      'telephony.externalcall.show': only((params) => telephony.show(params)),
      'telephony.externalcall.hide': only((params) => telephony.hide(params)),
      'telephony.externalcall.attachrecord': only((params) => telephony.attach(params, upload)),
      'telephony.externalcall.searchcrmentities': only((params) => telephony.search(params)),
      'telephony.externalline.add': only((params) => telephony.addLine(params)),
    };
  }

  /** Up to 50 commands; those with an error stand apart, and empty maps are lists. */
  private batch(params: Params, isWebhook: boolean): unknown {
    const commands = Object.entries(isMap(params.cmd) ? params.cmd : {});
    if (commands.length > MAX_BATCH) throw new Refusal(400, 'ERROR_BATCH_LENGTH_EXCEEDED', 'Max batch length exceeded');
    const results: Record<string, unknown> = {};
    const errors: Record<string, unknown> = {};
    const totals: Record<string, unknown> = {};
    const nexts: Record<string, unknown> = {};
    for (const [key, command] of commands) {
      const [method = '', query = ''] = text(command).split(/\?(.*)/s);
      const filled = query.replace(/(?:\$|%24)result((?:(?:\[|%5B)\w+(?:\]|%5D))+)/gi, (_whole, path: string) =>
        encodeURIComponent(valueAt(results, path)),
      );
      try {
        if (method.toLowerCase() === 'batch') {
          throw new Refusal(405, 'ERROR_BATCH_METHOD_NOT_ALLOWED', 'Method is not allowed for batch usage');
        }
        const { result, total, next } = this.call(
          method.toLowerCase(),
          phpParams(new URLSearchParams(filled)),
          isWebhook,
        );
        results[key] = result;
        if (total !== undefined) totals[key] = total;
        if (next !== undefined) nexts[key] = next;
      } catch (thrown) {
        if (!(thrown instanceof Refusal)) throw thrown;
        errors[key] = { error: thrown.error, error_description: thrown.description };
      }
    }
    return {
      result: phpMap(results),
      result_error: phpMap(errors),
      result_total: phpMap(totals),
      result_next: phpMap(nexts),
      result_time: phpMap(Object.fromEntries(Object.keys(results).map((key) => [key, this.time(this.now())]))),
    };
  }

  private time(startedAt: number): unknown {
    const finishedAt = this.now();
    return {
      start: startedAt / 1000,
      finish: finishedAt / 1000,
      duration: (finishedAt - startedAt) / 1000,
      processing: 0,
      date_start: new Date(startedAt).toISOString(),
      date_finish: new Date(finishedAt).toISOString(),
      operating_reset_at: Math.floor(startedAt / 1000) + 600,
      operating: 0,
    };
  }
}

/** `/rest/1/code/crm.lead.add.json` is `crm.lead.add`. */
const methodOf = (path: string): string => (path.split('/').pop() ?? '').replace(/\.json$/, '').toLowerCase();

/** `[a][ASSIGNED_BY_ID]` of the results so far; nothing when it is not there. */
function valueAt(results: Params, path: string): string {
  const keys = decodeURIComponent(path).match(/\w+/g) ?? [];
  let value: unknown = results;
  for (const key of keys)
    value = isMap(value) ? value[key] : Array.isArray(value) ? (value as unknown[])[Number(key)] : '';
  return text(value);
}
