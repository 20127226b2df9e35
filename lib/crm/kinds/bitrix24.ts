import { TelephonyError, type Text } from '../../errors';
import { CLICK_VARIABLE, isClickId } from '../../messages/bitrix24-click';
import type { CallPayload, RecordPayload } from '../../messages/types';
import { BitrixActivities } from '../bitrix24/activities';
import { BitrixApi, isNotAllowed } from '../bitrix24/api';
import { applicationEntrance } from '../bitrix24/application';
import { BitrixCards } from '../bitrix24/cards';
import { bitrixDeliveryFields, readChoices, type Choices } from '../bitrix24/choices';
import { BitrixClients } from '../bitrix24/clients';
import { portalTime, typeOf } from '../bitrix24/codes';
import { webhookEntrance, type Entrance } from '../bitrix24/entrance';
import { BitrixQueue } from '../bitrix24/offline-events';
import { internalParties, peopleOf, personOf } from '../bitrix24/people';
import { BitrixRecords } from '../bitrix24/records';
import { Registrations, type CallFacts } from '../bitrix24/registrations';
import { bitrixUsers } from '../bitrix24/users';
import { SKIPPED } from '../call-record';
import { asObject, optional } from '../json';
import { clientText, hasDigits } from '../numbers';
import { checkedUrl, SettingsReader } from '../settings';
import type {
  CallContext,
  ClientWish,
  CrmAdapter,
  CrmAnswer,
  CrmEntity,
  CrmHttp,
  CrmKind,
  CrmUser,
  PbxEvent,
  Delivered,
  DeliveryContext,
  PhoneNumber,
  SignIn,
} from '../types';

/** What each right is for, so that its lack can be explained. */
const RIGHTS: readonly { readonly names: readonly string[]; readonly without: Text }[] = [
  {
    names: ['crm'],
    without: { en: 'no right "CRM": no clients', ru: 'нет права «CRM»: клиентов не найти' },
  },
  {
    names: ['user', 'user_brief', 'user_basic'],
    without: { en: 'no right "Users": no list of users', ru: 'нет права «Пользователи»: нет списка пользователей' },
  },
  {
    names: ['telephony'],
    without: {
      en: 'no right "Telephony": calls become activities, without cards and recordings',
      ru: 'нет права «Телефония»: звонки станут делами, без карточек и записей',
    },
  },
];

class Bitrix24 implements CrmAdapter {
  private readonly api: BitrixApi;
  private readonly clients: BitrixClients;
  private readonly registrations: Registrations;
  private readonly cards: BitrixCards;
  private readonly records: BitrixRecords;
  readonly orders: BitrixQueue | undefined;

  constructor(
    http: CrmHttp,
    entrance: Entrance,
    readonly signIn: SignIn | undefined,
  ) {
    this.api = new BitrixApi(http, entrance);
    // The portal keeps them for applications only.
    this.orders = signIn && new BitrixQueue(this.api);
    this.clients = new BitrixClients(this.api);
    const registrations = new Registrations(this.api);
    this.registrations = registrations;
    this.cards = new BitrixCards(this.api, registrations);
    const activities = new BitrixActivities(this.api, this.clients);
    this.records = new BitrixRecords(this.api, registrations, this.cards, activities);
  }

  /** Proves the way in and tells what this account may not do. Changes nothing in the portal. */
  async test(context: CallContext): Promise<Text> {
    const scopes = Object.values((await this.api.call('scope', {}, context)) ?? {});
    const profile = asObject(await this.api.call('profile', {}, context));
    const has = (names: readonly string[]) => names.some((name) => scopes.includes(name));
    const problems = RIGHTS.filter(({ names }) => !has(names)).map(({ without }) => without);
    if (has(['telephony']) && !(await this.mayRegister(profile.ID, context))) {
      problems.push({
        en: 'this portal lets applications only register calls: they become activities, unless you sign in as a local application',
        ru: 'этот портал разрешает регистрировать звонки только приложениям: они станут делами, если не войти как локальное приложение',
      });
    }
    if (profile.ADMIN === false) {
      problems.push({
        en: 'this is not the access of an administrator: clients that the user may not see are not found',
        ru: 'это доступ не администратора: клиенты, недоступные этому пользователю, не найдутся',
      });
    }
    const users = has(['user', 'user_brief', 'user_basic']) ? (await this.listUsers(context)).length : 0;
    return {
      en: [`users: ${users}`, ...problems.map(({ en }) => en)].join('; '),
      ru: [`пользователей: ${users}`, ...problems.map(({ ru }) => ru)].join('; '),
    };
  }

