import type { HttpProtocol } from './types';
import { browserAddress, callerQuestion, displayName, errorHeaders, httpReply, oneLine } from './wire';

const METHODS = ['GET'];
const TEXT = 'text/plain';

/**
 * A browser is sent to the client's card: `GET ?phone=` or `?ani=`, answered with 302 to the record in the CRM. It is what an agent's desktop
 * opens when a call comes (the action Browser Pop of Cisco Finesse). Where it leads is said by the CRM, or by the flow, never by who asks.
 */
export const card: HttpProtocol = {
  path: '/card',
  methods: METHODS,
  contentTypes: [],
  opensInTab: true,

  parse: (parts) => callerQuestion(parts, METHODS),

  format({ url }, { question }) {
    const address = browserAddress(url);
    if (address !== undefined) return httpReply(302, TEXT, '', { Location: address });
    const number = displayName(question.phone) || '—';
    return httpReply(404, TEXT, `The CRM shows no card for ${number}.\nВ CRM нет карточки для ${number}.\n`);
  },

  formatError(error, status, _request, lang) {
    const body = `${oneLine(error.textIn(lang))} (${error.code})\n`;
    return httpReply(status, TEXT, body, errorHeaders(status, METHODS));
  },
};
