import { CALLER_NAME, isSettableValue, isSettableVariable } from '../../channel-variables';
import type { Text } from '../../errors';
import { isQueueMessage } from '../../messages/deliverable';
import { line24Variables } from '../../messages/line24';
import { QUEUE_TOPICS, type QueueMessage } from '../../messages/queues';
import { badSettings } from '../errors';
import { deliveryId } from '../event-id';
import { oneLine, optional } from '../json';
import { checkedUrl, SettingsReader } from '../settings';
import { compileTemplate, numberValues, type Template } from '../template';
import type {
  CallContext,
  CrmAdapter,
  CrmAnswer,
  CrmField,
  CrmHttp,
  CrmKind,
  CrmRequest,
  CrmUser,
  Delivered,
  DeliverableEvent,
  DeliveryContext,
  PhoneNumber,
} from '../types';

const METHODS = ['GET', 'POST'] as const;
type Method = (typeof METHODS)[number];

/** An answer that is longer says nothing to a call. */
const MAX_ANSWER = 16 * 1024;
const MAX_PARTS = 100;
const MAX_ALLOWED = 32;
/** What the document lets a script answer with (2.10, 3.2). */
const USUAL_VARIABLES = [CALLER_NAME, 'QUEUE_PRIO', 'call_info', 'agent_info'];

const EMPTY_CALL: QueueMessage = {
  topic: 'queue-dial',
  payload: { eventId: '', pbx: '', callId: '', at: '', direction: 'in' },
};
/** Every variable that a template may name. */
const NAMES = [...new Set([...Object.keys(line24Variables(EMPTY_CALL)), 'change'])];

type Values = Readonly<Record<string, string>>;

/** One script: the address, and what of the variables goes into it or, by POST, into the body. */
interface Script {
  readonly url: Template;
  /** Of POST: the query of the address as a form; without one all variables are sent. */
  readonly form: Template | undefined;
}

/** Reads an address such as `https://host/client.php?aon=%callerid%`. Throws `CRM_BAD_SETTINGS`. */
function scriptOf(field: string, text: string, method: Method): Script {
  const unknown = [...text.matchAll(/%([a-z]+(?:_[a-z]+)*)%/g)].find(([, name = '']) => !isKnown(name));
  if (unknown) {
    const known = NAMES.map((name) => `%${name}%`).join(', ');
    throw badSettings(field, {
      en: `there is no variable ${unknown[0].slice(0, 40)}; there are ${known}.`,
      ru: `переменной ${unknown[0].slice(0, 40)} нет; есть ${known}.`,
    });
  }
  const filled = text.replace(/%([a-z]+(?:_[a-z]+)*)%/g, (whole, name: string) =>
    NAMES.includes(name) ? `{{${name}}}` : whole,
  );
  // A variable may stand anywhere but in the name of the server.
  checkedUrl(field, filled.replace(/\{\{\w+\}\}/g, 'x'));
  if (/^https?:\/\/[^/?#]*\{\{/i.test(filled)) {
    throw badSettings(field, {
      en: 'the name of the server must not hold a variable.',
      ru: 'имя сервера не должно содержать переменных.',
    });
  }
  const [address = '', query] = filled.replace(/#.*$/s, '').split(/\?(.*)/s);
  if (method === 'GET') return { url: compileTemplate(field, filled, 'url', NAMES), form: undefined };
  return {
    url: compileTemplate(field, address, 'url', NAMES),
    form: query ? compileTemplate(field, query, 'form', NAMES) : undefined,
  };
}

/** `%ab%c3` holds two bytes, and no variable. */
const isKnown = (name: string): boolean => NAMES.includes(name) || /^[a-f]{2}$/.test(name);

/** What of an answer `a=1&b=2` may be set, and what of it may not. */
interface ReadAnswer {
  readonly variables: Values;
  /** Allowed by their names, but too long, or of several lines. */
  readonly refused: readonly string[];
}

/**
 * The document shows the answer as plain text. What is all of the characters of a URL is decoded as a form; anything else, a name in
 * Cyrillic or with spaces, is taken as it stands, in which a + is a plus.
 */
function readAnswer(text: string, allowed: readonly string[]): ReadAnswer {
  const variables: Record<string, string> = {};
  const refused: string[] = [];
  if (text.length > MAX_ANSWER) return { variables, refused: allowed };
  const line = text.trim();
  const isEncoded = /^[!-~]*$/.test(line);
  for (const part of line.split('&').slice(0, MAX_PARTS)) {
    const at = part.indexOf('=');
    const [name, value] = [part.slice(0, at), part.slice(at + 1)].map((one) => (isEncoded ? decoded(one) : one.trim()));
    const own = allowed.find((one) => one === name);
    if (at < 1 || own === undefined || value === undefined) continue;
    if (isSettableValue(value)) variables[own] = value;
    else refused.push(own);
  }
  return { variables, refused };
}

function decoded(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced).trim();
  } catch {
    return spaced.trim();
  }
}

