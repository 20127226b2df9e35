import { userCrmCdr, userCrmJson } from '../messages/usercrm-cdr';
import type {
  BadRequest,
  CommandAnswer,
  CommandRequest,
  Echo,
  Fields,
  HttpProtocol,
  HttpReply,
  Person,
  ProtocolRequest,
  RouteAnswer,
} from './types';
import {
  asObject,
  bad,
  dialSafeExtension,
  errorHeaders,
  httpReply,
  isBad,
  jsonObject,
  oneLine,
  phoneValue,
  routeQuestion,
  scalar,
  shortValue,
  transportFault,
} from './wire';

const METHODS = ['POST'];
const JSON_TYPE = 'application/json';

/** The document's commands. */
const DOCUMENTED = ['get_users', 'get_domain_user_list', 'get_cdr', 'make_call', 'switch_call_hold'] as const;

/** Commands of our own, for a CRM that does what an agent's workstation does; what each orders of an agent. */
const OF_AGENTS: Readonly<Record<string, string>> = {
  agent_login: 'queue-login',
  agent_logout: 'queue-logout',
  agent_pause: 'pause',
  agent_unpause: 'unpause',
  get_agent_state: 'agent-state',
};
const TRANSFER = 'transfer_call';
const TRANSFERS: Readonly<Record<string, string>> = {
  blind: 'transfer',
  attended: 'attended-transfer',
  complete: 'complete-transfer',
  cancel: 'cancel-transfer',
};

/** `test` and `get_contact` have their own shapes, the others are commands. */
const ACTIONS: readonly string[] = ['test', 'get_contact', ...DOCUMENTED, TRANSFER, ...Object.keys(OF_AGENTS)];

/** A CRM that asks again after a lost answer means the same call; one whose ids are short counts from 123 again one day. */
const LASTING_ID = /^[\w-]{16,128}$/;
/** More queues than an order may name: it is refused behind, whatever else is in the list. */
const MAX_LIST = 100;
const ENVELOPE_FIELDS = new Set(['action', 'obj', 'action_id', 'params']);

/** The envelope of every UserCRM answer; `content` is `body`, or `list` for `get_contact`. */
function envelope(echo: Echo | undefined, code: number, content: Fields, headers?: Record<string, string>): HttpReply {
  const body = userCrmJson({ action: echo?.action, obj: 'UserCRM', action_id: echo?.actionId, code, ...content });
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
  if (!ACTIONS.includes(action)) {
    const known = ACTIONS.join(', ');
    return bad('PROTOCOL_UNKNOWN_ACTION', { action: oneLine(action).slice(0, 64), known }, echo);
  }
  const params = asObject(fields.params ?? {}, { en: 'The field "params"', ru: 'Поле «params»' }, echo);
  if (isBad(params)) return params;
  if (action === 'test') return { action: 'test', reply: envelope(echo, 200, { body: { success: true } }), echo };
  if (action === 'get_contact') return contactQuestion(params, echo);
  const documented = DOCUMENTED.find((one) => one === action);
  if (documented) {
    return {
      action: 'command',
      command: documented,
      payload: payloadOf(documented, fields, params, echo),
      params,
      echo,
    };
  }
  if (shortValue(params.crm_user_id) === '') {
    return bad('PROTOCOL_VALUE_MISSING', { parameter: 'params.crm_user_id' }, echo);
  }
  return action === TRANSFER ? transferOf(params, echo) : agentOrder(OF_AGENTS[action] ?? '', params, echo);
}

function transferOf(params: Fields, echo: Echo): CommandRequest | BadRequest {
  const type = scalar(params.type) ?? 'blind';
  const action = Object.hasOwn(TRANSFERS, type) ? TRANSFERS[type] : undefined;
  const known = Object.keys(TRANSFERS).join(', ');
  if (action === undefined) return bad('PROTOCOL_BAD_VALUE', { parameter: 'params.type', known }, echo);
  const to = phoneValue(params.dst);
  const isNew = type === 'blind' || type === 'attended';
  if (isNew && to === '') return bad('PROTOCOL_VALUE_MISSING', { parameter: 'params.dst' }, echo);
  const user = shortValue(params.crm_user_id);
  const payload = { action, user, callId: shortValue(params.call_id), ...(isNew ? { to } : {}) };
  return { action: 'command', command: 'transfer', payload, params, echo };
}

