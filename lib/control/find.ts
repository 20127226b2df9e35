import { controlError } from './errors';
import { isAlone, oppositeOf, type LiveChannel } from './channels';
import type { CallChoice } from './types';

/** The call that is meant, as it stands at this moment. */
export interface FoundCall {
  /** Linkedid. */
  readonly callId: string;
  readonly channels: readonly LiveChannel[];
  /** The channel that `legId` named. */
  readonly named?: LiveChannel;
  /** The channel of our phone that is meant; absent when no phone is in the call, or nothing says which of several. */
  readonly leg?: LiveChannel;
  /** Phones that are in the call when {@link leg} is absent. */
  readonly phones: readonly LiveChannel[];
}

/** What is known of a phone's own hold beside the list of channels. */
export type IsOnHold = (id: string) => boolean;

/** Finds what is meant among all live channels. Throws `CONTROL_NO_CALL` or `CONTROL_AMBIGUOUS`. */
export function findCall(all: readonly LiveChannel[], choice: CallChoice, isOnHold: IsOnHold): FoundCall {
  const { callId, legId, extension } = choice;
  if (callId !== undefined) return inCall(all, callId, choice, isOnHold);
  if (legId !== undefined) {
    const named = all.find(({ id }) => id === legId);
    if (!named) throw controlError('CONTROL_NO_CALL', { what: `(legId ${legId})` });
    return inCall(all, named.linkedid, choice, isOnHold);
  }
  const own = all.filter((channel) => channel.extension === extension);
  const what = `(extension ${extension ?? ''})`;
  const leg = theOnly(foremost(own, all, isOnHold), what);
  if (!leg) throw controlError('CONTROL_NO_CALL', { what });
  return callOf(leg, all);
}

/** The call in which a phone's channel is. */
export function callOf(leg: LiveChannel, all: readonly LiveChannel[]): FoundCall & { readonly leg: LiveChannel } {
  const channels = all.filter(({ linkedid }) => linkedid === leg.linkedid);
  return { callId: leg.linkedid, channels, leg, phones: [leg] };
}

function inCall(all: readonly LiveChannel[], callId: string, choice: CallChoice, isOnHold: IsOnHold): FoundCall {
  // A call that was joined with an older one goes by that one's id.
  const linkedid = all.find(({ id }) => id === callId)?.linkedid ?? callId;
  const channels = all.filter((channel) => channel.linkedid === linkedid);
  const what = `(callId ${callId})`;
  if (channels.length === 0) throw controlError('CONTROL_NO_CALL', { what });
  const { legId, extension } = choice;
  const named = legId === undefined ? undefined : channels.find(({ id }) => id === legId);
  if (legId !== undefined && !named) throw controlError('CONTROL_NO_CALL', { what: `(legId ${legId})` });
  const ours = channels.filter((channel) => channel.extension !== undefined);
  const leg = ((): LiveChannel | undefined => {
    if (named?.extension !== undefined) return named;
    const opposite = named && oppositeOf(channels, named);
    if (typeof opposite === 'object' && opposite.extension !== undefined) return opposite;
    if (extension === undefined) return onlyOne(ours);
    const place = `(callId ${callId}, extension ${extension})`;
    const own = ours.filter((one) => one.extension === extension);
    const found = theOnly(foremost(own, all, isOnHold), place);
    if (!found) throw controlError('CONTROL_NO_CALL', { what: place });
    return found;
  })();
  return { callId: linkedid, channels, phones: ours, ...(named ? { named } : {}), ...(leg ? { leg } : {}) };
}

/** The only phone that talks or waits in a call, else the only one that rings. */
function onlyOne(ours: readonly LiveChannel[]): LiveChannel | undefined {
  const up = ours.filter(({ isUp }) => isUp);
  const candidates = up.length > 0 ? up : ours;
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** Of the channels of one phone those that it uses now: one as a rule, several where nothing tells which. */
export function foremost(
  own: readonly LiveChannel[],
  all: readonly LiveChannel[],
  isOnHold: IsOnHold,
): readonly LiveChannel[] {
  const rank = (channel: LiveChannel): number => {
    if (!channel.isUp) return channel.isRinging ? 1 : 0;
    if (channel.isAside || isAlone(all, channel)) return 3;
    if (channel.bridge === undefined) return 2;
    return isOnHold(channel.id) ? 4 : 5;
  };
  const highest = Math.max(...own.map(rank));
  return own.filter((channel) => rank(channel) === highest);
}

function theOnly([first, ...others]: readonly LiveChannel[], what: string): LiveChannel | undefined {
  if (first === undefined || others.length === 0) return first;
  const found = [first, ...others].map(({ id }) => id).join(', ');
  throw controlError('CONTROL_AMBIGUOUS', { what, found });
}

/** The party that is not our phone, where there is just one: connected with it, or alone in the call. */
export function clientOf({ channels, leg, named }: FoundCall): LiveChannel | undefined {
  if (named && named.id !== leg?.id) return named;
  const opposite = leg && oppositeOf(channels, leg);
  if (typeof opposite === 'object') return opposite;
  const others = channels.filter(({ id, isLocal, extension }) => id !== leg?.id && !isLocal && extension === undefined);
  return others.length === 1 ? others[0] : undefined;
}
