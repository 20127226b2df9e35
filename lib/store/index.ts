export { shareStore } from './registry';
export type { StoreShare } from './registry';
export { createStore } from './store';
export type { StoreOptions } from './store';
