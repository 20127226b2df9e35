import type { Clock } from '../clock';
import type { TelephonyError } from '../errors';
import type { Log } from '../log';
import type { CrmAnswer, CrmKind, CrmUser, PhoneNumber, SecretSlot, UserMapping } from './types';

export interface CrmAccountOptions {
  readonly kind: CrmKind;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Partial<Record<SecretSlot, string>>>;
  /** The table extension <-> CRM user. */
  readonly users?: readonly UserMapping[];
  /** PEM of an authority to trust beside the built-in ones. */
  readonly ca?: string;
  /** Instead of the kind's own limits. */
  readonly limits?: CrmKind['limits'];
  /** How long a found client is served from memory, in ms (default 5 minutes). */
  readonly foundMs?: number;
  /** How long "not found" is served from memory, in ms (default 1 minute). */
  readonly notFoundMs?: number;
  /** How long one question to the CRM may run at most, its askers waiting or not, in ms (default 10 s). */
  readonly requestMs?: number;
}

export interface CrmAccountDeps {
  readonly clock: Clock;
  readonly log: Log;
}

export interface AccountLookup {
  readonly answer: CrmAnswer;
  /** `stale`: remembered longer than it should be, given because the CRM failed or was late. */
  readonly from: 'crm' | 'cache' | 'stale';
}

/** What the account last heard from its CRM. */
export type CrmState =
  /** Nothing was asked yet. */
  | { readonly status: 'idle' }
  | { readonly status: 'ok' }
  | { readonly status: 'failing'; readonly error: TelephonyError };

export interface CrmStats {
  /** Questions about a number, and how many of them were answered from memory. */
  readonly lookups: number;
  readonly fromCache: number;
  readonly fromStale: number;
  /** Questions that joined one already under way. */
  readonly coalesced: number;
  /** Questions that really went to the CRM, repetitions included. */
  readonly requests: number;
  readonly failures: number;
  readonly breaker: 'closed' | 'open' | 'half-open';
  /** Now: numbers being asked for, and numbers remembered. */
  readonly inFlight: number;
  readonly cached: number;
}

/** One CRM account in use: cache, limits, circuit breaker and the table extension <-> user around one adapter. */
export interface CrmAccount {
  readonly state: CrmState;
  readonly stats: CrmStats;
  /**
   * What the CRM says of a number. Settles within `deadlineMs`, whatever the CRM does; rejects with a TelephonyError
   * `CRM_…` only (`CRM_TIMEOUT`, `CRM_LIMITED`, `CRM_BREAKER_OPEN`, `CRM_CLOSED`, what the request met).
   */
  lookup(phone: PhoneNumber, deadlineMs: number): Promise<AccountLookup>;
  /** The extension of a CRM user, and the line of the table for an extension. */
  extensionOf(userId: string): string | undefined;
  userOf(extension: string): UserMapping | undefined;
  /** Proves address and credentials; resolves with a line for the admin, or nothing to add. */
  test(): Promise<string | undefined>;
  /** The users of the CRM, to fill the table from. */
  loadUsers(): Promise<CrmUser[]>;
  /** Calls `handler` at every change of {@link state}. Returns the function that ends it. */
  onState(handler: (state: CrmState) => void): () => void;
  /** Rejects what is under way (`CRM_CLOSED`) and closes every socket and timer; idempotent. */
  close(): Promise<void>;
}

/** Makes the account; throws `CRM_BAD_SETTINGS` naming the field that is wrong. Asks the CRM nothing yet. */
export declare function createCrmAccount(options: CrmAccountOptions, deps: CrmAccountDeps): CrmAccount;
