import { amiError, badValue, type Problem } from './errors';
import { MAX_REQUEST_LINES, MAX_REQUEST_LINE_BYTES } from './limits';
import type { HeaderLine } from './transport';
import type { AmiAction, AmiValue } from './types';

// Line ends and NUL are what must be found.

const CONTROL = /[\r\n\0]/;
const ACTION_NAME = /^\w+$/;
const NAME = /^[^\s:]+$/;
/** A variable, or a dialplan function with its argument: `CRM_ID`, `__CRM_ID`, `CALLERID(name)`. */
const VARIABLE_NAME = /^[^\s=,"\\()]+(\([^="\\()]*\))?$/;
const PLAIN_VALUE = /^[\p{L}\p{N}_.:/@+-]*$/u;
const TRUE = /^(yes|true|y|t|1|on)$/i;
const SHOWN_NAME_CHARS = 60;

/**
 * The headers of an action, ready to be written. Throws `AMI_BAD_VALUE`, which names the part and never shows its value,
 * or `AMI_BLOCKING_ACTION`. What passes keeps to Asterisk's own limits, so that it is never cut or misread there.
 */
export function encodeAction(action: AmiAction, actionId: string): HeaderLine[] {
  const lines = new RequestLines(action.action);
  lines.add('Action', action.action);
  if (!ACTION_NAME.test(action.action)) throw lines.refuse('Action', 'name');
  lines.add('ActionID', actionId);
  let isAsync = false;
  for (const [name, value] of Object.entries(action.headers ?? {})) {
    if (value === undefined) continue;
    if (/^action(id)?$/i.test(name)) throw lines.refuse(name, 'reserved');
    for (const one of isList(value) ? value : [value]) {
      lines.add(name, one);
      if (/^async$/i.test(name)) isAsync = TRUE.test(String(one));
    }
  }
  for (const [name, value] of Object.entries(action.variables ?? {})) lines.addVariable(name, value);
  // Measured on 22.10: the session stands still, pings and events included, until the phone is answered.
  if (/^originate$/i.test(action.action) && !isAsync) throw amiError('AMI_BLOCKING_ACTION', { action: 'Originate' });
  return lines.lines;
}

/** The bytes of an action on the wire. */
export function toWire(lines: readonly HeaderLine[]): string {
  return lines.map(([name, value]) => `${name}: ${value}\r\n`).join('') + '\r\n';
}

class RequestLines {
  readonly lines: HeaderLine[] = [];

  constructor(private readonly action: unknown) {}

  add(name: string, value: unknown): void {
    this.check(name, NAME, name);
    this.push(name, name, this.text(value, name));
  }

  /**
   * Asterisk splits the text after `Variable:` at commas, takes quotes away and resolves backslashes. Repeating the header
   * and quoting the value makes exactly the value arrive (checked on 16.28 and 22.10).
   */
  addVariable(name: string, value: unknown): void {
    const part = `the variable ${name}`;
    this.check(name, VARIABLE_NAME, part);
    const text = this.text(value, part);
    this.push('Variable', part, `${name}=${PLAIN_VALUE.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`}`);
  }

  refuse(part: string, problem: Problem, limit = 0): Error {
    const action = typeof this.action === 'string' ? shown(this.action) : typeof this.action;
    return badValue(action, shown(part), problem, { limit });
  }

  private check(name: string, pattern: RegExp, part: string): void {
    if (CONTROL.test(name)) throw this.refuse(part, 'control');
    if (!pattern.test(name)) throw this.refuse(part, 'name');
  }

  private text(value: unknown, part: string): string {
    // A flow may hand in anything, whatever the types say.
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw this.refuse(part, 'type');
    }
    const text = String(value);
    if (CONTROL.test(text)) throw this.refuse(part, 'control');
    return text;
  }

  private push(name: string, part: string, text: string): void {
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(text) + ': \r\n'.length;
    if (bytes > MAX_REQUEST_LINE_BYTES) throw this.refuse(part, 'tooLong', MAX_REQUEST_LINE_BYTES);
    if (this.lines.length === MAX_REQUEST_LINES) throw this.refuse('headers', 'tooMany', MAX_REQUEST_LINES);
    this.lines.push([name, text]);
  }
}

/** A name fit to be shown: it may be hostile text itself. */
function shown(name: string): string {
  return name.slice(0, SHOWN_NAME_CHARS).replace(/[\x00-\x1f\x7f]/g, '?');
}

function isList(value: AmiValue | readonly AmiValue[]): value is readonly AmiValue[] {
  return Array.isArray(value);
}
