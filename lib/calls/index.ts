import { Tracker } from './tracker';
import type { CallTracker, CallTrackerOptions } from './types';

/** See {@link CallTracker}. */
export function createCallTracker(options: CallTrackerOptions): CallTracker {
  return new Tracker(options);
}
