import { copied } from '../text';
import { MAX_REMEMBERED_NAMES } from './limits';
import type { ReadMessage } from './transport';

/** A value from a text up to this long may stay a slice of it; from a longer one it is copied. */
const SLICE_LIMIT_CHARS = 4096;
const LF = 10;
const CR = 13;
const BLANK = 32;

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

/**
 * A message held as its own text (a copy, never the read buffer), split into headers when it is first read. A value
 * that somebody keeps holds on to {@link SLICE_LIMIT_CHARS} characters at most.
 */
export class TextMessage implements ReadMessage {
  private lowerText: string | undefined;

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
    const first = lineStarting(this.text, header, 0);
    return first >= 0 && lineStarting(this.text, header, first + 1) >= 0;
  }

  get(header: string): string | undefined {
    if (this.isRaw()) return this.all(header)[0];
    // Written exactly so comes first: text that a caller smuggled in under another case must not go before it.
    let at = lineStarting(this.text, header, 0);
    if (at < 0) {
      this.lowerText ??= this.text.toLowerCase();
      // Some letters have a lower case of another length; then places in one text say nothing about the other.
      if (this.lowerText.length !== this.text.length) return this.all(header)[0];
      at = lineStarting(this.lowerText, lowerCase(header), 0);
    }
    if (at < 0) return undefined;
    const end = this.text.indexOf('\r\n', at);
    return this.kept(this.text.slice(valueStart(this.text, at + header.length), end < 0 ? this.text.length : end));
  }

  all(header: string): string[] {
    const wanted = lowerCase(header);
    const values: string[] = [];
    this.eachHeader((name, value) => {
      if (name === header || lowerCase(name) === wanted) values.push(this.kept(value));
    });
    return values;
  }

  toObject(): Record<string, string | string[]> {
    // No prototype: a header may be called __proto__ or constructor.
    const object = Object.create(null) as Record<string, string | string[]>;
    this.eachHeader((name, slice) => {
      const value = this.kept(slice);
      const earlier = object[name];
      if (earlier === undefined) object[name] = value;
      else if (typeof earlier === 'string') object[name] = [earlier, value];
      else earlier.push(value);
    });
    return object;
  }

  /** Goes through the headers in order. What it gives are slices: {@link kept} makes them fit to be kept. */
  private eachHeader(take: (name: string, value: string) => void): void {
    const { text } = this;
    const raw = this.isRaw();
    let separator = -1;
    for (let start = 0, end = 0; start < text.length; start = end + 2) {
      end = text.indexOf('\r\n', start);
      if (end < 0) end = text.length;
      if (separator < start) separator = text.indexOf(': ', start);
      // Searched once for all lines before it: a text without separators must not cost a search for each line.
      if (separator < 0) separator = text.length;
      const colon = separator < end ? separator : text.slice(start, end).indexOf(':') + start;
      if (raw && !isRawHeader(text.slice(start, colon))) {
        eachRawLine(text, start, take);
        return;
      }
      if (colon < start) continue;
      take(text.slice(start, colon), text.slice(valueStart(text, colon), end));
    }
  }

  private isRaw(): boolean {
    return this.kind === 'response' && this.name === 'Follows';
  }

  private kept(value: string): string {
    return this.text.length > SLICE_LIMIT_CHARS ? copied(value) : value;
  }
}

/** Where the next line begins that carries this header, exactly so written; -1 when there is none. */
function lineStarting(text: string, header: string, from: number): number {
  // Without the line end before it the search is several times faster: a CR stands at every line.
  const mark = `${header}:`;
  let at = text.indexOf(mark, from);
  // A lone LF ends no line: what follows it is still a value.
  while (at > 0 && !(text.charCodeAt(at - 1) === LF && text.charCodeAt(at - 2) === CR)) at = text.indexOf(mark, at + 1);
  return at;
}

function valueStart(text: string, colon: number): number {
  return text.charCodeAt(colon + 1) === BLANK ? colon + 2 : colon + 1;
}

/** Before Asterisk 14 the answer of Command was raw text; it is shown as what 14 and later send: `Output` headers. */
function eachRawLine(text: string, from: number, take: (name: string, value: string) => void): void {
  const last = text.lastIndexOf('--END COMMAND--');
  const output = text.slice(from, last < from ? text.length : last);
  for (const line of output.replace(/\n$/, '').split('\n')) take('Output', line);
}

function isRawHeader(name: string): boolean {
  return name === 'Response' || name === 'Privilege' || name === 'ActionID' || name === 'Message';
}
