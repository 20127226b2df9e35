import type { TelephonyError, Text } from '../errors';
import type { Deliverable } from '../messages/deliverable';
import type { CallMessage, UserChange } from '../messages/types';
import type { ParsedNumber } from '../phone/types';
import type { Recordings } from '../recordings/types';

/** A person of the CRM who answers calls. Ids are text: CRMs give numbers and strings alike. */
export interface CrmUser {
  readonly id: string;
  readonly name: string;
  /** The CRM's own idea of the extension, when it has one. */
  readonly extension?: string;
}

export interface CrmEntity {
  /** `contact`, `company`, `lead`, or the CRM's own word. */
  readonly type: string;
  readonly id: string;
  readonly name?: string;
  readonly ownerId?: string;
  readonly url?: string;
}

/** What a CRM says of one phone number, the same for every CRM. */
export type CrmAnswer =
  | { readonly found: false }
  | {
      readonly found: true;
      /** The name to show on the phone. */
      readonly name: string;
      readonly entities: readonly CrmEntity[];
      /** Who is responsible; each part only when the CRM tells it. */
      readonly owner?: {
        readonly id?: string;
        readonly name?: string;
        readonly extension?: string;
        /** The CRM does not say which: `id` is a user of the CRM or, when no user has it, an extension (UserCRM). */
        readonly idMayBeExtension?: true;
      };
      /** To be set on the caller's channel before the call goes on. */
      readonly variables?: Readonly<Record<string, string>>;
    };

export type PhoneNumber = Extract<ParsedNumber, { kind: 'phone' | 'raw' }>;

/** Aborted at the deadline: an adapter hands the signal to every request and starts none after it. */
export interface CallContext {
  readonly signal: AbortSignal;
  /** The latest moment, by the account's monotonic clock, at which a request may still get its turn: none waits longer. */
  readonly deadline?: number;
  /** Nobody waits for it: lookups go before it. */
  readonly background?: boolean;
  /** Waits for a turn so that it takes nothing of the time of the work; absent: it does. */
  readonly waiting?: <T>(turn: Promise<T>) => Promise<T>;
}

/** One CRM account, as its file in `lib/crm/kinds` makes it. Every method rejects with a TelephonyError `CRM_…` only. */
export interface CrmAdapter {
  /** Proves that address and credentials are right; resolves with a line for the admin, or nothing to add. */
  test(context: CallContext): Promise<Text | undefined>;
  /** All users; an empty list when the CRM has no such question. */
  listUsers(context: CallContext): Promise<CrmUser[]>;
  findByPhone(phone: PhoneNumber, context: CallContext): Promise<CrmAnswer>;
  /**
   * Makes a client of an unknown number; absent when the CRM cannot. Called for one number at a time, and only after
   * {@link findByPhone} did not find it.
   */
  createClient?(phone: PhoneNumber, wish: ClientWish, context: CallContext): Promise<CrmEntity>;
  /**
   * Tells the CRM one thing that happened; absent when the kind takes no events. Called again with the same event after a failure or
   * a crash, so what was done before must be found out from {@link DeliveryContext.memo} or left to the CRM's own
   * deduplication. Events of one call come one after the other. Only topics of {@link CrmKind.topics} ever come.
   */
  deliver?(event: DeliverableEvent, context: DeliveryContext): Promise<Delivered>;
  /** Absent: settings and secrets are all that this account needs. */
  readonly signIn?: SignIn | undefined;
  /** Absent: no orders wait in this CRM, or not for this account. */
  readonly orders?: OrderQueue | undefined;
}

/** An order that waits in the CRM until it is fetched: a click on a number. */
export interface WaitingOrder {
  /** One of its own for each order of the account. */
  readonly id: string;
  /** What happened and to what, in the CRM's words. */
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** How old it is by the CRM's clock, in ms; absent when the CRM does not tell. */
  readonly ageMs?: number;
  /** How long it is worth carrying out, in ms; 0: it is none of ours. */
  readonly goodForMs: number;
  /** By what the CRM knows which fetch it belongs to. */
  readonly batch?: string;
}

