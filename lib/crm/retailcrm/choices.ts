import { isTimeZone } from '../../time-zone';
import { badSettings } from '../errors';
import { SettingsReader } from '../settings';
import { cardField, fallbackUserField } from '../shared-fields';
import type { CrmField } from '../types';

/** What an admin chose for the calls sent to retailCRM. */
export interface Choices {
  readonly card: 'ringing' | 'answer' | 'none';
  readonly recordingLink: boolean;
  /** IANA name; empty: as the account has it. */
  readonly timeZone: string;
  /** User id; empty: none. */
  readonly fallbackUser: string;
  /** Own number for calls that have none; may be empty. */
  readonly line: string;
  /** Symbolic code of a shop; empty: retailCRM knows it from the own number. */
  readonly callSite: string;
}

/** Throws `CRM_BAD_SETTINGS`. */
export function readChoices(settings: Readonly<Record<string, unknown>>): Choices {
  const read = new SettingsReader(settings, {});
  const timeZone = read.text('timeZone');
  if (timeZone !== '' && !isTimeZone(timeZone)) {
    throw badSettings('timeZone', {
      en: 'enter a name like Europe/Moscow or Asia/Yekaterinburg, or nothing.',
      ru: 'введите название вроде Europe/Moscow или Asia/Yekaterinburg либо ничего.',
    });
  }
  return {
    card: read.choice('card', ['ringing', 'answer', 'none'], 'ringing'),
    recordingLink: read.flag('recordingLink', true),
    timeZone,
    fallbackUser: read.digits('fallbackUser', {
      en: 'enter the number of a retailCRM user, from the address of the user page.',
      ru: 'введите номер пользователя retailCRM из адреса его страницы.',
    }),
    line: read.text('line'),
    callSite: read.text('callSite'),
  };
}

export const retailDeliveryFields: readonly CrmField[] = [
  cardField({
    en: 'Needs the events ringing, answer, transfer and hang-up, and a telephony registered in retailCRM that accepts them.',
    ru: 'Нужны события звонка, ответа, перевода и завершения и зарегистрированная в retailCRM телефония, которая их принимает.',
  }),
  {
    name: 'recordingLink',
    type: 'flag',
    label: { en: 'Recording link', ru: 'Аудиозапись' },
    default: true,
    help: {
      en: 'Send a link to the recording. It must open for retailCRM and for its users.',
      ru: 'Отправлять ссылку на запись разговора. Она должна открываться и у retailCRM, и у её пользователей.',
    },
  },
  {
    name: 'timeZone',
    type: 'text',
    label: { en: 'Time zone', ru: 'Часовой пояс' },
    placeholder: 'Europe/Moscow',
    help: {
      en: 'retailCRM wants the local time of the account. Empty: read from the account; the key then needs the right to read the settings.',
      ru: 'retailCRM ждёт время по часовому поясу аккаунта. Пусто: берётся из аккаунта, и ключу нужно право читать настройки.',
    },
  },
  fallbackUserField(
    {
      en: 'Number of the retailCRM user who gets calls that reached no extension, or an extension that is neither in the table nor in retailCRM.',
      ru: 'Номер пользователя retailCRM, которому достаются звонки, не дошедшие до внутреннего номера или дошедшие до номера, которого нет ни в таблице, ни в retailCRM.',
    },
    '1',
  ),
  {
    name: 'line',
    type: 'text',
    label: { en: 'Own number', ru: 'Наш номер' },
    help: {
      en: 'For calls that name none. retailCRM distinguishes shops by your number, if numbers are assigned to shops there.',
      ru: 'Для звонков, в которых его нет. По вашему номеру retailCRM различает магазины, если там номера назначены магазинам.',
    },
  },
  {
    name: 'callSite',
    type: 'text',
    label: { en: 'Shop', ru: 'Магазин' },
    help: {
      en: 'Symbolic code of the shop; needed only if retailCRM cannot find it by your number.',
      ru: 'Символьный код магазина; нужен, только если retailCRM не определяет его по вашему номеру.',
    },
  },
];
