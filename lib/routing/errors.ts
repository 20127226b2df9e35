import { errorsFrom } from '../errors';

export const routingError = errorsFrom({
  ROUTE_NO_NUMBER: {
    en: 'The call has no number to ask the CRM for (empty or withheld). It goes on by its normal way.',
    ru: 'У звонка нет номера, о котором можно спросить CRM (пусто или номер скрыт). Звонок идёт обычным путём.',
  },
  ROUTE_BAD_NUMBER: {
    en: 'What should be the number of the caller is none (too long, or with characters that no number has). The call goes on by its normal way.',
    ru: 'То, что должно быть номером звонящего, номером не является (слишком длинное или с недопустимыми символами). Звонок идёт обычным путём.',
  },
  ROUTE_TIMEOUT: {
    en: 'No answer about the caller in {ms} ms. The call goes on by its normal way.',
    ru: 'За {ms} мс нет ответа о звонящем. Звонок идёт обычным путём.',
  },
  ROUTE_BAD_EXTENSION: {
    en: 'The responsible person has an extension that cannot be one ("{extension}"). Correct it in the CRM or in the table of users.',
    ru: 'Внутренний номер ответственного не может быть номером («{extension}»). Исправьте его в CRM или в таблице пользователей.',
  },
  ROUTE_BAD_SUBSTITUTE: {
    en: '"{extension}" cannot stand in for anybody: write an extension, a ring group or a queue.',
    ru: '«{extension}» не может никого замещать: укажите внутренний номер, группу или очередь.',
  },
  ROUTE_FAULT: {
    en: 'The question about the caller failed ({name}). This is a mistake in the pack: please report it.',
    ru: 'Вопрос о звонящем не удался ({name}). Это ошибка в пакете: пожалуйста, сообщите о ней.',
  },
});
