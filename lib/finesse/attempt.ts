import type { Clock, Timer } from '../clock';
import type { Attempt, AttemptPhase, AttemptResult, Cause } from '../dialer/types';
import { asError, TelephonyError } from '../errors';
import { beganAt, isCallOf, occupies, progressOf } from './dialogs';
import type { Progress } from './dialogs';
import { finesseError } from './errors';
import type { DialogList, FinesseAgent, FinesseClient, FinesseDialog } from './types';

/** Between two looks at a call that is being set up. */
const LOOK_MS = 1000;
/** The longest between two looks: while people talk, and while Finesse does not answer. */
const LONGEST_LOOK_MS = 5000;
const SLOWER = 1.5;
/** A call that Finesse accepted begins within a second; after this it will not. */
const APPEARS_WITHIN_MS = 10_000;
/** Longer than this without a look, a client may have answered and hung up unseen. */
const BLIND_MS = 4000;
/** So long without a look, nobody waits any more. */
const LOST_MS = 60_000;
/** How far the clocks and the words of two machines may be apart where only the time tells a call. */
const EARLIER_MS = 10_000;
const LATER_MS = 30_000;

const PHASES: readonly AttemptPhase[] = ['dialing', 'agent-answered', 'client-ringing', 'answered'];

/** A phone that Finesse lets call is off the hook at once: the agent need not answer. */
const PHASE_OF: Readonly<Partial<Record<Progress['stage'], AttemptPhase>>> = {
  dialled: 'agent-answered',
  'client-ringing': 'client-ringing',
  answered: 'answered',
};

/** Finesse tells words; the numbers are those of Q.850 that mean the same. */
const CAUSES: Readonly<Record<string, Cause>> = {
  BUSY: { code: 17, text: 'User busy' },
  BAD_DESTINATION: { code: 1, text: 'Unallocated (unassigned) number' },
  DEVICE_RESOURCE_NOT_AVAILABLE: { code: 47, text: 'Resource unavailable, unspecified' },
};

export interface CallDeps {
  readonly client: FinesseClient;
  readonly clock: Clock;
  readonly agent: FinesseAgent;
  readonly attempt: Attempt;
  /** As it goes to Finesse. */
  readonly to: string;
  readonly onPhase: (phase: AttemptPhase) => void;
}

/** What a person must change before this agent can call. */
const isForGood = (thrown: unknown): boolean =>
  thrown instanceof TelephonyError && ['FINESSE_PASSWORD', 'FINESSE_NO_USER', 'FINESSE_REFUSED'].includes(thrown.code);

/** What is no error of this room is a mistake in it; its text may hold anything. */
const known = (thrown: unknown): TelephonyError =>
  thrown instanceof TelephonyError ? thrown : finesseError('FINESSE_FAULT', { name: asError(thrown).name });

/** What an order that was not accepted can have done. Only what certainly came before the order, or refused it, is certain. */
function whetherReached({ code, params }: TelephonyError): AttemptResult['reached'] {
  if (['FINESSE_PASSWORD', 'FINESSE_NO_USER', 'FINESSE_REFUSED'].includes(code)) return 'no';
  if (code === 'FINESSE_OUT_OF_SERVICE' || code === 'FINESSE_TLS') return 'not-sent';
  if (code === 'FINESSE_UNREACHABLE' && (params.why === 'dns' || params.why === 'refused')) return 'not-sent';
  return 'unknown';
}

type Ended = Omit<AttemptResult, 'endedAt' | 'callId' | 'answeredAt'>;

/** One try: one call of one agent, from before it is ordered until it is over: the only one who asks Finesse about this agent meanwhile. */
export class AgentCall {
  private told = -1;
  private dialogId: string | undefined;
  private answeredAt: number | undefined;
  /** Calls that the agent had before ours. */
  private before = new Set<string>();
  /** `asked`: whether Finesse took the order is not known. */
  private begun: 'accepted' | 'asked' | 'earlier' = 'accepted';
  private begunAt: number;
  private seenAt: number;
  private hasBeenBlind = false;
  private cancelled = false;
  /** It began after its time was over: a Finesse that froze with the order in its hands. */
  private isLate = false;
  private closed = false;
  private lookSoon: (() => void) | undefined;

  constructor(private readonly deps: CallDeps) {
    this.begunAt = this.seenAt = deps.clock.monotonic();
  }

