import type { Timer } from '../clock';
import { escapeC, orUnknown, type Header } from './event-format';
import { limits } from './defaults';

const stateCodes = { Down: 0, Ring: 4, Ringing: 5, Up: 6, Busy: 7 } as const;
export type ChannelState = keyof typeof stateCodes;

export interface Party {
  readonly num: string;
  readonly name: string;
}

/** Where a channel stands in the dialplan. */
export interface Place {
  readonly context: string;
  readonly exten: string;
}

/** Something from outside that ends what the channel does now. */
export type Interruption =
  /** `TIMEOUT(absolute)` is over. */
  | { readonly kind: 'timeout' }
  | { readonly kind: 'hangup'; readonly cause: number; readonly byFarEnd: boolean }
  | { readonly kind: 'redirect'; readonly to: Place }
  /** A manager has something else in mind for it than a place in the dialplan. */
  | { readonly kind: 'leave'; readonly to: () => Promise<void> }
  /** From a consultation, to the client who waits. */
  | { readonly kind: 'back' };

/** Unwinds a channel's dialplan; whoever runs the dialplan looks at the channel's interruption. */
export class Interrupted extends Error {
  constructor(readonly channel: Channel) {
    super(`${channel.name} was interrupted`);
  }
}

/** What a channel was created as; the rest of its life changes the {@link Channel}. */
export interface ChannelOrigin extends Place {
  /** `PJSIP/101-0000000c` */
  readonly name: string;
  /** `PJSIP/101` */
  readonly device: string;
  readonly uniqueid: string;
  readonly linkedid: string;
  readonly caller: Party;
  readonly state: ChannelState;
  /** Wall-clock ms. */
  readonly createdAt: number;
}

/** One leg of a call, with what its events tell about it. */
export class Channel {
  readonly name: string;
  readonly device: string;
  readonly uniqueid: string;
  readonly linkedid: string;
  readonly createdAt: number;
  /** The number that was dialled to reach it. */
  readonly dialled: string;
  /** Whom the PBX called on it. */
  farEnd = '';
  state: ChannelState;
  caller: Party;
  connected: Party = { num: '', name: '' };
  accountCode = '';
  context: string;
  exten: string;
  priority = 1;
  application = '';
  data = '';
  bridgeId = '';
  answeredAt: number | undefined;
  hangupCause = 0;
  /** How long whoever is behind it talks before he hangs up, in ms; absent: as everybody. */
  talkMs: number | undefined;
  /** Set when the far end or a manager action wants something else of the channel; a hang-up is final. */
  interruption: Interruption | undefined;
  /** Runs until `TIMEOUT(absolute)` is over. */
  guard: Timer | undefined;
  private readonly values = new Map<string, string>();
  private readonly watchers = new Set<() => void>();

  constructor(origin: ChannelOrigin) {
    this.name = origin.name;
    this.device = origin.device;
    this.uniqueid = origin.uniqueid;
    this.linkedid = origin.linkedid;
    this.createdAt = origin.createdAt;
    this.caller = origin.caller;
    this.state = origin.state;
    this.context = origin.context;
    this.exten = origin.exten;
    this.dialled = origin.state === 'Ring' ? origin.exten : '';
  }

  /** The headers that nearly every event about a channel begins with; `Dest` and the like go before each name. */
  snapshot(prefix = ''): Header[] {
    return [
      [`${prefix}Channel`, this.name],
      [`${prefix}ChannelState`, stateCodes[this.state]],
      [`${prefix}ChannelStateDesc`, this.state],
      [`${prefix}CallerIDNum`, orUnknown(this.caller.num)],
      [`${prefix}CallerIDName`, orUnknown(escapeC(this.caller.name))],
      [`${prefix}ConnectedLineNum`, orUnknown(this.connected.num)],
      [`${prefix}ConnectedLineName`, orUnknown(escapeC(this.connected.name))],
      [`${prefix}Language`, 'en'],
      [`${prefix}AccountCode`, this.accountCode],
      [`${prefix}Context`, this.context],
      [`${prefix}Exten`, this.exten],
      [`${prefix}Priority`, this.priority],
      [`${prefix}Uniqueid`, this.uniqueid],
      [`${prefix}Linkedid`, this.linkedid],
    ];
  }

  /** The value of a variable; the underscores that only steer inheritance are no part of the name. */
  get(name: string): string | undefined {
    return this.values.get(name) ?? this.values.get(`_${name}`) ?? this.values.get(`__${name}`);
  }

  /** Keeps a variable; at the bound a new name is not kept and the answer is false. */
  set(name: string, value: string): boolean {
    if (!this.values.has(name) && this.values.size >= limits.variables) return false;
    this.values.set(name, value);
    return true;
  }

  /** Variables that a leg dialled by this channel starts with: `_X` once, `__X` for ever. */
  inherited(): [name: string, value: string][] {
    return [...this.values]
      .filter(([name]) => name.startsWith('_'))
      .map(([name, value]) => [name.startsWith('__') ? name : name.slice(1), value]);
  }

  interrupt(interruption: Interruption): void {
    if (this.interruption?.kind !== 'hangup') this.interruption = interruption;
    for (const wake of this.watchers) wake();
  }

  /** Calls `wake` when the channel is interrupted; returns the function that ends it. */
  watch(wake: () => void): () => void {
    this.watchers.add(wake);
    return () => void this.watchers.delete(wake);
  }
}
