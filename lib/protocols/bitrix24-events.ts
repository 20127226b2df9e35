import { CLICK_VARIABLE, isClickId } from '../messages/bitrix24-click';
import type { BadRequest, Fields, HttpProtocol, HttpRequestParts, NoticeRequest } from './types';
import { bad, errorHeaders, httpReply, oneLine, phoneValue, shortValue, transportFault } from './wire';

const METHODS = ['POST'];
const FORM = 'application/x-www-form-urlencoded';

/** The fields of a form; of a repeated one the first. PHP writes nested ones as `data[PHONE_NUMBER]`. */
const fieldsOf = ({ bodyText = '' }: HttpRequestParts): URLSearchParams => new URLSearchParams(bodyText);

/** What an event orders: `value` reads one field of its data. */
function noticeOf(
  event: string,
  value: (name: string) => unknown,
): Pick<NoticeRequest, 'command' | 'payload'> | undefined {
  const number = phoneValue(value('PHONE_NUMBER_INTERNATIONAL')) || phoneValue(value('PHONE_NUMBER'));
  const entity = { type: shortValue(value('CRM_ENTITY_TYPE')), id: shortValue(value('CRM_ENTITY_ID')) };
  const common = { ...(entity.id === '' ? {} : { entity }), ...known('lineNumber', value('LINE_NUMBER')) };
  switch (event.toUpperCase()) {
    case 'ONEXTERNALCALLSTART': {
      const callId = shortValue(value('CALL_ID'));
      const id = isClickId(callId) ? { callId } : {};
      return {
        command: 'make_call',
        payload: {
          user: shortValue(value('USER_ID')),
          number,
          data: { bitrix24: { ...id, ...common } },
          ...(id.callId === undefined ? {} : { key: callId, variables: { [CLICK_VARIABLE]: callId } }),
        },
      };
    }
    case 'ONEXTERNALCALLBACKSTART':
      return {
        command: 'callback',
        payload: { number, data: { bitrix24: { ...common, ...known('text', value('TEXT')) } } },
      };
    default:
      return undefined;
  }
}

const known = (name: string, value: unknown): Fields => (shortValue(value) === '' ? {} : { [name]: shortValue(value) });

/**
 * What an event of Bitrix24's queue orders, as the same event over HTTP does; `undefined`: nothing, or it names no number. `id`: of the
 * event; it is the order's key where there is no CALL_ID, so that an event that comes again orders nothing new.
 */
export function bitrix24Order(event: string, data: Fields, id: string) {
  const told = noticeOf(event, (name) => data[name]);
  if (told === undefined || told.payload.number === '') return undefined;
  const { command, payload } = told;
  const key = typeof payload.key === 'string' ? payload.key : `bitrix24-event-${id}`;
  return { command, key, payload: { ...payload, key } };
}

function notice(fields: URLSearchParams): NoticeRequest | BadRequest {
  const event = fields.get('event') ?? '';
  if (event === '') return bad('PROTOCOL_VALUE_MISSING', { parameter: 'event' });
  const told = noticeOf(event, (name) => fields.get(`data[${name}]`));
  if (told === undefined) {
    const served = 'ONEXTERNALCALLSTART, ONEXTERNALCALLBACKSTART';
    return bad('PROTOCOL_UNKNOWN_ACTION', { action: oneLine(event).slice(0, 64), known: served });
  }
  if (told.payload.number === '') return bad('PROTOCOL_PHONE_MISSING', { parameter: 'data[PHONE_NUMBER]' });
  return { action: 'notice', ...told, reply: httpReply(200, 'text/plain', '') };
}

/**
 * Events of Bitrix24 that order a call: `ONEXTERNALCALLSTART` (a click on a number) and `ONEXTERNALCALLBACKSTART` (the form "call me
 * back"), form-encoded with PHP's keys. Bitrix24 never sends one twice, so that it is answered before anything is done. The key is
 * `auth[application_token]`, which Bitrix24 shows where the handler was registered.
 */
export const bitrix24: HttpProtocol = {
  path: '/bitrix24/events',
  methods: METHODS,
  contentTypes: [FORM],
  key: { of: 'application', in: (parts) => fieldsOf(parts).get('auth[application_token]') ?? undefined },

  parse: (parts) => transportFault(parts, METHODS, [FORM]) ?? notice(fieldsOf(parts)),

  // It asks for no route.
  format: () => httpReply(200, 'text/plain', ''),

  formatError(error, status, _request, lang) {
    return httpReply(status, 'text/plain', `${error.code}: ${error.textIn(lang)}`, errorHeaders(status, METHODS));
  },
};
