import type { AmiMessage } from '../ami/types';
import type { CallPlan, SavedCall } from '../calls/types';
import type { PbxMessage } from '../messages/types';
import type { QueueMessage } from '../messages/queues';
import type { Whose } from '../phone/interfaces';

export interface QueueTrackerOptions {
  /** Name of the `ami-config`, as it appears in messages. */
  readonly pbx: string;
  readonly plan: CallPlan;
  /** Who sits at an interface whose name is not his extension (`PJSIP/phone-101`); absent: only names that are extensions are known. */
  readonly whose?: Whose;
}

/** What the PBX says of its queues when it is asked. */
export interface QueueLists {
  /** All items of `QueueStatus`. */
  readonly status: readonly AmiMessage[];
  /** The rows of `CoreShowChannels`; absent: this user may not see them. */
  readonly channels?: readonly AmiMessage[];
}

/**
 * AMI events in, messages about queues and agents out. Pure: every method takes the moment (`at`, wall-clock ms) at which it
 * happens; where an event has a Timestamp of the PBX, durations come from that.
 *
 * After a new login, and now and then, the lists go to {@link resync}, every live event to {@link apply} also meanwhile. The
 * first lists tell how things are; only what the next ones show to be different is told.
 */
export interface QueueTracker {
  apply(event: AmiMessage, at: number): readonly QueueMessage[];
  /** What the tracker of calls tells: agents' own calls and transfers are found by it. */
  applyCall(message: PbxMessage, at: number): readonly QueueMessage[];
  /** Lets time run on: decides what waited for latecomers. To be called at {@link wakeAt} at the latest. */
  tick(at: number): readonly QueueMessage[];
  /** When {@link tick} has something to do; `undefined`: never, unless more events come. */
  readonly wakeAt: number | undefined;
  /** The link is down since `at`. */
  linkLost(at: number): void;
  /**
   * Compares what is known with the lists that were requested at `requestedAt`. Asterisk may send events from before a list
   * after it: who waits a second before he calls this tells nothing that an event tells better.
   */
  resync(lists: QueueLists, requestedAt: number, at: number): readonly QueueMessage[];
  /** The callers and members who changed, and those who are forgotten, since the last time it was asked. */
  takeChanges(): { readonly changed: readonly SavedCall[]; readonly forgotten: readonly string[] };
  /**
   * Takes up the callers and members of an earlier process that knew everything until `knownUntil`; before anything else. Who cannot be read is left
   * out, and counted. The first lists then tell what became of them.
   */
  restore(saved: readonly SavedCall[], knownUntil: number): { readonly unreadable: number };
  readonly stats: QueueTrackerStats;
  /** The queues of the last list; none before the first. */
  readonly queues: readonly string[];
  /** Where an extension is a member now. */
  placesOf(extension: string): readonly QueuePlace[];
}

/** One place of an agent in a queue. */
export interface QueuePlace {
  readonly queue: string;
  /** He joined by himself, or by an order, and can leave; a fixed member of `queues.conf` cannot. */
  readonly isDynamic: boolean;
  readonly paused: boolean;
  /** Of the pause; empty: none was given. */
  readonly reason: string;
  /** Since when he is paused (Unix seconds), as the PBX says. */
  readonly pausedAt?: number;
}

export interface QueueTrackerStats {
  /** Callers who wait in a queue. */
  readonly waiting: number;
  /** Conversations of agents with callers of a queue. */
  readonly talking: number;
  /** Memberships: an agent in two queues counts twice. */
  readonly members: number;
  /** Callers and members left out because the bound was reached. */
  readonly overBound: number;
}
