import type { CrmField } from '../types';

/** What `crm-webhook-out` asks for a CRM that speaks UserCRM. */
export const usercrmDeliveryFields: readonly CrmField[] = [
  {
    name: 'unmapped',
    type: 'flag',
    label: { en: 'All extensions', ru: 'Все номера' },
    help: {
      en: 'Send events of extensions without a CRM user too, with an empty crm_user. The call record (cdr_append) names no user and is always sent.',
      ru: 'Отправлять и события внутренних номеров без пользователя CRM, с пустым crm_user. Запись о звонке (cdr_append) пользователя не называет и отправляется всегда.',
    },
    default: false,
  },
  {
    name: 'internal',
    type: 'flag',
    label: { en: 'Internal calls', ru: 'Внутр. звонки' },
    help: {
      en: 'Send calls between extensions too, with direction 2. The protocol defines no value for them: make sure that your CRM understands 2.',
      ru: 'Отправлять и звонки между внутренними номерами, с direction 2. В протоколе значения для них нет: убедитесь, что ваша CRM понимает 2.',
    },
    default: false,
  },
  {
    name: 'country',
    type: 'text',
    label: { en: 'Country', ru: 'Страна' },
    help: {
      en: 'Country of your numbers, two letters. With them gateway_number is always sent in international format, however the provider writes it.',
      ru: 'Страна ваших номеров, две буквы. По ним gateway_number всегда отправляется в международном формате, как бы его ни писал провайдер.',
    },
    default: 'RU',
  },
];