/** The orders that wait in a CRM. */
export interface OrderQueue {
  /** Asks the CRM to collect them; nothing changes when it does already. */
  open(context: CallContext): Promise<void>;
  /** The next ones, `limit` at most. The CRM keeps them, but gives them to nobody else. */
  fetch(limit: number, context: CallContext): Promise<WaitingOrder[]>;
  /** Those that were fetched and not confirmed, by whomever. */
  left(context: CallContext): Promise<WaitingOrder[]>;
  /** The CRM may forget them. */
  confirm(orders: readonly WaitingOrder[], context: CallContext): Promise<void>;
  /** Tells the CRM that nobody carries it out; once more does no harm. */
  refuse(order: WaitingOrder, context: CallContext): Promise<void>;
}

/** How a person lets the account into the CRM, when a key in the settings is not enough. */
export interface SignIn {
  /** The page of the CRM where an administrator agrees. */
  readonly page: string;
  /** Takes what the CRM gave the person there: the address that he was sent to, or the code in it. It is good for seconds. */
  finish(pasted: string, context: CallContext): Promise<void>;
}

/** The client to create for an unknown number. */
export interface ClientWish {
  readonly type: 'lead' | 'contact';
  readonly name?: string;
  /** CRM user id of the responsible. */
  readonly ownerId?: string;
}

export type DeliverableEvent = Deliverable;

/** Events of the PBX itself, which is all that most CRMs have a place for. */
export type PbxEvent = CallMessage | UserChange;

export interface DeliveryContext extends CallContext {
  /** The choices of `crm-webhook-out`, as {@link CrmKind.deliveryFields} ask for them. */
  readonly settings: Readonly<Record<string, unknown>>;
  /**
   * Durable facts about one call: what is set here is on disk when it resolves. Kept for 400 days; beyond 100 000 facts those of the
   * longest ago go first. A try repeats what is not known here.
   */
  readonly memo: { get(key: string): Promise<string | undefined>; set(key: string, value: string): Promise<void> };
  /** The line of the table for an extension. */
  userOf(extension: string): UserMapping | undefined;
  readonly recordings?: Recordings;
  /** 1 for the first try. */
  readonly attempt: number;
  /** How long ago the event was accepted, in ms: what helps only at its moment (a card on a screen) is then too late. */
  readonly ageMs?: number;
}

export type Delivered =
  /** `answer`: what the CRM said, for the flow. `variables`: to be set on the channel, when the CRM's answer carries such. */
  | { readonly status: 'delivered'; readonly answer: unknown; readonly variables?: Readonly<Record<string, string>> }
  /** This CRM has no use for this event. */
  | { readonly status: 'skipped' };

/** One line of the table extension <-> CRM user. */
export interface UserMapping {
  readonly extension: string;
  readonly userId: string;
  readonly name?: string;
}

interface CrmChoice {
  readonly value: string;
  readonly label: Text;
}

/** One column of a table. The dialog and the server judge the cells by it: one text of at most 100 characters each. */
export interface CrmColumn {
  readonly name: string;
  readonly label: Text;
  /** `whole`: a whole number of up to nine digits, also below zero. */
  readonly type: 'text' | 'whole' | 'choice';
  readonly choices?: readonly CrmChoice[];
  readonly required?: boolean;
  /** It stays empty but where another cell of the row has one of these values. */
  readonly when?: NonNullable<CrmField['when']>;
}

/** The cells of a row by the names of their columns. */
export type TableRow = Readonly<Record<string, string>>;

/** One input field of a CRM kind in the dialog of `crm-config`: the dialog is drawn from these, so that a new CRM needs no change there. */
export interface CrmField {
  readonly name: string;
  readonly label: Text;
  readonly help?: Text;
  /**
   * `secret` fields live in the credentials, under one of the slots `user`, `password`, `token`.
   * The value of `pairs` is a list of `{ name, value }`, of `table` a list of rows, of `flag` a boolean, of all others a text.
   */
  readonly type: 'text' | 'url' | 'secret' | 'choice' | 'flag' | 'multiline' | 'pairs' | 'table';
  readonly choices?: readonly CrmChoice[];
  /** Of a table: its columns; the cells of the first ones, `keys` in number, together must not come twice. */
  readonly columns?: readonly CrmColumn[];
  readonly keys?: number;
  readonly default?: string | boolean | readonly TableRow[];
  readonly required?: boolean;
  readonly placeholder?: string;
  /** Shown only while another field has one of these values. */
  readonly when?: { readonly field: string; readonly in: readonly string[] };
}

