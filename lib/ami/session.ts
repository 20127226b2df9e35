import type { Clock, Timer } from '../clock';
import { TelephonyError, asError } from '../errors';
import { Answers } from './answers';
import { encodeAction } from './encode';
import { amiError } from './errors';
import type { ActionIds } from './ids';
import { MAX_PENDING_ACTIONS } from './limits';
import { LoginRefused, logIn, mayHearFullyBooted } from './login';
import type { Incoming, OpenTransport, Transport } from './transport';
import type { AmiAction, AmiClientOptions, AmiMessage } from './types';
import { PING_ABANDONED_MS, PING_TIMEOUT_MS, Watchdog } from './watchdog';

const CONNECT_MS = 10_000;
/** From the open line until ready: greeting, challenge, login, ping. A wrong secret is answered after 1 s (measured). */
const LOGIN_MS = 10_000;
/** `FullyBooted` follows the login at once (measured), but users without the class `system` never hear it. */
const BOOT_GRACE_MS = 1000;
const GOODBYE_MS = 1000;

/** Who listens to a {@link Session}. */
export interface SessionOwner {
  /** The line is open, the login begins. */
  connected(): void;
  greeted(amiVersion: string | undefined): void;
  loggedIn(): void;
  ready(): void;
  receive(incoming: Incoming): void;
  /** The session ended by itself. Comes once, nothing comes after it. */
  over(error: TelephonyError, refused: boolean): void;
}

export interface SessionDeps {
  readonly options: AmiClientOptions;
  /** `host:port`, for texts. */
  readonly place: string;
  readonly clock: Clock;
  readonly ids: ActionIds;
  readonly open: OpenTransport;
}

/** One connection from its opening to its end: login, answers, watchdog. Used once. */
export class Session {
  readonly answers: Answers;
  private transport: Transport | undefined;
  private watchdog: Watchdog | undefined;
  /** Connect, then login, then the goodbye: one deadline at a time. */
  private deadline: Timer | undefined;
  private bootGrace: Timer | undefined;
  private booted = false;
  private state: 'opening' | 'ready' | 'leaving' | 'over' = 'opening';
  private left: () => void = () => undefined;

  constructor(
    private readonly deps: SessionDeps,
    private readonly owner: SessionOwner,
  ) {
    this.answers = new Answers(deps.clock, deps.place);
  }

  start(): void {
    const { place } = this.deps;
    this.limit(CONNECT_MS, () => amiError('AMI_CONNECT_TIMEOUT', { place, ms: CONNECT_MS }));
    try {
      this.transport = this.deps.open({
        connected: () => this.connected(),
        greeted: (amiVersion) => this.greeted(amiVersion),
        receive: (incoming) => this.receive(incoming),
        lost: (error, refused) => this.finish(error, refused),
      });
    } catch (thrown) {
      this.finish(this.asTelephonyError(thrown), true);
    }
  }

  /** Sends an action and waits for its answer. */
  async action(action: AmiAction, ms: number): Promise<AmiMessage> {
    const id = this.deps.ids.one();
    this.send(action, id);
    return this.answers.one(id, action.action, ms);
  }

  /** Sends an action and waits for the list that it asks for. */
  async list(action: AmiAction, ms: number): Promise<AmiMessage[]> {
    const id = this.deps.ids.list();
    this.send(action, id);
    return this.answers.many(id, action.action, ms);
  }

  /** Logs off and ends within {@link GOODBYE_MS}; the owner hears nothing any more. */
  async close(): Promise<void> {
    const wasReady = this.state === 'ready';
    if (this.state === 'over') return;
    this.stopTimers();
    this.rejectAll('closed');
    if (!wasReady) {
      this.destroy();
      return;
    }
    this.state = 'leaving';
    const gone = new Promise<void>((resolve) => (this.left = resolve));
    this.deadline = this.deps.clock.after(GOODBYE_MS, () => this.destroy());
    this.transport?.send(encodeAction({ action: 'Logoff' }, this.deps.ids.one()));
    this.transport?.end();
    await gone;
  }

