import type { CrmField } from '../types';
import { REGEX_WARNING } from './delivery-fields';

const same = (text: string) => ({ en: text, ru: text });

const withBody = { field: 'method', in: ['POST', 'PUT', 'PATCH'] } as const;

/** The dialog of the CRM that is described without code. The names are those of the saved settings. */
export const genericFields: readonly CrmField[] = [
  {
    name: 'method',
    type: 'choice',
    label: { en: 'Method', ru: 'Метод' },
    default: 'GET',
    choices: ['GET', 'POST', 'PUT', 'PATCH'].map((value) => ({ value, label: same(value) })),
  },
  {
    name: 'url',
    type: 'url',
    required: true,
    label: { en: 'Address', ru: 'Адрес' },
    help: {
      en: 'Placeholders: {{e164}} +74951343060, {{digits}} 74951343060, {{national}} 4951343060, {{variants}} all of them, separated by commas.',
      ru: 'Подстановки: {{e164}} +74951343060, {{digits}} 74951343060, {{national}} 4951343060, {{variants}} все варианты через запятую.',
    },
    placeholder: 'https://crm.example.com/api/clients?phone={{digits}}',
  },
  {
    name: 'bodyType',
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
    name: 'body',
    type: 'multiline',
    label: { en: 'Body template', ru: 'Шаблон тела' },
    help: {
      en: 'The same placeholders. In JSON put quotes around them, except {{variants}}, which becomes a list.',
      ru: 'Те же подстановки. В JSON берите их в кавычки; {{variants}} — без кавычек: она становится списком.',
    },
    placeholder: '{ "phone": "{{e164}}" }',
    when: withBody,
  },
  {
    name: 'headers',
    type: 'pairs',
    label: { en: 'Headers', ru: 'Заголовки' },
    help: {
      en: 'Exported with the flow: put keys into the fields below.',
      ru: 'Экспортируются вместе с потоком: ключи указывайте в полях ниже.',
    },
  },
  {
    name: 'auth',
    type: 'choice',
    label: { en: 'Access', ru: 'Доступ' },
    default: 'none',
    choices: [
      { value: 'none', label: { en: 'Without a key', ru: 'Без ключа' } },
      { value: 'basic', label: { en: 'User name and password (Basic)', ru: 'Логин и пароль (Basic)' } },
      { value: 'bearer', label: { en: 'Token (Bearer)', ru: 'Токен (Bearer)' } },
      { value: 'header', label: { en: 'Key in a header', ru: 'Ключ в заголовке' } },
      {
        value: 'placeholder',
        label: { en: 'Key in address or body: {{token}}', ru: 'Ключ в адресе или теле: {{token}}' },
      },
    ],
  },
  {
    name: 'user',
    type: 'secret',
    label: { en: 'User name', ru: 'Логин' },
    when: { field: 'auth', in: ['basic'] },
  },
  {
    name: 'password',
    type: 'secret',
    label: { en: 'Password', ru: 'Пароль' },
    when: { field: 'auth', in: ['basic'] },
  },
  {
    name: 'authHeader',
    type: 'text',
    label: { en: 'Header name', ru: 'Имя заголовка' },
    placeholder: 'X-API-Key',
    when: { field: 'auth', in: ['header'] },
  },
  {
    name: 'token',
    type: 'secret',
    label: { en: 'Key', ru: 'Ключ' },
    when: { field: 'auth', in: ['bearer', 'header', 'placeholder'] },
  },
  {
    name: 'found',
    type: 'text',
    label: { en: 'Found, if', ru: 'Найден, если' },
    help: {
      en: `This and the next fields read the answer, each with a path (data.items[0].name) or any JSONata expression; $e164, $digits, $national and $variants can be used. Empty: found when any field below has a value. ${REGEX_WARNING.en}`,
      ru: `Это и следующие поля читают ответ: путь (data.items[0].name) или любое выражение JSONata; известны $e164, $digits, $national и $variants. Пусто: найден, если есть значение хотя бы в одном поле ниже. ${REGEX_WARNING.ru}`,
    },
    placeholder: '$count(items) > 0',
  },
  { name: 'name', type: 'text', label: { en: 'Client name', ru: 'Имя клиента' }, placeholder: 'items[0].name' },
  {
    name: 'ownerId',
    type: 'text',
    label: { en: 'Manager id', ru: 'Id менеджера' },
    help: { en: 'Of the user who is responsible for the client.', ru: 'Пользователь, ответственный за клиента.' },
    placeholder: 'items[0].manager.id',
  },
  { name: 'ownerName', type: 'text', label: { en: 'Manager name', ru: 'Менеджер' } },
  {
    name: 'extension',
    type: 'text',
    label: { en: 'Extension', ru: 'Внутр. номер' },
    help: {
      en: 'Of the manager. Leave empty if the table of users has it.',
      ru: 'Номер менеджера. Оставьте пустым, если он есть в таблице пользователей.',
    },
  },
  {
    name: 'entityType',
    type: 'text',
    label: { en: 'Card type', ru: 'Тип карточки' },
    help: { en: 'A fixed word in quotes: "lead".', ru: 'Постоянное слово — в кавычках: "lead".' },
  },
  { name: 'entityId', type: 'text', label: { en: 'Card id', ru: 'Id карточки' } },
  { name: 'entityUrl', type: 'text', label: { en: 'Card address', ru: 'URL карточки' } },
  {
    name: 'notFound404',
    type: 'flag',
    label: { en: '404 = not found', ru: '404 = нет' },
    help: { en: 'The CRM answers 404 when it has no such client.', ru: 'CRM отвечает 404, когда такого клиента нет.' },
    default: false,
  },
  {
    name: 'ownerUrl',
    type: 'text',
    label: { en: 'Second request', ru: 'Второй запрос' },
    help: {
      en: 'Address of the data of the manager. Sent only if the first answer gives {{ownerId}} but no extension.',
      ru: 'Адрес данных менеджера. Выполняется, только если первый ответ дал {{ownerId}}, но не внутренний номер.',
    },
    placeholder: 'https://crm.example.com/api/users/{{ownerId}}',
  },
  {
    name: 'ownerExtension',
    type: 'text',
    label: { en: 'Its extension', ru: 'Номер из него' },
    help: {
      en: 'The extension in the answer to the second request.',
      ru: 'Внутренний номер в ответе на второй запрос.',
    },
    placeholder: 'phone_inner',
  },
  {
    name: 'usersUrl',
    type: 'text',
    label: { en: 'Users: address', ru: 'Пользователи' },
    help: {
      en: 'Address of the list of users, for the button that fills the table.',
      ru: 'Адрес списка пользователей — для кнопки, которая заполняет таблицу.',
    },
  },
  {
    name: 'usersList',
    type: 'text',
    label: { en: 'Users: the list', ru: 'Путь к списку' },
    placeholder: 'items',
  },
  { name: 'userId', type: 'text', label: { en: 'User: id', ru: 'Id в списке' }, placeholder: 'id' },
  { name: 'userName', type: 'text', label: { en: 'User: name', ru: 'Имя в списке' }, placeholder: 'name' },
  { name: 'userExtension', type: 'text', label: { en: 'User: extension', ru: 'Путь к номеру' } },
  {
    name: 'testNumber',
    type: 'text',
    label: { en: 'Test number', ru: 'Номер теста' },
    help: {
      en: 'With the country code. Empty: a number that nobody has.',
      ru: 'С кодом страны. Пусто: номер, которого ни у кого нет.',
    },
    placeholder: '+74951343060',
  },
];
