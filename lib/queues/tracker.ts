import type { AmiMessage } from '../ami/types';
import { idIn, timeOf } from '../calls/reading';
import type { SavedCall } from '../calls/types';
import type { QueueMessage } from '../messages/queues';
import type { PbxMessage } from '../messages/types';
import { Agents } from './agents';
import { CallerBook } from './book';
import { Callers } from './callers';
import { Channels } from './channels';
import { Dialouts } from './dialouts';
import { Phones } from './phones';
import type { QUEUE_EVENTS } from './events';
import { queueNames, rowsNamed } from './member';
import { compareCallers } from './resync';
import { savedCaller, savedMember, writeCaller, writeMember } from './saved';
import type { Heard } from './state';
import type { QueueLists, QueuePlace, QueueTracker, QueueTrackerOptions, QueueTrackerStats } from './types';

type Handler = (event: AmiMessage, heard: Heard) => void;

/** See {@link QueueTracker}. */
export class Tracker implements QueueTracker {
  private told: QueueMessage[] = [];
  private readonly channels: Channels;
  private readonly agents: Agents;
  private readonly book: CallerBook;
  private readonly callers: Callers;
  private readonly dialouts: Dialouts;
  private readonly phones = new Phones();
  private listed: readonly string[] = [];
  private lostAt: number | undefined;
  /** When the last lists were requested. */
  private listedAt: number | undefined;
  /** PBX clock minus ours, in ms, by the last event with a time stamp. */
  private ahead = 0;
  private readonly handlers: ReadonlyMap<string, Handler>;

  constructor(private readonly options: QueueTrackerOptions) {
    const { pbx, plan, whose = () => undefined } = options;
    const tell = (message: QueueMessage): void => void this.told.push(message);
    const channels = new Channels(plan);
    const agents = new Agents(pbx, plan.numbers, whose, tell);
    const book = new CallerBook(options, agents, channels);
    const callers = new Callers(pbx, book, agents, channels, this.phones, tell);
    this.dialouts = new Dialouts(agents, (extension, callId) => book.conversationOf(extension, callId), tell);
    [this.channels, this.agents, this.book, this.callers] = [channels, agents, book, callers];
    const memberChanged: Handler = (event, heard) => agents.changed(event, heard);
    this.handlers = byLowerName({
      Newchannel: (event, { at }) => channels.began(event, at),
      VarSet: (event) => channels.note(event),
      Hangup: (event, heard) => {
        callers.hungUp(event, heard);
        channels.ended(idIn(event, 'Uniqueid') ?? '');
      },
      HangupRequest: (event) => callers.asked(event),
      DialBegin: (event, { at }) => this.dialBegin(event, at),
      DialEnd: (event) => {
        const status = event.get('DialStatus');
        if (status === 'ANSWER') callers.taken(idIn(event, 'DestUniqueid'));
        else callers.dialEnded(idIn(event, 'DestUniqueid'));
        if (status === 'BUSY') callers.foundBusy(idIn(event, 'DestUniqueid'));
      },
      Pickup: (event) => callers.taken(idIn(event, 'TargetUniqueid'), channels.of(event).party),
      QueueCallerJoin: (event, heard) => callers.join(event, heard),
      QueueCallerLeave: (event, heard) => callers.leave(event, heard),
      QueueCallerAbandon: (event) => callers.abandon(event),
      AgentCalled: (event, heard) => callers.called(event, heard),
      AgentConnect: (event, heard) => callers.connect(event, heard),
      AgentComplete: (event, heard) => callers.complete(event, heard),
      AgentDump: (event, heard) => callers.complete(event, heard),
      AgentRingNoAnswer: (event, heard) => callers.refused(event, heard),
      QueueMemberAdded: memberChanged,
      QueueMemberPause: memberChanged,
      QueueMemberStatus: memberChanged,
      QueueMemberRemoved: (event, heard) => agents.removed(event, heard),
    });
  }

  get stats(): QueueTrackerStats {
    const all = this.book.all();
    return {
      waiting: all.filter(({ stay }) => stay?.ended === false).length,
      talking: all.flatMap(({ talks }) => Object.values(talks)).filter(({ ended }) => !ended).length,
      members: this.agents.members,
      overBound: this.book.overBound + this.agents.overBound,
    };
  }

