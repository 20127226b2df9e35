import type { SavedCall } from '../calls/types';
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

/** The caller as he was; `undefined` when he was written by another version, or is no caller at all. */
export function readCaller({ callId, state }: SavedCall): CallerState | undefined {
  try {
    const read: unknown = JSON.parse(state);
    const found = isObject(read) && read.version === VERSION ? read.caller : undefined;
    if (!isObject(found) || found.id !== callId || !isCaller(found)) return undefined;
    const caller = found as unknown as CallerState;
    const stay = caller.stay && withNames(caller.stay);
    // What a conversation came from is the caller's stay itself, not a copy of it.
    const talks = Object.entries(caller.talks).map(([name, talk]) => {
      const own = stay && isSameStay(talk.stay, stay) ? stay : withNames(talk.stay);
      return [name, { ...talk, stay: own }] as const;
    });
    const counts = byName(Object.entries(caller.counts));
    return { ...caller, ...(stay ? { stay } : {}), counts, talks: byName(talks) };
  } catch {
    return undefined;
  }
}
