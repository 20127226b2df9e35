import type { AmiClient, AmiMessage, AmiState } from '../ami/types';
import { CALL_EVENTS } from '../calls/events';
import type { CallTracker, CallTrackerOptions } from '../calls/types';
import type { Clock, Timer } from '../clock';
import { asError, type TelephonyError } from '../errors';
import type { CallMessage, PbxMessage } from '../messages/types';
import { askAgainAfter } from './ask-again';
import { pbxError } from './errors';
import type { LiveCallKeeper } from './live-calls';
import { recordingName } from './recording-name';

const LOOKED_AT_EVERY_MS = 5000;
const STARTUP_MS = 3000;
/** How long changes are gathered before they go to disk; and where nothing goes to disk, before they are thrown away. */
const SAVE_EVERY_MS = 250;
const DISCARD_EVERY_MS = 10_000;
/** A tracker that wants to be woken at once all the time must not keep the process busy. */
const SHORTEST_WAIT_MS = 10;
/** Events that wait until a new session has begun; beyond it they are left to the list of channels. */
const MAX_WAITING = 20_000;
/** A start of Asterisk later than the last word of it by less may be the difference of two clocks. */
const CLOCKS_DIFFER_MS = 5000;

export interface CallFeedParts {
  readonly pbx: string;
  readonly client: AmiClient;
  readonly clock: Clock;
  readonly createTracker: (options: CallTrackerOptions) => CallTracker;
  readonly options: CallTrackerOptions;
  readonly keeper?: LiveCallKeeper;
  /** Resolves when the feed before this one has put its calls on disk. */
  readonly ready: Promise<void>;
  readonly tell: (message: PbxMessage) => void;
  readonly onProblem: (problem: TelephonyError) => void;
  /** Something threw that must not. */
  readonly onFault: (thrown: unknown) => void;
  /** Calls of an earlier process were taken up. */
  readonly onRestored: () => void;
  /** The channels of a session are known, or the link is lost: {@link CallFeed.isKnown} is another. */
  readonly onListed: () => void;
}

/**
 * Everything that a tracker of calls needs of the world: events, time, the list of channels after each login, a place for
 * the calls under way. It lives from the first who wants to know of calls to the last.
 */
export class CallFeed {
  private readonly tracker: CallTracker;
  private readonly forget: (() => void)[] = [];
  private readonly restored: Promise<number | undefined>;
  private isRestored = false;
  private state: 'down' | 'opening' | 'live' | 'over' = 'down';
  private session = 0;
  private hasBegun = false;
  private hasChannels = false;
  /** What came while a session was opening. */
  private waiting: (() => void)[] = [];
  /** Wall-clock minus monotonic ms: between two logins our time never jumps. */
  private anchor: number;
  private heardAt: number | undefined;
  private lostAt: number | undefined;
  /** When this Asterisk was started, as it says itself; another word is another start. */
  private startup: string | undefined;
  private upSince: number | undefined;
  private sawShutdown = false;
  private tamperings = 0;
  private toldOverBound = false;
  private wake: Timer | undefined;
  private wakeAt = Infinity;
  private changes: Timer | undefined;
  private ask: Timer | undefined;
  private readonly look: Timer;

  constructor(private readonly parts: CallFeedParts) {
    const { client, clock, options, createTracker } = parts;
    this.anchor = clock.now() - clock.monotonic();
    this.tracker = createTracker(options);
    this.restored = this.restore();
    this.tamperings = this.countTamperings();
    this.forget.push(
      client.subscribe(CALL_EVENTS, (event) => this.whenLive(() => this.heard(event))),
      client.subscribe(['Shutdown'], () => (this.sawShutdown = true)),
      client.subscribe(['FullyBooted'], (event) => this.fullyBooted(event)),
      client.onState((state) => this.linkChanged(state)),
    );
    this.look = clock.every(LOOKED_AT_EVERY_MS, () => this.lookAtTracker());
    this.linkChanged(client.state);
  }

  get stats(): CallTracker['stats'] {
    return this.tracker.stats;
  }

