import axios from 'axios';
import * as http from 'node:http';
import type { Readable } from 'node:stream';
import { X509Certificate } from 'node:crypto';
import { TextDecoder } from 'node:util';
import type { Clock } from '../clock';
import { asError, TelephonyError } from '../errors';
import { webAddress } from '../web-address';
import { hasCa, httpAgents } from '../http-out/agents';
import type { HttpAgents } from '../http-out/agents';
import { badSettings, crmError } from './errors';
import { hostOf, isNotNow, notJson, shownWords, statusError, transportError } from './http-errors';
import type { Limiter } from './limiter';
import type { CallContext, CrmHttp, CrmRequest, CrmResponse } from './types';

export interface CrmHttpOptions {
  readonly clock: Clock;
  readonly limiter: Limiter;
  /** How long one request may take, from its turn to the last byte of the answer, in ms (default 10 s). */
  readonly timeoutMs?: number;
  /** How long a connection may take, TLS included, in ms (default 3 s). */
  readonly connectMs?: number;
  /** The largest answer, counted after decompression, in bytes (default 1 MiB). */
  readonly maxBodyBytes?: number;
  /** PEM of an authority to trust beside the built-in ones. */
  readonly ca?: string;
  /** What no error may quote, however the CRM echoes it. */
  readonly secrets?: readonly string[];
}

/** A {@link CrmHttp} and its end. */
export interface ClosableCrmHttp extends CrmHttp {
  /**
   * Rejects what is under way with `CRM_CLOSED`, but lets the deliveries that the CRM is being sent end within their time: it may take
   * one of which we would not know. Closes every socket as soon as it is free.
   */
  close(): void;
}

function checkUrl(text: string): void {
  if (!webAddress(text)) throw crmError('CRM_BAD_URL');
}

function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    try {
      http.validateHeaderName(name);
      http.validateHeaderValue(name, value);
    } catch {
      throw badSettings('headers', {
        en: `the header "${name.slice(0, 40)}" holds characters that HTTP does not allow.`,
        ru: `в заголовке «${name.slice(0, 40)}» есть символы, недопустимые в HTTP.`,
      });
    }
  }
}

/** Old CRMs still answer in windows-1251; a byte order mark, which 1C sends, would break JSON. */
function decode(body: Buffer, contentType: string): string {
  const charset = /charset\s*=\s*"?([\w.:-]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return new TextDecoder().decode(body);
  }
}

/** Reads a body up to a bound. To leave the loop early ends the stream, and the connection with it. */
async function readUpTo(
  stream: Readable,
  maxBytes: number,
): Promise<{ readonly body: Buffer; readonly isWhole: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return { body: Buffer.concat(chunks), isWhole: false };
    chunks.push(chunk);
  }
  return { body: Buffer.concat(chunks), isWhole: true };
}

class Client implements ClosableCrmHttp {
  private readonly agents: HttpAgents;
  private readonly underWay = new Set<AbortController>();
  /** Those of them that write, and have had their turn. */
  private readonly writing = new Set<AbortController>();
  private closed = false;

  constructor(
    private readonly options: CrmHttpOptions & { timeoutMs: number; connectMs: number; maxBodyBytes: number },
  ) {
    this.agents = httpAgents(options);
  }

  async send(request: CrmRequest, context: CallContext): Promise<CrmResponse> {
    checkUrl(request.url);
    checkHeaders(request.headers ?? {});
    const { clock, limiter } = this.options;
    const timeoutMs = request.timeoutMs ?? this.options.timeoutMs;
    const controller = new AbortController();
    const abort = (reason: Error) => controller.abort(reason);
    const onAbort = () => abort(asAbortReason(context.signal.reason, timeoutMs));
    if (context.signal.aborted) onAbort();
    if (this.closed) abort(crmError('CRM_CLOSED'));
    context.signal.addEventListener('abort', onAbort);
    this.underWay.add(controller);
    try {
      const { signal } = controller;
      const { deadline, background = false, waiting } = context;
      const turn = limiter.take({ signal, background, ...(deadline === undefined ? {} : { deadline }) });
      await (waiting?.(turn) ?? turn);
      if (background && !signal.aborted) this.writing.add(controller);
      const timer = clock.after(timeoutMs, () => abort(crmError('CRM_TIMEOUT', { ms: timeoutMs })));
      try {
        return await untilAborted(this.transmit(request, signal), signal);
      } finally {
        timer.cancel();
      }
    } finally {
      this.underWay.delete(controller);
      this.writing.delete(controller);
      if (this.closed) this.release();
      context.signal.removeEventListener('abort', onAbort);
    }
  }

