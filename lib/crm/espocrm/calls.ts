import { createHash } from 'node:crypto';
import type { CallResult, RecordPayload } from '../../messages/types';
import type { Lang } from '../../errors';
import { badAnswer, crmError } from '../errors';
import { clientNumber } from '../event-client';
import { scalar, type JsonObject } from '../json';
import { SettingsReader } from '../settings';
import type { CrmAnswer, CrmEntity, CrmField, Delivered, DeliverableEvent, DeliveryContext } from '../types';
import type { EspoApi } from './api';
import type { EspoClients } from './clients';

export const espoDeliveryFields: readonly CrmField[] = [
  {
    name: 'fallbackUser',
    type: 'text',
    label: { en: 'User for calls of nobody', ru: 'Пользователь для ничьих звонков' },
    help: {
      en: 'Id of the EspoCRM user who gets the calls of extensions that are not in the table, when the client has no responsible user either. EspoCRM takes no call without a user.',
      ru: 'Id пользователя EspoCRM, которому достаются звонки внутренних номеров не из таблицы, если и у клиента нет ответственного. Без пользователя EspoCRM звонок не примет.',
    },
  },
  {
    name: 'language',
    type: 'choice',
    label: { en: 'Language of the entries', ru: 'Язык записей' },
    default: 'ru',
    choices: [
      { value: 'ru', label: { en: 'Russian', ru: 'Русский' } },
      { value: 'en', label: { en: 'English', ru: 'Английский' } },
    ],
  },
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
  async deliver(event: DeliverableEvent, context: DeliveryContext): Promise<Delivered> {
    if (event.topic !== 'call_record' || event.payload.direction === 'internal') return { status: 'skipped' };
    const { payload } = event;
    const known = await context.memo.get(POSTED);
    if (known !== undefined) return this.delivered(known);

    const mark = markOf(payload.eventId);
    const begun = (await context.memo.get(POSTING)) !== undefined;
    const found = begun ? await this.find(mark, context) : undefined;
    const id = found ?? (await this.post(payload, mark, context));
    await context.memo.set(POSTED, id);
    return this.delivered(id);
  }

  private delivered(id: string): Delivered {
    return { status: 'delivered', answer: { id, url: this.api.card('Call', id) } };
  }

  private async find(mark: string, context: DeliveryContext): Promise<string | undefined> {
    const where = { type: 'contains', attribute: 'description', value: mark } as const;
    const { list } = await this.api.list('Call', { where, select: ['id', 'name'], maxSize: 1 }, context);
    return scalar(list[0]?.id);
  }

  private async post(payload: RecordPayload, mark: string, context: DeliveryContext): Promise<string> {
    const read = new SettingsReader(context.settings, {});
    const number = clientNumber(payload.client);
    const client: CrmAnswer = number === undefined ? { found: false } : await this.clients.find(number, context);
    const userOf = (extension: string) => context.userOf(extension)?.userId;
    const assigned =
      responsible(payload, userOf) ?? (client.found ? client.owner?.id : undefined) ?? read.text('fallbackUser');
    if (assigned === '') throw crmError('CRM_NO_USER', { extensions: extensionsOf(payload).join(', ') || '—' });
    const talked = payload.talked.map(userOf).filter((id) => id !== undefined);
    const words = TEXTS[read.choice('language', ['ru', 'en'], 'ru')];
    const url = payload.recording?.url ?? recordingLink(payload, context);
    const times = timesOf(payload);
    const fields = {
      name: words.name(payload),
      status: payload.result === 'answered' ? 'Held' : 'Not Held',
      direction: payload.direction === 'in' ? 'Inbound' : 'Outbound',
      ...times,
      description: [...words.description(payload, url), mark].join('\n'),
      assignedUserId: assigned,
      usersIds: [...new Set([assigned, ...talked])],
      ...(client.found ? parentOf(client.entities) : {}),
    };
    await context.memo.set(POSTING, mark);
    const answer = await this.api.create('Call', fields, context, true);
    if (!('made' in answer)) {
      throw badAnswer({ en: 'it calls a call a duplicate.', ru: 'он называет звонок дубликатом.' });
    }
    const id = scalar(answer.made.id) ?? '';
    // The stored duration is the default of its field and never true; the end of the call is what counts, and may be one too.
    if (scalar(answer.made.dateEnd) !== times.dateEnd) await this.api.update('Call', id, times, context);
    return id;
  }
}