function agentOrder(action: string, params: Fields, echo: Echo): CommandRequest {
  const { crm_user_id, queue, reason, penalty } = params;
  const said = { reason: shortValue(reason), penalty: shortValue(penalty) };
  const payload = {
    action,
    user: shortValue(crm_user_id),
    ...queuesIn(queue),
    ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== '')),
  };
  return { action: 'command', command: 'agent_state', payload, params, echo };
}

/** One queue or a list; what is neither must be refused behind, not taken for all queues. */
function queuesIn(value: unknown): Fields {
  if (value === undefined || value === null || value === '') return {};
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return { queue: list.slice(0, MAX_LIST).map(shortValue) };
}

/** What the nodes behind read: the same whoever asks. */
function payloadOf(command: (typeof DOCUMENTED)[number], fields: Fields, params: Fields, { actionId }: Echo): Fields {
  const user = shortValue(params.crm_user_id);
  if (command === 'make_call') {
    const key = typeof actionId === 'string' && LASTING_ID.test(actionId) ? { key: actionId } : {};
    return { user, number: phoneValue(params.dst), ...key };
  }
  if (command === 'switch_call_hold') return { action: 'toggle-hold', user, callId: shortValue(params.call_id) };
  const options = Object.entries(fields).filter(([name]) => !ENVELOPE_FIELDS.has(name));
  return { params, ...Object.fromEntries(options) };
}

/** The answer in the body; what is done is told as `success`. */
function bodyOf(answer: CommandAnswer, { command, payload }: CommandRequest): unknown {
  switch (answer.kind) {
    case 'body':
      return answer.body;
    case 'calls':
      return answer.calls.map((call) => userCrmCdr(call, call.line?.number ?? '', call.recording?.url));
    case 'people':
      return command === 'get_users' ? answer.people.map(crmUser) : answer.people.map(domainUser);
    case 'order': {
      const { orderId, outcome, state } = answer.order;
      const isGood = outcome === undefined || outcome === 'answered' || outcome === 'confirmed';
      return { success: isGood, order_id: orderId, ...(outcome === undefined ? { state } : { outcome }) };
    }
    case 'done':
      return { success: true, ...(command === 'agent_state' ? agentIn(answer.done, payload) : answer.done) };
    case 'call':
      return { call_id: answer.legId, other_leg: answer.number };
    case 'channels':
      return answer.channels;
  }
}

/** An agent under the names of `agent_change`. */
function agentIn({ extension, changed, queues, state, status }: Fields, { action, user }: Fields): Fields {
  const { pausedIn = [], busy = false } = (state ?? {}) as { readonly pausedIn?: unknown; readonly busy?: unknown };
  const told = action === 'agent-state' ? { ...(status as Fields), paused_in: pausedIn, busy } : { changed };
  return { user_uid: extension, crm_user: user, queues, ...told };
}

const crmUser = ({ userId, name = '' }: Person): Fields => ({ id: userId, name });

/** Names are not split into name and surname here; `id` is a number in the document, and the extension is the only one we have. */
const domainUser = ({ extension, userId, name = '' }: Person): Fields => ({
  user_name: name,
  user_surname: '',
  uid: extension,
  id: numberIfItIsOne(extension),
  proto: 0,
  crm_user: userId,
});

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

  formatAnswer(answer, request) {
    // The document answers `switch_call_hold` with its own question.
    const params = request.command === 'switch_call_hold' ? { params: request.params } : {};
    const total = answer.kind === 'calls' && answer.total !== undefined ? { total: answer.total } : {};
    return envelope(request.echo, 200, { ...params, body: bodyOf(answer, request), ...total });
  },

  formatError(error, status, failed, lang) {
    const body = { success: false, error: error.code, message: error.textIn(lang) };
    const echo = failed?.action === 'notice' ? undefined : failed?.echo;
    return envelope(echo, status, { body }, errorHeaders(status, METHODS));
  },
};
