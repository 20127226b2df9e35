import { numberVariants } from '../phone';
import { badAnswer, badSettings } from './errors';
import type { PhoneNumber } from './types';

/** Where a filled-in template goes: it decides how a value is written so that it stays a value. */
export type Place = 'url' | 'form' | 'json' | 'raw';

export type TemplateValues = Readonly<Record<string, string | readonly string[]>>;

export type Template = (values: TemplateValues) => string;

/** Half of a surrogate pair, which no encoding can express. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\uFFFD');

function inUrl(value: string): string {
  // As a part of a path these two would climb out of it, percent-encoded or not (WHATWG URL).
  if (value === '.' || value === '..') {
    throw badAnswer({
      en: 'it has "." or ".." where an id should be.',
      ru: 'вместо идентификатора в нём «.» или «..».',
    });
  }
  return encodeURIComponent(wellFormed(value));
}

function written(value: string | readonly string[], place: Place): string {
  if (place === 'json') {
    return typeof value === 'string' ? JSON.stringify(value).slice(1, -1) : JSON.stringify(value);
  }
  const list = typeof value === 'string' ? [value] : value;
  if (place === 'raw') return list.join(',').replace(/\p{Cc}/gu, ' ');
  return list.map(inUrl).join(',');
}

/**
 * Reads a template with placeholders like `{{e164}}`. A value is percent-encoded in an address and a form, escaped inside
 * the quotes of JSON; a list becomes a JSON array (without quotes around it) or a text with commas. Throws
 * `CRM_BAD_SETTINGS` for a placeholder that is not among `names`.
 */
export function compileTemplate(field: string, text: string, place: Place, names: readonly string[]): Template {
  const parts = text.split(/\{\{\s*([^{}]*?)\s*\}\}/);
  const unknown = parts.find((name, index) => index % 2 === 1 && !names.includes(name));
  if (unknown !== undefined) {
    const known = names.map((name) => `{{${name}}}`).join(', ');
    throw badSettings(field, {
      en: `there is no placeholder {{${unknown.slice(0, 40)}}}; there are ${known}.`,
      ru: `подстановки {{${unknown.slice(0, 40)}}} нет; есть ${known}.`,
    });
  }
  return (values) => parts.map((part, index) => (index % 2 === 0 ? part : written(values[part] ?? '', place))).join('');
}

/** What the placeholders of a phone number stand for: `e164`, `digits`, `national`, `variants`. */
export function numberValues(phone: PhoneNumber): TemplateValues & { readonly e164: string } {
  const variants = numberVariants(phone);
  if (phone.kind === 'raw') return { e164: phone.digits, digits: phone.digits, national: phone.digits, variants };
  return { e164: phone.e164, digits: phone.e164.slice(1), national: phone.national, variants };
}
