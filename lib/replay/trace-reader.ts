import { StringDecoder } from 'node:string_decoder';
import { TextMessage } from '../ami/message';
import type { ReadMessage } from '../ami/transport';

/** No message of Asterisk is longer: a file in which none ends is no trace. In characters. */
const MAX_MESSAGE = 16 * 1024 * 1024;
const END = '\r\n\r\n';

/**
 * Reads the messages in a trace of AMI, given in pieces of any size. Lines that begin with `;` before a message are comments;
 * the greeting is skipped. A file that lost its CRs, as version control may do to it, is read as if it had them.
 */
export class TraceReader {
  private readonly decoder = new StringDecoder('utf8');
  private text = '';
  private lacksCr: boolean | undefined;
  private messages = 0;

  /** Whether there was a message of Asterisk so far. */
  get isTrace(): boolean {
    return this.messages > 0;
  }

  /** The messages that these bytes complete. Throws a RangeError when one is too long to be a message. */
  push(bytes: Buffer): ReadMessage[] {
    return this.take(this.decoder.write(bytes));
  }

  /** The message that the file ends with, though no empty line follows it. */
  end(): ReadMessage[] {
    return this.take(this.decoder.end() + END);
  }

  private take(piece: string): ReadMessage[] {
    this.text += this.lacksCr === true ? withCr(piece) : piece;
    if (this.lacksCr === undefined) {
      // Comments end in a lone LF anyway: the first line of a message tells.
      const head = /(?:^|\n)(?:Event|Response):[^\n]*\n/.exec(this.text)?.[0];
      if (head !== undefined) {
        this.lacksCr = !head.endsWith('\r\n');
        if (this.lacksCr) this.text = withCr(this.text);
      }
    }
    const found: ReadMessage[] = [];
    let start = 0;
    for (let at = this.text.indexOf(END); at >= 0; at = this.text.indexOf(END, start)) {
      const message = messageIn(this.text.slice(start, at));
      if (message) found.push(message);
      start = at + END.length;
    }
    this.text = this.text.slice(start);
    this.messages += found.length;
    if (this.text.length > MAX_MESSAGE) throw new RangeError('no end of a message');
    return found;
  }
}

const withCr = (text: string): string => text.replace(/\r?\n/g, '\r\n');

function messageIn(block: string): ReadMessage | undefined {
  const text = block
    .replace(/^\uFEFF/, '')
    .replace(/^(?:\r?\n|;[^\n]*(?:\n|$)|Asterisk Call Manager\/[^\n]*(?:\n|$))+/, '');
  const head = /^(Event|Response): ?([^\r\n]*)/i.exec(text);
  if (!head) return undefined;
  const kind = head[1]?.toLowerCase() === 'event' ? 'event' : 'response';
  return new TextMessage(kind, head[2] ?? '', text);
}
