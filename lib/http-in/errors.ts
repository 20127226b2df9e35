import { errorsFrom } from '../errors';

/** What can be wrong with the settings of an endpoint, and with a request before any protocol looks at it. */
export const httpInError = errorsFrom({
  HTTP_BAD_ALLOW_LIST: {
    en: 'The allowed address "{entry}" is not understood: write addresses or networks like 127.0.0.1, 10.0.0.0/8, ::1, separated by commas.',
    ru: 'Разрешённый адрес «{entry}» не понят: пишите адреса или сети вида 127.0.0.1, 10.0.0.0/8, ::1 через запятую.',
  },
  HTTP_AUTHORIZATION_REPEATED: {
    en: 'The header Authorization was sent more than once: send it once.',
    ru: 'Заголовок Authorization передан несколько раз: передайте его один раз.',
  },
  HTTP_BODY_INCOMPLETE: {
    en: 'The body of the request did not arrive in full: send it again.',
    ru: 'Тело запроса пришло не полностью: отправьте его ещё раз.',
  },
});
