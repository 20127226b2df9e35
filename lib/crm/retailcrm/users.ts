import { TelephonyError } from '../../errors';
import { asObject, isObject, objects, optional, scalar, type JsonObject } from '../json';
import { shortNumber } from '../numbers';
import type { CallContext, CrmUser } from '../types';
import type { RetailApi } from './api';
import { nameOf } from './clients';

/** The largest page, and how many of them are asked for. */
const PAGE = 100;
const MAX_PAGES = 50;

/**
 * The active users of the account. Their extensions are in the telephony that is registered under `module` (its `additionalCodes`); the
 * list of users itself has none, so that without it a phone number counts as one when it is short.
 */
export async function retailUsers(api: RetailApi, module: string, context: CallContext): Promise<CrmUser[]> {
  const registered = await telephonyOf(api, module, context);
  const codes = registered === undefined ? new Map<string, string>() : codesIn(registered);
  const users: CrmUser[] = [];
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const query = { limit: String(PAGE), page: String(page), 'filter[active]': '1' };
    const answer = await api.get('users', query, context);
    const rows = objects(answer.users);
    users.push(...rows.map((row) => userOf(row, codes)).filter((user) => user !== undefined));
    const { totalPageCount } = asObject(answer.pagination);
    if (rows.length === 0 || page >= Number(totalPageCount ?? 1)) break;
  }
  return users;
}

/** The telephony that is registered under this code; `undefined` when there is none, or the key may not see it. */
export async function telephonyOf(
  api: RetailApi,
  module: string,
  context: CallContext,
): Promise<JsonObject | undefined> {
  if (module === '') return undefined;
  try {
    const answer = await api.get(`integration-modules/${encodeURIComponent(module)}`, {}, context);
    return isObject(answer.integrationModule) ? answer.integrationModule : undefined;
  } catch (thrown) {
    // A code that is not known is a 404 or a refusal; a key that may not ask is a 403.
    const status = thrown instanceof TelephonyError ? Number(thrown.params.status) : NaN;
    if (status >= 400 && status < 500 && status !== 401 && status !== 429) return undefined;
    throw thrown;
  }
}

function codesIn(registered: JsonObject): Map<string, string> {
  const telephony = asObject(asObject(registered.integrations).telephony);
  const codes = new Map<string, string>();
  for (const { userId, code } of objects(telephony.additionalCodes)) {
    const [id, extension] = [scalar(userId), scalar(code)];
    if (id !== undefined && extension !== undefined && !codes.has(id)) codes.set(id, extension);
  }
  return codes;
}

function userOf(row: JsonObject, codes: ReadonlyMap<string, string>): CrmUser | undefined {
  const id = scalar(row.id);
  if (id === undefined || row.active === false) return undefined;
  const extension = codes.get(id) ?? shortNumber(scalar(row.phone));
  return { id, name: nameOf(row) ?? scalar(row.email) ?? id, ...optional('extension', extension) };
}
