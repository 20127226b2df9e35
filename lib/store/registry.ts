import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { createStore } from './store';
import type { StoreOptions } from './store';
import type { Store } from './types';

interface Shared {
  readonly store: Store;
  readonly settings: string;
  users: number;
}

/** The stores of this process, by the real path of their file. */
const shared = new Map<string, Shared>();

/** The same for every way to write a path. */
function realPath(file: string): string {
  const path = resolve(file);
  if (existsSync(path)) return realpathSync(path);
  const folder = dirname(path);
  return folder === path ? path : join(realPath(folder), basename(path));
}

/** The part of one user in a store that several may use. */
export interface StoreShare {
  readonly store: Store;
  /** Others opened the same file with another retention or backup plan: theirs holds. */
  readonly hasOtherSettings: boolean;
  /** The last one closes the store. */
  release(): Promise<void>;
}

/** The one store of this process on a file; begins to open it. To be released once. */
export function shareStore(options: StoreOptions): StoreShare {
  const file = realPath(options.file);
  const settings = JSON.stringify([options.retention, options.backup]);
  let entry = shared.get(file);
  if (!entry) {
    entry = { store: createStore({ ...options, file }), settings, users: 0 };
    shared.set(file, entry);
  }
  const mine = entry;
  mine.users += 1;
  void mine.store.open();
  return {
    store: mine.store,
    hasOtherSettings: mine.settings !== settings,
    release: async () => {
      mine.users -= 1;
      if (mine.users > 0) return;
      shared.delete(file);
      await mine.store.close();
    },
  };
}
