import type { AmiClient, AmiMessage, AmiState } from '../ami/types';
import type { Clock, Timer } from '../clock';
import { asError, type TelephonyError } from '../errors';
import type { QueueMessage } from '../messages/queues';
import type { PbxMessage } from '../messages/types';
import { QUEUE_EVENTS } from '../queues/events';
import type { QueueTracker } from '../queues/types';
import { askAgainAfter } from './ask-again';
import { pbxError } from './errors';
import type { LiveCallKeeper } from './live-calls';

/** So old can anything be at most that Asterisk did not tell us of, such as members changed in `queues.conf`. */
const LIST_AGAIN_MS = 60_000;
/** So long may an event from before a list come after it. */
const LATE_EVENTS_MS = 1000;
/** How long changes are gathered before they go to disk. */
const SAVE_EVERY_MS = 250;
/** A tracker that wants to be woken at once all the time must not keep the process busy. */
const SHORTEST_WAIT_MS = 10;

export interface QueueFeedParts {
  readonly client: AmiClient;
  readonly clock: Clock;
  readonly tracker: QueueTracker;
  readonly keeper?: LiveCallKeeper;
  /** The life of calls, in order; returns the function that ends it. */
  readonly subscribeCalls: (handler: (message: PbxMessage) => void) => () => void;
  readonly tell: (message: QueueMessage) => void;
  readonly onProblem: (problem: TelephonyError) => void;
  /** The lists have come, or the link is lost: what is known of members is another. */
  readonly onListed: () => void;
}

/** Everything that a tracker of queues needs of the world: events, time, and lists after each login and every minute. */
export class QueueFeed {
  private readonly forget: (() => void)[];
  private session = 0;
  private isLive = false;
  private hasLists = false;
  /** Wall-clock minus monotonic ms: between two logins our time never jumps. */
  private anchor: number;
  private wake: Timer | undefined;
  private wakeAt = Infinity;
  private ask: Timer | undefined;
  /** The last lists were refused. */
  private isRefused = false;
  private toldOverBound = false;
  private changes: Timer | undefined;

  constructor(private readonly parts: QueueFeedParts) {
    const { client, clock, subscribeCalls, tracker } = parts;
    this.anchor = clock.now() - clock.monotonic();
    this.forget = [
      subscribeCalls((message) => this.take(tracker.applyCall(message, this.now()))),
      client.subscribe(QUEUE_EVENTS, (event) => this.take(tracker.apply(event, this.now()))),
      client.onState((state) => this.linkChanged(state)),
      client.subscribe(['FullyBooted'], () => this.booted()),
    ];
    this.linkChanged(client.state);
  }

  get stats(): QueueTracker['stats'] {
    return this.parts.tracker.stats;
  }

  /** Whether the tracker knows the members of this session. */
  get isKnown(): boolean {
    return this.hasLists;
  }

  get members(): Pick<QueueTracker, 'queues' | 'placesOf'> {
    return this.parts.tracker;
  }

  /** Lets go of the link and puts the last changes on disk. */
  async close(): Promise<void> {
    this.isLive = false;
    this.forget.forEach((end) => end());
    for (const timer of [this.wake, this.ask, this.changes]) timer?.cancel();
    const { keeper, tracker } = this.parts;
    keeper?.note(tracker.takeChanges());
    await keeper?.close();
  }

  private now(): number {
    return Math.round(this.anchor + this.parts.clock.monotonic());
  }

  private linkChanged({ phase, session }: AmiState): void {
    const { clock, tracker } = this.parts;
    if (phase === 'ready') {
      if (this.isLive && session === this.session) return;
      this.session = session;
      this.isLive = true;
      this.anchor = clock.now() - clock.monotonic();
      void this.learn(session);
    } else if (this.isLive) {
      this.isLive = false;
      this.ask?.cancel();
      tracker.linkLost(this.now());
      this.listed(false);
    }
  }

  /** While it begins, Asterisk takes log-ins and does not know its queues yet (measured on 22.10). */
  private booted(): void {
    if (!this.isLive || !this.isRefused) return;
    this.ask?.cancel();
    void this.learn(this.session);
  }

  private isOver(session: number): boolean {
    return !this.isLive || this.session !== session;
  }

  private async learn(session: number, attempt = 0): Promise<void> {
    const { client, clock, tracker, onProblem } = this.parts;
    const requestedAt = this.now();
    this.isRefused = false;
    const next = (ms: number, run: () => void): void => {
      this.ask = clock.after(ms, run);
    };
    try {
      // Whoever may not see the channels is told so by the life of calls.
      const channels: Promise<AmiMessage[] | undefined> = client
        .list({ action: 'CoreShowChannels' })
        .catch(() => undefined);
      const status = await client.list({ action: 'QueueStatus' });
      const rows = await channels;
      if (this.isOver(session)) return;
      next(LATE_EVENTS_MS, () => {
        // First: whatever goes wrong with this one, the next list is asked for.
        next(LIST_AGAIN_MS, () => void this.learn(session));
        this.take(tracker.resync({ status, ...(rows ? { channels: rows } : {}) }, requestedAt, this.now()));
        this.listed(true);
        this.lookAtBounds();
      });
    } catch (thrown) {
      if (this.isOver(session)) return;
      this.isRefused = true;
      const wait = askAgainAfter(attempt);
      onProblem(pbxError('PBX_QUEUES_FAILED', { reason: asError(thrown).message, seconds: wait / 1000 }, thrown));
      next(wait, () => void this.learn(session, attempt + 1));
    }
  }

  private listed(isKnown: boolean): void {
    this.hasLists = isKnown;
    this.parts.onListed();
  }

  private lookAtBounds(): void {
    if (this.toldOverBound || this.parts.tracker.stats.overBound === 0) return;
    this.toldOverBound = true;
    this.parts.onProblem(pbxError('PBX_QUEUES_TOO_MANY'));
  }

  private take(messages: readonly QueueMessage[]): void {
    const { clock, tracker, tell, keeper } = this.parts;
    for (const message of messages) tell(message);
    this.changes ??= clock.after(SAVE_EVERY_MS, () => {
      this.changes = undefined;
      const changes = tracker.takeChanges();
      keeper?.note(changes);
    });
    const wakeAt = tracker.wakeAt ?? Infinity;
    if (wakeAt === this.wakeAt) return;
    this.wake?.cancel();
    this.wakeAt = wakeAt;
    if (wakeAt === Infinity) return;
    this.wake = clock.after(Math.max(wakeAt - this.now(), SHORTEST_WAIT_MS), () => {
      this.wakeAt = Infinity;
      this.take(tracker.tick(this.now()));
    });
  }
}
