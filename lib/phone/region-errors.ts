import { errorsFrom } from '../errors';

/** Errors of a table of regions that an admin loads. */
export const regionError = errorsFrom({
  REGION_TABLE_BAD: {
    en: 'The table of regions has no row that can be read. Write from;to;region;time zone, numbers with country code, or take the registry of the Russian regulator as it is (UTF-8).',
    ru: 'В таблице регионов нет ни одной понятной строки. Нужны от;до;регион;часовой пояс, номера с кодом страны, либо реестр российского регулятора как есть (UTF-8).',
  },
  REGION_TABLE_TOO_LARGE: {
    en: 'The table of regions has more than {limit} rows or names. Leave out what is not needed.',
    ru: 'В таблице регионов больше {limit} строк или названий. Уберите лишнее.',
  },
});
