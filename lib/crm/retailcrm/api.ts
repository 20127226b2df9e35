import type { TelephonyError } from '../../errors';
import { badAnswer, crmError, serverError, unauthorizedError } from '../errors';
import { isObject, parseJson, scalar, type JsonObject } from '../json';
import type { CallContext, CrmHttp, CrmRequest, CrmResponse } from '../types';

/** What a 503 without `Retry-After` asks for: the limit of retailCRM is counted by the second. */
const LIMIT_MS = 1000;
/** Words about the key or the account, whatever status they come with: no event is to blame for them, so all wait. */
const ABOUT_ACCESS = /api.?key|access denied|^account /i;
/** The account is not paid for, the key is wrong, it lacks a right. */
const ACCESS_STATUS = [401, 402, 403];
const MAX_ERRORS = 5;

/**
 * The API v5 of retailCRM as far as calls need it. Addresses, names and shapes are those of its public PHP and Go clients and of its
 * documentation; nothing was measured on a real account, so missing parts of an answer are accepted.
 */
export class RetailApi {
  /** @param origin the address of the account without a slash at the end */
  constructor(
    private readonly http: CrmHttp,
    readonly origin: string,
    private readonly key: string,
  ) {}

  /** `path` begins below `/api/v5`; with a leading slash below `/api`, for methods that belong to no version. */
  get(path: string, query: Readonly<Record<string, string>>, context: CallContext): Promise<JsonObject> {
    const search = new URLSearchParams(query).toString();
    return this.ask('GET', path, { url: this.url(path) + (search === '' ? '' : `?${search}`) }, context);
  }

  /** A form, whose objects and lists are JSON. */
  post(path: string, form: Readonly<Record<string, unknown>>, context: CallContext): Promise<JsonObject> {
    const fields = Object.entries(form).map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]);
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams(fields).toString();
    return this.ask('POST', path, { url: this.url(path), headers, body }, context);
  }

  private async ask(
    method: 'GET' | 'POST',
    path: string,
    { headers, ...request }: Pick<CrmRequest, 'url' | 'headers' | 'body'>,
    context: CallContext,
  ): Promise<JsonObject> {
    const failureIn = failureOf(new URL(this.origin).host, path);
    const sent = { ...request, method, headers: { ...headers, 'X-API-KEY': this.key }, failureIn };
    const answer = await this.http.json(sent, context);
    if (!isObject(answer) || answer.success !== true) {
      throw badAnswer({ en: 'it has no "success".', ru: 'в нём нет «success».' });
    }
    return answer;
  }

  private url(path: string): string {
    return path.startsWith('/') ? `${this.origin}/api${path}` : `${this.origin}/api/v5/${path}`;
  }
}

/** A refusal is `success: false`, also with status 200; too many requests are a 503. */
const failureOf =
  (host: string, path: string) =>
  ({ status, headers, text }: CrmResponse, shown: (words: string) => string): TelephonyError | undefined => {
    if (status === 503 && headers['retry-after'] === undefined) {
      return crmError('CRM_LIMITED', { host, status, retryAfterMs: LIMIT_MS });
    }
    if (status === 429 || status === 503) return undefined;
    const body = parseJson(text);
    if (!isObject(body) || (status < 400 && body.success !== false)) return undefined;
    const said = wordsOf(body);
    const words = shown(said) || '—';
    if (ACCESS_STATUS.includes(status) || ABOUT_ACCESS.test(said)) {
      return unauthorizedError({ host, status }, `${words} (${path})`);
    }
    if (status >= 500) return serverError({ host, status }, words);
    // To an address that it does not know retailCRM answers without words.
    return status === 404 && said === '' ? undefined : crmError('CRM_REFUSED', { host, status, words });
  };

/** What retailCRM says to people: one sentence, and one for each field or item. */
export function wordsOf({ errorMsg, errors }: JsonObject): string {
  const each = Object.entries(isObject(errors) || Array.isArray(errors) ? errors : {})
    .slice(0, MAX_ERRORS)
    .map(([name, value]) => {
      const told = scalar(value) ?? JSON.stringify(value);
      return /^\d+$/.test(name) ? told : `${name}: ${told}`;
    });
  return [scalar(errorMsg), ...each].filter((one) => one !== undefined).join(' ');
}
