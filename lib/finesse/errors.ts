import { errorsFrom } from '../errors';
import type { TelephonyError, Text } from '../errors';
import type { TlsReason, UnreachableReason } from '../http-out/failures';

/** What can go wrong with Finesse. `{host}` is name and port; no text holds a password. */
export const finesseError = errorsFrom({
  FINESSE_BAD_SETTINGS: {
    en: 'The settings of Finesse "{name}" cannot be used: {problemEn}',
    ru: 'Настройки Finesse «{name}» нельзя использовать: {problemRu}',
  },
  FINESSE_ONLY_CLICKS: {
    en: 'Cisco Finesse can only join an agent with a client (click-to-call): autocalls and plain calls need an Asterisk. Choose an ami-config in this node.',
    ru: 'Cisco Finesse умеет только соединять оператора с клиентом (звонок по клику): для автообзвона и простых вызовов нужен Asterisk. Выберите в узле ami-config.',
  },
  FINESSE_NO_AGENT: {
    en: 'Nobody in the table of agents has the extension {extension}: add a line with the login and the password to the finesse-config.',
    ru: 'В таблице операторов нет внутреннего номера {extension}: добавьте в finesse-config строку с логином и паролем.',
  },
  FINESSE_BAD_NUMBER: {
    en: 'The number "{number}" cannot be given to Finesse: digits only, at most 32, a + before them.',
    ru: 'Номер «{number}» нельзя передать в Finesse: только цифры, не больше 32, перед ними можно +.',
  },
  FINESSE_OWN_NUMBER: {
    en: 'The agent at extension {extension} cannot call himself: order another number.',
    ru: 'Оператор с внутренним номером {extension} не может звонить сам себе: укажите другой номер.',
  },
  FINESSE_UNREACHABLE: {
    en: 'No answer from Finesse at {host}: {problemEn}',
    ru: 'Finesse {host} не отвечает: {problemRu}',
  },
  FINESSE_TLS: {
    en: 'The certificate of Finesse at {host} is refused: {problemEn}',
    ru: 'Сертификат Finesse {host} не принят: {problemRu}',
  },
  FINESSE_TIMEOUT: {
    en: 'Finesse at {host} did not answer within {ms} ms: look at the load of the server and the network.',
    ru: 'Finesse {host} не ответил за {ms} мс: проверьте нагрузку сервера и сеть.',
  },
  FINESSE_OUT_OF_SERVICE: {
    en: 'Finesse at {host} is out of service: wait until it has started, or enter the address of the other node of the pair.',
    ru: 'Finesse {host} не обслуживает (OUT_OF_SERVICE): дождитесь запуска или укажите адрес второго узла пары.',
  },
  FINESSE_PASSWORD: {
    en: 'Finesse at {host} refuses the login {login} with its password: correct them in the finesse-config. It is not tried again for five minutes, because Finesse locks an account after five wrong passwords.',
    ru: 'Finesse {host} не принимает логин {login} с его паролем: исправьте их в finesse-config. Пять минут новых попыток не будет: после пяти неверных паролей Finesse блокирует учётную запись.',
  },
  FINESSE_NO_USER: {
    en: 'Finesse at {host} knows no user {login}: write the agent ID with which the agent signs in.',
    ru: 'Finesse {host} не знает пользователя {login}: укажите ID оператора (agent ID), с которым он входит.',
  },
  FINESSE_REFUSED: {
    en: 'Finesse at {host} refused ({status}): {words}. A call can be made only from the extension that the agent is signed in to, usually in the state Not Ready.',
    ru: 'Finesse {host} отказал ({status}): {words}. Звонить можно только с номера, под которым оператор вошёл, обычно в состоянии «Не готов».',
  },
  FINESSE_SERVER_ERROR: {
    en: 'Finesse at {host} failed ({status}): {words}. Look into the logs of Finesse.',
    ru: 'Сбой на стороне Finesse {host} ({status}): {words}. Подробности — в журналах Finesse.',
  },
  FINESSE_BAD_ANSWER: {
    en: 'What answers at {host} ({status}) is not the interface of Finesse: check the address and the port (8445 as a rule).',
    ru: 'По адресу {host} отвечает не Finesse ({status}): проверьте адрес и порт (обычно 8445).',
  },
  FINESSE_AGENT_BUSY: {
    en: 'The agent at extension {extension} is in another call: order again when it is over.',
    ru: 'Оператор с внутренним номером {extension} занят другим звонком: повторите, когда он закончится.',
  },
  FINESSE_NO_CALL: {
    en: 'Finesse accepted the order, but no call of extension {extension} began within {seconds} s. The agent must be signed in at this extension, in the state Not Ready, with a phone in service.',
    ru: 'Finesse принял команду, но звонок с номера {extension} за {seconds} с не начался. Оператор должен войти под этим номером, быть в состоянии «Не готов», а телефон — работать.',
  },
  FINESSE_CALL_FAILED: {
    en: 'The call from extension {extension} failed: {cause}.',
    ru: 'Звонок с номера {extension} не удался: {cause}.',
  },
  FINESSE_LINK_LOST: {
    en: 'It is not known how the call from extension {extension} ended: Finesse could not be asked meanwhile. It is not dialled again.',
    ru: 'Чем кончился звонок с номера {extension}, неизвестно: спросить Finesse в это время не удалось. Повторно не набирается.',
  },
  FINESSE_TOO_LATE: {
    en: 'Finesse began the call from extension {extension} only after the time of the order was over: it was hung up. Look at the load of the server.',
    ru: 'Finesse начал звонок с номера {extension}, когда срок заказа уже истёк: звонок завершён. Проверьте нагрузку сервера.',
  },
  FINESSE_NOT_FOUND: {
    en: 'It is not known how the call from extension {extension} ended: after the restart it was no longer there. It is not dialled again.',
    ru: 'Чем кончился звонок с номера {extension}, неизвестно: после перезапуска его уже не было. Повторно не набирается.',
  },
  FINESSE_FAULT: {
    en: 'The code for Finesse failed ({name}). This is a mistake in the pack: please report it.',
    ru: 'Сбой в коде для Finesse ({name}). Это ошибка в пакете: пожалуйста, сообщите о ней.',
  },
  FINESSE_CLOSED: {
    en: 'The connection to Finesse was closed, because the flow was stopped or deployed again.',
    ru: 'Связь с Finesse закрыта: поток остановлен или развёрнут заново.',
  },
});

