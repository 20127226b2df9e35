import type { Text } from '../errors';
import type { ParsedNumber } from '../phone/types';

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
    };

export type PhoneNumber = Extract<ParsedNumber, { kind: 'phone' | 'raw' }>;

/** Aborted at the deadline: an adapter hands the signal to every request and starts none after it. */
export interface CallContext {
  readonly signal: AbortSignal;
  /** The latest moment, by the account's monotonic clock, at which a request may still get its turn: none waits longer. */
  readonly deadline?: number;
}

/** One CRM account, as its file in `lib/crm/kinds` makes it. Every method rejects with a TelephonyError `CRM_…` only. */
export interface CrmAdapter {
  /** Proves that address and credentials are right; resolves with a line for the admin, or nothing to add. */
  test(context: CallContext): Promise<Text | undefined>;
  /** All users; an empty list when the CRM has no such question. */
  listUsers(context: CallContext): Promise<CrmUser[]>;
  findByPhone(phone: PhoneNumber, context: CallContext): Promise<CrmAnswer>;
}

/** One line of the table extension <-> CRM user. */
export interface UserMapping {
  readonly extension: string;
  readonly userId: string;
  readonly name?: string;
}

/** One input field of a CRM kind in the dialog of `crm-config`: the dialog is drawn from these, so that a new CRM needs no change there. */
export interface CrmField {
  readonly name: string;
  readonly label: Text;
  readonly help?: Text;
  /**
   * `secret` fields live in the credentials, under one of the slots `user`, `password`, `token`.
   * The value of `pairs` is a list of `{ name, value }`, of `flag` a boolean, of all others a text.
   */
  readonly type: 'text' | 'url' | 'secret' | 'choice' | 'flag' | 'multiline' | 'pairs';
  readonly choices?: readonly { readonly value: string; readonly label: Text }[];
  readonly default?: string | boolean;
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
  /** Calls a second that the CRM allows one account, and how many at once it may burst; the account keeps them exactly. */
  readonly limits: { readonly perSecond: number; readonly burst: number };
  /** Reads settings and secrets once; throws `CRM_BAD_SETTINGS` naming the field that is wrong. */
  create(
    settings: Readonly<Record<string, unknown>>,
    secrets: Readonly<Partial<Record<SecretSlot, string>>>,
    http: CrmHttp,
  ): CrmAdapter;
}

export interface CrmRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it stands; the caller sets the content type. */
  readonly body?: string;
}

export interface CrmResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** The limited HTTP client that every CRM shares: time-outs, size limits, verified TLS, the account's rate limit. */
export interface CrmHttp {
  /** Resolves with any 2xx answer; rejects with a TelephonyError `CRM_…` for everything else, redirects included. */
  send(request: CrmRequest, context: CallContext): Promise<CrmResponse>;
  /** As {@link send}, and parses the body as JSON (`CRM_NOT_JSON` when it is not). */
  json(request: CrmRequest, context: CallContext): Promise<unknown>;
}
