import type { Lang, TelephonyError } from '../errors';
import type { RecordPayload } from '../messages/types';

/** How the question came; the answer must go back the same way. */
export type Protocol =
  'itgrix' | 'usercrm' | 'uccx' | 'card' | 'text' | 'json' | 'alterisk' | 'bitrix24' | 'amocrm' | 'async-agi';

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
  /** Where a person opens the record in the CRM. */
  readonly url?: string;
  /** Who is responsible, whether he can take the call or not. */
  readonly ownerId?: string;
  readonly ownerName?: string;
  /** The client was unknown, and made by this very question. */
  readonly created?: true;
  /** How the lookup ended: `found`, `not-found`, `not-available`, `timeout`, … */
  readonly outcome?: string;
  /** Where the number is from, and its time zone (IANA); also of a number that the CRM does not know. */
  readonly region?: string;
  readonly timeZone?: string;
  /** To be set on the caller's channel before the call goes on, where the way of the question allows it. */
  readonly variables?: Readonly<Record<string, string>>;
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
  /** The IP address of who asks; absent when a proxy that nobody vouches for hides it. */
  readonly address?: string;
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

/**
 * Everything else that can be asked of us, under one name in all protocols; `usercrm-in` has an output for each.
 * `agent_state`: an agent's log-in, log-out, pause, end of a pause, or what he is. `current_call`: the call of the asker's own phone; `live_calls`: all channels; `callback`: call a client, no matter who of us.
 */
export type Command =
  | 'make_call'
  | 'callback'
  | 'autocall'
  | 'autocall_status'
  | 'transfer'
  | 'switch_call_hold'
  | 'agent_state'
  | 'current_call'
  | 'live_calls'
  | 'get_cdr'
  | 'get_users'
  | 'get_domain_user_list';

/** Answer with {@link HttpProtocol.formatAnswer}. */
export interface CommandRequest {
  readonly action: 'command';
  readonly command: Command | 'test';
  /** What the flow gets as `msg.payload`; values are untrusted text, or whatever JSON the asker sent. */
  readonly payload: Fields;
  /** What the answer needs to know of the question. */
  readonly params: Fields;
  readonly echo?: Echo;
}

/** Somebody tells us something and wants to hear at once that it came: send `reply`, then act. */
export interface NoticeRequest {
  readonly action: 'notice';
  readonly command: Command;
  readonly payload: Fields;
  readonly reply: HttpReply;
}

export type ProtocolRequest = RouteRequest | TestRequest | CommandRequest | NoticeRequest;

/** A request that somebody waits for an answer to. */
export type Asked = RouteRequest | TestRequest | CommandRequest;

export type Fields = Readonly<Record<string, unknown>>;

/** What is said of an order to call somebody. */
export interface OrderTold {
  /** AutoCallID. */
  readonly orderId: number;
  /** How it ended; absent while it goes on. */
  readonly outcome?: string;
  /** How far it has come: `queued`, `ringing`, … */
  readonly state?: string;
}

/** The answer to a command, whoever gave it; each protocol says it in its own words. */
export type CommandAnswer =
  /** Written by hand, for the protocol that asked. */
  | { readonly kind: 'body'; readonly body: unknown }
  | { readonly kind: 'order'; readonly order: OrderTold }
  /** Something was done with a call. */
  | { readonly kind: 'done'; readonly done: Fields }
  /** Of `get_cdr`. */
  | { readonly kind: 'calls'; readonly calls: readonly RecordPayload[]; readonly total?: number }
  /** Of `get_users` and `get_domain_user_list`: the table extension <-> CRM user. */
  | { readonly kind: 'people'; readonly people: readonly Person[] }
  /** Of `current_call`. */
  | { readonly kind: 'call'; readonly legId: string; readonly number: string }
  /** Of `live_calls`: headers of channels as Asterisk tells them. */
  | { readonly kind: 'channels'; readonly channels: readonly Fields[] };

export interface Person {
  readonly extension: string;
  readonly userId: string;
  readonly name?: string;
}

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
 * `parse`, then `format`, `formatAnswer` or `formatError`.
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
  /** The answer to a command, or to a test that a flow answers itself; only protocols that have commands have it. */
  readonly formatAnswer?: (answer: CommandAnswer, request: CommandRequest) => HttpReply;
  /**
   * Where the asker shows a key if it cannot send the header `Authorization`. `endpoint`: the key of the endpoint;
   * `application`: the one that Bitrix24 made up. No address is let in without it.
   */
  readonly key?: {
    readonly of: 'endpoint' | 'application';
    readonly in: (parts: HttpRequestParts) => string | undefined;
  };
  /**
   * Other people's pages may lead a browser of an allowed address here, or show the key of the endpoint as `key` in the query: what is
   * asked changes nothing, and the answer leads the person on.
   */
  readonly opensInTab?: true;
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
