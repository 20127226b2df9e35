import type { AmiMessage } from '../ami/types';
import type { AgentChangePayload, QueueMessage } from '../messages/queues';
import { endpointIn, ownerOf, type Whose } from '../phone/interfaces';
import type { NumberingPlan } from '../phone/types';
import { readMember, type MemberRow } from './member';
import { isInUse } from './now';
import { agentOf, iso } from './payloads';
import type { Heard } from './state';
import type { QueuePlace } from './types';

const MAX_MEMBERS = 20_000;
/** It says nothing of whether he is busy. */
const RINGING = 6;

/** What is known of a member, and kept over a restart of this process. */
export interface MemberFacts {
  readonly queue: string;
  readonly interface: string;
  /** Whose state the PBX takes for his, as far as it says. */
  stateInterface: string;
  isDynamic: boolean;
  paused: boolean;
  reason: string;
  pausedAt: number;
  inUse: boolean;
  wrapUp: number;
}

interface Membership extends MemberFacts {
  readonly agent: AgentState;
  /** Of the last event, by our clock: what is younger than a list cannot be missing in it. */
  seenAt: number;
}

/** A member as an earlier process knew him. */
export interface SavedMember extends MemberFacts {
  readonly phone: string;
  readonly name?: string;
}

interface AgentState {
  readonly phone: string;
  name?: string;
  readonly memberships: Set<Membership>;
  /** Conversations with callers of queues. */
  talks: number;
  busy: boolean;
}

/** Who is a member of which queue, and whether he is paused or busy. */
export class Agents {
  private readonly memberships = new Map<string, Membership>();
  private readonly byPhone = new Map<string, AgentState>();
  /** What an interface without an extension in its name was found to be. */
  private readonly phones = new Map<string, string>();
  private knowsList = false;
  /** Of members who may have changed, or left, since it was last asked. */
  private touched = new Set<string>();
  overBound = 0;

  constructor(
    private readonly pbx: string,
    private readonly plan: NumberingPlan,
    private readonly whose: Whose,
    private readonly tell: (message: QueueMessage) => void,
  ) {}

  get members(): number {
    return this.memberships.size;
  }

  /** The extension of an interface; `heard`: the number of the channel that was called for it. */
  phoneOf(interfaceName: string, stateInterface?: string, heard?: string): string {
    const known = this.phones.get(interfaceName);
    // Who sits where may change from day to day.
    const own = stateInterface === undefined ? '' : this.nameIn(stateInterface);
    if (known !== undefined && (own === known || !this.plan.isExtension(own))) return known;
    const names = [stateInterface, interfaceName].flatMap((name) => (name === undefined ? [] : [this.nameIn(name)]));
    const extension = [...names, heard ?? ''].find((name) => this.plan.isExtension(name));
    const phone = extension ?? names.find((name) => name !== '') ?? interfaceName;
    const isRoom = known !== undefined || this.phones.size < MAX_MEMBERS;
    if (extension !== undefined && isRoom) this.phones.set(interfaceName, phone);
    return phone;
  }

  private nameIn(interfaceName: string): string {
    return ownerOf(this.whose, interfaceName) ?? endpointIn(interfaceName);
  }

  /** Only of a member of a queue. */
  agentAt(phone: string): { readonly phone: string; readonly name?: string } | undefined {
    const agent = this.byPhone.get(phone);
    return agent && agent.memberships.size > 0 ? agent : undefined;
  }

  queuesOf(phone: string): readonly string[] {
    return [...new Set([...(this.byPhone.get(phone)?.memberships ?? [])].map(({ queue }) => queue))];
  }

  placesOf(phone: string): readonly QueuePlace[] {
    return [...(this.byPhone.get(phone)?.memberships ?? [])].map(({ queue, isDynamic, paused, reason, pausedAt }) => ({
      queue,
      isDynamic,
      paused,
      reason,
      ...(paused && pausedAt > 0 ? { pausedAt } : {}),
    }));
  }

  /** Whether one of his devices is in use, as the PBX says; `undefined`: it says nothing of him. */
  deviceInUse(phone: string): boolean | undefined {
    const agent = this.byPhone.get(phone);
    return agent && agent.memberships.size > 0 ? [...agent.memberships].some(({ inUse }) => inUse) : undefined;
  }

  wrapUpOf(queue: string, interfaceName: string): number {
    return this.memberships.get(memberKey(queue, interfaceName))?.wrapUp ?? 0;
  }

  /** `QueueMemberAdded`, `QueueMemberPause` or `QueueMemberStatus`. */
  changed(event: AmiMessage, heard: Heard): void {
    const row = readMember(event);
    if (!row) return;
    this.moveOut(row, heard);
    const isNew = this.find(row) === undefined;
    const member = this.membershipOf(row);
    if (!member) return;
    member.seenAt = heard.at;
    if (isNew && event.name === 'QueueMemberAdded') this.tellEntry(member, 'login', heard);
    this.learn(member, row, heard);
  }

