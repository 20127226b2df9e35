import { randomUUID } from 'node:crypto';
import { TelephonyError, type Text } from '../../errors';
import { numberingPlan } from '../../phone';
import type { NumberingPlan } from '../../phone/types';
import { recordingLink, SKIPPED } from '../call-record';
import { badAnswer, badSettings, crmError } from '../errors';
import { deliveryId } from '../event-id';
import { asObject, isObject, oneLine, optional, parseJson, scalar, type JsonObject } from '../json';
import { SettingsReader } from '../settings';
import type { AgentStatusRow } from '../../messages/usercrm-agent';
import { userCrmMessage, written, type EventPlan, type UserCrmEvent } from '../usercrm/events';
import { usercrmDeliveryFields } from '../usercrm/fields';
import { agentStatuses, agentStatusesField } from '../usercrm/statuses';
import type {
  CallContext,
  CrmAdapter,
  CrmAnswer,
  CrmEntity,
  CrmHttp,
  CrmKind,
  CrmUser,
  Delivered,
  DeliveryContext,
  PhoneNumber,
} from '../types';

/**
 * The reply's array: under `list` in the document's answer to `get_contact`, under `body` in that to `get_users`.
 * PHP writes a list with gaps as an object, and "nothing" as null, false or an empty text.
 */
function listIn(reply: JsonObject): unknown[] | undefined {
  const places = [reply.list, asObject(reply.body).list, reply.body];
  for (const place of places) {
    if (Array.isArray(place)) return place as unknown[];
    if (!isObject(place)) continue;
    if ('id' in place || 'name' in place) return [place];
    const values = Object.values(place);
    if (values.every((value) => isObject(value))) return values;
  }
  const isEmpty = (value: unknown) => value === undefined || value === null || value === false || value === '';
  const namesNothing = 'list' in reply || 'body' in reply || 'code' in reply;
  return namesNothing && isEmpty(reply.list) && isEmpty(reply.body) ? [] : undefined;
}

function itemsIn(reply: JsonObject): JsonObject[] {
  const list = listIn(reply);
  const items = list?.filter((item) => isObject(item));
  if (list === undefined || items === undefined || (list.length > 0 && items.length === 0)) {
    throw badAnswer({
      en: 'it has neither "list" nor "body" with a list of objects.',
      ru: 'в нём нет ни «list», ни «body» со списком объектов.',
    });
  }
  return items;
}

const isNumber = (text: string | undefined): boolean => text !== undefined && /^\d+$/.test(text);

/** The company of a contact; the document's own sample has its id and its name exchanged. */
function companyOf(item: JsonObject): CrmEntity | undefined {
  const [id, name] = [scalar(item.company_id), scalar(item.company_name)];
  const [realId, realName] = !isNumber(id) && isNumber(name) ? [name, id] : [id, name];
  return realId === undefined ? undefined : { type: 'company', id: realId, ...optional('name', realName) };
}

/** SQL's way to say "nobody" is 0. */
function ownerOf(item: JsonObject): string | undefined {
  const id = scalar(item.owner_id);
  return id === '0' ? undefined : id;
}

interface Item {
  readonly entity: CrmEntity;
  readonly company: CrmEntity | undefined;
}

function itemOf(item: JsonObject): Item {
  const entity = {
    type: scalar(item.type)?.toLowerCase() ?? 'contact',
    id: scalar(item.id) ?? '',
    ...optional('name', scalar(item.name)),
    ...optional('ownerId', ownerOf(item)),
  };
  return { entity, company: companyOf(item) };
}

/** More of what one number brings is a mistake of the CRM; the work below grows with the square. */
const MAX_ITEMS = 50;

/** A person before a company: the person is who calls. */
const rank = ({ entity }: Item): number => (entity.type === 'contact' ? 0 : entity.type === 'company' ? 2 : 1);

/**
 * What a parsed reply to `get_contact` says.
 *
 * @internal Exported for tests with replies of every shape.
 */
