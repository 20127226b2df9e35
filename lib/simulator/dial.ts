import { Interrupted, type Channel, type Party } from './channel';
import { outsideRule, RING_PATIENCE } from './defaults';
import { TRUNK, type Devices, type Phone } from './devices';
import type { Header } from './event-format';
import type { Pbx } from './pbx';
import type { CallRecords, Disposition } from './records';
import type { PhoneRule } from './types';

/** Something that can be called: a phone of the house, or a number behind the trunk. */
export interface Target {
  readonly device: string;
  /** As in `Dial(PJSIP/…)`: `101`, `79031234567@trunk`. */
  readonly dialString: string;
  readonly context: string;
  /** What the leg calls itself before it is told who it speaks for. */
  readonly caller: Party;
  readonly rule: PhoneRule;
}

/** How a called leg took the call. */
export type Taken = 'answered' | 'busy' | 'no-answer' | 'declined' | 'not-registered';

/** How one leg stopped ringing; `interrupted`: the caller went away first. */
export type Rung = Exclude<Taken, 'not-registered'> | 'interrupted';

/** What Asterisk makes of it (measured): a phone that declines is `NOANSWER` with cause 21. */
const told: Readonly<Record<Taken, { status: string; cause: number; disposition: Disposition }>> = {
  answered: { status: 'ANSWER', cause: 16, disposition: 'ANSWERED' },
  busy: { status: 'BUSY', cause: 17, disposition: 'BUSY' },
  'no-answer': { status: 'NOANSWER', cause: 0, disposition: 'NO ANSWER' },
  declined: { status: 'NOANSWER', cause: 21, disposition: 'NO ANSWER' },
  'not-registered': { status: 'CHANUNAVAIL', cause: 3, disposition: 'FAILED' },
};

export interface TalkTimes {
  readonly ringMs: number;
  readonly talkMs: number;
}

export interface TalkOptions {
  /** The dialplan had answered the caller before: such a channel tells no cause when its far end hangs up (measured). */
  readonly answeredBefore?: boolean;
  /** Hears which of the two went first, before the bridge falls apart. */
  readonly onEnd?: (first: Channel) => void;
}

export function phoneTarget(phone: Phone): Target {
  const { device, extension, name, rule } = phone;
  return { device, dialString: extension, context: 'from-internal', caller: { num: extension, name }, rule };
}

export function outsideTarget(number: string): Target {
  return {
    device: TRUNK,
    dialString: `${number}@trunk`,
    context: 'from-trunk',
    caller: { num: '', name: '' },
    rule: outsideRule(number),
  };
}

/** A number that nothing answers to: Dial fails as for a phone without a contact. */
export function deadTarget(number: string): Target {
  return { ...outsideTarget(number), device: `PJSIP/${number}`, dialString: number, rule: 'unregistered' };
}

/** Calls legs, lets them ring by their rule, and joins them to their caller. */
export class Dialer {
  /** Where a leg goes on that a manager redirected away from its caller. */
  onRedirected: (leg: Channel) => void = (leg) => this.pbx.hangup(leg, 16);

  constructor(
    private readonly pbx: Pbx,
    private readonly devices: Devices,
    private readonly records: CallRecords,
    private readonly times: TalkTimes,
  ) {}

  /**
   * The application Dial: rings the target and, if it answers, lets the two talk until one hangs up.
   * Throws {@link Interrupted} when the caller is interrupted; the leg is then already gone.
   */
  async dial(caller: Channel, target: Target, onAnswer: () => void = () => undefined): Promise<Taken> {
    const patienceMs = this.times.ringMs * RING_PATIENCE;
    this.pbx.execute(caller, 'Dial', `PJSIP/${target.dialString},${Math.ceil(patienceMs / 1000)}`);
    if (target.rule === 'unregistered' || this.pbx.full) return this.dialEnded(caller, undefined, 'not-registered');

    const leg = this.createLeg(caller, target, 'AppDial');
    this.tellDial('DialBegin', caller, leg, ['DialString', target.dialString]);
    this.pbx.setConnected(caller, leg.caller);
    const rung = await this.ring(caller, leg, target, patienceMs);
    if (rung === 'interrupted') {
      this.cancel(caller, leg);
      this.records.note(caller, leg, 'NO ANSWER');
      throw new Interrupted(caller);
    }
    if (rung !== 'answered') {
      this.tellDial('DialEnd', caller, leg, ['DialStatus', told[rung].status]);
      this.pbx.hangup(leg, told[rung].cause);
      return this.dialEnded(caller, leg, rung);
    }
    leg.exten = '';
    this.pbx.setState(leg, 'Up');
    this.tellDial('DialEnd', caller, leg, ['DialStatus', 'ANSWER']);
    this.pbx.setVariable(caller, 'DIALSTATUS', 'ANSWER');
    this.pbx.setState(caller, 'Up');
    onAnswer();
    try {
      await this.talk(caller, leg);
    } finally {
      this.records.note(caller, leg, 'ANSWERED');
    }
    return 'answered';
  }

