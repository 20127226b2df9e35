import type { AmiClient } from '../ami/types';
import { guardedClock, type Clock } from '../clock';
import type { TelephonyError } from '../errors';
import type { Log } from '../log';
import type { QueueMessage } from '../messages/queues';
import type { QueueTracker, QueueTrackerStats } from '../queues/types';
import { CallListeners, MAX_KEPT, type CallHandler, type EndListening } from './call-listeners';
import type { PbxCalls } from './calls';
import { pbxError } from './errors';
import { LiveCallKeeper } from './live-calls';
import type { LiveCallPlace } from './live-calls';
import { QueueFeed } from './queue-feed';
import { withRegion } from './regions';
import type { RegionOf } from './regions';

/** The life of the queues of one PBX. Nothing is read of what Asterisk sends about them until somebody subscribes. */
export interface PbxQueues {
  /** As {@link PbxCalls.subscribe}: with a `name` a node that is redeployed misses nothing. */
  subscribe(handler: CallHandler<QueueMessage>, name?: string): EndListening;
  readonly stats: QueueTrackerStats;
  /** What is known of queues and members now; `undefined` while nobody subscribes, and from the loss of the link to the next list. */
  readonly members: Pick<QueueTracker, 'queues' | 'placesOf'> | undefined;
  /** Calls `handler` when a list has come (after a login, then every minute), and when the link is lost. Returns the function that ends it. */
  onListed(handler: () => void): () => void;
}

export interface PbxQueuesDeps {
  readonly pbxName: string;
  readonly client: AmiClient;
  /** Where callers in queues are kept for a restart of this process. */
  readonly live?: LiveCallPlace;
  readonly clock: Clock;
  readonly log: Log;
  readonly calls: Pick<PbxCalls, 'subscribe'>;
  readonly onProblem: (problem: TelephonyError) => void;
  readonly createTracker: () => QueueTracker;
  /** Whether the settings let the events of queues through. */
  readonly mayHear: boolean;
  readonly regionOf?: RegionOf;
}

const NOTHING: QueueTrackerStats = { waiting: 0, talking: 0, members: 0, overBound: 0 };

/** What {@link Pbx} sees of it. */
export interface OwnedPbxQueues extends PbxQueues {
  close(): Promise<void>;
}

export function createPbxQueues(deps: PbxQueuesDeps): OwnedPbxQueues {
  return new QueuesOfPbx(deps);
}

class QueuesOfPbx implements OwnedPbxQueues {
  private feed: QueueFeed | undefined;
  /** There is a feed, or one is about to begin; `turn` tells which. */
  private isWanted = false;
  private turn = 0;
  /** A feed that is closing: its last changes go to disk before the next one reads them. */
  private ending: Promise<void> = Promise.resolve();
  private isClosed = false;
  private readonly watchers = new Set<{ readonly handler: () => void }>();
  private readonly listeners: CallListeners<QueueMessage>;

  constructor(private readonly deps: PbxQueuesDeps) {
    this.listeners = new CallListeners(
      deps.clock,
      (thrown) => deps.log.warn(`A handler of queue events failed: ${String(thrown)}`),
      () => this.rest(),
      () => deps.onProblem(pbxError('PBX_CALLS_DROPPED', { limit: MAX_KEPT })),
    );
  }

  get stats(): QueueTrackerStats {
    return this.feed?.stats ?? NOTHING;
  }

  get members(): PbxQueues['members'] {
    return this.feed?.isKnown ? this.feed.members : undefined;
  }

  onListed(handler: () => void): () => void {
    const entry = { handler };
    this.watchers.add(entry);
    return () => void this.watchers.delete(entry);
  }

  subscribe(handler: CallHandler<QueueMessage>, name?: string): EndListening {
    if (this.isClosed) return () => undefined;
    const end = this.listeners.add(handler, name);
    if (this.isWanted) return end;
    this.isWanted = true;
    if (!this.deps.mayHear) this.deps.onProblem(pbxError('PBX_QUEUES_DEAF'));
    if (this.deps.live) void this.takeUp(this.deps.live);
    else this.begin(this.deps.createTracker());
    return end;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.listeners.clear();
    this.watchers.clear();
    await this.end();
  }

  /** Begins with the callers of an earlier process. What is not heard until then, the first lists tell. */
  private async takeUp(live: LiveCallPlace): Promise<void> {
    const { pbxName, clock, onProblem, createTracker } = this.deps;
    const turn = (this.turn += 1);
    await this.ending;
    const keeper = new LiveCallKeeper(live, pbxName, clock, onProblem, 'queues');
    const { calls, savedAt } = await keeper.load();
    if (!this.isWanted || turn !== this.turn) return;
    const tracker = createTracker();
    if (savedAt !== undefined) {
      const { unreadable } = tracker.restore(calls, savedAt);
      if (unreadable > 0) onProblem(pbxError('PBX_QUEUES_UNREADABLE', { count: unreadable }));
      this.listeners.keepForThoseToCome();
    }
    this.begin(tracker, keeper);
  }

  private begin(tracker: QueueTracker, keeper?: LiveCallKeeper): void {
    const { client, clock, calls, onProblem, regionOf } = this.deps;
    const onFault = (thrown: unknown): void =>
      this.deps.log.warn(`What was heard of the queues could not be read: ${String(thrown)}`);
    this.feed = new QueueFeed({
      client,
      clock: guardedClock(clock, onFault),
      onProblem,
      tracker,
      subscribeCalls: (listener) => {
        const endCalls = calls.subscribe(listener);
        return () => endCalls();
      },
      tell: (message) => this.listeners.tell(withRegion(message, regionOf)),
      onListed: () => {
        for (const { handler } of [...this.watchers]) handler();
      },
      ...(keeper ? { keeper } : {}),
    });
  }

  /** Nobody wants to know any more. */
  private rest(): void {
    void this.end();
  }

  private end(): Promise<void> {
    const { feed } = this;
    this.feed = undefined;
    this.isWanted = false;
    if (feed) this.ending = Promise.all([this.ending, feed.close()]).then(() => undefined);
    return this.ending;
  }
}