  listUsers(context: CallContext): Promise<CrmUser[]> {
    return bitrixUsers(this.api, context);
  }

  findByPhone(phone: PhoneNumber, context: CallContext): Promise<CrmAnswer> {
    return this.clients.find(phone, context);
  }

  createClient(phone: PhoneNumber, wish: ClientWish, context: CallContext): Promise<CrmEntity> {
    return this.clients.create(phone, wish, context);
  }

  /**
   * One call is one registration and one end, whatever is lost on the way; see {@link Registrations} and {@link BitrixRecords}. What is
   * left: a registration whose answer was lost and that is repeated more than 30 minutes after the call began stays without an end, and is
   * counted nowhere.
   */
  async deliver(event: PbxEvent, context: DeliveryContext): Promise<Delivered> {
    if (event.topic === 'user_change' || event.topic === 'call_held' || event.topic === 'call_active') return SKIPPED;
    const choices = readChoices(context.settings);
    await this.adopt(event.payload, context);
    if (event.topic === 'call_record') {
      const { payload } = event;
      if (payload.direction === 'internal') return this.internalCall(payload, choices, context);
      const facts = factsOf(payload, clientText(payload.client), choices);
      const people = peopleOf(payload, choices, context);
      return facts === undefined ? SKIPPED : this.records.write(payload, facts, people, choices, context);
    }
    const { topic, payload } = event;
    const facts = factsOf(payload, clientText(payload.client), choices);
    if (facts === undefined || payload.direction === 'internal') return SKIPPED;
    return this.cards.tell(topic, payload, facts, choices, context);
  }

  /** A click in Bitrix24 comes with a call that is registered already: the channel carries its CALL_ID. */
  private async adopt({ direction, extension, variables }: CallPayload, context: DeliveryContext): Promise<void> {
    const id = variables?.[CLICK_VARIABLE];
    if (direction !== 'out' || extension === undefined || id === undefined || !isClickId(id)) return;
    const call = { id, person: personOf(extension, context) };
    if (await this.registrations.adopt(call, context)) await this.cards.opened(call, context);
  }

  /** Bitrix24 knows a number that is a user's extension for an internal one. It is the call of who called. */
  private async internalCall(payload: RecordPayload, choices: Choices, context: DeliveryContext): Promise<Delivered> {
    const parties = internalParties(payload);
    if (!choices.internal || parties === undefined) return SKIPPED;
    const facts = factsOf(payload, parties.called, choices);
    if (facts === undefined) return SKIPPED;
    const people = peopleOf({ extension: parties.caller, talked: [], rung: [] }, choices, context);
    return this.records.write(payload, facts, people, choices, context);
  }

  /** A call that does not exist is refused as such to those who may finish calls. */
  private async mayRegister(userId: unknown, context: CallContext): Promise<boolean> {
    try {
      const params = { CALL_ID: 'externalCall.test', USER_ID: Number(userId) };
      await this.api.call('telephony.externalCall.finish', params, context);
    } catch (thrown) {
      if (isNotAllowed(thrown)) return false;
      if (!(thrown instanceof TelephonyError && thrown.code === 'CRM_REFUSED')) throw thrown;
    }
    return true;
  }
}

/** `undefined`: a withheld number, by which Bitrix24 takes no call. */
function factsOf(payload: CallPayload, number: string | undefined, { line }: Choices): CallFacts | undefined {
  if (!hasDigits(number)) return undefined;
  const own = payload.line?.number ?? line;
  return {
    PHONE_NUMBER: number,
    TYPE: typeOf(payload),
    CALL_START_DATE: portalTime(payload.startedAt),
    EXTERNAL_CALL_ID: payload.callId,
    ...optional('LINE_NUMBER', own === '' ? undefined : own),
  };
}

const byApplication = { field: 'signIn', in: ['application'] };
const SIGN_IN_SERVER = 'https://oauth.bitrix24.tech';

/**
 * Bitrix24 in the cloud or on your own server, through an inbound webhook or as a local application. Shapes and codes are those of the official documentation,
 * the life of a call is that of the public sources of the telephony module; empty answers and codes in other places are accepted.
 */
