import { isSupportedCountry } from 'libphonenumber-js/max';
import { badPlan, extensionMatcher } from './extension-pattern';
import type { NumberingPlan } from './types';

export interface NumberingPlanOptions {
  /** ISO 3166 country, in either case (`RU`). */
  readonly country: string;
  /** See {@link extensionMatcher}; absent or blank = 1 to 6 digits. */
  readonly extensionPattern?: string;
}

/** Any phone number with its area code is longer than this. */
const shortDigits = /^[0-9]{1,6}$/;

/** Makes a numbering plan of what an admin typed. Throws `PHONE_BAD_PLAN`, which says what is wrong. */
export function numberingPlan(options: NumberingPlanOptions): NumberingPlan {
  const country = options.country.trim().toUpperCase();
  if (!isSupportedCountry(country)) {
    throw badPlan({
      en: `"${options.country}" is no country: write its two letters, for instance RU.`,
      ru: `«${options.country}» — не страна: напишите её две буквы, например RU.`,
    });
  }
  const pattern = options.extensionPattern?.trim() ?? '';
  return { country, isExtension: pattern === '' ? (digits) => shortDigits.test(digits) : extensionMatcher(pattern) };
}
