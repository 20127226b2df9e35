import { Interrupted, type Channel, type Place } from './channel';
import { CONSULT_PATIENCE, PARK_PATIENCE, parkingSlots, RING_PATIENCE } from './defaults';
import { TRUNK } from './devices';
import type { Dialer, TalkTimes, Target } from './dial';
import type { Header } from './event-format';
import { bridgeSnapshot, type Bridge, type Pbx } from './pbx';

type Script = () => Promise<void>;

export interface ConversationParts {
  readonly pbx: Pbx;
  readonly dialer: Dialer;
  readonly times: TalkTimes;
  /** Whom an extension or a number reaches. */
  readonly target: (exten: string) => Target | undefined;
}

/** One client in a parking slot. */
export interface Parked {
  readonly channel: Channel;
  readonly slot: number;
  readonly parker: string;
  readonly until: number;
  readonly since: number;
}

/** What manager actions do with people who talk. Events and their order follow the recordings of Asterisk 22.10 and 16.28. */
export class Conversations {
  readonly parked = new Map<number, Parked>();
  /** Channels whose phone holds them. */
  private readonly held = new WeakSet<Channel>();
  /** Phones that consult somebody while their client waits. */
  private readonly consulting = new Set<Channel>();

  constructor(private readonly parts: ConversationParts) {}

  /** The one who talks with this channel. */
  partnerOf(channel: Channel): Channel | undefined {
    const bridge = this.parts.pbx.bridges.get(channel.bridgeId);
    return [...(bridge?.channels ?? [])].find((one) => one !== channel);
  }

  /** Takes two channels out of whatever they do, and lets them talk. */
  join(one: Channel, other: Channel): void {
    this.take(one, [other], async () => {
      await this.talk(one, other);
      return undefined;
    });
  }

  blindTransfer(from: Channel, client: Channel, place: Place): void {
    const { pbx } = this.parts;
    const bridge = pbx.bridges.get(from.bridgeId);
    pbx.emit('BlindTransfer', 'call', [
      ['Result', 'Success'],
      ...from.snapshot('Transferer'),
      ...client.snapshot('Transferee'),
      ...(bridge ? bridgeSnapshot(bridge) : []),
      ['IsExternal', 'Yes'],
      ['Context', place.context],
      ['Extension', place.exten],
    ]);
    client.interrupt({ kind: 'redirect', to: place });
    from.interrupt({ kind: 'hangup', cause: 16, byFarEnd: false });
  }

  /** The phone holds, or takes back, whom it talks with. */
  phoneHold(channel: Channel, isOn: boolean): void {
    const partner = this.partnerOf(channel);
    if (!partner || this.held.has(channel) === isOn) return;
    if (isOn) {
      this.held.add(channel);
      this.tellHold(channel, partner);
    } else {
      this.held.delete(channel);
      this.tellUnhold(channel, partner);
    }
  }

  /** Puts a channel into a slot; false when all are taken. Whom it talked with stays alone on the line. */
  park(channel: Channel, parker: string): boolean {
    const { pbx } = this.parts;
    const slot = parkingSlots.find((one) => !this.parked.has(one));
    if (slot === undefined) return false;
    const left = this.partnerOf(channel);
    const now = pbx.clock.now();
    const parked = { channel, slot, parker, since: now, until: now + PARK_PATIENCE * this.parts.times.talkMs };
    this.parked.set(slot, parked);
    channel.interrupt({ kind: 'leave', to: () => this.waitInSlot(parked) });
    left?.interrupt({ kind: 'leave', to: () => this.stayAlone(left) });
    return true;
  }

  /** A channel dialled a slot: it gets whoever waits there. */
  async retrieve(channel: Channel, slot: number): Promise<void> {
    const { pbx } = this.parts;
    const parked = this.parked.get(slot);
    if (!parked) return;
    const { channel: client } = parked;
    this.parked.delete(slot);
    pbx.setState(channel, 'Up');
    const at = parkedHeaders(parked, pbx.clock.now());
    const parkee = client.snapshot('Parkee');
    pbx.emit('UnParkedCall', 'call', [...parkee, ...channel.snapshot('Retriever'), ...at.slice(parkee.length)]);
    let settle: () => void = () => undefined;
    const over = new Promise<void>((resolve) => (settle = resolve));
    client.interrupt({ kind: 'leave', to: () => this.after(client, over) });
    await this.talk(channel, client).finally(settle);
  }

