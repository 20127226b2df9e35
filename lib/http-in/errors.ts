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
  HTTP_KEY_NEEDED: {
    en: 'A web page, or a request that came through a proxy, needs the key whatever its address: set an API key in usercrm-in and send it as "Authorization: Bearer <key>".',
    ru: 'Веб-странице и запросу через прокси нужен ключ с любого адреса: задайте ключ API в usercrm-in и передавайте его как «Authorization: Bearer <ключ>».',
  },
  HTTP_TAB_KEY_NEEDED: {
    en: 'The card needs the key: by plain http a browser does not say who asks, and this address or a proxy is not on the list of those that need none. Set an API key in usercrm-in and put it behind the address as &key=<key>, or use https and add the address of this computer to the list.',
    ru: 'Карточке нужен ключ: по обычному http браузер не сообщает, кто спрашивает, либо этого адреса (или прокси) нет в списке адресов без ключа. Задайте ключ API в usercrm-in и допишите его к адресу как &key=<ключ> или перейдите на https и внесите адрес этого компьютера в список.',
  },
  HTTP_BODY_UNREADABLE: {
    en: 'The body of the request could not be read: send JSON in UTF-8.',
    ru: 'Тело запроса не удалось прочитать: отправьте JSON в UTF-8.',
  },
  HTTP_BODY_INCOMPLETE: {
    en: 'The body of the request did not arrive in full: send it again.',
    ru: 'Тело запроса пришло не полностью: отправьте его ещё раз.',
  },
});
