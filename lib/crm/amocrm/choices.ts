import type { Lang } from '../../errors';
import { badSettings } from '../errors';
import { SettingsReader } from '../settings';
import type { CrmField } from '../types';
import { amoId } from './api';

/** What an admin chose for the calls that are told to amoCRM. */
export interface Choices {
  readonly card: boolean;
  readonly recording: boolean;
  /** What becomes of a call whose number nobody has. */
  readonly unknown: 'unsorted' | 'lead' | 'contact' | 'none';
  /** Where leads are made; absent = the main pipeline. */
  readonly pipeline: number | undefined;
  readonly fallbackUser: number | undefined;
  readonly language: Lang;
}

/** Throws `CRM_BAD_SETTINGS`. */
export function readChoices(settings: Readonly<Record<string, unknown>>): Choices {
  const read = new SettingsReader(settings, {});
  const id = (field: string): number | undefined => {
    const text = read.text(field);
    if (text !== '' && amoId(text) === undefined) {
      throw badSettings(field, { en: 'enter a number, or nothing.', ru: 'введите число или оставьте пустым.' });
    }
    return amoId(text);
  };
  const flag = (field: string) => settings[field] === undefined || read.flag(field);
  return {
    card: flag('card'),
    recording: flag('recording'),
    unknown: read.choice('unknown', ['unsorted', 'lead', 'contact', 'none'], 'unsorted'),
    pipeline: id('pipeline'),
    fallbackUser: id('fallbackUser'),
    language: read.choice('language', ['ru', 'en'], 'ru'),
  };
}

export const amoDeliveryFields: readonly CrmField[] = [
  {
    name: 'card',
    type: 'flag',
    default: true,
    label: { en: "Open the client's card while the phone rings", ru: 'Открывать карточку клиента при звонке' },
    help: {
      en: 'On incoming calls and transfers, for users in the table of the CRM settings who have amoCRM open. Needs the events ringing and transfer.',
      ru: 'При входящих звонках и переводах, у пользователей из таблицы в настройках CRM, у которых открыта amoCRM. Нужны события звонка и перевода.',
    },
  },
  {
    name: 'unknown',
    type: 'choice',
    label: { en: 'Calls of unknown numbers', ru: 'Звонки с неизвестных номеров' },
    default: 'unsorted',
    choices: [
      { value: 'unsorted', label: { en: 'incoming ones go to Incoming leads', ru: 'входящие — в «Неразобранное»' } },
      { value: 'lead', label: { en: 'become leads with a contact', ru: 'становятся сделками с контактом' } },
      { value: 'contact', label: { en: 'become contacts', ru: 'становятся контактами' } },
      { value: 'none', label: { en: 'are not written', ru: 'не записываются' } },
    ],
    help: {
      en: 'amoCRM writes a call only to a contact or company that has its number. Incoming leads take incoming calls alone; outgoing ones to unknown numbers are then not written.',
      ru: 'amoCRM записывает звонок только контакту или компании с этим номером. «Неразобранное» принимает только входящие; исходящие на неизвестные номера тогда не записываются.',
    },
  },
  {
    name: 'pipeline',
    type: 'text',
    label: { en: 'Pipeline of new leads', ru: 'Воронка новых сделок' },
    placeholder: '2194576',
    when: { field: 'unknown', in: ['unsorted', 'lead'] },
    help: {
      en: 'Its number stands in the address of the pipeline page. Empty: the main one.',
      ru: 'Её номер есть в адресе страницы воронки. Пусто — основная.',
    },
  },
  {
    name: 'recording',
    type: 'flag',
    default: true,
    label: { en: 'Link to the recording', ru: 'Ссылка на запись разговора' },
    help: {
      en: 'amoCRM plays it from there: the link must open in the browsers of your users, best as mp3.',
      ru: 'amoCRM проигрывает запись оттуда: ссылка должна открываться в браузерах сотрудников, лучше в mp3.',
    },
  },
  {
    name: 'fallbackUser',
    type: 'text',
    label: { en: 'User for calls of nobody', ru: 'Пользователь для ничьих звонков' },
    placeholder: '504141',
    help: {
      en: 'Number of the amoCRM user who gets the calls of extensions that are not in the table. Empty: the one who made the token.',
      ru: 'Номер пользователя amoCRM, которому достаются звонки внутренних номеров не из таблицы. Пусто — тот, кто создал токен.',
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
