import type { AmiMessage } from '../ami/types';
import type { CallMessage } from '../messages/types';
import { classify } from './classify';
import { Happenings, keepVariables } from './happenings';
import { mergeCalls } from './merge';
import { recordMessage } from './payloads';
import { durationIn, nameIn, textIn, timeOf, variablesIn } from './reading';
import { readSaved, writeSaved } from './saved';
import { CALL_BOUNDS, newCall, type CallState, type ChannelState } from './state';
import { Talk } from './talk';
import type { CallTracker, CallTrackerOptions, CallTrackerStats, SavedCall } from './types';

/** Live channels that are followed; one more is counted and left out. */
const MAX_CHANNELS = 20_000;
/** After the last channel of a call went so long, by our clock, latecomers are waited for: a Cdr, an OriginateResponse. */
const SETTLE_MS = 2000;
/** A call that was told stays known so long, so that what comes later still makes no second one. */
const REMEMBER_MS = 5000;
const RING = '4';

/** Which header names the channel that an event is about; `Uniqueid` unless it stands here. */
const SUBJECT: Readonly<Record<string, string>> = {
  dialbegin: 'DestUniqueid',
  dialend: 'DestUniqueid',
  blindtransfer: 'TransfererUniqueid',
  attendedtransfer: 'OrigTransfererUniqueid',
  parkedcall: 'ParkeeUniqueid',
  unparkedcall: 'ParkeeUniqueid',
  parkedcalltimeout: 'ParkeeUniqueid',
  parkedcallgiveup: 'ParkeeUniqueid',
};

/** Events that tell that the channels in these headers belong to one call now. */
const JOINING: Readonly<Record<string, readonly string[]>> = {
  pickup: ['Uniqueid', 'TargetUniqueid'],
  dialbegin: ['Uniqueid', 'DestUniqueid'],
  dialend: ['Uniqueid', 'DestUniqueid'],
  attendedtransfer: [
    'OrigTransfererUniqueid',
    'SecondTransfererUniqueid',
    'TransfereeUniqueid',
    'TransferTargetUniqueid',
  ],
  unparkedcall: ['ParkeeUniqueid', 'RetrieverUniqueid'],
};

/** A call that waits for its moment; the waits are all of one length, so that the first is always the next. */
interface Waiting {
  readonly call: CallState;
  readonly at: number;
}

/** See {@link CallTracker}. Every event costs the size of its call, however many calls there are. */
export class Tracker implements CallTracker {
  private readonly calls = new Set<CallState>();
  private readonly byChannel = new Map<string, CallState>();
  private readonly byLinkedid = new Map<string, CallState>();
  private readonly byBridge = new Map<string, CallState>();
  private settling: Waiting[] = [];
  private remembered: Waiting[] = [];
  private readonly dirty = new Set<CallState>();
  private readonly forgotten = new Set<string>();
  private readonly talk: Talk;
  private readonly happenings: Happenings;
  private told: CallMessage[] = [];
  private channels = 0;
  private tampered = 0;
  private overBound = 0;
  private lostAt: number | undefined;
  private sessionAt = -Infinity;

  constructor(private readonly options: CallTrackerOptions) {
    this.talk = new Talk(options, (message) => this.told.push(message));
    this.happenings = new Happenings(options, this.talk);
  }

  get stats(): CallTrackerStats {
    const { channels, tampered, overBound } = this;
    // One that waits for latecomers, or that is only remembered, is over.
    const liveCalls = [...this.calls].filter(({ doneAt, told }) => doneAt === undefined && !told).length;
    return { liveCalls, channels, tampered, overBound };
  }

  get wakeAt(): number | undefined {
    const first = [this.settling[0], this.remembered[0]].flatMap((one) => (one ? [one.at] : []));
    return first.length === 0 ? undefined : Math.min(...first);
  }

  apply(event: AmiMessage, at: number): readonly CallMessage[] {
    const name = event.name.toLowerCase();
    const t = timeOf(event, at);
    if (name === 'newchannel') this.newChannel(event, at, t);
    else if (name === 'localbridge') this.pair(event.get('LocalOneUniqueid'), event.get('LocalTwoUniqueid'));
    else if (name === 'bridgemerge') this.mergeBridges(event, t);
    else this.happened(name, event, at, t);
    return this.take();
  }

