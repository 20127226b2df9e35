import type { TelephonyError } from '../../errors';
import { badAnswer, crmError, serverError, unauthorizedError } from '../errors';
import { asObject, isObject, objects, parseJson, scalar, type JsonObject } from '../json';
import { notJson } from '../http-errors';
import type { CallContext, CrmHttp, CrmRequest, CrmResponse } from '../types';

/** The records that calls hang on; also the names of their lists. */
export type Entity = 'contacts' | 'companies' | 'leads' | 'customers';

/** What amoCRM made of one call. */
export type Added =
  | { readonly made: JsonObject }
  /** No contact or company has this number: the call was not written. */
  | { readonly unknown: true };

/** Pauses after refusals by the limit: amoCRM names none, and bars who goes on. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** `errors[].status` of a call without a client; seen once, the words are what is sure. */
const NO_CLIENT = '263';
const NO_CLIENT_WORDS = /entity not found/i;
/** amoCRM says this with a 400 when it stumbled itself; the same request passes later. */
const STUMBLED = /системная ошибка|system error/i;

/** amoCRM's REST API (v4) as far as calls need it, with a long-lived token. */
export class AmoApi {
  /** Refusals by the limit in a row. */
  private limited = 0;

  /** @param origin the address of the account, without a slash at the end */
  constructor(
    private readonly http: CrmHttp,
    private readonly origin: string,
    private readonly token: string,
  ) {}

  /** One page of a list; empty when there is nothing (204 without a body). */
  async list(path: string, query: Readonly<Record<string, string>>, context: CallContext): Promise<JsonObject[]> {
    const answer = await this.ask('GET', `/api/v4/${path}?${new URLSearchParams(query)}`, undefined, context);
    if (answer === undefined) return [];
    const embedded = isObject(answer) ? answer._embedded : undefined;
    if (!isObject(embedded)) throw badAnswer({ en: 'it has no "_embedded".', ru: 'в нём нет «_embedded».' });
    return objects(embedded[path.split('/').pop() ?? '']);
  }

  /** Makes one record. Lists come back as `{ _embedded }`, those of `leads/complex` bare: both are taken. */
  async create(path: string, fields: JsonObject, context: CallContext): Promise<JsonObject> {
    const [made] = madeIn(await this.ask('POST', `/api/v4/${path}`, [fields], context));
    if (made === undefined) throw badAnswer({ en: 'it names no new record.', ru: 'в нём нет новой записи.' });
    return made;
  }

  /** Writes a call to whomever has its number. */
  async addCall(fields: JsonObject, context: CallContext): Promise<Added> {
    const answer = await this.ask('POST', '/api/v4/calls', [fields], context);
    if (isWithoutClient(answer)) return { unknown: true };
    const [made] = madeIn(answer);
    if (made === undefined && saysNo(answer)) {
      throw badAnswer({
        en: 'it does not say that the call was written.',
        ru: 'в нём не сказано, что звонок записан.',
      });
    }
    // Taken without a word is taken: to send it once more would be worse than not to know its id.
    return { made: made ?? {} };
  }

  /** Opens the card of the client on the screens of these users. Nobody must not be meant: then it would open for all. */
  async showCard(phone: string, users: readonly [number, ...number[]], context: CallContext): Promise<unknown> {
    const body = { add: [{ type: 'phone_call', phone_number: phone, users }] };
    const answer = await this.ask('POST', '/api/v2/events/', body, context);
    return objects(embeddedIn(answer).items)[0] ?? {};
  }

  /** Where a person opens the record. The addresses of pages are not documented; these are from the browser. */
  card(entity: Entity, id: string): string {
    return `${this.origin}/${entity}/detail/${encodeURIComponent(id)}`;
  }

