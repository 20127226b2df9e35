import type { Delivered, DeliverableEvent } from '../crm/types';

/** One try that is under way. */
export interface RunningTry {
  readonly event: DeliverableEvent;
  /** As the try ends; what was delivered has then been noted down, if that was possible. */
  readonly result: Promise<Delivered>;
}

/**
 * The tries that are under way in this process, by queue and eventId. A deploy ends an outbox sooner than its slow tries, and the CRM
 * does not know an event yet that it is still being told of: whoever comes next on this queue takes over the try instead of making
 * another. Each outbox has ten at most, and the CRM's account ends every one of them.
 */
const running = new Map<string, Map<string, RunningTry>>();

/** Runs one try; while it lasts it is among those of {@link runningIn}. */
export async function runTry(
  queue: string,
  event: DeliverableEvent,
  work: () => Promise<Delivered>,
): Promise<Delivered> {
  const tries = running.get(queue) ?? new Map<string, RunningTry>();
  const { eventId } = event.payload;
  const mine: RunningTry = { event, result: work() };
  running.set(queue, tries.set(eventId, mine));
  try {
    return await mine.result;
  } finally {
    if (tries.get(eventId) === mine) tries.delete(eventId);
    if (tries.size === 0 && running.get(queue) === tries) running.delete(queue);
  }
}

/** The tries of a queue that are under way now, by eventId. */
export const runningIn = (queue: string): Map<string, RunningTry> => new Map(running.get(queue));
