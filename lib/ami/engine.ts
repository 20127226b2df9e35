import { systemClock, type Clock, type Timer } from '../clock';
import { asError, type TelephonyError } from '../errors';
import { silentLog, type Log } from '../log';
import { Backoff } from './backoff';
import { amiError } from './errors';
import { ActionIds } from './ids';
import { isTampered, mustBeLookedAt } from './shape';
import { Session } from './session';
import { Subscriptions, type EventHandler } from './subscriptions';
import type { Incoming, Transport, TransportSink } from './transport';
import type {
  ActionOptions,
  AmiAction,
  AmiAddress,
  AmiClient,
  AmiClientOptions,
  AmiMessage,
  AmiState,
  AmiStats,
} from './types';

const ACTION_MS = 10_000;
const TAMPERING_WARNED_EVERY_MS = 60_000;

/** What an AMI client may be given; tests hand in a clock moved by hand and fixed dice. */
export interface AmiDeps {
  readonly clock?: Clock;
  readonly log?: Log;
  /** 0 (included) to 1, for the jitter of the reconnects. */
  readonly random?: () => number;
}

/** What a driver is to the engine: a way to open one connection. */
export type Driver = (options: AmiClientOptions, place: string, sink: TransportSink) => Transport;

const placeOf = ({ host, port }: AmiAddress): string => `${host}:${port}`;

