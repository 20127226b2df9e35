import type { RecordPayload } from '../../messages/types';
import { likelyUsers, markOf, noUserError, recordingLink, SKIPPED } from '../call-record';
import { badAnswer } from '../errors';
import { optional, scalar, type JsonObject } from '../json';
import { clientNumber, wholeNumber } from '../numbers';
import type { CrmAnswer, CrmEntity, Delivered, DeliveryContext, PhoneNumber } from '../types';
import { activityText } from './activity-text';
import { rowsIn, type BitrixApi } from './api';
import type { Choices } from './choices';
import type { BitrixClients } from './clients';
import { portalTime } from './codes';
import { isUserId } from './people';

const BEGUN = 'bitrix24.activity.begun';
const WRITTEN = 'bitrix24.activity';
const ORIGINATOR = 'asterisk';
const OWNER_TYPES: Readonly<Record<string, number>> = { lead: 1, contact: 3, company: 4 };
/** `TYPE_ID` of a call. */
const CALL = 2;

/**
 * Writes each call as an activity of its client, for portals that do not let a webhook register calls. `crm.activity.add` knows no
 * idempotency key: before a second try the activity is looked for by its mark. What remains is a try that the portal finishes only after
 * that search.
 */
export class BitrixActivities {
  constructor(
    private readonly api: BitrixApi,
    private readonly clients: BitrixClients,
  ) {}

  /** Whether this call was already, or almost, written in this way. */
  async isBegun({ memo }: DeliveryContext): Promise<boolean> {
    return (await memo.get(BEGUN)) !== undefined;
  }

  /** A call of an unknown number is skipped if no lead is to be created: an activity needs a client. */
  async write(payload: RecordPayload, choices: Choices, context: DeliveryContext): Promise<Delivered> {
    const written = await context.memo.get(WRITTEN);
    if (written !== undefined) return told(written);
    const number = clientNumber(payload.client);
    if (number === undefined || payload.direction === 'internal') return SKIPPED;
    const client = await this.clientOf(number, payload, choices, context);
    if (client === undefined) return SKIPPED;
    const mark = markOf(payload.eventId, 32);
    const begun = await this.isBegun(context);
    const found = begun ? await this.find(mark, context) : undefined;
    const id = found ?? (await this.add(payload, number, client, mark, choices, context));
    await context.memo.set(WRITTEN, id);
    return told(id);
  }

  private async clientOf(
    number: PhoneNumber,
    payload: RecordPayload,
    choices: Choices,
    context: DeliveryContext,
  ): Promise<Extract<CrmAnswer, { found: true }> | undefined> {
    const known = await this.clients.find(number, context);
    if (known.found || !choices.createLead) return known.found ? known : undefined;
    const wish = {
      type: 'lead',
      ...optional('name', payload.client?.name),
      ...optional('ownerId', responsible(payload, context)),
    } as const;
    const lead = await this.clients.create(number, wish, context);
    return { found: true, name: lead.name ?? '', entities: [lead] };
  }

  private async find(mark: string, context: DeliveryContext): Promise<string | undefined> {
    const params = { filter: { ORIGINATOR_ID: ORIGINATOR, ORIGIN_ID: mark }, select: ['ID', 'ORIGIN_ID'] };
    const rows = await this.api.call('crm.activity.list', params, context);
    // A portal that does not filter by the mark must not make another activity pass for this one.
    const same = rowsIn(rows).find((row) => scalar(row.ORIGIN_ID) === mark);
    return scalar(same?.ID);
  }

  private async add(
    payload: RecordPayload,
    number: PhoneNumber,
    client: Extract<CrmAnswer, { found: true }>,
    mark: string,
    choices: Choices,
    context: DeliveryContext,
  ): Promise<string> {
    const RESPONSIBLE_ID = responsible(payload, context) ?? client.owner?.id ?? choices.fallbackUser;
    if (RESPONSIBLE_ID === '') throw noUserError(payload);
    const [entity] = client.entities;
    if (entity === undefined) throw badAnswer({ en: 'the client has no record.', ru: 'у клиента нет записи.' });
    const fields = {
      ...ownerOf(entity, number),
      TYPE_ID: CALL,
      DIRECTION: payload.direction === 'in' ? 1 : 2,
      START_TIME: portalTime(payload.startedAt),
      END_TIME: portalTime(payload.endedAt ?? payload.startedAt),
      // A missed call is something to do.
      COMPLETED: payload.direction === 'in' && payload.result !== 'answered' ? 'N' : 'Y',
      RESPONSIBLE_ID,
      ...activityText(
        payload,
        choices.language,
        choices.recording === 'none' ? undefined : recordingLink(payload.recording, context),
      ),
      ORIGINATOR_ID: ORIGINATOR,
      ORIGIN_ID: mark,
    };
    await context.memo.set(BEGUN, mark);
    const id = scalar(await this.api.call('crm.activity.add', { fields }, context));
    if (id === undefined) throw badAnswer({ en: 'the activity has no id.', ru: 'у дела нет id.' });
    return id;
  }
}

const told = (activityId: string): Delivered => ({ status: 'delivered', answer: { activityId } });

function ownerOf({ type, id }: CrmEntity, number: PhoneNumber): JsonObject {
  const VALUE = wholeNumber(number);
  const OWNER_TYPE_ID = OWNER_TYPES[type];
  const communication = { VALUE, TYPE: 'PHONE', ENTITY_ID: id, ENTITY_TYPE_ID: OWNER_TYPE_ID };
  return { OWNER_TYPE_ID, OWNER_ID: id, COMMUNICATIONS: [communication] };
}

/** Activities know users by their numbers, and no extensions. */
const responsible = (payload: RecordPayload, context: DeliveryContext): string | undefined =>
  likelyUsers(payload, context).find(isUserId);
