import { settableIn } from '../channel-variables';
import type { HttpProtocol, RouteAnswer } from './types';
import {
  bad,
  dialSafeExtension,
  displayName,
  errorHeaders,
  httpReply,
  percentEncode,
  routeQuestion,
  transportFault,
} from './wire';

const METHODS = ['GET'];
const TEXT = 'text/plain';

/**
 * A name that Asterisk's HASH() keeps whole (measured on 22.10 and 16.28). CURL() with `hashcompat=yes` decodes the percent
 * signs, escapes commas and backslashes and hands a comma list to HASH(), which then removes double quotes and does not
 * split inside quotes or brackets: one open `(`, `[` or `"` swallows the number behind the name. So double quotes become
 * single ones, and brackets go when they are not closed. `${…}` needs nothing: a function's result is not evaluated again.
 */
function hashSafe(name: string): string {
  const single = name.replaceAll('"', "'");
  return withoutOpenBrackets(withoutOpenBrackets(single, '(', ')'), '[', ']');
}

function withoutOpenBrackets(text: string, open: string, close: string): string {
  let depth = 0;
  // As HASH() counts: a closing bracket too many is nothing to it.
  for (const sign of text) {
    if (sign === open) depth += 1;
    else if (sign === close && depth > 0) depth -= 1;
  }
  return depth === 0 ? text : text.replaceAll(open, '').replaceAll(close, '');
}

/** What else the dialplan is to set, behind the fields of Itgrix; none of them may be taken for one of those. */
const variablesOf = ({ variables }: RouteAnswer): string =>
  Object.entries(settableIn(variables))
    .filter(([name]) => /^\w+$/.test(name) && !/^(?:name|number|error)$/i.test(name))
    .map(([name, value]) => `&${name}=${percentEncode(hashSafe(value))}`)
    .join('');

/**
 * Itgrix `GET /forward?phone=&trunk=&callid=`, asked by a dialplan with `CURL()`; the answer is
 * `name=<urlencoded>&number=<extension>` for `HASH()`, both empty when nobody is responsible; the variables of an answer follow them.
 * CURL() gives the dialplan the body whatever the status, so an error has the same two empty fields, and says in a third what is wrong.
 */
export const itgrix: HttpProtocol = {
  path: '/forward',
  methods: METHODS,
  contentTypes: [],

  parse(parts) {
    const fault = transportFault(parts, METHODS, []);
    if (fault) return fault;
    const { phone, trunk, callid } = parts.query;
    if (phone === undefined) return bad('PROTOCOL_PHONE_MISSING', { parameter: 'phone' });
    return { action: 'route', question: routeQuestion(phone, trunk, callid) };
  },

  format(answer) {
    const name = percentEncode(hashSafe(displayName(answer.name)));
    return httpReply(200, TEXT, `name=${name}&number=${dialSafeExtension(answer.extension)}${variablesOf(answer)}`);
  },

  formatError(error, status, _request, lang) {
    const text = percentEncode(hashSafe(displayName(`${error.code}: ${error.textIn(lang)}`)));
    return httpReply(status, TEXT, `name=&number=&error=${text}`, errorHeaders(status, METHODS));
  },
};
