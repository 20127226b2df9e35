import { parseNumber } from '../../phone';
import { badSettings } from '../errors';
import { compileExpression, type Expression } from '../expression';
import { parseJson } from '../json';
import { checkedUrl, type SettingsReader } from '../settings';
import { compileTemplate, type Template } from '../template';
import type { CrmRequest, PhoneNumber } from '../types';

const NUMBER_NAMES = ['e164', 'digits', 'national', 'variants'] as const;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH'] as const;
const BODY_TYPES = ['none', 'json', 'form', 'raw'] as const;
const AUTHS = ['none', 'basic', 'bearer', 'header', 'placeholder'] as const;
export const CONTENT_TYPES = {
  none: undefined,
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  raw: 'text/plain; charset=utf-8',
} as const;

/** The expressions that read one client out of the CRM's answer. */
const CLIENT_PARTS = [
  'found',
  'name',
  'ownerId',
  'ownerName',
  'extension',
  'entityType',
  'entityId',
  'entityUrl',
] as const;
export type ClientPart = (typeof CLIENT_PARTS)[number];

/** Nobody's number: 495 numbers do not begin with 0. */
const TEST_NUMBER = '+74950000000';

interface UsersQuestion {
  readonly url: string;
  readonly list: Expression | undefined;
  readonly id: Expression;
  readonly name: Expression | undefined;
  readonly extension: Expression | undefined;
}

/** What the admin described, read once. */
export interface Description {
  readonly method: CrmRequest['method'];
  readonly url: Template;
  readonly body: Template | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string | undefined;
  /** The value of `{{token}}`. */
  readonly token: string;
  readonly notFound404: boolean;
  readonly parts: Readonly<Partial<Record<ClientPart, Expression>>>;
  readonly owner: { readonly url: Template; readonly extension: Expression } | undefined;
  readonly users: UsersQuestion | undefined;
  readonly testNumber: PhoneNumber;
}

/** An address with placeholders, of which none may decide to which server the key goes. */
export function urlTemplate(read: SettingsReader, field: string, names: readonly string[]): Template {
  const text = read.required(field);
  const template = compileTemplate(field, text, 'url', names);
  const sample = (value: string) => checkedUrl(field, template(Object.fromEntries(names.map((name) => [name, value]))));
  if (new URL(sample('1')).origin !== new URL(sample('2')).origin) {
    throw badSettings(field, {
      en: 'a placeholder may stand only after the name of the server.',
      ru: 'подстановки допустимы только после имени сервера.',
    });
  }
  return template;
}

function bodyTemplate(read: SettingsReader, type: (typeof BODY_TYPES)[number]): Template | undefined {
  if (type === 'none') return undefined;
  const template = compileTemplate('body', read.text('body'), type, [...NUMBER_NAMES, 'token']);
  const sample = { e164: '+1', digits: '1', national: '1', token: 'x', variants: ['+1', '1'] };
  if (type === 'json' && parseJson(template(sample)) === undefined) {
    throw badSettings('body', {
      en: 'filled in, it is no JSON. Put quotes around placeholders, but none around {{variants}}, which becomes a list.',
      ru: 'после подстановки это не JSON. Берите подстановки в кавычки; {{variants}} — без кавычек, она становится списком.',
    });
  }
  return template;
}

/** Headers that frame the message or choose the server: HTTP itself writes them. */
const RESERVED = /^(host|connection|content-length|transfer-encoding|upgrade|expect|te|trailer)$/i;

/** One header as HTTP can send it; throws `CRM_BAD_SETTINGS` naming the field. */
export function headerOf(field: string, name: string, value: string): Readonly<Record<string, string>> {
  // Header values are latin-1 at most and one line: what else is typed would be refused by HTTP with every request.
  const usable = /^[\w!#$%&'*+.^`|~-]+$/.test(name) && !RESERVED.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
  if (!usable) {
    throw badSettings(field, {
      en: `the header "${name.slice(0, 40)}" cannot be set, or its value has characters that HTTP does not allow.`,
      ru: `заголовок «${name.slice(0, 40)}» задать нельзя, или в его значении есть недопустимые в HTTP символы.`,
    });
  }
  return { [name]: value };
}

function authHeaders(read: SettingsReader): Readonly<Record<string, string>> {
  const auth = read.choice('auth', AUTHS, 'none');
  switch (auth) {
    case 'none':
    case 'placeholder':
      return {};
    case 'basic': {
      const pair = `${read.requiredSecret('user')}:${read.secret('password')}`;
      return { Authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` };
    }
    case 'bearer':
      return headerOf('token', 'Authorization', `Bearer ${read.requiredSecret('token').trim()}`);
    case 'header':
      return headerOf('authHeader', read.required('authHeader'), read.requiredSecret('token').trim());
  }
}

function testNumber(text: string): PhoneNumber {
  const parsed = parseNumber(text || TEST_NUMBER, { country: 'RU', isExtension: () => false });
  if (parsed.kind === 'phone' || parsed.kind === 'raw') return parsed;
  throw badSettings('testNumber', { en: 'this is no phone number.', ru: 'это не номер телефона.' });
}

/** Reads and checks everything at once: a mistake shows when the flow is deployed, not when somebody calls. */
export function describe(read: SettingsReader): Description {
  const method = read.choice('method', METHODS, 'GET');
  const bodyType = method === 'GET' ? 'none' : read.choice('bodyType', BODY_TYPES, 'json');
  const given = read.pairs('headers').map(([name, value]) => headerOf('headers', name, value));
  const required = (field: string) => compileExpression(field, read.required(field));
  const expression = (field: string) => (read.text(field) === '' ? undefined : required(field));
  const hasOwnContentType = given.some((header) => Object.keys(header).some((name) => /^content-type$/i.test(name)));
  const token = read.choice('auth', AUTHS, 'none') === 'placeholder' ? read.requiredSecret('token').trim() : '';
  return {
    method,
    url: urlTemplate(read, 'url', [...NUMBER_NAMES, 'token']),
    body: bodyTemplate(read, bodyType),
    headers: Object.assign({}, ...given, authHeaders(read)) as Readonly<Record<string, string>>,
    contentType: hasOwnContentType ? undefined : CONTENT_TYPES[bodyType],
    token,
    notFound404: read.flag('notFound404'),
    parts: Object.fromEntries(
      CLIENT_PARTS.map((part) => [part, expression(part)] as const).filter(([, one]) => one !== undefined),
    ),
    owner:
      read.text('ownerUrl') === ''
        ? undefined
        : {
            url: urlTemplate(read, 'ownerUrl', ['ownerId', ...NUMBER_NAMES, 'token']),
            extension: required('ownerExtension'),
          },
    users:
      read.text('usersUrl') === ''
        ? undefined
        : {
            url: urlTemplate(read, 'usersUrl', ['token'])({ token }),
            list: expression('usersList'),
            id: required('userId'),
            name: expression('userName'),
            extension: expression('userExtension'),
          },
    testNumber: testNumber(read.text('testNumber')),
  };
}
