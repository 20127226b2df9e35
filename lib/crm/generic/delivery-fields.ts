import type { CrmField } from '../types';

export const DELIVERY_METHODS = ['POST', 'GET', 'PUT', 'PATCH'] as const;

const same = (text: string) => ({ en: text, ru: text });

/** For fields in which an admin may write a regular expression that reads what others write. */
export const REGEX_WARNING = {
  en: 'Write no regular expression with nested repetition such as /(a+)+$/ here: a hostile text in the answer can make it run for ever, and nothing can stop it.',
  ru: 'Не пишите здесь регулярных выражений с вложенными повторениями, например /(a+)+$/: из-за враждебного текста в ответе такое может работать бесконечно, и прервать его нельзя.',
} as const;

const withBody = { field: 'deliverMethod', in: ['POST', 'PUT', 'PATCH'] } as const;

/** What `crm-webhook-out` asks for a CRM that is described without code. */
export const genericDeliveryFields: readonly CrmField[] = [
  {
    name: 'deliverMethod',
    type: 'choice',
    label: { en: 'Method', ru: 'Метод' },
    default: 'POST',
    choices: DELIVERY_METHODS.map((value) => ({ value, label: same(value) })),
  },
  {
    name: 'deliverUrl',
    type: 'url',
    required: true,
    label: { en: 'Event address', ru: 'Адрес событий' },
    help: {
      en: 'Placeholders are the fields of the event: {{topic}}, {{callId}}, {{direction}}, {{client.e164}}, {{extension}}, {{user.id}}, {{line.number}}, {{startedAt}}, {{startedUnix}}, {{waitSeconds}}, {{talkSeconds}}, {{result}}, {{hangup.code}}, {{recording.url}}, {{variables.NAME}} and so on; of an ordered call {{outcome}}, {{orderId}}, {{key}}, {{number}}, {{data}}. Key and headers come from the CRM chosen above.',
      ru: 'Подстановки — поля события: {{topic}}, {{callId}}, {{direction}}, {{client.e164}}, {{extension}}, {{user.id}}, {{line.number}}, {{startedAt}}, {{startedUnix}}, {{waitSeconds}}, {{talkSeconds}}, {{result}}, {{hangup.code}}, {{recording.url}}, {{variables.ИМЯ}} и другие; у заказанного звонка {{outcome}}, {{orderId}}, {{key}}, {{number}}, {{data}}. Ключ и заголовки — из выбранной CRM.',
    },
    placeholder: 'https://crm.example.com/api/calls/{{callId}}',
  },
  {
    name: 'deliverBodyType',
    type: 'choice',
    label: { en: 'Body', ru: 'Тело' },
    default: 'json',
    when: withBody,
    choices: [
      { value: 'json', label: same('JSON') },
      { value: 'form', label: { en: 'Form', ru: 'Форма' } },
      { value: 'raw', label: { en: 'Text', ru: 'Текст' } },
      { value: 'none', label: { en: 'Empty', ru: 'Пусто' } },
    ],
  },
  {
    name: 'deliverBody',
    type: 'multiline',
    label: { en: 'Body template', ru: 'Шаблон тела' },
    help: {
      en: 'In JSON: quotes around texts, none around numbers, lists ({{talked}}, {{legs}}) and {{payload}}; a missing value becomes null. Empty: the whole event as JSON.',
      ru: 'В JSON: тексты в кавычках, числа, списки ({{talked}}, {{legs}}) и {{payload}} — без; вместо отсутствующего значения — null. Пусто: событие целиком в JSON.',
    },
    placeholder: '{ "phone": "{{client.e164}}", "seconds": {{talkSeconds}} }',
    when: withBody,
  },
  {
    name: 'deliverBodies',
    type: 'pairs',
    label: { en: 'Templates for single events', ru: 'Шаблоны для отдельных событий' },
    help: {
      en: 'Left: the event (call_hangup). Right: the template of its body.',
      ru: 'Слева — событие (call_hangup), справа — шаблон его тела.',
    },
    when: withBody,
  },
  {
    name: 'deliverHeaders',
    type: 'pairs',
    label: { en: 'More headers', ru: 'Дополнительные заголовки' },
    help: {
      en: 'Idempotency-Key is always sent, with the same value in each attempt to deliver an event.',
      ru: 'Idempotency-Key отправляется всегда, с одним и тем же значением во всех попытках доставить событие.',
    },
  },
  {
    name: 'deliverSuccess',
    type: 'text',
    label: { en: 'Delivered, if', ru: 'Успех, если' },
    help: {
      en: `A path or any JSONata expression over the answer; $status and $topic can be used. Empty: every 2xx answer is a success. ${REGEX_WARNING.en}`,
      ru: `Путь или любое выражение JSONata по ответу; доступны $status и $topic. Пусто: успех — любой ответ 2xx. ${REGEX_WARNING.ru}`,
    },
    placeholder: 'success = true',
  },
  {
    name: 'deliverVariables',
    type: 'pairs',
    label: { en: 'Channel variables from the answer', ru: 'Переменные канала из ответа' },
    help: {
      en: 'Left: the variable. Right: a path or JSONata. An answer like a=b&c=d is read too.',
      ru: 'Слева — переменная, справа — путь или JSONata. Ответ вида a=b&c=d тоже читается.',
    },
  },
];
