import type { Clock } from '../clock';
import { controlError } from './errors';

/** So many orders may stand in a line, the one under way among them. */
const MAX_WAITING = 10;
/** An order that had to wait longer is not carried out: the person has done something else by now. */
const TOO_LATE_MS = 5000;

/** One order goes after the other: two clicks on "hold" must not both find the client talking. */
export class OneByOne {
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  private isClosed = false;

  constructor(private readonly clock: Clock) {}

  /**
   * Rejects with `CONTROL_BUSY` when too many wait or it took too long since `orderedAt` (monotonic ms), with `CONTROL_STOPPED` after
   * {@link close}.
   */
  run<T>(carryOut: () => Promise<T>, orderedAt: number): Promise<T> {
    if (this.isClosed) return Promise.reject(controlError('CONTROL_STOPPED'));
    if (this.waiting >= MAX_WAITING) return Promise.reject(controlError('CONTROL_BUSY', { count: this.waiting }));
    this.waiting += 1;
    const done = this.last.then(() => {
      if (this.isClosed) throw controlError('CONTROL_STOPPED');
      if (this.clock.monotonic() - orderedAt > TOO_LATE_MS)
        throw controlError('CONTROL_BUSY', { count: this.waiting - 1 });
      return carryOut();
    });
    this.last = done.catch(() => undefined).then(() => (this.waiting -= 1));
    return done;
  }

  /** What is under way goes on to its end; what waits is refused. */
  close(): void {
    this.isClosed = true;
  }
}