export function contactIn(reply: JsonObject): CrmAnswer {
  const items = itemsIn(reply)
    .slice(0, MAX_ITEMS)
    .map(itemOf)
    .sort((a, b) => rank(a) - rank(b));
  if (items.length === 0) return { found: false };

  const entities = items.map(({ entity }) => entity);
  for (const { company } of items) {
    const listed = company === undefined || entities.some(({ type, id }) => type === 'company' && id === company.id);
    if (!listed) entities.push(company);
  }
  const ownerId = entities.find((entity) => entity.ownerId !== undefined)?.ownerId;
  return {
    found: true,
    name: entities.find((entity) => entity.name !== undefined)?.name ?? '',
    entities,
    ...(ownerId === undefined ? {} : { owner: { id: ownerId, idMayBeExtension: true } }),
  };
}

function userOf(item: JsonObject): CrmUser | undefined {
  const id = scalar(item.id);
  return id === undefined ? undefined : { id, name: scalar(item.name) ?? id };
}

class UserCrm implements CrmAdapter {
  constructor(
    private readonly http: CrmHttp,
    private readonly webhook: string,
    private readonly apiKey: string,
    private readonly statuses: readonly AgentStatusRow[],
  ) {}

  /** `test` is answered without looking at the key, so the users are asked for too; a CRM without them is still usable. */
  async test(context: CallContext): Promise<Text | undefined> {
    const reply = await this.ask('test', {}, context);
    if (asObject(reply.body).success === false) {
      throw badAnswer({ en: 'the test says success: false.', ru: 'на проверку он ответил success: false.' });
    }
    try {
      const { length } = await this.listUsers(context);
      return { en: `users: ${length}`, ru: `пользователей: ${length}` };
    } catch (thrown) {
      if (thrown instanceof TelephonyError && thrown.code === 'CRM_REFUSED') return undefined;
      throw thrown;
    }
  }

  async listUsers(context: CallContext): Promise<CrmUser[]> {
    const items = itemsIn(await this.ask('get_users', {}, context));
    return items.map(userOf).filter((user) => user !== undefined);
  }

  async findByPhone(phone: PhoneNumber, context: CallContext): Promise<CrmAnswer> {
    const [national, digits] =
      phone.kind === 'phone' ? [phone.national, phone.e164.slice(1)] : [phone.digits, phone.digits];
    return contactIn(await this.ask('get_contact', { phone: national, e164_phone: digits }, context));
  }

  /** The CRM tells a repetition by `action_id`, by the header, or by `uniqueid` of a record: all are the same in each try. */
  async deliver(event: UserCrmEvent, context: DeliveryContext): Promise<Delivered> {
    const message = userCrmMessage(event, { ...eventPlan(event, context), statuses: this.statuses });
    if (message === undefined) return SKIPPED;
    const headers = { ...this.headers, 'Idempotency-Key': deliveryId(event) };
    const request = { method: 'POST', url: this.webhook, headers, body: written(message) } as const;
    const { text } = await this.http.send(request, context);
    const reply = replyIn(text);
    if (isObject(reply) && scalar(reply.code) !== undefined) this.checked(reply);
    return { status: 'delivered', answer: reply };
  }

  private get headers() {
    return { 'Content-Type': 'application/json', Authorization: `Bearer ${this.apiKey}` };
  }

  private async ask(action: string, params: JsonObject, context: CallContext): Promise<JsonObject> {
    const reply = await this.http.json(
      {
        method: 'POST',
        url: this.webhook,
        headers: this.headers,
        body: JSON.stringify({ action, obj: 'UserCRM', action_id: randomUUID(), params }),
      },
      context,
    );
    // The list alone, without its envelope, says as much.
    if (Array.isArray(reply)) return { list: reply };
    if (!isObject(reply)) throw badAnswer({ en: 'it is no JSON object.', ru: 'это не объект JSON.' });
    return this.checked(reply);
  }

  /** The reply, when its envelope says that all is well. */
  private checked(reply: JsonObject): JsonObject {
    const code = Number(reply.code ?? 200);
    if (code === 200) return reply;
    throw this.envelopeError(code, reply);
  }

