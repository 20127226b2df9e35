import type { Clock } from '../clock';
import type { Attempt, AttemptPhase, AttemptResult, ClickOrder, DialLine, Order } from '../dialer/types';
import { asError } from '../errors';
import type { TelephonyError } from '../errors';
import type { Log } from '../log';
import { AgentCall } from './attempt';
import { finesseError } from './errors';
import { Health } from './health';
import type { FinesseAgent, FinesseClient } from './types';

export interface FinesseLineOptions {
  /** Closed with the line. */
  readonly client: FinesseClient;
  readonly agents: readonly FinesseAgent[];
  /** What CUCM wants to have dialled for a number: digits, with the prefix for an outside line. */
  readonly addressOf: (order: ClickOrder) => string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Finesse locks an account for five minutes after five wrong passwords in a row (developer guide, User—Sign In). */
const LOCKED_MS = 5 * 60_000;
const ADDRESS = /^\+?[0-9]{1,32}$/;

interface Followed {
  readonly call: AgentCall;
  readonly extension: string;
  onPhase: (phase: AttemptPhase) => void;
  onResult: (result: AttemptResult) => void;
}

class FinesseLine implements DialLine {
  private readonly agents: ReadonlyMap<string, FinesseAgent>;
  private readonly health: Health;
  /** Tries in the air by their `channelId`: at most one for each agent. */
  private readonly calls = new Map<string, Followed>();
  /** By login: why it was refused, and until when it is left alone. At most one for each agent. */
  private readonly refused = new Map<string, { readonly error: TelephonyError; readonly until: number }>();

  constructor(private readonly options: FinesseLineOptions) {
    this.agents = new Map(options.agents.map((agent) => [agent.extension, agent]));
    this.health = new Health(options.client, options.clock, options.log);
  }

  get isReady(): boolean {
    return this.health.isReady;
  }

  onReady(handler: (isReady: boolean) => void): () => void {
    return this.health.onReady(handler);
  }

  objection(order: Order): TelephonyError | undefined {
    if (order.mode !== 'click') return finesseError('FINESSE_ONLY_CLICKS');
    const { extension } = order;
    const agent = this.agents.get(extension);
    if (agent === undefined) return finesseError('FINESSE_NO_AGENT', { extension: extension.slice(0, 40) });
    const to = this.options.addressOf(order);
    if (!ADDRESS.test(to)) return finesseError('FINESSE_BAD_NUMBER', { number: to.slice(0, 40) });
    if (to === extension) return finesseError('FINESSE_OWN_NUMBER', { extension });
    const refused = this.refused.get(agent.login);
    return refused !== undefined && this.options.clock.monotonic() < refused.until ? refused.error : undefined;
  }

  /** CUCM chooses the trunk, and does not say which. */
  trunkOf(): string {
    return 'finesse';
  }

  dial(attempt: Attempt, onPhase: (phase: AttemptPhase) => void): Promise<AttemptResult> {
    const objection = this.objection(attempt.order);
    if (objection !== undefined) return this.refusal('no', objection);
    if (!this.health.isReady) return this.refusal('not-sent', this.health.problem);
    return new Promise((onResult) => {
      const call = this.begin(attempt, onPhase, onResult);
      if (call === undefined) onResult(this.busy(attempt));
      else this.settle(attempt, call.dial());
    });
  }

  async takeUp(
    attempts: readonly Attempt[],
    onPhase: (attempt: Attempt, phase: AttemptPhase) => void,
    onResult: (attempt: Attempt, result: AttemptResult) => void,
  ): Promise<void> {
    await Promise.all(
      attempts.map(
        (attempt) =>
          new Promise<void>((onKnown) => {
            const hear = (phase: AttemptPhase): void => onPhase(attempt, phase);
            const end = (result: AttemptResult): void => {
              onResult(attempt, result);
              onKnown();
            };
            const followed = this.calls.get(attempt.channelId);
            if (followed !== undefined) {
              // Only the node was restarted that had ordered it: this line, which others share, still follows it.
              Object.assign(followed, { onPhase: hear, onResult: end });
              onKnown();
              return;
            }
            const call = this.begin(attempt, hear, end);
            if (call === undefined) end(this.unknown(attempt));
            else this.settle(attempt, call.takeUp(onKnown));
          }),
      ),
    );
  }

  cancel(channelId: string): void {
    this.calls.get(channelId)?.call.cancel();
  }

  close(): Promise<void> {
    this.health.close();
    for (const { call } of this.calls.values()) call.close();
    this.calls.clear();
    this.options.client.close();
    return Promise.resolve();
  }

  /** A try that is followed from now on; none when its agent is unknown, or has another one. */
  private begin(attempt: Attempt, onPhase: Followed['onPhase'], onResult: Followed['onResult']): AgentCall | undefined {
    const { order, channelId } = attempt;
    const agent = order.mode === 'click' ? this.agents.get(order.extension) : undefined;
    if (order.mode !== 'click' || agent === undefined) return undefined;
    const { extension } = agent;
    if ([...this.calls.values()].some((one) => one.extension === extension)) return undefined;
    const { client, clock } = this.options;
    const hear = (phase: AttemptPhase): void => this.safely(() => this.calls.get(channelId)?.onPhase(phase));
    const to = this.options.addressOf(order);
    const call = new AgentCall({ client, clock, agent, attempt, to, onPhase: hear });
    this.calls.set(channelId, { call, extension, onPhase, onResult });
    return call;
  }

  private settle({ channelId }: Attempt, ends: Promise<AttemptResult>): void {
    const asked = ends.catch((thrown: unknown): AttemptResult => {
      this.options.log.warn(asError(thrown).message);
      return { outcome: 'failed', reached: 'unknown', endedAt: this.options.clock.now() };
    });
    void asked.then((result) => {
      const followed = this.calls.get(channelId);
      this.calls.delete(channelId);
      const { error } = result;
      if (error?.code === 'FINESSE_PASSWORD') {
        const until = this.options.clock.monotonic() + LOCKED_MS;
        this.refused.set(String(error.params.login), { error, until });
      }
      this.safely(() => followed?.onResult(result));
    });
  }

  /** A listener that throws must neither end a call that is followed nor the process. */
  private safely(tell: () => void): void {
    try {
      tell();
    } catch (thrown) {
      this.options.log.warn(asError(thrown).message);
    }
  }

  private refusal(reached: 'no' | 'not-sent', error: TelephonyError | undefined): Promise<AttemptResult> {
    const told = error === undefined ? {} : { error };
    return Promise.resolve({ outcome: 'failed', reached, endedAt: this.options.clock.now(), ...told });
  }

  private busy({ order }: Attempt): AttemptResult {
    const extension = order.mode === 'click' ? order.extension : '';
    const error = finesseError('FINESSE_AGENT_BUSY', { extension });
    return { outcome: 'busy', reached: 'no', error, endedAt: this.options.clock.now() };
  }

  private unknown({ order }: Attempt): AttemptResult {
    const extension = order.mode === 'click' ? order.extension : '';
    const error = finesseError('FINESSE_NOT_FOUND', { extension });
    return { outcome: 'failed', reached: 'unknown', error, endedAt: this.options.clock.now() };
  }
}

/**
 * Click-to-call over Cisco Finesse: the agent's own phone dials the client. One call at a time for each agent, followed by asking Finesse for his
 * calls. Asks at once, and every few seconds from then on, whether Finesse is in service.
 */
export function createFinesseLine(options: FinesseLineOptions): DialLine {
  return new FinesseLine(options);
}
