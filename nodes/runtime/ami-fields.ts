import type { Text } from '../../lib/errors';
import { badSettings } from '../../lib/pbx/errors';
import { variableIn } from '../../lib/variables';
import { textOf } from './settings';

const MAX_FIELD = 255;

/** One field as text; refuses an environment variable that is not set, and what no line of AMI can carry. */
export function field(name: string, label: Text, value: unknown, max = MAX_FIELD): string {
  const read = textOf(value);
  const variable = variableIn(read);
  if (variable !== undefined) {
    throw badSettings(name, {
      en: `${label.en}: the environment variable ${variable} is not set.`,
      ru: `${label.ru}: переменная окружения ${variable} не задана.`,
    });
  }
  if (read.length > max || /[\u0000-\u001f]/.test(read)) {
    throw badSettings(name, {
      en: `${label.en}: it must be one line of at most ${max} characters.`,
      ru: `${label.ru}: нужна одна строка не длиннее ${max} символов.`,
    });
  }
  return read;
}