  /** The error that the envelope's own `code` stands for; the HTTP status was 200. */
  private envelopeError(code: number, reply: JsonObject): TelephonyError {
    const params = { host: new URL(this.webhook).host, status: code };
    if (code === 401 || code === 403) return crmError('CRM_UNAUTHORIZED', params);
    if (code === 429) return crmError('CRM_LIMITED', { ...params, retryAfterMs: 1000 });
    if (code >= 500 && code < 600) return crmError('CRM_SERVER_ERROR', params);
    if (Number.isNaN(code)) return badAnswer({ en: 'its "code" is no number.', ru: 'его «code» — не число.' });
    const words = [reply.message, reply.error, reply.body].map(scalar).find((text) => text !== undefined) ?? '—';
    return crmError('CRM_REFUSED', { ...params, words: oneLine(words.replaceAll(this.apiKey, '…'), 200) });
  }
}

/** The document shows no reply to an event: the flow gets any JSON whole, of anything else the beginning. */
function replyIn(text: string): unknown {
  const reply = parseJson(text);
  return reply === undefined ? oneLine(text, 200) : reply;
}

/** The country by which own numbers are read. */
function ownNumbers(read: SettingsReader): NumberingPlan {
  try {
    return numberingPlan({ country: read.text('country') || 'RU' });
  } catch {
    throw badSettings('country', {
      en: 'this is no country: write its two letters, for instance RU.',
      ru: 'это не страна: напишите её две буквы, например RU.',
    });
  }
}

function eventPlan(event: UserCrmEvent, context: DeliveryContext): Omit<EventPlan, 'statuses'> {
  const read = new SettingsReader(context.settings, {});
  const recording = 'recording' in event.payload ? event.payload.recording : undefined;
  return {
    userOf: (extension) => context.userOf(extension)?.userId,
    numbers: ownNumbers(read),
    internal: read.flag('internal'),
    unmapped: read.flag('unmapped'),
    ...optional('recordingLink', recordingLink(recording, context)),
  };
}

/**
 * Any CRM that speaks the UserCRM protocol of Runtel. `owner_id` of its answer is "the number of the subscriber or the id
 * of the user in the CRM", and nothing tells which: the table of users decides, then the numbering plan.
 */
export const usercrm: CrmKind = {
  id: 'usercrm',
  title: { en: 'UserCRM (your own CRM)', ru: 'UserCRM (своя CRM)' },
  fields: [
    {
      name: 'url',
      type: 'url',
      required: true,
      label: { en: 'Webhook URL', ru: 'Адрес вебхука' },
      help: {
        en: 'The address at which your CRM accepts the actions test, get_users and get_contact, and the events.',
        ru: 'Адрес, по которому ваша CRM принимает действия test, get_users и get_contact, а также события.',
      },
      placeholder: 'https://crm.example.com/usercrm',
    },
    {
      name: 'token',
      type: 'secret',
      required: true,
      label: { en: 'API key', ru: 'API-ключ' },
      help: {
        en: 'Key of your CRM, sent as "Authorization: Bearer …" with every request.',
        ru: 'Ключ вашей CRM, отправляется в каждом запросе как «Authorization: Bearer …».',
      },
    },
    agentStatusesField,
  ],
  deliveryFields: usercrmDeliveryFields,
  topics: [
    { topic: 'call_ringing', byDefault: true },
    { topic: 'call_answer', byDefault: true },
    { topic: 'call_held', byDefault: true },
    { topic: 'call_active', byDefault: true },
    { topic: 'call_hangup', byDefault: true },
    { topic: 'call_record', byDefault: true },
    { topic: 'user_change', byDefault: true },
    { topic: 'agent_change', byDefault: true },
  ],
  // The protocol names no limit: enough for a busy switchboard, and no flood for a script on a small server.
  limits: { perSecond: 10, burst: 20 },
  checkDelivery(settings) {
    ownNumbers(new SettingsReader(settings, {}));
  },
  create(settings, secrets, http) {
    const read = new SettingsReader(settings, secrets);
    const [url, token] = [read.url('url'), read.requiredSecret('token').trim()];
    return new UserCrm(http, url, token, agentStatuses(settings));
  },
};