  async json(request: CrmRequest, context: CallContext): Promise<unknown> {
    const response = await this.send(request, context);
    try {
      return JSON.parse(response.text) as unknown;
    } catch {
      throw notJson(request, response, this.options.secrets);
    }
  }

  close(): void {
    this.closed = true;
    const reason = crmError('CRM_CLOSED');
    for (const controller of this.underWay) if (!this.writing.has(controller)) controller.abort(reason);
    this.release();
  }

  private release(): void {
    if (this.writing.size > 0) return;
    this.agents.httpAgent.destroy();
    this.agents.httpsAgent.destroy();
  }

  private async transmit(request: CrmRequest, signal: AbortSignal): Promise<CrmResponse> {
    const { clock, limiter, connectMs, maxBodyBytes } = this.options;
    const host = hostOf(request.url);
    let response: CrmResponse;
    let isWhole: boolean;
    try {
      const answer = await axios.request<Readable>({
        method: request.method,
        url: request.url,
        data: request.body,
        headers: { Accept: 'application/json', 'User-Agent': 'node-red-asterisk', ...request.headers },
        signal,
        ...this.agents,
        // The key goes to the address that the admin entered and nowhere else.
        maxRedirects: 0,
        proxy: false,
        // What is too large must not hide the status.
        responseType: 'stream',
        transformRequest: (data: unknown) => data,
        transformResponse: (data: unknown) => data,
        validateStatus: () => true,
      });
      const headers = Object.entries(answer.headers).map(
        ([name, value]) => [name.toLowerCase(), String(value)] as const,
      );
      const byName = Object.fromEntries(headers);
      const read = await readUpTo(answer.data, maxBodyBytes);
      isWhole = read.isWhole;
      response = { status: answer.status, headers: byName, text: decode(read.body, byName['content-type'] ?? '') };
    } catch (thrown) {
      throw signal.aborted ? (signal.reason as Error) : transportError(thrown, host, connectMs);
    }
    const { secrets } = this.options;
    const { status } = response;
    const isWanted = (status >= 200 && status < 300) || request.accept?.includes(status) === true;
    if (isWanted && !isWhole && !request.mayBeCut) throw crmError('CRM_TOO_LARGE', { host, bytes: maxBodyBytes });
    const judge = isNotNow(status) ? undefined : request.failureIn;
    const told = judge?.(response, (words) => shownWords(words, request, secrets));
    if (told === undefined && isWanted) return response;
    const error = told ?? statusError(request, response, clock.now(), secrets);
    const isForAll = error.code === 'CRM_LIMITED' && error.params.method === undefined;
    if (isForAll) limiter.hold(Number(error.params.retryAfterMs));
    throw error;
  }
}

/** What an aborted request rejects with: the caller's own reason, when it is one that can be shown. */
function asAbortReason(reason: unknown, timeoutMs: number): Error {
  return reason instanceof TelephonyError ? reason : crmError('CRM_TIMEOUT', { ms: timeoutMs }, asError(reason));
}

/** `promise`, or the signal's reason as soon as it is aborted, whatever the promise still waits for. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(asError(signal.reason));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/**
 * The HTTP client of one CRM account. It verifies certificates, follows no redirect, goes through no proxy (those of the
 * environment are for other programs: the key would pass them), and gives up a connection, a request and a body that are
 * too slow or too large. Its errors name the host only. Throws `CRM_BAD_SETTINGS` when `ca` is no certificate.
 */
export function createCrmHttp(options: CrmHttpOptions): ClosableCrmHttp {
  try {
    if (hasCa(options.ca)) new X509Certificate(options.ca);
  } catch {
    throw badSettings('ca', {
      en: 'this is no certificate. Paste the PEM text, from BEGIN CERTIFICATE to END CERTIFICATE.',
      ru: 'это не сертификат. Вставьте текст PEM от BEGIN CERTIFICATE до END CERTIFICATE.',
    });
  }
  return new Client({ timeoutMs: 10_000, connectMs: 3000, maxBodyBytes: 1024 * 1024, ...options });
}
