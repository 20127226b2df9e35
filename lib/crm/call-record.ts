import { createHash } from 'node:crypto';
import type { TelephonyError } from '../errors';
import type { CallPayload, Recording, RecordPayload } from '../messages/types';
import { crmError } from './errors';
import type { Delivered, DeliveryContext } from './types';

/** What several CRMs make of a call in the same way. */

export const SKIPPED: Delivered = { status: 'skipped' };

/** A card that opens later than this disturbs more than it helps. */
const CARD_MS = 60_000;

type Party = Pick<RecordPayload, 'extension' | 'talked' | 'rung' | 'user'>;
type Users = Pick<DeliveryContext, 'userOf'>;

const ownOf = ({ extension }: Pick<Party, 'extension'>): string[] => (extension === undefined ? [] : [extension]);

/** The extensions of a call, each once. */
export const extensionsOf = (payload: Party): string[] => [
  ...new Set([...ownOf(payload), ...payload.talked, ...payload.rung]),
];

/** The same by whose call it was: the record's own extension, who talked (the last first), who was rung. */
export const likelyOwners = (payload: Party): string[] => [
  ...new Set([...ownOf(payload), ...[...payload.talked].reverse(), ...payload.rung]),
];

/** CRM users by whose call it was: the one whom the event names, then those of {@link likelyOwners} by the table. */
export function likelyUsers(payload: Party, { userOf }: Users): string[] {
  const ids = likelyOwners(payload).map((extension) => userOf(extension)?.userId);
  return [payload.user?.id, ...ids].filter((id) => id !== undefined);
}

/** `CRM_NO_USER`, for CRMs that take no call without one. */
export const noUserError = (payload: Party): TelephonyError =>
  crmError('CRM_NO_USER', { extensions: extensionsOf(payload).join(', ') || '—' });

/** Where the recording can be heard: as the event says, or by a signed link. */
export const recordingLink = (
  recording: Recording | undefined,
  { recordings }: Pick<DeliveryContext, 'recordings'>,
): string | undefined =>
  recording?.url ?? (recording?.file === undefined ? undefined : recordings?.link(recording.file));

/** Whether it is too late to open a card on a screen. */
export const isLateForCard = ({ reconciled }: CallPayload, { ageMs }: Pick<DeliveryContext, 'ageMs'>): boolean =>
  reconciled === true || (ageMs ?? 0) > CARD_MS;

/** The same `digits` hexadecimal digits for the same text: a mark by which a CRM's entry is known again. At most 64. */
export const markOf = (text: string, digits: number): string =>
  createHash('sha256').update(text).digest('hex').slice(0, digits);