  private async ask(method: CrmRequest['method'], path: string, body: unknown, context: CallContext): Promise<unknown> {
    const headers = { Authorization: `Bearer ${this.token}` };
    const request: CrmRequest = {
      method,
      url: `${this.origin}${path}`,
      ...(body === undefined
        ? { headers }
        : { headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
      // A call without a client; whatever else comes with it is a failure below.
      accept: [400],
      failureIn: (response, shown) => this.failureIn(response, shown),
    };
    // `json` would take the empty body of a 204 for a broken answer.
    const response = await this.http.send(request, context);
    if (response.text.trim() === '') return undefined;
    const answer = parseJson(response.text);
    if (answer === undefined) throw notJson(request, response);
    return answer;
  }

  private failureIn({ status, text }: CrmResponse, shown: (words: string) => string): TelephonyError | undefined {
    const body = parseJson(text);
    const words = shown(problemIn(body) ?? (body === undefined ? text.replace(/<[^>]*>/g, ' ') : ''));
    const params = { host: new URL(this.origin).host, status };
    // Who goes on after a 429 is answered 403 for a while: waiting helps, another key does not.
    if (status === 429 || (status === 403 && this.limited > 0)) {
      const retryAfterMs = Math.min(FIRST_PAUSE_MS * 2 ** this.limited, LONGEST_PAUSE_MS);
      this.limited += 1;
      return crmError('CRM_LIMITED', { ...params, retryAfterMs });
    }
    this.limited = 0;
    if (status === 402) return unauthorizedError(params, words || 'Payment Required');
    if (status === 401 || status === 403) return unauthorizedError(params, words);
    if (status !== 400 && (status < 200 || status > 299)) return undefined;
    if (status === 400 && STUMBLED.test(words)) return serverError(params, words);
    // Items are refused beside those that were made, under 200 as under 400.
    const isRefused = status === 400 || (objects(asObject(body).errors).length > 0 && madeIn(body).length === 0);
    return !isRefused || isWithoutClient(body)
      ? undefined
      : crmError('CRM_REFUSED', { ...params, words: words || '—' });
  }
}

/** Ids of amoCRM are numbers, in requests always. */
export const amoId = (id: string | undefined): number | undefined =>
  id !== undefined && /^\d{1,15}$/.test(id) ? Number(id) : undefined;

/** What amoCRM wraps lists in, and what hangs on a record. */
export const embeddedIn = (answer: unknown): JsonObject => asObject(asObject(answer)._embedded);

/** What was made: in `_embedded` under whatever name, or bare. */
function madeIn(answer: unknown): JsonObject[] {
  if (Array.isArray(answer)) return objects(answer);
  return Object.values(embeddedIn(answer)).flatMap(objects);
}

/** amoCRM does not answer so, but what stands before it may: under 200, and the call was not written. */
function saysNo(answer: unknown): boolean {
  if (typeof answer !== 'object') return answer !== undefined;
  const { success, status, error } = asObject(answer);
  return success === false || status === 'error' || Boolean(error);
}

function isWithoutClient(answer: unknown): boolean {
  return objects(asObject(answer).errors).some(({ title, detail, status }) => {
    return NO_CLIENT_WORDS.test(`${scalar(title) ?? ''} ${scalar(detail) ?? ''}`) || scalar(status) === NO_CLIENT;
  });
}

/** All that a problem says: of the request as a whole, and of its fields. Literal codes are documented for few cases only. */
function problemIn(answer: unknown): string | undefined {
  if (!isObject(answer)) return undefined;
  const fields = objects(answer['validation-errors']).flatMap(({ errors }) => objects(errors));
  const parts = [
    ...['title', 'detail', 'hint'].map((name) => scalar(answer[name])),
    ...[...fields, ...objects(answer.errors)].map(({ path, code, title, detail }) =>
      [path, code, title, detail]
        .map(scalar)
        .filter((part) => part !== undefined)
        .join(' '),
    ),
  ].filter((part) => part !== undefined && part !== '');
  return parts.length === 0 ? undefined : parts.join('; ');
}
