import type { TelephonyError } from '../errors';
import { transportFailure } from '../http-out/failures';
import { crmError, tlsError, unauthorizedError, unreachableError } from './errors';
import { oneLine, parseJson } from './json';
import type { CrmRequest, CrmResponse } from './types';

/** A server may ask for a pause of years; nobody waits longer than this before asking again. */
const LONGEST_RETRY_AFTER_MS = 60_000;
/** What a 429 without `Retry-After` asks for: the documented practice with Bitrix24. */
const USUAL_RETRY_AFTER_MS = 1000;
const MAX_WORDS = 200;

/**
 * The server did not get the request in time, holds the record locked, or does not want it this early: the same passes later, whatever
 * the CRM says beside it.
 */
export const isNotNow = (status: number): boolean => [408, 423, 425].includes(status);

/** The only part of an address that may stand in a text. */
export const hostOf = (url: string): string => new URL(url).host;

/** What a request that got no complete answer met. `connectMs`: how long a connection may take. */
export function transportError(thrown: unknown, host: string, connectMs: number): Error {
  const failure = transportFailure(thrown);
  const params = { host, ms: connectMs, system: failure.system };
  if (failure.kind === 'tls') return tlsError(failure.why, params, thrown);
  return unreachableError(failure.kind === 'unreachable' ? failure.why : 'failed', params, thrown);
}

/** The error that an answer outside 2xx stands for. `now`: wall-clock time, for a `Retry-After` that is a date. */
export function statusError(
  request: CrmRequest,
  response: CrmResponse,
  now: number,
  secrets: readonly string[] = [],
): TelephonyError {
  const { status, headers } = response;
  const host = hostOf(request.url);
  const retryAfterMs = retryAfter(headers['retry-after'], now);
  if (status === 401 || status === 403) {
    return unauthorizedError({ host, status }, said(request, response, secrets));
  }
  if (status === 404) return crmError('CRM_NOT_FOUND', { host, status });
  if (status === 429 || (status === 503 && retryAfterMs !== undefined)) {
    return crmError('CRM_LIMITED', { host, status, retryAfterMs: retryAfterMs ?? USUAL_RETRY_AFTER_MS });
  }
  if (isNotNow(status)) return crmError('CRM_NOT_NOW', { host, status });
  if (status >= 500) return crmError('CRM_SERVER_ERROR', { host, status });
  if (status >= 300 && status < 400) {
    return crmError('CRM_REDIRECTED', { host, status, target: originOf(headers.location, request.url) });
  }
  const words = said(request, response, secrets) || shortened(ownWords(response.text), MAX_WORDS, request, secrets);
  return crmError('CRM_REFUSED', { host, status, words: words || '—' });
}

/** What the CRM says to people in so many words: EspoCRM in a header (measured on 9.1.7), others in JSON. Empty when it says nothing. */
function said(request: CrmRequest, { headers, text }: CrmResponse, secrets: readonly string[]): string {
  const words = headers['x-status-reason'] ?? jsonWords(text);
  return words === undefined ? '' : shortened(words, MAX_WORDS, request, secrets);
}

/** Words of the CRM as they may stand in an error: short, on one line, without secrets. */
export const shownWords = (words: string, request: CrmRequest, secrets: readonly string[] = []): string =>
  shortened(words, MAX_WORDS, request, secrets);

/** `CRM_NOT_JSON`, with the type and the beginning of what came instead. */
export function notJson(request: CrmRequest, response: CrmResponse, secrets: readonly string[] = []): TelephonyError {
  const type = response.headers['content-type']?.split(';', 1)[0]?.trim().slice(0, 60) ?? '—';
  return crmError('CRM_NOT_JSON', {
    host: hostOf(request.url),
    status: response.status,
    type: type || '—',
    start: shortened(response.text, 60, request, secrets),
  });
}

/** `Retry-After` in milliseconds: seconds or an HTTP date; `undefined` when it says nothing usable. */
function retryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_RETRY_AFTER_MS);
}

function originOf(location: string | undefined, base: string): string {
  try {
    return new URL(location ?? '', base).origin;
  } catch {
    return '—';
  }
}

/** Where CRMs put what they say to people. */
function ownWords(text: string): string {
  return jsonWords(text) ?? (/^\s*</.test(text) ? text.replace(/<[^>]*>/g, ' ') : text);
}

const jsonWords = (text: string): string | undefined => wordsIn(parseJson(text), 0);

function wordsIn(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string') return value || undefined;
  if (typeof value !== 'object' || value === null || depth > 3) return undefined;
  const fields = value as Record<string, unknown>;
  for (const name of ['error_description', 'errorMsg', 'message', 'detail', 'title', 'error', 'errors', '0']) {
    const words = wordsIn(fields[name], depth + 1);
    if (words !== undefined) return words;
  }
  return undefined;
}

/** One line without what the request carried in secret places: a CRM may echo it. */
function shortened(text: string, max: number, request: CrmRequest, secrets: readonly string[]): string {
  const start = text.slice(0, 10_000);
  // The longest first: a short one may be a part of it, and what is then left of the long one would not be known again.
  const all = [...secrets.flatMap(formsOf), ...secretsOf(request)].sort((one, other) => other.length - one.length);
  return oneLine(
    all.reduce((rest, secret) => rest.replaceAll(secret, '…'), start),
    max,
  );
}

/** A secret as it stands, and as it may have travelled: in an address, a form, JSON or Basic authorization. */
function formsOf(secret: string): string[] {
  if (secret === '') return [];
  const inForm = new URLSearchParams({ s: secret }).toString().slice(2);
  const forms = [secret, encodeURIComponent(secret), inForm, JSON.stringify(secret).slice(1, -1)];
  return [...new Set([...forms, Buffer.from(secret, 'utf8').toString('base64')])];
}

function secretsOf(request: CrmRequest): string[] {
  const url = new URL(request.url);
  const headers = Object.entries(request.headers ?? {})
    .filter(([name]) => !/^(accept|content-type|user-agent)$/i.test(name))
    .flatMap(([, value]) => [value, value.replace(/^\w+ /, '')]);
  const inPath = url.pathname.split('/').filter((part) => part.length >= 8);
  const named = (request.secrets ?? []).flatMap(formsOf);
  return [...named, ...headers, ...inPath, ...url.searchParams.values()].filter((one) => one.length >= 4);
}
