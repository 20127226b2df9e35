import { asError, errorsFrom, TelephonyError, type ErrorParams, type Text } from '../errors';
import type { TlsReason, UnreachableReason as TransportReason } from '../http-out/failures';
import type { ClientWish, CrmField } from './types';

/** Every failure of the CRM room. Of an address the texts name the host only: paths and queries may hold keys. */
export const crmError = errorsFrom({
  CRM_BAD_SETTINGS: {
    en: 'The CRM settings cannot be used. Field "{labelEn}": {problemEn}',
    ru: 'С такими настройками CRM работать нельзя. Поле «{labelRu}»: {problemRu}',
  },
  CRM_BAD_URL: {
    en: 'The CRM address cannot be used. Enter a full address that begins with https:// or http:// and has no user name in it.',
    ru: 'Адрес CRM использовать нельзя. Укажите полный адрес, который начинается с https:// или http:// и не содержит имени пользователя.',
  },
  CRM_TIMEOUT: {
    en: 'The CRM did not answer in time ({ms} ms). If this happens often, find out why it is slow or allow a longer time.',
    ru: 'CRM не ответила вовремя ({ms} мс). Если так бывает часто, выясните, почему она медлит, или увеличьте время ожидания.',
  },
  CRM_UNAUTHORIZED: {
    en: 'The CRM at {host} refused the access key ({status}). Check the key and its permissions.',
    ru: 'CRM {host} не приняла ключ доступа ({status}). Проверьте ключ и его права.',
  },
  CRM_SIGNED_OUT: {
    en: 'Nobody is signed in to the CRM at {host}, or the sign-in is no longer valid. Open its crm-config and sign in again.',
    ru: 'В CRM {host} не выполнен вход, или он больше не действует. Откройте её crm-config и войдите заново.',
  },
  CRM_SIGN_IN_UNKEPT: {
    en: 'The sign-in to the CRM cannot be kept on disk ({reason}): after a restart somebody must sign in again. Check the folder telephony-crm in the user directory of Node-RED: its rights and the free space.',
    ru: 'Вход в CRM не удаётся сохранить на диске ({reason}): после перезапуска придётся войти заново. Проверьте папку telephony-crm в рабочем каталоге Node-RED: права и свободное место.',
  },
  CRM_SIGN_IN_UNREADABLE: {
    en: 'The sign-in to the CRM cannot be read from disk ({reason}). Check the rights of the folder telephony-crm in the user directory of Node-RED.',
    ru: 'Вход в CRM не удаётся прочитать с диска ({reason}). Проверьте права на папку telephony-crm в рабочем каталоге Node-RED.',
  },
  CRM_NOT_FOUND: {
    en: 'The CRM at {host} has nothing at this address (404). Check the address, its path included.',
    ru: 'У CRM {host} по этому адресу ничего нет (404). Проверьте адрес вместе с путём.',
  },
  CRM_REDIRECTED: {
    en: 'The address at {host} redirects to {target}. Redirects are not followed, so that the key goes nowhere else: enter the final address.',
    ru: 'Адрес на {host} перенаправляет на {target}. Перенаправления не выполняются, чтобы ключ не ушёл чужому серверу: укажите конечный адрес.',
  },
  CRM_LIMITED: {
    en: 'The limit of requests to the CRM is used up; the next one may go in {retryAfterMs} ms. Send fewer requests, or raise the limit if the CRM allows it.',
    ru: 'Исчерпан лимит запросов к CRM; следующий возможен через {retryAfterMs} мс. Уменьшите число запросов или поднимите лимит, если CRM это позволяет.',
  },
  CRM_SERVER_ERROR: {
    en: 'The CRM at {host} failed to answer ({status}): the fault is on its side. Wait a little; if it goes on, look at the log of the CRM or ask its support.',
    ru: 'CRM {host} не смогла ответить ({status}): ошибка на её стороне. Подождите; если это не проходит, посмотрите журнал CRM или обратитесь в её поддержку.',
  },
  CRM_NOT_NOW: {
    en: 'The CRM at {host} cannot take the request at this moment ({status}). If this lasts, ask those who run it.',
    ru: 'CRM {host} сейчас не может принять запрос ({status}). Если это не проходит, обратитесь к тем, кто её обслуживает.',
  },
  CRM_REFUSED: {
    en: 'The CRM at {host} refused the request ({status}): "{words}". Correct what it objects to, in the CRM or in the settings here.',
    ru: 'CRM {host} отклонила запрос ({status}): «{words}». Исправьте то, на что она указывает, в CRM или в настройках здесь.',
  },
  CRM_NOT_JSON: {
    en: 'The CRM at {host} answered with something else than JSON ({type}, it begins with "{start}"). This is often a web page: check that the address is that of the API.',
    ru: 'CRM {host} ответила не в формате JSON ({type}, начало: «{start}»). Часто это веб-страница: проверьте, что указан адрес API.',
  },
  CRM_BAD_ANSWER: {
    en: 'The answer of the CRM cannot be understood: {problemEn} Check that the address is that of this CRM, and that its version is supported.',
    ru: 'Ответ CRM понять нельзя: {problemRu} Проверьте, что адрес ведёт к этой CRM и что её версия поддерживается.',
  },
  CRM_TOO_LARGE: {
    en: 'The answer of the CRM at {host} is larger than {bytes} bytes. Narrow the request, so that it returns one client.',
    ru: 'Ответ CRM {host} больше {bytes} байт. Сузьте запрос, чтобы он возвращал одного клиента.',
  },
  CRM_BAD_PATH: {
    en: 'The request was not sent: a placeholder in the path of the address stands for "." or "..", and the address would lead elsewhere. Use another placeholder there, for instance an id.',
    ru: 'Запрос не отправлен: подстановка в пути адреса означает «.» или «..», и адрес привёл бы в другое место. Используйте там другую подстановку, например идентификатор.',
  },
  CRM_EXPRESSION: {
    en: 'The expression of the field "{labelEn}" failed on the answer of the CRM: "{problem}". Correct the expression.',
    ru: 'Выражение поля «{labelRu}» не сработало на ответе CRM: «{problem}». Исправьте выражение.',
  },
  CRM_BREAKER_OPEN: {
    en: 'The CRM failed several times in a row and is left alone for {retryAfterMs} ms; then it is asked again. Calls go on without it.',
    ru: 'CRM не ответила несколько раз подряд, запросы к ней приостановлены на {retryAfterMs} мс; затем она будет спрошена снова. Звонки идут без неё.',
  },
  CRM_CLOSED: {
    en: 'The connection to the CRM was closed, because the flow was stopped or deployed again. Nothing needs to be done.',
    ru: 'Соединение с CRM закрыто: поток остановлен или развёрнут заново. Делать ничего не нужно.',
  },
  CRM_CANNOT_CREATE: {
    en: 'This CRM cannot create a {type} for an unknown number. Choose "nothing" for unknown numbers, or another CRM.',
    ru: 'Эта CRM не умеет создавать {typeRu} по неизвестному номеру. Выберите для неизвестных номеров «ничего» или другую CRM.',
  },
  CRM_NO_USER: {
    en: 'None of the extensions of this call ({extensions}) is in the table of users, and the CRM does not accept a call without a user. Add a line to the table, or fill in "Fallback user" in crm-webhook-out.',
    ru: 'Никого из участников звонка (внутренние номера: {extensions}) нет в таблице пользователей, а без пользователя CRM звонок не примет. Добавьте строку в таблицу или заполните поле «Ничьи звонки» в crm-webhook-out.',
  },
  CRM_RECORDING_FORMAT: {
    en: 'The call is in the CRM, its recording is not: "{file}" is neither wav nor mp3, and the CRM takes nothing else. Let Asterisk write wav.',
    ru: 'Звонок в CRM есть, а записи разговора нет: «{file}» — не wav и не mp3, а другого CRM не принимает. Пусть Asterisk пишет wav.',
  },
  CRM_FAULT: {
    en: 'The code for this CRM failed ({name}). This is a mistake in the pack: please report it.',
    ru: 'Сбой в коде для этой CRM ({name}). Это ошибка в пакете: пожалуйста, сообщите о ней.',
  },
});

