import { TelephonyError, errorsFrom, type ErrorParams, type Text } from '../errors';

/** Every error of the AMI room. `{place}` is `host:port`. No text ever holds a secret or the value of a header. */
export const amiError = errorsFrom({
  AMI_NOT_CONNECTED: {
    en: 'No link to Asterisk at {place} ({phase}): the action {action} was not sent. Wait until the link is ready.',
    ru: 'Нет связи с Asterisk {place} ({phase}): действие {action} не отправлено. Дождитесь, пока связь появится.',
  },
  AMI_TIMEOUT: {
    en: 'Asterisk at {place} did not answer the action {action} within {ms} ms. It may still have carried it out.',
    ru: 'Asterisk {place} не ответил на действие {action} за {ms} мс. Возможно, оно всё же выполнено.',
  },
  AMI_LINK_LOST: {
    en: 'The link to Asterisk at {place} broke: {reason}. It is made anew by itself.',
    ru: 'Связь с Asterisk {place} прервалась: {reason}. Она восстанавливается сама.',
  },
  AMI_BLOCKING_ACTION: {
    en: 'The action {action} was not sent: without "Async: true" Asterisk would hold back every event and answer until it is done. Add that header.',
    ru: 'Действие {action} не отправлено: без "Async: true" Asterisk задержал бы все события и ответы до его конца. Добавьте этот заголовок.',
  },
  AMI_TOO_MANY_PENDING: {
    en: 'The action {action} was not sent: {count} actions wait for Asterisk at {place}. Send fewer at a time.',
    ru: 'Действие {action} не отправлено: {count} действий уже ждут ответа Asterisk {place}. Отправляйте реже.',
  },
  AMI_ACTION_FAILED: {
    en: 'Asterisk at {place} refused the action {action}: {message}',
    ru: 'Asterisk {place} отклонил действие {action}: {message}',
  },
  AMI_LIST_TOO_LONG: {
    en: 'The list of {action} from Asterisk at {place} has more than {limit} {unitEn}. Ask for a smaller part.',
    ru: 'Список {action} от Asterisk {place} больше предела: {limit} {unitRu}. Запросите меньшую часть.',
  },
  AMI_CONNECT_FAILED: {
    en: 'Cannot reach Asterisk at {place}: {reason}. Check the address, the port and the firewall, and that manager.conf has enabled=yes.',
    ru: 'Asterisk {place} недоступен: {reason}. Проверьте адрес, порт, сетевой экран и enabled=yes в manager.conf.',
  },
  AMI_CONNECT_TIMEOUT: {
    en: 'Asterisk at {place} did not take the connection within {ms} ms. Check the address and the firewall.',
    ru: 'Asterisk {place} не принял соединение за {ms} мс. Проверьте адрес и сетевой экран.',
  },
  AMI_LOGIN_TIMEOUT: {
    en: 'Asterisk at {place} took the connection but did not finish the login within {ms} ms. It may be frozen or still starting, or the port expects TLS.',
    ru: 'Asterisk {place} принял соединение, но вход не завершился за {ms} мс. Возможно, он завис, ещё запускается или ждёт на этом порту TLS.',
  },
  AMI_NOT_ASTERISK: {
    en: 'What answers at {place} is not the Asterisk Manager Interface. Check the port (5038, with TLS 5039).',
    ru: 'По адресу {place} отвечает не Asterisk Manager Interface. Проверьте порт (5038, с TLS 5039).',
  },
  AMI_TLS_REFUSED: {
    en: 'The TLS connection to {place} is not trusted: {reason}. Check the authority, the name in the certificate and the port.',
    ru: 'TLS-соединению с {place} нельзя доверять: {reason}. Проверьте центр сертификации, имя в сертификате и порт.',
  },
  AMI_LOGIN_REFUSED: {
    en: 'Asterisk at {place} refused the login of the user {username}: {message}. Check the name, the secret and the permit/deny lines in manager.conf. Next try in a minute.',
    ru: 'Asterisk {place} отклонил вход пользователя {username}: {message}. Проверьте имя, пароль и строки permit/deny в manager.conf. Повтор через минуту.',
  },
  AMI_LOGIN_IN_USE: {
    en: 'The user {username} is already logged in at Asterisk {place} and may log in only once. Give each client its own user, or set allowmultiplelogin=yes in manager.conf. Next try in a minute.',
    ru: 'Пользователь {username} уже вошёл на Asterisk {place}, второй вход запрещён. Заведите отдельного пользователя или задайте allowmultiplelogin=yes в manager.conf. Повтор через минуту.',
  },
  AMI_NO_MD5: {
    en: 'Asterisk at {place} refused the MD5 challenge: {message}. Allow the plain login in the settings only if the network is trusted or TLS is used.',
    ru: 'Asterisk {place} отклонил вход по MD5: {message}. Разрешайте вход открытым паролем только в доверенной сети или с TLS.',
  },
  AMI_SILENT: {
    en: 'Asterisk at {place} stopped answering: no reply to a ping for {ms} ms. The link is made anew by itself.',
    ru: 'Asterisk {place} перестал отвечать: нет ответа на ping {ms} мс. Связь восстанавливается сама.',
  },
  AMI_MESSAGE_TOO_LONG: {
    en: 'Asterisk at {place} sent a {whatEn} over {limit} bytes. The link was dropped and is made anew by itself.',
    ru: 'Asterisk {place} прислал слишком длинные данные ({whatRu} больше {limit} байт). Связь сброшена и восстанавливается сама.',
  },
  AMI_TAMPERED: {
    en: "Asterisk {place}: a message was ignored whose shape no Asterisk produces ({count} so far). Somebody puts line ends into a caller's name or number: let the SBC or the provider clean them.",
    ru: 'Asterisk {place}: пропущено сообщение, какого Asterisk не создаёт (всего {count}). Кто-то вставляет переводы строк в имя или номер звонящего: пусть их убирает SBC или оператор связи.',
  },
  AMI_DRIVER_MISSING: {
    en: 'The package asterisk-manager is not installed. Install it in the Node-RED user directory (npm install asterisk-manager@0.2.0) or choose the built-in driver.',
    ru: 'Пакет asterisk-manager не установлен. Установите его в каталог Node-RED (npm install asterisk-manager@0.2.0) или выберите встроенный драйвер.',
  },
  AMI_DRIVER_NO_TLS: {
    en: 'The driver asterisk-manager cannot use TLS. Choose the built-in driver, or switch TLS off for {place}.',
    ru: 'Драйвер asterisk-manager не умеет TLS. Выберите встроенный драйвер или отключите TLS для {place}.',
  },
});

