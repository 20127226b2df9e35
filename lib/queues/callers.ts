import type { AmiMessage } from '../ami/types';
import { idIn, numberIn, textIn } from '../calls/reading';
import { WaitingLine } from '../calls/waiting';
import type { CancelReason, QueueMessage } from '../messages/queues';
import type { CallMessage } from '../messages/types';
import type { Agents } from './agents';
import type { CallerBook } from './book';
import type { Channels } from './channels';
import { CANCELLED_BY_CAUSE, endOf, HANGUPS, openOffers, reasonOf } from './ends';
import type { StayEnd } from './ends';
import { cancelMessage, hangupOf, offerMessage, stayMessage, talkMessage } from './payloads';
import type { Phones } from './phones';
import type { CallerState, Heard, OfferState, StayState, TalkState } from './state';

/** How long (our clock) to wait for an event that says more, and for latecomers after the end of a call. */
const SETTLE_MS = 3000;

/** Callers in queues: their stays, the phones that are rung for them, their conversations. */
export class Callers {
  /** The phones that ring, by Uniqueid of the channel that was called for them. */
  private readonly ringing = new Map<string, { readonly caller: CallerState; readonly offer: OfferState }>();
  private readonly line = new WaitingLine<CallerState>();

  constructor(
    private readonly pbx: string,
    private readonly book: CallerBook,
    private readonly agents: Agents,
    private readonly channels: Channels,
    private readonly phones: Phones,
    private readonly tell: (message: QueueMessage) => void,
  ) {}

  get wakeAt(): number | undefined {
    return this.line.next;
  }

  /** Callers whom an earlier process knew: as if they had been heard of then. */
  restore(callers: readonly CallerState[]): void {
    for (const caller of callers) {
      this.book.restore(caller);
      const { stay, talks, goneSince } = caller;
      const open = stay ? openOffers(stay) : [];
      for (const offer of open) this.ringing.set(offer.legId, { caller, offer });
      for (const talk of Object.values(talks)) if (talk.counted && !talk.ended) this.agents.restoreTalk(talk.extension);
      for (const since of [goneSince, stay?.waitsSince, ...open.map(({ waitsSince }) => waitsSince)])
        if (since !== undefined) this.line.add(caller, since + SETTLE_MS);
    }
    this.line.sort();
  }

  join(event: AmiMessage, heard: Heard): void {
    const queue = textIn(event, 'Queue');
    const caller = this.book.callerOf(event, heard);
    if (queue === undefined || !caller) return;
    const { stay } = caller;
    if (stay && !stay.ended) {
      // A list may be ahead of the events.
      if (stay.queue === queue && stay.byList) {
        stay.byList = false;
        if (!stay.told) stay.joinedAt = heard.t;
        this.tellJoined(caller, stay, heard);
        return;
      }
    }
    this.tellJoined(caller, this.newStay(caller, queue, heard.t, heard, numberIn(event, 'Position')), heard);
  }

  /** Found in a list of those who wait; `isNews`: he joined while nothing was heard. */
  found(
    event: AmiMessage,
    entry: {
      readonly queue: string;
      readonly joinedAt: number;
      readonly isNews: boolean;
      readonly position: number | undefined;
    },
    heard: Heard,
  ): void {
    const caller = this.book.callerOf(event, heard);
    if (!caller) return;
    const stay = this.newStay(caller, entry.queue, entry.joinedAt, heard, entry.position);
    stay.byList = true;
    if (entry.isNews) this.tellJoined(caller, stay, heard);
  }

  abandon(event: AmiMessage): void {
    const caller = this.book.toChange(idIn(event, 'Uniqueid') ?? '');
    // Asterisk says it too when the time of the queue has run out.
    if (caller?.stay?.ended === false) caller.stay.gaveUp = caller.asked ? 'abandoned' : 'timeout';
  }

