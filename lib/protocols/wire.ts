import type { ErrorParams, Text } from '../errors';
import { isDialable } from '../phone/dialable';
import { webAddress } from '../web-address';
import { httpStatusOf, protocolError, type ProtocolErrorCode } from './errors';
import type { BadRequest, Echo, HttpReply, HttpRequestParts, RouteQuestion, RouteRequest } from './types';

/** Names are shown on a phone: longer ones only flood the dialplan. */
const MAX_NAME = 80;
/** A question's values travel into messages and logs; nothing that is a number or an id is longer. */
const MAX_QUESTION_VALUE = 256;
const MAX_JSON_DEPTH = 32;
/** Browsers and servers take no longer addresses for sure. */
const MAX_ADDRESS = 2000;

/** A refusal of a request by one of this room's errors. */
export function bad(code: ProtocolErrorCode, params: ErrorParams = {}, echo?: Echo): BadRequest {
  return {
    action: 'bad',
    error: protocolError(code, params),
    status: httpStatusOf({ code }),
    ...(echo === undefined ? {} : { echo }),
  };
}

/** One line of well-formed Unicode: line ends and other control characters become spaces, half characters vanish. */
export function oneLine(text: string): string {
  return text
    .replace(/[\p{Cs}\ufffe\uffff]/gu, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}

/** A name fit to be shown on a phone: one line, at most 80 characters, no character cut in half. Empty when there is none. */
export function displayName(name: string | undefined): string {
  return Array.from(oneLine(name ?? ''))
    .slice(0, MAX_NAME)
    .join('')
    .trimEnd();
}

/** The extension as it may stand in a dialplan: empty when there is none. One that is not dialable is refused with `PROTOCOL_UNSAFE_EXTENSION`. */
export function dialSafeExtension(extension: string | undefined): string {
  if (extension === undefined || extension === '') return '';
  if (!isDialable(extension)) {
    throw protocolError('PROTOCOL_UNSAFE_EXTENSION', { extension: displayName(extension) });
  }
  return extension;
}

/** An address that a browser may be sent to, as a URL writes it; never `javascript:`, `data:`, or one with a password in it. */
export function browserAddress(text: string | undefined): string | undefined {
  return text === undefined || text.length > MAX_ADDRESS ? undefined : webAddress(text)?.href;
}

/** Percent-encodes all but the unreserved characters of RFC 3986; a space becomes `%20`. */
export function percentEncode(text: string): string {
  const encoded = encodeURIComponent(text.replace(/\p{Cs}/gu, ''));
  return encoded.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The refusal of a method or of a body's type that the protocol does not serve. */
export function transportFault(
  parts: HttpRequestParts,
  methods: readonly string[],
  contentTypes: readonly string[],
): BadRequest | undefined {
  if (!methods.includes(parts.method)) {
    return bad('PROTOCOL_METHOD_NOT_ALLOWED', {
      method: oneLine(parts.method).slice(0, 20),
      allowed: methods.join(', '),
    });
  }
  if (parts.bodyText === undefined || parts.bodyText === '' || contentTypes.length === 0) return undefined;
  // Without the header the sender leaves it to us to guess.
  if (parts.contentType === undefined) return undefined;
  const [type = '', ...parameters] = parts.contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '');
  if (contentTypes.includes(type) && (charset === undefined || charset === 'utf-8' || charset === 'utf8'))
    return undefined;
  return bad('PROTOCOL_MEDIA_TYPE', {
    type: oneLine(parts.contentType).slice(0, 80),
    allowed: contentTypes.join(', '),
  });
}

/** A value that may have come as text or as a number; anything else counts as absent. */
export function scalar(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** One line of at most 256 characters of a value that may have come as text or as a number; empty when there is none. */
export const shortValue = (value: unknown): string => oneLine(scalar(value) ?? '').slice(0, MAX_QUESTION_VALUE);

/**
 * As {@link shortValue}, for numbers. Who pastes one into a URL unescaped (`${CALLERID(num)}` in a dialplan) makes a space of the plus of an
 * international number: it is put back.
 */
export const phoneValue = (value: unknown): string => shortValue((scalar(value) ?? '').replace(/^ (?=[0-9])/, '+'));

/** A route question of its values. */
export function routeQuestion(phone: string, trunk: string | undefined, callId: string | undefined): RouteQuestion {
  return {
    phone: phoneValue(phone),
    ...(trunk === undefined || trunk === '' ? {} : { trunk: phoneValue(trunk) }),
    ...(callId === undefined || callId === '' ? {} : { callId: shortValue(callId) }),
  };
}

/** The route question of a GET in the words of Unified CCX: `phone` or `ani`, with `trunk` or `dnis`, and `callid`. */
export function callerQuestion(parts: HttpRequestParts, methods: readonly string[]): RouteRequest | BadRequest {
  const fault = transportFault(parts, methods, []);
  if (fault) return fault;
  const { phone, ani, trunk, dnis, callid } = parts.query;
  const caller = phone ?? ani;
  if (caller === undefined) return bad('PROTOCOL_PHONE_MISSING', { parameter: 'phone' });
  return { action: 'route', question: routeQuestion(caller, trunk ?? dnis, callid) };
}

/** A reply that no cache may keep: it is true for one call only. */
export function httpReply(
  status: number,
  contentType: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  return {
    status,
    contentType: `${contentType}; charset=utf-8`,
    body,
    headers: { 'Cache-Control': 'no-store', ...headers },
  };
}

/** Headers that HTTP itself wants beside an error. */
export function errorHeaders(status: number, methods: readonly string[]): Record<string, string> {
  if (status === 405) return { Allow: methods.join(', ') };
  if (status === 401) return { 'WWW-Authenticate': 'Bearer' };
  return {};
}

class JsonFault extends Error {
  constructor(
    readonly offset: number,
    readonly problem: Text | 'too-deep',
  ) {
    super('JSON');
  }
}

const found = (sign: string): Text => ({ en: `"${sign}" cannot stand here.`, ru: `здесь не может стоять «${sign}».` });

const problems = {
  end: { en: 'the text ends too early.', ru: 'текст обрывается.' },
  rest: { en: 'there is something after the end.', ru: 'после конца что-то есть.' },
  comment: { en: 'JSON knows no comments.', ru: 'в JSON не бывает комментариев.' },
  quote: { en: 'use double quotes, not single ones.', ru: 'нужны двойные кавычки, а не одинарные.' },
  missingComma: { en: 'a comma is missing before this.', ru: 'перед этим местом не хватает запятой.' },
  extraComma: { en: 'there is a comma too many before this.', ru: 'перед этим местом лишняя запятая.' },
  key: { en: 'a name in double quotes must stand here.', ru: 'здесь должно быть имя в двойных кавычках.' },
  colon: { en: 'a colon must stand here.', ru: 'здесь должно быть двоеточие.' },
  string: {
    en: 'a string holds a line end or another control character.',
    ru: 'в строке перевод строки или другой управляющий знак.',
  },
  escape: { en: 'a string holds an unknown escape.', ru: 'в строке неизвестная последовательность с «\\».' },
} as const satisfies Record<string, Text>;

/** Walks over a JSON text only to find the first place that is wrong: JSON.parse does not say it reliably. */
class JsonWalk {
  private at = 0;

  constructor(private readonly text: string) {}

  /** Throws {@link JsonFault} unless the whole text is JSON, nested no deeper than allowed. */
  document(): void {
    this.value(1);
    this.blank();
    if (this.at < this.text.length) this.fail(this.text[this.at] === '}' ? found('}') : problems.rest);
  }

  private fail(problem: Text | 'too-deep', at = this.at): never {
    throw new JsonFault(at, problem);
  }

  private take(expression: RegExp): boolean {
    expression.lastIndex = this.at;
    if (!expression.test(this.text)) return false;
    this.at = expression.lastIndex;
    return true;
  }

  private blank(): void {
    this.take(/[ \t\r\n]*/y);
  }

  private value(depth: number): void {
    this.blank();
    const sign = this.text[this.at];
    if (sign === '{' || sign === '[') {
      if (depth > MAX_JSON_DEPTH) this.fail('too-deep');
      this.at += 1;
      if (sign === '{') this.members('}', depth, () => this.key());
      else this.members(']', depth, () => undefined);
    } else if (sign === '"') {
      this.string();
    } else if (!this.take(/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y)) {
      this.fail(this.unexpected());
    }
  }

  private members(close: '}' | ']', depth: number, before: () => void): void {
    this.blank();
    if (this.text[this.at] === close) {
      this.at += 1;
      return;
    }
    for (;;) {
      before();
      this.value(depth + 1);
      this.blank();
      const sign = this.text[this.at];
      if (sign !== ',' && sign !== close) this.fail(sign === '"' ? problems.missingComma : this.unexpected());
      this.at += 1;
      if (sign === close) return;
      this.blank();
      if (this.text[this.at] === close) this.fail(problems.extraComma);
    }
  }

  private key(): void {
    if (this.text[this.at] !== '"')
      this.fail(/[\w$]/.test(this.text[this.at] ?? '') ? problems.key : this.unexpected());
    this.string();
    this.blank();
    if (this.text[this.at] !== ':') this.fail(this.at < this.text.length ? problems.colon : problems.end);
    this.at += 1;
  }

  private string(): void {
    this.at += 1;
    while (this.take(/[^"\\\u0000-\u001f]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y));
    const sign = this.text[this.at];
    if (sign !== '"') this.fail(sign === undefined ? problems.end : sign === '\\' ? problems.escape : problems.string);
    this.at += 1;
  }

  private unexpected(): Text {
    const rest = this.text.slice(this.at, this.at + 2);
    if (rest === '') return problems.end;
    if (rest === '//' || rest === '/*' || rest === '<-' || rest.startsWith('#')) return problems.comment;
    if (rest.startsWith("'")) return problems.quote;
    return found(Array.from(oneLine(rest))[0] ?? ' ');
  }
}

/** The value of a JSON text, or the refusal that says at which line and column it stops being JSON. */
function parseJson(text: string): { readonly value: unknown } | BadRequest {
  // Windows programs put a byte order mark before it.
  const json = text.replace(/^\ufeff/, '');
  try {
    new JsonWalk(json).document();
    // A key `__proto__` is of use to nobody but an attacker of whoever copies the object later.
    return { value: JSON.parse(json, (key, value: unknown) => (key === '__proto__' ? undefined : value)) as unknown };
  } catch (fault) {
    if (!(fault instanceof JsonFault)) throw fault;
    if (fault.problem === 'too-deep') return bad('PROTOCOL_JSON_TOO_DEEP', { limit: MAX_JSON_DEPTH });
    const before = json.slice(0, fault.offset).split('\n');
    return bad('PROTOCOL_BAD_JSON', {
      line: before.length,
      column: (before.at(-1)?.length ?? 0) + 1,
      problemEn: fault.problem.en,
      problemRu: fault.problem.ru,
    });
  }
}

/** A JSON object (no array, no null), or the refusal that names `what` must be one. */
export function asObject(value: unknown, what: Text, echo?: Echo): Readonly<Record<string, unknown>> | BadRequest {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : bad('PROTOCOL_NOT_AN_OBJECT', { whatEn: what.en, whatRu: what.ru }, echo);
}

/** The JSON object that a body must be. */
export function jsonObject(bodyText: string | undefined): Readonly<Record<string, unknown>> | BadRequest {
  const parsed = parseJson(bodyText ?? '');
  return isBad(parsed) ? parsed : asObject(parsed.value, { en: 'The body', ru: 'Тело' });
}

export function isBad(result: object): result is BadRequest {
  return 'action' in result && result.action === 'bad' && 'error' in result && result.error instanceof Error;
}
