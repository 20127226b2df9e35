import type { Text } from '../../errors';
import { EspoApi, PEOPLE } from '../espocrm/api';
import { espoDeliveryFields, EspoCalls } from '../espocrm/calls';
import { EspoClients } from '../espocrm/clients';
import { optional, scalar, type JsonObject } from '../json';
import { shortNumber } from '../numbers';
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

/** The largest page that EspoCRM gives out by default, and how many of them are asked for. */
const PAGE = 200;
const MAX_PAGES = 25;

/** Those who are no people: EspoCRM lists them among the users. */
const MACHINES = ['api', 'system', 'portal'];

class EspoCrm implements CrmAdapter {
  private readonly api: EspoApi;
  private readonly clients: EspoClients;
  private readonly calls: EspoCalls;

  constructor(http: CrmHttp, origin: string, key: string) {
    this.api = new EspoApi(http, origin, key);
    this.clients = new EspoClients(this.api, new URL(origin).host);
    this.calls = new EspoCalls(this.api, this.clients);
  }

  async test(context: CallContext): Promise<Text> {
    const { length } = await this.listUsers(context);
    const query = { select: ['id'], maxSize: 1 };
    const pages = await Promise.all(
      [...PEOPLE, 'Call'].map(async (entity) => ({
        entity,
        page: await this.api.listIfAllowed(entity, query, context),
      })),
    );
    const hidden = pages.filter(({ page }) => page === undefined).map(({ entity }) => entity);
    const users = { en: `users: ${length}`, ru: `пользователей: ${length}` };
    if (hidden.length === 0) return users;
    const names = hidden.join(', ');
    return {
      en: `${users.en}; the role of the API user does not let it read ${names}`,
      ru: `${users.ru}; роль пользователя API не даёт читать ${names}`,
    };
  }

  async listUsers(context: CallContext): Promise<CrmUser[]> {
    const users: CrmUser[] = [];
    const select = ['id', 'name', 'userName', 'type', 'isActive', 'phoneNumber'];
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const { list, total } = await this.api.list('User', { select, maxSize: PAGE, offset: page * PAGE }, context);
      users.push(...list.map(userOf).filter((user) => user !== undefined));
      if (list.length === 0 || (page + 1) * PAGE >= total) break;
    }
    return users;
  }

  findByPhone(phone: PhoneNumber, context: CallContext): Promise<CrmAnswer> {
    return this.clients.find(phone, context);
  }

  createClient(phone: PhoneNumber, wish: ClientWish, context: CallContext): Promise<CrmEntity> {
    return this.clients.create(phone, wish, context);
  }

  deliver(event: PbxEvent, context: DeliveryContext): Promise<Delivered> {
    return this.calls.deliver(event, context);
  }
}

/** EspoCRM has no field for the extension: a user's phone number is one when it is short. */
function userOf(record: JsonObject): CrmUser | undefined {
  const id = scalar(record.id);
  const isPerson = record.isActive !== false && !MACHINES.includes(scalar(record.type) ?? '');
  if (id === undefined || !isPerson) return undefined;
  const extension = shortNumber(scalar(record.phoneNumber));
  return { id, name: scalar(record.name) ?? scalar(record.userName) ?? id, ...optional('extension', extension) };
}

/** People paste the address in the browser: the address of the API, or that of a page. */
const withoutPath = (url: string): string => url.replace(/[?#].*$/, '').replace(/(\/api(\/v1)?)?\/*$/, '');

/** EspoCRM 7 and later; measured on 9.1.7. */
export const espocrm: CrmKind = {
  id: 'espocrm',
  title: { en: 'EspoCRM', ru: 'EspoCRM' },
  fields: [
    {
      name: 'url',
      type: 'url',
      required: true,
      label: { en: 'CRM address', ru: 'Адрес CRM' },
      help: {
        en: 'As in the browser, without the part after #.',
        ru: 'Как в браузере, без части после #.',
      },
      placeholder: 'https://crm.example.com',
    },
    {
      name: 'token',
      type: 'secret',
      required: true,
      label: { en: 'API key', ru: 'API-ключ' },
      help: {
        en: 'Key of an API user (Administration → API Users), authentication "API Key". Its role must read contacts, leads, accounts and users, and create calls.',
        ru: 'Ключ пользователя API (Администрирование → API-пользователи), аутентификация «API Key». Его роль должна читать контакты, лиды, контрагентов и пользователей и создавать звонки.',
      },
    },
  ],
  deliveryFields: espoDeliveryFields,
  topics: [{ topic: 'call_record', byDefault: true }],
  creates: ['lead', 'contact'],
  // EspoCRM itself names no limit; one question about an unknown number takes six requests.
  limits: { perSecond: 20, burst: 60 },
  create(settings, secrets, http) {
    const read = new SettingsReader(settings, secrets);
    return new EspoCrm(http, withoutPath(read.url('url')), read.requiredSecret('token').trim());
  },
};