  /** A new leg for the target, in the call of its caller, ready to ring. */
  createLeg(caller: Channel, target: Target, application: 'AppDial' | 'AppQueue'): Channel {
    const { device, context } = target;
    const leg = this.pbx.create({
      device,
      context,
      exten: 's',
      state: 'Down',
      caller: target.caller,
      linkedid: caller.linkedid,
    });
    for (const [name, value] of caller.inherited()) this.pbx.setVariable(leg, name, value);
    leg.exten = caller.exten;
    this.pbx.showApplication(leg, application);
    if (leg.caller.num === '') {
      // A leg without a number of its own takes the one that the caller knows it by.
      this.pbx.setCaller(leg, { num: target.dialString.replace(/@.*/, ''), name: caller.connected.name });
    }
    this.pbx.setAccountCode(leg, caller.accountCode);
    this.pbx.setConnected(leg, caller.caller);
    return leg;
  }

  /** How long two talk when nothing ends it. */
  talkMsOf(one: Channel, other: Channel): number {
    return one.talkMs ?? other.talkMs ?? this.times.talkMs;
  }

  /** Lets a leg ring by its rule. `caller` is absent when the PBX itself calls (Originate). */
  async ring(caller: Channel | undefined, leg: Channel, target: Target, patienceMs: number): Promise<Rung> {
    if (target.rule === 'busy' || target.rule === 'declines') {
      const taken = target.rule === 'busy' ? 'busy' : 'declined';
      this.pbx.farEndHangsUp(leg, told[taken].cause);
      return taken;
    }
    this.pbx.setState(leg, 'Ringing');
    if (caller) this.devices.refresh(caller.device);
    this.tellDial('DialState', caller, leg, ['DialStatus', 'RINGING']);
    const answers = target.rule === 'answers' && this.times.ringMs < patienceMs;
    const watched = caller ? [caller, leg] : [leg];
    const gone = await this.pbx.wait(answers ? this.times.ringMs : patienceMs, ...watched);
    if (gone && gone === caller) return 'interrupted';
    if (gone) return 'declined';
    return answers ? 'answered' : 'no-answer';
  }

  /** The caller went away while the leg rang. */
  cancel(caller: Channel, leg: Channel): void {
    this.tellDial('DialEnd', caller, leg, ['DialStatus', 'CANCEL']);
    const why = caller.interruption;
    this.pbx.hangup(leg, why?.kind === 'hangup' ? why.cause : 16);
  }

  /**
   * Two channels in a bridge until one goes; if nothing happens, the outside party hangs up after the talk time.
   * The leg ends here. Throws {@link Interrupted} when the caller was interrupted.
   */
  async talk(caller: Channel, leg: Channel, options: TalkOptions = {}): Promise<void> {
    const bridge = this.pbx.bridge();
    this.pbx.enter(bridge, leg);
    this.pbx.enter(bridge, caller);
    let first = await this.pbx.wait(this.talkMsOf(caller, leg), caller, leg);
    if (!first) {
      first = leg.device === TRUNK ? leg : caller;
      this.pbx.farEndHangsUp(first, 16, !options.answeredBefore);
    }
    options.onEnd?.(first);
    this.pbx.leave(bridge, first);
    this.pbx.leave(bridge, first === leg ? caller : leg);
    this.pbx.destroy(bridge);
    if (leg.interruption && leg.interruption.kind !== 'hangup') this.onRedirected(leg);
    else this.pbx.hangup(leg, 16);
    if (caller.interruption) throw new Interrupted(caller);
    caller.hangupCause = 16;
  }

  /** `DialBegin`, `DialState`, `DialEnd`; without a caller they carry only the `Dest…` headers (measured). */
  tellDial(event: string, caller: Channel | undefined, leg: Channel, last: Header): void {
    this.pbx.emit(event, 'call', [...(caller?.snapshot() ?? []), ...leg.snapshot('Dest'), last]);
  }

  private dialEnded(caller: Channel, leg: Channel | undefined, taken: Exclude<Taken, 'answered'>): Taken {
    const { status, cause, disposition } = told[taken];
    caller.hangupCause = cause;
    this.records.note(caller, leg, disposition);
    this.pbx.setVariable(caller, 'DIALSTATUS', status);
    return taken;
  }
}
