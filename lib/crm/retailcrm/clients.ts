import { badAnswer } from '../errors';
import { asObject, isObject, optional, scalar, type JsonObject } from '../json';
import { wholeNumber } from '../numbers';
import type { CallContext, ClientWish, CrmAnswer, CrmEntity, PhoneNumber } from '../types';
import type { RetailApi } from './api';

/** The clients of one account. */
export class RetailClients {
  constructor(
    private readonly api: RetailApi,
    /** Symbolic code of the shop for new clients; empty: the only one of the key. */
    private readonly site: string,
  ) {}

  /**
   * One question brings the client, the responsible manager and his extension. How retailCRM compares numbers is not confirmed: what it does
   * not know in E.164 it is asked for once more as numbers are dialled at home.
   */
  async find(phone: PhoneNumber, context: CallContext): Promise<CrmAnswer> {
    for (const written of writingsOf(phone)) {
      // Without `ignoreStatus` a manager who is away is left out, and who is free our PBX knows better.
      const query = { phone: written, details: '1', ignoreStatus: '1' };
      const answer = this.read(await this.api.get('telephony/manager', query, context));
      if (answer.found) return answer;
    }
    return { found: false };
  }

  async create(phone: PhoneNumber, wish: ClientWish, context: CallContext): Promise<CrmEntity> {
    const number = wholeNumber(phone);
    const customer = {
      firstName: wish.name ?? number,
      phones: [{ number }],
      ...(wish.ownerId !== undefined && /^\d+$/.test(wish.ownerId) ? { managerId: Number(wish.ownerId) } : {}),
    };
    const site = this.site === '' ? {} : { site: this.site };
    const { id } = await this.api.post('customers/create', { customer, ...site }, context);
    const made = scalar(id);
    if (made === undefined) throw badAnswer({ en: 'the new client has no "id".', ru: 'у нового клиента нет «id».' });
    return {
      type: 'contact',
      id: made,
      name: customer.firstName,
      ...optional('ownerId', wish.ownerId),
      url: this.card(made),
    };
  }

  /** Of an unknown number there is no customer, or an empty one. */
  private read({ manager, customer, links }: JsonObject): CrmAnswer {
    const owner = isObject(manager) ? ownerOf(manager) : undefined;
    const client = isObject(customer) ? this.clientOf(customer, asObject(links), owner?.id) : undefined;
    if (client === undefined && owner === undefined) return { found: false };
    return {
      found: true,
      name: client?.name ?? '',
      entities: client === undefined ? [] : [client],
      ...optional('owner', owner),
    };
  }

  private clientOf(customer: JsonObject, links: JsonObject, ownerId: string | undefined): CrmEntity | undefined {
    const id = scalar(customer.id);
    if (id === undefined) return undefined;
    const link = scalar(links.customerLink);
    const url = link?.startsWith(`${this.api.origin}/`) ? link : this.card(id);
    const name = nameOf(customer) ?? scalar(customer.email);
    return { type: 'contact', id, ...optional('name', name), ...optional('ownerId', ownerId), url };
  }

  private card(id: string): string {
    return `${this.api.origin}/customers/${encodeURIComponent(id)}`;
  }
}

function writingsOf(phone: PhoneNumber): string[] {
  if (phone.kind === 'raw') return [phone.digits];
  const isRussian = phone.e164.startsWith('+7') && phone.national.length === 10;
  return [phone.e164, ...(isRussian ? [`8${phone.national}`] : [])];
}

function ownerOf(manager: JsonObject) {
  const id = scalar(manager.id);
  if (id === undefined) return undefined;
  return { id, ...optional('name', nameOf(manager)), ...optional('extension', scalar(manager.code)) };
}

/** Of a client, a manager or a user. */
export function nameOf({ firstName, lastName }: JsonObject): string | undefined {
  const parts = [firstName, lastName].map(scalar).filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(' ');
}
