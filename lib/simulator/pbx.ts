import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock';
import { Channel, Interrupted, type ChannelState, type Party, type Place } from './channel';
import { limits } from './defaults';
import { causeText, escapeC, type Header, type PbxEvent } from './event-format';

export interface Bridge {
  readonly id: string;
  /** People talk in a `simple_bridge`; in a `holding_bridge` they wait. */
  readonly technology: 'simple_bridge' | 'holding_bridge';
  readonly channels: Set<Channel>;
}

/** Goes on over all simulators of this process: one that is stopped and started within a second must not give an id again. */
let uniqueCount = 0;

/** What a new channel needs to be told; the PBX gives it its name and ids. */
export interface NewChannel extends Place {
  /** `PJSIP/101` */
  readonly device: string;
  readonly state: ChannelState;
  readonly caller: Party;
  /** The call it belongs to; its own when absent. */
  readonly linkedid?: string;
  readonly uniqueid?: string;
}

/**
 * The switch: channels, bridges, variables, and the events that tell of them. It knows nothing of phones, dialplan or
 * the manager interface. Event order follows the recordings of Asterisk 22.10.
 */
export class Pbx {
  readonly channels = new Map<string, Channel>();
  readonly bridges = new Map<string, Bridge>();
  readonly globals = new Map<string, string>();
  readonly startedAt: number;
  /** Called after a channel of this device came, went or changed its state. */
  onDeviceUse: (device: string) => void = () => undefined;
  processedCalls = 0;
  private channelCount = 0;

  constructor(
    readonly clock: Clock,
    private readonly publish: (event: PbxEvent) => void,
  ) {
    this.startedAt = clock.now();
  }

  emit(name: string, privilege: string, headers: readonly Header[]): void {
    this.publish({ name, privilege, at: this.clock.now(), headers });
  }

  /** An event of class `call` about one channel. */
  tell(name: string, channel: Channel, more: readonly Header[] = []): void {
    this.emit(name, 'call', [...channel.snapshot(), ...more]);
  }

  get full(): boolean {
    return this.channels.size >= limits.channels;
  }

  channelByUniqueid(uniqueid: string): Channel | undefined {
    return [...this.channels.values()].find((channel) => channel.uniqueid === uniqueid);
  }

  /** Creates a channel and tells of it (`Newchannel`). */
  create(origin: NewChannel): Channel {
    const count = this.channelCount++;
    const uniqueid = origin.uniqueid ?? `${Math.floor(this.clock.now() / 1000)}.${uniqueCount++}`;
    const channel = new Channel({
      name: `${origin.device}-${count.toString(16).padStart(8, '0')}`,
      device: origin.device,
      uniqueid,
      linkedid: origin.linkedid ?? uniqueid,
      caller: origin.caller,
      state: origin.state,
      context: origin.context,
      exten: origin.exten,
      createdAt: this.clock.now(),
    });
    this.channels.set(channel.name, channel);
    if (channel.linkedid === uniqueid) this.processedCalls++;
    this.tell('Newchannel', channel);
    return channel;
  }

  setState(channel: Channel, state: ChannelState): void {
    if (channel.state === state) return;
    channel.state = state;
    if (state === 'Up') channel.answeredAt = this.clock.now();
    this.tell('Newstate', channel);
    this.onDeviceUse(channel.device);
  }

  setCaller(channel: Channel, caller: Party): void {
    channel.caller = caller;
    this.tell('NewCallerid', channel, [['CID-CallingPres', '0 (Presentation Allowed, Not Screened)']]);
  }

  setConnected(channel: Channel, connected: Party): void {
    if (channel.connected.num === connected.num && channel.connected.name === connected.name) return;
    channel.connected = connected;
    this.tell('NewConnectedLine', channel);
  }

  setAccountCode(channel: Channel, accountCode: string): void {
    if (channel.accountCode === accountCode) return;
    const old = channel.accountCode;
    channel.accountCode = accountCode;
    this.tell('NewAccountCode', channel, [['OldAccountCode', old]]);
  }

