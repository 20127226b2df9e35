import { TelephonyError, errorsFrom, type ErrorParams, type Text } from '../errors';

export const controlError = errorsFrom({
  CONTROL_NO_CALL: {
    en: 'There is no call {what} now: it may have ended already. Check the id or the extension, and which PBX this node uses.',
    ru: 'Сейчас нет звонка {what}: возможно, он уже закончился. Проверьте id или внутренний номер и АТС, выбранную в узле.',
  },
  CONTROL_AMBIGUOUS: {
    en: 'Several calls or phones fit {what}: {found}. Name the call (callId) and the extension, or the channel of the phone (legId).',
    ru: 'Подходит несколько звонков или телефонов, {what}: {found}. Укажите звонок (callId) и внутренний номер или канал телефона (legId).',
  },
  CONTROL_NO_USER: {
    en: 'The CRM user {user} has no extension: choose the CRM in this node, and enter the extension in the table of that crm-config.',
    ru: 'У пользователя CRM {user} нет внутреннего номера: выберите CRM в этом узле и впишите номер в таблицу этого crm-config.',
  },
  CONTROL_NO_PHONE: {
    en: 'No phone is registered at {address}. Write the computer into Computers in ami-config.',
    ru: 'С адреса {address} не зарегистрирован ни один телефон. Впишите компьютер в поле «Компьютеры» в ami-config.',
  },
  CONTROL_UNKNOWN_EXTENSION: {
    en: 'The call was left as it is: nobody has the extension {extension}. The PBX tells of no such phone (device or hint) and has no queue of that name, and the table of people in the CRM configuration has none. Check the number; a ring group or a menu needs a hint, or stands in To of this node.',
    ru: 'Звонок не тронут: внутреннего номера {extension} ни у кого нет. АТС не знает такого телефона (устройства или хинта) и такой очереди, нет его и в таблице сотрудников в конфигурации CRM. Проверьте номер; группе вызова или меню нужен хинт, или впишите номер в поле «Кому» этого узла.',
  },
  CONTROL_EXTENSIONS_NOT_READ: {
    en: 'The call was left as it is: whether the extension {extension} exists is not known yet, the PBX has not told its phones. Try again in some seconds; if it stays so, look at the status of ami-config.',
    ru: 'Звонок не тронут: есть ли внутренний номер {extension}, пока неизвестно, АТС ещё не сообщила о телефонах. Повторите через несколько секунд; если не проходит, посмотрите на состояние ami-config.',
  },
  CONTROL_NO_EXTENSION: {
    en: 'The PBX has no phone {channel} for the extension {extension}. Check the number, and how phones are dialled in ami-config.',
    ru: 'На АТС нет телефона {channel} для внутреннего номера {extension}. Проверьте номер и канал телефонов в ami-config.',
  },
  CONTROL_NO_QUEUE: {
    en: 'The PBX has no queue {queue}. Its name must stand as in queues.conf.',
    ru: 'На АТС нет очереди {queue}. Имя должно быть как в queues.conf.',
  },
  CONTROL_NOT_MEMBER: {
    en: 'The extension {extension} is not in the queue ({queue}): let it log in first.',
    ru: 'Внутренний номер {extension} не состоит в очереди ({queue}): сначала нужно войти в неё.',
  },
  CONTROL_REFUSED: {
    en: 'Asterisk refused {action}: {message}. The log of Asterisk (full) may say more.',
    ru: 'Asterisk отклонил {action}: {message}. Подробнее может сказать журнал Asterisk (full).',
  },
  CONTROL_NOT_ANSWERED: {
    en: 'The colleague has not answered yet. Wait for him, or take the client back and transfer him.',
    ru: 'Коллега ещё не ответил. Дождитесь ответа или вернитесь к клиенту и переведите его.',
  },
  CONTROL_BUSY: {
    en: 'The order was not carried out: {count} others wait for the PBX. Send it again later.',
    ru: 'Команда не выполнена: перед ней ждут АТС ещё {count}. Повторите позже.',
  },
  CONTROL_STOPPED: {
    en: 'The order was not carried out: the flow was stopped or deployed anew. Send it again.',
    ru: 'Команда не выполнена: поток остановлен или развёрнут заново. Отправьте её ещё раз.',
  },
});

