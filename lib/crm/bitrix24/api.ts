import { randomUUID } from 'node:crypto';
import { TelephonyError } from '../../errors';
import { badAnswer, crmError, serverError, unauthorizedError } from '../errors';
import { asObject, isObject, parseJson, scalar, type JsonObject } from '../json';
import type { CallContext, CrmHttp, CrmRequest, CrmResponse } from '../types';
import type { Entrance, Pass } from './entrance';

export interface Answer {
  readonly result: unknown;
  /** Of lists: how many there are on all pages. */
  readonly total: number;
  /** The portal's own wall clock when it answered, in milliseconds since the Unix epoch; when it tells it. */
  readonly at: number | undefined;
}

/** One command of a batch: a method and its query, in which `$result[key][FIELD]` stands for what an earlier command gave. */
export type Command = readonly [method: string, query: string];

interface CallOptions {
  /** How long it may take when that is longer than usual, in ms. */
  readonly timeoutMs?: number;
}

/** What the portal calls a missing right, and a method that an older portal lacks. */
const NOT_ALLOWED = ['insufficient_scope', 'WRONG_AUTH_TYPE', 'ERROR_METHOD_NOT_FOUND'];
/** `invalid_token`: a portal that has forgotten the token before its time. */
const EXPIRED = ['expired_token', 'invalid_token'];
const LIMIT_MS = 1000;
/** Such a block ends by itself after ten minutes. */
const EXHAUSTED_MS = 10 * 60_000;
const MAX_BATCH = 50;

/** Bitrix24's REST API as far as calls need it, whichever way the account signs in. */
export class BitrixApi {
  readonly portal: string;
  /** What the portal does not allow this account; a new deploy asks anew. */
  private readonly denied = new Set<string>();

  constructor(
    private readonly http: CrmHttp,
    private readonly entrance: Entrance,
  ) {
    this.portal = entrance.portal;
  }

  async call(method: string, params: JsonObject, context: CallContext, options: CallOptions = {}): Promise<unknown> {
    return (await this.ask(method, params, context, options)).result;
  }

  /** As {@link call}; `undefined` when the portal does not let this account use the method, which it is then not asked again. */
  async callIfAllowed(method: string, params: JsonObject, context: CallContext): Promise<Answer | undefined> {
    if (this.denied.has(method)) return undefined;
    try {
      return await this.ask(method, params, context);
    } catch (thrown) {
      if (!isNotAllowed(thrown)) throw thrown;
      this.denied.add(method);
      return undefined;
    }
  }

  async ask(method: string, params: JsonObject, context: CallContext, options: CallOptions = {}): Promise<Answer> {
    const pass = await this.entrance.pass(context);
    try {
      return await this.askWith(pass, method, params, context, options);
    } catch (thrown) {
      if (!this.entrance.renew || !isExpired(thrown)) throw thrown;
      const renewed = await this.entrance.renew(pass, context);
      return await this.askWith(renewed, method, params, context, options);
    }
  }

  private async askWith(pass: Pass, method: string, params: JsonObject, context: CallContext, options: CallOptions) {
    const request: CrmRequest = {
      method: 'POST',
      url: `${pass.base}${method}.json`,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...params, ...pass.params }),
      secrets: pass.secrets,
      failureIn: failureOf(this.portal, method),
      ...options,
    };
    return answerIn(await this.http.json(request, context));
  }

  /** Runs up to 50 commands as one request; what failed is left out. */
  async batch(commands: ReadonlyMap<string, Command>, context: CallContext): Promise<ReadonlyMap<string, unknown>> {
    const some = [...commands].slice(0, MAX_BATCH);
    const cmd = Object.fromEntries(some.map(([key, [method, query]]) => [key, `${method}?${query}`]));
    const told = await this.call('batch', { halt: 0, cmd }, context);
    const results = isObject(told) ? told.result : undefined;
    // PHP writes an empty map as a list.
    return new Map(isObject(results) ? Object.entries(results) : []);
  }

  /** Sends a file, whose name needs no escaping, to the address that the portal gave for it. */
  async upload(
    url: string,
    file: { field: string; name: string; bytes: Uint8Array },
    context: CallContext,
    ms: number,
  ) {
    const boundary = `----${randomUUID()}`;
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${file.field}"; filename="${file.name}"\r\nContent-Type: application/octet-stream\r\n\r\n`;
    const request: CrmRequest = {
      method: 'POST',
      url,
      headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
      body: Buffer.concat([Buffer.from(head), file.bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]),
      failureIn: failureOf(this.portal, 'upload'),
      timeoutMs: ms,
    };
    return answerIn(await this.http.json(request, context)).result;
  }

  /** Where a person opens the record. */
  card(type: string, id: string): string {
    return `${this.portal}/crm/${type}/details/${encodeURIComponent(id)}/`;
  }
}

/** The objects of a list, which PHP writes as a map when it has gaps. */
export const rowsIn = (result: unknown): JsonObject[] => Object.values(result ?? {}).filter(isObject);

/** Whether a portal refused by these words: its codes are often empty, and some texts stand where the code should. */
export const isRefusal = (thrown: unknown, words: RegExp): boolean =>
  thrown instanceof TelephonyError && thrown.code === 'CRM_REFUSED' && words.test(String(thrown.params.words));

/** Whether this account may not use the method, or the portal has none of that name. */
export const isNotAllowed = (thrown: unknown): boolean =>
  thrown instanceof TelephonyError && NOT_ALLOWED.includes(String(thrown.params.error));

/** An access token is good for an hour. */
const isExpired = (thrown: unknown): boolean =>
  thrown instanceof TelephonyError && EXPIRED.includes(String(thrown.params.error));

function answerIn(body: unknown): Answer {
  if (!isObject(body) || !('result' in body)) {
    throw badAnswer({ en: 'it has no "result".', ru: 'в нём нет «result».' });
  }
  const { result, total, time } = body;
  return { result, total: Number(total ?? (Array.isArray(result) ? result.length : 0)), at: finishOf(time) };
}

function finishOf(time: unknown): number | undefined {
  const { finish } = asObject(time);
  return typeof finish === 'number' ? finish * 1000 : undefined;
}

const failureOf =
  (portal: string, method: string) =>
  ({ status, text }: CrmResponse, shown: (words: string) => string): TelephonyError | undefined => {
    const body = status >= 400 || text.startsWith('{"error') ? parseJson(text) : undefined;
    if (!isObject(body) || !('error' in body || 'error_description' in body)) return undefined;
    const [error, description] = [scalar(body.error) ?? '', scalar(body.error_description) ?? ''];
    const words = shown([...new Set([error, description])].filter((one) => one !== '').join(': ')) || '—';
    const params = { host: new URL(portal).host, status, error: shown(error) };
    if (error === 'QUERY_LIMIT_EXCEEDED') return crmError('CRM_LIMITED', { ...params, retryAfterMs: LIMIT_MS });
    if (error === 'OPERATION_TIME_LIMIT') {
      return crmError('CRM_LIMITED', { ...params, method, retryAfterMs: EXHAUSTED_MS });
    }
    if (status === 401 || status === 403) return unauthorizedError(params, words);
    if (status >= 500) return serverError(params, words);
    return crmError('CRM_REFUSED', { ...params, words });
  };
