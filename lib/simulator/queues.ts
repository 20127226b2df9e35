import { TRUNK, type DeviceState, type Devices } from './devices';
import type { Channel } from './channel';
import type { Header } from './event-format';
import type { Pbx } from './pbx';

/** Device state -> `Status` of a queue member (measured). */
const memberStatus: Readonly<Record<DeviceState, number>> = {
  NOT_INUSE: 1,
  INUSE: 2,
  BUSY: 3,
  UNAVAILABLE: 5,
  RINGING: 6,
  RINGINUSE: 7,
};

export interface Member {
  readonly queue: string;
  readonly name: string;
  readonly interface: string;
  readonly stateInterface: string;
  readonly membership: 'static' | 'dynamic';
  readonly loginTime: number;
  penalty: number;
  callsTaken: number;
  lastCall: number;
  lastPause: number;
  inCall: boolean;
  paused: boolean;
  pausedReason: string;
}

export interface Queue {
  readonly name: string;
  readonly members: Member[];
  readonly callers: Channel[];
  completed: number;
  abandoned: number;
  holdTime: number;
  talkTime: number;
}

export interface NewMember {
  readonly interface: string;
  readonly name: string;
  readonly stateInterface: string;
  readonly membership: 'static' | 'dynamic';
  readonly penalty: number;
  readonly paused: boolean;
}

/** Members one queue can have; more are refused. */
const MAX_MEMBERS = 1000;

/** The queues and their members, with their device states and events. */
export class Queues {
  private readonly queues = new Map<string, Queue>();

  constructor(
    private readonly pbx: Pbx,
    private readonly devices: Devices,
  ) {
    devices.onChange = (device) => this.memberDeviceChanged(device);
  }

  create(name: string): Queue {
    const queue: Queue = { name, members: [], callers: [], completed: 0, abandoned: 0, holdTime: 0, talkTime: 0 };
    this.queues.set(name, queue);
    return queue;
  }

  find(name: string): Queue | undefined {
    return this.queues.get(name);
  }

  /** All queues, or the one of this name. */
  named(name: string | undefined): Queue[] {
    return [...this.queues.values()].filter((queue) => name === undefined || name === '' || queue.name === name);
  }

  /** Why not, in Asterisk's words, or `undefined`. */
  add(queue: Queue, { membership, penalty, paused, ...who }: NewMember, tell = true): string | undefined {
    if (queue.members.some((member) => member.interface === who.interface)) {
      return 'Unable to add interface: Already there';
    }
    if (queue.members.length >= MAX_MEMBERS) return 'Out of memory';
    const member: Member = {
      ...who,
      queue: queue.name,
      membership,
      penalty,
      paused,
      loginTime: this.seconds(),
      callsTaken: 0,
      lastCall: 0,
      lastPause: 0,
      inCall: false,
      pausedReason: '',
    };
    queue.members.push(member);
    this.devices.set(`Queue:${queue.name}_pause_${who.interface}`, paused ? 'INUSE' : 'NOT_INUSE');
    if (tell) this.tellMember('QueueMemberAdded', member);
    this.tellAvailable(queue);
    return undefined;
  }

  /** False when no such member is there. */
  remove(queue: Queue, interfaceName: string): boolean {
    const at = queue.members.findIndex((member) => member.interface === interfaceName);
    const [member] = at < 0 ? [] : queue.members.splice(at, 1);
    if (!member) return false;
    this.devices.forget(`Queue:${queue.name}_pause_${interfaceName}`);
    this.tellMember('QueueMemberRemoved', member);
    this.tellAvailable(queue);
    return true;
  }

  /** Pauses or unpauses an interface in these queues; false when it is in none of them. */
  pause(queues: readonly Queue[], interfaceName: string, paused: boolean, reason: string): boolean {
    let found = false;
    for (const queue of queues) {
      const member = queue.members.find((candidate) => candidate.interface === interfaceName);
      if (!member) continue;
      found = true;
      member.paused = paused;
      member.pausedReason = paused ? reason : '';
      if (paused) member.lastPause = this.seconds();
      this.devices.set(`Queue:${queue.name}_pause_${interfaceName}`, paused ? 'INUSE' : 'NOT_INUSE');
      this.tellAvailable(queue);
      this.tellMember('QueueMemberPause', member);
    }
    return found;
  }

  setPenalty(queues: readonly Queue[], interfaceName: string, penalty: number): boolean {
    const members = queues.flatMap((queue) => queue.members).filter((member) => member.interface === interfaceName);
    for (const member of members) {
      member.penalty = penalty;
      this.tellMember('QueueMemberPenalty', member);
    }
    return members.length > 0;
  }

  join(queue: Queue, caller: Channel): void {
    queue.callers.push(caller);
    this.devices.set(`Queue:${queue.name}`, 'RINGING');
    this.pbx.emit('QueueCallerJoin', 'agent', [
      ...caller.snapshot(),
      ['Queue', queue.name],
      ['Position', queue.callers.length],
      ['Count', queue.callers.length],
    ]);
  }

  leave(queue: Queue, caller: Channel): void {
    const position = queue.callers.indexOf(caller) + 1;
    if (position === 0) return;
    queue.callers.splice(position - 1, 1);
    if (queue.callers.length === 0) this.devices.set(`Queue:${queue.name}`, 'NOT_INUSE');
    this.pbx.emit('QueueCallerLeave', 'agent', [
      ...caller.snapshot(),
      ['Queue', queue.name],
      ['Position', position],
      ['Count', queue.callers.length],
    ]);
  }

  /** Can this member be rung now (the queue has `ringinuse = no`)? */
  isFree(member: Member): boolean {
    return !member.paused && this.devices.state(member.stateInterface) === 'NOT_INUSE';
  }

  status(member: Member): number {
    return memberStatus[this.devices.state(member.stateInterface)];
  }

  /** Headers of a member; in lists two names differ from the events, and `Ringinuse` is missing (measured). */
  memberHeaders(member: Member, kind: 'event' | 'list'): Header[] {
    const inEvent = kind === 'event';
    const headers: Header[] = [
      ['Queue', member.queue],
      [inEvent ? 'MemberName' : 'Name', member.name],
      [inEvent ? 'Interface' : 'Location', member.interface],
      ['StateInterface', member.stateInterface],
      ['Membership', member.membership],
      ['Penalty', member.penalty],
      ['CallsTaken', member.callsTaken],
      ['LastCall', member.lastCall],
      ['LastPause', member.lastPause],
      ['LoginTime', member.loginTime],
      ['InCall', Number(member.inCall)],
      ['Status', this.status(member)],
      ['Paused', Number(member.paused)],
      ['PausedReason', member.pausedReason],
    ];
    if (inEvent) headers.push(['Ringinuse', 0]);
    headers.push(['Wrapuptime', 0]);
    return headers;
  }

  seconds(): number {
    return Math.floor(this.pbx.clock.now() / 1000);
  }

  private memberDeviceChanged(device: string): void {
    if (device === TRUNK) return;
    for (const queue of this.queues.values()) {
      for (const member of queue.members) {
        if (member.stateInterface !== device) continue;
        this.tellMember('QueueMemberStatus', member);
        this.tellAvailable(queue);
      }
    }
  }

  /** A queue without a free member shows as in use. */
  private tellAvailable(queue: Queue): void {
    const free = queue.members.some((member) => this.isFree(member));
    this.devices.set(`Queue:${queue.name}_avail`, free ? 'NOT_INUSE' : 'INUSE');
  }

  private tellMember(event: string, member: Member): void {
    this.pbx.emit(event, 'agent', this.memberHeaders(member, 'event'));
  }
}
