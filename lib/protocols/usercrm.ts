import type { BadRequest, Echo, HttpProtocol, HttpReply, ProtocolRequest, RouteAnswer } from './types';
import {
  asObject,
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

const METHODS = ['POST'];
const JSON_TYPE = 'application/json';

/** What can be asked of us; `test` and `get_contact` have their own shapes, the others are commands. */
const userCrmActions = [
  'test',
  'get_contact',
  'get_users',
  'get_domain_user_list',
  'get_cdr',
  'make_call',
  'switch_call_hold',
] as const;

const ENVELOPE_FIELDS = new Set(['action', 'obj', 'action_id', 'params']);

type Fields = Readonly<Record<string, unknown>>;

/** The envelope of every UserCRM answer; `content` is `body`, or `list` for `get_contact`. */
function envelope(echo: Echo | undefined, code: number, content: Fields, headers?: Record<string, string>): HttpReply {
  const body = JSON.stringify({ action: echo?.action, obj: 'UserCRM', action_id: echo?.actionId, code, ...content });
  return httpReply(code, JSON_TYPE, body, headers);
}

function echoOf(fields: Fields): Echo {
  const { action, action_id: actionId } = fields;
  return {
    ...(typeof action === 'string' ? { action } : {}),
    ...(typeof actionId === 'string' || typeof actionId === 'number' ? { actionId } : {}),
  };
}

/** CRMs of the kind count ids and extensions as numbers; one that would change as a number (`007`) stays text. */
function numberIfItIsOne(value: string): string | number {
  return /^(?:0|[1-9][0-9]{0,14})$/.test(value) ? Number(value) : value;
}

function contactOf(answer: RouteAnswer): Fields {
  const extension = dialSafeExtension(answer.extension);
  return {
    name: oneLine(answer.name ?? ''),
    ...(answer.entityId === undefined ? {} : { id: numberIfItIsOne(answer.entityId) }),
    type: answer.entityType ?? 'contact',
    ...(extension === '' ? {} : { owner_id: numberIfItIsOne(extension) }),
  };
}

/** `phone` is E.164 without the country code, `e164_phone` E.164 without the plus: the second says more. */
function contactQuestion(params: Fields, echo: Echo): ProtocolRequest | BadRequest {
  const e164 = scalar(params.e164_phone) ?? '';
  const phone = e164 === '' ? scalar(params.phone) : e164;
  if (phone === undefined) return bad('PROTOCOL_PHONE_MISSING', { parameter: 'params.phone' }, echo);
  const international = phone === e164 && /^[1-9][0-9]{6,14}$/.test(e164) ? `+${e164}` : phone;
  const callId = scalar(params.call_id);
  return { action: 'route', question: routeQuestion(international, scalar(params.gateway_number), callId), echo };
}

function request(fields: Fields): ProtocolRequest | BadRequest {
  const echo = echoOf(fields);
  const { action } = echo;
  if (fields.obj !== 'UserCRM') return bad('PROTOCOL_WRONG_OBJ', {}, echo);
  if (action === undefined || action === '') return bad('PROTOCOL_ACTION_MISSING', {}, echo);
  if (!(userCrmActions as readonly string[]).includes(action)) {
    const known = userCrmActions.join(', ');
    return bad('PROTOCOL_UNKNOWN_ACTION', { action: oneLine(action).slice(0, 64), known }, echo);
  }
  const params = asObject(fields.params ?? {}, { en: 'The field "params"', ru: 'Поле «params»' }, echo);
  if (isBad(params)) return params;
  if (action === 'test') return { action: 'test', reply: envelope(echo, 200, { body: { success: true } }), echo };
  if (action === 'get_contact') return contactQuestion(params, echo);
  const options = Object.fromEntries(Object.entries(fields).filter(([name]) => !ENVELOPE_FIELDS.has(name)));
  return { action: 'command', command: action, params, options, echo };
}

/**
 * The UserCRM envelope, server side: `POST {"action", "obj": "UserCRM", "action_id", "params"}`. `get_contact` is the route
 * question and is answered with `list`; `test` brings its answer along (senders send it without a key); the others are
 * commands, answered with `body`. The HTTP status and `code` are always the same.
 */
export const usercrm: HttpProtocol = {
  path: '/integration/usercrm/',
  methods: METHODS,
  contentTypes: [JSON_TYPE],

  parse(parts) {
    const fault = transportFault(parts, METHODS, [JSON_TYPE]);
    if (fault) return fault;
    const fields = jsonObject(parts.bodyText);
    return isBad(fields) ? fields : request(fields);
  },

  format: (answer, { echo }) => envelope(echo, 200, { list: answer.found ? [contactOf(answer)] : [] }),

  formatBody: (body, { echo }) => envelope(echo, 200, { body }),

  formatError(error, status, failed, lang) {
    const body = { success: false, error: error.code, message: error.textIn(lang) };
    return envelope(failed?.echo, status, { body }, errorHeaders(status, METHODS));
  },
};