/** What can be wrong with a part of an action. `{limit}` is the bound that was passed. */
const problems = {
  control: {
    en: 'has a line end (CR, LF) or a NUL, which would let its text run as a further action',
    ru: 'содержит перевод строки (CR, LF) или NUL: такой текст мог бы выполниться как отдельное действие',
  },
  name: { en: 'is not a usable name', ru: 'недопустимое имя' },
  type: { en: 'is neither text, number nor true/false', ru: 'не текст, не число и не true/false' },
  reserved: { en: 'is set by the client itself', ru: 'задаётся самим клиентом' },
  tooLong: {
    en: 'is too long: Asterisk takes at most {limit} bytes in a line',
    ru: 'слишком длинно: Asterisk принимает не больше {limit} байт в строке',
  },
  tooMany: {
    en: 'are too many: Asterisk takes at most {limit} in one action',
    ru: 'слишком много: Asterisk принимает не больше {limit} в одном действии',
  },
} satisfies Record<string, Text>;

export type Problem = keyof typeof problems;

/** `AMI_BAD_VALUE`: the action was not sent because of `part` (a header or variable by name; never its value). */
export function badValue(action: string, part: string, problem: Problem, params: ErrorParams = {}): TelephonyError {
  const text = {
    en: `The action {action} was not sent: {part} ${problems[problem].en}.`,
    ru: `Действие {action} не отправлено: {part} — ${problems[problem].ru}.`,
  };
  return new TelephonyError('AMI_BAD_VALUE', text, { ...params, action, part });
}