  /** The keys of an attended transfer: the client waits with music while the phone calls somebody. */
  attendedTransfer(phone: Channel, client: Channel, place: Place): void {
    this.consulting.add(phone);
    this.tellHold(phone, client);
    this.take(phone, [client], () => this.consult(phone, client, place));
  }

  /** Back from the consultation to the client; false when there is none. */
  cancelTransfer(phone: Channel): boolean {
    if (!this.consulting.has(phone)) return false;
    phone.interrupt({ kind: 'back' });
    return true;
  }

  /** `channel` plays `play`, the others wait for it and then do what it answers, or end. */
  private take(channel: Channel, others: readonly Channel[], play: () => Promise<Script | undefined>): void {
    let settle: (next: Script | undefined) => void = () => undefined;
    const over = new Promise<Script | undefined>((resolve) => (settle = resolve));
    const follow = async (): Promise<void> => {
      let next: Script | undefined;
      try {
        next = await play();
      } finally {
        settle(next);
      }
    };
    channel.interrupt({ kind: 'leave', to: follow });
    for (const other of others) {
      other.interrupt({
        kind: 'leave',
        to: async () => {
          const next = await this.after(other, over);
          await next?.();
        },
      });
    }
  }

  /** Waits for what another channel's dialplan does with this one. */
  private async after<Result>(channel: Channel, over: Promise<Result>): Promise<Result> {
    const result = await over;
    if (channel.interruption) throw new Interrupted(channel);
    return result;
  }

  /** Two channels in a bridge until one goes; if nothing happens, the outside party hangs up after the talk time. */
  private async talk(one: Channel, other: Channel): Promise<void> {
    const { pbx, dialer } = this.parts;
    // Both have left what they did before.
    await pbx.wait(0, one);
    const bridge = pbx.bridge();
    pbx.enter(bridge, one);
    pbx.enter(bridge, other);
    let first = await pbx.wait(dialer.talkMsOf(one, other), one, other);
    if (!first) {
      first = other.device === TRUNK ? other : one;
      pbx.farEndHangsUp(first, 16);
    }
    this.close(bridge, first);
    if (one.interruption) throw new Interrupted(one);
    one.hangupCause = 16;
  }

  private async waitInSlot(parked: Parked): Promise<void> {
    const { pbx } = this.parts;
    const { channel, slot } = parked;
    const bridge = pbx.bridge('holding_bridge');
    pbx.emit('ParkedCall', 'call', parkedHeaders(parked, pbx.clock.now()));
    pbx.enter(bridge, channel);
    pbx.tell('MusicOnHoldStart', channel, [['Class', 'default']]);
    const gone = await pbx.wait(parked.until - pbx.clock.now(), channel);
    const isTaken = !this.parked.delete(slot);
    pbx.tell('MusicOnHoldStop', channel);
    const end = gone ? 'ParkedCallGiveUp' : 'ParkedCallTimeOut';
    if (!isTaken) pbx.emit(end, 'call', parkedHeaders(parked, pbx.clock.now()));
    this.close(bridge, channel);
    if (gone) throw new Interrupted(channel);
    channel.hangupCause = 16;
  }

  /** Silence on the line, until the phone hangs up or gets somebody again. */
  private async stayAlone(channel: Channel): Promise<void> {
    const { pbx, times } = this.parts;
    const bridge = pbx.bridge();
    pbx.enter(bridge, channel);
    const gone = await pbx.wait(PARK_PATIENCE * times.talkMs, channel);
    this.close(bridge, channel);
    if (gone) throw new Interrupted(channel);
  }

