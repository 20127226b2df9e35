import { asError, TelephonyError } from '../errors';
import { storeError } from '../store/errors';
import { FACTS, Keeper } from '../store/keeper';
import type { QueueMessage } from '../messages/queues';
import type { QueueFact, Store } from '../store/types';
import { queueFactOf } from './facts';

/** Puts what the statistics need of queue events into the store as they come, and holds it while the store cannot take it. */
export class QueueKeeper {
  private readonly facts: Keeper<QueueFact>;

  constructor(
    store: Store,
    private readonly onProblem: (error: TelephonyError) => void,
  ) {
    this.facts = new Keeper(store, FACTS, onProblem);
  }

  /** Never throws: what becomes of the event is seen in the reports, or reported. */
  keep(event: QueueMessage): void {
    try {
      const fact = queueFactOf(event);
      if (fact) this.facts.keep(fact);
    } catch (thrown) {
      const error = asError(thrown);
      this.onProblem(
        error instanceof TelephonyError ? error : storeError('STORE_BAD_VALUE', { what: 'payload' }, error),
      );
    }
  }

  /** Waits for the writes under way; what the store does not take now is lost, and reported. */
  close(): Promise<void> {
    return this.facts.close();
  }
}