  leave(event: AmiMessage, heard: Heard): void {
    const caller = this.book.callerOf(event, heard);
    const stay = caller?.stay;
    if (!caller || !stay || stay.ended || stay.queue !== textIn(event, 'Queue')) return;
    stay.position = numberIn(event, 'Position') ?? stay.position ?? 1;
    if (stay.gaveUp) this.endStay(caller, stay, stay.gaveUp, heard);
    else if (openOffers(stay).some(({ taken }) => taken)) this.endStay(caller, stay, 'answered', heard);
    else {
      stay.waitsSince = heard.at;
      stay.leftAt = heard.t;
      stay.leftByAsking = caller.asked;
      this.wait(caller, heard);
    }
  }

  called(event: AmiMessage, heard: Heard): void {
    const found = this.stayAt(event, heard);
    const [interfaceName, legId] = [textIn(event, 'Interface'), idIn(event, 'DestUniqueid')];
    if (!found || interfaceName === undefined || legId === undefined) return;
    const { caller, stay } = found;
    const before = stay.offers[interfaceName];
    if (before?.legId === legId) return;
    if (before) this.cancel(caller, stay, before, 'no-answer', heard);
    const offer = this.book.newOffer(caller, stay, event, interfaceName, legId, heard);
    this.ringing.set(offer.legId, { caller, offer });
    this.tell(offerMessage(this.when(heard), caller, stay, offer));
  }

  /** The agent's phone was answered, or the call picked up; the queue says so a moment later. */
  taken(legId: string | undefined, by?: string): void {
    const found = this.ringing.get(legId ?? '') ?? this.ringingAs(legId);
    if (!found || found.offer.closed) return;
    this.book.touch(found.caller);
    found.offer.taken = true;
    if (by !== undefined) found.offer.takenBy = by;
  }

  connect(event: AmiMessage, heard: Heard): void {
    const found = this.stayAt(event, heard);
    const interfaceName = textIn(event, 'Interface');
    if (!found || interfaceName === undefined) return;
    const { caller, stay } = found;
    const known = stay.offers[interfaceName];
    if (known?.closed === 'answered') return;
    const offer =
      known && known.closed === undefined
        ? known
        : this.book.newOffer(caller, stay, event, interfaceName, idIn(event, 'DestUniqueid') ?? caller.id, heard);
    this.answered(caller, stay, offer, heard);
  }

  /** An agent has the caller. */
  answered(caller: CallerState, stay: StayState, offer: OfferState, heard: Heard): void {
    this.book.touch(caller);
    if (!stay.ended) this.endStay(caller, stay, 'answered', heard);
    for (const other of openOffers(stay))
      if (other !== offer) this.cancel(caller, stay, other, 'answered-elsewhere', heard);
    this.ringing.delete(offer.legId);
    offer.closed = 'answered';
    offer.seenAt = heard.at;
    const talk: TalkState = {
      stay,
      offer,
      extension: offer.takenBy ?? offer.phone,
      connectedAt: heard.t,
      waitMs: heard.t - stay.joinedAt,
      ringMs: heard.t - offer.calledAt,
      // Not a colleague who picked it up and is in no queue himself.
      counted: offer.takenBy === undefined || this.agents.agentAt(offer.takenBy) !== undefined,
      ended: false,
    };
    const before = caller.talks[offer.interface];
    if (before && !before.ended) this.endTalk(caller, before, 'transfer', heard);
    caller.talks[offer.interface] = talk;
    this.tell(talkMessage(this.when(heard), caller, talk));
    if (talk.counted) this.agents.talks(talk.extension, 1, heard);
  }