/** Every code that a CRM room can give. Tables over it name each one, so that a new code compiles only when it has its place in all. */
export type CrmErrorCode = Parameters<typeof crmError>[0] | 'CRM_UNREACHABLE' | 'CRM_TLS';

/** A refusal by our own limiter, which tells nothing about the CRM. */
export const isOwnLimit = ({ code, params }: TelephonyError): boolean =>
  code === 'CRM_LIMITED' && params.status === undefined;

/** `played`: by the demo CRM. */
type UnreachableReason = TransportReason | 'played';

const unreachable: Readonly<Record<UnreachableReason, Text>> = {
  dns: {
    en: 'The name {host} of the CRM cannot be resolved. Check the address and the DNS of this machine.',
    ru: 'Имя {host} не найдено в DNS. Проверьте адрес CRM и настройки DNS на этой машине.',
  },
  refused: {
    en: 'The CRM at {host} refuses connections. Check the address and the port, and that the CRM runs.',
    ru: 'CRM {host} не принимает соединения. Проверьте адрес и порт, а также что CRM запущена.',
  },
  reset: {
    en: 'The CRM at {host} broke the connection before its answer was complete. If this happens often, look at the CRM and at proxies on the way to it.',
    ru: 'CRM {host} оборвала соединение, не закончив ответ. Если так бывает часто, проверьте CRM и прокси на пути к ней.',
  },
  'no-route': {
    en: 'The network of this machine does not reach {host}. Check the network, the VPN and the firewall.',
    ru: 'Из сети этой машины {host} недоступен. Проверьте сеть, VPN и межсетевой экран.',
  },
  'connect-timeout': {
    en: 'No connection to the CRM at {host} in {ms} ms. Check the address, the port and the firewall.',
    ru: 'Не удалось соединиться с CRM {host} за {ms} мс. Проверьте адрес, порт и межсетевой экран.',
  },
  protocol: {
    en: 'What answers at {host} does not speak HTTP as it should. Check the port, and https:// or http://.',
    ru: 'То, что отвечает на {host}, не говорит по HTTP как положено. Проверьте порт и https:// или http://.',
  },
  failed: {
    en: 'The connection to the CRM at {host} failed ({system}). Check the address, the network and the CRM.',
    ru: 'Соединение с CRM {host} не удалось ({system}). Проверьте адрес, сеть и CRM.',
  },
  played: {
    en: 'The demo CRM plays a CRM that refuses connections. To get answers, choose "Works" as its behaviour.',
    ru: 'Демонстрационная CRM изображает CRM, которая не принимает соединения. Чтобы она отвечала, выберите поведение «Работает».',
  },
};

