import { limits } from '../defaults';

/** Why a request cannot be read, in Asterisk's words (measured). */
const LINE_TOO_LONG = 'Failed to parse message: line too long';
const TOO_MANY_LINES = 'Too many lines in message or allocation failure';

/** One request of a client: its headers, names compared without case. */
export class AmiRequest {
  constructor(
    readonly headers: readonly (readonly [name: string, value: string])[],
    /** Set when it broke a limit; it is answered with this error and not carried out. */
    readonly fault?: string,
  ) {}

  /** The first value of a header; empty when it is absent, as Asterisk reads it. */
  get(name: string): string {
    return this.all(name)[0] ?? '';
  }

  all(name: string): string[] {
    const wanted = name.toLowerCase();
    return this.headers.filter(([header]) => header.toLowerCase() === wanted).map(([, value]) => value);
  }

  get action(): string {
    return this.get('Action');
  }

  /** A switch as Asterisk reads it. */
  isTrue(name: string): boolean {
    return ['yes', 'true', 'y', 't', '1', 'on'].includes(this.get(name).toLowerCase());
  }
}

/**
 * Cuts a byte stream into requests. A line ends with LF, a CR before it belongs to the line end; an empty line ends the
 * request. Holds at most one line and one request; what is over a limit is dropped and makes the request a faulty one.
 */
export class RequestReader {
  private line: Buffer[] = [];
  private lineBytes = 0;
  private headers: [string, string][] = [];
  private fault: string | undefined;
  private lines = 0;
  private rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
  }

  /** The next complete request of what was pushed, if any. */
  next(): AmiRequest | undefined {
    for (;;) {
      const end = this.rest.indexOf(10);
      if (end < 0) {
        this.keep(this.rest);
        this.rest = Buffer.alloc(0);
        return undefined;
      }
      this.keep(this.rest.subarray(0, end));
      this.rest = this.rest.subarray(end + 1);
      const request = this.endLine();
      if (request) return request;
    }
  }

  private keep(part: Buffer): void {
    this.lineBytes += part.length;
    if (part.length > 0 && this.lineBytes <= limits.line) this.line.push(part);
  }

  private endLine(): AmiRequest | undefined {
    const tooLong = this.lineBytes + 1 > limits.line;
    const text = tooLong ? '' : Buffer.concat(this.line).toString('utf8').replace(/\r$/, '');
    this.line = [];
    this.lineBytes = 0;
    if (tooLong) this.fault ??= LINE_TOO_LONG;
    else if (text === '') return this.endRequest();
    else if (++this.lines > limits.headers) this.fault ??= TOO_MANY_LINES;
    else this.addHeader(text);
    return undefined;
  }

  private addHeader(text: string): void {
    const colon = text.indexOf(':');
    if (colon >= 0) this.headers.push([text.slice(0, colon).trim(), text.slice(colon + 1).replace(/^ +/, '')]);
  }

  private endRequest(): AmiRequest | undefined {
    const request = this.lines > 0 || this.fault !== undefined ? new AmiRequest(this.headers, this.fault) : undefined;
    this.headers = [];
    this.fault = undefined;
    this.lines = 0;
    return request;
  }
}