  /** `AgentComplete`, or `AgentDump`: the agent sent the caller away before they were connected. */
  complete(event: AmiMessage, heard: Heard): void {
    const interfaceName = textIn(event, 'Interface');
    const caller = this.book.callerOf(event, heard);
    if (!caller || interfaceName === undefined) return;
    const talk = caller.talks[interfaceName];
    const reason = textIn(event, 'Reason') ?? 'agent';
    if (talk) {
      if (talk.ended) return;
      const goesOn = caller.goneAt === undefined && this.phones.has(talk.extension, caller.callId);
      if (!goesOn || reason === 'transfer') this.endTalk(caller, talk, reason, heard);
      else {
        talk.leftQueue = { reason, t: heard.t };
        this.book.touch(caller);
      }
      return;
    }
    const queue = textIn(event, 'Queue') ?? '';
    const open = caller.stay?.queue === queue ? caller.stay : undefined;
    const last = open?.offers[interfaceName];
    const rung = last?.closed === undefined ? last : undefined;
    if (event.name === 'AgentDump') {
      if (open && rung) this.cancel(caller, open, rung, 'declined', heard);
      return;
    }
    const [waited = 0, talked = 0] = [numberIn(event, 'HoldTime'), numberIn(event, 'TalkTime')];
    const connectedAt = heard.t - talked * 1000;
    const legId = idIn(event, 'DestUniqueid') ?? caller.id;
    const begin = { ...heard, t: connectedAt, reconciled: true };
    if (open && (rung || !open.ended)) {
      // Its begin was missed.
      this.answered(caller, open, rung ?? this.book.newOffer(caller, open, event, interfaceName, legId, begin), begin);
      this.complete(event, heard);
      return;
    }
    // It began before we were there.
    const stay = this.newStay(caller, queue, connectedAt - waited * 1000, heard);
    Object.assign(stay, { ended: true, told: true });
    const offer = this.book.newOffer(caller, stay, event, interfaceName, legId, begin);
    offer.closed = 'answered';
    const extension = offer.phone;
    const begun = {
      stay,
      offer,
      extension,
      connectedAt,
      waitMs: waited * 1000,
      ringMs: 0,
      counted: false,
      ended: true,
    };
    caller.talks[interfaceName] = begun;
    this.tellTalkEnd(caller, begun, reason, heard);
  }

  /**
   * An agent handed a caller over, his phone hung up, or they talk on after hold. The queue tells the end only of those whom it connected
   * itself and still has: neither behind a Local channel nor after hold with music (measured on 22.10 and 16.28).
   */
  phoneTold({ topic, payload }: CallMessage, heard: Heard): void {
    const { extension, callId, transfer, hangup } = payload;
    const goesOn = topic === 'call_held' || topic === 'call_active';
    const isLeft = topic === 'call_hangup' || (topic === 'call_transfer' && transfer?.to !== extension);
    if (!goesOn && !isLeft) return;
    for (const caller of this.book.inCall(callId))
      for (const talk of Object.values(caller.talks)) {
        if (talk.ended || talk.extension !== extension) continue;
        if (topic === 'call_transfer') this.endTalk(caller, talk, 'transfer', heard);
        else if (!talk.leftQueue) continue;
        else if (isLeft) this.endTalk(caller, talk, ...endOf(talk.leftQueue, hangup?.by, heard));
        else {
          // However soon they hang up: what the queue said was not this end.
          talk.leftQueue = { reason: talk.leftQueue.reason };
          this.book.touch(caller);
        }
      }
  }

  /** The dial of a phone ended without an answer. */
  dialEnded(legId: string | undefined): void {
    const offer = this.ringing.get(legId ?? '')?.offer;
    if (offer) offer.dialEnded = true;
  }

  /**
   * The queue gave a phone up. Of one that rang out it says so before the dial ends; of one that refused afterwards, and why stands
   * in its `HangupRequest` (22.10) or only in its `Hangup` (16.28, measured).
   */
  refused(event: AmiMessage, heard: Heard): void {
    const caller = this.book.toChange(idIn(event, 'Uniqueid') ?? '');
    const offer = caller?.stay?.offers[textIn(event, 'Interface') ?? ''];
    if (!caller?.stay || !offer) return;
    if (offer.dialEnded === true && offer.cause === undefined && this.ringing.has(offer.legId)) {
      offer.refused = true;
      offer.waitsSince = heard.at;
      offer.endedAt = heard.t;
      this.wait(caller, heard);
    } else this.cancel(caller, caller.stay, offer, reasonOf(offer), heard);
  }

