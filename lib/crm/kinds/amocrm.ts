import type { Text } from '../../errors';
import { AmoApi } from '../amocrm/api';
import { AmoCalls } from '../amocrm/calls';
import { AmoCards } from '../amocrm/cards';
import { amoDeliveryFields, readChoices } from '../amocrm/choices';
import { AmoClients } from '../amocrm/clients';
import { SKIPPED } from '../call-record';
import { asObject, scalar, type JsonObject } from '../json';
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

/** The largest page, and how many of them are asked for. */
const PAGE = 250;
const MAX_PAGES = 20;

class AmoCrm implements CrmAdapter {
  private readonly api: AmoApi;
  private readonly clients: AmoClients;
  private readonly cards: AmoCards;
  private readonly calls: AmoCalls;

  constructor(http: CrmHttp, origin: string, token: string) {
    this.api = new AmoApi(http, origin, token);
    this.clients = new AmoClients(this.api);
    this.cards = new AmoCards(this.api);
    this.calls = new AmoCalls(this.api, this.clients);
  }

  /** Proves address and token by the two lists that everything else needs. */
  async test(context: CallContext): Promise<Text> {
    const { length } = await this.listUsers(context);
    await this.api.list('contacts', { limit: '1' }, context);
    return { en: `users: ${length}`, ru: `пользователей: ${length}` };
  }

  async listUsers(context: CallContext): Promise<CrmUser[]> {
    const users: CrmUser[] = [];
    for (let page = 1; page <= MAX_PAGES; page += 1) {
      const rows = await this.api.list('users', { page: String(page), limit: String(PAGE) }, context);
      users.push(...rows.map(userOf).filter((user) => user !== undefined));
      if (rows.length < PAGE) break;
    }
    return users;
  }

  findByPhone(phone: PhoneNumber, context: CallContext): Promise<CrmAnswer> {
    return this.clients.find(phone, context);
  }

  createClient(phone: PhoneNumber, wish: ClientWish, context: CallContext): Promise<CrmEntity> {
    return this.clients.create(phone, wish, context);
  }

  async deliver(event: PbxEvent, context: DeliveryContext): Promise<Delivered> {
    const choices = readChoices(context.settings);
    switch (event.topic) {
      case 'call_record':
        return this.calls.write(event.payload, choices, context);
      case 'call_ringing':
        return choices.card ? this.cards.open(event.payload, event.payload.extension, context) : SKIPPED;
      case 'call_transfer':
        return choices.card ? this.cards.open(event.payload, event.payload.transfer?.to, context) : SKIPPED;
      default:
        return SKIPPED;
    }
  }
}

/** amoCRM has no field for the extension. Only the rights of a user, if given, say whether the user is active. */
function userOf({ id, name, email, rights }: JsonObject): CrmUser | undefined {
  const text = scalar(id);
  const isGone = asObject(rights).is_active === false;
  return text === undefined || isGone ? undefined : { id: text, name: scalar(name) ?? scalar(email) ?? text };
}

/**
 * amoCRM and Kommo (API v4), through a private integration with a long-lived token, which needs no renewal. Shapes are those of the
 * documentation and of the public clients and connectors; where these say nothing or disagree, every shape is accepted.
 */
export const amocrm: CrmKind = {
  id: 'amocrm',
  title: { en: 'amoCRM / Kommo', ru: 'amoCRM' },
  fields: [
    {
      name: 'url',
      type: 'url',
      required: true,
      label: { en: 'CRM address', ru: 'Адрес CRM' },
      help: {
        en: 'As in the browser: your own subdomain, not the common site.',
        ru: 'Как в браузере: ваш поддомен, а не общий сайт.',
      },
      placeholder: 'https://company.amocrm.ru',
    },
    {
      name: 'token',
      type: 'secret',
      required: true,
      label: { en: 'Token', ru: 'Токен' },
      help: {
        en: 'Long-lived token of your own integration: create one (Kommo: Settings → Integrations; amoCRM: amoMarket) and generate the token on the tab "Keys and scopes". Do it as an administrator: the token sees only what its creator may see.',
        ru: 'Долгосрочный токен собственной интеграции: создайте её в amoМаркете и сгенерируйте токен на вкладке «Ключи и доступы». Делайте это под администратором: токену видно только то, что видно его создателю.',
      },
    },
  ],
  deliveryFields: amoDeliveryFields,
  topics: [
    { topic: 'call_ringing', byDefault: true },
    { topic: 'call_transfer', byDefault: true },
    { topic: 'call_record', byDefault: true },
  ],
  creates: ['lead', 'contact'],
  // amoCRM counts 7 in any second. One after the other at this rate, an eighth comes 1.08 s after the first: jitter on the way has its room.
  limits: { perSecond: 6.5, burst: 1 },
  checkDelivery: (settings) => void readChoices(settings),
  create(settings, secrets, http) {
    const read = new SettingsReader(settings, secrets);
    const token = read
      .requiredSecret('token')
      .trim()
      .replace(/^Bearer\s+/i, '');
    return new AmoCrm(http, new URL(read.url('url')).origin, token);
  },
};
