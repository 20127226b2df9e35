import type { AmiMessage } from '../ami/types';
import type { CallMessage } from '../messages/types';
import { copied } from '../text';
import { CallBook } from './book';
import { isConference } from './bridges';
import { classify } from './classify';
import { callEvent, type CallEventName } from './events';
import { Happenings } from './happenings';
import { keepVariables } from './notes';
import { currentMessages, recordMessage } from './payloads';
import { inOrderOfBirth } from './birth';
import { durationIn, idIn, nameIn, textIn, timeOf } from './reading';
import { rolesOf } from './roles';
import type { CallState, ChannelState } from './state';
import { Talk } from './talk';
import type { CallTracker, CallTrackerOptions, CallTrackerStats, SavedCall } from './types';
import { WaitingLine } from './waiting';

/** How many live channels are followed. Those beyond are left out and counted (`overBound`). */
const MAX_CHANNELS = 20_000;
/** How long (our clock) to wait for late events, a Cdr or an OriginateResponse, after the last channel of a call ended. */
const SETTLE_MS = 2000;
/** How long a call stays known after its record, so that an even later event does not begin a second call. */
const REMEMBER_MS = 5000;
/** How old a list of channels may be when it arrives. */
const LIST_TAKES_MS = 60_000;
const RING = '4';

/** See {@link CallTracker}. Every event costs the size of its call, however many calls there are. */
export class Tracker implements CallTracker {
  private readonly book: CallBook;
  private readonly settling = new WaitingLine();
  private readonly remembered = new WaitingLine();
  private readonly happenings: Happenings;
  private told: CallMessage[] = [];
  private channels = 0;
  private tampered = 0;
  private overBound = 0;
  private lostAt: number | undefined;
  /** PBX clock minus ours, in ms, by the last event with a time stamp. */
  private ahead = 0;
  private sessionAt = -Infinity;

  constructor(private readonly options: CallTrackerOptions) {
    this.book = new CallBook(options.plan);
    this.happenings = new Happenings(options, new Talk(options, (message) => this.told.push(message)));
  }

  get stats(): CallTrackerStats {
    const { channels, tampered, overBound } = this;
    // Calls that wait for late events, or are only remembered, have ended.
    const live = [...this.book.calls].filter(({ doneAt, told }) => doneAt === undefined && !told);
    return { liveCalls: live.length, channels, tampered, overBound };
  }

  current(): readonly CallMessage[] {
    return [...this.book.calls].flatMap((call) => (call.told ? [] : currentMessages(this.options, call)));
  }

  get wakeAt(): number | undefined {
    const [one, other] = [this.settling.next, this.remembered.next];
    return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
  }

  apply(event: AmiMessage, at: number): readonly CallMessage[] {
    const known = callEvent(event.name);
    if (!known) return [];
    const { name, subject, joins } = known;
    const t = timeOf(event, at);
    if (event.get('Timestamp') !== undefined) this.ahead = t - at;
    if (joins) this.join(joins.map((header) => idIn(event, header)));
    if (name === 'Newchannel') this.newChannel(event, at, t);
    else if (name === 'LocalBridge') this.pair(idIn(event, 'LocalOneUniqueid'), idIn(event, 'LocalTwoUniqueid'));
    else if (name === 'BridgeMerge') this.mergeBridges(event);
    else this.happened(name, this.book.channelOf(idIn(event, subject)), event, at, t);
    return this.take();
  }

  tick(at: number): readonly CallMessage[] {
    for (const { call, at: due } of this.settling.due(at)) {
      // Meanwhile it may have gone on, been merged into another call, or got its record.
      if (!this.book.calls.has(call) || call.told || call.doneAt === undefined) continue;
      if (call.doneAt + SETTLE_MS === due) this.conclude(call, at);
    }
    for (const { call } of this.remembered.due(at)) this.book.forget(call);
    return this.take();
  }

  linkLost(at: number): void {
    // Of one outage the first loss counts. One from before the last session, whose list of channels never came, is replaced.
    if (this.lostAt === undefined || this.lostAt < this.sessionAt) this.lostAt = at;
  }

  beginSession(at: number, restarted: boolean): readonly CallMessage[] {
    this.sessionAt = at;
    if (restarted) {
      const end = this.byThePbx(this.lostAt ?? at);
      for (const call of [...this.book.calls]) this.endUnheard(call, () => true, end, at);
    }
    return this.take();
  }

