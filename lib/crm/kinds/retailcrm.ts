import type { Text } from '../../errors';
import { RetailApi } from '../retailcrm/api';
import { RetailCards } from '../retailcrm/cards';
import { readChoices, retailDeliveryFields } from '../retailcrm/choices';
import { RetailClients } from '../retailcrm/clients';
import { RetailRecords } from '../retailcrm/records';
import { AccountZone } from '../retailcrm/time';
import { retailUsers, telephonyOf } from '../retailcrm/users';
import { SKIPPED } from '../call-record';
import { scalar } from '../json';
import { SettingsReader } from '../settings';
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
} from '../types';

/** What each method of a key is for, so that its lack can be explained. */
const RIGHTS: readonly { readonly path: string; readonly without: Text }[] = [
  {
    path: '/telephony/manager',
    without: { en: 'no clients are found', ru: 'клиенты не находятся' },
  },
  {
    path: '/telephony/call/event',
    without: { en: 'no cards open', ru: 'карточки не открываются' },
  },
  {
    path: '/telephony/calls/upload',
    without: { en: 'no calls are written', ru: 'звонки не записываются' },
  },
  {
    path: '/users',
    without: { en: 'no users are loaded', ru: 'пользователи не загружаются' },
  },
  {
    path: '/customers/create',
    without: { en: 'no clients are created', ru: 'клиенты не создаются' },
  },
  {
    path: '/settings',
    without: { en: 'the time zone must be typed in', ru: 'часовой пояс нужно вписать' },
  },
];

class RetailCrm implements CrmAdapter {
  private readonly api: RetailApi;
  private readonly clients: RetailClients;
  private readonly zone: AccountZone;
  private readonly cards: RetailCards;
  private readonly records: RetailRecords;

  constructor(
    http: CrmHttp,
    origin: string,
    key: string,
    /** Code of the registered telephony; may be empty. */
    private readonly module: string,
    site: string,
  ) {
    this.api = new RetailApi(http, origin, key);
    this.clients = new RetailClients(this.api, site);
    this.zone = new AccountZone(this.api);
    this.cards = new RetailCards(this.api);
    this.records = new RetailRecords(this.api, this.zone);
  }

  /** Proves the key and tells what it may not do. Changes nothing in the account. */
  async test(context: CallContext): Promise<Text> {
    const { credentials } = await this.api.get('/credentials', {}, context);
    const allowed = Array.isArray(credentials) ? credentials.map(methodOf) : undefined;
    const missing = RIGHTS.filter(({ path }) => allowed?.includes(path) === false);
    const problems = missing.map(({ path, without }) => ({
      en: `no right to ${path}: ${without.en}`,
      ru: `нет права на ${path}: ${without.ru}`,
    }));
    const may = (path: string) => !missing.some((one) => one.path === path);
    const users = may('/users') ? (await this.listUsers(context)).length : 0;
    const zone = may('/settings') ? await this.zone.ask(context) : '—';
    if (this.module !== '') {
      const telephony = await telephonyOf(this.api, this.module, context);
      if (telephony === undefined || telephony.active === false) {
        problems.push({
          en: `no active telephony "${this.module}" is registered`,
          ru: `нет действующей телефонии «${this.module}»`,
        });
      }
    }
    return {
      en: [`users: ${users}, time zone: ${zone}`, ...problems.map(({ en }) => en)].join('; '),
      ru: [`пользователей: ${users}, часовой пояс: ${zone}`, ...problems.map(({ ru }) => ru)].join('; '),
    };
  }

  listUsers(context: CallContext): Promise<CrmUser[]> {
    return retailUsers(this.api, this.module, context);
  }

  findByPhone(phone: PhoneNumber, context: CallContext): Promise<CrmAnswer> {
    return this.clients.find(phone, context);
  }

  createClient(phone: PhoneNumber, wish: ClientWish, context: CallContext): Promise<CrmEntity> {
    return this.clients.create(phone, wish, context);
  }

  async deliver(event: PbxEvent, context: DeliveryContext): Promise<Delivered> {
    if (event.topic === 'user_change' || event.topic === 'call_held' || event.topic === 'call_active') return SKIPPED;
    if (event.payload.direction === 'internal') return SKIPPED;
    const choices = readChoices(context.settings);
    return event.topic === 'call_record'
      ? this.records.write(event.payload, choices, context)
      : this.cards.tell(event.topic, event.payload, choices, context);
  }
}

/** `/api/v5/users` and `/api/users` are the same right. */
const methodOf = (path: unknown): string => (scalar(path) ?? '').replace(/^\/api(\/v\d+)?/, '');

/** People paste the address in the browser: the start page, a page, or the address of the API. */
const originOf = (url: string): string => new URL(url).origin;

/** retailCRM (Simla.com), API v5. */
export const retailcrm: CrmKind = {
  id: 'retailcrm',
  title: { en: 'retailCRM', ru: 'retailCRM' },
  fields: [
    {
      name: 'url',
      type: 'url',
      required: true,
      label: { en: 'CRM address', ru: 'Адрес CRM' },
      help: { en: 'As in the browser.', ru: 'Как в браузере.' },
      placeholder: 'https://company.retailcrm.ru',
    },
    {
      name: 'token',
      type: 'secret',
      required: true,
      label: { en: 'API key', ru: 'API-ключ' },
      help: {
        en: 'Settings → Integration → API access keys. Needed rights: telephony; users, to fill the table; customers, to create clients for unknown numbers; settings, for the time zone.',
        ru: 'Настройки → Интеграция → Ключи доступа к API. Нужные права: телефония; пользователи — чтобы заполнить таблицу; клиенты — чтобы заводить их для неизвестных номеров; настройки — для часового пояса.',
      },
    },
    {
      name: 'module',
      type: 'text',
      label: { en: 'Telephony code', ru: 'Код телефонии' },
      help: {
        en: 'The code under which the telephony is registered in retailCRM. With it, the extensions of the users are read from there.',
        ru: 'Код, под которым телефония зарегистрирована в retailCRM. По нему оттуда читаются внутренние номера пользователей.',
      },
      placeholder: 'asterisk',
    },
    {
      name: 'site',
      type: 'text',
      label: { en: 'Shop', ru: 'Магазин' },
      help: {
        en: 'For new clients: symbolic code of the shop; needed if the key has access to several.',
        ru: 'Для новых клиентов: символьный код магазина; нужен, если ключу доступны несколько.',
      },
    },
  ],
  deliveryFields: retailDeliveryFields,
  topics: [
    { topic: 'call_ringing', byDefault: true },
    { topic: 'call_answer', byDefault: true },
    { topic: 'call_transfer', byDefault: true },
    { topic: 'call_hangup', byDefault: true },
    { topic: 'call_record', byDefault: true },
  ],
  creates: ['contact'],
  // The API is said to allow one address 10 requests in any second, 40 of telephony (unconfirmed): these figures pass neither.
  limits: { perSecond: 8, burst: 2 },
  checkDelivery: (settings) => void readChoices(settings),
  create(settings, secrets, http) {
    const read = new SettingsReader(settings, secrets);
    const key = read.requiredSecret('token').trim();
    return new RetailCrm(http, originOf(read.url('url')), key, read.text('module'), read.text('site'));
  },
};
