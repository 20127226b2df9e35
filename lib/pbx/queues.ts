import type { AmiClient } from '../ami/types';
import type { Clock } from '../clock';
import type { TelephonyError } from '../errors';
import type { Log } from '../log';
import type { QueueMessage } from '../messages/queues';
import type { QueueTracker, QueueTrackerStats } from '../queues/types';
import { CallListeners, MAX_KEPT, type CallHandler, type EndListening } from './call-listeners';
import type { PbxCalls } from './calls';
import { pbxError } from './errors';
import { QueueFeed } from './queue-feed';
import { withRegion } from './regions';
import type { RegionOf } from './regions';

/** The life of the queues of one PBX. Nothing is read of what Asterisk sends about them until somebody subscribes. */
export interface PbxQueues {
  /** As {@link PbxCalls.subscribe}: with a `name` a node that is redeployed misses nothing. */
  subscribe(handler: CallHandler<QueueMessage>, name?: string): EndListening;
  readonly stats: QueueTrackerStats;
}

export interface PbxQueuesDeps {
  readonly client: AmiClient;
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
  close(): void;
}

export function createPbxQueues(deps: PbxQueuesDeps): OwnedPbxQueues {
  return new QueuesOfPbx(deps);
}

class QueuesOfPbx implements OwnedPbxQueues {
  private feed: QueueFeed | undefined;
  private isClosed = false;
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

  subscribe(handler: CallHandler<QueueMessage>, name?: string): EndListening {
    if (this.isClosed) return () => undefined;
    const end = this.listeners.add(handler, name);
    const { client, clock, calls, createTracker, onProblem, mayHear, regionOf } = this.deps;
    if (this.feed) return end;
    if (!mayHear) onProblem(pbxError('PBX_QUEUES_DEAF'));
    this.feed = new QueueFeed({
      client,
      clock,
      onProblem,
      tracker: createTracker(),
      subscribeCalls: (listener) => {
        const endCalls = calls.subscribe(listener);
        return () => endCalls();
      },
      tell: (message) => this.listeners.tell(withRegion(message, regionOf)),
    });
    return end;
  }

  close(): void {
    this.isClosed = true;
    this.listeners.clear();
    this.rest();
  }

  /** Nobody wants to know any more. */
  private rest(): void {
    this.feed?.close();
    this.feed = undefined;
  }
}
