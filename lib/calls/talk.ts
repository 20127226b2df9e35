import type { CallMessage, CallPayload } from '../messages/types';
import { legsOf, partnersOf } from './conversation';
import { legOutcome } from './outcome';
import { hangupMessage, legMessage } from './payloads';
import { isOurs, numberDialled, rolesOf, type Roles } from './roles';
import { CALL_BOUNDS, newLeg, type CallState, type ChannelState, type LegState } from './state';
import type { CallTrackerOptions } from './types';

/**
 * Who has the client now, since when, and what that makes of each phone. Works on the state alone, after every change of it,
 * so that the order in which events of one moment came makes no difference.
 */
export class Talk {
  constructor(
    private readonly options: CallTrackerOptions,
    private readonly tell: (message: CallMessage) => void,
  ) {}

  /** Draws the conclusions from what is known of a call at the moment `t`. */
  settle(call: CallState, t: number): void {
    const roles = rolesOf(call, this.options.plan);
    const ours = this.whoHasTheClient(call, roles);
    if (ours.length > 0) this.clientIsInHands(call, ours, t);
    for (const leg of legsOf(call)) {
      if (leg.goneAt === undefined && partnersOf(call, leg).length > 0) this.connected(call, leg, t);
    }
    this.count(call, ours, t);
  }

  /** The phone is dialled, or the other party of a phone that calls is. Told once for each leg. */
  ringing(call: CallState, channel: ChannelState, t: number): void {
    const leg = legOf(channel);
    if (leg.ringingAt !== undefined || leg.answeredAt !== undefined) return;
    leg.ringingAt = t;
    this.tell(legMessage(this.options, call, channel, 'call_ringing'));
  }

  hold(call: CallState, channel: ChannelState, t: number): void {
    const leg = legOf(channel);
    if (leg.held || leg.answeredAt === undefined) return;
    leg.held = true;
    this.tellHeld(call, channel);
    this.settle(call, t);
  }

  unhold(call: CallState, channel: ChannelState, t: number): void {
    const leg = legOf(channel);
    if (!leg.held) return;
    leg.held = false;
    this.tellActive(call, channel);
    this.settle(call, t);
  }

  /** Nobody hears the client any more although he is still somebody's: parked, or put to music by the PBX. */
  setAside(call: CallState, kind: NonNullable<CallState['holdKind']>, t: number): void {
    const talker = call.lastTalker === undefined ? undefined : call.channels[call.lastTalker];
    if (call.holdKind !== undefined || call.answeredAt === undefined || !talker) return;
    call.holdKind = kind;
    if (talker.leg && !talker.leg.end) this.tellHeld(call, talker);
    this.settle(call, t);
  }

  /** `call_transfer`, once for each phone that handed the client over. */
  transferred(call: CallState, from: ChannelState, type: 'blind' | 'attended', to: string): void {
    const transfer = { type, from: from.party, to };
    this.tell(legMessage(this.options, call, from, 'call_transfer', { transfer }));
  }

  /** The end of a phone's leg: told for each that had anything told of it. */
  legIsOver(call: CallState, channel: ChannelState): void {
    this.concludeService(call);
    const { leg } = channel;
    if (!leg || leg.end || (leg.ringingAt === undefined && leg.answeredAt === undefined)) return;
    if (leg.transferTo !== undefined) this.transferred(call, channel, 'blind', leg.transferTo);
    leg.end = legOutcome(call, rolesOf(call, this.options.plan), channel);
    this.tell(hangupMessage(this.options, call, channel, leg.end));
  }

  /**
   * A phone that called something where nobody else is meant, or that the PBX called to play something: answered since it was Up.
   * That nobody was meant is certain when it is over, or when it entered a conference.
   */
  concludeService(call: CallState): void {
    const { direction, caller, client } = rolesOf(call, this.options.plan);
    if (call.answeredAt !== undefined) return;
    const party =
      direction === 'internal' ? caller : direction === 'out' && legsOf(call).length === 0 ? client : undefined;
    if (party?.upAt === undefined || call.queue !== undefined) return;
    const others = call.rung.filter((extension) => extension !== party.party);
    if (others.length > 0) return;
    call.service = true;
    call.answeredAt = party.upAt;
    call.talkSince = party.upAt;
    if (party.kind === 'extension') {
      call.talked.push(party.party);
      call.lastTalker = party.id;
      this.answer(call, party, party.upAt);
    }
    if (party.goneAt !== undefined) this.count(call, [], party.goneAt);
  }

  private whoHasTheClient(call: CallState, roles: Roles): ChannelState[] {
    const { client, direction, caller } = roles;
    if (direction === 'internal') {
      const legs = legsOf(call).filter((leg) => leg.goneAt === undefined);
      const connected = legs.filter((leg) => partnersOf(call, leg).some(({ kind }) => kind === 'extension'));
      return connected.sort((one, other) => Number(other === caller) - Number(one === caller));
    }
    if (!client || client.goneAt !== undefined) return [];
    return partnersOf(call, client).filter((partner) => isOurs(roles, partner));
  }

