import type { AmiMessage } from '../ami/types';
import { classify } from '../calls/classify';
import { bearable, idIn, textIn } from '../calls/reading';
import type { ChannelKind } from '../calls/state';
import type { CallPlan } from '../calls/types';
import { copied } from '../text';

const MAX_CHANNELS = 20_000;
const MAX_INFO = 512;
const INFO = ['call_info', 'agent_info'] as const;

type Info = Partial<Record<(typeof INFO)[number], string>>;

/** What of a channel is worth knowing before, and while, it is in a queue. */
export interface KnownChannel {
  readonly kind: ChannelKind;
  /** The extension, or the endpoint of the trunk. */
  readonly party: string;
  readonly callId: string;
  /** What was dialled when it began; absent when that was not heard. */
  readonly exten?: string;
  readonly info: Info;
  /** By our clock. */
  readonly heardAt: number;
}

/** The channels that are up: by them a caller's own number is known, and which phone a channel belongs to. */
export class Channels {
  private readonly known = new Map<string, KnownChannel>();

  constructor(private readonly plan: CallPlan) {}

  /** Of those beyond the bound (20 000) only what their own events say is known. */
  began(event: AmiMessage, at: number): void {
    const id = idIn(event, 'Uniqueid');
    if (id === undefined || this.known.size >= MAX_CHANNELS || this.known.has(id)) return;
    const exten = textIn(event, 'Exten');
    const channel = this.read(event, '', at);
    this.known.set(copied(id), exten === undefined || exten === 's' ? channel : { ...channel, exten });
  }

  ended(id: string): void {
    this.known.delete(id);
  }

  /** Only those of a list, and those that began since it was requested, are up. */
  keepOnly(listed: ReadonlyMap<string, unknown>, requestedAt: number): void {
    for (const [id, { heardAt }] of this.known) if (heardAt < requestedAt && !listed.has(id)) this.known.delete(id);
  }

  /** The channel that an event names with headers of this prefix (`Dest`). */
  of(event: AmiMessage, prefix = ''): KnownChannel {
    return this.known.get(idIn(event, `${prefix}Uniqueid`) ?? '') ?? this.read(event, prefix);
  }

  get(id: string): KnownChannel | undefined {
    return this.known.get(id);
  }

  /** A variable was set on a channel. */
  note(event: AmiMessage): void {
    const name = nameOfInfo(event.get('Variable') ?? '');
    const channel = name && this.known.get(idIn(event, 'Uniqueid') ?? '');
    if (channel) channel.info[name] = infoText(event.get('Value') ?? '');
  }

  private read(event: AmiMessage, prefix: string, bornAt?: number): KnownChannel {
    const name = textIn(event, `${prefix}Channel`) ?? '';
    const context = event.get(`${prefix}Context`) ?? '';
    const ownNumber = textIn(event, `${prefix}CallerIDNum`);
    const callId = idIn(event, `${prefix}Linkedid`) ?? idIn(event, `${prefix}Uniqueid`) ?? '';
    const classified = classify(this.plan, name, { context, ownNumber, hasJustBegun: bornAt !== undefined });
    return { ...classified, callId: copied(callId), info: {}, heardAt: bornAt ?? -Infinity };
  }
}

/** The variables of an event (`channelvars=` in manager.conf), as far as queues have a use for them. */
export function infoIn(event: AmiMessage): Info {
  const found: Info = {};
  if (event.get('ChanVariable') === undefined) return found;
  for (const line of event.all('ChanVariable')) {
    const cut = line.indexOf('=');
    const name = nameOfInfo(line.slice(0, Math.max(cut, 0)));
    if (name && cut + 1 < line.length) found[name] = infoText(line.slice(cut + 1));
  }
  return found;
}

const infoText = (value: string): string => copied(bearable(value, MAX_INFO));

function nameOfInfo(variable: string): (typeof INFO)[number] | undefined {
  const name = variable.replace(/^_{1,2}/, '').toLowerCase();
  return INFO.find((one) => one === name);
}