  get queues(): readonly string[] {
    return this.listed;
  }

  placesOf(extension: string): readonly QueuePlace[] {
    return this.agents.placesOf(extension);
  }

  get wakeAt(): number | undefined {
    return this.callers.wakeAt;
  }

  apply(event: AmiMessage, at: number): readonly QueueMessage[] {
    const handler = this.handlers.get(event.name.toLowerCase());
    if (!handler) return [];
    const t = timeOf(event, at);
    if (event.get('Timestamp') !== undefined) this.ahead = t - at;
    handler(event, { at, t, reconciled: false });
    return this.take();
  }

  applyCall(message: PbxMessage, at: number): readonly QueueMessage[] {
    if (message.topic === 'user_change' || message.topic === 'gap') return this.take();
    const knownUntil = this.lostAt === undefined ? undefined : this.lostAt + this.ahead;
    this.dialouts.apply(message, at, knownUntil);
    this.phones.apply(message);
    const { endedAt, reconciled = false } = message.payload;
    const t = message.topic === 'call_hangup' && endedAt !== undefined ? Date.parse(endedAt) : at + this.ahead;
    this.callers.phoneTold(message, { at, t: reconciled ? Math.min(t, knownUntil ?? t) : t, reconciled });
    return this.take();
  }

  tick(at: number): readonly QueueMessage[] {
    this.callers.tick(at, (moment) => moment + this.ahead);
    return this.take();
  }

  linkLost(at: number): void {
    // Since the first loss, until lists have come, nothing is certain.
    this.lostAt ??= at;
  }

  resync({ status, channels }: QueueLists, requestedAt: number, at: number): readonly QueueMessage[] {
    const { book, callers, agents, listedAt } = this;
    const heard: Heard = { at, t: at + this.ahead, reconciled: true };
    const up = channels && byUniqueid(channels);
    const found = {
      plan: this.options.plan,
      book,
      callers,
      requestedAt,
      heard,
      entries: byUniqueid(rowsNamed(status, 'QueueEntry')),
      inUse: (phone: string) => agents.deviceInUse(phone),
      knownUntil: listedAt === undefined ? undefined : (this.lostAt ?? listedAt) + this.ahead,
      ...(up ? { up } : {}),
    };
    this.listed = queueNames(status);
    agents.resync(rowsNamed(status, 'QueueMember'), requestedAt, heard);
    compareCallers(found);
    if (up) this.channels.keepOnly(up, requestedAt);
    this.lostAt = undefined;
    this.listedAt = requestedAt;
    return this.take();
  }

  takeChanges(): ReturnType<QueueTracker['takeChanges']> {
    const [callers, members] = [this.book.takeChanges(), this.agents.takeChanges()];
    return {
      changed: [...callers.changed.map(writeCaller), ...members.changed.map(writeMember)],
      forgotten: [...callers.forgotten, ...members.forgotten],
    };
  }

  restore(saved: readonly SavedCall[], knownUntil: number): { readonly unreadable: number } {
    const callers = saved.flatMap((one) => savedCaller(one) ?? []);
    const members = saved.flatMap((one) => savedMember(one) ?? []);
    for (const member of members) this.agents.restore(member);
    this.callers.restore(callers);
    this.lostAt = knownUntil;
    this.listedAt = knownUntil;
    return { unreadable: saved.length - callers.length - members.length };
  }

  private dialBegin(event: AmiMessage, at: number): void {
    const { kind, callId } = this.channels.of(event, 'Dest');
    if (kind === 'trunk') this.dialouts.trunkDialled(callId, at);
  }

  private take(): readonly QueueMessage[] {
    const { told } = this;
    this.told = [];
    return told;
  }
}

const byUniqueid = (rows: readonly AmiMessage[]): ReadonlyMap<string, AmiMessage> =>
  new Map(
    rows.flatMap((row) => {
      const id = idIn(row, 'Uniqueid');
      return id === undefined ? [] : [[id, row] as const];
    }),
  );

const byLowerName = (
  handlers: Readonly<Record<(typeof QUEUE_EVENTS)[number], Handler>>,
): ReadonlyMap<string, Handler> =>
  new Map(Object.entries(handlers).map(([name, handler]) => [name.toLowerCase(), handler]));
