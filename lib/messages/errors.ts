import { errorsFrom } from '../errors';

/** Errors of messages that come from a flow. */
export const messageError = errorsFrom({
  MESSAGE_BAD: {
    en: 'The message is no event of a call: {problemEn} Send what ami-event gives in the mode "life of calls".',
    ru: 'Сообщение не похоже на событие звонка: {problemRu} Передавайте то, что даёт ami-event в режиме «жизнь звонков».',
  },
});
