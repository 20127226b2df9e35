import type { AmiMessage } from '../ami/types';
import { partnersOf } from './conversation';
import { idIn, textIn } from './reading';
import { rolesOf } from './roles';
import type { CallState, ChannelState } from './state';
import { legOf, type Talk } from './talk';
import type { CallTrackerOptions } from './types';

const channelIn = (call: CallState, id: string | undefined): ChannelState | undefined =>
  id === undefined ? undefined : call.channels[id];

/** Which hand-overs of the client begin. Whoever of ours has him next completes them: see {@link Talk}. */
export class Transfers {
  constructor(
    private readonly options: CallTrackerOptions,
    private readonly talk: Talk,
  ) {}

  /** `from` is the transferrer. */
  blind(call: CallState, from: ChannelState, event: AmiMessage): void {
    const to = textIn(event, 'Extension');
    if (event.get('Result') !== 'Success' || from.kind !== 'extension' || to === undefined) return;
    const leg = legOf(from);
    if (leg.handedOver || leg.end) return;
    leg.handedOver = true;
    leg.transferTo = to;
    this.begin(call, from, 'blind', event);
  }

  /** `from` is the transferrer's first leg; the calls are one by now. */
  attended(call: CallState, from: ChannelState, event: AmiMessage, t: number): void {
    if (event.get('Result') !== 'Success' || from.kind !== 'extension') return;
    const leg = legOf(from);
    if (leg.handedOver) return;
    const second = channelIn(call, idIn(event, 'SecondTransfererUniqueid'));
    for (const one of [from, second]) if (one?.kind === 'extension') legOf(one).handedOver = true;
    this.begin(call, from, 'attended', event);
    delete call.endedBy;
    const target = channelIn(call, idIn(event, 'TransferTargetUniqueid'));
    this.talk.settle(call, t);
    const to = call.transfer?.type === 'attended' ? call.transfer.to : targetOf(call, from, target);
    if (to !== undefined) this.talk.transferred(call, from, 'attended', to);
  }

  /**
   * The dialplan dials somebody for a client who was with one of ours, and that one did not hang up: a manager's Redirect took
   * the client away. After a park it is the slot's time-out, after a blind transfer the transfer has been told.
   */
  afterRedirect(call: CallState, dialled: ChannelState, root: ChannelState | undefined, t: number): void {
    const talker = channelIn(call, call.lastTalker);
    const { subject, direction } = rolesOf(call, this.options.plan);
    if (!talker?.leg || !root || root !== subject || root === talker) return;
    const isLeft = talker.askedAt === undefined && !talker.leg.handedOver && root.bridge === undefined;
    if (!isLeft || call.pending || call.holdKind === 'parked' || dialled.party === talker.party) return;
    talker.leg.handedOver = true;
    call.pending = { type: 'blind', from: talker.party, fromLeg: talker.id, direction, byRedirect: true };
    // He was on hold with the one who had him; now he is on his way to another.
    delete call.holdKind;
    this.talk.settle(call, t);
    this.talk.transferred(call, talker, 'blind', dialled.party);
  }

  /** When the one whom an internal call is about leaves by the transfer, the call goes on about who stays. */
  private begin(call: CallState, from: ChannelState, type: 'blind' | 'attended', event: AmiMessage): void {
    const { direction, subject } = rolesOf(call, this.options.plan);
    call.pending = { type, from: from.party, fromLeg: from.id, direction, byRedirect: false };
    if (direction !== 'internal' || from !== subject) return;
    const transferee = channelIn(call, idIn(event, 'TransfereeUniqueid'));
    const stays = transferee?.kind === 'extension' ? transferee.id : call.lastTalker;
    if (stays !== undefined) call.subject = stays;
  }
}

function targetOf(call: CallState, from: ChannelState, target: ChannelState | undefined): string | undefined {
  if (target?.kind === 'extension') return target.party;
  const behind =
    target && partnersOf(call, target).find(({ kind, party }) => kind === 'extension' && party !== from.party);
  return behind?.party ?? call.rung.filter((extension) => extension !== from.party).at(-1);
}
