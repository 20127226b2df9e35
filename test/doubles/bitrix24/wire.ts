import type { DoubleRequest } from '../support';

/** Parameters of a method, however they travelled. PHP knows no difference between a list and a map. */
export type Params = Readonly<Record<string, unknown>>;

/** A request that the portal refuses. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly error: string,
    readonly description: string,
  ) {
    super(description);
  }
}

/** The usual refusal of the telephony methods. */
export const core = (description: string): Refusal => new Refusal(400, 'ERROR_CORE', description);

export const text = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';

export const isMap = (value: unknown): value is Params =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A list that came as a list, or as `values[0]=…`, or as one value. */
export function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  if (isMap(value)) return Object.values(value);
  return value === undefined || value === '' ? [] : [value];
}

/** `FILTER[UF_PHONE_INNER]=101&values[0]=x`, as PHP reads it. */
export function phpParams(query: URLSearchParams): Params {
  const params: Record<string, unknown> = {};
  for (const [name, value] of query) {
    const [head = '', ...rest] = name.split('[').map((part) => part.replace(/\]$/, ''));
    let at = params;
    let key = head;
    for (const part of rest) {
      const next = at[key];
      const inner: Record<string, unknown> = isMap(next) ? next : {};
      at[key] = inner;
      at = inner;
      key = part === '' ? String(Object.keys(inner).length) : part;
    }
    at[key] = value;
  }
  return params;
}

/** The parameters of a request: query, form or JSON. */
export function paramsOf({ query, headers, body }: DoubleRequest): Params {
  const inQuery = phpParams(query);
  const type = headers['content-type'] ?? '';
  if (body.length === 0 || type.startsWith('multipart/')) return inQuery;
  if (type.includes('json')) {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return { ...inQuery, ...(isMap(parsed) ? parsed : {}) };
  }
  return { ...inQuery, ...phpParams(new URLSearchParams(body.toString('utf8'))) };
}

/** The one file of a multipart body, `undefined` when the field is another. */
export function uploadedFile(request: DoubleRequest, field: string): { name: string; bytes: Buffer } | undefined {
  const boundary = /boundary=(?:"([^"]+)"|([^;]+))/.exec(request.headers['content-type'] ?? '');
  const mark = `--${boundary?.[1] ?? boundary?.[2] ?? ''}`;
  const whole = request.body.toString('latin1');
  const headEnd = whole.indexOf('\r\n\r\n');
  const head = whole.slice(0, headEnd);
  const [, name, file] = /name="([^"]*)"; filename="([^"]*)"/.exec(head) ?? [];
  const end = whole.indexOf(`\r\n${mark}--`);
  if (!head.startsWith(mark) || name !== field || end < 0) return undefined;
  return { name: Buffer.from(file ?? '', 'latin1').toString('utf8'), bytes: request.body.subarray(headEnd + 4, end) };
}

/** PHP writes an empty map as a list. */
export const phpMap = (map: Params): unknown => (Object.keys(map).length === 0 ? [] : map);