  /** Orders the call and follows it. Never settles after {@link close}: the call is in the air, and the next process takes it up. */
  async dial(): Promise<AttemptResult> {
    const { client, agent, to, attempt } = this.deps;
    const { extension } = agent;
    try {
      const { dialogs } = await this.open(client.dialogs(agent));
      if (this.cancelled) return this.result({ outcome: 'cancelled', reached: 'no' });
      if (dialogs.some((dialog) => occupies(dialog, extension))) {
        return this.result({
          outcome: 'busy',
          reached: 'no',
          error: finesseError('FINESSE_AGENT_BUSY', { extension }),
        });
      }
      this.before = new Set(dialogs.map(({ id }) => id));
    } catch (thrown) {
      return this.result({ outcome: 'failed', reached: isForGood(thrown) ? 'no' : 'not-sent', error: known(thrown) });
    }
    if (this.deps.clock.now() >= attempt.dialBefore) {
      return this.result({ outcome: 'failed', reached: 'not-sent' });
    }
    this.tell('dialing');
    this.begunAt = this.seenAt = this.deps.clock.monotonic();
    try {
      await this.open(client.makeCall(agent, to));
    } catch (thrown) {
      const error = known(thrown);
      const reached = whetherReached(error);
      if (reached !== 'unknown') return this.result({ outcome: 'failed', reached, error });
      this.begun = 'asked';
    }
    return this.follow();
  }

  /** Looks for a call that an earlier process began; `onKnown` is told when it is clear whether it is there. */
  takeUp(onKnown: () => void): Promise<AttemptResult> {
    this.begun = 'earlier';
    return this.follow(onKnown).finally(onKnown);
  }

  /** Hangs up as soon as there is something to hang up. */
  cancel(): void {
    this.cancelled = true;
    this.lookSoon?.();
  }

  close(): void {
    this.closed = true;
    this.lookSoon?.();
  }

  private async follow(onFound: () => void = () => undefined): Promise<AttemptResult> {
    let everyMs = LOOK_MS;
    let isFirst = this.begun === 'earlier';
    for (;;) {
      if (!isFirst) await this.pause(everyMs);
      isFirst = false;
      let list: DialogList;
      try {
        list = await this.open(this.deps.client.dialogs(this.deps.agent));
      } catch (thrown) {
        const isLost = isForGood(thrown) || this.deps.clock.monotonic() - this.seenAt > LOST_MS;
        if (isLost) return this.lost(known(thrown));
        everyMs = Math.min(everyMs * SLOWER, LONGEST_LOOK_MS);
        continue;
      }
      const wasBlind = this.deps.clock.monotonic() - this.seenAt > BLIND_MS && this.begun !== 'earlier';
      this.hasBeenBlind ||= wasBlind && this.answeredAt === undefined;
      this.seenAt = this.deps.clock.monotonic();
      const ended = this.look(list);
      if (ended) return this.result(ended);
      if (this.dialogId !== undefined) {
        onFound();
        if (this.cancelled || this.isLate) await this.hangUp(this.dialogId);
      }
      const isTalking = this.answeredAt !== undefined && !this.cancelled && !this.isLate;
      everyMs = isTalking ? Math.min(everyMs * SLOWER, LONGEST_LOOK_MS) : LOOK_MS;
    }
  }

  /** What one look at the agent's calls says of ours: how it ended, or nothing while it goes on. */
  private look(list: DialogList): Ended | undefined {
    const dialog = this.ours(list);
    if (dialog === undefined) return this.dialogId === undefined ? this.notThere() : this.over();
    const progress = progressOf(dialog, this.deps.agent.extension);
    // Two who talk already are not cut off.
    if (this.dialogId === undefined) this.isLate = progress.stage !== 'answered' && this.beganLate(dialog, list);
    this.dialogId = dialog.id;
    if (progress.stage === 'over') return this.over();
    if (progress.stage === 'failed') return this.failed(progress.cause);
    if (progress.stage === 'answered') this.answeredAt ??= this.deps.clock.now();
    const phase = PHASE_OF[progress.stage];
    if (phase !== undefined) this.tell(phase);
    return undefined;
  }

  private ours(list: DialogList): FinesseDialog | undefined {
    if (this.dialogId !== undefined) return list.dialogs.find(({ id }) => id === this.dialogId);
    const { to, agent } = this.deps;
    return list.dialogs.find(
      (dialog) => !this.before.has(dialog.id) && isCallOf(dialog, agent.extension, to) && this.mayBeOurs(dialog, list),
    );
  }

  /** When it began by our clock, where the server tells it. */
  private began(dialog: FinesseDialog, { servedAt }: DialogList): number | undefined {
    const began = beganAt(dialog, this.deps.agent.extension);
    return began === undefined || servedAt === undefined ? undefined : this.deps.clock.now() - (servedAt - began);
  }

