import type { CrmField } from '../types';

/** What `crm-webhook-out` asks for a CRM that speaks UserCRM. */
export const usercrmDeliveryFields: readonly CrmField[] = [
  {
    name: 'unmapped',
    type: 'flag',
    label: {
      en: 'Send events of extensions without a CRM user too, with an empty crm_user',
      ru: 'Отправлять и события внутренних номеров без пользователя CRM, с пустым crm_user',
    },
    help: {
      en: 'The call record (cdr_append) names no user and is always sent.',
      ru: 'Запись о звонке (cdr_append) пользователя не называет и отправляется всегда.',
    },
    default: false,
  },
  {
    name: 'internal',
    type: 'flag',
    label: {
      en: 'Send calls between extensions too (direction 2)',
      ru: 'Отправлять и звонки между внутренними номерами (direction 2)',
    },
    help: {
      en: 'The protocol defines no value for them: make sure that your CRM understands 2.',
      ru: 'В протоколе значения для них нет: убедитесь, что ваша CRM понимает 2.',
    },
    default: false,
  },
  {
    name: 'country',
    type: 'text',
    label: { en: 'Country of your numbers', ru: 'Страна ваших номеров' },
    help: {
      en: 'Two letters. With them gateway_number is always sent in international format, however the provider writes it.',
      ru: 'Две буквы. По ним gateway_number всегда отправляется в международном формате, как бы его ни писал провайдер.',
    },
    default: 'RU',
  },
];
