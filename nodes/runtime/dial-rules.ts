import type { Text } from '../../lib/errors';
import { DEFAULT_DIALLING } from '../../lib/outbound/defaults';
import { isNumberPattern } from '../../lib/outbound/patterns';
import type { DialAs, DialSettings } from '../../lib/outbound/types';
import type { FieldReader } from './field-reader';

export type DialRules = Pick<DialSettings, 'allow' | 'deny' | 'perMinute' | 'perCaller'>;

/** The dialogs know the same number. */
const MAX_PER_MINUTE = 10_000;

export const DIAL_FORMS: readonly DialAs[] = ['dialled', 'digits', 'e164'];

/** The rules of every config node over which calls go out. What is empty is as {@link DEFAULT_DIALLING} says. */
export function dialRules(fields: FieldReader, saved: { readonly [Rule in keyof DialRules]?: unknown }): DialRules {
  return {
    allow: patterns(fields, { en: 'Allowed', ru: 'Разрешены' }, saved.allow),
    deny: patterns(fields, { en: 'Forbidden', ru: 'Запрещены' }, saved.deny),
    perMinute: limit(fields, { en: 'Per minute', ru: 'В минуту' }, saved.perMinute) ?? DEFAULT_DIALLING.perMinute,
    perCaller: limit(fields, { en: 'Per caller', ru: 'На одного' }, saved.perCaller) ?? DEFAULT_DIALLING.perCaller,
  };
}

function patterns(fields: FieldReader, label: Text, value: unknown): string[] {
  // Brackets and dashes are how people write numbers; a blank parts them just as a comma does.
  return fields.entries(label, value, /[\s,;]+/).map((entry) => {
    const pattern = entry.replace(/[()-]/g, '');
    if (isNumberPattern(pattern)) return pattern;
    throw fields.unusable(label, entry, {
      en: 'write numbers with their country code, with * for "anything behind it", and commas: +7*, +375*.',
      ru: 'напишите через запятую номера с кодом страны, * — «дальше что угодно»: +7*, +375*.',
    });
  });
}

function limit(fields: FieldReader, label: Text, value: unknown): number | undefined {
  const read = fields.text(label, value);
  if (read === '') return undefined;
  const number = /^\d{1,5}$/.test(read) ? Number(read) : 0;
  if (number >= 1 && number <= MAX_PER_MINUTE) return number;
  throw fields.unusable(label, read, {
    en: `write a whole number from 1 to ${MAX_PER_MINUTE}.`,
    ru: `напишите целое число от 1 до ${MAX_PER_MINUTE}.`,
  });
}