const impossible = {
  permission: {
    en: '{action} is not permitted. Add "{class}" to write= of this user in manager.conf, then "manager reload".',
    ru: '{action} не разрешено. Добавьте «{class}» в write= этого пользователя в manager.conf, затем «manager reload».',
  },
  unknown: {
    en: 'this Asterisk does not know {action}: its module is not loaded (PJSIPNotify needs a section in pjsip_notify.conf).',
    ru: 'этот Asterisk не знает {action}: модуль не загружен (для PJSIPNotify нужна секция в pjsip_notify.conf).',
  },
  noContext: {
    en: 'the dialplan has no context {context}. Include extensions_telephony_crm.conf (see the help), or choose another way to hold in ami-config.',
    ru: 'в диалплане нет контекста {context}. Подключите extensions_telephony_crm.conf (см. справку) или выберите другой способ удержания в ami-config.',
  },
  noExten: {
    en: 'the dialplan has no extension {exten} in the context {context}. The call was left as it is.',
    ru: 'в диалплане нет номера {exten} в контексте {context}. Звонок не тронут.',
  },
  notTalking: {
    en: 'the extension talks with nobody in this call. A client who still waits is sent on by redirect.',
    ru: 'внутренний номер ни с кем не соединён в этом звонке. Клиента, который ещё ждёт, отправляет redirect.',
  },
  conference: {
    en: 'more than two people are connected there.',
    ru: 'там соединено больше двух человек.',
  },
  notHeld: {
    en: 'the call is not on hold.',
    ru: 'звонок не на удержании.',
  },
  noSlot: {
    en: 'the slot {slot} cannot be dialled: res_parking.conf needs parkext, and its context must be {context} or be included where phones dial.',
    ru: 'слот {slot} нельзя набрать: в res_parking.conf нужен parkext, а его контекст должен быть {context} или включён туда, где звонят телефоны.',
  },
  partnerGone: {
    en: 'the other party is not waiting any more.',
    ru: 'второй стороны на удержании уже нет.',
  },
  notFollowed: {
    en: 'Asterisk took the order, but the channels did not follow it within {ms} ms. Somebody may have hung up meanwhile.',
    ru: 'Asterisk принял команду, но каналы не последовали ей за {ms} мс. Возможно, кто-то уже положил трубку.',
  },
  deafPhone: {
    en: 'the phone did not react to the request ({event}). Choose another way to hold in ami-config.',
    ru: 'телефон не отозвался на запрос ({event}). Выберите другой способ удержания в ami-config.',
  },
  notTransferring: {
    en: 'no attended transfer is under way.',
    ru: 'перевод с консультацией сейчас не идёт.',
  },
  noTransfer: {
    en: 'the phone may not transfer with keys. In features.conf give atxfer a key; then include extensions_telephony_crm.conf of this version in the dialplan, or give the option t (T for a caller) to whatever calls the phone: Dial, Queue, or the Dial behind a member Local/….',
    ru: 'телефону нельзя переводить клавишами. В features.conf задайте клавиши atxfer; затем подключите в диалплане extensions_telephony_crm.conf этой версии или добавьте опцию t (T для звонящего) туда, откуда вызывается телефон: в Dial, Queue или в Dial за участником очереди Local/….',
  },
  nobodyDialled: {
    en: 'Asterisk began the transfer, but dialled nobody within {seconds} s: it reads the digits between the packets of sound, and this phone sends none (muted, silence suppression). It takes the phone back to the client by itself.',
    ru: 'Asterisk начал перевод, но за {seconds} с никого не набрал: он читает цифры между пакетами звука, а этот телефон их не передаёт (выключен микрофон, подавление тишины). К клиенту он вернёт телефон сам.',
  },
  behindLocal: {
    en: 'a phone behind a Local channel that stays (Local/…/n, as members of queues have it) would lose its line when its client is parked. Choose another way to hold in ami-config.',
    ru: 'телефон за каналом Local, который остаётся в звонке (Local/…/n, так бывает у участников очередей), потеряет линию при парковке клиента. Выберите другой способ удержания в ami-config.',
  },
  noClient: {
    en: 'there is no other party.',
    ru: 'второй стороны нет.',
  },
  noPhone: {
    en: 'none of our phones is in the call, or several are: name an extension. A parked client is taken back by dialling his slot.',
    ru: 'в звонке нет нашего телефона или их несколько: укажите внутренний номер. Припаркованного клиента забирают, набрав номер слота.',
  },
  fixedMember: {
    en: 'the extension is a fixed member of {queue} and cannot log out there. Pause it instead, or remove it from queues.conf.',
    ru: 'внутренний номер постоянно закреплён за {queue} и не может оттуда выйти. Поставьте его на паузу или уберите из queues.conf.',
  },
  notRecorded: {
    en: 'the call is not being recorded.',
    ru: 'звонок не записывается.',
  },
} satisfies Record<string, Text>;

