import type { AmiMessage } from '../ami/types';
import { copied } from '../text';
import { CALL_BOUNDS, type BridgeState, type CallState, type ChannelState } from './state';

/** People come to a conference by calls of their own. A list of channels does not name the bridge's maker, but what each runs. */
export const isConference = (event: AmiMessage): boolean =>
  event.get('BridgeCreator') === 'ConfBridge' || /^(ConfBridge|MeetMe)$/i.test(event.get('Application') ?? '');

/** Puts a channel into a bridge, out of the one where it was; `undefined` when the call holds no more bridges. */
export function enterBridge(
  call: CallState,
  channel: ChannelState,
  id: string,
  kind: Omit<BridgeState, 'members'>,
): BridgeState | undefined {
  if (channel.bridge !== id) leaveBridge(call, channel);
  if (!(id in call.bridges) && Object.keys(call.bridges).length >= CALL_BOUNDS.bridges) return undefined;
  const bridge = (call.bridges[id] ??= { members: [], ...kind });
  channel.bridge = copied(id);
  if (!bridge.members.includes(channel.id)) bridge.members.push(channel.id);
  return bridge;
}

/** A bridge that nobody is in any more is forgotten. */
export function leaveBridge(call: CallState, channel: ChannelState): void {
  const bridge = channel.bridge === undefined ? undefined : call.bridges[channel.bridge];
  delete channel.bridge;
  if (!bridge) return;
  bridge.members = bridge.members.filter((id) => id !== channel.id);
  if (bridge.members.length > 0) return;
  call.bridges = Object.fromEntries(Object.entries(call.bridges).filter(([, one]) => one !== bridge));
}