const tls: Readonly<Record<TlsReason, Text>> = {
  'wrong-name': {
    en: 'The certificate of {host} is for another name. Use the name in the certificate.',
    ru: 'Сертификат {host} выдан на другое имя. Укажите то имя, которое стоит в сертификате.',
  },
  'unknown-authority': {
    en: 'The certificate of {host} is signed by an authority that this machine does not know. Put the certificate of that authority into the settings of the CRM.',
    ru: 'Сертификат {host} подписан центром, который этой машине неизвестен. Добавьте сертификат этого центра в настройки CRM.',
  },
  expired: {
    en: 'The certificate of {host} has expired: it must be renewed. If it has not, check the clock of this machine.',
    ru: 'Срок сертификата {host} истёк: его нужно обновить. Если это не так, проверьте часы этой машины.',
  },
  'not-yet-valid': {
    en: 'The certificate of {host} is not valid yet. Check the clock of this machine.',
    ru: 'Сертификат {host} ещё не действует. Проверьте часы этой машины.',
  },
  failed: {
    en: 'No TLS connection to {host} ({system}). Check that this port speaks https.',
    ru: 'Не удалось установить TLS-соединение с {host} ({system}). Проверьте, что этот порт работает по https.',
  },
};

/** `CRM_UNREACHABLE`; `params.why` is the reason. */
export const unreachableError = (why: UnreachableReason, params: ErrorParams, cause?: unknown): TelephonyError =>
  new TelephonyError('CRM_UNREACHABLE', unreachable[why], { ...params, why }, cause);