/** Why an order cannot be carried out, though the call was found. */
export function notPossible(why: keyof typeof impossible, params: ErrorParams = {}): TelephonyError {
  const text = { en: `It cannot be done: ${impossible[why].en}`, ru: `Выполнить нельзя: ${impossible[why].ru}` };
  return new TelephonyError('CONTROL_NOT_POSSIBLE', text, params);
}

const wrong = {
  action: { en: 'is none that a call can be given', ru: '— такого действия нет' },
  text: { en: 'must be one line of at most {limit} characters', ru: '— нужна одна строка до {limit} символов' },
  call: {
    en: 'is missing: give callId, legId or extension',
    ru: '— не указан: задайте callId, legId или extension',
  },
  target: {
    en: 'is neither an extension nor a number that can be dialled',
    ru: '— не внутренний номер и не номер, который можно набрать',
  },
  extension: { en: 'must be an extension of this PBX', ru: '— нужен внутренний номер этой АТС' },
  queue: {
    en: 'must be the name of a queue, or a list of at most {limit}',
    ru: '— нужно имя очереди или список до {limit} имён',
  },
  penalty: { en: 'must be a whole number from 0 to {limit}', ru: '— нужно целое число от 0 до {limit}' },
  context: { en: 'is no name of a context', ru: '— не имя контекста' },
  file: {
    en: 'may hold letters, digits, dots, dashes and underscores only, without a folder',
    ru: '— только латинские буквы, цифры, точки, дефисы и подчёркивания, без папки',
  },
  variables: {
    en: 'must be one to {limit} names (letters, digits and _, none of those that the shipped dialplan or a shell reads: TCRM_…, TELEPHONY_CRM_…, CRM_ROUTE_…, MONITOR_EXEC; CALLERID(name) may be set) with texts of one line',
    ru: '— от 1 до {limit} имён (латинские буквы, цифры и _, кроме тех, что читает диалплан пакета или оболочка: TCRM_…, TELEPHONY_CRM_…, CRM_ROUTE_…, MONITOR_EXEC; CALLERID(name) можно) с однострочными значениями',
  },
} satisfies Record<string, Text>;

/** `CONTROL_BAD_ORDER`: what is wrong with a field, never its value. */
export function badOrder(field: string, problem: keyof typeof wrong, limit = 0): TelephonyError {
  const text = {
    en: `The order was not carried out: {field} ${wrong[problem].en}.`,
    ru: `Команда не выполнена: {field} ${wrong[problem].ru}.`,
  };
  return new TelephonyError('CONTROL_BAD_ORDER', text, { field, limit });
}
