import type { NumberingPlan } from '../phone/types';
import type { CallState, ChannelState } from './state';

/** The phones of a call, in the order in which they began. */
export const legsOf = (call: CallState): ChannelState[] => partiesOf(call).filter(({ kind }) => kind === 'extension');

/** The phones and trunks of a call, in the order in which they began. */
export const partiesOf = (call: CallState): ChannelState[] =>
  Object.values(call.channels)
    .filter(({ kind }) => kind === 'extension' || kind === 'trunk')
    .sort((one, other) => one.bornAt - other.bornAt);

/** The phones and trunks that a channel hears: in its bridge, and through Local channels in the bridges behind them. */
export function partnersOf(call: CallState, channel: ChannelState): ChannelState[] {
  const seen = new Set([channel.id]);
  const partners: ChannelState[] = [];
  const queue = [channel];
  for (let next = queue.pop(); next; next = queue.pop()) {
    const bridge = next.bridge === undefined ? undefined : call.bridges[next.bridge];
    if (!bridge || bridge.holding) continue;
    for (const id of bridge.members) {
      const member = call.channels[id];
      if (!member || seen.has(id)) continue;
      seen.add(id);
      if (member.kind === 'extension' || member.kind === 'trunk') partners.push(member);
      const behind = member.pair === undefined ? undefined : call.channels[member.pair];
      if (!behind || seen.has(behind.id)) continue;
      seen.add(behind.id);
      queue.push(behind);
    }
  }
  return partners;
}

/** Who stands behind a dial: the channel itself, or whoever dialled the Local channel that dials. `undefined`: an Originate. */
export function rootOf(call: CallState, channel: ChannelState): ChannelState | undefined {
  let root: ChannelState | undefined = channel;
  const seen = new Set<string>();
  while (root?.kind === 'local' && !seen.has(root.id)) {
    seen.add(root.id);
    const half: ChannelState = root;
    const front = half.pair === undefined ? undefined : call.channels[half.pair];
    const by: string | undefined = half.dialledBy ?? front?.dialledBy;
    root = by === undefined || by === '' ? undefined : call.channels[by];
  }
  return root;
}

/** The channel that a channel is dialled by, Local channels seen through; `undefined`: nobody, or an Originate. */
export function dialerOf(call: CallState, channel: ChannelState): ChannelState | undefined {
  const by = channel.dialledBy === undefined ? undefined : call.channels[channel.dialledBy];
  return by && rootOf(call, by);
}

/**
 * The extension that an outside number was called for: the Local channel of its follow-me or of its queue member stands before
 * (`Local/101@from-queue`), or its phone sent the call on. A number of a ring group looks like one: who rang comes first.
 */
export function extensionBehind(call: CallState, trunk: ChannelState, plan: NumberingPlan): string | undefined {
  const behind: string[] = [];
  const seen = new Set<string>();
  let by = trunk.dialledBy === undefined ? undefined : call.channels[trunk.dialledBy];
  while (by?.kind === 'local' && !seen.has(by.id)) {
    seen.add(by.id);
    if (plan.isExtension(by.exten)) behind.push(by.exten);
    const front: ChannelState | undefined = by.pair === undefined ? undefined : call.channels[by.pair];
    by = front?.dialledBy === undefined ? undefined : call.channels[front.dialledBy];
  }
  const forwarder = legsOf(call).findLast(({ forwarded }) => forwarded)?.party;
  return behind.find((extension) => call.rung.includes(extension)) ?? forwarder ?? behind[0];
}

/**
 * A phone that consults somebody (Atxfer) dials through a Local channel that nobody dials: its other half is put into a
 * bridge with the phone. Once it is known it is kept, the bridge is gone before the call to the other one is.
 */
export function learnConsultation(call: CallState, half: ChannelState): void {
  const front = half.pair === undefined ? undefined : call.channels[half.pair];
  if (half.kind !== 'local' || half.dialledBy !== undefined || !front || front.dialledBy !== undefined) return;
  const bridge = front.bridge === undefined ? undefined : call.bridges[front.bridge];
  const phone = bridge?.members.find((id) => call.channels[id]?.kind === 'extension');
  if (phone !== undefined) front.dialledBy = phone;
}

/** Did an Originate call this phone, itself or through a Local channel? */
export function isOriginated(call: CallState, channel: ChannelState): boolean {
  if (channel.incoming || channel.dialledBy === undefined) return false;
  return channel.dialledBy === '' || dialerOf(call, channel) === undefined;
}