/** The choices of `crm-webhook-out`, read once. */
interface Choices {
  readonly waits: boolean;
  readonly allowed: readonly string[];
}

function readChoices(settings: Readonly<Record<string, unknown>>): Choices {
  const read = new SettingsReader(settings, {});
  return { waits: read.flag('waitForAnswer', true), allowed: allowedIn(read, 'variables') };
}

function allowedIn(read: SettingsReader, field: string): readonly string[] {
  const given = read
    .text(field)
    .split(/[\s,;]+/)
    .filter((name) => name !== '');
  const wrong = given.find((name) => !isSettableVariable(name));
  if (wrong !== undefined || given.length > MAX_ALLOWED) {
    throw badSettings(field, {
      en: `"${(wrong ?? '').slice(0, 40)}": write at most ${MAX_ALLOWED} names of letters, digits and _, or ${CALLER_NAME}; none of this pack's own (TCRM_…).`,
      ru: `«${(wrong ?? '').slice(0, 40)}»: впишите не больше ${MAX_ALLOWED} имён из латинских букв, цифр и _ или ${CALLER_NAME}; кроме своих имён пакета (TCRM_…).`,
    });
  }
  return given.length === 0 ? USUAL_VARIABLES : given;
}

class Line24 implements CrmAdapter {
  private readonly choices = new WeakMap<object, Choices>();

  constructor(
    private readonly http: CrmHttp,
    private readonly method: Method,
    private readonly usual: Script | undefined,
    private readonly own: ReadonlyMap<string, Script>,
    private readonly lookup: Script | undefined,
    private readonly allowed: readonly string[],
    private readonly token: string,
  ) {}

  async test(context: CallContext): Promise<Text> {
    const script = this.lookup ?? this.usual;
    if (script) await this.ask(script, { ...line24Variables(EMPTY_CALL), event: 'test' }, context);
    return { en: 'the script answers', ru: 'скрипт отвечает' };
  }

  listUsers(): Promise<CrmUser[]> {
    return Promise.resolve([]);
  }

  /** Before the caller is queued: what the script says of him. */
  async findByPhone(phone: PhoneNumber, context: CallContext): Promise<CrmAnswer> {
    if (!this.lookup) return { found: false };
    const { digits } = numberValues(phone);
    const values = {
      ...line24Variables(EMPTY_CALL),
      callerid: typeof digits === 'string' ? digits : '',
      event: 'lookup',
    };
    const { variables } = readAnswer(await this.ask(this.lookup, values, context), this.allowed);
    if (Object.keys(variables).length === 0) return { found: false };
    return { found: true, name: variables[CALLER_NAME] ?? '', entities: [], variables };
  }

  async deliver(event: DeliverableEvent, context: DeliveryContext): Promise<Delivered> {
    const script = this.own.get(event.topic) ?? this.usual;
    if (!script || !isQueueMessage(event)) return { status: 'skipped' };
    const { waits, allowed } = this.choicesOf(context.settings);
    const text = await this.ask(script, line24Variables(event), context, deliveryId(event));
    const answer = oneLine(text, 1000);
    if (!waits) return { status: 'delivered', answer };
    const { variables, refused } = readAnswer(text, allowed);
    return {
      status: 'delivered',
      answer: refused.length === 0 ? answer : { text: answer, refused },
      ...(Object.keys(variables).length === 0 ? {} : { variables }),
    };
  }

  private async ask({ url, form }: Script, values: Values, context: CallContext, id?: string): Promise<string> {
    const isPost = this.method === 'POST';
    const known = Object.entries(values).filter(([, value]) => value !== '');
    const body = isPost ? (form?.(values) ?? new URLSearchParams(known).toString()) : undefined;
    const request: CrmRequest = {
      method: this.method,
      url: url(values),
      headers: {
        ...(isPost ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}),
        ...(this.token === '' ? {} : { Authorization: `Bearer ${this.token}` }),
        ...(id === undefined ? {} : { 'Idempotency-Key': id }),
      },
      ...optional('body', body),
      // An event was told once its script has run, whatever that says; a question is none without its answer.
      ...(id === undefined ? {} : { mayBeCut: true }),
    };
    return (await this.http.send(request, context)).text;
  }

  private choicesOf(settings: DeliveryContext['settings']): Choices {
    const known = this.choices.get(settings) ?? readChoices(settings);
    this.choices.set(settings, known);
    return known;
  }
}

const same = (text: string): Text => ({ en: text, ru: text });

