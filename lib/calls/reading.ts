import type { AmiMessage } from '../ami/types';
import { copied } from '../text';

const MAX_TEXT = 256;

/** Text of others as it may be kept and passed on: one line of bearable length, and no half of a character where it was cut. */
export function bearable(text: string, max: number): string {
  return text.slice(0, max).replace(/[\p{Cc}\p{Cs}\u2028\u2029]+/gu, ' ');
}

/**
 * A header as one line of bearable length, fit to be kept: it does not hold on to the event. `undefined` when it is absent, empty or
 * Asterisk's word for unknown.
 */
export function textIn(event: AmiMessage, header: string): string | undefined {
  const text = readIn(event, header);
  return text === undefined ? undefined : copied(text);
}

function readIn(event: AmiMessage, header: string): string | undefined {
  const value = event.get(header);
  if (value === undefined || value === '' || value === '<unknown>' || value === '(null)') return undefined;
  return bearable(value, MAX_TEXT);
}

/**
 * A header that names a channel or a bridge. A word that every object knows (`constructor`, `__proto__`) is none: no Asterisk
 * makes such a name, and it must not be looked up as one. To be copied by whoever keeps it: most are only looked up.
 */
export function idIn(event: AmiMessage, header: string): string | undefined {
  const id = readIn(event, header);
  return id === undefined || id in Object.prototype ? undefined : id;
}

/** A name: Asterisk writes it with C escapes (`a\"b`); numbers and extensions it does not (measured on 22.10 and 16.28). */
export function nameIn(event: AmiMessage, header: string): string | undefined {
  return textIn(event, header)?.replace(/\\(.)/g, (_whole, char: string) => (/[rnt]/.test(char) ? ' ' : char));
}

export function numberIn(event: AmiMessage, header: string): number | undefined {
  const value = event.get(header);
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

/** When it happened, in wall-clock ms: by the PBX where it says so (`timestampevents=yes`), else `at`. */
export function timeOf(event: AmiMessage, at: number): number {
  const stamp = event.get('Timestamp');
  return stamp !== undefined && /^\d{9,11}(\.\d{1,9})?$/.test(stamp) ? Number(stamp) * 1000 : at;
}

/** `HH:MM:SS` of a row of CoreShowChannels, in ms. */
export function durationIn(row: AmiMessage): number {
  const parts = /^(\d{1,6}):(\d\d):(\d\d)$/.exec(row.get('Duration') ?? '');
  if (!parts) return 0;
  const [hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}
