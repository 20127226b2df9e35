import { createHmac, randomBytes } from 'node:crypto';
import type { AmiMessage } from '../ami/types';

const HIDDEN = '***';
/** Parts of the names of secrets, and how names of secrets end. Rather a word too many: what is hidden tells nobody's calls. */
const SECRET_PART = 'secret|pass|pwd|token|api[_-]?key|auth|signature|credential|cookie';
const SECRET_END = String.raw`(?:key|pin(?:[_-]?code)?|(?<![a-z\d])(?:pw|sig))\d*`;
/** Names of variables and headers whose value nobody else may read. */
const SECRET_NAME = new RegExp(`${SECRET_PART}|${SECRET_END}$`, 'i');
/** The same inside a value. */
const SECRETS_INSIDE: readonly (readonly [RegExp, string])[] = [
  // `CRM_TOKEN=…`, `Authorization: Bearer …`, `"token":"…"` (also with `\"`), `password "…"`.
  [
    new RegExp(
      String.raw`((?:(?:${SECRET_PART})[\w-]{0,40}|${SECRET_END})(?:\\?["'])?(?:\s*[=:]\s*|\s+(?=\\?["'])))` +
        String.raw`(?:(\\?["'])(?:(?!\2).)*|[^,;&"')]+)`,
      'gi',
    ),
    `$1$2${HIDDEN}`,
  ],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, `$1 ${HIDDEN}`],
  [/(cookie:\s*)[^"')]+/gi, `$1${HIDDEN}`],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, HIDDEN],
  // `https://user:password@host`, `https://key@host`, `curl -u user:password`.
  [/(\/\/)[^\s/@:]+:[^\s/@]+@/g, `$1${HIDDEN}@`],
  [/(https?:\/\/)[^\s/?#@]+@/gi, `$1${HIDDEN}@`],
  [/((?:^|\s)(?:-u|--user)[\s=]*["']?[^\s:"']+:)[^\s"']+/g, `$1${HIDDEN}`],
  // The address of a webhook of Bitrix24, and our own signed links to recordings.
  [/(\/rest\/\d+\/)[^\s/?#"',)]+/gi, `$1${HIDDEN}`],
  [/(\/[1-9]\d{8,11}\/)[\w-]{16,}/g, `$1${HIDDEN}`],
];

/** Headers whose digits are times and counters. */
const NO_NUMBER = /^(?:timestamp|.*time|sequence.*|last(?:call|pause)|tech-?cause)$/i;
/**
 * Digits that are no number: the id of a bridge, an address, a date, the id of a channel (a time with a dot and digits behind
 * it), the counter at the end of a channel's name.
 */
const KEPT = [
  /\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/,
  /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!\d{4})|(?![\d.]))){4}/,
  /(?<!\d)20\d\d-[01]\d-[0-3]\d(?!\d)(?:[ T-]\d\d[:-]\d\d[:-]\d\d(?!\d))?/,
  /(?<!\d)20\d\d[01]\d[0-3]\d-[0-2]\d[0-5]\d[0-5]\d(?!\d)/,
  /(?<!\d)1\d{9}\.\d{1,7}(?!\d)/,
  /(?<=-)000[\da-f]{5}(?![\da-f])/,
];
const GAP = String.raw`[ .\u00a0\u2010-\u2014-]`;
/** Numbers as people write them, or seven and more digits in a row. */
const WRITTEN = [
  // +7 (903) 111-22-33: with these countries the length is known, so that an extension behind it is none of it
  String.raw`\+[17](?:(?:${GAP}|[()]){0,3}\d){10}(?!\d)`,
  String.raw`\+\d(?:(?:${GAP}|[()]){0,3}\d){6,14}(?!\d)`,
  // 8 (903) 111-22-33
  String.raw`(?<!\d)\d{0,3}${GAP}?\(\d{2,5}\)(?:${GAP}{0,2}\d){5,9}(?!\d)`,
  // 8-903-111-22-33, 903.111.2233
  String.raw`(?<!\d)(?:\d{1,3}${GAP}{1,3})?\d{3}${GAP}{1,3}\d{3}${GAP}{1,3}\d\d${GAP}{0,3}\d\d(?!\d)`,
  // 111-22-33, 111-2233, but not the beginning of 020-7946 0958
  String.raw`(?<![\d-])\d{3}-(?:\d\d-\d\d|\d{4})(?![\d-]|${GAP}\d{4}(?!\d))`,
  // 01 42 68 53 00, 020 7946 0958; ten digits at least, since extensions stand in lists too
  String.raw`(?<!\d)(?=(?:${GAP}{0,3}\d){10})\d{1,4}(?:${GAP}{1,3}\d{2,4}){2,5}(?!\d)`,
  String.raw`\d{7,}`,
];
const NUMBER = new RegExp(`(${KEPT.map(({ source }) => source).join('|')})|${WRITTEN.join('|')}`, 'gi');

/** How the events of one trace are written down. */
export interface TraceText {
  /**
   * An event as Asterisk sends it, with its empty line, but for secrets. Without a time of its own it gets one: a replay tells
   * durations by it.
   */
  of(event: AmiMessage, at: number): string;
}

/** Numbers are masked the same way throughout one trace, and another way in the next. */
export function traceText(maskNumbers: boolean): TraceText {
  const mask = maskNumbers ? numberMask() : (text: string) => text;
  return {
    of(event, at) {
      const isSecret = SECRET_NAME.test(event.get('Variable') ?? '');
      const lines: string[] = [];
      for (const [name, values] of Object.entries(event.toObject())) {
        for (const value of [values].flat()) {
          const isHidden =
            SECRET_NAME.test(name) || (isSecret && name === 'Value') || (maskNumbers && name === 'Digit');
          const shown = isHidden ? HIDDEN : withoutSecrets(value);
          lines.push(`${mask(name)}: ${NO_NUMBER.test(name) ? shown : mask(shown)}\r\n`);
        }
      }
      if (event.get('Timestamp') === undefined) {
        // Where Asterisk puts it: behind the name and the class of the event.
        lines.splice(event.get('Privilege') === undefined ? 1 : 2, 0, `Timestamp: ${(at / 1000).toFixed(6)}\r\n`);
      }
      return `${lines.join('')}\r\n`;
    },
  };
}

const withoutSecrets = (value: string): string =>
  SECRETS_INSIDE.reduce((text, [pattern, instead]) => text.replace(pattern, instead), value);

/**
 * Replaces the last seven digits of each number. What tells the country and the area stays, so that a numbering plan reads
 * the number as before, and a number is the same whichever prefix stands before it.
 */
function numberMask(): (text: string) => string {
  const key = randomBytes(32);
  const masked = (digits: string): string => {
    const hash = createHmac('sha256', key).update(digits.slice(-10)).digest().readUInt32BE();
    // No subscriber number begins with 0 or 1 in North America.
    return digits.slice(0, -7) + String(2_000_000 + (hash % 8_000_000));
  };
  return (text) =>
    text.replace(NUMBER, (number: string, kept: string | undefined) => {
      if (kept !== undefined) return kept;
      const digits = masked(number.replace(/\D/g, ''));
      let next = 0;
      return number.replace(/\d/g, () => digits.charAt(next++));
    });
}
