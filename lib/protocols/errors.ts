import { errorsFrom } from '../errors';

/** Everything that can be wrong with a request or an answer, and the HTTP status that says so. */
const texts = {
  PROTOCOL_PHONE_MISSING: {
    en: 'The request names no phone number: send the parameter "{parameter}".',
    ru: 'В запросе нет номера телефона: передайте параметр «{parameter}».',
  },
  PROTOCOL_METHOD_NOT_ALLOWED: {
    en: 'The method {method} is not served here: use {allowed}.',
    ru: 'Метод {method} здесь не обслуживается: используйте {allowed}.',
  },
  PROTOCOL_MEDIA_TYPE: {
    en: 'A body of type "{type}" is not understood: send {allowed} in UTF-8.',
    ru: 'Тело типа «{type}» не понято: отправляйте {allowed} в UTF-8.',
  },
  PROTOCOL_BODY_TOO_LARGE: {
    en: 'The body is larger than {limit} bytes: send less.',
    ru: 'Тело запроса больше {limit} байт: отправьте меньше.',
  },
  PROTOCOL_UNAUTHORIZED: {
    en: 'The key is missing or wrong: send the header "Authorization: Bearer <key>" with the key of this endpoint.',
    ru: 'Ключ не передан или неверен: отправьте заголовок «Authorization: Bearer <ключ>» с ключом этой точки.',
  },
  PROTOCOL_FORBIDDEN: {
    en: 'This address may not ask here: add it to the allowed addresses of the endpoint.',
    ru: 'С этого адреса спрашивать нельзя: добавьте его в разрешённые адреса точки.',
  },
  PROTOCOL_BAD_JSON: {
    en: 'The body is not valid JSON, line {line}, column {column}: {problemEn}',
    ru: 'Тело — не правильный JSON, строка {line}, столбец {column}: {problemRu}',
  },
  PROTOCOL_JSON_TOO_DEEP: {
    en: 'The JSON of the body is nested deeper than {limit} levels: send it flatter.',
    ru: 'JSON в теле вложен глубже {limit} уровней: отправьте его проще.',
  },
  PROTOCOL_NOT_AN_OBJECT: {
    en: '{whatEn} must be a JSON object: {...}.',
    ru: '{whatRu} — должен быть объект JSON: {...}.',
  },
  PROTOCOL_WRONG_OBJ: {
    en: 'The field "obj" must be "UserCRM".',
    ru: 'Поле «obj» должно быть «UserCRM».',
  },
  PROTOCOL_ACTION_MISSING: {
    en: 'The request names no action: send the field "action", for instance "get_contact".',
    ru: 'В запросе нет действия: передайте поле «action», например «get_contact».',
  },
  PROTOCOL_UNKNOWN_ACTION: {
    en: 'There is no action "{action}". Known actions: {known}.',
    ru: 'Действия «{action}» нет. Известные действия: {known}.',
  },
  PROTOCOL_ACTION_NOT_SERVED: {
    en: 'The action "{action}" is not served here: choose it in the endpoint and wire its output.',
    ru: 'Действие «{action}» здесь не обслуживается: выберите его в узле точки и соедините его выход.',
  },
  PROTOCOL_VALUE_MISSING: {
    en: 'The request lacks the parameter "{parameter}".',
    ru: 'В запросе нет параметра «{parameter}».',
  },
  PROTOCOL_BAD_VALUE: {
    en: 'The parameter "{parameter}" must be one of {known}.',
    ru: 'Параметр «{parameter}» должен быть одним из: {known}.',
  },
  PROTOCOL_BAD_KEY: {
    en: 'The key of the request is missing or wrong. amoCRM shows the key of the endpoint as _secret, Bitrix24 its application token as auth[application_token]: compare them with the dialog of the endpoint.',
    ru: 'Ключ запроса не передан или неверен. amoCRM передаёт ключ точки как _secret, Битрикс24 — токен приложения как auth[application_token]: сверьте их с настройками точки.',
  },
  PROTOCOL_USER_UNKNOWN: {
    en: 'The CRM user "{user}" has no extension: add a line for that user to the table of crm-config.',
    ru: 'У пользователя CRM «{user}» нет внутреннего номера: добавьте для него строку в таблицу crm-config.',
  },
  PROTOCOL_PHONE_NOT_FOUND: {
    en: 'No phone is registered at the address {address}: register one there, or add the address to the table of ami-config.',
    ru: 'С адреса {address} не зарегистрирован ни один телефон: зарегистрируйте его или добавьте адрес в таблицу ami-config.',
  },
  PROTOCOL_PHONE_AMBIGUOUS: {
    en: 'Several phones are registered at the address {address} ({extensions}): say in the table of ami-config whose computer it is.',
    ru: 'С адреса {address} зарегистрировано несколько телефонов ({extensions}): укажите в таблице ami-config, чей это компьютер.',
  },
  PROTOCOL_NO_CALL: {
    en: 'There is no call on the phone {extension} now.',
    ru: 'Сейчас на телефоне {extension} нет звонка.',
  },
  PROTOCOL_ADDRESS_UNKNOWN: {
    en: 'The request came through a proxy, so that nobody knows whose computer asks: add the proxy to the trusted proxies of the endpoint, and let it send X-Forwarded-For.',
    ru: 'Запрос пришёл через прокси, поэтому неизвестно, чей компьютер спрашивает: добавьте прокси в доверенные прокси точки, и пусть он передаёт X-Forwarded-For.',
  },
  PROTOCOL_BAD_CALLBACK: {
    en: 'The name of the callback function is not understood: at most 32 Latin letters, digits, _ and $.',
    ru: 'Имя функции обратного вызова не понято: не больше 32 латинских букв, цифр, _ и $.',
  },
  PROTOCOL_UNSAFE_EXTENSION: {
    en: 'The extension "{extension}" cannot be dialled safely: only digits, letters, * # + _ - and at most 32 of them.',
    ru: 'Внутренний номер «{extension}» нельзя набирать: допустимы цифры, латинские буквы, * # + _ - и не больше 32.',
  },
} as const;

