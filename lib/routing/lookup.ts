import type { Clock } from '../clock';
import type { CrmAccount } from '../crm/account';
import type { NumberingPlan } from '../phone/types';
import type { Presence } from '../presence/types';
import type { LookupResult } from './types';

export interface LookupOptions {
  readonly account: Pick<CrmAccount, 'lookup' | 'extensionOf' | 'userOf'>;
  readonly plan: NumberingPlan;
  readonly clock: Clock;
  /** Absent: phones are not checked, the responsible person always counts as fit. */
  readonly presence?: Presence;
  /** How long a question may take at most, in ms (default 2000). */
  readonly deadlineMs?: number;
  /** A phone that is already on a call counts as fit (call waiting). Default false. */
  readonly inUseIsFit?: boolean;
  /** Who stands in for whom: CRM user id or extension -> extension, ring group or queue. */
  readonly substitutes?: Readonly<Record<string, string>>;
  /** Who stands in for a known client's responsible person who has no substitute of his own. */
  readonly defaultSubstitute?: string;
}

export interface Lookup {
  /** Who is responsible for this caller, and can he take the call? Never rejects; resolves within the deadline. */
  lookup(phone: string): Promise<LookupResult>;
}

/** Joins CRM, table and presence into one answer for the dialplan. */
export declare function createLookup(options: LookupOptions): Lookup;
