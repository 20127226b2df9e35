import type { RecordPayload } from '../../messages/types';
import type { DeliveryContext } from '../types';
import type { Choices } from './choices';

/** A user as telephony takes him: by his number, or by the extension in his profile. */
export type Person = { readonly USER_ID: number } | { readonly USER_PHONE_INNER: string };

/** So many are tried when Bitrix24 does not know the first. */
const MAX_TRIED = 4;

const byId = (id: string | undefined): Person | undefined =>
  id !== undefined && /^\d+$/.test(id) ? { USER_ID: Number(id) } : undefined;

type Users = Pick<DeliveryContext, 'userOf'>;

/** By the table; an extension that is not in it may stand in the profile of a user. */
export const personOf = (extension: string, { userOf }: Users): Person =>
  byId(userOf(extension)?.userId) ?? { USER_PHONE_INNER: extension };

/**
 * Whose call it was, the best first: of the record's extension, of those who talked (the last first), of those who were rung; those in
 * the table before those who may be in a profile; then the one whom the admin chose.
 */
export function peopleOf(
  payload: Pick<RecordPayload, 'extension' | 'talked' | 'rung' | 'user'>,
  { fallbackUser }: Pick<Choices, 'fallbackUser'>,
  users: Users,
): Person[] {
  const own = payload.extension === undefined ? [] : [payload.extension];
  const others = [...own, ...[...payload.talked].reverse(), ...payload.rung];
  const known = [...new Set(others)].map((extension) => byId(users.userOf(extension)?.userId));
  const inner = own.filter((extension) => users.userOf(extension) === undefined).map((one) => personOf(one, users));
  const found = [byId(payload.user?.id), ...known, ...inner].filter((person) => person !== undefined);
  const unique = new Map(found.map((person) => [JSON.stringify(person), person]));
  const fallback = byId(fallbackUser);
  return [...[...unique.values()].slice(0, MAX_TRIED), ...(fallback ? [fallback] : [])];
}

/** For a text to the admin. */
export const extensionsOf = ({ extension, talked, rung }: RecordPayload): string =>
  [...new Set([...(extension === undefined ? [] : [extension]), ...talked, ...rung])].join(', ') || '—';

/** Of an internal call: who called, and whom; `undefined` when it had no second party. */
export function internalParties({ firstExtension, lastExtension }: RecordPayload) {
  return firstExtension === undefined || lastExtension === undefined || firstExtension === lastExtension
    ? undefined
    : { caller: firstExtension, called: lastExtension };
}
