import { MAX_GREETING_BYTES, MAX_LINE_BYTES, MAX_MESSAGE_BYTES } from './limits';

/** Where the framer puts what it finds. The bytes are valid only during the call. */
export interface FrameSink {
  /** The first line, without its end. */
  greeting(line: string): void;
  /** One message without its empty line; `head` is its first line. */
  frame(head: string, bytes: Buffer, start: number, end: number): void;
  /** A bound was passed: the stream cannot be followed any further. */
  overflow(what: 'greeting' | 'line' | 'message', limit: number): void;
}

const END = '\r\n\r\n';
/** Some 18.19 and 20.4 builds end the list of CoreShowChannelMap so. */
const ODD_END = '\r\n\n';
/** The answer of Command before Asterisk 14: raw text after the headers, which may begin with an empty line. */
const RAW_ANSWER = 'Response: Follows';
const CR = 13;
const LF = 10;
const HEAD_BYTES = 128;
const FIRST_CAPACITY = 4096;
const CAPACITY_WORTH_KEEPING = 1024 * 1024;

/**
 * Cuts the byte stream of one AMI connection into messages, in whatever pieces it comes. A message ends at the first
 * empty line; only CR LF ends a line, so a lone LF stays inside its value. The work is linear in the bytes: each piece
 * is searched once, an unfinished message is collected in one growing buffer.
 */
export class Framer {
  private greeted = false;
  private stopped = false;
  private kept: Buffer = Buffer.allocUnsafe(FIRST_CAPACITY);
  private keptLength = 0;
  /** Where the unfinished line begins in `kept`. */
  private lineStart = 0;
  /** The next {@link ODD_END} in the piece at hand, -1 when there is none: nearly always. */
  private nextOdd = -1;
  private endLength = 0;

  constructor(private readonly sink: FrameSink) {}

  /** Ends all deliveries, also from within one. */
  stop(): void {
    this.stopped = true;
    this.release();
  }

  /** Takes the next bytes and delivers every message that they complete. Keeps no reference to `chunk`. */
  push(chunk: Buffer): void {
    if (this.stopped) return;
    const text = chunk.toString('latin1', 0, chunk.length);
    this.nextOdd = text.indexOf(ODD_END);
    let start = this.greeted ? 0 : this.readGreeting(text, chunk);
    if (this.keptLength > 0 && start < chunk.length) start = this.finishKept(text, chunk, start);
    while (start < chunk.length) {
      const end = this.findEnd(text, start, text);
      if (end < 0) {
        this.keep(chunk, start, chunk.length);
        return;
      }
      this.deliver(text, chunk, start, end);
      start = this.isStopped() ? chunk.length : end + this.endLength;
    }
  }

  /** A sink may stop the framer at any delivery. */
  private isStopped(): boolean {
    return this.stopped;
  }

  /** Returns where the messages begin. */
  private readGreeting(text: string, chunk: Buffer): number {
    const lf = text.indexOf('\n');
    const length = this.keptLength + (lf < 0 ? chunk.length : lf);
    if (length > MAX_GREETING_BYTES) {
      this.overflow('greeting', MAX_GREETING_BYTES);
      return chunk.length;
    }
    if (lf < 0) {
      this.keep(chunk, 0, chunk.length);
      return chunk.length;
    }
    const line = this.kept.toString('latin1', 0, this.keptLength) + text.slice(0, lf);
    this.release();
    this.greeted = true;
    this.sink.greeting(line.trimEnd());
    return this.isStopped() ? chunk.length : lf + 1;
  }

  /** Looks for the end of the message that earlier pieces began; returns where the next one begins. */
  private finishKept(text: string, chunk: Buffer, start: number): number {
    const head =
      this.kept.toString('latin1', 0, Math.min(HEAD_BYTES, this.keptLength)) +
      text.slice(start, start + RAW_ANSWER.length);
    const tail = this.kept.toString('latin1', Math.max(0, this.keptLength - (END.length - 1)), this.keptLength);
    const seam = tail + text.slice(start, start + END.length - 1);
    const atSeam = this.endInSeam(seam, head);
    if (atSeam >= 0 && atSeam < tail.length) {
      this.deliverKept(this.keptLength - tail.length + atSeam);
      return this.isStopped() ? chunk.length : start + atSeam + this.endLength - tail.length;
    }
    const end = this.findEnd(text, start, head);
    if (end < 0) {
      this.keep(chunk, start, chunk.length);
      return chunk.length;
    }
    this.keep(chunk, start, end);
    const next = end + this.endLength;
    if (!this.isStopped()) this.deliverKept(this.keptLength);
    return this.isStopped() ? chunk.length : next;
  }

  private endInSeam(seam: string, head: string): number {
    const usual = seam.indexOf(END);
    const odd = head.startsWith(RAW_ANSWER) ? -1 : seam.indexOf(ODD_END);
    return this.earlier(usual, odd);
  }

  /** The first end of a message at or after `from`; `head` tells (at `from`, or at 0) what kind of message it is. */
  private findEnd(text: string, from: number, head: string): number {
    const usual = text.indexOf(END, from);
    if (this.nextOdd < 0) return this.earlier(usual, -1);
    if (this.nextOdd < from) this.nextOdd = text.indexOf(ODD_END, from);
    const raw = head.startsWith(RAW_ANSWER, head === text ? from : 0);
    return this.earlier(usual, raw ? -1 : this.nextOdd);
  }

  private earlier(usual: number, odd: number): number {
    const isOdd = odd >= 0 && (usual < 0 || odd < usual);
    this.endLength = isOdd ? ODD_END.length : END.length;
    return isOdd ? odd : usual;
  }

  private deliverKept(end: number): void {
    const bytes = this.kept;
    this.release();
    this.deliver(bytes.toString('latin1', 0, Math.min(HEAD_BYTES, end)), bytes, 0, end);
  }

  private deliver(text: string, bytes: Buffer, start: number, end: number): void {
    while (start < end && (bytes[start] === CR || bytes[start] === LF)) start++;
    if (start === end) return;
    const lineEnd = text.indexOf('\r\n', start);
    this.sink.frame(text.slice(start, lineEnd < 0 ? end : lineEnd), bytes, start, end);
  }

  /** Copies a part of an unfinished message: it must not hold on to the buffer it came in. */
  private keep(chunk: Buffer, from: number, to: number): void {
    const length = this.keptLength + to - from;
    if (length > MAX_MESSAGE_BYTES) {
      this.overflow('message', MAX_MESSAGE_BYTES);
      return;
    }
    if (length > this.kept.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.kept.length * 2));
      this.kept.copy(larger, 0, 0, this.keptLength);
      this.kept = larger;
    }
    chunk.copy(this.kept, this.keptLength, from, to);
    const lf = to > from ? chunk.lastIndexOf(LF, to - 1) : -1;
    if (lf >= from) this.lineStart = this.keptLength + lf - from + 1;
    this.keptLength = length;
    if (length - this.lineStart > MAX_LINE_BYTES) this.overflow('line', MAX_LINE_BYTES);
  }

  private release(): void {
    this.keptLength = 0;
    this.lineStart = 0;
    if (this.kept.length > CAPACITY_WORTH_KEEPING) this.kept = Buffer.allocUnsafe(FIRST_CAPACITY);
  }

  private overflow(what: 'greeting' | 'line' | 'message', limit: number): void {
    this.stop();
    this.sink.overflow(what, limit);
  }
}
