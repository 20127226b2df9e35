import type { TelephonyError } from '../errors';
import type { CrmEntity } from '../crm/types';
import type { PhoneRegion } from '../phone/region';
import type { UnfitReason } from '../presence/types';

/** `found`: a client with a responsible person who can take the call (or whose substitute can). The others are why not. */
export type LookupOutcome = 'found' | 'not-found' | 'not-available' | 'timeout' | 'error' | 'limited' | 'bad-number';

/** What `crm-lookup` writes into `msg.contact`. Absent = not known. */
export interface Contact {
  readonly found: boolean;
  /** The CRM did not know the number: this client was made of it just now. */
  readonly created?: true;
  readonly outcome: LookupOutcome;
  /** The number as it was asked for: E.164 when it is one. */
  readonly number?: string;
  readonly name?: string;
  /** Where the number is from, also when nobody is known by it. */
  readonly region?: PhoneRegion;
  readonly entities: readonly CrmEntity[];
  readonly owner?: { readonly id?: string; readonly name?: string };
  /** What the CRM wants to be set on the caller's channel before the call goes on. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Where the call may go now: the owner's extension, or the substitute that stands in. Only with outcome `found`. */
  readonly extension?: string;
  readonly available?: boolean;
  /** Set when `extension` is not the owner's own: whom it stands in for, and why. */
  readonly substitute?: { readonly for?: string; readonly reason: UnfitReason | 'no-extension' };
  /** Why the owner cannot take the call (outcome `not-available`). */
  readonly reason?: UnfitReason | 'no-extension';
  readonly from?: 'crm' | 'cache' | 'stale';
  readonly error?: { readonly code: string; readonly message: string };
  readonly tookMs: number;
}

/** A contact and, for the node's log, the error behind it. */
export interface LookupResult {
  readonly contact: Contact;
  readonly error?: TelephonyError;
}
