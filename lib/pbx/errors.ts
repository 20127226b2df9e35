import { errorsFrom } from '../errors';
import type { TelephonyError, Text } from '../errors';

export const pbxError = errorsFrom({
  PBX_BAD_SETTINGS: {
    en: 'The settings of the PBX "{name}" cannot be used: {problemEn}',
    ru: 'Настройки АТС «{name}» нельзя использовать: {problemRu}',
  },
  PBX_PRESENCE_DENIED: {
    en: 'Asterisk does not tell the states of the phones ({action}: permission denied), so every extension counts as not available. Add "{permission}" to write= of this user in manager.conf, then "manager reload".',
    ru: 'Asterisk не сообщает состояния телефонов ({action}: Permission denied), поэтому все внутренние номера считаются недоступными. Добавьте «{permission}» в write= этого пользователя в manager.conf, затем «manager reload».',
  },
  PBX_CONTACTS_REFUSED: {
    en: 'The PBX does not tell where its phones are registered ({reason}): give the AMI user "call" or "reporting" in write= of manager.conf.',
    ru: 'АТС не сообщает, где зарегистрированы её телефоны ({reason}): дайте пользователю AMI «call» или «reporting» в write= файла manager.conf.',
  },
  PBX_PRESENCE_FAILED: {
    en: 'The states of the phones could not be read ({action}): {reason}',
    ru: 'Состояния телефонов не прочитаны ({action}): {reason}',
  },
  PBX_PRESENCE_DEAF: {
    en: 'Asterisk does not tell when a phone changes its state, so who is available is known only once a minute. In this ami-config leave Events empty or add "call" to it; in manager.conf "call" must stand in read= of this user, then "manager reload".',
    ru: 'Asterisk не сообщает об изменениях состояния телефонов, поэтому доступность известна лишь раз в минуту. В этом ami-config оставьте поле «События» пустым или добавьте в него «call»; в manager.conf «call» должно стоять в read= этого пользователя, затем «manager reload».',
  },
  PBX_CALLS_DENIED: {
    en: 'Asterisk does not list its channels (CoreShowChannels: permission denied), so calls that ended while the link was down cannot be told. Add "reporting" to write= of this user in manager.conf, then "manager reload".',
    ru: 'Asterisk не отдаёт список каналов (CoreShowChannels: Permission denied), поэтому о звонках, закончившихся без связи, узнать нельзя. Добавьте «reporting» в write= этого пользователя в manager.conf, затем «manager reload».',
  },
  PBX_CALLS_FAILED: {
    en: 'The list of channels could not be read (CoreShowChannels), it is asked for again in {seconds} s: {reason}',
    ru: 'Список каналов не прочитан (CoreShowChannels), повтор через {seconds} с: {reason}',
  },
  PBX_CALLS_DEAF: {
    en: 'The life of calls cannot be told: the field Events of this ami-config keeps the events of calls out. Leave it empty or add "call" to it.',
    ru: 'О звонках ничего не узнать: поле «События» этого ami-config не пропускает события звонков. Оставьте его пустым или добавьте в него «call».',
  },
  PBX_CALLS_NOT_KEPT: {
    en: 'The calls under way of "{pbx}" are not kept for a restart of Node-RED: {reason}. They are still told; it is tried again by itself.',
    ru: 'Текущие звонки «{pbx}» не сохраняются на случай перезапуска Node-RED: {reason}. События по ним идут; попытки сохранить повторяются сами.',
  },
  PBX_CALL_NOT_KEPT: {
    en: 'The call {callId} of "{pbx}" is not kept for a restart of Node-RED; the others are. {reasonEn}',
    ru: 'Звонок {callId} «{pbx}» не сохраняется на случай перезапуска Node-RED; остальные сохраняются. {reasonRu}',
  },
  PBX_QUEUES_NOT_KEPT: {
    en: 'The callers and members of the queues of "{pbx}" are not kept for a restart of Node-RED: {reason}. They are still told of; it is tried again by itself.',
    ru: 'Ожидающие и операторы очередей «{pbx}» не сохраняются на случай перезапуска Node-RED: {reason}. События о них идут; попытки сохранить повторяются сами.',
  },
  PBX_QUEUE_NOT_KEPT: {
    en: 'A caller or member of the queues of "{pbx}" ({callId}) is not kept for a restart of Node-RED; the others are. {reasonEn}',
    ru: 'Ожидающий или оператор очередей «{pbx}» ({callId}) не сохраняется на случай перезапуска Node-RED; остальные сохраняются. {reasonRu}',
  },
  PBX_NOT_READY: {
    en: 'The PBX "{name}" did not become ready within {ms} ms. Check the port (5038, with TLS 5039); Asterisk may also be frozen or still starting.',
    ru: 'АТС «{name}» не стала доступна за {ms} мс. Проверьте порт (5038, с TLS 5039); возможно, Asterisk завис или ещё запускается.',
  },
  PBX_CALLS_UNREADABLE: {
    en: '{count} of the calls that were live when Node-RED stopped cannot be read: another version of the pack saved them. Those still up are followed from now on; those that ended meanwhile get no record. There is nothing to do.',
    ru: 'Звонки, которые шли до остановки Node-RED, не прочитаны ({count}): их сохранила другая версия пакета. Те, что ещё идут, начаты заново; закончившиеся за это время останутся без записи. Делать ничего не нужно.',
  },
  PBX_QUEUES_UNREADABLE: {
    en: '{count} of the callers and members that were in queues when Node-RED stopped cannot be read: another version of the pack saved them. Those still there are followed from now on; the end of those who left meanwhile is not told. There is nothing to do.',
    ru: 'Ожидающие и операторы, бывшие в очередях до остановки Node-RED, не прочитаны ({count}): их сохранила другая версия пакета. За теми, кто ещё там, слежение начато заново; о тех, кто за это время ушёл, событий не будет. Делать ничего не нужно.',
  },
  PBX_CALLS_TOO_MANY: {
    en: 'There are more channels than can be followed (20 000 at a time, 500 in one call): the others are left out of events and records. Look for a call that loops in the dialplan; "core show channels" in Asterisk lists the channels.',
    ru: 'Каналов больше, чем отслеживается (20 000 одновременно, 500 в одном звонке): остальные не попадут ни в события, ни в записи. Ищите звонок, зациклившийся в диалплане: «core show channels» в Asterisk покажет каналы.',
  },
  PBX_REGIONS_UNUSABLE: {
    en: 'The table of regions {file} is not used: {reasonEn} Until that is mended and deployed, regions are told by area codes only.',
    ru: 'Таблица регионов {file} не используется: {reasonRu} Пока это не исправлено и не развёрнуто, регионы определяются только по кодам городов.',
  },
  PBX_QUEUES_DEAF: {
    en: 'The life of queues cannot be told: the field Events of this ami-config keeps the events of queues out. Leave it empty or add "agent" to it.',
    ru: 'О жизни очередей ничего не узнать: поле «События» этого ami-config не пропускает события очередей. Оставьте его пустым или добавьте в него «agent».',
  },
  PBX_QUEUES_FAILED: {
    en: 'The members and callers of the queues could not be read (QueueStatus), they are asked for again in {seconds} s: {reason}',
    ru: 'Операторы и ожидающие очередей не прочитаны (QueueStatus), повтор через {seconds} с: {reason}',
  },
  PBX_QUEUES_TOO_MANY: {
    en: 'There are more callers or members of queues than can be followed (20 000 of each): the others are left out of queue events. Look for a call that loops in the dialplan; "queue show" in Asterisk lists the queues.',
    ru: 'Ожидающих или операторов в очередях больше, чем отслеживается (по 20 000): о прочих событий не будет. Ищите звонок, зациклившийся в диалплане: «queue show» в Asterisk покажет очереди.',
  },
  PBX_CALLS_DROPPED: {
    en: 'More than {limit} call events came while a node was being deployed: it does not get the oldest ones. Deploy when the PBX is less busy.',
    ru: 'Пока узел развёртывался, пришло больше {limit} событий звонков: самые старые он не получит. Развёртывайте потоки, когда АТС менее занята.',
  },
  PBX_SAME_NAME: {
    en: 'Another ami-config has the name "{name}" too. Events, the history and recordings tell PBXs apart by this name, so the calls of the two get mixed up: give each its own name.',
    ru: 'Имя «{name}» есть и у другого ami-config. События, история и записи разговоров различают АТС по этому имени, поэтому звонки двух АТС смешаются: дайте каждой своё имя.',
  },
  PBX_BAD_EVENT_NAMES: {
    en: 'Events: "{wrong}" cannot be used. Write * or at most {limit} event names with commas, for instance Newchannel, Hangup.',
    ru: 'События: «{wrong}» не подходит. Напишите * или до {limit} имён событий через запятую, например Newchannel, Hangup.',
  },
  PBX_BAD_FILTER: {
    en: 'Filter, row {row}: it needs a header name without a colon, an operator of the list and one line of at most 255 characters; {limit} rows at most.',
    ru: 'Фильтр, строка {row}: нужны имя заголовка без двоеточия, условие из списка и одна строка до 255 символов; всего не больше {limit} строк.',
  },
  PBX_NOT_CHOSEN: {
    en: 'This node has no PBX: the ami-config that it names is disabled, deleted or was never chosen. Choose one in its dialog.',
    ru: 'У этого узла нет АТС: выбранный ami-config отключён, удалён или не был выбран. Выберите его в настройках узла.',
  },
  SIMULATOR_ONLY: {
    en: 'A simulated call needs the built-in simulator, but "{name}" is a real Asterisk. Choose the simulator in this ami-config, or ring a phone of the PBX.',
    ru: 'Учебный звонок возможен только во встроенном симуляторе, а «{name}» — настоящий Asterisk. Выберите симулятор в этом ami-config или позвоните на АТС с телефона.',
  },
});

/** The error for one wrong setting; `problem` says which and what to write there. */
export function badSettings(name: string, problem: Text): TelephonyError {
  return pbxError('PBX_BAD_SETTINGS', { name, problemEn: problem.en, problemRu: problem.ru });
}
