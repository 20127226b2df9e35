import type { CrmKind } from '../types';

/** Every CRM that the pack speaks to. A new one is one file here and one line. */
export declare const crmKinds: readonly CrmKind[];

/** The kind with this id; throws `CRM_BAD_SETTINGS` when there is none. */
export declare function crmKind(id: string): CrmKind;
