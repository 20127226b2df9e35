import { errorsFrom } from '../errors';

export const uccxError = errorsFrom({
  UCCX_NO_ROWS: {
    en: 'There are no rows of Unified CCX here: msg.payload must be a list of rows, each an object with the names of its columns, as an SQL node gives them.',
    ru: 'Здесь нет строк Unified CCX: в msg.payload нужен список строк — объектов с именами столбцов, как их отдаёт узел SQL.',
  },
  UCCX_TOO_MANY_ROWS: {
    en: '{rows} rows in one message are too many: take at most {limit} at once, ordered by their end, and the next ones after them.',
    ru: '{rows} строк в одном сообщении — слишком много: берите не больше {limit} за раз, по порядку их окончания, а следующие — после них.',
  },
  UCCX_BAD_SETTINGS: {
    en: 'The settings of "{name}" cannot be used. {problemEn}',
    ru: 'Настройки «{name}» не подходят. {problemRu}',
  },
  UCCX_ROWS_LEFT_OUT: {
    en: '{count} of {rows} rows could not be used, the first of them is row {row}: {problemEn}',
    ru: 'Не удалось использовать строк: {count} из {rows}; первая из них — строка {row}: {problemRu}',
  },
});
