import type { CrmAccount } from '../../lib/crm/account';
import { cannotCreate } from '../../lib/crm/errors';
import { compileTemplate, numberValues } from '../../lib/crm/template';
import type { PhoneNumber } from '../../lib/crm/types';
import type { TelephonyError } from '../../lib/errors';
import type { CreateOptions } from '../../lib/routing/lookup';
import { textOf } from './settings';

/** What a dialog says of numbers that the CRM does not know. */
export interface NewClientDef {
  /** `lead`, `contact`, or nothing. */
  readonly createType?: string;
  /** CRM user id or extension. */
  readonly createOwner?: string;
  /** May hold placeholders for the number. */
  readonly createName?: string;
}

/**
 * Reads what shall be made of an unknown number; a CRM that cannot make it is warned of, and calls are routed without. Throws
 * `CRM_BAD_SETTINGS` for a name with a placeholder that does not exist.
 */
export function newClient(
  account: CrmAccount,
  def: NewClientDef,
  warn: (error: TelephonyError) => void,
): CreateOptions | undefined {
  const type = textOf(def.createType);
  if (type !== 'lead' && type !== 'contact') return undefined;
  if (!account.creates.includes(type)) {
    warn(cannotCreate(type));
    return undefined;
  }
  const owner = textOf(def.createOwner);
  const text = textOf(def.createName);
  const fill = compileTemplate('createName', text, 'raw', ['e164', 'digits', 'national']);
  const name = (phone: PhoneNumber): string => fill(numberValues(phone));
  return { account, type, ...(owner === '' ? {} : { owner }), ...(text === '' ? {} : { name }) };
}
