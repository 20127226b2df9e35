import type { TelephonyError, Text } from '../../lib/errors';
import { variableIn } from '../../lib/variables';
import { textOf } from './settings';

const MAX_FIELD = 255;
const MAX_LIST_TEXT = 20_000;
const MAX_ENTRIES = 500;
/** As much of a value as an error repeats. */
const SHOWN = 60;

/** Reads the dialog of one config node; what is wrong is told in that node's own error, by the label of the field. */
export class FieldReader {
  constructor(
    private readonly name: string,
    private readonly errorFor: (name: string, problem: Text) => TelephonyError,
  ) {}

  /** One field as text, without blanks around it. */
  text(label: Text, value: unknown, max = MAX_FIELD): string {
    return this.line(label, textOf(value), max);
  }

  /** The text as it is; refuses an environment variable that is not set, and what no line of a protocol can carry. */
  line(label: Text, text: string, max = MAX_FIELD): string {
    const variable = variableIn(text);
    if (variable !== undefined) {
      throw this.wrong(label, {
        en: `the environment variable ${variable} is not set.`,
        ru: `переменная окружения ${variable} не задана.`,
      });
    }
    if (text.length > max || /[\u0000-\u001f]/.test(text)) {
      throw this.wrong(label, {
        en: `it must be one line of at most ${max} characters.`,
        ru: `нужна одна строка не длиннее ${max} символов.`,
      });
    }
    return text;
  }

  /** The entries of a list that are not empty. */
  entries(label: Text, value: unknown, separator: RegExp): string[] {
    const entries = this.text(label, value, MAX_LIST_TEXT)
      .split(separator)
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '');
    if (entries.length <= MAX_ENTRIES) return entries;
    throw this.unusable(label, entries[MAX_ENTRIES] ?? '', {
      en: `there may be ${MAX_ENTRIES} entries at most.`,
      ru: `записей может быть не больше ${MAX_ENTRIES}.`,
    });
  }

  /** The error for a field, to be thrown. */
  wrong(label: Text, what: Text): TelephonyError {
    return this.bad({ en: `${label.en}: ${what.en}`, ru: `${label.ru}: ${what.ru}` });
  }

  /** The same, with the value that cannot be used: never a secret. `what`: what to write there. */
  unusable(label: Text, value: string, what: Text): TelephonyError {
    const shown = value.slice(0, SHOWN);
    return this.wrong(label, {
      en: `"${shown}" cannot be used; ${what.en}`,
      ru: `«${shown}» не подходит; ${what.ru}`,
    });
  }

  bad(problem: Text): TelephonyError {
    return this.errorFor(this.name, problem);
  }
}
