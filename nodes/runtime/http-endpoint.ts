import type { Request, Response } from 'express';
import { systemClock } from '../../lib/clock';
import { TelephonyError, asError } from '../../lib/errors';
import type { Lang } from '../../lib/errors';
import type { Access } from '../../lib/http-in/access';
import { readBody, textOfFault } from '../../lib/http-in/body';
import type { ParserFault } from '../../lib/http-in/body';
import { httpInError } from '../../lib/http-in/errors';
import { httpStatusOf, protocolError } from '../../lib/protocols/errors';
import type {
  BadRequest,
  CommandRequest,
  HttpProtocol,
  HttpProtocolName,
  HttpReply,
  HttpRequestParts,
  ProtocolRequest,
  TestRequest,
} from '../../lib/protocols/types';
import { nobody } from '../../lib/questions/answer';
import type { FlowAnswer } from '../../lib/questions/answer';
import type { QuestionBook } from '../../lib/questions/book';
import { questionError } from '../../lib/questions/errors';
import { MAX_OPEN_QUESTIONS } from './questions';
import type { Serve } from './http-routes';

const BODY_LIMIT_BYTES = 64 * 1024;
const BODY_WITHIN_MS = 10_000;

/** The HTTP status of the errors that are not a protocol's own. */
const STATUSES: Readonly<Partial<Record<string, number>>> = {
  HTTP_BODY_INCOMPLETE: 408,
  HTTP_BODY_UNREADABLE: 400,
  TOO_MANY_QUESTIONS: 503,
  ANSWER_TOO_LATE: 504,
};

const EMPTY: HttpReply = { status: 200, contentType: '', body: '', headers: { 'Cache-Control': 'no-store' } };

export interface EndpointOptions {
  readonly access: Access;
  readonly book: QuestionBook<FlowAnswer>;
  readonly lang: Lang;
  /** Has this action an output of its own? */
  readonly serves: (action: string) => boolean;
  /** A question was taken in: the flow is to answer it. */
  readonly onQuestion: (id: string, protocol: HttpProtocolName, action: string, request: ProtocolRequest) => void;
  /** A question was turned away because too many are open. */
  readonly onFull: () => void;
  readonly warn: (text: string) => void;
}

/** One request on its way: where it came from, and how it is answered. */
interface Exchange {
  readonly name: HttpProtocolName;
  readonly protocol: HttpProtocol;
  readonly req: Request;
  readonly res: Response;
  /** A body parser in front gave up on this request, so that nothing else in front was asked: it gets an error only. */
  readonly fault: ParserFault | undefined;
}

/** The HTTP side of one `usercrm-in`: address, key, size and method are checked here, the formats are the protocols'. */
export class HttpEndpoint {
  /** Requests whose body is still coming in. */
  private reading = 0;

  constructor(private readonly options: EndpointOptions) {}

  /** The handler of one protocol's path. */
  handler(name: HttpProtocolName, protocol: HttpProtocol): Serve {
    return (req, res, fault) => {
      const exchange = { name, protocol, req, res, fault };
      this.serve(exchange).catch((thrown: unknown) => {
        const error = asError(thrown);
        if (error instanceof TelephonyError) this.refuse(exchange, error, statusOf(error));
        else {
          this.options.warn(`${name}: ${error.message}`);
          this.refuse(exchange, questionError('ANSWER_FAILED'), 500);
        }
      });
    };
  }

  private refuse(exchange: Exchange, error: TelephonyError, status: number, request?: BadRequest): void {
    write(exchange, exchange.protocol.formatError(error, status, request, this.options.lang));
  }

  private async serve(exchange: Exchange): Promise<void> {
    const { protocol, req } = exchange;
    if (req.method === 'OPTIONS') {
      write(exchange, { ...EMPTY, status: 204, headers: { Allow: [...protocol.methods, 'OPTIONS'].join(', ') } });
      return;
    }
    const refusal = this.options.access.refuse(req);
    if (refusal) {
      this.refuse(exchange, refusal.error, refusal.status);
      return;
    }
    if (req.method === 'HEAD' && protocol.methods.includes('GET')) {
      // Somebody looks whether we are there: no call, so no question.
      write(exchange, EMPTY);
      return;
    }
    const request = protocol.parse(await this.partsOf(exchange));
    if (request.action === 'bad') this.refuse(exchange, request.error, request.status, request);
    else if (exchange.fault) throw httpInError('HTTP_BODY_UNREADABLE');
    else if (request.action === 'test' && !this.options.serves('test')) write(exchange, request.reply);
    else this.ask(exchange, request);
  }

