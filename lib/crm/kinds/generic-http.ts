import { TelephonyError, type Text } from '../../errors';
import { DELIVERABLE_TOPICS } from '../../messages/deliverable';
import { describe, type ClientPart, type Description } from '../generic/description';
import { deliveryPlan, GenericDelivery } from '../generic/delivery';
import { genericDeliveryFields } from '../generic/delivery-fields';
import { genericFields } from '../generic/fields';
import { first, isSomething } from '../generic/values';
import { optional } from '../json';
import { SettingsReader } from '../settings';
import { numberValues, type TemplateValues } from '../template';
import type {
  CallContext,
  CrmAdapter,
  CrmAnswer,
  CrmHttp,
  CrmKind,
  CrmRequest,
  CrmUser,
  Delivered,
  DeliverableEvent,
  DeliveryContext,
  PhoneNumber,
} from '../types';

const MAX_USERS = 2000;

class GenericHttp implements CrmAdapter {
  private readonly events: GenericDelivery;

  constructor(
    private readonly http: CrmHttp,
    private readonly what: Description,
  ) {
    this.events = new GenericDelivery(http, what);
  }

  async test(context: CallContext): Promise<Text> {
    const answer = await this.findByPhone(this.what.testNumber, context);
    if (!answer.found) return { en: 'it does not know the test number', ru: 'проверочного номера она не знает' };
    const name = answer.name || '—';
    return { en: `found: ${name}`, ru: `найден клиент: ${name}` };
  }

  async listUsers(context: CallContext): Promise<CrmUser[]> {
    const { users } = this.what;
    if (users === undefined) return [];
    const answer = await this.http.json({ method: 'GET', url: users.url, headers: this.what.headers }, context);
    const list = users.list === undefined ? answer : await users.list.evaluate(answer, {});
    const found: CrmUser[] = [];
    for (const item of (Array.isArray(list) ? (list as unknown[]) : [list]).slice(0, MAX_USERS)) {
      context.signal.throwIfAborted();
      const id = first(await users.id.evaluate(item, {}));
      if (id === undefined) continue;
      const [name, extension] = [
        first(await users.name?.evaluate(item, {})),
        first(await users.extension?.evaluate(item, {})),
      ];
      found.push({ id, name: name ?? id, ...optional('extension', extension) });
    }
    return found;
  }

  async findByPhone(phone: PhoneNumber, context: CallContext): Promise<CrmAnswer> {
    const { what } = this;
    const values = numberValues(phone);
    const withToken = { ...values, token: what.token };
    const body = what.body?.(withToken);
    const answer = await this.answerOrNothing(
      {
        method: what.method,
        url: what.url(withToken),
        headers: { ...(what.contentType === undefined ? {} : { 'Content-Type': what.contentType }), ...what.headers },
        ...optional('body', body),
      },
      context,
    );
    if (answer === undefined) return { found: false };

    const read = async (part: ClientPart) => {
      context.signal.throwIfAborted();
      return what.parts[part]?.evaluate(answer, values);
    };
    if (what.parts.found !== undefined && !isSomething(await read('found'))) return { found: false };
    const name = first(await read('name'));
    const ownerId = first(await read('ownerId'));
    const said = first(await read('extension'));
    const entityId = first(await read('entityId'));
    const knowsNothing = name === undefined && ownerId === undefined && said === undefined && entityId === undefined;
    if (what.parts.found === undefined && knowsNothing) return { found: false };

    const ownerName = first(await read('ownerName'));
    const extension = said ?? (ownerId === undefined ? undefined : await this.extensionOf(ownerId, values, context));
    const type = first(await read('entityType')) ?? 'contact';
    const url = first(await read('entityUrl'));
    const named = { ...optional('name', name), ...optional('ownerId', ownerId), ...optional('url', url) };
    const owner = { ...optional('id', ownerId), ...optional('name', ownerName), ...optional('extension', extension) };
    return {
      found: true,
      name: name ?? '',
      entities: entityId === undefined ? [] : [{ type, id: entityId, ...named }],
      ...(Object.keys(owner).length === 0 ? {} : { owner }),
    };
  }

  deliver(event: DeliverableEvent, context: DeliveryContext): Promise<Delivered> {
    return this.events.deliver(event, context);
  }

  /** The second question, when the first answer named the owner but not his extension. */
  private async extensionOf(ownerId: string, values: TemplateValues, context: CallContext) {
    const { owner, token, headers } = this.what;
    if (owner === undefined) return undefined;
    const url = owner.url({ ...values, token, ownerId });
    const answer = await this.answerOrNothing({ method: 'GET', url, headers }, context);
    return answer === undefined ? undefined : first(await owner.extension.evaluate(answer, { ...values, ownerId }));
  }

  /** The parsed answer; `undefined` for 204 and, where the admin says it means that, for 404. */
  private async answerOrNothing(request: CrmRequest, context: CallContext): Promise<unknown> {
    try {
      const answer = await this.http.json(request, context);
      return answer ?? undefined;
    } catch (thrown) {
      if (!(thrown instanceof TelephonyError)) throw thrown;
      const isNothing = thrown.code === 'CRM_NOT_JSON' && thrown.params.status === 204;
      if (isNothing || (thrown.code === 'CRM_NOT_FOUND' && this.what.notFound404)) return undefined;
      throw thrown;
    }
  }
}

/** Any CRM with an HTTP interface that answers in JSON, described in the dialog without code. */
export const genericHttp: CrmKind = {
  id: 'generic-http',
  title: { en: 'Any CRM over HTTP', ru: 'Любая CRM по HTTP' },
  fields: genericFields,
  deliveryFields: genericDeliveryFields,
  topics: DELIVERABLE_TOPICS.map((topic) => ({ topic, byDefault: topic === 'call_record' })),
  // What most CRMs allow at least; who allows less answers 429, and is then left alone as long as it asks.
  limits: { perSecond: 5, burst: 10 },
  checkDelivery: (settings) => void deliveryPlan(settings),
  create(settings, secrets, http) {
    return new GenericHttp(http, describe(new SettingsReader(settings, secrets)));
  },
};
