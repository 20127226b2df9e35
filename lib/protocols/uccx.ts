import type { HttpProtocol, RouteAnswer } from './types';
import {
  bad,
  browserAddress,
  dialSafeExtension,
  displayName,
  errorHeaders,
  httpReply,
  oneLine,
  routeQuestion,
  transportFault,
} from './wire';

const METHODS = ['GET'];
const XML = 'text/xml';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Text of an XML 1.0 element: what XML cannot hold at all is removed, the rest escaped. */
function xmlText(text: string): string {
  return oneLine(text).replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? '');
}

function xmlBody(answer: RouteAnswer, error = ''): string {
  const fields = {
    found: answer.found ? '1' : '0',
    extension: dialSafeExtension(answer.extension),
    name: displayName(answer.name),
    entityType: answer.entityType ?? '',
    entityId: answer.entityId ?? '',
    url: browserAddress(answer.url) ?? '',
    created: answer.created === true ? '1' : '0',
    outcome: answer.outcome ?? '',
    ownerId: answer.ownerId ?? '',
    ownerName: displayName(answer.ownerName),
    region: displayName(answer.region),
    timeZone: answer.timeZone ?? '',
    error,
  };
  const elements = Object.entries(fields).map(([name, value]) => `<${name}>${xmlText(value)}</${name}>`);
  return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><crm>${elements.join('')}</crm>`;
}

/**
 * The question of a Cisco UCCX script (steps Create URL Document, Create XML Document, Get XML Document Data):
 * `GET ?phone=` or `?ani=`, with `trunk` or `dnis`, and `callid`. The script reads one element per XPath
 * (`/descendant::crm/child::extension`) and leaves its path when one is missing, so every element is always there,
 * and "nobody" is a 200; `outcome` says why. No DTD, no namespace.
 */
export const uccx: HttpProtocol = {
  path: '/uccx',
  methods: METHODS,
  contentTypes: [],

  parse(parts) {
    const fault = transportFault(parts, METHODS, []);
    if (fault) return fault;
    const { phone, ani, trunk, dnis, callid } = parts.query;
    const caller = phone ?? ani;
    if (caller === undefined) return bad('PROTOCOL_PHONE_MISSING', { parameter: 'phone' });
    return { action: 'route', question: routeQuestion(caller, trunk ?? dnis, callid) };
  },

  format: (answer) => httpReply(200, XML, xmlBody(answer)),

  formatError(error, status, _request, lang) {
    const body = xmlBody({ found: false }, `${error.code}: ${error.textIn(lang)}`);
    return httpReply(status, XML, body, errorHeaders(status, METHODS));
  },
};