  private ask(exchange: Exchange, request: ProtocolRequest): void {
    const { book, lang, serves, onQuestion, onFull } = this.options;
    const action = request.action === 'command' ? request.command : request.action;
    if (!serves(action)) {
      const error = protocolError('PROTOCOL_ACTION_NOT_SERVED', { action });
      write(exchange, exchange.protocol.formatError(error, statusOf(error), request, lang));
      return;
    }
    const settle = (answer: FlowAnswer | undefined): void => {
      try {
        write(exchange, replyTo(exchange.protocol, request, answer, lang));
      } catch (thrown) {
        write(exchange, replyTo(exchange.protocol, request, undefined, lang));
        throw thrown;
      }
    };
    const id = book.ask({ action, settle });
    if (id === undefined) {
      onFull();
      write(exchange, fullReply(exchange.protocol, request, lang));
      return;
    }
    // Also fires after the answer was written; then there is nothing left to forget.
    exchange.res.on('close', () => book.forget(id));
    onQuestion(id, exchange.name, action, request);
  }

  private async partsOf(exchange: Exchange): Promise<HttpRequestParts> {
    const { protocol, req } = exchange;
    const type = req.headers['content-type'];
    const mayHaveBody = protocol.contentTypes.length > 0 && protocol.methods.includes(req.method);
    const bodyText = mayHaveBody ? await this.bodyOf(exchange) : undefined;
    return {
      method: req.method,
      query: queryOf(req.url),
      ...(type === undefined ? {} : { contentType: type }),
      ...(bodyText === undefined ? {} : { bodyText }),
    };
  }

  private async bodyOf({ protocol, req, fault }: Exchange): Promise<string | undefined> {
    const limits = { limit: BODY_LIMIT_BYTES, mediaTypes: protocol.contentTypes };
    if (fault) return textOfFault(req, fault, limits);
    if (this.reading >= MAX_OPEN_QUESTIONS) throw questionError('TOO_MANY_QUESTIONS', { limit: MAX_OPEN_QUESTIONS });
    this.reading += 1;
    try {
      return await readBody(req, { ...limits, clock: systemClock, withinMs: BODY_WITHIN_MS });
    } finally {
      this.reading -= 1;
    }
  }
}

/** The answer in the asker's format; without one "nobody" to a route question and an error to everything else. */
function replyTo(
  protocol: HttpProtocol,
  request: ProtocolRequest,
  answer: FlowAnswer | undefined,
  lang: Lang,
): HttpReply {
  if (request.action === 'route') return protocol.format(answer?.kind === 'route' ? answer.answer : nobody, request);
  const late = questionError('ANSWER_TOO_LATE');
  if (answer?.kind !== 'body') return protocol.formatError(late, statusOf(late), request, lang);
  const { code, body } = answer;
  if (code < 200 || code > 299) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return protocol.formatError(questionError('ANSWER_FROM_FLOW', { code, text }), code, request, lang);
  }
  if (!protocol.formatBody) throw new Error(`a protocol without commands asked for "${request.action}"`);
  return protocol.formatBody(body, asCommand(request));
}

/** A test that a flow answers is answered like any command. */
function asCommand(request: TestRequest | CommandRequest): CommandRequest {
  if (request.action === 'command') return request;
  const echo = request.echo === undefined ? {} : { echo: request.echo };
  return { action: 'command', command: request.action, params: {}, options: {}, ...echo };
}

/** Too many questions wait: a call goes on by its normal way at once, everything else is to come again. */
function fullReply(protocol: HttpProtocol, request: ProtocolRequest, lang: Lang): HttpReply {
  if (request.action === 'route') return protocol.format(nobody, request);
  const error = questionError('TOO_MANY_QUESTIONS', { limit: MAX_OPEN_QUESTIONS });
  return protocol.formatError(error, statusOf(error), request, lang);
}

function statusOf(error: TelephonyError): number {
  return STATUSES[error.code] ?? httpStatusOf(error);
}

/** Query parameters, of a repeated one the first. */
function queryOf(url: string): Record<string, string> {
  const start = url.indexOf('?');
  const first = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(start < 0 ? '' : url.slice(start))) {
    if (!first.has(name)) first.set(name, value);
  }
  return Object.fromEntries(first);
}

function write({ req, res }: Exchange, reply: HttpReply): void {
  if (res.headersSent || res.destroyed) return;
  const body = Buffer.from(reply.body, 'utf8');
  const type = reply.contentType === '' ? {} : { 'Content-Type': reply.contentType };
  const length = reply.status === 204 ? {} : { 'Content-Length': body.length };
  // Nobody waits for the rest of a body that came too slowly.
  const end = reply.status === STATUSES.HTTP_BODY_INCOMPLETE ? { Connection: 'close' } : {};
  res.writeHead(reply.status, { ...reply.headers, ...type, ...length, ...end });
  res.end(req.method === 'HEAD' ? undefined : body);
}
