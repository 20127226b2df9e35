import type { RecordPayload } from '../messages/types';
import { otherParty } from '../messages/usercrm-cdr';
import type {
  BadRequest,
  CommandAnswer,
  CommandRequest,
  Fields,
  HttpProtocol,
  HttpReply,
  HttpRequestParts,
} from './types';
import { bad, errorHeaders, httpReply, oneLine, phoneValue, shortValue, transportFault } from './wire';

const METHODS = ['GET'];
const SCRIPT = 'text/javascript';
const USUAL_CALLBACK = 'asterisk_cb';
/** The answer is a script of the page that asks: nothing but the name of a function may stand before its bracket. */
const CALLBACK = /^[A-Za-z_$][\w$]{0,31}$/;
const MAX_CALLS = 1000;

/** JSON that may stand in a script: two line ends of JSON are line ends of JavaScript, and `</script>` ends a page's script. */
const scriptSafe = (value: unknown): string =>
  JSON.stringify(value).replace(/[<\u2028\u2029]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** `callback`: absent = plain JSON, which is what amoCRM's own server wants of `cdr`. */
function reply(
  callback: string | undefined,
  body: Fields,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  const text = callback === undefined ? scriptSafe(body) : `${callback}(${scriptSafe(body)});`;
  return httpReply(status, SCRIPT, text, { 'X-Content-Type-Options': 'nosniff', ...headers });
}

function callbackOf({ query }: HttpRequestParts): string | undefined {
  if (query.callback !== undefined) return query.callback;
  return query._action === 'cdr' ? undefined : USUAL_CALLBACK;
}

function requestOf(parts: HttpRequestParts): CommandRequest | BadRequest {
  const { _action: action = '', from, to, date_from: since, date_to: until } = parts.query;
  const callback = callbackOf(parts);
  if (callback !== undefined && !CALLBACK.test(callback)) return bad('PROTOCOL_BAD_CALLBACK');
  const params = { action, ...(callback === undefined ? {} : { callback }) };
  const echo = { action };
  switch (action) {
    case 'status':
      return { action: 'command', command: 'live_calls', payload: {}, params, echo };
    case 'call':
      if (from === undefined || to === undefined) {
        return bad('PROTOCOL_VALUE_MISSING', { parameter: from === undefined ? 'from' : 'to' });
      }
      return {
        action: 'command',
        command: 'make_call',
        payload: { extension: shortValue(from), number: phoneValue(to) },
        params,
        echo,
      };
    case 'cdr': {
      const times = { from: shortValue(since), to: shortValue(until) };
      // It asks for what was said, and expects it all at once.
      const payload = { ...times, results: ['answered'], sort: 'startedAt', limit: MAX_CALLS };
      return { action: 'command', command: 'get_cdr', payload, params, echo };
    }
    case '':
      return bad('PROTOCOL_VALUE_MISSING', { parameter: '_action' });
    default:
      return bad('PROTOCOL_UNKNOWN_ACTION', { action: oneLine(action).slice(0, 64), known: 'status, call, cdr' });
  }
}

/** One row as the widget's script reads them; times are UTC. */
function row(call: RecordPayload): Fields {
  const { direction, extension = '', startedAt, endedAt = startedAt, talkSeconds = 0, peer } = call;
  const own = call.lastExtension ?? extension;
  const other = otherParty(call);
  const [src, dst] = direction === 'in' ? [other, own] : [own, direction === 'out' ? other : (peer?.extension ?? '')];
  return {
    calldate: startedAt.slice(0, 19).replace('T', ' '),
    src,
    dst,
    duration: Math.max(Math.round((Date.parse(endedAt) - Date.parse(startedAt)) / 1000), 0),
    billsec: talkSeconds,
    uniqueid: call.callId,
    recordingfile: call.recording?.url ?? call.recording?.file ?? '',
  };
}

function dataOf(told: CommandAnswer): unknown {
  switch (told.kind) {
    case 'body':
      return told.body;
    case 'calls':
      return told.calls.map(row);
    case 'channels':
      return told.channels;
    case 'order':
      return { response: 'Success', orderId: told.order.orderId, state: told.order.outcome ?? told.order.state };
    case 'done':
      return told.done;
    case 'people':
      return told.people;
    case 'call':
      return { uniqueid: told.legId, number: told.number };
  }
}

/**
 * What amoCRM's Asterisk widget calls: `GET ?_login=&_secret=&_action=status|call|cdr&from=&to=`, answered as JSONP
 * (`asterisk_cb({status, action, data});`), `cdr` as plain JSON unless it names a `callback`. `_secret` is the key of the endpoint; `_login` says
 * nothing here. A page cannot read the status of a script, so that every error which it should read is a 200 with `status: "error"`.
 */
export const amocrm: HttpProtocol = {
  path: '/amocrm.php',
  methods: METHODS,
  contentTypes: [],
  key: { of: 'endpoint', in: ({ query }) => query._secret },

  parse: (parts) => transportFault(parts, METHODS, []) ?? requestOf(parts),

  // It asks for no route.
  format: () => reply(USUAL_CALLBACK, { status: 'error' }),

  formatAnswer(told, { params }) {
    const { callback, action } = params;
    return reply(callback as string | undefined, { status: 'ok', action, data: dataOf(told) });
  },

  formatError(error, status, request, lang) {
    const callback = request?.action === 'command' ? (request.params.callback as string | undefined) : USUAL_CALLBACK;
    const data = { code: error.code, message: error.textIn(lang) };
    return reply(callback, { status: 'error', data }, status === 405 ? status : 200, errorHeaders(status, METHODS));
  },
};
