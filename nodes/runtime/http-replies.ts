import type { Request, Response } from 'express';
import { TelephonyError } from '../../lib/errors';
import type { Lang } from '../../lib/errors';
import { httpStatusOf } from '../../lib/protocols/errors';
import type { Asked, CommandRequest, HttpProtocol, HttpReply, TestRequest } from '../../lib/protocols/types';
import { nobody } from '../../lib/questions/answer';
import type { FlowAnswer } from '../../lib/questions/answer';
import { questionError } from '../../lib/questions/errors';
import { MAX_OPEN_QUESTIONS } from './questions';

/** The HTTP status of the errors that are not a protocol's own. */
const STATUSES: Readonly<Partial<Record<string, number>>> = {
  HTTP_BODY_INCOMPLETE: 408,
  HTTP_BODY_UNREADABLE: 400,
  TOO_MANY_QUESTIONS: 503,
  ANSWER_TOO_LATE: 504,
};

/** The HTTP status of what the nodes behind could not do, by how their codes are made; the first that fits. */
const FAILURES: readonly (readonly [code: RegExp, status: number])[] = [
  [/_NO_(?:CALL|EXTENSION|PHONE|QUEUE|USER)$|_UNKNOWN(?:_EXTENSION)?$/, 404],
  [/_AMBIGUOUS$|_NOT_MEMBER$/, 409],
  [/_BAD(?:_|$)|_TOO_LARGE$/, 400],
  [/_FULL$|_LIMIT|_TOO_MANY/, 429],
  [/TIMEOUT$/, 504],
  [/^(?:AMI|PBX|STORE|CRM)_|_EXTENSIONS_NOT_READ$/, 503],
];
const NOT_DONE = 422;

export function statusOf(error: TelephonyError): number {
  return STATUSES[error.code] ?? httpStatusOf(error);
}

const statusOfFailure = (code: string): number => FAILURES.find(([form]) => form.test(code))?.[1] ?? NOT_DONE;

/** The error of a node behind, told to the asker. */
export function failureReply(protocol: HttpProtocol, request: Asked, error: TelephonyError, lang: Lang): HttpReply {
  return protocol.formatError(error, statusOfFailure(error.code), request, lang);
}

/** The answer in the asker's format; without one "nobody" to a route question and an error to everything else. */
export function replyTo(protocol: HttpProtocol, request: Asked, answer: FlowAnswer | undefined, lang: Lang): HttpReply {
  if (request.action === 'route') return protocol.format(answer?.kind === 'route' ? answer.answer : nobody, request);
  if (answer?.kind === 'failed') {
    const { code, message } = answer;
    // The node said it in the language of Node-RED already.
    return failureReply(protocol, request, new TelephonyError(code, { en: message, ru: message }), lang);
  }
  if (answer?.kind !== 'command') {
    const late = questionError('ANSWER_TOO_LATE');
    return protocol.formatError(late, statusOf(late), request, lang);
  }
  const { code, answer: told } = answer;
  if (code < 200 || code > 299) {
    const body = told.kind === 'body' ? told.body : undefined;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return protocol.formatError(questionError('ANSWER_FROM_FLOW', { code, text }), code, request, lang);
  }
  if (!protocol.formatAnswer) throw new Error(`a protocol without commands asked for "${request.action}"`);
  return protocol.formatAnswer(told, asCommand(request));
}

/** A test that a flow answers is answered like any command. */
function asCommand(request: TestRequest | CommandRequest): CommandRequest {
  if (request.action === 'command') return request;
  const echo = request.echo === undefined ? {} : { echo: request.echo };
  return { action: 'command', command: 'test', payload: {}, params: {}, ...echo };
}

/** Too many questions wait: a call goes on by its normal way at once, everything else is to come again. */
export function fullReply(protocol: HttpProtocol, request: Asked, lang: Lang): HttpReply {
  if (request.action === 'route') return protocol.format(nobody, request);
  const error = questionError('TOO_MANY_QUESTIONS', { limit: MAX_OPEN_QUESTIONS });
  return protocol.formatError(error, statusOf(error), request, lang);
}

/** Writes an answer, once; to nobody when the asker went away. */
export function write({ req, res }: { readonly req: Request; readonly res: Response }, reply: HttpReply): void {
  if (res.headersSent || res.destroyed) return;
  const body = Buffer.from(reply.body, 'utf8');
  const type = reply.contentType === '' ? {} : { 'Content-Type': reply.contentType };
  const length = reply.status === 204 ? {} : { 'Content-Length': body.length };
  // Nobody waits for the rest of a body that came too slowly.
  const end = reply.status === STATUSES.HTTP_BODY_INCOMPLETE ? { Connection: 'close' } : {};
  res.writeHead(reply.status, { ...reply.headers, ...type, ...length, ...end });
  res.end(req.method === 'HEAD' ? undefined : body);
}