  /** The far end of a channel asked for its end. */
  asked(event: AmiMessage): void {
    const id = idIn(event, 'Uniqueid') ?? '';
    const caller = this.book.toChange(id);
    if (caller) caller.asked = true;
    const cause = numberIn(event, 'Cause');
    const offer = (this.ringing.get(id) ?? this.ringingAs(id))?.offer;
    if (offer && cause !== undefined && cause in CANCELLED_BY_CAUSE) offer.cause = cause;
  }

  /** A dial of its own, behind the Local channel of a member, found the phone busy. */
  foundBusy(legId: string | undefined): void {
    const offer = this.ringingAs(legId)?.offer;
    if (offer) offer.cause = 17;
  }

  hungUp(event: AmiMessage, heard: Heard): void {
    const id = idIn(event, 'Uniqueid') ?? '';
    const cause = numberIn(event, 'Cause');
    const rung = this.ringing.get(id);
    if (rung?.offer.closed === undefined && rung?.offer.taken === false) {
      const { caller, offer } = rung;
      if (cause === 26 || (offer.refused === true && cause !== undefined)) offer.cause = cause;
      if (offer.refused === true && caller.stay) this.cancel(caller, caller.stay, offer, reasonOf(offer), heard);
      const reason = caller.asked ? 'abandoned' : cause === 26 ? 'answered-elsewhere' : undefined;
      if (reason && caller.stay) this.cancel(caller, caller.stay, offer, reason, heard);
      else if (offer.refused !== true) {
        offer.waitsSince = heard.at;
        offer.endedAt = heard.t;
        this.wait(caller, heard);
      }
    }
    const caller = this.book.toChange(id);
    if (caller) this.gone(caller, heard);
  }

  /** The caller's channel is gone. An `AgentComplete` may yet come (measured: after one of seven hang-ups). */
  gone(caller: CallerState, heard: Heard): void {
    if (caller.goneAt !== undefined) return;
    caller.goneAt = heard.t;
    caller.goneSince = heard.at;
    const { stay } = caller;
    if (stay && !stay.ended) this.endUnheard(caller, stay, heard);
    this.wait(caller, heard);
  }

  tick(at: number, byThePbx: (at: number) => number): void {
    for (const { call: caller } of this.line.due(at)) {
      const isDue = (since: number | undefined): since is number => since !== undefined && since + SETTLE_MS <= at;
      const { stay } = caller;
      const heardAt = (t: number | undefined): Heard => ({ at, t: t ?? byThePbx(at), reconciled: false });
      if (stay && isDue(stay.waitsSince) && !stay.ended) this.endUnheard(caller, stay, heardAt(stay.leftAt));
      for (const offer of stay ? openOffers(stay) : [])
        if (stay && isDue(offer.waitsSince)) this.cancel(caller, stay, offer, reasonOf(offer), heardAt(offer.endedAt));
      if (isDue(caller.goneSince)) this.forget(caller, heardAt(caller.goneAt));
    }
  }

  /** He is not in the waiting line any more, and nothing says why: whoever hung up afterwards had left it for something else. */
  endUnheard(caller: CallerState, stay: StayState, heard: Heard): void {
    this.endStay(caller, stay, stay.gaveUp ?? ((stay.leftByAsking ?? caller.asked) ? 'abandoned' : 'other'), heard);
  }

