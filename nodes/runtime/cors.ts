import type { IncomingMessage } from 'node:http';

/** What we read of the setting `httpNodeCors`, which Node-RED hands to its own HTTP nodes. */
interface CorsSettings {
  readonly origin?: unknown;
  readonly methods?: unknown;
  readonly allowedHeaders?: unknown;
  readonly credentials?: unknown;
  readonly maxAge?: unknown;
}

function listed(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? value.join(',') : undefined;
}

/** The origin to allow, `undefined` for none. Functions are not supported: they allow nothing. */
function allowedOrigin(setting: unknown, origin: string): string | undefined {
  if (setting === undefined || setting === '*') return '*';
  if (setting === true) return origin;
  const choices: readonly unknown[] = Array.isArray(setting) ? setting : [setting];
  const allowed = choices.some((choice) => (choice instanceof RegExp ? choice.test(origin) : choice === origin));
  return allowed ? origin : undefined;
}

/** The CORS headers of an answer to this request, as `httpNodeCors` in Node-RED's settings wants them. */
export function corsHeaders(settings: unknown, request: IncomingMessage): Record<string, string> {
  const { origin } = request.headers;
  if (typeof settings !== 'object' || settings === null || origin === undefined) return {};
  const cors = settings as CorsSettings;
  const allowed = allowedOrigin(cors.origin, origin);
  if (allowed === undefined) return { Vary: 'Origin' };
  const headers: Record<string, string> = { 'Access-Control-Allow-Origin': allowed };
  if (allowed !== '*') headers.Vary = 'Origin';
  if (cors.credentials === true) headers['Access-Control-Allow-Credentials'] = 'true';
  if (request.method !== 'OPTIONS') return headers;
  headers['Access-Control-Allow-Methods'] = listed(cors.methods) ?? 'GET,POST';
  const asked = listed(cors.allowedHeaders) ?? request.headers['access-control-request-headers'];
  if (asked !== undefined) headers['Access-Control-Allow-Headers'] = asked;
  if (typeof cors.maxAge === 'number') headers['Access-Control-Max-Age'] = String(cors.maxAge);
  return headers;
}