export const bitrix24: CrmKind = {
  id: 'bitrix24',
  title: { en: 'Bitrix24', ru: 'Битрикс24' },
  fields: [
    {
      name: 'signIn',
      type: 'choice',
      label: { en: 'Access', ru: 'Доступ' },
      default: 'webhook',
      choices: [
        { value: 'webhook', label: { en: 'Inbound webhook', ru: 'Входящий вебхук' } },
        { value: 'application', label: { en: 'Local application', ru: 'Локальное приложение' } },
      ],
      help: {
        en: 'A webhook is enough for everything but clicks on numbers behind NAT: Bitrix24 keeps those for applications only.',
        ru: 'Вебхука хватает для всего, кроме щелчков по номерам за NAT: их Битрикс24 хранит только для приложений.',
      },
    },
    {
      name: 'url',
      type: 'url',
      required: true,
      label: { en: 'Portal', ru: 'Портал' },
      placeholder: 'https://company.bitrix24.ru',
      when: byApplication,
    },
    {
      name: 'user',
      type: 'secret',
      required: true,
      label: { en: 'client_id', ru: 'client_id' },
      when: byApplication,
      help: {
        en: 'Applications → Developer resources → Other → Local application, "Uses API only". Rights: CRM (crm), Users (user), Telephony (telephony). The portal shows this code and the key after saving.',
        ru: 'Приложения → Разработчикам → Другое → Локальное приложение, «Использует только API». Права: CRM (crm), Пользователи (user), Телефония (telephony). После сохранения портал покажет этот код и ключ.',
      },
    },
    {
      name: 'password',
      type: 'secret',
      required: true,
      label: { en: 'client_secret', ru: 'client_secret' },
      when: byApplication,
    },
    {
      name: 'server',
      type: 'text',
      label: { en: 'Sign-in server', ru: 'Сервер входа' },
      placeholder: SIGN_IN_SERVER,
      when: byApplication,
      help: {
        en: 'Empty: the usual one of Bitrix24. Older portals name https://oauth.bitrix.info.',
        ru: 'Пусто: обычный сервер Битрикс24. Старые порталы называют https://oauth.bitrix.info.',
      },
    },
    {
      name: 'token',
      type: 'secret',
      required: true,
      when: { field: 'signIn', in: ['webhook'] },
      label: { en: 'Webhook', ru: 'Вебхук' },
      help: {
        en: 'The whole address of the inbound webhook, as shown by the portal: Applications → Developer resources → Other → Inbound webhook. Rights: CRM (crm), Users (user), Telephony (telephony). Create it as an administrator. Keep it secret like a password.',
        ru: 'Адрес входящего вебхука целиком, как его показывает портал: Приложения → Разработчикам → Другое → Входящий вебхук. Права: CRM (crm), Пользователи (user), Телефония (telephony). Создайте его под администратором. Храните его в секрете, как пароль.',
      },
      placeholder: 'https://company.bitrix24.ru/rest/1/…/',
    },
  ],
  deliveryFields: bitrixDeliveryFields,
  topics: [
    { topic: 'call_ringing', byDefault: true },
    { topic: 'call_answer', byDefault: true },
    { topic: 'call_transfer', byDefault: true },
    { topic: 'call_hangup', byDefault: true },
    { topic: 'call_record', byDefault: true },
  ],
  creates: ['lead', 'contact'],
  // The portal allows 50 at once and 2 a second to all programs at one address together; the rest is room for jitter and for others.
  limits: { perSecond: 1.9, burst: 40 },
  checkDelivery: (settings) => void readChoices(settings),
  signsIn: byApplication,
  create(settings, secrets, http, keep) {
    const read = new SettingsReader(settings, secrets);
    if (read.choice('signIn', ['webhook', 'application'], 'webhook') === 'webhook') {
      return new Bitrix24(http, webhookEntrance(read.requiredSecret('token')), undefined);
    }
    const application = {
      portal: new URL(read.url('url')).origin,
      clientId: read.requiredSecret('user').trim(),
      clientSecret: read.requiredSecret('password').trim(),
      server: new URL(checkedUrl('server', read.text('server') || SIGN_IN_SERVER)).origin,
    };
    const entrance = applicationEntrance(application, http, keep);
    return new Bitrix24(http, entrance, entrance);
  },
};
