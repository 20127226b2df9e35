import { TelephonyError } from '../../errors';
import { badAnswer } from '../errors';
import { isObject, objects, parseJson, scalar, type JsonObject } from '../json';
import type { CallContext, CrmHttp, CrmRequest } from '../types';

/** The entities that have phone numbers, likeliest caller first. */
export const PEOPLE = ['Contact', 'Lead', 'Account'] as const;
export type Entity = (typeof PEOPLE)[number];

/** One condition of a search, as `where[0]`. */
interface Where {
  readonly type: 'equals' | 'contains' | 'endsWith';
  readonly attribute: string;
  readonly value: string;
}

interface ListQuery {
  readonly where?: Where;
  readonly select: readonly string[];
  readonly maxSize: number;
  readonly offset?: number;
}

export interface Page {
  readonly total: number;
  readonly list: readonly JsonObject[];
}

/** EspoCRM's REST API as far as calls need it; measured on 9.1.7. */
export class EspoApi {
  /** @param origin the address of EspoCRM without a slash at the end */
  constructor(
    private readonly http: CrmHttp,
    private readonly origin: string,
    private readonly key: string,
  ) {}

  async list(entity: string, { where, select, maxSize, offset }: ListQuery, context: CallContext): Promise<Page> {
    const query = new URLSearchParams({ select: select.join(','), maxSize: String(maxSize) });
    if (offset !== undefined) query.set('offset', String(offset));
    for (const [name, value] of Object.entries(where ?? {})) query.set(`where[0][${name}]`, String(value));
    const answer = await this.http.json(this.request('GET', `${entity}?${query}`), context);
    if (!isObject(answer) || !Array.isArray(answer.list)) {
      throw badAnswer({ en: 'it has no "list".', ru: 'в нём нет «list».' });
    }
    const list = objects(answer.list);
    return { total: Number(answer.total ?? list.length), list };
  }

  /** As {@link list}; `undefined` where the role of the key's user does not let it read this entity (403). */
  async listIfAllowed(entity: string, query: ListQuery, context: CallContext): Promise<Page | undefined> {
    try {
      return await this.list(entity, query, context);
    } catch (thrown) {
      if (thrown instanceof TelephonyError && thrown.params.status === 403) return undefined;
      throw thrown;
    }
  }

  /** The whole record; `undefined` when it is gone (404 with an empty body). */
  async read(entity: string, id: string, context: CallContext): Promise<JsonObject | undefined> {
    try {
      const answer = await this.http.json(this.request('GET', `${entity}/${encodeURIComponent(id)}`), context);
      return isObject(answer) ? answer : undefined;
    } catch (thrown) {
      if (thrown instanceof TelephonyError && thrown.code === 'CRM_NOT_FOUND') return undefined;
      throw thrown;
    }
  }

  /** Makes a record. `duplicates`: what EspoCRM holds for the same (409), when it was not told to make it anyway. */
  async create(
    entity: string,
    fields: JsonObject,
    context: CallContext,
    anyway = false,
  ): Promise<{ readonly made: JsonObject } | { readonly duplicates: readonly JsonObject[] }> {
    const request = this.request('POST', entity, fields);
    const headers = anyway ? { ...request.headers, 'X-Skip-Duplicate-Check': 'true' } : request.headers;
    const response = await this.http.send({ ...request, ...(headers && { headers }), accept: [409] }, context);
    const answer = parseJson(response.text);
    if (response.status === 409) return { duplicates: objects(answer) };
    if (!isObject(answer) || scalar(answer.id) === undefined) {
      throw badAnswer({ en: 'the new record has no "id".', ru: 'у новой записи нет «id».' });
    }
    return { made: answer };
  }

  async update(entity: string, id: string, fields: JsonObject, context: CallContext): Promise<void> {
    await this.http.send(this.request('PUT', `${entity}/${encodeURIComponent(id)}`, fields), context);
  }

  /** Where a person opens the record. */
  card(entity: string, id: string): string {
    return `${this.origin}/#${entity}/view/${encodeURIComponent(id)}`;
  }

  private request(method: CrmRequest['method'], path: string, fields?: JsonObject): CrmRequest {
    const url = `${this.origin}/api/v1/${path}`;
    const headers = { 'X-Api-Key': this.key };
    if (fields === undefined) return { method, url, headers };
    return { method, url, headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify(fields) };
  }
}
