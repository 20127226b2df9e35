import { MAX_REMEMBERED_NAMES } from './limits';
import type { ReadMessage } from './transport';

/** A value from a text up to this long may stay a slice of it; from a longer one it is copied. */
const SLICE_LIMIT_CHARS = 4096;

const lowered = new Map<string, string>();

/** Lower case of a header's or event's name. Names repeat endlessly, so the work is remembered, within a bound. */
export function lowerCase(name: string): string {
  const known = lowered.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  if (lowered.size >= MAX_REMEMBERED_NAMES) lowered.clear();
  lowered.set(copied(name), copied(lower));
  return lower;
}

/** The same text in memory of its own: a short slice that is kept would hold the whole text it was cut from. */
export function copied(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

/**
 * A message held as its own text (a copy, never the read buffer), split into headers when it is first read. A value
 * that somebody keeps holds on to {@link SLICE_LIMIT_CHARS} characters at most.
 */
export class TextMessage implements ReadMessage {
  private names: string[] | undefined;
  private lowerNames: string[] | undefined;
  /** Two numbers for each header: where its value begins and ends. */
  private readonly bounds: number[] = [];

  constructor(
    readonly kind: 'event' | 'response',
    readonly name: string,
    private readonly text: string,
  ) {}

  get chars(): number {
    return this.text.length;
  }

  mentions(text: string): boolean {
    return this.text.includes(text);
  }

  repeats(header: string): boolean {
    const line = `\r\n${header}: `;
    const first = this.text.indexOf(line);
    return first >= 0 && this.text.includes(line, first + line.length);
  }

  get(header: string): string | undefined {
    // Written exactly so comes first: text that a caller smuggled in under another case must not go before it.
    let at = (this.names ??= this.split()).indexOf(header);
    if (at < 0) at = this.keys().indexOf(lowerCase(header));
    return at < 0 ? undefined : this.value(at);
  }

  all(header: string): string[] {
    const keys = this.keys();
    const wanted = lowerCase(header);
    const values: string[] = [];
    for (let at = keys.indexOf(wanted); at >= 0; at = keys.indexOf(wanted, at + 1)) values.push(this.value(at));
    return values;
  }

  toObject(): Record<string, string | string[]> {
    const names = (this.names ??= this.split());
    // No prototype: a header may be called __proto__ or constructor.
    const object = Object.create(null) as Record<string, string | string[]>;
    for (const [at, name] of names.entries()) {
      const earlier = object[name];
      const value = this.value(at);
      if (earlier === undefined) object[name] = value;
      else if (typeof earlier === 'string') object[name] = [earlier, value];
      else earlier.push(value);
    }
    return object;
  }

  private keys(): string[] {
    return (this.lowerNames ??= (this.names ??= this.split()).map(lowerCase));
  }

  private value(at: number): string {
    const value = this.text.slice(this.bounds[at * 2], this.bounds[at * 2 + 1]);
    return this.text.length > SLICE_LIMIT_CHARS ? copied(value) : value;
  }

  private split(): string[] {
    const { text } = this;
    const names: string[] = [];
    const raw = this.kind === 'response' && this.name === 'Follows';
    let separator = -1;
    for (let start = 0, end = 0; start < text.length; start = end + 2) {
      end = text.indexOf('\r\n', start);
      if (end < 0) end = text.length;
      if (separator < start) separator = text.indexOf(': ', start);
      // Searched once for all lines before it: a text without separators must not cost a search for each line.
      if (separator < 0) separator = text.length;
      const colon = separator < end ? separator : text.slice(start, end).indexOf(':') + start;
      if (raw && !isRawHeader(text.slice(start, colon))) {
        this.addRawOutput(names, start);
        break;
      }
      if (colon < start) continue;
      names.push(text.slice(start, colon));
      this.bounds.push(text[colon + 1] === ' ' ? colon + 2 : colon + 1, end);
    }
    return names;
  }

  /** Before Asterisk 14 the answer of Command was raw text; it is shown as what 14 and later send: `Output` headers. */
  private addRawOutput(names: string[], from: number): void {
    const last = this.text.lastIndexOf('--END COMMAND--');
    const end = last < from ? this.text.length : last;
    for (let start = from; start < end;) {
      const lf = this.text.indexOf('\n', start);
      const lineEnd = lf < 0 || lf > end ? end : lf;
      names.push('Output');
      this.bounds.push(start, lineEnd);
      start = lineEnd + 1;
    }
  }
}

function isRawHeader(name: string): boolean {
  return name === 'Response' || name === 'Privilege' || name === 'ActionID' || name === 'Message';
}
