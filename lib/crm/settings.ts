import type { TelephonyError, Text } from '../errors';
import { variableIn } from '../variables';
import { webAddress } from '../web-address';
import { badSettings } from './errors';
import { objects, scalar } from './json';
import type { CrmColumn, CrmField, SecretSlot, TableRow } from './types';

type Settings = Readonly<Record<string, unknown>>;

/** Reads the settings of a CRM account as a dialog saved them; what is missing is empty, what is wrong is named. */
export class SettingsReader {
  constructor(
    private readonly settings: Settings,
    private readonly secrets: Readonly<Partial<Record<SecretSlot, string>>>,
  ) {}

  /** The trimmed text; `''` when there is none. */
  text(field: string): string {
    const value = this.settings[field];
    if (typeof value === 'number') return String(value);
    return typeof value === 'string' ? filledIn(field, value.trim()) : '';
  }

  /** `otherwise`: where nothing was saved, as in flows that are older than the field. */
  flag(field: string, otherwise = false): boolean {
    if (this.settings[field] === undefined) return otherwise;
    return this.settings[field] === true || this.settings[field] === 'true';
  }

  required(field: string): string {
    return this.text(field) || missing(field);
  }

  choice<T extends string>(field: string, allowed: readonly T[], otherwise: T): T {
    const value = this.text(field);
    if (value === '') return otherwise;
    const found = allowed.find((one) => one === value);
    if (found === undefined) {
      throw badSettings(field, {
        en: `choose one of ${allowed.join(', ')}.`,
        ru: `выберите одно из: ${allowed.join(', ')}.`,
      });
    }
    return found;
  }

  /** Digits, or `''`. */
  digits(field: string, problem: Text): string {
    const text = this.text(field);
    if (/^\d*$/.test(text)) return text;
    throw badSettings(field, problem);
  }

  /** A whole number from 0 to `max`. */
  count(field: string, max: number): number {
    const value = Number(this.text(field));
    if (!Number.isInteger(value) || value < 0 || value > max) {
      throw badSettings(field, {
        en: `enter a whole number from 0 to ${max}.`,
        ru: `введите целое число от 0 до ${max}.`,
      });
    }
    return value;
  }

  /** A list of `{ name, value }` without its empty lines. */
  pairs(field: string): readonly (readonly [string, string])[] {
    return objects(this.settings[field])
      .map((line) => [filledIn(field, plainText(line.name).trim()), filledIn(field, plainText(line.value))] as const)
      .filter(([name]) => name !== '');
  }

  /** The rows of a table, its empty ones left out, each cell as its column wants it. */
  table({ name: field, columns = [], keys = 0 }: CrmField): readonly TableRow[] {
    const seen = new Set<string>();
    return objects(this.settings[field])
      .map((row) => Object.fromEntries(columns.map(({ name }) => [name, filledIn(field, scalar(row[name]) ?? '')])))
      .flatMap((row, index) => {
        if (Object.values(row).every((cell) => cell === '')) return [];
        if (index >= MAX_ROWS)
          throw badSettings(field, { en: `at most ${MAX_ROWS} rows.`, ru: `не больше ${MAX_ROWS} строк.` });
        for (const column of columns) {
          const problem = problemOf(column, row);
          if (problem) throw badRow(field, index, column.label, problem);
        }
        const key = columns
          .slice(0, keys)
          .map(({ name }) => row[name]?.toLowerCase())
          .join('\n');
        if (keys > 0 && seen.has(key)) throw badRow(field, index);
        seen.add(key);
        return [row];
      });
  }

  /** An absolute http or https address without a user name. */
  url(field: string): string {
    return checkedUrl(field, this.required(field));
  }

  secret(slot: SecretSlot): string {
    return filledIn(slot, this.secrets[slot] ?? '');
  }

  requiredSecret(slot: SecretSlot): string {
    return this.secret(slot) || missing(slot);
  }
}

/** The same address; throws `CRM_BAD_SETTINGS` when it is none to send a request to. */
export function checkedUrl(field: string, text: string): string {
  if (!webAddress(text)) {
    throw badSettings(field, {
      en: 'enter a full address that begins with https:// or http:// and has no user name in it.',
      ru: 'введите полный адрес, который начинается с https:// или http:// и не содержит имени пользователя.',
    });
  }
  return text;
}

/** The same text; an environment variable that is not set would be sent to the CRM by its name. */
function filledIn(field: string, text: string): string {
  const variable = variableIn(text);
  if (variable === undefined) return text;
  throw badSettings(field, {
    en: `the environment variable ${variable} is not set: set it, or type the value.`,
    ru: `переменная окружения ${variable} не задана: задайте её или введите значение.`,
  });
}

/** Rows of a table, and characters of a cell. */
const MAX_ROWS = 100;
const MAX_CELL = 100;

const wanted = ({ type, choices = [] }: CrmColumn): Text => {
  const list = choices.map(({ value }) => value).join(', ');
  if (type === 'whole') return { en: 'write a whole number', ru: 'впишите целое число' };
  if (type === 'choice') return { en: `choose one of ${list}`, ru: `выберите одно из: ${list}` };
  return { en: `write one line of at most ${MAX_CELL} characters`, ru: `впишите одну строку до ${MAX_CELL} символов` };
};

/** What to do about a cell; nothing when it is as its column wants it. */
function problemOf(column: CrmColumn, row: TableRow): Text | undefined {
  const { name, type, choices = [], required = false, when } = column;
  const cell = row[name] ?? '';
  if (when && !when.in.includes(row[when.field] ?? '')) {
    return cell === '' ? undefined : { en: 'leave it empty in this row', ru: 'в этой строке оставьте пустым' };
  }
  const isRight: Readonly<Record<CrmColumn['type'], boolean>> = {
    choice: choices.some(({ value }) => value === cell),
    whole: /^-?\d{1,9}$/.test(cell),
    text: cell.length <= MAX_CELL && !/[\u0000-\u001f\u007f]/.test(cell),
  };
  return (cell === '' ? !required : isRight[type]) ? undefined : wanted(column);
}

/** Of a row, counted from 1 as in the dialog; without a cell: it says the same as one above. */
function badRow(field: string, index: number, cell?: Text, problem?: Text): TelephonyError {
  const [en, ru] = [`row ${index + 1}`, `строка ${index + 1}`];
  if (!cell || !problem) return badSettings(field, { en: `${en} is there twice.`, ru: `${ru} повторяет другую.` });
  return badSettings(field, { en: `${en}, "${cell.en}": ${problem.en}.`, ru: `${ru}, «${cell.ru}»: ${problem.ru}.` });
}

const plainText = (value: unknown): string => (typeof value === 'string' ? value : '');

function missing(field: string): never {
  throw badSettings(field, { en: 'it is empty: fill it in.', ru: 'не заполнено: заполните его.' });
}
