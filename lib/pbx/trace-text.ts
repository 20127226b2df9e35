import { createHmac, randomBytes } from 'node:crypto';
import type { AmiMessage } from '../ami/types';

const HIDDEN = '***';
/** Names of variables and headers whose value nobody else may read. */
const SECRET_NAME = /secret|passw|pwd|token|api_?key|authori[sz]ation|(?:^|_)pin(?:_?code)?$/i;
/** The same inside a value: `CRM_TOKEN=…`, `Authorization: …`, `https://user:password@host`. */
const SECRETS_INSIDE: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, `$1 ${HIDDEN}`],
  [
    /([\w-]*(?:secret|passw|pwd|token|api_?key|authori[sz]ation)[\w-]*\s*[=:]\s*)(?!Bearer|Basic)[^\s,;&"')]+/gi,
    `$1${HIDDEN}`,
  ],
  [/(\/\/)[^\s/@:]+:[^\s/@]+@/g, `$1${HIDDEN}@`],
];

/** Headers whose digits are times and counters. */
const NO_NUMBER = /^(?:timestamp|.*time|sequence.*|last(?:call|pause)|tech-?cause)$/i;
/**
 * Written as people do (`+7 (903) 111-22-33`), or seven and more digits in a row; not the counter at the end of a channel's
 * name, and not an id of a channel, which is a time with a dot and digits behind it.
 */
const NUMBER =
  /\+\d(?:[ ()-]{0,2}\d){6,14}(?!\d)|(?<!\d)\d{1,3} ?\(\d{2,5}\)(?: ?-?\d){5,9}(?!\d)|(?<!\d)(?<!\d\.)(?!(?<=-)000[\da-f]{5}(?![\da-f]))\d{7,}(?!\.?\d)/g;

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
    text.replace(NUMBER, (number) => {
      const digits = masked(number.replace(/\D/g, ''));
      let next = 0;
      return number.replace(/\d/g, () => digits.charAt(next++));
    });
}
