import type { Clock, Timer } from '../clock';
import { asError, TelephonyError } from '../errors';
import type { Log } from '../log';
import type { FinesseClient } from './types';

/** Finesse is asked so often whether it is in service; while it is not, a little more often. */
const CHECK_MS = 10_000;
const CHECK_AGAIN_MS = 5000;

/** Knows whether Finesse answers, and writes each change into the log once. */
export class Health {
  /** Why Finesse cannot be used now; absent while it can, and before the first answer. */
  problem: TelephonyError | undefined;
  isReady = false;
  private readonly handlers = new Set<(isReady: boolean) => void>();
  private timer: Timer | undefined;
  private closed = false;

  constructor(
    private readonly client: FinesseClient,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    void this.check();
  }

  onReady(handler: (isReady: boolean) => void): () => void {
    // A handler that is given twice is called twice.
    const own = (isReady: boolean): void => handler(isReady);
    this.handlers.add(own);
    return () => void this.handlers.delete(own);
  }

  close(): void {
    this.closed = true;
    this.timer?.cancel();
    this.handlers.clear();
  }

  private async check(): Promise<void> {
    const error = await this.client.check().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (this.closed) return;
    this.timer = this.clock.after(error === undefined ? CHECK_MS : CHECK_AGAIN_MS, () => void this.check());
    this.became(error);
  }

  private became(error: unknown): void {
    const isReady = error === undefined;
    const problem = error instanceof TelephonyError ? error : undefined;
    if (problem !== undefined && problem.message !== this.problem?.message) this.log.warn(problem);
    if (isReady && !this.isReady) this.log.info(`Finesse ${this.client.host} is in service`);
    this.problem = problem;
    if (isReady === this.isReady) return;
    this.isReady = isReady;
    for (const handler of [...this.handlers]) {
      try {
        handler(isReady);
      } catch (thrown) {
        this.log.warn(asError(thrown).message);
      }
    }
  }
}