/** Nobody else writes this; letters and digits only, since EspoCRM compares by LIKE. */
const markOf = (eventId: string): string =>
  `asterisk-${createHash('sha256').update(eventId).digest('hex').slice(0, 24)}`;

const extensionsOf = ({ extension, talked, rung }: RecordPayload): string[] => [
  ...new Set([...(extension === undefined ? [] : [extension]), ...talked, ...rung]),
];

/** The user who had the call: of the record's extension, else of the last who talked, else of the first who was rung. */
function responsible(payload: RecordPayload, userOf: (extension: string) => string | undefined): string | undefined {
  const others = [...payload.talked].reverse().concat(payload.rung);
  const own = payload.extension === undefined ? [] : [payload.extension];
  return payload.user?.id ?? [...own, ...others].map(userOf).find((id) => id !== undefined);
}

function recordingLink({ recording }: RecordPayload, { recordings }: DeliveryContext): string | undefined {
  return recording?.file === undefined ? undefined : recordings?.link(recording.file);
}

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

interface Words {
  name(payload: RecordPayload): string;
  description(payload: RecordPayload, url: string | undefined): string[];
}

const numberOf = ({ client }: RecordPayload): string | undefined => client?.e164 ?? client?.number;

const RESULTS: Readonly<Record<Lang, Readonly<Record<CallResult, string>>>> = {
  en: {
    answered: 'answered',
    missed: 'missed',
    busy: 'busy',
    'no-answer': 'no answer',
    cancelled: 'cancelled',
    failed: 'failed',
    abandoned: 'hung up while waiting in the queue',
    voicemail: 'voicemail',
  },
  ru: {
    answered: 'отвечен',
    missed: 'пропущен',
    busy: 'занято',
    'no-answer': 'нет ответа',
    cancelled: 'отменён',
    failed: 'не удался',
    abandoned: 'клиент не дождался в очереди',
    voicemail: 'голосовая почта',
  },
};

const TEXTS: Readonly<Record<Lang, Words>> = {
  en: {
    name(payload) {
      if (payload.direction === 'out') return `Call to ${numberOf(payload) ?? 'an unknown number'}`;
      const number = numberOf(payload) ?? 'a withheld number';
      return payload.result === 'answered' ? `Call from ${number}` : `Missed call from ${number}`;
    },
    description(payload, url) {
      return lines(
        ['Result', payload.result && RESULTS.en[payload.result]],
        ['Waited, s', payload.waitSeconds],
        ['Talked, s', payload.talkSeconds],
        ['Extensions', extensionsOf(payload).join(', ')],
        ['Own number', payload.line?.number],
        ['Queue', payload.queue?.name ?? payload.queue?.id],
        ['Recording', url],
      );
    },
  },
  ru: {
    name(payload) {
      if (payload.direction === 'out') return `Звонок на ${numberOf(payload) ?? 'неизвестный номер'}`;
      const number = numberOf(payload) ?? 'скрытого номера';
      return payload.result === 'answered' ? `Звонок от ${number}` : `Пропущенный звонок от ${number}`;
    },
    description(payload, url) {
      return lines(
        ['Итог', payload.result && RESULTS.ru[payload.result]],
        ['Ожидание, с', payload.waitSeconds],
        ['Разговор, с', payload.talkSeconds],
        ['Внутренние номера', extensionsOf(payload).join(', ')],
        ['Наш номер', payload.line?.number],
        ['Очередь', payload.queue?.name ?? payload.queue?.id],
        ['Запись', url],
      );
    },
  },
};

const lines = (...pairs: (readonly [string, string | number | undefined])[]): string[] =>
  pairs.filter(([, value]) => value !== undefined && value !== '').map(([name, value]) => `${name}: ${value ?? ''}`);