  tick(at: number): readonly CallMessage[] {
    while (this.settling[0] && this.settling[0].at <= at) {
      const [{ call, at: due }] = this.settling.splice(0, 1) as [Waiting];
      // It went on meanwhile, or became a part of another, or was told.
      if (!this.calls.has(call) || call.told || call.doneAt === undefined || call.doneAt + SETTLE_MS !== due) continue;
      this.conclude(call, at);
    }
    while (this.remembered[0] && this.remembered[0].at <= at) {
      const [{ call }] = this.remembered.splice(0, 1) as [Waiting];
      this.forget(call);
    }
    return this.take();
  }

  linkLost(at: number): void {
    this.lostAt ??= at;
  }

  beginSession(at: number, restarted: boolean): readonly CallMessage[] {
    this.sessionAt = at;
    if (restarted) {
      const end = this.lostAt ?? at;
      for (const call of [...this.calls]) this.endUnheard(call, () => true, end, at);
    }
    return this.take();
  }

  resync(rows: readonly AmiMessage[], at: number): readonly CallMessage[] {
    const up = new Map(rows.flatMap((row) => (row.get('Uniqueid') ? [[row.get('Uniqueid') ?? '', row] as const] : [])));
    // What was heard of since the session began may be younger than the list.
    const isMissing = (channel: ChannelState): boolean => !up.has(channel.id) && channel.seenAt < this.sessionAt;
    for (const call of [...this.calls]) this.endUnheard(call, isMissing, at, at);
    for (const [id, row] of up) if (!this.byChannel.has(id)) this.takeUp(row, at);
    for (const [id, row] of up) this.compare(id, row, at);
    this.lostAt = undefined;
    return this.take();
  }

  takeChanges(): { readonly changed: readonly SavedCall[]; readonly forgotten: readonly string[] } {
    const changed = [...this.dirty].filter((call) => this.calls.has(call)).map((call) => writeSaved(call));
    const forgotten = [...this.forgotten];
    this.dirty.clear();
    this.forgotten.clear();
    return { changed, forgotten };
  }

  restore(saved: readonly SavedCall[]): { readonly unreadable: number } {
    let unreadable = 0;
    for (const one of saved) {
      const call = readSaved(one);
      if (!call) {
        unreadable += 1;
        continue;
      }
      this.calls.add(call);
      for (const channel of Object.values(call.channels)) {
        this.byChannel.set(channel.id, call);
        if (channel.goneAt === undefined) this.channels += 1;
      }
      for (const linkedid of call.linkedids) this.byLinkedid.set(linkedid, call);
      for (const bridge of Object.keys(call.bridges)) this.byBridge.set(bridge, call);
      if (call.told) this.remembered.push({ call, at: (call.doneAt ?? 0) + SETTLE_MS + REMEMBER_MS });
      else if (call.doneAt !== undefined) this.settling.push({ call, at: call.doneAt + SETTLE_MS });
    }
    for (const list of [this.settling, this.remembered]) list.sort((one, other) => one.at - other.at);
    return { unreadable };
  }

  private take(): readonly CallMessage[] {
    const { told } = this;
    this.told = [];
    return told;
  }

  private newChannel(event: AmiMessage, at: number, t: number): void {
    const id = textIn(event, 'Uniqueid');
    const name = textIn(event, 'Channel');
    if (id === undefined || name === undefined || id === '__proto__') {
      this.tampered += 1;
      return;
    }
    if (this.byChannel.has(id)) return;
    this.addChannel(event, { id, name, t, at, incoming: event.get('ChannelState') === RING });
  }

  private addChannel(
    event: AmiMessage,
    { id, name, t, at, incoming }: { id: string; name: string; t: number; at: number; incoming: boolean },
  ): ChannelState | undefined {
    const linkedid = textIn(event, 'Linkedid') ?? id;
    const call = this.callFor(linkedid, id, t);
    if (this.channels >= MAX_CHANNELS || Object.keys(call.channels).length >= CALL_BOUNDS.channels) {
      this.overBound += 1;
      return undefined;
    }
    const number = textIn(event, 'CallerIDNum');
    const callerName = nameIn(event, 'CallerIDName');
    const connected = textIn(event, 'ConnectedLineNum');
    const channel: ChannelState = {
      id,
      name,
      ...classify(this.options.plan, name, event.get('Context') ?? '', number),
      linkedid,
      incoming,
      exten: textIn(event, 'Exten') ?? '',
      ...(number === undefined ? {} : { number }),
      ...(callerName === undefined ? {} : { callerName }),
      ...(connected === undefined ? {} : { connected }),
      bornAt: t,
      seenAt: at,
    };
    call.channels[id] = channel;
    call.startedAt = Math.min(call.startedAt, t);
    delete call.doneAt;
    this.byChannel.set(id, call);
    this.channels += 1;
    this.dirty.add(call);
    keepVariables(this.options, call, variablesIn(event));
    return channel;
  }