  removed(event: AmiMessage, heard: Heard): void {
    const row = readMember(event);
    const member = row && (this.find(row) ?? this.membershipOf(row));
    if (member) this.drop(member, heard);
  }

  /** A conversation with a caller of a queue began (1) or ended (-1). */
  talks(phone: string, change: 1 | -1, heard: Heard): void {
    let agent = this.byPhone.get(phone);
    if (!agent && change < 0) return;
    agent ??= this.agentOf(phone);
    agent.talks = Math.max(0, agent.talks + change);
    this.judge(agent, heard);
  }

  /** A conversation that an earlier process told of. */
  restoreTalk(phone: string): void {
    const agent = this.agentOf(phone);
    agent.talks += 1;
    agent.busy = true;
  }

  /** The members of `QueueStatus`; what has changed since `requestedAt` is younger than the list. */
  resync(rows: readonly AmiMessage[], requestedAt: number, heard: Heard): void {
    const isFirst = !this.knowsList;
    this.knowsList = true;
    const listed = new Set<Membership>();
    for (const row of rows.flatMap((one) => readMember(one) ?? [])) {
      this.moveOut(row, heard);
      const before = this.find(row);
      const member = this.membershipOf(row);
      if (!member) continue;
      listed.add(member);
      if (before && before.seenAt >= requestedAt) continue;
      if (isFirst && !before) this.take(member, row);
      else {
        if (!before) this.tellEntry(member, 'login', heard);
        this.learn(member, row, heard);
      }
    }
    for (const member of [...this.memberships.values()])
      if (!listed.has(member) && member.seenAt < requestedAt) this.drop(member, heard);
  }

  /** A member whom an earlier process knew. */
  restore({ phone, name, ...facts }: SavedMember): void {
    if (this.memberships.size >= MAX_MEMBERS) {
      this.overBound += 1;
      return;
    }
    // The settings may say better now how phones are called; by a number that was heard only the earlier process knew him.
    const named = [facts.stateInterface, facts.interface].find((one) => this.plan.isExtension(this.nameIn(one)));
    const agent = this.agentOf(named === undefined ? phone : this.nameIn(named));
    if (name !== undefined) agent.name = name;
    const member = { ...facts, agent, seenAt: -Infinity };
    this.memberships.set(memberKey(facts.queue, facts.interface), member);
    agent.memberships.add(member);
    agent.busy = isBusy(agent);
  }

  /** The members who changed since the last time, and the {@link memberKey} of those who left. */
  takeChanges(): { readonly changed: readonly SavedMember[]; readonly forgotten: readonly string[] } {
    const keys = [...this.touched];
    this.touched = new Set();
    return {
      changed: keys.flatMap((key) => {
        const member = this.memberships.get(key);
        return member ? [savedOf(member)] : [];
      }),
      forgotten: keys.filter((key) => !this.memberships.has(key)),
    };
  }

  private find({ queue, interface: interfaceName }: MemberRow): Membership | undefined {
    return this.memberships.get(memberKey(queue, interfaceName));
  }

  /** As it is known, or a new one that nothing is known of. `undefined`: there are too many. */
  private membershipOf(row: MemberRow): Membership | undefined {
    const { queue, interface: interfaceName, name } = row;
    let member = this.find(row);
    if (!member && this.memberships.size >= MAX_MEMBERS) {
      this.overBound += 1;
      return undefined;
    }
    if (!member) {
      const { stateInterface = '' } = row;
      const agent = this.agentOf(this.phoneOf(interfaceName, stateInterface));
      const nothing = { isDynamic: false, paused: false, reason: '', pausedAt: 0, inUse: false, wrapUp: 0 };
      member = { queue, interface: interfaceName, stateInterface, agent, ...nothing, seenAt: -Infinity };
      this.memberships.set(memberKey(queue, interfaceName), member);
      agent.memberships.add(member);
      this.touch(member);
    }
    if (name !== undefined && name !== member.agent.name) {
      member.agent.name = name;
      this.touch(member);
    }
    member.isDynamic = row.isDynamic;
    member.pausedAt = row.pausedAt ?? member.pausedAt;
    return member;
  }

  /** He has another phone under the same interface: whoever had it before is out. */
  private moveOut(row: MemberRow, heard: Heard): void {
    const member = this.find(row);
    const { stateInterface } = row;
    if (!member || stateInterface === undefined || stateInterface === member.stateInterface) return;
    if (this.phoneOf(member.interface, stateInterface) === member.agent.phone) member.stateInterface = stateInterface;
    else this.drop(member, heard);
  }

