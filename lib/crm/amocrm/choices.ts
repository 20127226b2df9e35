import type { Lang } from '../../errors';
import { badSettings } from '../errors';
import { SettingsReader } from '../settings';
import { fallbackUserField, languageField } from '../shared-fields';
import type { CrmField } from '../types';
import { amoId } from './api';

/** What an admin chose for the calls sent to amoCRM. */
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
  return {
    card: read.flag('card', true),
    recording: read.flag('recording', true),
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
    label: { en: "Client's card", ru: 'Карточка' },
    help: {
      en: 'Opens when the phone rings, for incoming calls and transfers, on the screens of users who are in the table of the CRM settings and have amoCRM open. Needs the events ringing and transfer.',
      ru: 'Открывается при входящих звонках и переводах у пользователей из таблицы в настройках CRM, у которых открыта amoCRM. Нужны события звонка и перевода.',
    },
  },
  {
    name: 'unknown',
    type: 'choice',
    label: { en: 'New numbers', ru: 'Новые номера' },
    default: 'unsorted',
    choices: [
      {
        value: 'unsorted',
        label: { en: 'to Incoming leads (incoming calls only)', ru: 'в «Неразобранное» (только входящие)' },
      },
      { value: 'lead', label: { en: 'create a lead with a contact', ru: 'создать сделку с контактом' } },
      { value: 'contact', label: { en: 'create a contact', ru: 'создать контакт' } },
      { value: 'none', label: { en: 'do not record the call', ru: 'звонок не записывать' } },
    ],
    help: {
      en: 'amoCRM records a call only for a contact or company that has its number. Incoming leads accept incoming calls only: outgoing calls to unknown numbers are then not recorded.',
      ru: 'amoCRM записывает звонок только контакту или компании с этим номером. «Неразобранное» принимает только входящие; исходящие на неизвестные номера тогда не записываются.',
    },
  },
  {
    name: 'pipeline',
    type: 'text',
    label: { en: 'Pipeline', ru: 'Воронка' },
    placeholder: '2194576',
    when: { field: 'unknown', in: ['unsorted', 'lead'] },
    help: {
      en: 'For new leads: the number in the address of the pipeline page. Empty: the main pipeline.',
      ru: 'Для новых сделок: номер из адреса страницы воронки. Пусто — основная.',
    },
  },
  {
    name: 'recording',
    type: 'flag',
    default: true,
    label: { en: 'Recording link', ru: 'Аудиозапись' },
    help: {
      en: 'amoCRM plays the recording from a link, which must open in the browsers of your users. mp3 works best.',
      ru: 'amoCRM проигрывает запись разговора по ссылке: она должна открываться в браузерах сотрудников. Лучше всего подходит mp3.',
    },
  },
  fallbackUserField(
    {
      en: 'Number of the amoCRM user who gets calls of extensions that are not in the table. Empty: the user who created the token.',
      ru: 'Номер пользователя amoCRM, которому достаются звонки внутренних номеров, которых нет в таблице. Пусто — тот, кто создал токен.',
    },
    '504141',
  ),
  languageField,
];
