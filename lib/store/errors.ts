import { errorsFrom } from '../errors';
import type { TelephonyError, Text } from '../errors';

/** Errors of the store and of questions to it. Codes never change; see the texts for what each means. */
export const storeError = errorsFrom({
  STORE_CLOSED: {
    en: 'The store "{file}" is not open: its store-config is just being deployed or stopped. Send it again in a moment; if this stays, deploy once more.',
    ru: 'Хранилище «{file}» не открыто: его store-config сейчас разворачивается или остановлен. Повторите чуть позже; если не пройдёт, разверните потоки ещё раз.',
  },
  STORE_LOCKED: {
    en: 'The store "{file}" is in use by another program (process {pid} on {host}). One file serves one Node-RED: stop the other one, or choose another file name. It is tried again by itself.',
    ru: 'Хранилище «{file}» занято другой программой (процесс {pid} на {host}). Один файл служит одному Node-RED: остановите другой или выберите другое имя файла. Попытки повторяются сами.',
  },
  STORE_FOREIGN_OWNER: {
    en: 'The store "{file}" was left open by process {pid} on {host}, and from here nobody can tell whether that still runs. If it does not, delete the file "{record}"; the store then opens by itself.',
    ru: 'Хранилище «{file}» оставил открытым процесс {pid} на {host}, и отсюда не видно, работает ли он. Если нет, удалите файл «{record}»: хранилище откроется само.',
  },
  STORE_TAKEN: {
    en: 'The store "{file}" was taken over by another program, or its .owner file was deleted: nothing more is written. It is opened again by itself when it is free.',
    ru: 'Хранилище «{file}» занял другой процесс, или его файл .owner удалён: запись прекращена. Оно откроется само, когда освободится.',
  },
  STORE_REPLACED: {
    en: 'The file of the store "{file}" was deleted, emptied or replaced while it was in use: nothing more is written, and what came last may be missing. Put the file that is to be used in its place, or leave it away to begin with an empty one; then restart the flows.',
    ru: 'Файл хранилища «{file}» удалён, очищен или заменён во время работы: запись прекращена, последние данные могли пропасть. Положите на его место нужный файл (без него хранилище начнётся пустым) и перезапустите потоки.',
  },
  STORE_FULL: {
    en: 'There is no room to write the store "{file}" ({reason}). Free some space on the disk, or raise its quota; it is tried again by itself.',
    ru: 'Нет места для записи хранилища «{file}» ({reason}). Освободите место на диске или увеличьте квоту; попытки повторяются сами.',
  },
  STORE_UNWRITABLE: {
    en: 'The store "{file}" cannot be written ({reason}). Check the rights of its folder for the user that runs Node-RED; it is tried again by itself.',
    ru: 'В хранилище «{file}» нельзя писать ({reason}). Проверьте права на папку у пользователя, от имени которого работает Node-RED; попытки повторяются сами.',
  },
  STORE_IO: {
    en: 'The disk failed while the store "{file}" was read or written ({reason}). Check the disk; it is tried again by itself.',
    ru: 'Ошибка диска при чтении или записи хранилища «{file}» ({reason}). Проверьте диск; попытки повторяются сами.',
  },
  STORE_WAS_BROKEN: {
    en: 'The store "{file}" was damaged ({reason}). It was set aside as "{aside}" and a new, empty one was begun: what waited for delivery or to be dialled, the do-not-call list and the history are in the old file. Autocalls are paused: fill the do-not-call list again, then send the command resume to each originate node that makes them.',
    ru: 'Хранилище «{file}» повреждено ({reason}). Оно отложено как «{aside}», начато новое, пустое: ожидавшие события и заказы, список запрещённых номеров и история остались в старом файле. Автообзвон на паузе: заполните список запрещённых номеров заново и отправьте команду resume каждому узлу originate с автообзвоном.',
  },
  STORE_RESTORED: {
    en: 'The store "{file}" is older than it was when it was used last: it was restored from a copy. Orders that were dialled or cancelled since the copy wait in it again, and numbers put on the do-not-call list since are missing. So nothing is dialled from it: see what waits, send each originate node the command cancel for what must not be dialled, add the missing numbers, then send it the command resume.',
    ru: 'Хранилище «{file}» старше, чем было при последней работе: его восстановили из копии. Заказы, набранные или отменённые после копии, снова ждут, а номеров, запрещённых после неё, в списке нет. Поэтому звонки из него не набираются: проверьте, что ждёт, отправьте каждому узлу originate команду cancel для лишнего, добавьте недостающие номера, затем команду resume.',
  },
  STORE_BEGUN_ANEW: {
    en: 'The store "{file}" was gone, and a new, empty one was begun: orders, what waited for delivery, the history and the do-not-call list are not in it. If it was moved away by mistake, stop Node-RED and put it back. Else fill the do-not-call list again, then send the command resume to each originate node that makes autocalls: until then they are paused.',
    ru: 'Хранилища «{file}» не было на месте, начато новое, пустое: заказов, ждавших событий, истории и списка запрещённых номеров в нём нет. Если его убрали по ошибке, остановите Node-RED и верните файл. Иначе заполните список запрещённых номеров заново и отправьте каждому узлу originate с автообзвоном команду resume: до этого он стоит на паузе.',
  },
  STORE_BROKEN: {
    en: 'The store "{file}" is damaged ({reason}). It is set aside and begun anew by itself, at most once an hour. If it happens again, check the disk.',
    ru: 'Хранилище «{file}» повреждено ({reason}). Оно само откладывается и начинается заново, не чаще раза в час. Если это повторится, проверьте диск.',
  },
  STORE_NEWER: {
    en: 'The store "{file}" was written by a newer version of this pack (schema {found}, this one knows up to {known}). It was left untouched: upgrade the pack, or choose another file name.',
    ru: 'Хранилище «{file}» записано более новой версией пакета (схема {found}, эта знает до {known}). Файл не тронут: обновите пакет или выберите другое имя файла.',
  },
  STORE_NOT_OURS: {
    en: 'The file "{file}" is a database of another program. It was left untouched: choose another file name.',
    ru: 'Файл «{file}» — база данных другой программы. Он не тронут: выберите другое имя файла.',
  },
  STORE_UNSAFE: {
    en: 'The store "{file}" cannot be kept safe against a crash here ({reason}), so it is not used. Put the user directory of Node-RED on a local disk, not on a network share, and start Node-RED anew.',
    ru: 'Здесь хранилище «{file}» нельзя защитить от сбоя ({reason}), поэтому оно не используется. Перенесите папку пользователя Node-RED на локальный диск (не сетевой) и перезапустите Node-RED.',
  },
  STORE_BUSY: {
    en: 'The store "{file}" has {mib} MiB of writes waiting for the disk and takes no more for the moment. Send it again later; if it happens often, the disk is too slow: see what else writes to it.',
    ru: 'Хранилище «{file}»: записи на диск ждут уже {mib} МиБ, новые пока не принимаются. Повторите позже; если это случается часто, диск слишком медленный: выясните, что ещё на него пишет.',
  },
  STORE_OUTBOX_FULL: {
    en: 'The store "{file}" has {limit} events that wait for delivery or were given up, and takes no more. See why they are not delivered; revive or drop those that were given up.',
    ru: 'В хранилище «{file}» уже {limit} событий ждут доставки или не доставлены, новые не принимаются. Выясните, почему они не доставляются; недоставленные верните в очередь или удалите.',
  },
  STORE_ORDERS_FULL: {
    en: 'The store "{file}" has numbered {limit} orders in its life and has no number left for another one. Begin a new file: choose another file name.',
    ru: 'Хранилище «{file}» за свою жизнь пронумеровало {limit} заказов, свободных номеров больше нет. Начните новый файл: выберите другое имя файла.',
  },
  STORE_BLOCKED_FULL: {
    en: 'The do-not-call list in the store "{file}" has {limit} numbers and takes no more.',
    ru: 'В списке запрещённых номеров хранилища «{file}» уже {limit} номеров, новые не принимаются.',
  },
  STORE_OVER_SIZE: {
    en: 'The store "{file}" is larger than the limit ({mib} MiB) though no old calls are left to delete: what waits for delivery, and the orders of the last 30 days, fill it. See what waits and why, or raise the limit.',
    ru: 'Хранилище «{file}» больше предела ({mib} МиБ), хотя старых звонков для удаления не осталось: его заполняют события, ждущие доставки, и заказы последних 30 дней. Выясните, что и почему ждёт, или увеличьте предел.',
  },
  STORE_RECORDS_LOST: {
    en: '{count} records of calls are missing in the history: the store could not be written while they came. Its own errors say why; what the PBX keeps itself (its CDR) has these calls.',
    ru: 'В истории не хватает записей о звонках ({count}): пока они приходили, в хранилище нельзя было писать. Причина — в его собственных ошибках; эти звонки есть в CDR самой АТС.',
  },
  STORE_FACTS_LOST: {
    en: '{count} events of queues and agents are missing in the statistics: the store could not be written while they came. Its own errors say why.',
    ru: 'В статистике не хватает событий очередей и операторов ({count}): пока они приходили, в хранилище нельзя было писать. Причина — в его собственных ошибках.',
  },
  STORE_TOO_LARGE: {
    en: 'The {what} has {bytes} bytes; at most {limit} can be kept. Leave out what is not needed, for instance channel variables.',
    ru: '{what}: {bytes} байт, хранится не больше {limit}. Уберите лишнее, например переменные каналов.',
  },
  STORE_BAD_VALUE: {
    en: 'This cannot be kept: {what} is missing or wrong.',
    ru: 'Это нельзя сохранить: поле {what} отсутствует или неверно.',
  },
  STORE_BAD_PATH: {
    en: 'The path "{file}" cannot be used: it must lie inside "{folder}".',
    ru: 'Путь «{file}» не подходит: он должен быть внутри «{folder}».',
  },
  STORE_BACKUP_EXISTS: {
    en: 'The backup "{file}" exists already and is not overwritten. Choose another name.',
    ru: 'Копия «{file}» уже есть и не перезаписывается. Выберите другое имя.',
  },
  STORE_BACKUP_FAILED: {
    en: 'The backup "{file}" could not be written ({reason}). Check the free space and the rights of its folder, then make it again; a daily one is made again the next day.',
    ru: 'Копию «{file}» не удалось записать ({reason}). Проверьте свободное место и права на папку и сделайте копию ещё раз; ежедневная повторится на следующий день.',
  },
  STORE_FAILED: {
    en: 'The store "{file}" failed ({reason}). If it happens again, start Node-RED anew; if that does not help, please report it with this text.',
    ru: 'Ошибка хранилища «{file}» ({reason}). Если она повторится, перезапустите Node-RED; если не поможет, сообщите о ней вместе с этим текстом.',
  },
  STORE_BAD_SETTINGS: {
    en: 'The settings of the store cannot be used: {problemEn}',
    ru: 'Настройки хранилища нельзя использовать: {problemRu}',
  },
  QUERY_BAD: {
    en: 'The question for calls cannot be understood: {problemEn}',
    ru: 'Запрос звонков непонятен: {problemRu}',
  },
});

/** The error for one wrong setting; `problem` says which and what to write there. */
export function badStoreSettings(problem: Text): TelephonyError {
  return storeError('STORE_BAD_SETTINGS', { problemEn: problem.en, problemRu: problem.ru });
}

/** The error for a question that cannot be understood. */
export function badQuery(problem: Text): TelephonyError {
  return storeError('QUERY_BAD', { problemEn: problem.en, problemRu: problem.ru });
}
