import type { Request, Response } from 'express';
import { systemClock } from '../../lib/clock';
import { TelephonyError, asError } from '../../lib/errors';
import type { Lang } from '../../lib/errors';
import { isSameSecret } from '../../lib/http-in/access';
import type { Access, Refusal } from '../../lib/http-in/access';
import { readBody, textOfFault } from '../../lib/http-in/body';
import type { ParserFault } from '../../lib/http-in/body';
import { httpInError } from '../../lib/http-in/errors';
import { protocolError } from '../../lib/protocols/errors';
import type {
  Asked,
  BadRequest,
  CommandAnswer,
  CommandRequest,
  HttpProtocol,
  HttpProtocolName,
  HttpReply,
  HttpRequestParts,
  NoticeRequest,
} from '../../lib/protocols/types';
import type { FlowAnswer } from '../../lib/questions/answer';
import type { QuestionBook } from '../../lib/questions/book';
import { questionError } from '../../lib/questions/errors';
import { MAX_OPEN_QUESTIONS } from './questions';
import { failureReply, fullReply, replyTo, statusOf, write } from './http-replies';
import type { Route } from './http-routes';
import type { OwnAnswers } from './own-answers';

const BODY_LIMIT_BYTES = 64 * 1024;
const BODY_WITHIN_MS = 10_000;

const EMPTY: HttpReply = { status: 200, contentType: '', body: '', headers: { 'Cache-Control': 'no-store' } };

export interface EndpointOptions {
  readonly access: Access;
  readonly book: QuestionBook<FlowAnswer>;
  readonly lang: Lang;
  /** Has this action an output of its own? */
  readonly serves: (action: string) => boolean;
  /** How long the flow may take to answer, in ms. */
  readonly deadlineOf: (action: string) => number;
  /** What the endpoint knows itself, of actions that have no output. */
  readonly own: OwnAnswers;
  /** The digest of the key that Bitrix24 shows. */
  readonly applicationKey: Buffer | undefined;
  /** A question was taken in: the flow is to answer it. */
  readonly onQuestion: (id: string, protocol: HttpProtocolName, action: string, request: Asked) => void;
  /** Something was told; nobody waits any more. */
  readonly onNotice: (protocol: HttpProtocolName, notice: NoticeRequest) => void;
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

  /** The handlers of one protocol's path. */
  handlers(name: HttpProtocolName, protocol: HttpProtocol): Omit<Route, 'owner'> {
    const handle = (req: Request, res: Response, fault: ParserFault | undefined): void => {
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
    return { serve: (req, res) => handle(req, res, undefined), refuse: handle };
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
    const refusal = this.refusalOf(exchange);
    if (refusal) {
      this.refuse(exchange, refusal.error, refusal.status);
      return;
    }
    if (req.method === 'HEAD' && protocol.methods.includes('GET')) {
      // Somebody looks whether we are there: no call, so no question.
      write(exchange, EMPTY);
      return;
    }
    const parts = await this.partsOf(exchange);
    if (!this.showsKey(protocol, parts)) throw protocolError('PROTOCOL_BAD_KEY');
    const request = protocol.parse(parts);
    if (request.action === 'bad') this.refuse(exchange, request.error, request.status, request);
    else if (exchange.fault) throw httpInError('HTTP_BODY_UNREADABLE');
    else if (request.action === 'notice') this.note(exchange, request);
    else if (request.action === 'test' && !this.options.serves('test')) write(exchange, request.reply);
    else await this.ask(exchange, request);
  }

  private refusalOf({ protocol, req }: Exchange): Refusal | undefined {
    if (protocol.key) return undefined;
    return this.options.access.refuse(req, protocol.opensInTab && { key: queryOf(req.url).key });
  }

  private showsKey({ key }: HttpProtocol, parts: HttpRequestParts): boolean {
    if (!key) return true;
    const { access, applicationKey } = this.options;
    return key.of === 'endpoint' ? access.isKey(key.in(parts)) : isSameSecret(key.in(parts), applicationKey);
  }

  /** The asker sends it only once, so that it must not wait for what becomes of it. */
  private note(exchange: Exchange, notice: NoticeRequest): void {
    if (!this.options.serves(notice.command)) {
      throw protocolError('PROTOCOL_ACTION_NOT_SERVED', { action: notice.command });
    }
    write(exchange, notice.reply);
    this.options.onNotice(exchange.name, notice);
  }

  private async ask(exchange: Exchange, request: Asked): Promise<void> {
    const { book, lang, serves, deadlineOf, own, onQuestion, onFull } = this.options;
    const { protocol } = exchange;
    const action = request.action === 'command' ? request.command : request.action;
    if (!serves(action)) {
      const known = request.action === 'command' ? own.answer(request) : undefined;
      if (known && request.action === 'command') return this.answerItself(exchange, request, known);
      const error = protocolError('PROTOCOL_ACTION_NOT_SERVED', { action });
      write(exchange, protocol.formatError(error, statusOf(error), request, lang));
      return;
    }
    let asked: Asked = request;
    try {
      if (request.action === 'command') asked = { ...request, payload: own.withExtension(request.payload) };
    } catch (thrown) {
      this.tellFailure(exchange, request, thrown);
      return;
    }
    const settle = (answer: FlowAnswer | undefined): void => {
      try {
        write(exchange, replyTo(protocol, request, own.withStatus(answer), lang));
      } catch (thrown) {
        write(exchange, replyTo(protocol, request, undefined, lang));
        throw thrown;
      }
    };
    const id = book.ask({ action, settle, deadlineMs: deadlineOf(action) });
    if (id === undefined) {
      onFull();
      write(exchange, fullReply(protocol, request, lang));
      return;
    }
    // Also fires after the answer was written; then there is nothing left to forget.
    exchange.res.on('close', () => book.forget(id));
    onQuestion(id, exchange.name, action, asked);
  }

  private async answerItself(
    exchange: Exchange,
    request: CommandRequest,
    known: Promise<CommandAnswer>,
  ): Promise<void> {
    try {
      const answer = await known;
      write(exchange, replyTo(exchange.protocol, request, { kind: 'command', code: 200, answer }, this.options.lang));
    } catch (thrown) {
      this.tellFailure(exchange, request, thrown);
    }
  }

  private tellFailure(exchange: Exchange, request: Asked, thrown: unknown): void {
    if (!(thrown instanceof TelephonyError)) throw asError(thrown);
    write(exchange, failureReply(exchange.protocol, request, thrown, this.options.lang));
  }

  private async partsOf(exchange: Exchange): Promise<HttpRequestParts> {
    const { protocol, req } = exchange;
    const type = req.headers['content-type'];
    const mayHaveBody = protocol.contentTypes.length > 0 && protocol.methods.includes(req.method);
    const bodyText = mayHaveBody ? await this.bodyOf(exchange) : undefined;
    const address = this.options.access.addressOf(req);
    return {
      method: req.method,
      query: queryOf(req.url),
      ...(address === undefined ? {} : { address }),
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

/** Query parameters, of a repeated one the first. */
function queryOf(url: string): Record<string, string> {
  const start = url.indexOf('?');
  const first = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(start < 0 ? '' : url.slice(start))) {
    if (!first.has(name)) first.set(name, value);
  }
  return Object.fromEntries(first);
}