  private touch({ queue, interface: interfaceName }: Membership): void {
    this.touched.add(memberKey(queue, interfaceName));
  }

  private agentOf(phone: string): AgentState {
    const agent = this.byPhone.get(phone) ?? { phone, memberships: new Set<Membership>(), talks: 0, busy: false };
    this.byPhone.set(phone, agent);
    return agent;
  }

  /** What the first list says is how things are. */
  private take(member: Membership, row: MemberRow): void {
    member.paused = row.paused ?? false;
    member.reason = row.reason ?? '';
    this.takeStatus(member, row);
    member.agent.busy = isBusy(member.agent);
  }

  private takeStatus(member: Membership, { status, wrapUp = member.wrapUp }: MemberRow): void {
    const inUse = status === undefined || status === RINGING ? member.inUse : isInUse(status);
    if (inUse === member.inUse && wrapUp === member.wrapUp) return;
    Object.assign(member, { inUse, wrapUp });
    this.touch(member);
  }

  private learn(member: Membership, row: MemberRow, heard: Heard): void {
    const { paused = member.paused } = row;
    const reason = row.paused === undefined ? member.reason : paused ? (row.reason ?? '') : '';
    if (paused !== member.paused || reason !== member.reason) {
      member.paused = paused;
      member.reason = reason;
      this.touch(member);
      this.tellChange(member.agent, paused ? 'paused' : 'unpaused', heard, member);
    }
    this.takeStatus(member, row);
    this.judge(member.agent, heard);
  }

  private judge(agent: AgentState, heard: Heard): void {
    const busy = isBusy(agent);
    if (busy !== agent.busy) {
      agent.busy = busy;
      this.tellChange(agent, busy ? 'busy' : 'idle', heard);
    }
    this.forgetUnused(agent);
  }

  private drop(member: Membership, heard: Heard): void {
    const { agent } = member;
    this.memberships.delete(memberKey(member.queue, member.interface));
    agent.memberships.delete(member);
    this.touch(member);
    this.tellEntry(member, 'logout', heard);
    // Whoever is in no queue any more is not told of, unless he still has a caller of one.
    if (agent.memberships.size > 0) this.judge(agent, heard);
    this.forgetUnused(agent);
  }

  private forgetUnused(agent: AgentState): void {
    if (agent.memberships.size === 0 && agent.talks === 0) this.byPhone.delete(agent.phone);
  }

  /** He is in the queue, or out of it: not by one of two interfaces. */
  private tellEntry(member: Membership, change: 'login' | 'logout', heard: Heard): void {
    const { agent, queue } = member;
    const others = [...agent.memberships].filter((one) => one !== member && one.queue === queue);
    if (others.length === 0) this.tellChange(agent, change, heard, member);
  }

  private tellChange(
    agent: AgentState,
    change: AgentChangePayload['change'],
    { t, reconciled }: Heard,
    member?: Membership,
  ): void {
    const { pbx } = this;
    const paused = [...agent.memberships].filter((one) => one.paused);
    const reason = change === 'paused' ? member?.reason : undefined;
    const withReason = paused.filter((one) => one.reason !== '');
    const known = withReason.find((one) => one === member) ?? withReason[0];
    const payload: AgentChangePayload = {
      eventId: `${pbx}:${agent.phone}:agent_change:${member ? `${member.queue}:` : ''}${change}:${Math.round(t)}`,
      pbx,
      at: iso(t),
      change,
      agent: agentOf(agent),
      extension: agent.phone,
      ...(member ? { queue: { id: member.queue } } : {}),
      ...(reason === undefined || reason === '' ? {} : { reason }),
      state: {
        queues: this.queuesOf(agent.phone),
        pausedIn: paused.map(({ queue }) => queue),
        busy: agent.busy,
        ...(known === undefined ? {} : { reason: known.reason }),
      },
      ...(reconciled ? { reconciled: true } : {}),
    };
    this.tell({ topic: 'agent_change', payload });
  }
}

/** A member without a state interface of his own may be busy without his device saying so: a Local channel is optimised away. */
const isBusy = ({ talks, memberships }: AgentState): boolean =>
  talks > 0 || [...memberships].some(({ inUse }) => inUse);

/** Of a member; no queue and no interface has a line end in its name. */
export const memberKey = (queue: string, interfaceName: string): string => `${queue}\n${interfaceName}`;

function savedOf(member: Membership): SavedMember {
  const {
    queue,
    interface: interfaceName,
    stateInterface,
    isDynamic,
    paused,
    reason,
    pausedAt,
    inUse,
    wrapUp,
    agent,
  } = member;
  const { phone, name } = agent;
  const state = { isDynamic, paused, reason, pausedAt, inUse, wrapUp };
  const facts = { queue, interface: interfaceName, stateInterface, ...state, phone };
  return name === undefined ? facts : { ...facts, name };
}
