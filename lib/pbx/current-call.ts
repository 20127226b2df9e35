import type { AmiClient, AmiMessage } from '../ami/types';

/** The call on somebody's phone. */
export interface CurrentCall {
  /** Uniqueid of the other party's channel, of the own one when there is no other. */
  readonly legId: string;
  /** As the phone shows it; empty when it is withheld. */
  readonly number: string;
}

const UP = '6';
const UNKNOWN = '<unknown>';

/**
 * The call that an extension talks now, else the one that rings it; the newest of several. `undefined` when there is none. Asks
 * for the channels there are (class `reporting` in `write=`): what a channel is called is the PBX's own word, no caller's.
 * Rejects as {@link AmiClient.list} does.
 */
export async function currentCall(
  client: Pick<AmiClient, 'list'>,
  extension: string,
): Promise<CurrentCall | undefined> {
  const channels = await client.list({ action: 'CoreShowChannels' });
  const own = channels.filter((channel) => deviceOf(channel) === extension);
  const mine = own.filter((channel) => channel.get('ChannelState') === UP).at(-1) ?? own.at(-1);
  if (mine === undefined) return undefined;
  const other = otherOf(mine, channels);
  const legId = (other ?? mine).get('Uniqueid') ?? '';
  const number = mine.get('ConnectedLineNum') ?? '';
  return legId === '' ? undefined : { legId, number: number === UNKNOWN ? '' : number };
}

/** `PJSIP/101-0000003a` is a channel of 101. */
const deviceOf = (channel: AmiMessage): string | undefined =>
  /^(?:PJSIP|SIP)\/(.+)-[0-9a-f]+$/.exec(channel.get('Channel') ?? '')?.[1];

/** Who is in one bridge with it; while it rings, who began the call. */
function otherOf(mine: AmiMessage, channels: readonly AmiMessage[]): AmiMessage | undefined {
  const others = channels.filter((channel) => channel.get('Uniqueid') !== mine.get('Uniqueid'));
  const bridge = mine.get('BridgeId') ?? '';
  if (bridge !== '') return others.find((channel) => channel.get('BridgeId') === bridge);
  return others.find((channel) => channel.get('Uniqueid') === mine.get('Linkedid'));
}
