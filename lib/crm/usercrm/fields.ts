import type { CrmField } from '../types';

/** What `crm-webhook-out` asks for a CRM that speaks UserCRM. */
export const usercrmDeliveryFields: readonly CrmField[] = [
  {
    name: 'unmapped',
    type: 'flag',
    label: {
      en: 'Events of extensions without a CRM user too, with an empty crm_user',
      ru: 'Отправлять и события внутренних номеров без пользователя CRM, с пустым crm_user',
    },
    help: {
      en: 'The record of the call (cdr_append) names no user and is always sent.',
      ru: 'Запись о звонке (cdr_append) пользователя не называет и отправляется всегда.',
    },
    default: false,
  },
  {
    name: 'internal',
    type: 'flag',
    label: {
      en: 'Calls between extensions too (direction 2)',
      ru: 'И звонки между внутренними номерами (direction 2)',
    },
    help: {
      en: 'The protocol names no value for them: make sure that your CRM knows 2.',
      ru: 'В протоколе значения для них нет: убедитесь, что ваша CRM знает 2.',
    },
    default: false,
  },
  {
    name: 'country',
    type: 'text',
    label: { en: 'Country of the own numbers', ru: 'Страна своих номеров' },
    help: {
      en: 'Two letters: by them gateway_number is written internationally, however the provider sends it.',
      ru: 'Две буквы: по ним gateway_number пишется в международном виде, как бы его ни прислал провайдер.',
    },
    default: 'RU',
  },
];