const variablesField = (name: string, label: Text): CrmField => ({
  name,
  type: 'text',
  label,
  help: {
    en: 'Only these are taken from an answer like a=1&b=2; values of one line, at most 200 characters.',
    ru: 'Только они берутся из ответа вида a=1&b=2; значения в одну строку, не длиннее 200 символов.',
  },
  default: USUAL_VARIABLES.join(', '),
});

const fields: readonly CrmField[] = [
  {
    name: 'url',
    type: 'text',
    label: { en: 'Script', ru: 'Скрипт' },
    help: {
      en: `For all events. Variables: ${NAMES.map((name) => `%${name}%`).join(' ')}.`,
      ru: `Для всех событий. Переменные: ${NAMES.map((name) => `%${name}%`).join(' ')}.`,
    },
    placeholder: 'https://crm.example.com/calls.php?event=%event%&aon=%callerid%&queue=%queue_id%',
  },
  {
    name: 'method',
    type: 'choice',
    label: { en: 'Method', ru: 'Метод' },
    help: {
      en: 'By POST the part of the address after ? is sent as a form; without it, all variables that have a value.',
      ru: 'Методом POST часть адреса после ? уходит формой; если её нет — все переменные, у которых есть значение.',
    },
    default: 'GET',
    choices: METHODS.map((value) => ({ value, label: same(value) })),
  },
  {
    name: 'scripts',
    type: 'pairs',
    label: { en: 'Scripts of single events', ru: 'Скрипты отдельных событий' },
    help: {
      en: `Left: the event (${QUEUE_TOPICS.join(', ')}). Right: the address.`,
      ru: `Слева — событие (${QUEUE_TOPICS.join(', ')}), справа — адрес.`,
    },
  },
  {
    name: 'lookup',
    type: 'text',
    label: { en: 'Before a queue', ru: 'До очереди' },
    help: {
      en: 'A script that crm-lookup asks with %callerid%. Its answer (CALLERID(name)=…&QUEUE_PRIO=…) reaches the call before it is queued, if the dialplan asks over AsyncAGI.',
      ru: 'Скрипт, который спрашивает crm-lookup, с %callerid%. Ответ (CALLERID(name)=…&QUEUE_PRIO=…) попадает в звонок до очереди, если диалплан спрашивает по AsyncAGI.',
    },
    placeholder: 'https://crm.example.com/client.php?aon=%callerid%',
  },
  variablesField('lookupVariables', { en: 'Variables', ru: 'Переменные' }),
  {
    name: 'token',
    type: 'secret',
    label: { en: 'Key', ru: 'Ключ' },
    help: { en: 'Sent as Authorization: Bearer.', ru: 'Отправляется как Authorization: Bearer.' },
  },
];

/** Scripts of one's own, called with the events and variables of the call centre «Линия24». */
export const line24: CrmKind = {
  id: 'line24',
  title: { en: 'Scripts as in Линия24', ru: 'Скрипты, как в «Линия24»' },
  fields,
  deliveryFields: [
    {
      name: 'waitForAnswer',
      type: 'flag',
      label: { en: 'Take answer', ru: 'Брать ответ' },
      help: {
        en: 'What the script answers is in msg.variables of output 1, for call-control to set.',
        ru: 'Что ответит скрипт, будет в msg.variables выхода 1: запишите его в звонок узлом call-control.',
      },
      default: true,
    },
    variablesField('variables', { en: 'Variables', ru: 'Переменные' }),
  ],
  topics: QUEUE_TOPICS.map((topic) => ({ topic, byDefault: topic !== 'agent_change' })),
  limits: { perSecond: 20, burst: 40 },
  checkDelivery: (settings) => void readChoices(settings),
  create(settings, secrets, http) {
    const read = new SettingsReader(settings, secrets);
    const method = read.choice('method', METHODS, 'GET');
    const scriptIn = (field: string): Script | undefined => {
      const text = read.text(field);
      return text === '' ? undefined : scriptOf(field, text, method);
    };
    const pairs = read.pairs('scripts');
    const wrong = pairs.map(([topic]) => topic).find((topic) => !(QUEUE_TOPICS as readonly string[]).includes(topic));
    if (wrong !== undefined) {
      throw badSettings('scripts', {
        en: `there is no event "${wrong.slice(0, 40)}"; there are ${QUEUE_TOPICS.join(', ')}.`,
        ru: `события «${wrong.slice(0, 40)}» нет; есть ${QUEUE_TOPICS.join(', ')}.`,
      });
    }
    const own = new Map(pairs.map(([topic, text]) => [topic, scriptOf('scripts', text, method)] as const));
    const [usual, lookup] = [scriptIn('url'), scriptIn('lookup')];
    if (!usual && !lookup && own.size === 0) read.required('url');
    return new Line24(http, method, usual, own, lookup, allowedIn(read, 'lookupVariables'), read.secret('token'));
  },
};
