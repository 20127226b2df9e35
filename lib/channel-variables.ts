import { isOneLine } from './text';

/** What the shipped dialplan reads; a channel's own variable would hide the admin's global one, and with it the context that dials. */
const OF_THE_PACK = /^_{0,2}(?:TCRM|TELEPHONY_CRM|CRM_ROUTE)(?:_|$)/i;
/** What Asterisk's Monitor, or FreePBX for MixMonitor, hands to a shell. */
const RUN_BY_A_SHELL = /^_{0,2}(?:MONITOR_EXEC(?:_ARGS)?|MIXMON(?:ITOR)?_(?:EXEC|POST))$/i;

/** Whether nobody outside may set this channel variable. Names are judged whatever their case is: some functions do not care. */
function isReservedVariable(name: string): boolean {
  return OF_THE_PACK.test(name) || RUN_BY_A_SHELL.test(name);
}

/** Not a dialplan function: `SHELL(…)` would be one. `_` and `__` before the name hand a variable on to other channels. */
const NAME = /^_{0,2}[A-Za-z]\w{0,60}$/;

/** Whether somebody outside may set a channel variable of this name. */
export const isVariable = (name: string): boolean => NAME.test(name) && !isReservedVariable(name);

/** The one function among what may be set: a name that a phone shows. Others write files, databases and numbers. */
export const CALLER_NAME = 'CALLERID(name)';

/** Whether a flow, a script or a CRM may set it: a variable that is none of ours, or the name of the caller. */
export function isSettableVariable(name: string): boolean {
  return name === CALLER_NAME || isVariable(name);
}

/** Longest value, in characters: a line of AMI holds 1024 bytes. */
const MAX_VALUE = 200;

/** Whether a text can be the value of a variable that is set over AMI: one line, not too long. */
export const isSettableValue = (text: string): boolean => text.length <= MAX_VALUE && isOneLine(text);

const MAX_SET = 32;

/** Of what somebody outside wants to be set, what may be: the rest is left out, beyond 32 too. Texts and numbers are values. */
export function settableIn(wanted: unknown): Readonly<Record<string, string>> {
  const entries = typeof wanted === 'object' && wanted !== null ? Object.entries(wanted) : [];
  return Object.fromEntries(
    entries
      .map(([name, value]): readonly [string, unknown] => [name, typeof value === 'number' ? String(value) : value])
      .filter((pair): pair is readonly [string, string] => isSettablePair(pair))
      .slice(0, MAX_SET),
  );
}

const isSettablePair = ([name, value]: readonly [string, unknown]): boolean =>
  isSettableVariable(name) && typeof value === 'string' && isSettableValue(value);