  resync(rows: readonly AmiMessage[], at: number): readonly CallMessage[] {
    const up = new Map(
      rows.flatMap((row) => {
        const id = idIn(row, 'Uniqueid');
        return id === undefined ? [] : [[id, row] as const];
      }),
    );
    // A channel with an event since the list was requested may be newer than the list.
    const isOlder = ({ seenAt }: ChannelState): boolean => seenAt < this.sessionAt || seenAt < at - LIST_TAKES_MS;
    const isMissing = (channel: ChannelState): boolean => !up.has(channel.id) && isOlder(channel);
    for (const call of [...this.book.calls]) this.endUnheard(call, isMissing, this.byThePbx(at), at);
    const known = [...up].filter(([id]) => this.book.channelOf(id) !== undefined);
    const unknown = [...up].filter(([id]) => this.book.channelOf(id) === undefined);
    unknown.sort(([, one], [, other]) => durationIn(other) - durationIn(one));
    for (const [id, row] of unknown) this.takeUp(id, row, at);
    for (const [id, row] of known) {
      const channel = this.book.channelOf(id);
      if (channel && isOlder(channel)) this.compare(id, row, at);
    }
    for (const [id, row] of unknown) this.compare(id, row, at);
    this.lostAt = undefined;
    return this.take();
  }

  takeChanges(): { readonly changed: readonly SavedCall[]; readonly forgotten: readonly string[] } {
    return this.book.takeChanges();
  }

  restore(saved: readonly SavedCall[]): { readonly unreadable: number } {
    let unreadable = 0;
    for (const one of saved) {
      const call = this.book.restore(one);
      if (!call) {
        unreadable += 1;
        continue;
      }
      this.channels += Object.values(call.channels).filter(({ goneAt }) => goneAt === undefined).length;
      if (call.told) this.remembered.add(call, (call.doneAt ?? 0) + SETTLE_MS + REMEMBER_MS);
      else if (call.doneAt !== undefined) this.settling.add(call, call.doneAt + SETTLE_MS);
    }
    this.settling.sort();
    this.remembered.sort();
    return { unreadable };
  }

  /** Converts a time of our clock to the PBX's clock. */
  private byThePbx(at: number): number {
    return at + this.ahead;
  }

  private take(): readonly CallMessage[] {
    const { told } = this;
    this.told = [];
    return told;
  }

  private newChannel(event: AmiMessage, at: number, t: number): void {
    const id = idIn(event, 'Uniqueid');
    const name = textIn(event, 'Channel');
    if (id === undefined || name === undefined) {
      this.tampered += 1;
      return;
    }
    if (this.book.channelOf(id)) return;
    const incoming = event.get('ChannelState') === RING;
    this.addChannel(event, { id, name, bornAt: t, seenAt: at, incoming, hasJustBegun: true });
  }

  private addChannel(
    event: AmiMessage,
    {
      hasJustBegun,
      ...known
    }: Pick<ChannelState, 'id' | 'name' | 'bornAt' | 'seenAt' | 'incoming'> & { readonly hasJustBegun: boolean },
  ): CallState | undefined {
    const linkedid = copied(idIn(event, 'Linkedid') ?? known.id);
    const number = textIn(event, 'CallerIDNum');
    const callerName = nameIn(event, 'CallerIDName');
    const connected = textIn(event, 'ConnectedLineNum');
    const context = event.get('Context') ?? '';
    const channel: ChannelState = {
      ...known,
      id: copied(known.id),
      ...classify(this.options.plan, known.name, { context, ownNumber: number, hasJustBegun }),
      linkedid,
      exten: textIn(event, 'Exten') ?? '',
      ...(number === undefined ? {} : { number }),
      ...(callerName === undefined ? {} : { callerName }),
      ...(connected === undefined ? {} : { connected }),
    };
    if (this.channels >= MAX_CHANNELS) {
      this.overBound += 1;
      return undefined;
    }
    const call = this.book.callFor(linkedid, channel.id, channel.bornAt);
    const bornAt = hasJustBegun ? channel.bornAt : inOrderOfBirth(call, channel);
    if (!this.book.add(call, { ...channel, bornAt })) {
      this.overBound += 1;
      return undefined;
    }
    this.channels += 1;
    keepVariables(this.options, call, event);
    return call;
  }

  private pair(one: string | undefined, two: string | undefined): void {
    const [first, second] = [this.book.channelOf(one), this.book.channelOf(two)];
    if (!first || !second) return;
    first.pair = second.id;
    second.pair = first.id;
  }

  /** All channels of one bridge are now in another. Each channel's move has events of its own too. */
  private mergeBridges(event: AmiMessage): void {
    const from = this.book.callIn(idIn(event, 'FromBridgeUniqueid'));
    const to = this.book.callIn(idIn(event, 'ToBridgeUniqueid'));
    if (from && to && from !== to) this.merge(from, to);
  }

  private happened(
    name: CallEventName,
    channel: ChannelState | undefined,
    event: AmiMessage,
    at: number,
    t: number,
  ): void {
    if (!channel) return;
    this.follow(event, channel);
    if (name === 'BridgeEnter') this.joinByBridge(channel, idIn(event, 'BridgeUniqueid'), event);
    const call = this.book.callOf(channel.id);
    if (!call || call.told) return;
    channel.seenAt = Math.max(channel.seenAt, at);
    const { bridge, goneAt } = channel;
    this.happenings.apply(name, { event, call, channel, t });
    this.book.movedBridge(call, bridge, channel.bridge);
    this.book.changed(call);
    if (goneAt === undefined && channel.goneAt !== undefined) this.channelGone(call, at);
  }

