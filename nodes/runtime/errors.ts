import { errorsFrom } from '../../lib/errors';

/** What only the nodes can meet: a dialog that was not filled in, or a deploy in the middle of the work. */
export const nodeError = errorsFrom({
  CRM_NOT_CHOSEN: {
    en: 'No CRM is chosen, or its configuration is disabled: choose one in the dialog of the node.',
    ru: 'CRM не выбрана или её конфигурация отключена: выберите её в настройках узла.',
  },
  CRM_UNUSABLE: {
    en: 'The CRM cannot be used: {reason}',
    ru: 'Работать с CRM нельзя: {reason}',
  },
  STORE_NOT_CHOSEN: {
    en: 'No store is chosen, or its configuration is disabled: choose one in the dialog of the node.',
    ru: 'Хранилище не выбрано или его конфигурация отключена: выберите его в настройках узла.',
  },
  STORE_NOT_DEPLOYED: {
    en: 'This store does not run yet: deploy first.',
    ru: 'Это хранилище ещё не работает: сначала разверните поток.',
  },
  LOOKUP_STOPPED: {
    en: 'The flow was stopped or deployed before the CRM answered.',
    ru: 'Поток остановлен или развёрнут заново до ответа CRM.',
  },
  NOT_FROM_DIALOG: {
    en: 'Only a dialog of the editor may ask this: in JSON (Content-Type: application/json), and not from a page of another site.',
    ru: 'Спросить это может только диалог редактора: в JSON (Content-Type: application/json) и не со страницы другого сайта.',
  },
  TRACE_RUNNING: {
    en: 'A trace is being recorded already, into {file}: wait until it is over.',
    ru: 'Трасса уже записывается, в {file}: дождитесь конца записи.',
  },
  TRACE_NO_LINK: {
    en: 'There is nothing to record: this ami-config has no link to its PBX. Deploy it together with a node that uses it, and try again when that node is green.',
    ru: 'Записывать нечего: у этого ami-config нет связи с АТС. Разверните его вместе с узлом, который его использует, и повторите, когда этот узел станет зелёным.',
  },
  TRACE_BAD_SECONDS: {
    en: 'A trace cannot be "{value}" seconds long: write a whole number from 1 to {most}.',
    ru: 'Трасса не может длиться «{value}» секунд: напишите целое число от 1 до {most}.',
  },
  CLOSE_SLOW: {
    en: 'Closing this node took longer than {ms} ms: Node-RED goes on without waiting for it.',
    ru: 'Узел закрывался дольше {ms} мс: Node-RED продолжает работу, не дожидаясь его.',
  },
  CLOSE_FAILED: {
    en: 'Closing this node failed: {reason}',
    ru: 'Узел закрылся с ошибкой: {reason}',
  },
  BAD_DEADLINE: {
    en: 'The deadline "{value}" cannot be used, so it is {seconds} s: write seconds from 0.1 to 60.',
    ru: 'Срок «{value}» не подходит, вместо него действует {seconds} с: укажите секунды от 0,1 до 60.',
  },
  ENDPOINT_NO_VARIABLE: {
    en: 'The key is to come from the environment variable {variable}, which is not set: set it, or type the key.',
    ru: 'Ключ должен прийти из переменной окружения {variable}, но она не задана: задайте её или введите ключ.',
  },
  ENDPOINT_BAD_PATH: {
    en: 'The path "{path}" cannot be served: letters, digits, and - . _ ~ between slashes, for instance /crm.',
    ru: 'Путь «{path}» обслуживать нельзя: буквы, цифры и - . _ ~ между косыми чертами, например /crm.',
  },
  ENDPOINT_PATH_TAKEN: {
    en: 'The path {path} is taken: another node serves it, {node}. What is asked there never reaches this node. Give one of the two a path of its own ("Path" in its dialog).',
    ru: 'Путь {path} занят: его обслуживает другой узел, {node}. Запросы по нему сюда не попадают. Дайте одному из двух свой путь («Путь» в его настройках).',
  },
  WEBHOOK_NO_TOPICS: {
    en: 'This kind of CRM takes no events of calls: choose another CRM in the dialog of the node.',
    ru: 'CRM этого вида не принимает события звонков: выберите в узле другую CRM.',
  },
  WEBHOOK_BAD_DAYS: {
    en: 'Giving up after "{days}" days cannot be done: write a number of days, at most {most}.',
    ru: 'Срок «{days}» дней не подходит: укажите число дней, не больше {most}.',
  },
  WEBHOOK_BAD_ORDER: {
    en: 'The outbox does not know this order: send payload.command status, list, retry, drop or adopt; ids is a list of numbers.',
    ru: 'Очередь не знает такой команды: передайте payload.command со значением status, list, retry, drop или adopt; ids — список чисел.',
  },
  WEBHOOK_ORPHANS: {
    en: 'Messages wait in the store "{store}" for a node that no longer exists, and nobody delivers them: {count}. Open the dialog of a crm-webhook-out node with this store, press "What was given up" and take them over.',
    ru: 'В хранилище «{store}» ждут сообщения узла, которого больше нет, и никто их не доставляет: {count}. Откройте настройки узла crm-webhook-out с этим хранилищем, нажмите «Недоставленное» и заберите их.',
  },
  ORIGINATE_ORPHANS: {
    en: 'Orders wait in the store "{store}" for a node that no longer exists, and nobody dials them: {count}. Send an originate node of the same kind with this store payload {"command": "adopt"} to dial them, or {"command": "cancel", "orphans": true} to cancel them.',
    ru: 'В хранилище «{store}» ждут заказы узла, которого больше нет, и никто их не набирает: {count}. Отправьте узлу originate того же вида с этим хранилищем payload {"command": "adopt"}, чтобы их набрать, или {"command": "cancel", "orphans": true}, чтобы отменить.',
  },
  WEBHOOK_NOT_DEPLOYED: {
    en: 'The node does not run: deploy it first, and look at its status.',
    ru: 'Узел не работает: сначала разверните его и посмотрите на его статус.',
  },
  ORIGINATE_BAD_SETTINGS: {
    en: 'The settings of this node cannot be used: {problemEn}',
    ru: 'Настройки этого узла нельзя использовать: {problemRu}',
  },
  PBX_TO_DIAL_NOT_CHOSEN: {
    en: 'No PBX to dial with is chosen, or its configuration is disabled or wrong: look at it in the dialog of the node.',
    ru: 'АТС для звонков не выбрана, либо её конфигурация отключена или неверна: проверьте её в настройках узла.',
  },
});
