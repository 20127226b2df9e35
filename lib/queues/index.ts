import { Tracker } from './tracker';
import type { QueueTracker, QueueTrackerOptions } from './types';

/** See {@link QueueTracker}. */
export function createQueueTracker(options: QueueTrackerOptions): QueueTracker {
  return new Tracker(options);
}
