import type { TelephonyError } from '../errors';
import type { HttpProtocol, RouteAnswer } from './types';
import {
  bad,
  dialSafeExtension,
  errorHeaders,
  httpReply,
  isBad,
  jsonObject,
  oneLine,
  routeQuestion,
  scalar,
  transportFault,
} from './wire';

const METHODS = ['GET', 'POST'];
const JSON_TYPE = 'application/json';

function bodyOf(
  answer: RouteAnswer,
  error?: { readonly code: TelephonyError['code']; readonly message: string },
): string {
  return JSON.stringify({
    found: answer.found,
    extension: dialSafeExtension(answer.extension) || null,
    name: oneLine(answer.name ?? '') || null,
    entityType: answer.entityType ?? null,
    entityId: answer.entityId ?? null,
    ...(answer.variables === undefined ? {} : { variables: answer.variables }),
    ...(error === undefined ? {} : { error }),
  });
}

/**
 * The route question as JSON: `GET ?phone=&trunk=&callid=`, or `POST {"phone": …, "trunk": …, "callid": …}`; the answer always has
 * `found`, `extension`, `name`, `entityType`, `entityId` (null when not known), `variables` when there are any, and `error` when something is wrong.
 */
export const json: HttpProtocol = {
  path: '/route.json',
  methods: METHODS,
  contentTypes: [JSON_TYPE],

  parse(parts) {
    const fault = transportFault(parts, METHODS, [JSON_TYPE]);
    if (fault) return fault;
    const fields = parts.method === 'POST' ? jsonObject(parts.bodyText) : parts.query;
    if (isBad(fields)) return fields;
    const phone = scalar(fields.phone);
    if (phone === undefined) return bad('PROTOCOL_PHONE_MISSING', { parameter: 'phone' });
    const callId = scalar(fields.callid) ?? scalar(fields.callId);
    return { action: 'route', question: routeQuestion(phone, scalar(fields.trunk), callId) };
  },

  format: (answer) => httpReply(200, JSON_TYPE, bodyOf(answer)),

  formatError(error, status, _request, lang) {
    const body = bodyOf({ found: false }, { code: error.code, message: error.textIn(lang) });
    return httpReply(status, JSON_TYPE, body, errorHeaders(status, METHODS));
  },
};
