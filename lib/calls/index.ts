import type { CallTracker, CallTrackerOptions } from './types';

/** Stands here until the tracker does: knows no call. */
export function createCallTracker(_options: CallTrackerOptions): CallTracker {
  return {
    apply: () => [],
    tick: () => [],
    wakeAt: undefined,
    linkLost: () => undefined,
    beginSession: () => [],
    resync: () => [],
    takeChanges: () => ({ changed: [], forgotten: [] }),
    restore: () => ({ unreadable: 0 }),
    stats: { liveCalls: 0, channels: 0, tampered: 0, overBound: 0 },
  };
}