  private clientIsInHands(call: CallState, ours: readonly ChannelState[], t: number): void {
    if (call.answeredAt === undefined || call.service) {
      // What looked like a service was a greeting before a person.
      if (call.service) Object.assign(call, { service: false, talkSince: undefined, talkMs: 0, talked: [] });
      call.answeredAt = t;
    }
    if (call.talkSince === undefined || call.holdKind !== undefined) delete call.endedBy;
    const phones = ours.filter(({ kind }) => kind === 'extension');
    for (const { party } of phones) {
      if (!call.talked.includes(party) && call.talked.length < CALL_BOUNDS.extensions) call.talked.push(party);
    }
    this.handOver(call, ours);
    this.takenBack(call, phones, t);
    const talker = phones.filter(({ leg }) => leg?.handedOver !== true).at(-1);
    if (talker && !phones.some(({ id }) => id === call.lastTalker)) call.lastTalker = talker.id;
  }

  private handOver(call: CallState, ours: readonly ChannelState[]): void {
    const { pending } = call;
    const taker = pending && ours.find((one) => one.id !== pending.fromLeg && one.party !== pending.from);
    if (!pending || !taker) return;
    const to = taker.kind === 'extension' ? taker.party : (numberDialled(call, taker) ?? taker.party);
    call.transfer = { type: pending.type, from: pending.from, to };
    delete call.pending;
  }

  /** The client was set aside, and somebody has him again: the same one, perhaps on another leg, goes on; another one answers. */
  private takenBack(call: CallState, phones: readonly ChannelState[], t: number): void {
    if (call.holdKind === undefined) return;
    delete call.holdKind;
    const before = call.lastTalker === undefined ? undefined : call.channels[call.lastTalker];
    const same = phones.find(({ party }) => party === before?.party);
    if (!before || !same) return;
    const leg = legOf(same);
    const isNewLeg = leg.answeredAt === undefined;
    leg.answeredAt ??= t;
    if (isNewLeg) {
      leg.toldHeld = true;
      if (before.leg) before.leg.toldHeld = false;
      leg.holds = Math.max(leg.holds, 1);
    }
    call.lastTalker = same.id;
    this.tellActive(call, same);
  }

  private connected(call: CallState, channel: ChannelState, t: number): void {
    const leg = legOf(channel);
    if (leg.answeredAt === undefined) this.answer(call, channel, t);
  }

  private answer(call: CallState, channel: ChannelState, t: number): void {
    const leg = legOf(channel);
    if (leg.answeredAt !== undefined) return;
    leg.answeredAt = t;
    this.tell(legMessage(this.options, call, channel, 'call_answer'));
  }

  private count(call: CallState, ours: readonly ChannelState[], t: number): void {
    const talker = call.lastTalker === undefined ? undefined : call.channels[call.lastTalker];
    const talkerIsThere = talker?.goneAt === undefined && talker?.leg?.handedOver !== true;
    const inHands = ours.length > 0 || (call.service && this.serviceGoesOn(call));
    const setAside =
      !inHands &&
      this.clientIsThere(call) &&
      (call.holdKind === 'parked' || (talkerIsThere && this.isHeld(call, talker)));
    const held = setAside || ours.some(({ leg }) => leg?.held === true);
    const counts = call.answeredAt !== undefined && (inHands || setAside);
    if (counts) call.talkSince ??= t;
    else if (call.talkSince !== undefined) {
      call.talkMs += Math.max(0, t - call.talkSince);
      delete call.talkSince;
    }
    if (counts && held) call.holdSince ??= t;
    else if (call.holdSince !== undefined) {
      call.holdMs += Math.max(0, t - call.holdSince);
      delete call.holdSince;
    }
  }

  private isHeld(call: CallState, talker: ChannelState | undefined): boolean {
    return call.holdKind === 'music' || talker?.leg?.held === true;
  }

  private clientIsThere(call: CallState): boolean {
    const { client, caller } = rolesOf(call, this.options.plan);
    const party = client ?? caller;
    return party !== undefined && party.goneAt === undefined;
  }

  private serviceGoesOn(call: CallState): boolean {
    const { client, caller } = rolesOf(call, this.options.plan);
    return (client ?? caller)?.goneAt === undefined;
  }

  private tellHeld(call: CallState, channel: ChannelState): void {
    const leg = legOf(channel);
    if (leg.toldHeld || leg.end) return;
    leg.toldHeld = true;
    leg.holds += 1;
    this.tell(legMessage(this.options, call, channel, 'call_held', {}, leg.holds));
  }

  private tellActive(call: CallState, channel: ChannelState, more: Partial<CallPayload> = {}): void {
    const leg = legOf(channel);
    if (!leg.toldHeld || leg.end) return;
    leg.toldHeld = false;
    this.tell(legMessage(this.options, call, channel, 'call_active', more, leg.holds));
  }
}

/** What became of a phone; from its first event on. */
export function legOf(channel: ChannelState): LegState {
  return (channel.leg ??= newLeg());
}
