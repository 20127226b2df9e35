import { errorsFrom } from '../errors';

/** What can be wrong with an answer that a flow gives. */
export const questionError = errorsFrom({
  QUESTION_MISSING: {
    en: 'The message carries no question: msg.usercrm is what usercrm-in wrote, and must still be there.',
    ru: 'В сообщении нет вопроса: в msg.usercrm должно оставаться то, что записал узел usercrm-in.',
  },
  QUESTION_GONE: {
    en: 'Nobody waits for this answer any more: the deadline passed, the call ended, or it was already answered. Answer sooner, or raise the deadline in usercrm-in.',
    ru: 'Этого ответа больше никто не ждёт: срок прошёл, звонок завершён или ответ уже дан. Отвечайте быстрее или увеличьте срок в usercrm-in.',
  },
  ANSWER_NOT_UNDERSTOOD: {
    en: 'There is no answer in msg.{property}, nor in msg.payload: give the result of crm-lookup, or an object {shape}. The asker was told "nobody".',
    ru: 'Ответа нет ни в msg.{property}, ни в msg.payload: передайте результат crm-lookup или объект {shape}. Спрашивавшему отвечено «никого».',
  },
  ANSWER_FROM_FLOW: {
    en: 'The flow answered with code {code}: {text}',
    ru: 'Поток ответил с кодом {code}: {text}',
  },
  ANSWER_TOO_LATE: {
    en: 'The flow did not answer in time.',
    ru: 'Поток не ответил вовремя.',
  },
  ANSWER_FAILED: {
    en: 'Something unexpected went wrong here: see the log of Node-RED.',
    ru: 'Произошла непредвиденная ошибка: см. журнал Node-RED.',
  },
  TOO_MANY_QUESTIONS: {
    en: 'Too many questions are waiting for an answer ({limit}): ask again later.',
    ru: 'Слишком много вопросов ждут ответа ({limit}): повторите позже.',
  },
});
