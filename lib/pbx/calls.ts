import type { AmiClient } from '../ami/types';
import type { CallTracker, CallTrackerOptions, CallTrackerStats } from '../calls/types';
import { guardedClock, type Clock, type Timer } from '../clock';
import type { TelephonyError } from '../errors';
import type { Log } from '../log';
import type { CallMessage, PbxMessage } from '../messages/types';
import type { PresenceChange } from '../presence/types';
import { userChanges } from '../presence/user-changes';
import { CallFeed } from './call-feed';
import { CallListeners, MAX_KEPT } from './call-listeners';
import type { CallHandler, EndListening } from './call-listeners';
import { pbxError } from './errors';
import { LiveCallKeeper } from './live-calls';
import type { LiveCallPlace } from './live-calls';
import { withRegion } from './regions';
import type { RegionOf } from './regions';

/**
 * The life of the calls of one PBX, and of its extensions. Nothing is read of what Asterisk sends about calls until somebody
 * subscribes, or an earlier process left calls under way in the store.
 */
export interface PbxCalls {
  /**
   * Calls `handler` for every message, in order, until the returned function is called. With a `name` a subscriber can go
   * and come back within a minute (a node that is redeployed: `end(true)`), and is then told what came in between. What
   * happened is told at least once: `eventId` tells a repetition.
   */
  subscribe(handler: CallHandler, name?: string): EndListening;
  /** Calls `handler`, once a second at most, when the number of calls under way is another. Returns the function that ends it. */
  onLiveCalls(handler: (count: number) => void): () => void;
  /** What holds now; see {@link CallTracker.current}. Empty while nobody subscribes. */
  readonly current: readonly CallMessage[];
  /** Whether {@link current} is what holds; false while nobody subscribes, and from the loss of the link to the next list of channels. */
  readonly isKnown: boolean;
  /** Calls `handler` when {@link isKnown} becomes another. Returns the function that ends it. */
  onListed(handler: () => void): () => void;
  readonly stats: CallTrackerStats;
}

export interface PbxCallsOptions extends CallTrackerOptions {
  /** Where calls under way are kept for a restart of this process. */
  readonly live?: LiveCallPlace;
  /** Whether the settings let the events of calls through. */
  readonly mayHear: boolean;
}

export interface PbxCallsDeps {
  readonly client: AmiClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly onProblem: (problem: TelephonyError) => void;
  readonly createTracker: (options: CallTrackerOptions) => CallTracker;
  readonly regionOf?: RegionOf;
}

const COUNTED_EVERY_MS = 1000;
const NOTHING: CallTrackerStats = { liveCalls: 0, channels: 0, tampered: 0, overBound: 0 };

/** What {@link Pbx} sees of it. */
export interface OwnedPbxCalls extends PbxCalls {
  /** The link is going to be opened: takes up the calls that an earlier process left in the store. */
  open(): void;
  /** What presence found; `heardAt`: when Asterisk says that it happened; absent: found in a list. */
  presenceChanged(changes: readonly PresenceChange[], heardAt?: number): void;
  close(): Promise<void>;
}

/** Nothing happens before {@link OwnedPbxCalls.open} or the first subscription. */
export function createPbxCalls(options: PbxCallsOptions, deps: PbxCallsDeps): OwnedPbxCalls {
  return new CallsOfPbx(options, deps);
}

class CallsOfPbx implements OwnedPbxCalls {
  private feed: CallFeed | undefined;
  /** A feed that is closing: its last changes go to disk before the next one reads them. */
  private ending: Promise<void> = Promise.resolve();
  private readonly listeners: CallListeners;
  private readonly watchers = new Set<{ readonly handler: () => void }>();
  private readonly counters = new Set<{ readonly handler: (count: number) => void }>();
  private counting: Timer | undefined;
  private counted = 0;
  private isClosed = false;

