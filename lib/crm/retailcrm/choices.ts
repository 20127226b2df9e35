import { badSettings } from '../errors';
import { SettingsReader } from '../settings';
import type { CrmField } from '../types';
import { isTimeZone } from './time';

/** What an admin chose for the calls that are told to retailCRM. */
export interface Choices {
  readonly card: 'ringing' | 'answer' | 'none';
  readonly recordingLink: boolean;
  /** IANA name; empty: as the account has it. */
  readonly timeZone: string;
  /** User id; empty: none. */
  readonly fallbackUser: string;
  /** Own number of calls that do not tell theirs; may be empty. */
  readonly line: string;
  /** Symbolic code of a shop; empty: retailCRM knows it from the own number. */
  readonly callSite: string;
}

/** Throws `CRM_BAD_SETTINGS`. */
export function readChoices(settings: Readonly<Record<string, unknown>>): Choices {
  const read = new SettingsReader(settings, {});
  const [fallbackUser, timeZone] = [read.text('fallbackUser'), read.text('timeZone')];
  if (!/^\d*$/.test(fallbackUser)) {
    throw badSettings('fallbackUser', {
      en: 'enter the number of a retailCRM user: it stands in the address of his page.',
      ru: 'введите номер пользователя retailCRM: он есть в адресе его страницы.',
    });
  }
  if (timeZone !== '' && !isTimeZone(timeZone)) {
    throw badSettings('timeZone', {
      en: 'enter a name like Europe/Moscow or Asia/Yekaterinburg, or nothing.',
      ru: 'введите название вроде Europe/Moscow или Asia/Yekaterinburg либо ничего.',
    });
  }
  return {
    card: read.choice('card', ['ringing', 'answer', 'none'], 'ringing'),
    recordingLink: settings.recordingLink === undefined || read.flag('recordingLink'),
    timeZone,
    fallbackUser,
    line: read.text('line'),
    callSite: read.text('callSite'),
  };
}

export const retailDeliveryFields: readonly CrmField[] = [
  {
    name: 'card',
    type: 'choice',
    label: { en: 'Card of the client', ru: 'Карточка клиента' },
    default: 'ringing',
    choices: [
      { value: 'ringing', label: { en: 'opens when the phone rings', ru: 'открывается, когда звонит телефон' } },
      { value: 'answer', label: { en: 'opens at the answer', ru: 'открывается при ответе' } },
      { value: 'none', label: { en: 'does not open', ru: 'не открывается' } },
    ],
    help: {
      en: 'Needs the events ringing, answer, transfer and hang-up, and a telephony registered in retailCRM that takes them.',
      ru: 'Нужны события звонка, ответа, перевода и завершения и зарегистрированная в retailCRM телефония, которая их принимает.',
    },
  },
  {
    name: 'recordingLink',
    type: 'flag',
    label: { en: 'Pass on the link to the recording', ru: 'Передавать ссылку на запись разговора' },
    default: true,
    help: {
      en: 'It must open from where retailCRM and its users are.',
      ru: 'Она должна открываться оттуда, где работают retailCRM и её пользователи.',
    },
  },
  {
    name: 'timeZone',
    type: 'text',
    label: { en: 'Time zone of retailCRM', ru: 'Часовой пояс retailCRM' },
    placeholder: 'Europe/Moscow',
    help: {
      en: 'Calls are written in the local time of the account. Empty: it is asked for, and the key needs the right to read the settings.',
      ru: 'Время звонков пишется по местному времени аккаунта. Если пусто, оно запрашивается, и ключу нужно право читать настройки.',
    },
  },
  {
    name: 'fallbackUser',
    type: 'text',
    label: { en: 'User for calls of nobody', ru: 'Пользователь для ничьих звонков' },
    placeholder: '1',
    help: {
      en: 'Number of the retailCRM user who gets the calls that reached no extension, or one that neither the table nor retailCRM knows.',
      ru: 'Номер пользователя retailCRM, которому достаются звонки, не дошедшие до внутреннего номера или дошедшие до номера, которого нет ни в таблице, ни в retailCRM.',
    },
  },
  {
    name: 'line',
    type: 'text',
    label: { en: 'Own number, when the call tells none', ru: 'Наш номер, если звонок его не называет' },
    help: {
      en: 'By the own number retailCRM tells shops apart, as far as they are assigned to numbers there.',
      ru: 'По нашему номеру retailCRM различает магазины, если они там назначены номерам.',
    },
  },
  {
    name: 'callSite',
    type: 'text',
    label: { en: 'Shop of the calls', ru: 'Магазин звонков' },
    help: {
      en: 'Symbolic code of the shop; needed only where retailCRM cannot tell it from the own number.',
      ru: 'Символьный код магазина; нужен, только если retailCRM не узнаёт его по нашему номеру.',
    },
  },
];