/** `FINESSE_BAD_SETTINGS`; `name` is that of the config node. */
export const badSettings = (name: string, problem: Text): TelephonyError =>
  finesseError('FINESSE_BAD_SETTINGS', { name, problemEn: problem.en, problemRu: problem.ru });

const UNREACHABLE: Readonly<Record<UnreachableReason, Text>> = {
  dns: { en: 'its name cannot be resolved.', ru: 'имя не найдено в DNS.' },
  refused: {
    en: 'the connection is refused; check the port and that Finesse runs.',
    ru: 'соединение отклонено; проверьте порт и что Finesse запущен.',
  },
  reset: { en: 'the connection broke.', ru: 'соединение оборвалось.' },
  'no-route': { en: 'there is no way to it in this network.', ru: 'из этой сети он недоступен.' },
  'connect-timeout': {
    en: 'no connection came about; check the address, the port and the firewall.',
    ru: 'соединение не устанавливается; проверьте адрес, порт и межсетевой экран.',
  },
  protocol: {
    en: 'it does not speak HTTP there; check the port and https://.',
    ru: 'на этом порту не HTTP; проверьте порт и https://.',
  },
  failed: { en: 'the connection failed ({system}).', ru: 'соединение не удалось ({system}).' },
};

const TLS: Readonly<Record<TlsReason, Text>> = {
  'wrong-name': {
    en: 'it is for another name; write the address with the name that stands in the certificate.',
    ru: 'он выдан на другое имя; укажите в адресе имя из сертификата.',
  },
  'unknown-authority': {
    en: 'its authority is unknown here; choose a TLS configuration that holds the CA certificate (for a self-signed one, the certificate itself).',
    ru: 'его центр здесь неизвестен; выберите конфигурацию TLS с сертификатом CA (для самоподписанного — с ним самим).',
  },
  expired: { en: 'it has expired.', ru: 'его срок истёк.' },
  'not-yet-valid': { en: 'it is not valid yet; check the clocks.', ru: 'он ещё не действует; проверьте часы.' },
  failed: { en: 'TLS failed ({system}); check the port.', ru: 'ошибка TLS ({system}); проверьте порт.' },
};

function worded(code: 'FINESSE_UNREACHABLE' | 'FINESSE_TLS', host: string, why: string, text: Text, system: string) {
  const [problemEn, problemRu] = [text.en, text.ru].map((one) => one.replace('{system}', system)) as [string, string];
  return finesseError(code, { host, why, problemEn, problemRu });
}

/** `FINESSE_UNREACHABLE`; `params.why` is the reason. */
export const unreachableError = (host: string, why: UnreachableReason, system: string): TelephonyError =>
  worded('FINESSE_UNREACHABLE', host, why, UNREACHABLE[why], system);

/** `FINESSE_TLS`; `params.why` is the reason. */
export const tlsError = (host: string, why: TlsReason, system: string): TelephonyError =>
  worded('FINESSE_TLS', host, why, TLS[why], system);