  constructor(
    private readonly options: PbxCallsOptions,
    private readonly deps: PbxCallsDeps,
  ) {
    this.listeners = new CallListeners(
      deps.clock,
      (thrown) => deps.log.warn(`A handler of calls failed: ${String(thrown)}`),
      () => this.rest(),
      () => deps.onProblem(pbxError('PBX_CALLS_DROPPED', { limit: MAX_KEPT })),
    );
  }

  get stats(): CallTrackerStats {
    return this.feed?.stats ?? NOTHING;
  }

  get current(): readonly CallMessage[] {
    const current = this.feed?.current ?? [];
    return current.map((message) => withRegion(message, this.deps.regionOf));
  }

  get isKnown(): boolean {
    return this.feed?.isKnown ?? false;
  }

  onListed(handler: () => void): () => void {
    const entry = { handler };
    this.watchers.add(entry);
    return () => void this.watchers.delete(entry);
  }

  subscribe(handler: CallHandler, name?: string): EndListening {
    if (this.isClosed) return () => undefined;
    const end = this.listeners.add(handler, name);
    this.begin();
    return end;
  }

  onLiveCalls(handler: (count: number) => void): () => void {
    const entry = { handler };
    this.counters.add(entry);
    this.counting ??= this.deps.clock.every(COUNTED_EVERY_MS, () => this.count());
    return () => {
      this.counters.delete(entry);
      if (this.counters.size > 0) return;
      this.counting?.cancel();
      this.counting = undefined;
    };
  }

  open(): void {
    const { live } = this.options;
    if (!live || this.feed) return;
    live.table.load(live.key).then(
      (calls) => {
        if (calls.length === 0 || this.isClosed) return;
        this.listeners.keepForThoseToCome();
        this.begin();
      },
      // Who tracks calls asks again, and tells it.
      () => undefined,
    );
  }

  presenceChanged(changes: readonly PresenceChange[], heardAt?: number): void {
    const { feed, options } = this;
    if (!feed || changes.length === 0) return;
    feed.whenLive(() => {
      const source = { pbx: options.pbx, at: heardAt ?? feed.now(), reconciled: heardAt === undefined };
      for (const change of userChanges(changes, options.plan.numbers.isExtension, source)) this.tell(change);
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.listeners.clear();
    this.counters.clear();
    this.watchers.clear();
    this.counting?.cancel();
    await this.end();
  }

  private begin(): void {
    if (this.feed || this.isClosed) return;
    const { live, mayHear, ...options } = this.options;
    const { client, clock, onProblem, createTracker } = this.deps;
    if (!mayHear) onProblem(pbxError('PBX_CALLS_DEAF'));
    const keeper = live && new LiveCallKeeper(live, options.pbx, clock, onProblem, 'calls');
    const onFault = (thrown: unknown): void =>
      this.deps.log.warn(`What was heard of the calls could not be read: ${String(thrown)}`);
    this.feed = new CallFeed({
      pbx: options.pbx,
      client,
      clock: guardedClock(clock, onFault),
      onFault,
      options,
      createTracker,
      onProblem,
      ready: this.ending,
      tell: (message) => this.tell(message),
      onRestored: () => this.listeners.keepForThoseToCome(),
      onListed: () => {
        for (const { handler } of [...this.watchers]) handler();
      },
      ...(keeper ? { keeper } : {}),
    });
  }

  private tell(message: PbxMessage): void {
    this.listeners.tell(withRegion(message, this.deps.regionOf));
  }

  /** Nobody wants to know any more. */
  private rest(): void {
    void this.end();
  }

  private end(): Promise<void> {
    const { feed } = this;
    this.feed = undefined;
    if (feed) this.ending = Promise.all([this.ending, feed.close()]).then(() => undefined);
    return this.ending;
  }

  private count(): void {
    const { liveCalls } = this.stats;
    if (liveCalls === this.counted) return;
    this.counted = liveCalls;
    for (const { handler } of [...this.counters]) handler(liveCalls);
  }
}
