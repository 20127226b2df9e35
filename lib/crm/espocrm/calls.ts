import type { Lang } from '../../errors';
import type { RecordPayload } from '../../messages/types';
import { extensionsOf, likelyUsers, markOf, noUserError, recordingLink, SKIPPED } from '../call-record';
import { CALL_WORDS, callTitle, capital, labelled } from '../call-words';
import { badAnswer } from '../errors';
import { scalar, type JsonObject } from '../json';
import { clientNumber } from '../numbers';
import { SettingsReader } from '../settings';
import { fallbackUserField, languageField } from '../shared-fields';
import type { CrmAnswer, CrmEntity, CrmField, Delivered, PbxEvent, DeliveryContext } from '../types';
import type { EspoApi } from './api';
import type { EspoClients } from './clients';

export const espoDeliveryFields: readonly CrmField[] = [
  fallbackUserField({
    en: 'Id of the EspoCRM user who gets calls of extensions that are not in the table, if the client has no assigned user either. EspoCRM does not accept a call without a user.',
    ru: 'Id пользователя EspoCRM, которому достаются звонки внутренних номеров, которых нет в таблице, если и у клиента нет ответственного. Без пользователя EspoCRM звонок не примет.',
  }),
  languageField,
];

const POSTED = 'espocrm.call';
const POSTING = 'espocrm.posting';

/** Writes each call into EspoCRM once. */
export class EspoCalls {
  constructor(
    private readonly api: EspoApi,
    private readonly clients: EspoClients,
  ) {}

  /**
   * EspoCRM knows no idempotency key, so the id of the call that was made is kept; and since this process may end between the POST and
   * that, the description carries a mark, by which the call is looked for before a POST that may be the second. What remains: a POST
   * that EspoCRM finishes only after that search.
   */
  async deliver(event: PbxEvent, context: DeliveryContext): Promise<Delivered> {
    if (event.topic !== 'call_record' || event.payload.direction === 'internal') return SKIPPED;
    const { payload } = event;
    const known = await context.memo.get(POSTED);
    if (known !== undefined) return this.delivered(known);

    // Letters and digits only, since EspoCRM compares by LIKE.
    const mark = `asterisk-${markOf(payload.eventId, 24)}`;
    const begun = (await context.memo.get(POSTING)) !== undefined;
    const times = timesOf(payload);
    const found = begun ? await this.find(mark, context) : undefined;
    const { id, dateEnd } = found ?? (await this.post(payload, mark, context));
    // The stored duration is the default of its field and never true; the end of the call is what counts, and may be one too.
    if (dateEnd !== times.dateEnd) await this.api.update('Call', id, times, context);
    await context.memo.set(POSTED, id);
    return this.delivered(id);
  }

  private delivered(id: string): Delivered {
    return { status: 'delivered', answer: { id, url: this.api.card('Call', id) } };
  }

  private async find(mark: string, context: DeliveryContext): Promise<Made | undefined> {
    const where = { type: 'contains', attribute: 'description', value: mark } as const;
    const { list } = await this.api.list('Call', { where, select: ['id', 'dateEnd'], maxSize: 1 }, context);
    return list[0] && madeOf(list[0]);
  }

  private async post(payload: RecordPayload, mark: string, context: DeliveryContext): Promise<Made> {
    const read = new SettingsReader(context.settings, {});
    const number = clientNumber(payload.client);
    const client: CrmAnswer = number === undefined ? { found: false } : await this.clients.find(number, context);
    const [user] = likelyUsers(payload, context);
    const assigned = user ?? (client.found ? client.owner?.id : undefined) ?? read.text('fallbackUser');
    if (assigned === '') throw noUserError(payload);
    const talked = payload.talked.map((one) => context.userOf(one)?.userId).filter((id) => id !== undefined);
    const language = read.choice('language', ['ru', 'en'], 'ru');
    const fields = {
      name: callTitle(payload, language),
      status: payload.result === 'answered' ? 'Held' : 'Not Held',
      direction: payload.direction === 'in' ? 'Inbound' : 'Outbound',
      ...timesOf(payload),
      description: [...linesOf(payload, language, recordingLink(payload.recording, context)), mark].join('\n'),
      assignedUserId: assigned,
      usersIds: [...new Set([assigned, ...talked])],
      ...(client.found ? parentOf(client.entities) : {}),
    };
    await context.memo.set(POSTING, mark);
    const answer = await this.api.create('Call', fields, context, true);
    if (!('made' in answer)) {
      throw badAnswer({ en: 'it calls a call a duplicate.', ru: 'он называет звонок дубликатом.' });
    }
    return madeOf(answer.made);
  }
}

/** A call as EspoCRM keeps it. */
interface Made {
  readonly id: string;
  readonly dateEnd: string | undefined;
}

const madeOf = ({ id, dateEnd }: JsonObject): Made => ({ id: scalar(id) ?? '', dateEnd: scalar(dateEnd) });

/** `2026-11-20 19:00:00`, UTC. EspoCRM wants the end after the start. */
function timesOf({ startedAt, endedAt }: RecordPayload): { readonly dateStart: string; readonly dateEnd: string } {
  const start = Math.floor(Date.parse(startedAt) / 1000);
  const end = Math.max(Math.round(Date.parse(endedAt ?? startedAt) / 1000), start + 1);
  const written = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return { dateStart: written(start), dateEnd: written(end) };
}

function parentOf(entities: readonly CrmEntity[]): JsonObject {
  const [first] = entities;
  if (first === undefined) return {};
  const parentType = first.type === 'contact' ? 'Contact' : first.type === 'lead' ? 'Lead' : 'Account';
  const contacts = first.type === 'contact' ? { contactsIds: [first.id] } : {};
  return { parentType, parentId: first.id, ...contacts };
}

/** What a person reads of the call. */
function linesOf(payload: RecordPayload, language: Lang, link: string | undefined): string[] {
  const words = CALL_WORDS[language];
  const { result, waitSeconds, talkSeconds, line, queue } = payload;
  return labelled(
    [words.result, result && words.results[result]],
    [words.waited, waitSeconds],
    [words.talked, talkSeconds],
    [words.extensions, extensionsOf(payload).join(', ')],
    [words.line, line?.number],
    [words.queue, queue?.name ?? queue?.id],
    [words.recording, link],
  ).map(capital);
}
