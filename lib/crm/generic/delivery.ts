import { isDeliverableTopic } from '../../messages/parse';
import { DELIVERABLE_TOPICS } from '../../messages/deliverable';
import { badSettings, crmError } from '../errors';
import { deliveryId } from '../event-id';
import { compileExpression, type Expression } from '../expression';
import { statusError } from '../http-errors';
import { oneLine, optional, parseJson } from '../json';
import { SettingsReader } from '../settings';
import { compileTemplate, type Template } from '../template';
import type { CrmHttp, CrmRequest, CrmResponse, Delivered, DeliverableEvent, DeliveryContext } from '../types';
import { CONTENT_TYPES, headerOf, urlTemplate, type Description } from './description';
import { DELIVERY_METHODS } from './delivery-fields';
import { eventNames, eventValues, sampleValues } from './event-values';
import { first, isSomething } from './values';

const BODY_TYPES = ['json', 'form', 'raw', 'none'] as const;

/** Without a template, a JSON body tells everything. */
const WHOLE_EVENT = '{"topic":"{{topic}}","payload":{{payload}}}';

/** What a channel variable can bear. */
const MAX_VARIABLE = 1000;

/** What the admin described for events, read once. */
interface DeliveryPlan {
  readonly method: CrmRequest['method'];
  readonly url: Template;
  readonly body: Template | undefined;
  readonly bodies: ReadonlyMap<string, Template>;
  readonly headers: Readonly<Record<string, string>>;
  readonly success: Expression | undefined;
  readonly variables: readonly (readonly [string, Expression])[];
  /** All templates together: which channel variables they name. */
  readonly text: string;
}

/** Reads and checks the fields of `crm-webhook-out`; throws `CRM_BAD_SETTINGS`. */
export function deliveryPlan(settings: Readonly<Record<string, unknown>>): DeliveryPlan {
  const read = new SettingsReader(settings, {});
  const method = read.choice('deliverMethod', DELIVERY_METHODS, 'POST');
  const type = method === 'GET' ? 'none' : read.choice('deliverBodyType', BODY_TYPES, 'json');
  const general = read.text('deliverBody') || (type === 'json' ? WHOLE_EVENT : '');
  const special = type === 'none' ? [] : read.pairs('deliverBodies');
  const wrongTopic = special.map(([topic]) => topic).find((topic) => !isDeliverableTopic(topic));
  if (wrongTopic !== undefined) {
    throw badSettings('deliverBodies', {
      en: `there is no event "${wrongTopic.slice(0, 40)}"; there are ${DELIVERABLE_TOPICS.join(', ')}.`,
      ru: `события «${wrongTopic.slice(0, 40)}» нет; есть ${DELIVERABLE_TOPICS.join(', ')}.`,
    });
  }
  const given = read.pairs('deliverHeaders').map(([name, value]) => headerOf('deliverHeaders', name, value));
  const contentType = CONTENT_TYPES[type];
  const success = read.text('deliverSuccess');
  const url = read.required('deliverUrl');
  return {
    method,
    url: urlTemplate(read, 'deliverUrl', eventNames(url)),
    body: type === 'none' ? undefined : bodyTemplate('deliverBody', general, type),
    bodies: new Map(
      special.map(([topic, text]) => [topic, bodyTemplate('deliverBodies', text, type === 'none' ? 'raw' : type)]),
    ),
    headers: withoutTwins([...(contentType === undefined ? [] : [{ 'Content-Type': contentType }]), ...given]),
    success: success === '' ? undefined : compileExpression('deliverSuccess', success),
    variables: read.pairs('deliverVariables').map(([name, text]) => [variableName(name), variableValue(text)] as const),
    text: [url, general, ...special.map(([, text]) => text)].join('\n'),
  };
}

function bodyTemplate(field: string, text: string, type: 'json' | 'form' | 'raw'): Template {
  const template = compileTemplate(field, text, type, eventNames(text));
  if (type === 'json' && parseJson(template(sampleValues(text))) === undefined) {
    throw badSettings(field, {
      en: 'filled in, it is no JSON. Put quotes around texts, and none around numbers, lists and {{payload}}.',
      ru: 'после подстановки это не JSON. Тексты берите в кавычки; числа, списки и {{payload}} — без кавычек.',
    });
  }
  return template;
}

/** What a dialplan can read: `CALLERID(name)`, `QUEUE_PRIO`. */
function variableName(name: string): string {
  if (/^[A-Za-z_]\w{0,79}(\([\w-]{1,40}\))?$/.test(name)) return name;
  throw badSettings('deliverVariables', {
    en: `"${name.slice(0, 40)}" is no name of a channel variable.`,
    ru: `«${name.slice(0, 40)}» — не имя переменной канала.`,
  });
}

const variableValue = (text: string): Expression => compileExpression('deliverVariables', text);

/** One header of each name: the last counts, in any case of letters. */
function withoutTwins(headers: readonly Readonly<Record<string, string>>[]): Readonly<Record<string, string>> {
  const byName = new Map<string, readonly [string, string]>();
  for (const [name, value] of headers.flatMap((one) => Object.entries(one)))
    byName.set(name.toLowerCase(), [name, value]);
  return Object.fromEntries(byName.values());
}

/** Delivers events to a CRM that is described in dialogs without code. */
export class GenericDelivery {
  private readonly plans = new WeakMap<object, DeliveryPlan>();

  constructor(
    private readonly http: CrmHttp,
    private readonly crm: Description,
  ) {}

  async deliver(event: DeliverableEvent, context: DeliveryContext): Promise<Delivered> {
    const plan = this.planOf(context.settings);
    const values = { ...eventValues(event, context, plan.text), token: this.crm.token };
    const request: CrmRequest = {
      method: plan.method,
      url: plan.url(values),
      headers: withoutTwins([this.crm.headers, plan.headers, { 'Idempotency-Key': deliveryId(event) }]),
      ...optional('body', (plan.bodies.get(event.topic) ?? plan.body)?.(values)),
    };
    const response = await this.http.send(request, context);
    const answer = readAnswer(response);
    const known = { status: response.status, topic: event.topic };
    if (plan.success !== undefined && !isSomething(await plan.success.evaluate(answer, known))) {
      throw this.refused(request, response);
    }
    const variables: Record<string, string> = {};
    for (const [name, expression] of plan.variables) {
      context.signal.throwIfAborted();
      const value = first(await expression.evaluate(answer, known));
      if (value !== undefined) variables[name] = oneLine(value, MAX_VARIABLE);
    }
    return { status: 'delivered', answer, ...(Object.keys(variables).length === 0 ? {} : { variables }) };
  }

  private planOf(settings: DeliveryContext['settings']): DeliveryPlan {
    const known = this.plans.get(settings);
    if (known !== undefined) return known;
    const plan = deliveryPlan(settings);
    this.plans.set(settings, plan);
    return plan;
  }

  /** The CRM's own words say why, as they do with a status that is an error; never the key. */
  private refused(request: CrmRequest, response: CrmResponse): Error {
    const { params } = statusError(request, { ...response, status: 400 }, 0, [this.crm.token]);
    return crmError('CRM_REFUSED', { ...params, status: response.status });
  }
}

/** JSON; else `a=b&c=d`, as call centres answer, as an object; else the text. */
function readAnswer({ text }: CrmResponse): unknown {
  const json = parseJson(text);
  if (json !== undefined) return json;
  const isForm = text.length < 10_000 && /^\s*[^=&<\s]+=[^&]*(&[^=&]+=[^&]*)*$/.test(text);
  return isForm ? Object.fromEntries(new URLSearchParams(text.trim())) : oneLine(text, 1000);
}