  /** A channel with a new Linkedid: its call has become a part of another. */
  private follow(event: AmiMessage, { id, linkedid }: ChannelState): void {
    const now = idIn(event, idIn(event, 'Uniqueid') === id ? 'Linkedid' : 'DestLinkedid');
    const mine = this.book.callOf(id);
    if (now === undefined || now === linkedid || !mine) return;
    const other = this.book.linkedTo(mine, now);
    if (other) this.merge(mine, other);
  }

  /**
   * Channels in one bridge belong to one call. Asterisk gives them one Linkedid too, but that event may have been missed.
   * In a conference it does not: there a client and our own people become one call, while two clients stay two calls.
   */
  private joinByBridge({ id }: ChannelState, bridge: string | undefined, event: AmiMessage): void {
    const mine = this.book.callOf(id);
    if (bridge === undefined || !mine || event.get('BridgeTechnology') === 'holding_bridge') return;
    const other = this.book.callIn(bridge);
    if (other && other !== mine) {
      const hasClient = (call: CallState): boolean => rolesOf(call, this.options.plan).direction !== 'internal';
      if (!isConference(event) || hasClient(mine) !== hasClient(other)) this.merge(mine, other);
    }
  }

  private join(ids: readonly (string | undefined)[]): void {
    const [first, ...others] = ids.filter((id) => this.book.channelOf(id) !== undefined);
    for (const other of others) {
      const [one, two] = [this.book.callOf(first), this.book.callOf(other)];
      if (one && two && one !== two) this.merge(one, two);
    }
  }

  private merge(one: CallState, other: CallState): void {
    const kept = this.book.merge(one, other);
    if (kept?.doneAt !== undefined) this.settling.add(kept, kept.doneAt + SETTLE_MS);
  }

  private channelGone(call: CallState, at: number): void {
    this.channels -= 1;
    if (Object.values(call.channels).some(({ goneAt }) => goneAt === undefined)) return;
    call.doneAt = at;
    this.settling.add(call, at + SETTLE_MS);
  }

  private conclude(call: CallState, at: number): void {
    const record = recordMessage(this.options, call);
    if (record) this.told.push(record);
    call.told = true;
    this.book.changed(call);
    this.remembered.add(call, Math.max(at, (call.doneAt ?? at) + SETTLE_MS) + REMEMBER_MS);
  }

  /** Ends the channels of a call that ended while nothing was heard. When is not known, so the call is marked `reconciled`. */
  private endUnheard(call: CallState, isGone: (channel: ChannelState) => boolean, t: number, at: number): void {
    const gone = Object.values(call.channels).filter((channel) => channel.goneAt === undefined && isGone(channel));
    if (gone.length === 0) return;
    call.reconciled = true;
    for (const channel of gone) {
      const { bridge } = channel;
      this.happenings.gone(call, channel, Math.max(t, channel.bornAt));
      this.book.movedBridge(call, bridge, undefined);
      this.channelGone(call, at);
    }
    this.book.changed(call);
  }

  /** Adds a channel that began while nothing was heard, so not before the link was lost. */
  private takeUp(id: string, row: AmiMessage, at: number): void {
    const name = textIn(row, 'Channel');
    if (name === undefined) return;
    const bornAt = this.byThePbx(Math.max(at - durationIn(row), this.lostAt ?? -Infinity));
    const incoming = !/^App(Dial2?|Queue)$/i.test(row.get('Application') ?? '');
    const call = this.addChannel(row, { id, name, bornAt, seenAt: at, incoming, hasJustBegun: false });
    if (!call) return;
    call.reconciled = true;
    const half = /^(Local\/.*;)([12])$/.exec(name);
    const other =
      half && Object.values(call.channels).find((one) => one.name === `${half[1]}${half[2] === '1' ? 2 : 1}`);
    if (other) this.pair(id, other.id);
  }

  /** Catches up with states and bridges that changed while nothing was heard. */
  private compare(id: string, row: AmiMessage, at: number): void {
    const before = this.book.channelOf(id);
    if (!before || before.goneAt !== undefined) return;
    this.follow(row, before);
    // The Linkedid already says which call it is. A bridge may also hold channels that only wait side by side, as parked ones do.
    if (isConference(row)) this.joinByBridge(before, idIn(row, 'BridgeId'), row);
    const call = this.book.callOf(id);
    if (!call || call.told) return;
    const { bridge } = before;
    const lostAt = this.lostAt === undefined ? undefined : this.byThePbx(this.lostAt);
    this.happenings.found({ event: row, call, channel: before, t: this.byThePbx(at) }, lostAt);
    this.book.movedBridge(call, bridge, before.bridge);
    this.book.changed(call);
  }
}
