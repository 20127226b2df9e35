import type { Text } from '../errors';
import { optional } from './json';
import type { CrmField } from './types';

/** Choices of `crm-webhook-out` that several CRMs offer. */

/** `fallbackUser`: who gets the calls that belong to nobody else. */
export const fallbackUserField = (help: Text, placeholder?: string): CrmField => ({
  name: 'fallbackUser',
  type: 'text',
  label: { en: 'Fallback user', ru: 'Ничьи звонки' },
  ...optional('placeholder', placeholder),
  help,
});

/** `card`: when the client's card opens. */
export const cardField = (help: Text): CrmField => ({
  name: 'card',
  type: 'choice',
  label: { en: "Client's card", ru: 'Карточка' },
  default: 'ringing',
  choices: [
    { value: 'ringing', label: { en: 'opens when the phone rings', ru: 'открывается при звонке' } },
    { value: 'answer', label: { en: 'opens when the call is answered', ru: 'открывается при ответе' } },
    { value: 'none', label: { en: 'does not open', ru: 'не открывается' } },
  ],
  help,
});

/** `language`: of what people read in the CRM. */
export const languageField: CrmField = {
  name: 'language',
  type: 'choice',
  label: { en: 'Entry language', ru: 'Язык записей' },
  default: 'ru',
  choices: [
    { value: 'ru', label: { en: 'Russian', ru: 'Русский' } },
    { value: 'en', label: { en: 'English', ru: 'Английский' } },
  ],
};