/** The link to one Asterisk over whichever driver: keeps a {@link Session} up and hands its events out. */
export class AmiEngine implements AmiClient {
  private readonly clock: Clock;
  private readonly log: Log;
  private place: string;
  private readonly ids = new ActionIds();
  private readonly subscriptions: Subscriptions;
  private readonly stateHandlers = new Set<{ readonly handler: (state: AmiState) => void }>();
  private readonly backoff: Backoff;
  private current: AmiState;
  private session: Session | undefined;
  private retry: Timer | undefined;
  private readyAt: number | undefined;
  private lastError: string | undefined;
  private received = 0;
  private reconnects = 0;
  private tampered = 0;
  private tamperingToldAt = -Infinity;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly options: AmiClientOptions,
    private readonly driver: Driver,
    deps: AmiDeps,
  ) {
    this.clock = deps.clock ?? systemClock;
    this.log = deps.log ?? silentLog;
    this.place = placeOf(options);
    this.subscriptions = new Subscriptions(this.log);
    this.backoff = new Backoff(deps.random ?? Math.random);
    this.current = { phase: 'idle', since: this.clock.now(), session: 0 };
  }

  get state(): AmiState {
    return this.current;
  }

  get stats(): AmiStats {
    const { received, reconnects, tampered } = this;
    return { received, reconnects, tampered, pendingActions: this.session?.answers.size ?? 0 };
  }

  connect(): void {
    if (this.current.phase === 'idle') this.open();
  }

  async action(action: AmiAction, options: ActionOptions = {}): Promise<AmiMessage> {
    return this.readySession(action).action(action, options.timeoutMs ?? ACTION_MS);
  }

  async list(action: AmiAction, options: ActionOptions = {}): Promise<AmiMessage[]> {
    return this.readySession(action).list(action, options.timeoutMs ?? ACTION_MS);
  }

  subscribe(names: '*' | readonly string[], handler: EventHandler): () => void {
    return this.subscriptions.add(names, handler);
  }

  onState(handler: (state: AmiState) => void): () => void {
    const entry = { handler };
    this.stateHandlers.add(entry);
    return () => void this.stateHandlers.delete(entry);
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.retry?.cancel();
    const ended = this.session?.close();
    this.change({ phase: 'closed' });
    this.subscriptions.clear();
    this.stateHandlers.clear();
    await ended;
    this.session = undefined;
  }

  private open(): void {
    this.change({ phase: 'connecting' });
    // A handler of that change may have closed the client.
    if (this.closing) return;
    this.readyAt = undefined;
    const { locate } = this.options;
    if (locate) void this.openWhereFound(locate);
    else this.openAt(this.options);
  }

  private async openWhereFound(locate: NonNullable<AmiClientOptions['locate']>): Promise<void> {
    try {
      const address = await locate();
      if (this.closing) return;
      this.place = placeOf(address);
      this.openAt({ ...this.options, ...address });
    } catch (thrown) {
      if (this.closing) return;
      const { message } = asError(thrown);
      this.over(amiError('AMI_CONNECT_FAILED', { place: this.place, reason: message }, thrown), false);
    }
  }

  private openAt(options: AmiClientOptions): void {
    const { place, clock, ids } = this;
    this.session = new Session(
      { options, place, clock, ids, open: (sink) => this.driver(options, place, sink) },
      {
        connected: () => this.change({ phase: 'logging-in' }),
        greeted: (amiVersion) => {
          if (amiVersion !== undefined) this.current = { ...this.current, amiVersion };
        },
        loggedIn: () => this.loggedIn(),
        ready: () => this.ready(),
        receive: (incoming) => this.receive(incoming),
        over: (error, refused) => this.over(error, refused),
      },
    );
    this.session.start();
  }

  private loggedIn(): void {
    if (this.current.session > 0) this.reconnects++;
    this.current = { ...this.current, session: this.current.session + 1 };
  }

  private ready(): void {
    this.readyAt = this.clock.monotonic();
    this.log.info(`Asterisk ${this.place}: the link is ready`);
    this.change({ phase: 'ready' });
  }

  private over(error: TelephonyError, refused: boolean): void {
    this.session = undefined;
    const readyMs = this.readyAt === undefined ? 0 : this.clock.monotonic() - this.readyAt;
    const delay = this.backoff.next(refused, readyMs);
    const isNews = this.readyAt !== undefined || this.lastError !== error.code;
    this.lastError = error.code;
    // No warning: the state tells it, and whoever owns the client words it for people.
    this.log[isNews ? 'info' : 'debug'](error.message);
    this.retry = this.clock.after(delay, () => this.open());
    this.change({ phase: refused ? 'refused' : 'waiting', error, retryAt: this.clock.now() + delay });
  }

  private receive(incoming: Incoming): void {
    this.received++;
    if (incoming.kind === 'response') return;
    if (incoming.kind === 'other') {
      this.warnOfTampering();
      return;
    }
    const handlers = this.subscriptions.of(incoming.name);
    const collecting = this.session?.answers.collecting === true;
    if (handlers.length === 0 && !collecting && !mustBeLookedAt(incoming.name)) return;
    const event = incoming.read();
    // Items of a list, also of one that nobody waits for any more, are no news.
    const id = event.mentions(this.ids.lists) ? event.get('ActionID') : undefined;
    const isListItem = id?.startsWith(this.ids.lists) === true;
    if (isTampered(event, isListItem)) this.warnOfTampering();
    else if (isListItem) this.session?.answers.item(id, event);
    else this.subscriptions.deliver(event, handlers);
  }

  private warnOfTampering(): void {
    this.tampered++;
    const now = this.clock.monotonic();
    if (now - this.tamperingToldAt < TAMPERING_WARNED_EVERY_MS) return;
    this.tamperingToldAt = now;
    this.log.warn(amiError('AMI_TAMPERED', { place: this.place, count: this.tampered }));
  }

  private change(next: Pick<AmiState, 'phase' | 'error' | 'retryAt'>): void {
    const { session, amiVersion } = this.current;
    this.current = { ...next, since: this.clock.now(), session, ...(amiVersion === undefined ? {} : { amiVersion }) };
    for (const { handler } of [...this.stateHandlers]) {
      try {
        handler(this.current);
      } catch (thrown) {
        this.log.warn(`A handler of the state of the link failed: ${String(thrown)}`);
      }
    }
  }

  private readySession(action: AmiAction): Session {
    const { phase } = this.current;
    if (phase === 'ready' && this.session) return this.session;
    throw amiError('AMI_NOT_CONNECTED', { place: this.place, phase, action: action.action });
  }
}