  get current(): readonly CallMessage[] {
    return this.tracker.current();
  }

  /** Whether {@link current} is what holds: the channels of this session are known. */
  get isKnown(): boolean {
    return this.hasChannels;
  }

  /** Runs what belongs to the live session, now or, while one is opening, right after it has begun. */
  whenLive(run: () => void): void {
    if (this.state === 'live') run();
    else if (this.state === 'opening' && this.waiting.length < MAX_WAITING) this.waiting.push(run);
  }

  /** Our time: runs evenly between two logins. */
  now(): number {
    return Math.round(this.anchor + this.parts.clock.monotonic());
  }

  /** Lets go of the link and puts the last changes on disk. */
  async close(): Promise<void> {
    this.state = 'over';
    this.forget.forEach((end) => end());
    for (const timer of [this.wake, this.changes, this.ask, this.look]) timer?.cancel();
    const { keeper } = this.parts;
    // Before the store has given the calls of an earlier process, there is nothing to put over them.
    if (!keeper || !this.isRestored) return;
    keeper.note(this.tracker.takeChanges());
    await keeper.close();
  }

  /** Takes up the calls of an earlier process; resolves with the moment up to which they are known. */
  private async restore(): Promise<number | undefined> {
    await this.parts.ready;
    const loaded = await this.parts.keeper?.load();
    this.isRestored = true;
    if (this.state === 'over' || !loaded || loaded.calls.length === 0) return undefined;
    const { unreadable } = this.tracker.restore(loaded.calls);
    if (unreadable > 0) this.parts.onProblem(pbxError('PBX_CALLS_UNREADABLE', { count: unreadable }));
    this.parts.onRestored();
    return loaded.savedAt;
  }

  private linkChanged({ phase, session, error }: AmiState): void {
    if (phase === 'ready') {
      if (session === this.session) return;
      this.session = session;
      this.state = 'opening';
      this.waiting = [];
      this.open(session).catch(this.parts.onFault);
    } else if (this.state === 'opening' || this.state === 'live') {
      this.ask?.cancel();
      const wasLive = this.state === 'live';
      this.state = 'down';
      if (!wasLive) return;
      // A silent link is noticed late: what is certain is the last word of it.
      this.lostAt = error?.code === 'AMI_SILENT' ? (this.heardAt ?? this.now()) : this.now();
      this.tracker.linkLost(this.lostAt);
      this.followUp();
      this.listed(false);
    }
  }

  private isOver(session: number): boolean {
    return this.state === 'over' || this.state === 'down' || this.session !== session;
  }

  private async open(session: number): Promise<void> {
    const savedAt = await this.restored;
    const startup = await this.askStartup();
    if (this.isOver(session)) return;
    const { pbx, clock, tell } = this.parts;
    this.anchor = clock.now() - clock.monotonic();
    const at = this.now();
    const from = this.lostAt ?? (this.hasBegun ? undefined : savedAt);
    const restarted = from !== undefined && this.hasRestarted(startup, from);
    this.hasBegun = true;
    this.startup = startup;
    this.sawShutdown = false;
    this.lostAt = undefined;
    this.state = 'live';
    if (from !== undefined) {
      const times = { from: new Date(from).toISOString(), to: new Date(at).toISOString() };
      tell({ topic: 'gap', payload: { eventId: `${pbx}:gap:${from}`, pbx, ...times, restarted } });
    }
    this.take(this.tracker.beginSession(at, restarted));
    for (const run of this.waiting.splice(0)) run();
    await this.learnChannels(session);
  }

  /** When Asterisk was started, in its own words; they need the same permission as the list of channels. */
  private async askStartup(): Promise<string | undefined> {
    const answer = await this.parts.client
      .action({ action: 'CoreStatus' }, { timeoutMs: STARTUP_MS })
      .catch(() => undefined);
    if (answer?.name !== 'Success') return undefined;
    return `${answer.get('CoreStartupDate') ?? ''} ${answer.get('CoreStartupTime') ?? ''}`;
  }

