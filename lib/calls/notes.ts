import type { AmiMessage } from '../ami/types';
import { copied } from '../text';
import { bearable } from './reading';
import { CALL_BOUNDS, type CallState } from './state';
import type { CallTrackerOptions } from './types';

const MAX_FILE = 1000;
const MAX_VALUE = 512;
/** Asterisk's own Cdr has 20 fields; an admin may have added some. */
const MAX_CDR_FIELDS = 40;
const MAX_CDR_TEXT = 256;

/** Keeps the variables that come with an event (`channelvars=` in manager.conf), as far as the admin chose them. */
export function keepVariables({ variables = [] }: CallTrackerOptions, call: CallState, event: AmiMessage): void {
  // Reading all values of a header takes a look at every line of the event: the first one is found faster.
  if (variables.length === 0 || event.get('ChanVariable') === undefined) return;
  for (const line of event.all('ChanVariable')) {
    const cut = line.indexOf('=');
    if (cut > 0) keepVariable(variables, call, line.slice(0, cut), line.slice(cut + 1));
  }
}

/** An empty value says nothing, and does not replace what was there. */
function keepVariable(variables: readonly string[], call: CallState, name: string, value: string): void {
  const chosen = variables.find((one) => one.toLowerCase() === name.toLowerCase());
  if (chosen === undefined || value === '') return;
  if (chosen in call.variables || Object.keys(call.variables).length < CALL_BOUNDS.variables) {
    call.variables[chosen] = copied(bearable(value, MAX_VALUE));
  }
}

/** A variable was set: one that tells something of the call, or one that the admin chose. */
export function noteVariable(options: CallTrackerOptions, call: CallState, event: AmiMessage): void {
  const name = event.get('Variable') ?? '';
  const value = event.get('Value') ?? '';
  if (name === 'MIXMONITOR_FILENAME' && value !== '') (call.recording ??= {}).file = copied(bearable(value, MAX_FILE));
  if (/^(VMSTATUS|VM_MESSAGEFILE)$/.test(name) && value !== '') call.voicemail = true;
  keepVariable(options.variables ?? [], call, name.replace(/^_{1,2}/, ''), value);
}

/** A Cdr as Asterisk writes it. It has no id of its own: one that is the same in every field is the same one. */
export function noteCdr(call: CallState, event: AmiMessage): void {
  if (/^voicemail$/i.test(event.get('LastApplication') ?? '')) call.voicemail = true;
  if (call.cdrs.length >= CALL_BOUNDS.cdrs) return;
  const fields = Object.entries(event.toObject()).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' && !/^(Event|Privilege|Timestamp)$/i.test(name)
      ? [[bearable(name, MAX_CDR_TEXT), bearable(value, MAX_CDR_TEXT)]]
      : [],
  );
  const cdr = Object.fromEntries(fields.slice(0, MAX_CDR_FIELDS));
  const isKnown = call.cdrs.some((one) => JSON.stringify(one) === JSON.stringify(cdr));
  if (!isKnown) call.cdrs.push(cdr);
}
