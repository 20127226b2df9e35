import type { IncomingMessage } from 'node:http';
import type { Clock } from '../clock';
import { protocolError } from '../protocols/errors';
import { httpInError } from './errors';

export interface BodyLimits {
  /** Bytes. */
  readonly limit: number;
  /** The media types that are understood, for the text of an error. */
  readonly mediaTypes: readonly string[];
}

export interface BodyOptions extends BodyLimits {
  readonly clock: Clock;
  /** How long the sender may take, in ms. */
  readonly withinMs: number;
}

/** A request whose body somebody before us may have read: body parsers leave it in `body` and say so in `_body`. */
type MaybeParsed = IncomingMessage & { readonly body?: unknown; readonly _body?: boolean };

/**
 * The body as text; `undefined` when there is none. Never holds much more than the limit. Rejects with
 * `PROTOCOL_BODY_TOO_LARGE`, `PROTOCOL_MEDIA_TYPE` (compressed, or not UTF-8), `HTTP_BODY_INCOMPLETE` (too slow, or the
 * sender went away) or `HTTP_BODY_UNREADABLE` (parsed before us into something that is no text any more).
 */
export async function readBody(request: MaybeParsed, options: BodyOptions): Promise<string | undefined> {
  refuseCompressed(request, options);
  if (Number(request.headers['content-length'] ?? 0) > options.limit) throw tooLarge(options);
  if (request._body === true || request.readableEnded) return withinLimit(parsedBefore(request), options);
  const bytes = await collect(request, options);
  if (bytes.length === 0) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw notUnderstood(contentType(request), options);
  }
}

function refuseCompressed(request: IncomingMessage, limits: BodyLimits): void {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') throw notUnderstood(`${contentType(request)}; ${encoding}`, limits);
}

function collect(request: IncomingMessage, options: BodyOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (settle: () => void): void => {
      timer.cancel();
      // 'error' keeps its listener: a connection may still break after we stopped reading.
      request.off('data', onData).off('end', onEnd).off('close', onGone);
      settle();
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > options.limit) stop(() => reject(tooLarge(options)));
    };
    const onEnd = (): void => stop(() => resolve(Buffer.concat(chunks)));
    const onGone = (): void => stop(() => reject(httpInError('HTTP_BODY_INCOMPLETE')));
    const timer = options.clock.after(options.withinMs, onGone);
    request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}

/** Why a body parser that stands before us gave up on a body. */
export interface ParserFault {
  /** As the package `body-parser` names them (`entity.parse.failed`, `entity.too.large` …), or zlib (`Z_DATA_ERROR`). */
  readonly type: string;
  /** The text that it could not parse, when it got that far. */
  readonly body?: unknown;
}

/** What was thrown, if a body parser threw it. */
export function parserFault(thrown: unknown): ParserFault | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { type, code, body } = thrown as { readonly type?: unknown; readonly code?: unknown; readonly body?: unknown };
  const name = [type, code].find(
    (each): each is string =>
      typeof each === 'string' &&
      /^(?:(?:entity|encoding|charset|request|parameters|querystring|stream)\.|Z_)/.test(each),
  );
  return name === undefined ? undefined : { type: name, body };
}

/**
 * The text that the parser could not parse, so that a protocol may say where it is broken. Throws as {@link readBody}
 * rejects when there is no such text.
 */
export function textOfFault(request: IncomingMessage, { type, body }: ParserFault, limits: BodyLimits): string {
  if (type === 'entity.too.large') throw tooLarge(limits);
  refuseCompressed(request, limits);
  if (type === 'charset.unsupported') throw notUnderstood(contentType(request), limits);
  const text = type === 'entity.parse.failed' && typeof body === 'string' ? withinLimit(body, limits) : undefined;
  if (text === undefined) throw httpInError('HTTP_BODY_UNREADABLE');
  return text;
}

function withinLimit(text: string | undefined, limits: BodyLimits): string | undefined {
  if (text !== undefined && Buffer.byteLength(text) > limits.limit) throw tooLarge(limits);
  return text;
}

/** What a body parser made of the body, written back as text of the same media type. */
function parsedBefore(request: MaybeParsed): string | undefined {
  try {
    return writtenBack(request);
  } catch {
    // Nested too deep for JSON.stringify, or a field of a form that hides how to write it as text.
    throw httpInError('HTTP_BODY_UNREADABLE');
  }
}

function writtenBack(request: MaybeParsed): string | undefined {
  const { body } = request;
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string') return body === '' ? undefined : body;
  if (Buffer.isBuffer(body)) return body.toString('utf8');
  if (/^application\/x-www-form-urlencoded/i.test(contentType(request))) {
    return new URLSearchParams(body as Record<string, string>).toString();
  }
  return JSON.stringify(body);
}

function contentType(request: IncomingMessage): string {
  return request.headers['content-type'] ?? '';
}

function tooLarge({ limit }: BodyLimits): Error {
  return protocolError('PROTOCOL_BODY_TOO_LARGE', { limit });
}

function notUnderstood(type: string, { mediaTypes }: BodyLimits): Error {
  return protocolError('PROTOCOL_MEDIA_TYPE', { type, allowed: mediaTypes.join(', ') });
}
