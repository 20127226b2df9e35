import type { SavedCall } from '../calls/types';
import { memberKey } from './agents';
import type { SavedMember } from './agents';
import { byName } from './state';
import type { CallerState, StayState } from './state';

/** Grows when a state of before cannot be read as one of now. */
const VERSION = 1;

type Fields = Readonly<Record<string, unknown>>;

/** A caller of queues as he is kept over a restart of this process: under the Uniqueid of his channel. */
export const writeCaller = (caller: CallerState): SavedCall => ({
  callId: caller.id,
  state: JSON.stringify({ version: VERSION, caller }),
});

/** A member of a queue, likewise. */
export const writeMember = (member: SavedMember): SavedCall => ({
  callId: memberKey(member.queue, member.interface),
  state: JSON.stringify({ version: VERSION, member }),
});

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isOffer = (value: unknown): boolean =>
  isObject(value) &&
  [value.interface, value.phone, value.legId].every((text) => typeof text === 'string') &&
  [value.calledAt, value.seenAt].every((moment) => typeof moment === 'number');

const isStay = (value: unknown): boolean =>
  isObject(value) &&
  typeof value.queue === 'string' &&
  [value.count, value.joinedAt].every((number) => typeof number === 'number') &&
  isObject(value.offers) &&
  Object.values(value.offers).every(isOffer);

const isTalk = (value: unknown): boolean =>
  isObject(value) &&
  typeof value.extension === 'string' &&
  typeof value.connectedAt === 'number' &&
  isStay(value.stay) &&
  isOffer(value.offer);

const isCaller = (value: Fields): boolean =>
  [value.id, value.callId, value.direction].every((text) => typeof text === 'string') &&
  typeof value.seenAt === 'number' &&
  isObject(value.counts) &&
  (value.stay === undefined || isStay(value.stay)) &&
  isObject(value.talks) &&
  Object.values(value.talks).every(isTalk);

const isSameStay = (one: StayState, other: StayState): boolean =>
  one.queue === other.queue && one.count === other.count;

const withNames = (stay: StayState): StayState => ({ ...stay, offers: byName(Object.entries(stay.offers)) });

const isMember = (value: Fields): boolean =>
  [value.queue, value.interface, value.stateInterface, value.phone, value.reason].every(
    (text) => typeof text === 'string',
  ) &&
  [value.isDynamic, value.paused, value.inUse].every((flag) => typeof flag === 'boolean') &&
  [value.pausedAt, value.wrapUp].every((number) => typeof number === 'number') &&
  ['string', 'undefined'].includes(typeof value.name);

/** What stands under a name in what was kept; `undefined` when it is of another version, or no such thing. */
function kept(state: string, name: 'caller' | 'member'): Fields | undefined {
  try {
    const read: unknown = JSON.parse(state);
    const found = isObject(read) && read.version === VERSION ? read[name] : undefined;
    return isObject(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** The member as he was; `undefined` when it is no member. */
export function savedMember({ callId, state }: SavedCall): SavedMember | undefined {
  const found = kept(state, 'member');
  if (!found || !isMember(found)) return undefined;
  const member = found as unknown as SavedMember;
  return memberKey(member.queue, member.interface) === callId ? member : undefined;
}

/** The caller as he was; `undefined` when he was written by another version, or is no caller at all. */
export function savedCaller({ callId, state }: SavedCall): CallerState | undefined {
  const found = kept(state, 'caller');
  if (found?.id !== callId || !isCaller(found)) return undefined;
  const caller = found as unknown as CallerState;
  const stay = caller.stay && withNames(caller.stay);
  // What a conversation came from is the caller's stay itself, not a copy of it.
  const talks = Object.entries(caller.talks).map(([name, talk]) => {
    const own = stay && isSameStay(talk.stay, stay) ? stay : withNames(talk.stay);
    return [name, { ...talk, stay: own }] as const;
  });
  const counts = byName(Object.entries(caller.counts));
  return { ...caller, ...(stay ? { stay } : {}), counts, talks: byName(talks) };
}
