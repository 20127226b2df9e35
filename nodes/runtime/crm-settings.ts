import type { NodeDef } from 'node-red';
import type { CrmAccountOptions } from '../../lib/crm/account';
import { crmKind } from '../../lib/crm/kinds';
import type { SecretSlot, UserMapping } from '../../lib/crm/types';
import { textOf } from './settings';

/** The dialog of `crm-config` as it is saved; whatever a person or an old flow left out is absent. */
export interface CrmConfigDef extends NodeDef {
  readonly kind?: string;
  /** Values of the kind's fields, secrets excepted. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly people?: readonly Readonly<Record<string, unknown>>[];
  /** Id of a `tls-config` node, for a CRM with a certificate of one's own. */
  readonly tls?: string;
}

export const secretSlots: readonly SecretSlot[] = ['user', 'password', 'token'];

/** Works right after an import, with no CRM at hand. */
const DEFAULT_KIND = 'demo';

/** The lines of the table that say who has which extension; a line that lacks either says nothing. */
function userMappings(rows: CrmConfigDef['people']): UserMapping[] {
  return (rows ?? [])
    .map((row) => ({ extension: textOf(row.extension), userId: textOf(row.userId), name: textOf(row.name) }))
    .filter((row) => row.extension !== '' && row.userId !== '')
    .map(({ name, ...row }) => (name === '' ? row : { ...row, name }));
}

/** Reads what stands in the dialog, once. Throws `CRM_BAD_SETTINGS` when there is no such kind of CRM. */
export function accountOptions(
  def: Pick<CrmConfigDef, 'kind' | 'settings' | 'people'>,
  secrets: Readonly<Partial<Record<SecretSlot, string>>>,
  ca: string | undefined,
): CrmAccountOptions {
  return {
    kind: crmKind(textOf(def.kind) || DEFAULT_KIND),
    settings: def.settings ?? {},
    secrets,
    users: userMappings(def.people),
    ...(ca === undefined ? {} : { ca }),
  };
}