  /** Calls somebody; answers with what the client does when the phone has left. */
  private async consult(phone: Channel, client: Channel, place: Place): Promise<Script | undefined> {
    const { pbx, dialer } = this.parts;
    await pbx.wait(0, phone);
    const aside = pbx.bridge();
    pbx.enter(aside, client);
    const second = pbx.bridge();
    pbx.enter(second, phone);
    const colleague = await this.reach(phone, place, second);
    this.consulting.delete(phone);
    const why = phone.interruption?.kind;
    if (colleague) this.close(second, colleague, phone);
    else this.close(second, phone);
    if (why === 'hangup' && colleague && !client.interruption) {
      this.tellAttended(phone, client, aside, second);
      pbx.tell('MusicOnHoldStop', client);
      this.close(aside, client);
      return () => dialer.talk(client, colleague);
    }
    if (colleague) pbx.hangup(colleague, 16);
    this.tellUnhold(phone, client);
    this.close(aside, client);
    if (phone.interruption?.kind === 'back') phone.interruption = undefined;
    if (phone.interruption) throw new Interrupted(phone);
    if (!client.interruption) await this.talk(phone, client);
    return undefined;
  }

  /** The colleague, once he has answered and until one of the two goes; `undefined` when it did not come to that. */
  private async reach(phone: Channel, { exten }: Place, bridge: Bridge): Promise<Channel | undefined> {
    const { pbx, dialer, times, target: find } = this.parts;
    const target = find(exten);
    if (!target || target.rule === 'unregistered' || pbx.full) return undefined;
    const leg = dialer.createLeg(phone, target, 'AppDial');
    dialer.tellDial('DialBegin', phone, leg, ['DialString', target.dialString]);
    const rung = await dialer.ring(phone, leg, target, times.ringMs * RING_PATIENCE);
    if (rung === 'interrupted') {
      dialer.cancel(phone, leg);
      return undefined;
    }
    const status = rung === 'answered' ? 'ANSWER' : rung === 'busy' ? 'BUSY' : 'NOANSWER';
    if (rung === 'answered') pbx.setState(leg, 'Up');
    dialer.tellDial('DialEnd', phone, leg, ['DialStatus', status]);
    if (rung !== 'answered') {
      pbx.hangup(leg, rung === 'busy' ? 17 : 21);
      return undefined;
    }
    pbx.enter(bridge, leg);
    await pbx.wait(CONSULT_PATIENCE * times.talkMs, phone, leg);
    return pbx.channels.has(leg.name) ? leg : undefined;
  }

  private close(bridge: Bridge, ...leaving: readonly Channel[]): void {
    const { pbx } = this.parts;
    for (const channel of new Set([...leaving, ...bridge.channels])) {
      if (bridge.channels.has(channel)) pbx.leave(bridge, channel);
    }
    pbx.destroy(bridge);
  }

  private tellHold(channel: Channel, partner: Channel): void {
    this.parts.pbx.tell('Hold', channel);
    this.parts.pbx.tell('MusicOnHoldStart', partner, [['Class', 'default']]);
  }

  private tellUnhold(channel: Channel, partner: Channel): void {
    this.parts.pbx.tell('MusicOnHoldStop', partner);
    this.parts.pbx.tell('Unhold', channel);
  }

  private tellAttended(phone: Channel, client: Channel, first: Bridge, second: Bridge): void {
    this.parts.pbx.emit('AttendedTransfer', 'call', [
      ['Result', 'Success'],
      ...phone.snapshot('OrigTransferer'),
      ...bridgeSnapshot(first, 'Orig'),
      ...phone.snapshot('SecondTransferer'),
      ...bridgeSnapshot(second, 'Second'),
      ...client.snapshot('Transferee'),
      ['IsExternal', 'No'],
      ['DestType', 'Bridge'],
      ['DestBridgeUniqueid', first.id],
    ]);
  }
}

/** A row of the list of parked calls, and the events about it. */
export function parkedHeaders({ channel, slot, parker, until, since }: Parked, now: number): Header[] {
  return [
    ...channel.snapshot('Parkee'),
    ['ParkerDialString', parker],
    ['Parkinglot', 'default'],
    ['ParkingSpace', slot],
    ['ParkingTimeout', Math.max(0, Math.round((until - now) / 1000))],
    ['ParkingDuration', Math.round((now - since) / 1000)],
  ];
}
