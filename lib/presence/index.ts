export { createPresenceTracker } from './tracker';