  /** The call of a Linkedid; a new one when there is none, or when the one of this Linkedid has been told already. */
  private callFor(linkedid: string, id: string, t: number): CallState {
    const known = this.byLinkedid.get(linkedid);
    if (known && !known.told) return known;
    const call = newCall(known ? id : linkedid, t);
    this.calls.add(call);
    this.link(call, linkedid);
    return call;
  }

  private link(call: CallState, linkedid: string): void {
    this.byLinkedid.set(linkedid, call);
    if (!call.linkedids.includes(linkedid)) call.linkedids.push(linkedid);
  }

  private pair(one: string | undefined, two: string | undefined): void {
    const [first, second] = [this.channelOf(one), this.channelOf(two)];
    if (!first || !second) return;
    first.pair = second.id;
    second.pair = first.id;
    this.join([first.id, second.id]);
  }

  /** All that was in one bridge is in another now; who moved is told by its own events too. */
  private mergeBridges(event: AmiMessage, t: number): void {
    const [from, to] = [event.get('FromBridgeUniqueid'), event.get('ToBridgeUniqueid')];
    const call = from === undefined ? undefined : this.byBridge.get(from);
    const target = to === undefined ? undefined : this.byBridge.get(to);
    if (call && target && call !== target) this.merge(call, target, t);
  }

  private happened(name: string, event: AmiMessage, at: number, t: number): void {
    const joined = JOINING[name];
    if (joined) this.join(joined.map((header) => event.get(header)));
    const channel = this.channelOf(this.subjectOf(name, event));
    if (!channel) return;
    this.follow(event, channel, t);
    if (name === 'bridgeenter') this.joinByBridge(event, channel, t);
    const call = this.byChannel.get(channel.id);
    if (!call || call.told) return;
    channel.seenAt = Math.max(channel.seenAt, at);
    const wasThere = channel.goneAt === undefined;
    this.happenings.apply({ event, call, channel, t });
    keepVariables(this.options, call, variablesIn(event));
    this.dirty.add(call);
    if (wasThere && channel.goneAt !== undefined) this.channelGone(call, at);
  }

  private subjectOf(name: string, event: AmiMessage): string | undefined {
    const header = SUBJECT[name];
    if (header !== undefined) return event.get(header);
    // Headers are compared without case: a Cdr's UniqueID is found too.
    return event.get('Uniqueid');
  }

  private channelOf(id: string | undefined): ChannelState | undefined {
    return id === undefined ? undefined : this.byChannel.get(id)?.channels[id];
  }

  /** A Linkedid that is not the one known of this channel: its call has become a part of another. */
  private follow(event: AmiMessage, { id, linkedid }: ChannelState, t: number): void {
    const now = event.get('Uniqueid') === id ? event.get('Linkedid') : event.get('DestLinkedid');
    if (now === undefined || now === linkedid) return;
    const [mine, other] = [this.byChannel.get(id), this.byLinkedid.get(now)];
    if (mine && other && mine !== other) this.merge(mine, other, t);
    else if (mine && !other) this.link(mine, now);
  }

  private joinByBridge(event: AmiMessage, { id }: ChannelState, t: number): void {
    const bridge = event.get('BridgeUniqueid');
    const mine = this.byChannel.get(id);
    if (bridge === undefined || !mine || event.get('BridgeTechnology') === 'holding_bridge') return;
    const other = this.byBridge.get(bridge);
    const isLive = other !== undefined && this.calls.has(other) && bridge in other.bridges;
    if (isLive && other !== mine) this.merge(mine, other, t);
    this.byBridge.set(bridge, this.byChannel.get(id) ?? mine);
  }

  private join(ids: readonly (string | undefined)[]): void {
    const [first, ...others] = ids.filter((id) => this.channelOf(id) !== undefined) as string[];
    for (const other of others) {
      const [one, two] = [this.byChannel.get(first ?? ''), this.byChannel.get(other)];
      if (one && two && one !== two) this.merge(one, two);
    }
  }