/** `CRM_TLS`; `params.why` is the reason. */
export const tlsError = (why: TlsReason, params: ErrorParams, cause?: unknown): TelephonyError =>
  new TelephonyError('CRM_TLS', tls[why], { ...params, why }, cause);

/** `CRM_CANNOT_CREATE`. */
export const cannotCreate = (type: ClientWish['type']): TelephonyError =>
  crmError('CRM_CANNOT_CREATE', { type, typeRu: type === 'lead' ? 'лид' : 'контакт' });

/** `CRM_UNAUTHORIZED`; `words`: what the CRM says to it, empty when it says nothing. */
export const unauthorizedError = (params: ErrorParams, words: string): TelephonyError =>
  words === ''
    ? crmError('CRM_UNAUTHORIZED', params)
    : new TelephonyError('CRM_UNAUTHORIZED', forbidden, { ...params, words });

const forbidden: Text = {
  en: 'The CRM at {host} refused the access key ({status}): "{words}". Check the key and its permissions.',
  ru: 'CRM {host} не приняла ключ доступа ({status}): «{words}». Проверьте ключ и его права.',
};

/** `CRM_SERVER_ERROR` with what the CRM says to it. */
export const serverError = (params: ErrorParams, words: string): TelephonyError =>
  new TelephonyError('CRM_SERVER_ERROR', faultWithWords, { ...params, words });

const faultWithWords: Text = {
  en: 'The CRM at {host} failed to answer ({status}): "{words}". The fault is on its side. Wait a little; if it goes on, look at the log of the CRM or ask its support.',
  ru: 'CRM {host} не смогла ответить ({status}): «{words}». Ошибка на её стороне. Подождите; если это не проходит, посмотрите журнал CRM или обратитесь в её поддержку.',
};

/** How the dialogs call what does not depend on the kind; the fields of a kind have their own labels. */
const COMMON_LABELS: Readonly<Record<string, Text>> = {
  kind: { en: 'CRM', ru: 'CRM' },
  tls: { en: 'TLS', ru: 'TLS' },
  ca: { en: 'TLS', ru: 'TLS' },
  headers: { en: 'Headers', ru: 'Заголовки' },
  pasted: { en: 'Address after signing in', ru: 'Адрес после входа' },
  createName: { en: 'Name of the new client', ru: 'Имя нового клиента' },
};

/** The error with a field called as the dialog calls it, for a reader who has never seen its name in the saved flow. */
export function withLabels(error: TelephonyError, fields: readonly CrmField[]): TelephonyError {
  const label = fields.find(({ name }) => name === error.params.field)?.label;
  return label === undefined ? error : error.with({ labelEn: label.en, labelRu: label.ru });
}

const labels = (field: string) => {
  const label = COMMON_LABELS[field];
  return { field, labelEn: label?.en ?? field, labelRu: label?.ru ?? field };
};

/** `CRM_BAD_SETTINGS`; `field` is the name of the field as the kind lists it. */
export const badSettings = (field: string, problem: Text): TelephonyError =>
  crmError('CRM_BAD_SETTINGS', { ...labels(field), problemEn: problem.en, problemRu: problem.ru });

/** `CRM_EXPRESSION`: an admin's JSONata that failed on what the CRM answered. */
export const expressionFailed = (field: string, problem: string, cause: unknown): TelephonyError =>
  crmError('CRM_EXPRESSION', { ...labels(field), problem }, cause);

/** `CRM_BAD_ANSWER`: well-formed JSON that is not what this CRM should answer. */
export const badAnswer = (problem: Text): TelephonyError =>
  crmError('CRM_BAD_ANSWER', { problemEn: problem.en, problemRu: problem.ru });

/** What was thrown, as an error of this room. The text of a foreign one may hold anything, keys too: only its kind is shown. */
export function asCrmError(thrown: unknown): TelephonyError {
  return thrown instanceof TelephonyError ? thrown : crmError('CRM_FAULT', { name: asError(thrown).name }, thrown);
}
