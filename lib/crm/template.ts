import { numberVariants } from '../phone';
import { badSettings, crmError } from './errors';
import type { JsonObject } from './json';
import type { PhoneNumber } from './types';

/** Where a filled-in template goes: it decides how a value is written so that it stays a value. */
export type Place = 'url' | 'form' | 'json' | 'raw';

/** A list or an object is written as JSON where JSON is meant, a list of texts elsewhere with commas. */
type TemplateValue = string | number | boolean | readonly unknown[] | JsonObject | undefined;

export type TemplateValues = Readonly<Record<string, TemplateValue>>;

export type Template = (values: TemplateValues) => string;

/** Where a placeholder is. */
interface Spot {
  readonly place: Place;
  /** Between the quotes of JSON. */
  readonly inside: boolean;
}

/** Half of a surrogate pair, which no encoding can express. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\uFFFD');

function asText(value: TemplateValue): string {
  if (value === undefined) return '';
  if (typeof value !== 'object') return String(value);
  const list = Array.isArray(value) ? (value as unknown[]) : undefined;
  const isPlain = list?.every((one) => typeof one !== 'object') ?? false;
  return isPlain && list ? list.map(String).join(',') : JSON.stringify(value);
}

/** A path with such a part leads out of where the admin wrote that it leads, percent-encoded or not (WHATWG URL). */
const climbs = (url: string): boolean => /(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\]|$)/i.test(url.replace(/[?#].*$/s, ''));

function inUrl(text: string): string {
  // A comma between the values of a list says more than its code.
  return text.split(',').map(wellFormed).map(encodeURIComponent).join(',');
}

function written(value: TemplateValue, { place, inside }: Spot): string {
  switch (place) {
    case 'json':
      if (inside || typeof value === 'string') return JSON.stringify(asText(value)).slice(1, -1);
      return JSON.stringify(value ?? null);
    case 'raw':
      return asText(value).replace(/\p{Cc}/gu, ' ');
    case 'url':
    case 'form':
      return inUrl(asText(value));
  }
}

/** Whether the text after `before` stands between the quotes of JSON. */
function isInside(before: string): boolean {
  return before.replace(/\\./g, '').split('"').length % 2 === 0;
}

/**
 * Reads a template with placeholders like `{{e164}}`. A value is percent-encoded in an address and a form; in JSON it is escaped
 * between quotes, and without them a number, a list or an object, `null` when there is none. A text without quotes is left to break the
 * JSON, which a filled-in sample shows. Throws `CRM_BAD_SETTINGS` for a placeholder that is not among `names`.
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
  const fixed = (index: number) =>
    parts
      .slice(0, index)
      .filter((_, at) => at % 2 === 0)
      .join('');
  const spots = parts.map((_, index): Spot => ({ place, inside: isInside(fixed(index)) }));
  const mayClimb = place !== 'url' || climbs(parts.map((part, index) => (index % 2 === 0 ? part : 'x')).join(''));
  return (values) => {
    const filled = parts
      .map((part, index) => (index % 2 === 0 ? part : written(values[part], spots[index] ?? { place, inside: true })))
      .join('');
    if (!mayClimb && climbs(filled)) throw crmError('CRM_BAD_PATH');
    return filled;
  };
}

/** What the placeholders of a phone number stand for: `e164`, `digits`, `national`, `variants`. */
export function numberValues(phone: PhoneNumber): TemplateValues {
  const variants = numberVariants(phone);
  if (phone.kind === 'raw') return { e164: phone.digits, digits: phone.digits, national: phone.digits, variants };
  return { e164: phone.e164, digits: phone.e164.slice(1), national: phone.national, variants };
}
