import type {
  Command,
  CommandAnswer,
  CommandRequest,
  HttpProtocol,
  HttpReply,
  OrderTold,
  ProtocolRequest,
} from './types';
import type { BadRequest, Fields, HttpRequestParts } from './types';
import { bad, errorHeaders, httpReply, oneLine, phoneValue, shortValue, transportFault } from './wire';

const METHODS = ['GET'];
const TEXT = 'text/plain';
const MAX_FILES = 10;

const command = (name: Command, payload: Fields): CommandRequest => ({
  action: 'command',
  command: name,
  payload,
  params: {},
});

/** One `Key: Value` a line, as the document prints them; the blank lines between them there are typographic (inferred). */
const lines = (fields: Fields, headers?: Readonly<Record<string, string>>, status = 200): HttpReply => {
  const body = Object.entries(fields).map(([key, value]) => `${oneLine(key)}: ${shortValue(value)}\n`);
  return httpReply(status, TEXT, body.join(''), headers);
};

const answer = (word: string, more: Fields = {}): HttpReply => lines({ Answer: word, ...more });

/** `OK (Sent)`, `Busy`, `Queued`, `NO ANSWER`: whoever was not reached at all, or did not press 1, is the last. */
function autocallStatus({ outcome }: OrderTold): string {
  if (outcome === undefined) return 'Queued';
  if (outcome === 'answered' || outcome === 'confirmed' || outcome === 'heard-partly') return 'OK (Sent)';
  return outcome === 'busy' ? 'Busy' : 'NO ANSWER';
}

/** `OK` when there was somebody to give the call to and the number was not busy, though nobody may have answered there. */
function makeCall({ outcome }: OrderTold): string {
  if (outcome === undefined || outcome === 'answered' || outcome === 'no-answer') return 'OK';
  return outcome === 'busy' ? 'Busy' : 'Error';
}

function orderAnswer(order: OrderTold, { command: asked }: CommandRequest): HttpReply {
  if (asked === 'autocall_status') return answer(autocallStatus(order));
  if (asked === 'make_call') return answer(makeCall(order));
  const isQueued = order.outcome === undefined || order.outcome === 'answered' || order.outcome === 'confirmed';
  return isQueued ? answer('OK', { AutoCallID: order.orderId }) : answer('Error');
}

/** A request by the first of its words that is there, in the order of the document. */
function requestOf({ query, address }: HttpRequestParts): ProtocolRequest | BadRequest {
  const { makecall, autocall, autocallstatus, transfer, dest } = query;
  const whose = address === undefined ? undefined : { ip: address };
  if (query.get_uniqueid_callerid !== undefined) {
    return whose ? command('current_call', whose) : bad('PROTOCOL_ADDRESS_UNKNOWN');
  }
  if (makecall !== undefined) {
    if (!whose) return bad('PROTOCOL_ADDRESS_UNKNOWN');
    return command('make_call', { ...whose, number: phoneValue(makecall), answer: 'outcome' });
  }
  if (autocall !== undefined) {
    const names = Array.from({ length: MAX_FILES }, (_each, index) => shortValue(query[`file${index + 1}`]));
    // One computer must not take the places of all: its address is whom the cap per caller counts.
    const by = address === undefined ? {} : { by: address };
    return command('autocall', { number: phoneValue(autocall), files: names.filter((name) => name !== ''), ...by });
  }
  if (autocallstatus !== undefined) {
    if (!/^[1-9][0-9]{0,9}$/.test(autocallstatus))
      return bad('PROTOCOL_VALUE_MISSING', { parameter: 'autocallstatus' });
    return command('autocall_status', { command: 'status', orderId: Number(autocallstatus) });
  }
  if (transfer !== undefined) {
    if (dest === undefined || dest === '') return bad('PROTOCOL_VALUE_MISSING', { parameter: 'dest' });
    return command('transfer', { action: 'transfer', legId: shortValue(transfer), to: shortValue(dest) });
  }
  const known = 'get_uniqueid_callerid, makecall, autocall, autocallstatus, transfer';
  return bad('PROTOCOL_VALUE_MISSING', { parameter: known });
}

/**
 * `asterisk.fcgi` of Alterisk: `GET ?get_uniqueid_callerid`, `?makecall=`, `?autocall=&file1=…&file10=`, `?autocallstatus=`,
 * `?transfer=&dest=`. Whose phone is meant, the address of the asker says. Programs that speak it read the body and not the HTTP
 * status, so that what went wrong behind the door is a 200 with `Answer: Error`; the reason stands in the header `X-Telephony-Error`.
 */
export const alterisk: HttpProtocol = {
  path: '/fcgi-bin/asterisk.fcgi',
  methods: METHODS,
  contentTypes: [],

  parse: (parts) => transportFault(parts, METHODS, []) ?? requestOf(parts),

  // It asks for no route.
  format: () => answer('Error'),

  formatAnswer(told: CommandAnswer, request): HttpReply {
    switch (told.kind) {
      case 'order':
        return orderAnswer(told.order, request);
      case 'done':
        return answer('OK');
      case 'call':
        return answer('OK', { CallerID: told.number === '' ? 'unknown' : told.number, UniqueID: told.legId });
      case 'body':
        return typeof told.body === 'object' && told.body !== null
          ? lines(told.body as Fields)
          : answer(shortValue(told.body) || 'OK');
      case 'calls':
      case 'people':
      case 'channels':
        return answer('OK');
    }
  },

  formatError(error, status) {
    // Header values are ASCII, so the reason is in English whatever the reader's language.
    const reason = oneLine(`${error.code}: ${error.message}`).replace(/[^\x20-\x7e]/g, '?');
    const isAtTheDoor = [401, 403, 405].includes(status);
    const headers = { ...errorHeaders(status, METHODS), 'X-Telephony-Error': reason };
    return lines({ Answer: 'Error' }, headers, isAtTheDoor ? status : 200);
  },
};
