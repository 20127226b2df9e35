import type { Lang, TelephonyError } from '../errors';

/** How the question came; the answer must go back the same way. */
export type Protocol = 'itgrix' | 'usercrm' | 'uccx' | 'text' | 'json' | 'async-agi';

/** The protocols that come over HTTP. */
export type HttpProtocolName = Exclude<Protocol, 'async-agi'>;

/** "A call from this number is here: where to?" the same for every protocol. All values are untrusted text. */
export interface RouteQuestion {
  /** As the caller's number was sent; empty when the number is withheld. */
  readonly phone: string;
  /** The DID, as the dialplan names it. */
  readonly trunk?: string;
  /** Linkedid of the call. */
  readonly callId?: string;
}

/** What the asker is told. Nobody responsible = no extension: the call goes on by its normal way. */
export interface RouteAnswer {
  readonly found: boolean;
  readonly name?: string;
  readonly extension?: string;
  readonly entityType?: string;
  readonly entityId?: string;
}

/** An HTTP answer, ready to be written. */
export interface HttpReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a protocol needs of an HTTP request; the endpoint has already bounded and decoded the body (UTF-8). */
export interface HttpRequestParts {
  /** Upper case. */
  readonly method: string;
  /** Decoded query parameters; of a repeated one, the first. */
  readonly query: Readonly<Record<string, string>>;
  /** The header as it came, parameters included. */
  readonly contentType?: string;
  /** Absent when the request has no body. */
  readonly bodyText?: string;
}

/** What the asker wants to find again in the answer (UserCRM). */
export interface Echo {
  readonly action?: string;
  readonly actionId?: string | number;
}

/** Somebody asks where a call should go: answer with {@link HttpProtocol.format}. */
export interface RouteRequest {
  readonly action: 'route';
  readonly question: RouteQuestion;
  readonly echo?: Echo;
}

/** Somebody tests the address. The answer needs no flow: send `reply` (after the key was checked). */
export interface TestRequest {
  readonly action: 'test';
  readonly reply: HttpReply;
  readonly echo?: Echo;
}

/** Everything else that can be asked of us: `make_call`, `get_cdr` and the like. Answer with {@link HttpProtocol.formatBody}. */
export interface CommandRequest {
  readonly action: 'command';
  /** The protocol's own word. */
  readonly command: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** What stands beside `params` (`sort`, `limit`, `offset` of `get_cdr`). */
  readonly options: Readonly<Record<string, unknown>>;
  readonly echo?: Echo;
}

export type ProtocolRequest = RouteRequest | TestRequest | CommandRequest;

/** Not a request we can serve: send {@link HttpProtocol.formatError} of it. */
export interface BadRequest {
  readonly action: 'bad';
  readonly error: TelephonyError;
  /** The HTTP status that belongs to the error. */
  readonly status: number;
  readonly echo?: Echo;
}

/**
 * One way to ask over HTTP. The endpoint checks address, key and body size, and knows nothing of the format:
 * `parse`, then `format`, `formatBody` or `formatError`.
 */
export interface HttpProtocol {
  /** The path below the endpoint's root, unless the admin chooses another. */
  readonly path: string;
  readonly methods: readonly string[];
  /** Media types of bodies; empty = the protocol has no bodies. */
  readonly contentTypes: readonly string[];
  /** Never throws: what cannot be served (405, 415, broken JSON, missing phone …) comes back as {@link BadRequest}. */
  parse(parts: HttpRequestParts): ProtocolRequest | BadRequest;
  /** The answer to a route question. Throws `PROTOCOL_UNSAFE_EXTENSION` when the extension could not be dialled safely. */
  format(answer: RouteAnswer, request: RouteRequest): HttpReply;
  /** The answer to a command, or to a test that a flow answers itself; only protocols that have commands have it. `body` must be JSON data. */
  readonly formatBody?: (body: unknown, request: CommandRequest | TestRequest) => HttpReply;
  /**
   * An error in the asker's own format; never throws. `request` is what `parse` gave, when it got that far.
   * The body is harmless to a dialplan that does not look at the HTTP status.
   */
  formatError(
    error: TelephonyError,
    status: number,
    request: ProtocolRequest | BadRequest | undefined,
    lang: Lang,
  ): HttpReply;
}
