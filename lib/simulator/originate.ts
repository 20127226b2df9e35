import type { Channel, Party, Place } from './channel';
import type { Devices } from './devices';
import type { Dialplan } from './dialplan';
import { outsideTarget, phoneTarget, type Dialer, type Target } from './dial';
import { escapeC, orUnknown, type Header } from './event-format';
import type { Pbx } from './pbx';
import type { CallRecords } from './records';

export interface Order {
  readonly actionId: string;
  /** `PJSIP/101`, `PJSIP/79031234567@trunk`, `Local/79031234567@from-internal` */
  readonly channel: string;
  readonly to: Place | { readonly application: string; readonly data: string };
  readonly timeoutMs: number;
  readonly callerId: Party | undefined;
  readonly account: string;
  readonly channelId: string;
  readonly variables: readonly (readonly [name: string, value: string])[];
}

/** `OriginateResponse.Reason`: only a time-out has a reason of its own (measured: busy, declined and unregistered are all 0). */
const reasons = { failed: 0, timeout: 3, answered: 4 } as const;

export interface OriginateParts {
  readonly pbx: Pbx;
  readonly devices: Devices;
  readonly dialer: Dialer;
  readonly dialplan: Dialplan;
  readonly records: CallRecords;
}

/** Calls that the PBX itself begins (action Originate): first one leg, then the dialplan or an application with it. */
export class Originator {
  constructor(private readonly parts: OriginateParts) {}

  /** As {@link originate}, but begins only after what runs now: the answer to the action goes out before the events. */
  originateLater(order: Order): void {
    void this.parts.dialplan.track(Promise.resolve().then(() => this.originate(order)));
  }

  /** Calls the first leg; resolves, when it has answered or failed, with whether it answered. The rest goes on by itself. */
  async originate(order: Order): Promise<boolean> {
    const { pbx, dialer, dialplan } = this.parts;
    const target = this.target(order.channel);
    const taken = order.channelId !== '' && pbx.channelByUniqueid(order.channelId) !== undefined;
    if (!target || target.rule === 'unregistered' || taken || pbx.full) {
      this.respond(order, undefined, 'failed');
      return false;
    }
    const leg = this.createLeg(order, target);
    dialer.tellDial('DialBegin', undefined, leg, ['DialString', target.dialString]);
    const rung = await dialer.ring(undefined, leg, target, order.timeoutMs);
    if (rung !== 'answered') {
      this.fail(order, leg, rung);
      return false;
    }
    pbx.setState(leg, 'Up');
    dialer.tellDial('DialEnd', undefined, leg, ['DialStatus', 'ANSWER']);
    this.respond(order, leg, 'answered');
    const { to } = order;
    void ('application' in to ? dialplan.runApplication(leg, to.application, to.data) : dialplan.runAt(leg, to));
    return true;
  }

  private target(channel: string): Target | undefined {
    const [, number = '', trunk] = /^PJSIP\/([^@/]+)(@trunk)?$/i.exec(channel) ?? [];
    if (trunk !== undefined) return outsideTarget(number);
    // Straight to whom the dialplan behind it would dial: there is no pair of Local channels here.
    const [, dialled = number] = /^Local\/([^@/]+)@/i.exec(channel) ?? [];
    const phone = this.parts.devices.phones.get(dialled);
    if (phone) return phoneTarget(phone);
    return dialled !== number && /^\+?\d{7,}$/.test(dialled) ? outsideTarget(dialled) : undefined;
  }

  private createLeg(order: Order, target: Target): Channel {
    const { pbx } = this.parts;
    const leg = pbx.create({
      device: target.device,
      context: target.context,
      exten: 's',
      state: 'Down',
      caller: target.caller,
      ...(order.channelId !== '' && { uniqueid: order.channelId }),
    });
    leg.farEnd = target.dialString.replace(/@.*/, '');
    pbx.showApplication(leg, 'AppDial2');
    for (const [name, value] of order.variables) pbx.setVariable(leg, name, value);
    if (order.account !== '') pbx.setAccountCode(leg, order.account);
    if (order.callerId) {
      pbx.setCaller(leg, order.callerId);
      pbx.setConnected(leg, order.callerId);
    }
    return leg;
  }

  /** A leg that rings out gets no `DialEnd` (measured). */
  private fail(order: Order, leg: Channel, rung: 'busy' | 'declined' | 'no-answer' | 'interrupted'): void {
    const { pbx, dialer, records } = this.parts;
    const rangOut = rung === 'no-answer';
    if (!rangOut) {
      dialer.tellDial('DialEnd', undefined, leg, ['DialStatus', rung === 'busy' ? 'BUSY' : 'NOANSWER']);
    }
    this.respond(order, leg, rangOut ? 'timeout' : 'failed');
    records.note(leg, undefined, rung === 'busy' ? 'BUSY' : 'NO ANSWER');
    records.tell(leg);
    pbx.hangup(leg, rangOut ? 19 : leg.hangupCause);
  }

  private respond(order: Order, leg: Channel | undefined, how: keyof typeof reasons): void {
    const { to, callerId } = order;
    const destination: readonly Header[] =
      'application' in to
        ? [
            ['Application', to.application],
            ['Data', to.data],
          ]
        : [
            ['Context', to.context],
            ['Exten', to.exten],
          ];
    this.parts.pbx.emit('OriginateResponse', 'call', [
      ...(order.actionId === '' ? [] : [['ActionID', order.actionId] as const]),
      ['Response', how === 'answered' ? 'Success' : 'Failure'],
      ['Channel', how === 'answered' && leg ? leg.name : order.channel],
      ...destination,
      ['Reason', reasons[how]],
      ['Uniqueid', leg?.uniqueid ?? (order.channelId || '<unknown>')],
      ['CallerIDNum', orUnknown(callerId?.num ?? '')],
      ['CallerIDName', orUnknown(escapeC(callerId?.name ?? ''))],
    ]);
  }
}
