import type { CallPayload, CallResult, RecordPayload } from '../../messages/types';
import { likelyOwners, likelyUsers, markOf } from '../call-record';
import { optional } from '../json';
import { clientText, hasDigits } from '../numbers';
import type { DeliveryContext } from '../types';
import type { Choices } from './choices';

/** How a user is named to retailCRM: by id, or by the extension that it may know itself. */
export type Person = { readonly userId: number } | { readonly code: string };

const byId = (id: string | undefined): Person | undefined =>
  id !== undefined && /^\d+$/.test(id) ? { userId: Number(id) } : undefined;

/** By the table; an extension that is not in it may be known to retailCRM. */
export const personOf = (extension: string, { userOf }: Pick<DeliveryContext, 'userOf'>): Person =>
  byId(userOf(extension)?.userId) ?? { code: extension };

/** Whose call it was; those in the table go before an extension that retailCRM may know itself. */
export function responsibleOf(payload: RecordPayload, context: Pick<DeliveryContext, 'userOf'>): Person | undefined {
  const users = likelyUsers(payload, context).map(byId);
  const [first] = likelyOwners(payload);
  return users.find((one) => one !== undefined) ?? (first === undefined ? undefined : { code: first });
}

export const chosenPerson = ({ fallbackUser }: Choices): Person | undefined => byId(fallbackUser);

/** `undefined`: a withheld number, by which retailCRM takes no call. */
export function phoneOf({ client }: CallPayload): string | undefined {
  const number = clientText(client);
  return hasDigits(number) ? number : undefined;
}

/** What a call is known by in events and in its record alike, and told from the calls of other PBXs. */
export function externalIdOf({ pbx, callId }: CallPayload): string {
  return `${callId.replace(/[^\w.-]/g, '_')}-${markOf(pbx, 8)}`;
}

/** Own number and shop. */
export function placeOf({ line }: CallPayload, choices: Choices) {
  const own = line?.number ?? choices.line;
  return {
    ...optional('externalPhone', own === '' ? undefined : own),
    ...optional('site', choices.callSite === '' ? undefined : choices.callSite),
  };
}

/** Bearer capability not authorized: what a PBX or provider answers to who may not call there. */
const NOT_ALLOWED = 57;

/** `result` of a record. Every incoming call that reached nobody is one that nobody answered. */
export function resultOf({ direction, result, hangup }: RecordPayload): string {
  if (result === undefined) return 'unknown';
  if (result === 'answered') return 'answered';
  if (direction === 'in') return 'no answer';
  if (result === 'busy') return 'busy';
  if (result === 'failed') return hangup?.code === NOT_ALLOWED ? 'not allowed' : 'failed';
  return 'no answer';
}

const HANGUPS: Readonly<Partial<Record<CallResult, string>>> = {
  answered: 'answered',
  busy: 'busy',
  cancelled: 'cancel',
  failed: 'failed',
};

/** `hangupStatus` of an event: how the leg of one extension ended. */
export function hangupOf({ result, answeredAt }: CallPayload): string {
  if (result === undefined) return answeredAt === undefined ? 'no answered' : 'answered';
  return HANGUPS[result] ?? 'no answered';
}