  /** One step of the dialplan (`Newexten`). */
  execute(channel: Channel, application: string, data: string): void {
    if (channel.application !== '' && channel.application !== 'AppDial2') channel.priority++;
    channel.application = application;
    channel.data = data;
    const step: Header[] = [
      ['Extension', channel.exten],
      ['Application', application],
      ['AppData', data],
    ];
    this.emit('Newexten', 'dialplan', [...channel.snapshot(), ...step]);
  }

  /** What the leg of a Dial, Queue or Originate shows as its application. It is no step of a dialplan. */
  showApplication(channel: Channel, application: string): void {
    channel.application = '';
    this.execute(channel, application, '(Outgoing Line)');
  }

  /**
   * Sets a channel variable or function, as Set, Setvar and SET VARIABLE do. False when Asterisk would refuse: an unknown
   * function, or no room for one more variable.
   */
  setVariable(channel: Channel, name: string, value: string): boolean {
    const call = /^(\w+)\((.*)\)$/.exec(name);
    if (call) {
      if (call[0] === 'TIMEOUT(absolute)') {
        this.limit(channel, Number(value) * 1000);
        return true;
      }
      // All speak one language here.
      if (call[0] === 'CHANNEL(language)') return true;
      if (call[1] !== 'CALLERID') return false;
      const caller = withCallerId(channel.caller, call[2] ?? '', value);
      if (!caller) return false;
      this.setCaller(channel, caller);
      return true;
    }
    if (!channel.set(name, value)) return false;
    const set: Header[] = [
      ['Variable', name],
      ['Value', escapeC(value)],
    ];
    this.emit('VarSet', 'dialplan', [...channel.snapshot(), ...set]);
    return true;
  }

  /** Interrupts the channel after so many ms; 0 = never. */
  limit(channel: Channel, ms: number): void {
    channel.guard?.cancel();
    const isLimited = ms > 0 && this.channels.has(channel.name);
    channel.guard = isLimited ? this.clock.after(ms, () => channel.interrupt({ kind: 'timeout' })) : undefined;
  }

  /** As {@link setVariable}, for a variable of the whole PBX. */
  setGlobal(name: string, value: string): boolean {
    if (name.includes('(') || (!this.globals.has(name) && this.globals.size >= limits.variables)) return false;
    this.globals.set(name, value);
    this.emit('VarSet', 'dialplan', [
      ['Channel', 'none'],
      ['Uniqueid', 'none'],
      ['Variable', name],
      ['Value', escapeC(value)],
    ]);
    return true;
  }

  /** The value of a variable or function on a channel, or of a global one; empty when there is none, as Getvar answers. */
  getVariable(channel: Channel | undefined, name: string): string {
    if (!channel) return this.globals.get(name) ?? '';
    return channel.get(name) ?? builtIn(channel, name) ?? this.globals.get(name) ?? '';
  }

  /**
   * Waits until one of the channels is interrupted, at most `ms` milliseconds; without `ms` as long as it takes.
   * Answers with the interrupted channel, `undefined` when the time passed.
   */
  wait(ms: number | undefined, ...channels: readonly Channel[]): Promise<Channel | undefined> {
    const already = channels.find((channel) => channel.interruption);
    if (already) return Promise.resolve(already);
    return new Promise((resolve) => {
      const done = (interrupted: Channel | undefined): void => {
        timer?.cancel();
        for (const stop of stops) stop();
        resolve(interrupted);
      };
      const timer = ms === undefined ? undefined : this.clock.after(ms, () => done(undefined));
      const stops = channels.map((channel) => channel.watch(() => done(channel)));
    });
  }

  /** As {@link wait} for one channel; throws {@link Interrupted} when it comes to that. */
  async pause(ms: number | undefined, channel: Channel): Promise<void> {
    if (await this.wait(ms, channel)) throw new Interrupted(channel);
  }

  /** The far end of a channel hangs up: `HangupRequest`, and the dialplan of the channel is interrupted. */
  farEndHangsUp(channel: Channel, cause: number, tellCause = true): void {
    channel.hangupCause = cause;
    this.tell('HangupRequest', channel, tellCause ? [['Cause', cause]] : []);
    channel.interrupt({ kind: 'hangup', cause, byFarEnd: true });
  }

