import { errorsFrom } from '../errors';

/** Errors that the outbox itself gives; those of a try come from the CRM, the store or the recordings. */
export const deliveryError = errorsFrom({
  DELIVERY_TOO_OLD: {
    en: 'Not delivered for {days} days and given up. The last try failed: {reasonEn}',
    ru: 'Не доставлено за {days} дн., попытки прекращены. Последняя не удалась: {reasonRu}',
  },
  DELIVERY_FAULT: {
    en: 'The delivery failed ({name}). This is a mistake in the pack: please report it.',
    ru: 'Сбой при доставке ({name}). Это ошибка в пакете: пожалуйста, сообщите о ней.',
  },
});
