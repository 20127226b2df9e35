import type { CallMessage, CallPayload } from '../messages/types';
import { extensionBehind, legsOf, partnersOf } from './conversation';
import { legOutcome } from './outcome';
import { hangupMessage, legMessage } from './payloads';
import { isCalledFirst, isOurs, numberDialled, rolesOf, type Roles } from './roles';
import { CALL_BOUNDS, newLeg, type Answered, type CallState, type ChannelState, type LegState } from './state';
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
    if (ours.length > 0) this.clientIsInHands(call, roles, ours, t);
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
   * Where nobody else is meant, whoever is Up is answered: a phone that called music, a feature code or a conference, or that
   * the PBX called to play something; a client whom the PBX called. That nobody was meant is certain when the party is gone, or
   * when a phone entered a conference.
   */
  concludeService(call: CallState): void {
    if (call.answeredAt !== undefined) return;
    const { direction, caller, client } = rolesOf(call, this.options.plan);
    if (direction === 'out' && client?.goneAt !== undefined) this.clientWasServed(call, client);
    const isMeant = caller !== undefined && call.rung.some((extension) => extension !== caller.party);
    if (direction !== 'internal' || caller?.upAt === undefined || call.queue !== undefined || isMeant) return;
    this.isAnswered(call, 'service', caller.upAt);
    call.talkSince = caller.upAt;
    call.talked.push(caller.party);
    call.lastTalker = caller.id;
    this.answer(call, caller, caller.upAt);
    if (caller.goneAt !== undefined) this.count(call, [], caller.goneAt);
  }

  /** The client lifted, and nobody of ours had him: something was played to him, or he waited for somebody in vain. */
  private clientWasServed(call: CallState, { upAt, goneAt = upAt }: ChannelState): void {
    if (upAt === undefined) return;
    this.isAnswered(call, 'service', upAt);
    const wasAlone = call.queue === undefined && legsOf(call).length === 0;
    if (wasAlone) call.talkMs = Math.max(0, (goneAt ?? upAt) - upAt);
  }

  /** An answer that was good for the client replaces one that was not: that is all before he was reached. */
  private isAnswered(call: CallState, as: Answered, t: number): void {
    if (call.answeredAt !== undefined && (call.answeredAs === as || call.answeredAs === 'client')) return;
    call.answeredAt = t;
    call.answeredAs = as;
    call.talkMs = 0;
    call.holdMs = 0;
    call.talked = [];
    delete call.talkSince;
    delete call.holdSince;
  }

  /** In an internal call the client is the phone that it is about. */
  private whoHasTheClient(call: CallState, roles: Roles): ChannelState[] {
    const { subject, direction } = roles;
    if (!subject || subject.goneAt !== undefined) return [];
    const partners = partnersOf(call, subject);
    if (direction === 'internal') return partners.filter(({ kind }) => kind === 'extension');
    return subject === roles.client ? partners.filter((partner) => isOurs(roles, partner)) : [];
  }

  private clientIsInHands(call: CallState, roles: Roles, ours: readonly ChannelState[], t: number): void {
    const { subject, direction } = roles;
    const since = isCalledFirst(call, roles) ? (subject?.upAt ?? t) : t;
    this.isAnswered(call, direction === 'internal' ? 'colleague' : 'client', since);
    if (call.talkSince === undefined || call.holdKind !== undefined) delete call.endedBy;
    const phones = ours.filter(({ kind }) => kind === 'extension');
    const caller = direction === 'internal' && subject ? [subject] : [];
    for (const { party } of [...caller, ...phones]) {
      if (!call.talked.includes(party) && call.talked.length < CALL_BOUNDS.extensions) call.talked.push(party);
    }
    const [outside] = phones.length === 0 ? ours : [];
    const takenFor = outside && extensionBehind(call, outside, this.options.plan.numbers);
    if (takenFor !== undefined) call.takenFor = takenFor;
    this.handOver(call, roles, ours);
    this.takenBack(call, phones, t);
    const talker = phones.filter(({ leg }) => leg?.handedOver !== true).at(-1);
    if (talker && !phones.some(({ id }) => id === call.lastTalker)) call.lastTalker = talker.id;
  }

  private handOver(call: CallState, { direction }: Roles, ours: readonly ChannelState[]): void {
    const { pending } = call;
    if (!pending) return;
    const giver = ours.find(({ id }) => id === pending.fromLeg);
    // Meanwhile the call is about another client; or the manager who took him away has brought him back.
    if (pending.direction !== direction || (pending.byRedirect && giver)) {
      if (giver?.leg) giver.leg.handedOver = false;
      delete call.pending;
      return;
    }
    const taker = ours.find((one) => one.id !== pending.fromLeg && one.party !== pending.from);
    if (!taker) return;
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
    // Parked with the line kept, and taken back on it: from now on its end is an end of the call again.
    leg.handedOver = false;
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
    const { subject, direction } = rolesOf(call, this.options.plan);
    const clientIsThere = subject !== undefined && subject.goneAt === undefined;
    const inHands = ours.length > 0 || (call.answeredAs === 'service' && clientIsThere);
    const setAside =
      !inHands && clientIsThere && (call.holdKind === 'parked' || (talkerIsThere && this.isHeld(call, talker)));
    const holders = direction === 'internal' && subject ? [subject, ...ours] : ours;
    const held = setAside || holders.some(({ leg }) => leg?.held === true);
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
