import type { RecordPayload } from '../../messages/types';
import { likelyUsers } from '../call-record';
import type { DeliveryContext } from '../types';
import type { Choices } from './choices';

/** A user as telephony takes him: by his number, or by the extension in his profile. */
export type Person = { readonly USER_ID: number } | { readonly USER_PHONE_INNER: string };

/** How many are tried when Bitrix24 does not know the first. */
const MAX_TRIED = 4;

/** Whether it can be the id of a user of Bitrix24. */
export const isUserId = (id: string): boolean => /^\d+$/.test(id);

const byId = (id: string | undefined): Person | undefined =>
  id !== undefined && isUserId(id) ? { USER_ID: Number(id) } : undefined;

type Users = Pick<DeliveryContext, 'userOf'>;

/** By the table; an extension that is not in it may be in the profile of a user. */
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
  const { extension } = payload;
  const known = likelyUsers(payload, users).map(byId);
  const isInTable = extension === undefined || users.userOf(extension) !== undefined;
  const inner = isInTable ? undefined : personOf(extension, users);
  const found = [...known, inner].filter((person) => person !== undefined);
  const unique = new Map(found.map((person) => [JSON.stringify(person), person]));
  const fallback = byId(fallbackUser);
  return [...[...unique.values()].slice(0, MAX_TRIED), ...(fallback ? [fallback] : [])];
}

/** Of an internal call: who called, and whom; `undefined` when it had no second party. */
export function internalParties({ firstExtension, lastExtension }: RecordPayload) {
  return firstExtension === undefined || lastExtension === undefined || firstExtension === lastExtension
    ? undefined
    : { caller: firstExtension, called: lastExtension };
}
