import { Interrupted, type Channel } from './channel';
import { QUEUE_PATIENCE, RING_PATIENCE, supportQueue } from './defaults';
import type { Devices, Phone } from './devices';
import { phoneTarget, type Dialer, type Rung, type Taken, type TalkTimes } from './dial';
import type { Header } from './event-format';
import type { Pbx } from './pbx';
import type { Member, Queue, Queues } from './queues';
import type { CallRecords } from './records';

export interface QueueParts {
  readonly pbx: Pbx;
  readonly devices: Devices;
  readonly dialer: Dialer;
  readonly queues: Queues;
  readonly records: CallRecords;
  readonly times: TalkTimes;
}

/** One caller's stay in the queue. */
interface Stay {
  readonly queue: Queue;
  readonly caller: Channel;
  readonly joinedAt: number;
  readonly until: number;
}

/** The application Queue, strategy linear: members ring one after the other, round after round. Order of events measured. */
export class QueueApplication {
  constructor(private readonly parts: QueueParts) {}

  /**
   * Puts a channel into the queue until an agent has taken the call and it is over (`answered`), or nobody took it in time
   * (`no-answer`). Throws {@link Interrupted} when the caller is interrupted.
   */
  async run(caller: Channel, onAgent: (phone: Phone) => void = () => undefined): Promise<Taken> {
    const { pbx, queues, records, times } = this.parts;
    const queue = queues.find(supportQueue.name);
    if (!queue) return 'no-answer';
    pbx.execute(caller, 'Answer', '');
    pbx.setState(caller, 'Up');
    pbx.execute(caller, 'Queue', `${queue.name},tT`);
    queues.join(queue, caller);
    pbx.tell('MusicOnHoldStart', caller, [['Class', 'default']]);
    const joinedAt = pbx.clock.monotonic();
    const stay: Stay = { queue, caller, joinedAt, until: joinedAt + times.ringMs * QUEUE_PATIENCE };
    while (pbx.clock.monotonic() < stay.until) {
      for (const member of [...queue.members]) {
        if (queue.members.includes(member) && queues.isFree(member) && (await this.offer(stay, member, onAgent))) {
          return 'answered';
        }
      }
      if (await pbx.wait(times.ringMs, caller)) this.leaveUnserved(stay);
    }
    this.giveUp(stay);
    records.note(caller, undefined, 'NO ANSWER');
    return 'no-answer';
  }

  /** Rings one member; true when the member took the call (which is then over). */
  private async offer(stay: Stay, member: Member, onAgent: (phone: Phone) => void): Promise<boolean> {
    const { pbx, devices, dialer, records, times } = this.parts;
    const phone = devices.phoneOf(member.stateInterface);
    if (!phone || pbx.full) return false;
    const { caller } = stay;
    const target = phoneTarget(phone);
    const leg = dialer.createLeg(caller, target, 'AppQueue');
    this.tell('AgentCalled', stay, member, leg);
    dialer.tellDial('DialBegin', caller, leg, ['DialString', member.interface]);
    pbx.setConnected(caller, leg.caller);
    const rangAt = pbx.clock.monotonic();
    const rung = await dialer.ring(caller, leg, target, times.ringMs * RING_PATIENCE);
    const rangMs = Math.round(pbx.clock.monotonic() - rangAt);
    if (rung === 'answered') {
      onAgent(phone);
      await this.connect(stay, member, leg, Math.floor(rangMs / 1000));
      return true;
    }
    if (rung === 'interrupted') {
      pbx.tell('MusicOnHoldStop', caller);
      dialer.tellDial('DialEnd', caller, leg, ['DialStatus', 'CANCEL']);
      dialer.cancel(caller, leg);
      records.note(caller, leg, 'NO ANSWER');
      this.giveUp(stay, false);
      throw new Interrupted(caller);
    }
    this.tellRefused(stay, member, leg, rung, rangMs);
    records.note(caller, leg, 'NO ANSWER');
    return false;
  }