  private hasRestarted(startup: string | undefined, lastHeardAt: number): boolean {
    if (this.sawShutdown) return true;
    if (startup !== undefined && this.startup !== undefined) return startup !== this.startup;
    return this.upSince !== undefined && this.upSince > lastHeardAt + CLOCKS_DIFFER_MS;
  }

  private fullyBooted(event: AmiMessage): void {
    const seconds = Number(event.get('Uptime'));
    this.upSince = Number.isFinite(seconds) ? this.parts.clock.now() - seconds * 1000 : undefined;
  }

  /** Compares what is known with the channels that there are. */
  private async learnChannels(session: number, attempt = 0): Promise<void> {
    try {
      const rows = await this.parts.client.list({ action: 'CoreShowChannels' });
      if (this.isOver(session)) return;
      this.take(this.tracker.resync(rows, this.now()));
      this.listed(true);
    } catch (thrown) {
      if (this.isOver(session)) return;
      const reason = asError(thrown).message;
      // A missing permission stays missing until the next login.
      if (/permission denied/i.test(reason)) {
        this.parts.onProblem(pbxError('PBX_CALLS_DENIED', {}, thrown));
        this.listed(true);
        return;
      }
      const wait = askAgainAfter(attempt);
      this.parts.onProblem(pbxError('PBX_CALLS_FAILED', { reason, seconds: wait / 1000 }, thrown));
      this.ask = this.parts.clock.after(wait, () => void this.learnChannels(session, attempt + 1));
    }
  }

  private listed(isKnown: boolean): void {
    if (isKnown === this.hasChannels) return;
    this.hasChannels = isKnown;
    this.parts.onListed();
  }

  private heard(event: AmiMessage): void {
    this.heardAt = this.now();
    this.take(this.tracker.apply(event, this.heardAt));
    if (event.name === 'MixMonitorStart') void this.learnRecording(event, this.session);
  }

  private async learnRecording(event: AmiMessage, session: number): Promise<void> {
    const named = await recordingName(this.parts.client, event);
    if (named && !this.isOver(session)) this.take(this.tracker.apply(named, this.now()));
  }

  private take(messages: readonly PbxMessage[]): void {
    const { keeper, tell } = this.parts;
    for (const message of messages) {
      if (message.topic === 'call_record') keeper?.recordTold(message.payload.callId);
      tell(message);
    }
    this.followUp();
  }

  /** Whatever the tracker was told may have changed when it wants to be woken, and what is to be kept. */
  private followUp(): void {
    if (this.state === 'over') return;
    const { clock, keeper } = this.parts;
    const wakeAt = this.tracker.wakeAt ?? Infinity;
    if (wakeAt !== this.wakeAt) {
      this.wake?.cancel();
      this.wakeAt = wakeAt;
      if (wakeAt !== Infinity)
        this.wake = clock.after(Math.max(wakeAt - this.now(), SHORTEST_WAIT_MS), () => this.tick());
    }
    this.changes ??= clock.after(keeper ? SAVE_EVERY_MS : DISCARD_EVERY_MS, () => {
      this.changes = undefined;
      const changes = this.tracker.takeChanges();
      keeper?.note(changes);
    });
  }

  private tick(): void {
    this.wakeAt = Infinity;
    this.take(this.tracker.tick(this.now()));
  }

  private lookAtTracker(): void {
    if (this.tracker.stats.overBound > 0 && !this.toldOverBound) {
      this.toldOverBound = true;
      this.parts.onProblem(pbxError('PBX_CALLS_TOO_MANY'));
    }
    this.lookForTampering();
  }

  /** Somebody puts text of his own into the stream: what the tracker knows may be wrong. */
  private lookForTampering(): void {
    const now = this.countTamperings();
    if (now === this.tamperings) return;
    this.tamperings = now;
    if (this.state === 'live') void this.learnChannels(this.session);
  }

  private countTamperings(): number {
    return this.parts.client.stats.tampered + this.tracker.stats.tampered;
  }
}
