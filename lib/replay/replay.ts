import { isTampered } from '../ami/shape';
import type { ReadMessage } from '../ami/transport';
import type { AmiMessage } from '../ami/types';
import { createCallTracker } from '../calls';
import { timeOf } from '../calls/reading';
import type { CallPlan, CallTracker } from '../calls/types';
import type { PbxMessage } from '../messages/types';
import { createPresenceTracker } from '../presence';
import { userChanges } from '../presence/user-changes';

export interface ReplayOptions {
  /** Name of the PBX in the messages. */
  readonly name: string;
  readonly plan: CallPlan;
  readonly variables: readonly string[];
}

/** Time between events of a trace without time stamps, in ms; the first comes at {@link BEGIN}. */
const STEP_MS = 10;
const BEGIN = Date.UTC(2000, 0, 1);

/** What the tracker makes of the messages of a trace, in their order. */
export class Replay {
  private readonly tracker: CallTracker;
  private readonly presence = createPresenceTracker();
  private at: number | undefined;
  private isDown = false;
  /** Rows of a list of channels that has not come to its end. */
  private rows: AmiMessage[] = [];
  /** A whole list: it says which calls were under way before the trace began. Other lists say nothing. */
  private list: readonly AmiMessage[] | undefined;

  constructor(private readonly options: ReplayOptions) {
    this.tracker = createCallTracker({ pbx: options.name, plan: options.plan, variables: options.variables });
    this.presence.begin();
    this.presence.ready();
  }

  apply(message: ReadMessage): PbxMessage[] {
    if (message.kind !== 'event') return [];
    // What was asked for is no event, but for the one answer that comes as such.
    const isAnswer = message.get('ActionID') !== undefined && message.name !== 'OriginateResponse';
    if (isAnswer) {
      if (message.name === 'CoreShowChannel') this.rows.push(message);
      if (message.name === 'CoreShowChannelsComplete') [this.list, this.rows] = [this.rows, []];
      return [];
    }
    // As the link itself does with what no Asterisk sends.
    if (isTampered(message, false)) return [];
    const before = this.at;
    const at = this.timeOf(message);
    const told: PbxMessage[] = [...this.compare(before ?? at), ...this.tracker.tick(at)];
    if (message.name === 'Shutdown') {
      this.isDown = true;
      this.tracker.linkLost(at);
    } else if (message.name === 'FullyBooted') {
      if (this.isDown) told.push(...this.tracker.beginSession(at, true));
      this.isDown = false;
    }
    told.push(...this.tracker.apply(message, at), ...this.users(message, at));
    return told;
  }

  /** Without a time of its own a list is as old as what was heard before it; the first one, as what comes after. */
  private compare(at: number): readonly PbxMessage[] {
    const { list } = this;
    this.list = undefined;
    return list === undefined ? [] : this.tracker.resync(list, at);
  }

  /** Lets time run on until nothing waits any more. A call that is still up at the end has no record. */
  end(): PbxMessage[] {
    const told: PbxMessage[] = [];
    for (let wake = this.tracker.wakeAt; wake !== undefined; wake = this.tracker.wakeAt)
      told.push(...this.tracker.tick(wake));
    return told;
  }

  private timeOf(message: AmiMessage): number {
    const stamp = timeOf(message, 0);
    const before = this.at ?? BEGIN;
    this.at = stamp > 0 ? Math.max(stamp, this.at ?? 0) : before + STEP_MS;
    return this.at;
  }

  private users(message: AmiMessage, at: number): PbxMessage[] {
    const { name, plan } = this.options;
    const changes = this.presence.apply(message);
    const source = { pbx: name, at: Math.round(at), reconciled: false, firstIsNews: true };
    return userChanges(changes, plan.numbers.isExtension, source);
  }
}
