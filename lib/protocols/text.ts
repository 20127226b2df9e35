import type { HttpProtocol } from './types';
import { bad, dialSafeExtension, errorHeaders, httpReply, oneLine, routeQuestion, transportFault } from './wire';

const METHODS = ['GET'];
const TEXT = 'text/plain';

/**
 * `GET ?phone=&trunk=&callid=`, answered with the extension alone, or with nothing. The body of an error is empty too,
 * because a dialplan would dial it: the reason stands in the header `X-Telephony-Error`.
 */
export const text: HttpProtocol = {
  path: '/route.txt',
  methods: METHODS,
  contentTypes: [],

  parse(parts) {
    const fault = transportFault(parts, METHODS, []);
    if (fault) return fault;
    const { phone, trunk, callid } = parts.query;
    if (phone === undefined) return bad('PROTOCOL_PHONE_MISSING', { parameter: 'phone' });
    return { action: 'route', question: routeQuestion(phone, trunk, callid) };
  },

  format: (answer) => httpReply(200, TEXT, dialSafeExtension(answer.extension)),

  formatError(error, status) {
    // Header values are ASCII, so the reason is in English whatever the reader's language.
    const reason = oneLine(`${error.code}: ${error.message}`).replace(/[^\x20-\x7e]/g, '?');
    return httpReply(status, TEXT, '', { ...errorHeaders(status, METHODS), 'X-Telephony-Error': reason });
  },
};
