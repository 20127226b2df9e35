import type { Clock } from '../clock';
import { asError, type TelephonyError } from '../errors';
import { asCrmError, crmError, withLabels } from './errors';
import { untilAborted } from './http';
import { TimeLimit, type Times } from './time-limit';
import type { CallContext, CrmField } from './types';

const RETRY_AFTER_MS = 100;

/** A connection that broke, or a gateway that could not reach the CRM behind it: worth a second try at once. */
function isPassing(error: TelephonyError): boolean {
  if (error.code === 'CRM_UNREACHABLE') return error.params.why === 'reset';
  return error.code === 'CRM_SERVER_ERROR' && [502, 503, 504].includes(Number(error.params.status));
}

export interface RequestsDeps {
  readonly clock: Clock;
  /** The usual bound of {@link Requests.within}, turns included, in ms. */
  readonly usualMs: number;
  /** Every field that an error may name. */
  readonly fields: readonly CrmField[];
}

/** What is under way between one account and its CRM: each piece of work has an end. */
export class Requests {
  /** Questions that were asked, repetitions included. */
  asked = 0;
  private closed = false;
  /** The questions under way, with the means to end them. */
  private readonly underWay = new Map<AbortController, Promise<unknown>>();

  constructor(private readonly deps: RequestsDeps) {}

  /**
   * Runs `work` until it ends, its usual time is over (`CRM_TIMEOUT`) or the account closes (`CRM_CLOSED`), whether it heeds the signal
   * or not. With `times`, a delivery, the waits for its turns are counted apart; when they take too long it is `CRM_LIMITED`; and a
   * closing account ends it at its next request. Rejects with a TelephonyError only.
   */
  within<T>(work: (context: CallContext) => Promise<T>, times?: Times): Promise<T> {
    const { clock, fields, usualMs } = this.deps;
    const controller = new AbortController();
    const { signal } = controller;
    if (this.closed) controller.abort(crmError('CRM_CLOSED'));
    const limit = new TimeLimit(clock, times ?? { workMs: usualMs, turnsMs: 0 }, (error) => controller.abort(error));
    const context: CallContext = times ? { signal, waiting: (turn) => limit.wait(turn) } : { signal };
    const begun = signal.aborted ? Promise.reject(asError(signal.reason)) : work(context);
    const told = begun.catch((thrown: unknown) => {
      throw withLabels(asCrmError(thrown), fields);
    });
    const result = untilAborted(told, signal).finally(() => {
      limit.end();
      this.underWay.delete(controller);
    });
    if (!times) this.underWay.set(controller, result);
    return result;
  }

  /** Asks once, and once more after a failure that passes, when the time left until `until()` (monotonic) allows it. */
  async trying<T>(ask: () => Promise<T>, signal: AbortSignal, until: () => number = () => Infinity): Promise<T> {
    try {
      this.asked += 1;
      return await ask();
    } catch (thrown) {
      const timeLeft = until() - this.deps.clock.monotonic();
      if (!isPassing(asCrmError(thrown)) || timeLeft < 2 * RETRY_AFTER_MS) throw thrown;
      await this.pause(RETRY_AFTER_MS, signal);
      this.asked += 1;
      return await ask();
    }
  }

  /** Ends the questions under way; resolves when all of them have ended. */
  async close(): Promise<void> {
    this.closed = true;
    const reason = crmError('CRM_CLOSED');
    for (const controller of this.underWay.keys()) controller.abort(reason);
    await Promise.allSettled(this.underWay.values());
  }

  private pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.deps.clock.after(ms, resolve);
      signal.addEventListener('abort', () => timer.cancel(), { once: true });
    });
  }
}
