import { asError, errorsFrom, type TelephonyError } from '../errors';

export const orderError = errorsFrom({
  ORDER_BAD: {
    en: 'The order cannot be understood: {problemEn}',
    ru: 'Заказ звонка непонятен: {problemRu}',
  },
  ORDER_BAD_NUMBER: {
    en: 'The order has no number that can be dialled: "{number}". Send payload.number, for instance +74951234567.',
    ru: 'В заказе нет номера, который можно набрать: «{number}». Передайте payload.number, например +74951234567.',
  },
  ORDER_NO_EXTENSION: {
    en: 'Nobody knows whose phone is to ring first: no extension belongs to {whoEn}. Send payload.extension, or fill in the table of people in the CRM configuration.',
    ru: 'Неизвестно, чей телефон должен звонить первым: нет внутреннего номера у {whoRu}. Передайте payload.extension или заполните таблицу сотрудников в конфигурации CRM.',
  },
  ORDER_UNKNOWN_EXTENSION: {
    en: 'Nobody has the extension {extension}: the PBX tells of no such phone (device or hint), and the table of people in the CRM configuration has none either. Check the number, or add it there.',
    ru: 'Внутреннего номера {extension} ни у кого нет: АТС не знает такого телефона (устройства или хинта), нет его и в таблице сотрудников в конфигурации CRM. Проверьте номер или добавьте его в таблицу.',
  },
  ORDER_EXTENSIONS_NOT_READ: {
    en: 'Whether the extension {extension} exists is not known yet: the PBX has not told its phones. Try again when the link is up; people in the table of the CRM configuration can be called at once.',
    ru: 'Есть ли внутренний номер {extension}, пока неизвестно: АТС ещё не сообщила о телефонах. Повторите, когда связь появится; номера из таблицы сотрудников в конфигурации CRM принимаются сразу.',
  },
  ORDER_AMBIGUOUS: {
    en: 'Several phones are registered from {ip} ({extensions}): send payload.extension, or fill in the table of addresses in ami-config.',
    ru: 'С адреса {ip} зарегистрировано несколько телефонов ({extensions}): передайте payload.extension или заполните таблицу адресов в ami-config.',
  },
  ORDER_TOO_LARGE: {
    en: 'The order is too large: {what} may have {limit} bytes.',
    ru: 'Заказ слишком велик: {what} — не больше {limit} байт.',
  },
  ORDER_TOO_MANY: {
    en: '{limit} orders wait already: no more are taken until some have been dialled. Raise the bound in the dialog of the node if that is what you want.',
    ru: 'Уже ждут {limit} заказов: новые не принимаются, пока часть не будет обзвонена. Если нужно больше, увеличьте предел в настройках узла.',
  },
  ORDER_NO_WINDOW: {
    en: 'The order ends before the client may be called: no window opens in his time zone until {until}.',
    ru: 'Срок заказа кончается раньше, чем клиенту можно звонить: до {until} в его часовом поясе нет разрешённого времени.',
  },
  ORDER_BLOCKED: {
    en: 'The number {number} is on the do-not-call list.',
    ru: 'Номер {number} в списке «не звонить».',
  },
  ORDER_EXPIRED: {
    en: 'The time of the order was over before a line was free for it.',
    ru: 'Срок заказа истёк раньше, чем для него освободилась линия.',
  },
  ORDER_EXPIRED_PAUSED: {
    en: 'The time of the order was over while dialling was paused.',
    ru: 'Срок заказа истёк, пока обзвон был приостановлен.',
  },
  ORDER_EXPIRED_NO_LINK: {
    en: 'The time of the order was over while there was no link to the PBX.',
    ru: 'Срок заказа истёк, пока не было связи с АТС.',
  },
  ORDER_NOT_READABLE: {
    en: 'The order {id} in the store cannot be read, so it is not dialled.',
    ru: 'Заказ {id} в хранилище не читается, звонить по нему нельзя.',
  },
  ORDER_FAULT: {
    en: 'The dialler failed: {reason}. This is a mistake in the pack: please report it.',
    ru: 'Сбой обзвона: {reason}. Это ошибка в пакете: пожалуйста, сообщите о ней.',
  },
  ORDERS_HELD_RESTORED: {
    en: 'Nothing is dialled: the store was restored from a copy, so orders that were dialled or cancelled since then wait again. Send the command cancel for what must not be dialled (orderId, key, or all: true), put missing numbers on the do-not-call list again, then send the command resume.',
    ru: 'Звонки не набираются: хранилище восстановлено из копии, и заказы, набранные или отменённые после неё, снова ждут. Отправьте команду cancel для лишних (orderId, key или all: true), верните недостающие номера в список «не звонить», затем отправьте команду resume.',
  },
  ORDERS_HELD_ANEW: {
    en: 'Nothing is dialled: the store was begun anew, and the do-not-call list is lost. Fill it again with the command block, then send the command resume.',
    ru: 'Звонки не набираются: хранилище начато заново, список «не звонить» потерян. Заполните его снова командой block, затем отправьте команду resume.',
  },
  ORDER_BAD_COMMAND: {
    en: 'The command cannot be understood: {problemEn}',
    ru: 'Команда непонятна: {problemRu}',
  },
  DIALER_NOT_READY: {
    en: 'The dialler has not read its orders from the store yet: try again in a moment.',
    ru: 'Обзвон ещё не прочитал заказы из хранилища: повторите через минуту.',
  },
});

/** The error for one wrong field of an order. */
export const badOrder = (problemEn: string, problemRu: string) => orderError('ORDER_BAD', { problemEn, problemRu });

/** Something failed that never should. */
export const orderFault = (thrown: unknown): TelephonyError =>
  orderError('ORDER_FAULT', { reason: asError(thrown).message.slice(0, 200) }, thrown);
