import type { Header } from './event-format';
import type { Pbx } from './pbx';
import { simulatorError } from './errors';
import type { PhoneRule, SimulatedPhone } from './types';

/** Asterisk's device states, as `DeviceStateChange` names them. */
export type DeviceState = 'NOT_INUSE' | 'INUSE' | 'BUSY' | 'UNAVAILABLE' | 'RINGING' | 'RINGINUSE';

export const TRUNK = 'PJSIP/trunk';

/** Device state -> `ExtensionStatus` (measured). */
const hints: Readonly<Record<DeviceState, readonly [status: number, text: string]>> = {
  NOT_INUSE: [0, 'Idle'],
  INUSE: [1, 'InUse'],
  BUSY: [2, 'Busy'],
  UNAVAILABLE: [4, 'Unavailable'],
  RINGING: [8, 'Ringing'],
  RINGINUSE: [9, 'InUse&Ringing'],
};

export interface Phone {
  readonly extension: string;
  readonly name: string;
  readonly device: string;
  readonly contact: string;
  rule: PhoneRule;
}

export interface ExtensionHint {
  readonly exten: string;
  readonly hint: string;
  readonly status: number;
  readonly text: string;
}

/** Phones, their registration, and the states of all devices; tells of every change. */
export class Devices {
  readonly phones = new Map<string, Phone>();
  /** What was last told of each device. */
  private readonly told = new Map<string, DeviceState>();
  /** Called after a device changed its state; the queues tell their members' states then. */
  onChange: (device: string) => void = () => undefined;

  constructor(
    private readonly pbx: Pbx,
    phones: readonly SimulatedPhone[],
  ) {
    for (const [index, { extension, name, rule }] of phones.entries()) {
      // The first sits at this very computer, so that whoever asks from here is somebody; the others are elsewhere.
      const contact = `sip:${extension}@${index === 0 ? '127.0.0.1' : `192.0.2.${index}`}:5060`;
      this.phones.set(extension, { extension, name, device: `PJSIP/${extension}`, contact, rule });
    }
    for (const { device } of this.phones.values()) this.told.set(device, this.state(device));
    this.told.set(TRUNK, 'NOT_INUSE');
    pbx.onDeviceUse = (device) => this.refresh(device);
  }

  phoneOf(device: string): Phone | undefined {
    return this.phones.get(device.replace(/^PJSIP\//, ''));
  }

  /** Device and state of everything that has one, for the lists. */
  all(): readonly (readonly [device: string, state: DeviceState])[] {
    return [...this.told];
  }

  extensions(): ExtensionHint[] {
    return [...this.phones.values()].map(({ extension, device }) => this.hint(extension, device));
  }

  state(device: string): DeviceState {
    const phone = this.phoneOf(device);
    let talking = false;
    let ringing = false;
    for (const channel of this.pbx.channels.values()) {
      if (channel.device !== device) continue;
      if (channel.state === 'Busy') return 'BUSY';
      if (channel.state === 'Ringing') ringing = true;
      else if (channel.state !== 'Down') talking = true;
    }
    if (ringing) return talking ? 'RINGINUSE' : 'RINGING';
    if (talking) return 'INUSE';
    return phone?.rule === 'unregistered' ? 'UNAVAILABLE' : 'NOT_INUSE';
  }

  /** Tells the state of a device if it is another than last told. */
  refresh(device: string): void {
    const state = this.state(device);
    if (this.told.get(device) === state) return;
    this.set(device, state);
    const phone = this.phoneOf(device);
    if (phone) this.tellHint(phone);
    this.onChange(device);
  }

  /** Tells the state of something that is no phone: a queue has device states of its own. */
  set(device: string, state: DeviceState): void {
    if (this.told.get(device) === state) return;
    this.told.set(device, state);
    this.pbx.emit('DeviceStateChange', 'call', [
      ['Device', device],
      ['State', state],
    ]);
  }

  /** Takes something out of the lists that is no more. */
  forget(device: string): void {
    this.told.delete(device);
  }

  /** Changes how a phone behaves; registering and unregistering are told as Asterisk tells them (order measured). */
  setRule(extension: string, rule: PhoneRule): void {
    const phone = this.phones.get(extension);
    if (!phone) {
      throw simulatorError('SIMULATOR_NO_SUCH_PHONE', { extension, known: [...this.phones.keys()].join(', ') });
    }
    const was = phone.rule;
    phone.rule = rule;
    if (was !== 'unregistered' && rule === 'unregistered') {
      this.refresh(phone.device);
      this.tellPeer(phone, 'Unreachable');
      this.tellContact(phone, 'Removed');
    } else if (was === 'unregistered' && rule !== 'unregistered') {
      this.tellPeer(phone, 'Reachable');
      this.refresh(phone.device);
      this.tellContact(phone, 'NonQualified');
    }
  }

  private hint(exten: string, device: string): ExtensionHint {
    const [status, text] = hints[this.state(device)];
    return { exten, hint: device, status, text };
  }

  private tellHint({ extension, device }: Phone): void {
    this.pbx.emit('ExtensionStatus', 'call', hintHeaders(this.hint(extension, device)));
  }

  private tellPeer({ device }: Phone, status: string): void {
    this.pbx.emit('PeerStatus', 'system', [
      ['ChannelType', 'PJSIP'],
      ['Peer', device],
      ['PeerStatus', status],
    ]);
  }

  private tellContact({ extension, contact }: Phone, status: string): void {
    this.pbx.emit('ContactStatus', 'system', [
      ['URI', contact],
      ['ContactStatus', status],
      ['AOR', extension],
      ['EndpointName', extension],
      ['RoundtripUsec', 0],
    ]);
  }
}

export function hintHeaders({ exten, hint, status, text }: ExtensionHint): Header[] {
  return [
    ['Exten', exten],
    ['Context', 'hints'],
    ['Hint', hint],
    ['Status', status],
    ['StatusText', text],
  ];
}
