export { createPresenceTracker, type PresenceTrackerOptions } from './tracker';
export type * from './types';
