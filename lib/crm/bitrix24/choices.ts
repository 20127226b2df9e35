import type { Lang } from '../../errors';
import { SettingsReader } from '../settings';
import { cardField, fallbackUserField, languageField } from '../shared-fields';
import type { CrmField } from '../types';

/** What an admin chose for the calls sent to Bitrix24. */
export interface Choices {
  readonly way: 'automatic' | 'telephony' | 'activity';
  readonly card: 'ringing' | 'answer' | 'none';
  readonly recording: 'upload' | 'link' | 'none';
  readonly createLead: boolean;
  readonly chat: boolean;
  readonly internal: boolean;
  /** User id; empty: none. */
  readonly fallbackUser: string;
  /** Own number for calls that have none; may be empty. */
  readonly line: string;
  readonly language: Lang;
}

/** Throws `CRM_BAD_SETTINGS`. */
export function readChoices(settings: Readonly<Record<string, unknown>>): Choices {
  const read = new SettingsReader(settings, {});
  return {
    way: read.choice('way', ['automatic', 'telephony', 'activity'], 'automatic'),
    card: read.choice('card', ['ringing', 'answer', 'none'], 'ringing'),
    recording: read.choice('recording', ['upload', 'link', 'none'], 'upload'),
    createLead: read.flag('createLead'),
    chat: read.flag('chat', true),
    internal: read.flag('internal'),
    fallbackUser: read.digits('fallbackUser', {
      en: 'enter the number of a Bitrix24 user, from the address of the profile page.',
      ru: 'введите номер пользователя Битрикс24 из адреса его профиля.',
    }),
    line: read.text('line'),
    language: read.choice('language', ['ru', 'en'], 'ru'),
  };
}

const byTelephony = { field: 'way', in: ['automatic', 'telephony'] } as const;

export const bitrixDeliveryFields: readonly CrmField[] = [
  {
    name: 'way',
    type: 'choice',
    label: { en: 'Record calls as', ru: 'Звонки как' },
    default: 'automatic',
    choices: [
      {
        value: 'automatic',
        label: { en: 'telephony calls or, if not allowed, activities', ru: 'звонки телефонии, а если нельзя — дела' },
      },
      { value: 'telephony', label: { en: 'telephony calls only', ru: 'только звонки телефонии' } },
      { value: 'activity', label: { en: 'activities of the client only', ru: 'только дела клиента' } },
    ],
    help: {
      en: 'Telephony calls have cards, statistics and recordings; the webhook needs the right "Telephony", which some portals give to applications only. Each call is recorded once. If the answer of Bitrix24 was lost and the call began more than 30 minutes ago, the call is registered again: the first registration is never finished and counts nowhere.',
      ru: 'У звонков телефонии есть карточки, статистика и записи; вебхуку нужно право «Телефония», а некоторые порталы дают его только приложениям. Каждый звонок записывается один раз. Если ответ Битрикс24 потерялся, а звонок начался больше 30 минут назад, звонок регистрируется заново: первая регистрация останется без завершения и нигде не учитывается.',
    },
  },
  {
    ...cardField({
      en: 'For users in the table of the CRM settings. Needs the events ringing, answer, transfer and hang-up.',
      ru: 'У пользователей из таблицы в настройках CRM. Нужны события звонка, ответа, перевода и завершения.',
    }),
    when: byTelephony,
  },
  {
    name: 'recording',
    type: 'choice',
    label: { en: 'Recording', ru: 'Аудиозапись' },
    default: 'upload',
    choices: [
      { value: 'upload', label: { en: 'upload the file', ru: 'загружать файл' } },
      {
        value: 'link',
        label: { en: 'send a link, Bitrix24 downloads it', ru: 'отправлять ссылку, Битрикс24 скачает' },
      },
      { value: 'none', label: { en: 'do not send', ru: 'не отправлять' } },
    ],
    help: {
      en: 'wav and mp3 only. Bitrix24 must be able to open the link from its server. An activity gets a link, never the file.',
      ru: 'Только wav и mp3. Ссылка должна открываться с сервера Битрикс24. В дело попадает только ссылка, не файл.',
    },
  },
  {
    name: 'createLead',
    type: 'flag',
    label: { en: 'Create leads', ru: 'Новые лиды' },
    help: {
      en: 'Bitrix24 creates a lead for an unknown number at the first ring; a portal without leads gets a contact and a deal.',
      ru: 'Для неизвестного номера Битрикс24 при первом гудке создаёт лид; если лиды отключены — контакт и сделку.',
    },
  },
  fallbackUserField(
    {
      en: 'Number of the Bitrix24 user who gets calls of extensions that no user has. Bitrix24 does not accept a call without a user.',
      ru: 'Номер пользователя Битрикс24, которому достаются звонки внутренних номеров, которых нет ни у кого. Без пользователя Битрикс24 звонок не примет.',
    },
    '1',
  ),
  {
    name: 'line',
    type: 'text',
    label: { en: 'Line', ru: 'Линия' },
    when: byTelephony,
    help: {
      en: 'For calls that name no line: your number, by which Bitrix24 distinguishes lines. An unknown number becomes a new line.',
      ru: 'Для звонков без линии: ваш номер, по которому Битрикс24 различает линии. Неизвестный номер становится новой линией.',
    },
  },
  {
    name: 'chat',
    type: 'flag',
    label: { en: 'Chat message', ru: 'Уведомление' },
    default: true,
    when: byTelephony,
    help: { en: 'Report each call in the chat of its user.', ru: 'Сообщать о каждом звонке в чат сотрудника.' },
  },
  {
    name: 'internal',
    type: 'flag',
    label: { en: 'Internal calls', ru: 'Внутр. звонки' },
    when: byTelephony,
    help: {
      en: 'Record them too: in the statistics, without a client and without cards.',
      ru: 'Записывать и их: в статистику, без клиента и без карточек.',
    },
  },
  {
    ...languageField,
    label: { en: 'Language', ru: 'Язык дел' },
    when: { field: 'way', in: ['automatic', 'activity'] },
  },
];
