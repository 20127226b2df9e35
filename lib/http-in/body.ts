import type { IncomingMessage } from 'node:http';
import type { Clock } from '../clock';
import { protocolError } from '../protocols/errors';
import { httpInError } from './errors';

export interface BodyOptions {
  readonly clock: Clock;
  /** Bytes. */
  readonly limit: number;
  /** How long the sender may take, in ms. */
  readonly withinMs: number;
  /** The media types that are understood, for the text of an error. */
  readonly mediaTypes: readonly string[];
}

/** A request whose body somebody before us may have read: body parsers leave it in `body` and say so in `_body`. */
type MaybeParsed = IncomingMessage & { readonly body?: unknown; readonly _body?: boolean };

/**
 * The body as text; `undefined` when there is none. Never holds much more than the limit. Rejects with
 * `PROTOCOL_BODY_TOO_LARGE`, `PROTOCOL_MEDIA_TYPE` (compressed, or not UTF-8) or `HTTP_BODY_INCOMPLETE` (too slow, or the
 * sender went away).
 */
export async function readBody(request: MaybeParsed, options: BodyOptions): Promise<string | undefined> {
  if (request._body === true || request.readableEnded) return parsedBefore(request);
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') throw notUnderstood(`${contentType(request)}; ${encoding}`, options);
  if (Number(request.headers['content-length'] ?? 0) > options.limit) throw tooLarge(options);
  const bytes = await collect(request, options);
  if (bytes.length === 0) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw notUnderstood(contentType(request), options);
  }
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

/** What a body parser made of the body, written back as text of the same media type. */
function parsedBefore(request: MaybeParsed): string | undefined {
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

function tooLarge(options: BodyOptions): Error {
  return protocolError('PROTOCOL_BODY_TOO_LARGE', { limit: options.limit });
}

function notUnderstood(type: string, options: BodyOptions): Error {
  return protocolError('PROTOCOL_MEDIA_TYPE', { type, allowed: options.mediaTypes.join(', ') });
}
