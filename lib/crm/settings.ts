import type { Text } from '../errors';
import { variableIn } from '../variables';
import { badSettings } from './errors';
import { objects } from './json';
import type { SecretSlot } from './types';

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
  let problem: boolean;
  try {
    const url = new URL(text);
    problem = !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '';
  } catch {
    problem = true;
  }
  if (problem) {
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

const plainText = (value: unknown): string => (typeof value === 'string' ? value : '');

function missing(field: string): never {
  throw badSettings(field, { en: 'it is empty: fill it in.', ru: 'не заполнено: заполните его.' });
}
