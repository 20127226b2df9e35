import { TelephonyError } from '../../lib/errors';
import type { Attempt, AttemptPhase, AttemptResult, DialLine, Order } from '../../lib/dialer/types';

interface Call {
  readonly attempt: Attempt;
  end?: AttemptResult;
  readonly followers: Set<(result: AttemptResult) => void>;
  readonly listeners: Set<(phase: AttemptPhase) => void>;
}

export const lineError = (code: string): TelephonyError => new TelephonyError(code, { en: code, ru: code });

/** The PBX behind the line: it outlives the process that dials over it, and counts. */
export class FakePbx {
  readonly calls = new Map<string, Call>();
  /** Every try that reached the PBX, in order. */
  readonly dialled: Attempt[] = [];
  /** By trunk and under `all`: the most calls at once. */
  readonly most = new Map<string, number>();

  constructor(readonly trunkOf: (order: Order) => string = () => 'PJSIP/trunk') {}

  get alive(): Call[] {
    return [...this.calls.values()].filter(({ end }) => end === undefined);
  }

  dial(attempt: Attempt): Call {
    const call: Call = { attempt, followers: new Set(), listeners: new Set() };
    this.calls.set(attempt.channelId, call);
    this.dialled.push(attempt);
    const trunk = this.trunkOf(attempt.order);
    this.note('all', this.alive.length);
    this.note(trunk, this.alive.filter((one) => this.trunkOf(one.attempt.order) === trunk).length);
    return call;
  }

  phase(channelId: string, phase: AttemptPhase): void {
    for (const listen of this.calls.get(channelId)?.listeners ?? []) listen(phase);
  }

  end(channelId: string, result: AttemptResult): void {
    const call = this.calls.get(channelId);
    if (!call || call.end) return;
    call.end = result;
    for (const follow of call.followers) follow(result);
  }

  private note(what: string, count: number): void {
    this.most.set(what, Math.max(this.most.get(what) ?? 0, count));
  }
}

/** A line to a {@link FakePbx}; what the test does not end goes on. */
export class FakeLine implements DialLine {
  /** Refuses orders. */
  refusal: ((order: Order) => TelephonyError | undefined) | undefined;
  /** Nothing reaches the PBX, though the line believes itself ready. */
  isCut = false;
  /** `false`: what happens is not heard any more, as after a kill. */
  isAlive = true;
  private ready = true;
  private readonly handlers = new Set<(isReady: boolean) => void>();

  constructor(
    readonly pbx = new FakePbx(),
    private readonly delay: () => Promise<void> = () => Promise.resolve(),
  ) {}

  get isReady(): boolean {
    return this.ready;
  }
  set isReady(isReady: boolean) {
    this.ready = isReady;
    for (const handler of this.handlers) handler(isReady);
  }
  get listeners(): number {
    return this.handlers.size;
  }

  onReady(handler: (isReady: boolean) => void): () => void {
    this.handlers.add(handler);
    return () => void this.handlers.delete(handler);
  }
  objection(order: Order): TelephonyError | undefined {
    return this.refusal?.(order);
  }
  trunkOf(order: Order): string {
    return this.pbx.trunkOf(order);
  }
  async dial(attempt: Attempt, onPhase: (phase: AttemptPhase) => void): Promise<AttemptResult> {
    await this.delay();
    if (!this.isAlive) return new Promise(() => undefined);
    if (this.isCut) {
      return { outcome: 'failed', reached: 'not-sent', error: lineError('AMI_NOT_CONNECTED'), endedAt: 0 };
    }
    const call = this.pbx.dial(attempt);
    await this.delay();
    return this.follow(call, onPhase);
  }
  async takeUp(
    attempts: readonly Attempt[],
    onPhase: (attempt: Attempt, phase: AttemptPhase) => void,
    onResult: (attempt: Attempt, result: AttemptResult) => void,
  ): Promise<void> {
    await this.delay();
    for (const attempt of attempts) {
      const call = this.pbx.calls.get(attempt.channelId);
      if (call && !call.end) {
        void this.follow(call, (phase) => onPhase(attempt, phase)).then((result) => onResult(attempt, result));
      } else onResult(attempt, { outcome: 'failed', reached: 'unknown', error: lineError('LINE_UNKNOWN'), endedAt: 0 });
    }
  }
  cancel(channelId: string): void {
    this.pbx.end(channelId, { outcome: 'cancelled', reached: 'no', endedAt: 0 });
  }
  close(): Promise<void> {
    return Promise.resolve();
  }

  private follow(call: Call, onPhase: (phase: AttemptPhase) => void): Promise<AttemptResult> {
    call.listeners.add((phase) => {
      if (this.isAlive) onPhase(phase);
    });
    return new Promise((resolve) => {
      const tell = (result: AttemptResult): void => {
        if (this.isAlive) resolve(result);
      };
      call.followers.add(tell);
      if (call.end) tell(call.end);
    });
  }
}
