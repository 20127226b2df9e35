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
      readonly owner?: { readonly id?: string; readonly name?: string; readonly extension?: string };
    };

export type PhoneNumber = Extract<ParsedNumber, { kind: 'phone' | 'raw' }>;

/** Aborted at the deadline: an adapter hands the signal to every request and starts none after it. */
export interface CallContext {
  readonly signal: AbortSignal;
}

/** One CRM account, as its file in `lib/crm/kinds` makes it. Every method rejects with a TelephonyError `CRM_…` only. */
export interface CrmAdapter {
  /** Proves that address and credentials are right; resolves with a line for the admin, or nothing to add. */
  test(context: CallContext): Promise<string | undefined>;
  /** All users; an empty list when the CRM has no such question. */
  listUsers(context: CallContext): Promise<CrmUser[]>;
  findByPhone(phone: PhoneNumber, context: CallContext): Promise<CrmAnswer>;
}
