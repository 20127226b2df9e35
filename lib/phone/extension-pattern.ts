import type { Text, TelephonyError } from '../errors';
import { phoneError } from './errors';

const MAX_PATTERN_TEXT = 1000;
/** Longest extension that a pattern may spell out. */
const MAX_EXTENSION_DIGITS = 15;
/** What `.` and `!` may match at most, all in all: less than any phone number with its area code has. */
const MAX_WILDCARD_DIGITS = 9;

const CLASSES: Readonly<Record<string, string>> = { X: '[0-9]', Z: '[1-9]', N: '[2-9]' };

/** `PHONE_BAD_PLAN`: the numbering plan cannot be used. `problem` is the end of a sentence in each language, with its full stop. */
export function badPlan(problem: Text): TelephonyError {
  return phoneError('PHONE_BAD_PLAN', { problemEn: problem.en, problemRu: problem.ru });
}

/** One pattern of the list as a test; the expressions it is made of never repeat anything nested, so matching is linear. */
type Matcher = (digits: string) => boolean;

function rangeMatcher(from: string, to: string, written: string): Matcher {
  if (from.length !== to.length || from > to) {
    throw badPlan({
      en: `the range "${written}" must run from a smaller to a bigger number with as many digits (101-199).`,
      ru: `диапазон «${written}» должен идти от меньшего номера к большему с тем же числом цифр (101-199).`,
    });
  }
  // Equally long digit strings compare as text just as they do as numbers.
  return (digits) => digits.length === from.length && digits >= from && digits <= to;
}

/** The set between `[` and `]` as a list of digits: `1-5` and `135` may be mixed. */
function bracketDigits(inside: string, written: string): string {
  if (!/^(?:\d-\d|\d)+$/.test(inside)) {
    throw badPlan({
      en: `in the pattern "${written}" the brackets must hold digits or ranges of digits, as in [1-5].`,
      ru: `в шаблоне «${written}» в скобках должны быть цифры или диапазоны цифр, например [1-5].`,
    });
  }
  const reversed = [...inside.matchAll(/(\d)-(\d)/g)].some(([, low = '', high = '']) => low > high);
  if (reversed) {
    throw badPlan({
      en: `in the pattern "${written}" a range in brackets runs backwards.`,
      ru: `в шаблоне «${written}» диапазон в скобках записан задом наперёд.`,
    });
  }
  return inside;
}

function patternMatcher(written: string): Matcher {
  const pattern = written.startsWith('_') ? written.slice(1) : written;
  const tokens = pattern.match(/\[[^\]]*\]|[\s\S]/g) ?? [];
  let source = '';
  let length = 0;
  for (const [index, token] of tokens.entries()) {
    const upper = token.toUpperCase();
    if (token === '.' || token === '!') {
      const rest = MAX_WILDCARD_DIGITS - length;
      if (index !== tokens.length - 1 || index === 0 || rest < 1) {
        throw badPlan({
          en: `in the pattern "${written}" the ${token} may stand only at the end, after 1 to 8 other signs.`,
          ru: `в шаблоне «${written}» знак ${token} может стоять только в конце, после 1–8 других знаков.`,
        });
      }
      source += `[0-9]{${token === '.' ? 1 : 0},${rest}}`;
    } else if (token.length > 1) {
      source += `[${bracketDigits(token.slice(1, -1), written)}]`;
    } else if (CLASSES[upper] !== undefined) {
      source += CLASSES[upper];
    } else if (/^[0-9]$/.test(token)) {
      source += token;
    } else {
      throw badPlan({
        en: `the pattern "${written}" holds "${token}"; only digits, X, Z, N, [1-5], . and ! may stand there.`,
        ru: `в шаблоне «${written}» стоит «${token}»; допустимы только цифры, X, Z, N, [1-5], . и !.`,
      });
    }
    length += 1;
  }
  if (length === 0 || length > MAX_EXTENSION_DIGITS) {
    throw badPlan({
      en: `the pattern "${written}" must describe 1 to ${MAX_EXTENSION_DIGITS} digits.`,
      ru: `шаблон «${written}» должен описывать от 1 до ${MAX_EXTENSION_DIGITS} цифр.`,
    });
  }
  const expression = new RegExp(`^${source}$`);
  return (digits) => expression.test(digits);
}

/**
 * Compiles what an admin typed into "is this digit string an extension?".
 * `text` lists Asterisk patterns (`1XX, _7XX, 10X., [2-4]XX`: X = 0-9, Z = 1-9, N = 2-9, a final `.` = one or more digits,
 * a final `!` = any number of them) and ranges (`101-199`), separated by commas or white space. A pattern with `.` or
 * `!` matches at most 9 digits, so that it cannot swallow whole phone numbers.
 * Throws `PHONE_BAD_PLAN`, which says what is wrong.
 */
export function extensionMatcher(text: string): Matcher {
  if (text.length > MAX_PATTERN_TEXT) {
    throw badPlan({
      en: `the list of extension patterns is longer than ${MAX_PATTERN_TEXT} characters.`,
      ru: `список шаблонов внутренних номеров длиннее ${MAX_PATTERN_TEXT} знаков.`,
    });
  }
  const matchers = text
    .split(/[\s,;]+/)
    .filter((written) => written !== '')
    .map((written) => {
      const range = /^(\d{1,15})-(\d{1,15})$/.exec(written);
      return range?.[1] !== undefined && range[2] !== undefined
        ? rangeMatcher(range[1], range[2], written)
        : patternMatcher(written);
    });
  if (matchers.length === 0) {
    throw badPlan({
      en: 'the list of extension patterns is empty: write for instance 1XX.',
      ru: 'список шаблонов внутренних номеров пуст: напишите, например, 1XX.',
    });
  }
  return (digits) => matchers.some((matches) => matches(digits));
}
