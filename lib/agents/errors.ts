import { errorsFrom } from '../errors';

/** What an agent at the page, or who set it up, can do wrong. */
export const agentError = errorsFrom({
  AGENT_WRONG_PIN: {
    en: 'The extension or the PIN is wrong.',
    ru: 'Неверный внутренний номер или PIN.',
  },
  AGENT_WAIT: {
    en: 'Too many wrong PINs: wait {seconds} s and try again.',
    ru: 'Слишком много неверных PIN: подождите {seconds} с и повторите.',
  },
  AGENT_BUSY: {
    en: 'Too many people sign in at once: try again in a moment.',
    ru: 'Слишком много входов одновременно: повторите через мгновение.',
  },
  AGENT_BAD_LINK: {
    en: 'This link is not valid, or its time is over: open the page from the CRM again.',
    ru: 'Ссылка недействительна или устарела: откройте страницу из CRM ещё раз.',
  },
  AGENT_SIGNED_OUT: {
    en: 'Sign in again.',
    ru: 'Войдите ещё раз.',
  },
  AGENT_FOREIGN_PAGE: {
    en: 'Only the agent page itself may ask this.',
    ru: 'Спросить это может только сама страница оператора.',
  },
  AGENT_BAD_REQUEST: {
    en: 'The request is not understood.',
    ru: 'Запрос не понят.',
  },
  AGENT_NOT_YOUR_CALL: {
    en: 'This is not a call of yours, or it is over.',
    ru: 'Это не ваш звонок, или он уже закончен.',
  },
  AGENT_TOO_MANY_TABS: {
    en: 'The page is open too many times: close some of its tabs.',
    ru: 'Страница открыта слишком много раз: закройте лишние вкладки.',
  },
  AGENT_QUEUE_NOT_ALLOWED: {
    en: 'This page may not join or leave the queue {queue}.',
    ru: 'Через эту страницу нельзя войти в очередь {queue} или выйти из неё.',
  },
  AGENT_BAD_REASON: {
    en: 'Choose a reason for the pause from the list; one of your own, where it is allowed, has at most {limit} characters.',
    ru: 'Выберите причину паузы из списка; своя, где она разрешена, — до {limit} символов.',
  },
  AGENT_BAD_URL: {
    en: 'The address "{url}" was not opened: it is no http:// or https:// address. Check what the CRM or the flow gives as url.',
    ru: 'Адрес «{url}» не открыт: это не адрес http:// или https://. Проверьте, что CRM или поток передаёт в url.',
  },
  AGENT_BAD_PIN: {
    en: 'A PIN has 4 to 64 characters.',
    ru: 'В PIN от 4 до 64 символов.',
  },
  AGENT_NO_PIN: {
    en: 'These extensions stand in the table of agents, but have no PIN: {extensions}. Set it in the dialog of the node; PINs do not come along when a flow is imported.',
    ru: 'Эти номера есть в таблице операторов, но без PIN: {extensions}. Задайте его в настройках узла; при импорте потока PIN не переносятся.',
  },
  AGENT_NO_KEY: {
    en: 'Agents cannot sign in: {problemEn}',
    ru: 'Операторам не войти: {problemRu}',
  },
  AGENT_SHORT_KEY: {
    en: 'The key for links is too short: give it {least} characters or more, best by chance, and the same to the CRM.',
    ru: 'Ключ для ссылок слишком короткий: нужно не меньше {least} символов, лучше случайных, и такой же ключ в CRM.',
  },
  AGENT_BAD_TEMPLATE: {
    en: 'The address "{template}" cannot be opened: write http:// or https://, a host without %parameters%, and a path; or /… or ../… for a page of this server, or show_vars/?…',
    ru: 'Адрес «{template}» открыть нельзя: укажите http:// или https://, имя узла без %параметров% и путь; либо /… или ../… для страницы этого же сервера, либо show_vars/?…',
  },
  AGENT_BAD_ORIGIN: {
    en: 'Other web pages: "{origin}" is no origin. Write it like https://crm.example.com.',
    ru: 'Другие страницы: «{origin}» — не источник (origin). Пишите его как https://crm.example.com.',
  },
  AGENT_NOBODY: {
    en: 'The message names no extension: set payload.extension.',
    ru: 'В сообщении нет внутреннего номера: задайте payload.extension.',
  },
  AGENT_FAILED: {
    en: 'It did not work; the log of Node-RED says why.',
    ru: 'Не получилось; причина в журнале Node-RED.',
  },
});