  /** A member who lets it ring gets two `DialEnd`s, a busy one gets one, `NOANSWER` too, and before `AgentRingNoAnswer` (measured). */
  private tellRefused(stay: Stay, member: Member, leg: Channel, rung: Rung, rangMs: number): void {
    const { pbx, dialer } = this.parts;
    const noAnswer = (): void => this.tell('AgentRingNoAnswer', stay, member, leg, [['RingTime', rangMs]]);
    const dialEnd = (status: string): void => dialer.tellDial('DialEnd', stay.caller, leg, ['DialStatus', status]);
    if (rung === 'no-answer') {
      noAnswer();
      dialEnd('NOANSWER');
      dialEnd('CANCEL');
      pbx.hangup(leg, 0);
    } else {
      dialEnd('NOANSWER');
      noAnswer();
      pbx.hangup(leg, rung === 'busy' ? 17 : 21);
    }
  }

  private async connect(stay: Stay, member: Member, leg: Channel, ringTime: number): Promise<void> {
    const { pbx, dialer, queues, records } = this.parts;
    const { queue, caller } = stay;
    pbx.setState(leg, 'Up');
    dialer.tellDial('DialEnd', caller, leg, ['DialStatus', 'ANSWER']);
    pbx.tell('MusicOnHoldStop', caller);
    queues.leave(queue, caller);
    const holdTime = this.secondsSince(stay.joinedAt);
    const held: Header = ['HoldTime', holdTime];
    this.tell('AgentConnect', stay, member, leg, [held, ['RingTime', ringTime]]);
    member.inCall = true;
    const connectedAt = pbx.clock.monotonic();
    try {
      const onEnd = (first: Channel): void => {
        const talkTime = this.secondsSince(connectedAt);
        const reason = first === leg ? 'agent' : caller.interruption?.kind === 'redirect' ? 'transfer' : 'caller';
        member.inCall = false;
        member.callsTaken++;
        member.lastCall = queues.seconds();
        queue.completed++;
        queue.holdTime = holdTime;
        queue.talkTime = talkTime;
        this.tell('AgentComplete', stay, member, leg, [held, ['TalkTime', talkTime], ['Reason', reason]]);
      };
      await dialer.talk(caller, leg, { answeredBefore: true, onEnd });
    } finally {
      records.note(caller, leg, 'ANSWERED');
    }
  }

  /** The caller is gone while nobody rang. */
  private leaveUnserved(stay: Stay): never {
    const { pbx, records } = this.parts;
    pbx.tell('MusicOnHoldStop', stay.caller);
    records.note(stay.caller, undefined, 'NO ANSWER');
    this.giveUp(stay, false);
    throw new Interrupted(stay.caller);
  }

  /** The end of a stay without an agent; Asterisk tells it the same way when the time ran out. */
  private giveUp(stay: Stay, stopMusic = true): void {
    const { pbx, queues } = this.parts;
    const { queue, caller } = stay;
    if (stopMusic) pbx.tell('MusicOnHoldStop', caller);
    queue.abandoned++;
    const position = queue.callers.indexOf(caller) + 1;
    pbx.emit('QueueCallerAbandon', 'agent', [
      ...caller.snapshot(),
      ['Queue', queue.name],
      ['Position', position],
      ['OriginalPosition', position],
      ['HoldTime', this.secondsSince(stay.joinedAt)],
    ]);
    queues.leave(queue, caller);
  }

  private tell(event: string, stay: Stay, member: Member, leg: Channel, more: readonly Header[] = []): void {
    this.parts.pbx.emit(event, 'agent', [
      ...stay.caller.snapshot(),
      ...leg.snapshot('Dest'),
      ['Queue', stay.queue.name],
      ['Interface', member.interface],
      ['MemberName', member.name],
      ...more,
    ]);
  }

  private secondsSince(monotonic: number): number {
    return Math.floor((this.parts.pbx.clock.monotonic() - monotonic) / 1000);
  }
}
