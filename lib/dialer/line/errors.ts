import { errorsFrom } from '../../errors';

/** Every error of a line over AMI. No text holds a phone number: they are written into logs. */
export const lineError = errorsFrom({
  LINE_NO_WAY: {
    en: 'No channel is set for this number, and no context: add its prefix, or the empty prefix, in the settings of the PBX, section "Calls out".',
    ru: 'Для этого номера не задан ни канал, ни контекст: добавьте его префикс или пустой префикс в настройках АТС, раздел «Исходящие звонки».',
  },
  LINE_UNKNOWN_EXTENSION: {
    en: '"{extension}" is no extension of this PBX. Check it, and the pattern of extensions in the settings of the PBX.',
    ru: '«{extension}» — не внутренний номер этой АТС. Проверьте его и шаблон внутренних номеров в настройках АТС.',
  },
  LINE_NO_AUTOCALL: {
    en: 'This PBX plays no messages to clients: it only joins two phones.',
    ru: 'Эта АТС не проигрывает сообщений клиентам: она только соединяет два телефона.',
  },
  LINE_AGENT_BUSY: {
    en: 'The phone of {extension} was busy; the client was not called.',
    ru: 'Телефон {extension} был занят; клиенту не звонили.',
  },
  LINE_AGENT_NO_ANSWER: {
    en: 'Nobody picked up the phone of {extension}, or the call was declined there; the client was not called.',
    ru: 'На телефоне {extension} не ответили или отклонили вызов; клиенту не звонили.',
  },
  LINE_AGENT_UNREACHABLE: {
    en: 'The phone of {extension} cannot be reached: not registered, or no such phone. The client was not called.',
    ru: 'Телефон {extension} недоступен: не зарегистрирован или такого нет. Клиенту не звонили.',
  },
  LINE_UNREACHABLE: {
    en: 'Asterisk could not begin the call: the trunk or phone is not registered, or does not exist.',
    ru: 'Asterisk не смог начать звонок: транк или телефон не зарегистрирован или не существует.',
  },
  LINE_NOBODY_DIALLED: {
    en: 'The phone of {extension} was answered, but the dialplan called nobody. Check the context for clicks in the settings of the PBX.',
    ru: 'Телефон {extension} ответил, но диалплан никому не позвонил. Проверьте контекст для звонков по клику в настройках АТС.',
  },
  LINE_REFUSED: {
    en: 'Asterisk refused the call: {message} Check the context, the extension and the channel.',
    ru: 'Asterisk отклонил звонок: {message} Проверьте контекст, номер и канал.',
  },
  LINE_PERMISSION: {
    en: 'Asterisk does not let us dial or hang up ({action}: permission denied). Add "{permission}" to write= of this user in manager.conf, then "manager reload".',
    ru: 'Asterisk не даёт звонить или завершать звонки ({action}: Permission denied). Добавьте «{permission}» в write= этого пользователя в manager.conf, затем «manager reload».',
  },
  LINE_SCAN_FAILED: {
    en: 'Calls that were under way cannot be looked for ({reason}); until then their outcome stays open. The user needs "reporting" in write= of manager.conf.',
    ru: 'Не удаётся найти уже начатые звонки ({reason}); до тех пор их итог неизвестен. Пользователю нужен «reporting» в write= файла manager.conf.',
  },
  LINE_LOST_SIGHT: {
    en: 'The link to Asterisk was lost during the call, and it was over afterwards: how it ended is not known. It is not dialled again.',
    ru: 'Связь с Asterisk прервалась во время звонка, а потом его уже не было: чем он закончился, неизвестно. Повторно не набирается.',
  },
  LINE_TOO_LATE: {
    en: 'Asterisk began the call only after its time was over; it was hung up.',
    ru: 'Asterisk начал звонок, когда его срок уже истёк; звонок завершён.',
  },
  LINE_NOTHING_PLAYED: {
    en: 'The client answered, and Asterisk hung up before anything was played: by its clock the time of the order was over. Compare the clocks of the PBX and of this computer (NTP), and see that the dialplan file is the one of this version. It is not dialled again.',
    ru: 'Клиент ответил, но Asterisk завершил звонок, ничего не проиграв: по его часам срок заказа истёк. Сверьте часы АТС и этого компьютера (NTP) и проверьте, что файл диалплана от этой версии. Повторно не набирается.',
  },
  LINE_STRAY: {
    en: 'A call of an order that is over was found at Asterisk ({channel}) and is hung up.',
    ru: 'В Asterisk найден звонок уже завершённого заказа ({channel}); он завершается.',
  },
  LINE_FULL: {
    en: 'More than {limit} calls at once on one line: this one was not dialled.',
    ru: 'Больше {limit} звонков одновременно: этот не набран.',
  },
  LINE_SILENT: {
    en: 'Asterisk does not answer: nothing was dialled.',
    ru: 'Asterisk не отвечает: звонок не набран.',
  },
  LINE_CLOSED: {
    en: 'Dialling was stopped here; a call under way goes on, and is taken up after the next start.',
    ru: 'Дозвон здесь остановлен; начатый звонок продолжается и будет подхвачен после следующего запуска.',
  },
});
