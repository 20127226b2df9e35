import type { AmiMessage } from '../ami/types';
import { pbxError } from './errors';

export type FilterOperator = 'equals' | 'contains' | 'starts' | 'like';

/** One row of the dialog: a header and what its value must be. */
export interface FilterRule {
  readonly header: string;
  readonly operator: FilterOperator;
  readonly value: string;
}

export interface EventFilter {
  /** For {@link AmiClient.subscribe}. */
  readonly names: '*' | readonly string[];
  /** Whether an event satisfies every rule; of a repeated header one value is enough, an absent one never is. */
  readonly fits: (event: AmiMessage) => boolean;
}

/** Bounds of what a dialog may hold: an event is judged against all of it. */
const MAX_NAMES = 100;
const MAX_RULES = 20;
const MAX_VALUE = 255;

/**
 * `*` stands for any text, everything else for itself. The pieces are looked for from left to right, which is linear in the
 * value: a pattern cannot be written that makes a hostile value slow, as a regular expression could.
 */
function likeMatcher(pattern: string): (value: string) => boolean {
  const pieces = pattern.split('*');
  const first = pieces.shift() ?? '';
  const last = pieces.pop();
  if (last === undefined) return (value) => value === first;
  return (value) => {
    if (value.length < first.length + last.length || !value.startsWith(first) || !value.endsWith(last)) return false;
    const end = value.length - last.length;
    let at = first.length;
    for (const piece of pieces) {
      const found = value.indexOf(piece, at);
      if (found < 0 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}

function valueMatcher(operator: FilterOperator, wanted: string): (value: string) => boolean {
  switch (operator) {
    case 'equals':
      return (value) => value === wanted;
    case 'contains':
      return (value) => value.includes(wanted);
    case 'starts':
      return (value) => value.startsWith(wanted);
    case 'like':
      return likeMatcher(wanted);
  }
}

function eventNames(text: string): '*' | readonly string[] {
  const names = text.split(/[\s,;]+/).filter((name) => name !== '');
  if (names.includes('*')) return '*';
  const wrong = names.find((name) => !/^[A-Za-z][A-Za-z0-9_-]*$/.test(name));
  if (names.length === 0 || names.length > MAX_NAMES || wrong !== undefined) {
    throw pbxError('PBX_BAD_EVENT_NAMES', { limit: MAX_NAMES, wrong: wrong ?? text.slice(0, 40) });
  }
  return names;
}

/**
 * Reads what stands in the dialog. Event names (`Newchannel, Hangup` or `*`) and header names are compared without case,
 * values with it. Throws `PBX_BAD_EVENT_NAMES`, `PBX_BAD_FILTER`.
 */
export function eventFilter(events: string, rules: readonly FilterRule[]): EventFilter {
  const names = eventNames(events);
  if (rules.length > MAX_RULES) throw pbxError('PBX_BAD_FILTER', { row: MAX_RULES + 1, limit: MAX_RULES });
  const tests = rules.map(({ header, operator, value }, index) => {
    const bad = !/^[^\s:][^:\r\n]{0,99}$/.test(header) || value.length > MAX_VALUE || /[\r\n]/.test(value);
    const matches = bad ? undefined : (valueMatcher(operator, value) as ReturnType<typeof valueMatcher> | undefined);
    if (!matches) throw pbxError('PBX_BAD_FILTER', { row: index + 1, limit: MAX_RULES });
    return (event: AmiMessage) => event.all(header).some(matches);
  });
  return { names, fits: (event) => tests.every((test) => test(event)) };
}