export type ProtocolErrorCode = keyof typeof texts;

export const protocolError = errorsFrom<ProtocolErrorCode>(texts);

const statuses: Readonly<Record<ProtocolErrorCode, number>> = {
  PROTOCOL_PHONE_MISSING: 400,
  PROTOCOL_METHOD_NOT_ALLOWED: 405,
  PROTOCOL_MEDIA_TYPE: 415,
  PROTOCOL_BODY_TOO_LARGE: 413,
  PROTOCOL_UNAUTHORIZED: 401,
  PROTOCOL_FORBIDDEN: 403,
  PROTOCOL_BAD_JSON: 400,
  PROTOCOL_JSON_TOO_DEEP: 400,
  PROTOCOL_NOT_AN_OBJECT: 400,
  PROTOCOL_WRONG_OBJ: 400,
  PROTOCOL_ACTION_MISSING: 400,
  PROTOCOL_UNKNOWN_ACTION: 404,
  PROTOCOL_ACTION_NOT_SERVED: 501,
  PROTOCOL_VALUE_MISSING: 400,
  PROTOCOL_BAD_VALUE: 400,
  PROTOCOL_BAD_KEY: 401,
  PROTOCOL_USER_UNKNOWN: 404,
  PROTOCOL_PHONE_NOT_FOUND: 404,
  PROTOCOL_PHONE_AMBIGUOUS: 409,
  PROTOCOL_NO_CALL: 404,
  PROTOCOL_ADDRESS_UNKNOWN: 403,
  PROTOCOL_BAD_CALLBACK: 400,
  PROTOCOL_UNSAFE_EXTENSION: 500,
};

/** The HTTP status of one of this room's errors; 500 for any other error. */
export function httpStatusOf(error: { readonly code: string }): number {
  return (statuses as Readonly<Partial<Record<string, number>>>)[error.code] ?? 500;
}