  /** The end of a channel (`Hangup`). */
  hangup(channel: Channel, cause: number): void {
    if (!this.channels.delete(channel.name)) return;
    this.limit(channel, 0);
    const end: Header[] = [
      ['Cause', cause],
      ['Cause-txt', causeText(cause)],
    ];
    this.tell('Hangup', channel, end);
    this.onDeviceUse(channel.device);
    // Whoever waits for this channel must not wait for ever.
    channel.interrupt({ kind: 'hangup', cause, byFarEnd: false });
  }

  bridge(technology: Bridge['technology'] = 'simple_bridge'): Bridge {
    const bridge: Bridge = { id: randomUUID(), technology, channels: new Set() };
    this.bridges.set(bridge.id, bridge);
    this.emit('BridgeCreate', 'call', bridgeSnapshot(bridge));
    return bridge;
  }

  enter(bridge: Bridge, channel: Channel): void {
    bridge.channels.add(channel);
    channel.bridgeId = bridge.id;
    this.emit('BridgeEnter', 'call', [...bridgeSnapshot(bridge), ...channel.snapshot()]);
  }

  leave(bridge: Bridge, channel: Channel): void {
    bridge.channels.delete(channel);
    channel.bridgeId = '';
    this.emit('BridgeLeave', 'call', [...bridgeSnapshot(bridge), ...channel.snapshot()]);
  }

  destroy(bridge: Bridge): void {
    this.bridges.delete(bridge.id);
    this.emit('BridgeDestroy', 'call', bridgeSnapshot(bridge));
  }
}

export function bridgeSnapshot(bridge: Bridge, prefix = ''): Header[] {
  const holds = bridge.technology === 'holding_bridge';
  return [
    [`${prefix}BridgeUniqueid`, bridge.id],
    [`${prefix}BridgeType`, holds ? 'parking' : 'basic'],
    [`${prefix}BridgeTechnology`, bridge.technology],
    [`${prefix}BridgeCreator`, holds ? 'Parking' : '<unknown>'],
    [`${prefix}BridgeName`, '<unknown>'],
    [`${prefix}BridgeNumChannels`, bridge.channels.size],
    [`${prefix}BridgeVideoSourceMode`, 'none'],
  ];
}

function withCallerId(caller: Party, part: string, value: string): Party | undefined {
  switch (part.toLowerCase()) {
    case 'name':
      return { ...caller, name: value };
    case 'num':
    case 'number':
      return { ...caller, num: value };
    case 'all':
      return parseCallerId(value);
    default:
      return undefined;
  }
}

/** `"Name" <number>`, `Name <number>` or a bare number, as Asterisk reads a CallerID. */
export function parseCallerId(text: string): Party {
  const both = /^\s*"?(.*?)"?\s*<([^>]*)>\s*$/.exec(text);
  if (both) return { name: (both[1] ?? '').replace(/\\(.)/g, '$1'), num: both[2] ?? '' };
  return { name: '', num: text.trim() };
}

function builtIn(channel: Channel, name: string): string | undefined {
  switch (name) {
    case 'EXTEN':
      return channel.exten;
    case 'CONTEXT':
      return channel.context;
    case 'PRIORITY':
      return String(channel.priority);
    case 'CHANNEL':
    case 'CHANNEL(name)':
      return channel.name;
    case 'UNIQUEID':
    case 'CHANNEL(uniqueid)':
      return channel.uniqueid;
    case 'CHANNEL(linkedid)':
      return channel.linkedid;
    case 'CHANNEL(state)':
      return channel.state;
    case 'CALLERID(name)':
      return channel.caller.name;
    case 'CALLERID(num)':
    case 'CALLERID(number)':
      return channel.caller.num;
    case 'CALLERID(all)':
      return `"${channel.caller.name}" <${channel.caller.num}>`;
    case 'CALLERID(dnid)':
      return channel.dialled;
    default:
      return undefined;
  }
}