  /** He left the waiting line. */
  private endStay(caller: CallerState, stay: StayState, reason: StayEnd, now: Heard): void {
    const heard = { ...now, t: stay.leftAt ?? now.t };
    stay.ended = true;
    this.book.touch(caller);
    this.tell(stayMessage(this.when(heard), caller, stay, { reason, hangup: HANGUPS[reason] }));
    if (reason === 'answered') return;
    for (const offer of openOffers(stay)) {
      // Whoever leaves by a key, or is taken elsewhere, has not let the agent's time run out.
      const why = reason === 'timeout' || offer.cause !== undefined ? reasonOf(offer) : 'abandoned';
      const unanswered = heard.reconciled ? 'unknown' : reason === 'abandoned' ? 'abandoned' : why;
      this.cancel(caller, stay, offer, unanswered, heard);
    }
  }

  cancel(caller: CallerState, stay: StayState, offer: OfferState, reason: CancelReason, heard: Heard): void {
    if (offer.closed) return;
    offer.closed = reason;
    this.book.touch(caller);
    this.ringing.delete(offer.legId);
    this.tell(cancelMessage(this.when(heard), caller, stay, offer, reason));
  }

  endTalk(caller: CallerState, talk: TalkState, reason: string, heard: Heard): void {
    talk.ended = true;
    this.book.touch(caller);
    this.tellTalkEnd(caller, talk, reason, heard);
    if (talk.counted) this.agents.talks(talk.extension, -1, heard);
  }

  /** Whoever is in a queue is in no other one any more. */
  private newStay(caller: CallerState, queue: string, joinedAt: number, heard: Heard, position?: number): StayState {
    const { stay } = caller;
    if (stay && !stay.ended) this.endUnheard(caller, stay, heard);
    return this.book.newStay(caller, queue, joinedAt, position);
  }

  private tellJoined(caller: CallerState, stay: StayState, heard: Heard): void {
    if (stay.told) return;
    stay.told = true;
    this.tell(stayMessage(this.when({ ...heard, t: stay.joinedAt }), caller, stay));
  }

  private tellTalkEnd(caller: CallerState, talk: TalkState, reason: string, heard: Heard): void {
    const by = reason === 'caller' ? 'client' : 'extension';
    const wrapUp = this.agents.wrapUpOf(talk.stay.queue, talk.offer.interface);
    this.tell(talkMessage(this.when(heard), caller, talk, { reason, hangup: hangupOf(16, by), wrapUp }));
  }

  private when({ t, reconciled }: Heard) {
    return { pbx: this.pbx, t, reconciled };
  }

  private wait(caller: CallerState, { at }: Heard): void {
    this.line.add(caller, at + SETTLE_MS);
  }

  private forget(caller: CallerState, heard: Heard): void {
    const { stay } = caller;
    for (const offer of stay ? openOffers(stay) : [])
      if (stay) this.cancel(caller, stay, offer, caller.asked ? 'abandoned' : reasonOf(offer), heard);
    for (const talk of Object.values(caller.talks))
      if (!talk.ended) this.endTalk(caller, talk, caller.asked ? 'caller' : 'agent', heard);
    this.book.forget(caller);
  }

  /** The stay that an event about an agent belongs to; one that was not heard of is concluded from it. */
  private stayAt(event: AmiMessage, heard: Heard): { caller: CallerState; stay: StayState } | undefined {
    const caller = this.book.callerOf(event, heard);
    const queue = textIn(event, 'Queue');
    if (!caller || queue === undefined) return undefined;
    if (caller.stay?.queue === queue) return { caller, stay: caller.stay };
    const waited = numberIn(event, 'HoldTime') ?? 0;
    const stay = this.newStay(caller, queue, heard.t - waited * 1000, heard);
    // Its begin was told, or not, by whoever was here then.
    stay.told = true;
    return { caller, stay };
  }

  /** The phone itself rings behind the Local channel of a member. */
  private ringingAs(id: string | undefined): { caller: CallerState; offer: OfferState } | undefined {
    const channel = id === undefined ? undefined : this.channels.get(id);
    if (channel?.kind !== 'extension') return undefined;
    for (const one of this.ringing.values())
      if (one.offer.phone === channel.party && one.caller.callId === channel.callId) return one;
    return undefined;
  }
}