export type SecretSlot = 'user' | 'password' | 'token';

/** One CRM = one file in `lib/crm/kinds`, exporting one of these. */
export interface CrmKind {
  /** As saved in flows: never changes. */
  readonly id: string;
  readonly title: Text;
  readonly fields: readonly CrmField[];
  /** Input fields of `crm-webhook-out` for this kind; none = nothing to choose. */
  readonly deliveryFields?: readonly CrmField[];
  /** Topics that `deliver` has a use for, the ones ticked at first marked; absent = the kind takes no events. */
  readonly topics?: readonly { readonly topic: DeliverableEvent['topic']; readonly byDefault: boolean }[];
  /** What `createClient` can make; absent = nothing. */
  readonly creates?: readonly ClientWish['type'][];
  /** Calls a second that the CRM allows one account, and how many at once it may burst; the account keeps them exactly. */
  readonly limits: { readonly perSecond: number; readonly burst: number };
  /** When the dialog offers {@link CrmAdapter.signIn}; absent = never. */
  readonly signsIn?: NonNullable<CrmField['when']>;
  /** Throws `CRM_BAD_SETTINGS` when the values of {@link deliveryFields} cannot be used; absent = each is read on its own, when needed. */
  checkDelivery?(settings: Readonly<Record<string, unknown>>): void;
  /** Reads settings and secrets once; throws `CRM_BAD_SETTINGS` naming the field that is wrong. */
  create(
    settings: Readonly<Record<string, unknown>>,
    secrets: Readonly<Partial<Record<SecretSlot, string>>>,
    http: CrmHttp,
    keep?: Keep,
  ): CrmAdapter;
}

/** Small texts on disk, for what a CRM gives at a sign-in and no deploy may lose. They outlive the account. */
export interface Keep {
  /** `undefined`: nothing of that name is kept. Rejects when it cannot be read. */
  read(name: string): Promise<string | undefined>;
  /** Whole on disk when it resolves; of a failure or a crash the text of before is left. */
  write(name: string, text: string): Promise<void>;
  /** Told what could not be kept while the work goes on. */
  warn(problem: TelephonyError): void;
}

export interface CrmRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it stands; the caller sets the content type. */
  readonly body?: string | Uint8Array;
  /** What no error may quote, beside the secrets of the account and what stands in address and headers. */
  readonly secrets?: readonly string[];
  /** How long it may take when that is longer than usual: an upload. In ms. */
  readonly timeoutMs?: number;
  /** Statuses outside 2xx that resolve too: where this CRM says with them something else than a failure. */
  readonly accept?: readonly number[];
  /**
   * An answer over the limit is cut off there, and is none of its failures: the status alone says that it was done. Else it rejects with
   * `CRM_TOO_LARGE`.
   */
  readonly mayBeCut?: true;
  /**
   * The failure that this CRM tells in the body of an answer, whatever its status; `undefined` = judged by the status. `shown` makes words
   * of the CRM fit for an error. After `CRM_LIMITED` everybody pauses, unless its `method` says that one method alone is concerned.
   */
  readonly failureIn?: (response: CrmResponse, shown: (words: string) => string) => TelephonyError | undefined;
}

export interface CrmResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** The limited HTTP client that every CRM shares: time-outs, size limits, verified TLS, the account's rate limit. */
export interface CrmHttp {
  /** Resolves with any 2xx answer and any status that the request accepts; rejects with a TelephonyError `CRM_…` for everything else, redirects included. */
  send(request: CrmRequest, context: CallContext): Promise<CrmResponse>;
  /** As {@link send}, and parses the body as JSON (`CRM_NOT_JSON` when it is not). */
  json(request: CrmRequest, context: CallContext): Promise<unknown>;
}