  private connected(): void {
    const { place } = this.deps;
    this.limit(LOGIN_MS, () => amiError('AMI_LOGIN_TIMEOUT', { place, ms: LOGIN_MS }));
    this.owner.connected();
  }

  private greeted(amiVersion: string | undefined): void {
    // A handler that was told of the open line may have closed the client.
    if (this.isOver()) return;
    this.owner.greeted(amiVersion);
    this.logIn().catch((thrown: unknown) => {
      const error = this.asTelephonyError(thrown);
      // A name or secret that cannot be sent is a refusal too: only other settings can help.
      this.finish(error, thrown instanceof LoginRefused || error.code === 'AMI_BAD_VALUE');
    });
  }

  private async logIn(): Promise<void> {
    const { options, place, clock } = this.deps;
    const ask = (action: AmiAction): Promise<AmiMessage> => this.action(action, LOGIN_MS);
    await logIn(ask, options, place);
    if (this.isOver()) return;
    this.owner.loggedIn();
    await ask({ action: 'Ping' });
    if (this.booted || !mayHearFullyBooted(options.events)) this.ready();
    else this.bootGrace = clock.after(BOOT_GRACE_MS, () => this.ready());
  }

  private ready(): void {
    if (this.state !== 'opening') return;
    this.stopTimers();
    this.state = 'ready';
    this.watchdog = new Watchdog(
      this.deps.clock,
      () => this.ping(),
      () => this.finish(amiError('AMI_SILENT', { place: this.deps.place, ms: PING_TIMEOUT_MS }), false),
    );
    this.owner.ready();
  }

  private ping(): void {
    // Its failure needs no care here: an unanswered ping is the watchdog's own business.
    this.action({ action: 'Ping' }, PING_ABANDONED_MS + PING_TIMEOUT_MS).then(
      () => this.watchdog?.answered(),
      () => undefined,
    );
  }

  private receive(incoming: Incoming): void {
    if (this.state === 'over' || this.state === 'leaving') return;
    this.watchdog?.heard();
    if (incoming.kind === 'response') this.answers.answer(incoming.read());
    else if (incoming.kind === 'event' && incoming.name === 'FullyBooted') this.fullyBooted();
    this.owner.receive(incoming);
  }

  private fullyBooted(): void {
    this.booted = true;
    if (this.bootGrace) this.ready();
  }

  private send(action: AmiAction, id: string): void {
    const lines = encodeAction(action, id);
    if (this.answers.size >= MAX_PENDING_ACTIONS || this.transport?.send(lines) !== true) {
      const { place } = this.deps;
      throw amiError('AMI_TOO_MANY_PENDING', { place, action: action.action, count: this.answers.size });
    }
  }

  private finish(error: TelephonyError, refused: boolean): void {
    if (this.state === 'over') return;
    const wasLeaving = this.state === 'leaving';
    this.rejectAll(error.code, error);
    this.destroy();
    if (!wasLeaving) this.owner.over(error, refused);
  }

  private isOver(): boolean {
    return this.state === 'over';
  }

  private destroy(): void {
    this.state = 'over';
    this.stopTimers();
    this.transport?.destroy();
    this.left();
  }

  private rejectAll(reason: string, cause?: TelephonyError): void {
    const { place } = this.deps;
    const lost = cause?.code === 'AMI_LINK_LOST' ? cause : amiError('AMI_LINK_LOST', { place, reason }, cause);
    this.answers.end(() => lost);
  }

  private limit(ms: number, error: () => TelephonyError): void {
    this.deadline?.cancel();
    this.deadline = this.deps.clock.after(ms, () => this.finish(error(), false));
  }

  private stopTimers(): void {
    this.deadline?.cancel();
    this.bootGrace?.cancel();
    this.watchdog?.stop();
  }

  private asTelephonyError(thrown: unknown): TelephonyError {
    if (thrown instanceof LoginRefused) return thrown.error;
    if (thrown instanceof TelephonyError) return thrown;
    const error = asError(thrown);
    return amiError('AMI_CONNECT_FAILED', { place: this.deps.place, reason: error.message }, error);
  }
}