  private beganLate(dialog: FinesseDialog, list: DialogList): boolean {
    // One that does not tell it may have begun while Finesse could not be asked.
    const { attempt, clock } = this.deps;
    const earliest = this.hasBeenBlind ? clock.now() : attempt.startedAt;
    return (this.began(dialog, list) ?? earliest) >= attempt.dialBefore;
  }

  /** After a restart nobody knows what the agent's earlier calls were: the time must fit, where the server tells it. */
  private mayBeOurs(dialog: FinesseDialog, list: DialogList): boolean {
    const ourTime = this.began(dialog, list);
    if (this.begun !== 'earlier' || ourTime === undefined) return true;
    const { startedAt } = this.deps.attempt;
    return ourTime > startedAt - EARLIER_MS && ourTime < startedAt + LATER_MS;
  }

  private notThere(): Ended | undefined {
    const { extension } = this.deps.agent;
    if (this.begun === 'earlier') {
      return { outcome: 'failed', reached: 'unknown', error: finesseError('FINESSE_NOT_FOUND', { extension }) };
    }
    if (this.deps.clock.monotonic() - this.begunAt < APPEARS_WITHIN_MS) return undefined;
    const isSure = this.begun === 'accepted' && !this.hasBeenBlind;
    const reached = isSure ? 'no' : 'unknown';
    if (this.cancelled) return { outcome: 'cancelled', reached };
    const error = isSure
      ? finesseError('FINESSE_NO_CALL', { extension, seconds: APPEARS_WITHIN_MS / 1000 })
      : finesseError('FINESSE_LINK_LOST', { extension });
    return { outcome: 'failed', reached, error };
  }

  private over(): Ended {
    const isAnswered = this.answeredAt !== undefined;
    const reached = isAnswered ? 'yes' : this.hasBeenBlind ? 'unknown' : 'no';
    if (this.cancelled) return { outcome: 'cancelled', reached };
    if (this.isLate) return { outcome: 'failed', reached, error: this.tooLate() };
    if (isAnswered) return { outcome: 'answered', reached };
    if (reached === 'no') return { outcome: 'no-answer', reached };
    const { extension } = this.deps.agent;
    return { outcome: 'failed', reached, error: finesseError('FINESSE_LINK_LOST', { extension }) };
  }

  private tooLate(): TelephonyError {
    return finesseError('FINESSE_TOO_LATE', { extension: this.deps.agent.extension });
  }

  private failed(word: string): Ended {
    const { extension } = this.deps.agent;
    const cause = CAUSES[word];
    const told = cause === undefined ? {} : { cause };
    if (this.cancelled) return { outcome: 'cancelled', reached: 'no', ...told };
    if (word === 'BUSY') return { outcome: 'busy', reached: 'no', ...told };
    const error = finesseError('FINESSE_CALL_FAILED', { extension, cause: word.slice(0, 40) });
    return { outcome: 'failed', reached: 'no', error, ...told };
  }

  /** Nobody can be asked any more. */
  private lost(why: TelephonyError): AttemptResult {
    const { extension } = this.deps.agent;
    if (this.answeredAt !== undefined) {
      return this.result({ outcome: this.cancelled ? 'cancelled' : 'answered', reached: 'yes' });
    }
    const error = finesseError('FINESSE_LINK_LOST', { extension }, why);
    return this.result({ outcome: this.cancelled ? 'cancelled' : 'failed', reached: 'unknown', error });
  }

  private result(ended: Ended): AttemptResult {
    return {
      ...ended,
      endedAt: this.deps.clock.now(),
      ...(this.dialogId === undefined ? {} : { callId: this.dialogId }),
      ...(this.answeredAt === undefined ? {} : { answeredAt: this.answeredAt }),
    };
  }

  private tell(phase: AttemptPhase): void {
    const place = PHASES.indexOf(phase);
    if (place <= this.told) return;
    this.told = place;
    this.deps.onPhase(phase);
  }

  /** The next look tells whether it worked, and tries again. */
  private async hangUp(dialogId: string): Promise<void> {
    await this.open(this.deps.client.drop(this.deps.agent, dialogId).catch(() => undefined));
  }

  private pause(ms: number): Promise<void> {
    let timer: Timer | undefined;
    const paused = new Promise<void>((resolve) => {
      timer = this.deps.clock.after(ms, resolve);
      this.lookSoon = resolve;
    });
    return this.open(
      paused.finally(() => {
        timer?.cancel();
        this.lookSoon = undefined;
      }),
    );
  }

  /** The same promise, which after {@link close} never settles. */
  private open<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.closed || resolve(value),
        (thrown: unknown) => this.closed || reject(asError(thrown)),
      );
    });
  }
}
