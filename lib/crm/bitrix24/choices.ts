import type { Lang } from '../../errors';
import { badSettings } from '../errors';
import { SettingsReader } from '../settings';
import type { CrmField } from '../types';

/** What an admin chose for the calls that are told to Bitrix24. */
export interface Choices {
  readonly way: 'automatic' | 'telephony' | 'activity';
  readonly card: 'ringing' | 'answer' | 'none';
  readonly recording: 'upload' | 'link' | 'none';
  readonly createLead: boolean;
  readonly chat: boolean;
  readonly internal: boolean;
  /** User id; empty: none. */
  readonly fallbackUser: string;
  /** Own number of calls that do not tell theirs; may be empty. */
  readonly line: string;
  readonly language: Lang;
}

/** Throws `CRM_BAD_SETTINGS`. */
export function readChoices(settings: Readonly<Record<string, unknown>>): Choices {
  const read = new SettingsReader(settings, {});
  const fallbackUser = read.text('fallbackUser');
  if (!/^\d*$/.test(fallbackUser)) {
    throw badSettings('fallbackUser', {
      en: 'enter the number of a Bitrix24 user: it stands in the address of his profile.',
      ru: 'введите номер пользователя Битрикс24: он есть в адресе его профиля.',
    });
  }
  return {
    way: read.choice('way', ['automatic', 'telephony', 'activity'], 'automatic'),
    card: read.choice('card', ['ringing', 'answer', 'none'], 'ringing'),
    recording: read.choice('recording', ['upload', 'link', 'none'], 'upload'),
    createLead: read.flag('createLead'),
    chat: settings.chat === undefined || read.flag('chat'),
    internal: read.flag('internal'),
    fallbackUser,
    line: read.text('line'),
    language: read.choice('language', ['ru', 'en'], 'ru'),
  };
}

const byTelephony = { field: 'way', in: ['automatic', 'telephony'] } as const;

export const bitrixDeliveryFields: readonly CrmField[] = [
  {
    name: 'way',
    type: 'choice',
    label: { en: 'Calls become', ru: 'Звонки попадают в' },
    default: 'automatic',
    choices: [
      { value: 'automatic', label: { en: 'calls, or else activities', ru: 'звонки, а если нельзя — в дела' } },
      { value: 'telephony', label: { en: 'calls of telephony', ru: 'звонки телефонии' } },
      { value: 'activity', label: { en: 'activities of the client', ru: 'дела клиента' } },
    ],
    help: {
      en: 'Calls of telephony have cards, statistics and recordings; the webhook needs the right "Telephony", and some portals give it to applications only. Each call is written once. A call whose answer was lost is registered anew when it began more than 30 minutes ago: its first registration stays without an end and is counted nowhere.',
      ru: 'У звонков телефонии есть карточки, статистика и записи; вебхуку нужно право «Телефония», а некоторые порталы дают его только приложениям. Каждый звонок записывается один раз. Если ответ потерялся, а звонок начался больше 30 минут назад, он регистрируется заново: первая регистрация останется без завершения и нигде не учитывается.',
    },
  },
  {
    name: 'card',
    type: 'choice',
    label: { en: 'Card of the client', ru: 'Карточка клиента' },
    default: 'ringing',
    when: byTelephony,
    choices: [
      { value: 'ringing', label: { en: 'opens when the phone rings', ru: 'открывается, когда звонит телефон' } },
      { value: 'answer', label: { en: 'opens at the answer', ru: 'открывается при ответе' } },
      { value: 'none', label: { en: 'does not open', ru: 'не открывается' } },
    ],
    help: {
      en: 'For users in the table of the CRM settings. Needs the events ringing, answer, transfer and hang-up.',
      ru: 'У пользователей из таблицы в настройках CRM. Нужны события звонка, ответа, перевода и завершения.',
    },
  },
  {
    name: 'recording',
    type: 'choice',
    label: { en: 'Recording', ru: 'Запись разговора' },
    default: 'upload',
    choices: [
      { value: 'upload', label: { en: 'the file is uploaded', ru: 'загружается файлом' } },
      { value: 'link', label: { en: 'Bitrix24 fetches it by a link', ru: 'Битрикс24 скачивает по ссылке' } },
      { value: 'none', label: { en: 'is not passed on', ru: 'не передаётся' } },
    ],
    help: {
      en: 'wav and mp3 only. A link must open from where Bitrix24 runs. In an activity there is a link at most.',
      ru: 'Только wav и mp3. Ссылка должна открываться оттуда, где работает Битрикс24. В деле бывает только ссылка.',
    },
  },
  {
    name: 'createLead',
    type: 'flag',
    label: { en: 'Make a lead of an unknown number', ru: 'Создавать лид по неизвестному номеру' },
    help: {
      en: 'Bitrix24 does it itself at the first ring; without leads it makes a contact and a deal.',
      ru: 'Делает сам Битрикс24 при первом гудке; без лидов — контакт и сделку.',
    },
  },
  {
    name: 'fallbackUser',
    type: 'text',
    label: { en: 'User for calls of nobody', ru: 'Пользователь для ничьих звонков' },
    placeholder: '1',
    help: {
      en: 'Number of the Bitrix24 user who gets the calls of extensions that no user has. Bitrix24 takes no call without a user.',
      ru: 'Номер пользователя Битрикс24, которому достаются звонки внутренних номеров, которых нет ни у кого. Без пользователя Битрикс24 звонок не примет.',
    },
  },
  {
    name: 'line',
    type: 'text',
    label: { en: 'Line, when the call tells none', ru: 'Линия, если звонок её не называет' },
    when: byTelephony,
    help: {
      en: 'Own number by which Bitrix24 tells lines apart. A number that it does not know becomes a new line.',
      ru: 'Свой номер, по которому Битрикс24 различает линии. Неизвестный ему номер становится новой линией.',
    },
  },
  {
    name: 'chat',
    type: 'flag',
    label: { en: 'Tell the user of the call in his chat', ru: 'Сообщать о звонке в чат сотрудника' },
    default: true,
    when: byTelephony,
  },
  {
    name: 'internal',
    type: 'flag',
    label: { en: 'Internal calls too', ru: 'И внутренние звонки' },
    when: byTelephony,
    help: {
      en: 'They appear in the statistics, without a client and without cards.',
      ru: 'Попадают в статистику, без клиента и без карточек.',
    },
  },
  {
    name: 'language',
    type: 'choice',
    label: { en: 'Language of activities', ru: 'Язык дел' },
    default: 'ru',
    when: { field: 'way', in: ['automatic', 'activity'] },
    choices: [
      { value: 'ru', label: { en: 'Russian', ru: 'Русский' } },
      { value: 'en', label: { en: 'English', ru: 'Английский' } },
    ],
  },
];
