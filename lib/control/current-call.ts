import type { AmiClient } from '../ami/types';
import type { Whose } from '../phone/interfaces';
import type { LiveChannel } from './channels';
import { liveChannels } from './channels';
import { callOf, clientOf, foremost } from './find';

/** The call on somebody's phone. */
export interface CurrentCall {
  /** Uniqueid of the other party's channel, of the own one when there is no other. */
  readonly legId: string;
  /** The other party's; empty when it is withheld. */
  readonly number: string;
}

/**
 * The call that an extension talks now, else the one that rings it; any of several that are alike. `undefined` when there is none.
 * Asks for the channels there are (class `reporting` in `write=`). Rejects as {@link AmiClient.list} does.
 */
export async function currentCall(
  client: Pick<AmiClient, 'list'>,
  whose: Whose,
  extension: string,
): Promise<CurrentCall | undefined> {
  const all = await liveChannels(client, whose);
  const own = all.filter((channel) => channel.extension === extension);
  // Holds by the phone's own button are told by events alone; whoever asks once has not heard them.
  const [leg] = foremost(own, all, () => false);
  if (leg === undefined) return undefined;
  const call = callOf(leg, all);
  const other = clientOf(call) ?? beginner(call.channels, leg);
  return { legId: (other ?? leg).id, number: other?.number ?? '' };
}

/** A colleague whose call rings there. */
function beginner(channels: readonly LiveChannel[], leg: LiveChannel): LiveChannel | undefined {
  return channels.find(({ id, isLocal }) => id === leg.linkedid && id !== leg.id && !isLocal);
}