  private merge(one: CallState, other: CallState, t?: number): void {
    if (one.told || other.told) return;
    const { kept, gone } = mergeCalls(one, other, this.options.plan);
    for (const id of Object.keys(kept.channels)) this.byChannel.set(id, kept);
    for (const linkedid of gone.linkedids) this.link(kept, linkedid);
    for (const bridge of Object.keys(kept.bridges)) this.byBridge.set(bridge, kept);
    this.calls.delete(gone);
    this.dirty.add(kept);
    if (gone.callId !== kept.callId) this.forgotten.add(gone.callId);
    if (t !== undefined) this.talk.settle(kept, t);
  }

  private channelGone(call: CallState, at: number): void {
    this.channels -= 1;
    if (Object.values(call.channels).some(({ goneAt }) => goneAt === undefined)) return;
    call.doneAt = at;
    this.settling.push({ call, at: at + SETTLE_MS });
  }

  private conclude(call: CallState, at: number): void {
    const record = recordMessage(this.options, call);
    if (record) this.told.push(record);
    call.told = true;
    this.dirty.add(call);
    this.remembered.push({ call, at: Math.max(at, (call.doneAt ?? at) + SETTLE_MS) + REMEMBER_MS });
  }

  private forget(call: CallState): void {
    if (!this.calls.delete(call)) return;
    for (const id of Object.keys(call.channels)) if (this.byChannel.get(id) === call) this.byChannel.delete(id);
    for (const linkedid of call.linkedids) if (this.byLinkedid.get(linkedid) === call) this.byLinkedid.delete(linkedid);
    for (const bridge of Object.keys(call.bridges))
      if (this.byBridge.get(bridge) === call) this.byBridge.delete(bridge);
    this.dirty.delete(call);
    this.forgotten.add(call.callId);
  }

  /** Ends the channels of a call that went while nothing was heard. When is not known: the call tells so (`reconciled`). */
  private endUnheard(call: CallState, isGone: (channel: ChannelState) => boolean, t: number, at: number): void {
    const gone = Object.values(call.channels).filter((channel) => channel.goneAt === undefined && isGone(channel));
    if (gone.length === 0) return;
    call.reconciled = true;
    for (const channel of gone) {
      this.happenings.gone(call, channel, Math.max(t, channel.bornAt));
      this.channelGone(call, at);
    }
    this.dirty.add(call);
  }

  /** A channel that began while nothing was heard. */
  private takeUp(row: AmiMessage, at: number): void {
    const id = textIn(row, 'Uniqueid');
    const name = textIn(row, 'Channel');
    if (id === undefined || name === undefined) return;
    const bornAt = at - durationIn(row);
    const isDialled = /^App(Dial2?|Queue)$/i.test(row.get('Application') ?? '');
    const channel = this.addChannel(row, { id, name, t: bornAt, at, incoming: !isDialled });
    const call = this.byChannel.get(id);
    if (!channel || !call) return;
    call.reconciled = true;
    if (row.get('ChannelState') === '6') channel.upAt = bornAt;
    const half = /^(Local\/.*;)([12])$/.exec(name);
    const other =
      half && Object.values(call.channels).find((one) => one.name === `${half[1]}${half[2] === '1' ? 2 : 1}`);
    if (other) this.pair(id, other.id);
  }

  /** Bridges and states that changed while nothing was heard. */
  private compare(id: string, row: AmiMessage, at: number): void {
    const channel = this.channelOf(id);
    const call = this.byChannel.get(id);
    // What was heard of since is younger than the row.
    if (
      !channel ||
      !call ||
      channel.goneAt !== undefined ||
      (channel.seenAt >= this.sessionAt && channel.seenAt !== at)
    )
      return;
    this.happenings.found(call, channel, row, at);
    this.joinByRow(row, channel, at);
    this.dirty.add(call);
  }

  private joinByRow(row: AmiMessage, { id }: ChannelState, at: number): void {
    const bridge = textIn(row, 'BridgeId');
    const mine = this.byChannel.get(id);
    if (bridge === undefined || !mine) return;
    const other = this.byBridge.get(bridge);
    if (other && other !== mine && this.calls.has(other)) this.merge(mine, other, at);
    this.byBridge.set(bridge, this.byChannel.get(id) ?? mine);
  }
}
