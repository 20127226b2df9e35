import { numberingPlan } from '../../lib/phone';
import type { NumberingPlan } from '../../lib/phone/types';
import type { FieldReader } from './field-reader';

/** The numbering plan has its own bound and names it. */
const MAX_PATTERN = 10_000;

/** The fields Country and Extensions of a config node, as they are saved. Throws `PHONE_BAD_PLAN` too. */
export function numberingOf(
  fields: FieldReader,
  { country, extensions }: { readonly country?: string; readonly extensions?: string },
): NumberingPlan {
  return numberingPlan({
    country: fields.text({ en: 'Country', ru: 'Страна' }, country) || 'RU',
    extensionPattern: fields.text({ en: 'Extensions', ru: 'Внутренние номера' }, extensions, MAX_PATTERN),
  });
}
