import type { NodeStatus } from 'node-red';
import type { storeError } from '../../lib/store/errors';
import type { StoreConfigNode } from './config-nodes';

/** The texts live in one catalogue for all nodes; the editor of each browser looks them up there. */
const KEY = '@telephony-crm/node-red-asterisk/store-config:store-config.status';

/** What only one question, one value or one order of a person can meet, and never the file. */
type NotOfTheFile =
  | 'STORE_TOO_LARGE'
  | 'STORE_BAD_VALUE'
  | 'STORE_RECORDS_LOST'
  | 'STORE_FACTS_LOST'
  | 'STORE_BAD_PATH'
  | 'STORE_BAD_SETTINGS'
  | 'STORE_BACKUP_EXISTS'
  | 'STORE_BACKUP_FAILED'
  | 'STORE_ORDERS_FULL'
  | 'STORE_BLOCKED_FULL'
  | 'QUERY_BAD';

/** What the user can do about an error, by its code, as the last part of a status key. */
const BY_CODE: Readonly<Record<string, string>> = {
  STORE_CLOSED: 'closed',
  STORE_LOCKED: 'locked',
  STORE_FOREIGN_OWNER: 'locked',
  STORE_TAKEN: 'locked',
  STORE_REPLACED: 'replaced',
  STORE_FULL: 'full',
  STORE_UNWRITABLE: 'unwritable',
  STORE_IO: 'failed',
  STORE_FAILED: 'failed',
  STORE_UNSAFE: 'unsafe',
  STORE_BROKEN: 'broken',
  STORE_NEWER: 'newer',
  STORE_NOT_OURS: 'not-ours',
  STORE_WAS_BROKEN: 'note',
  STORE_BEGUN_ANEW: 'note',
  STORE_RESTORED: 'restored',
  STORE_BUSY: 'busy',
  STORE_OUTBOX_FULL: 'outbox-full',
  STORE_OVER_SIZE: 'over-size',
} satisfies Record<Exclude<Parameters<typeof storeError>[0], NotOfTheFile>, string>;

/** The key of the few words for an error of the store. */
export const storeWords = (code: string): string => `${KEY}.${BY_CODE[code] ?? 'failed'}`;

/** The state of the store as a node's status; no `config`: none is chosen, or it is disabled. */
export function storeStatus(config: StoreConfigNode | undefined): NodeStatus {
  if (!config) return { fill: 'grey', shape: 'ring', text: `${KEY}.missing` };
  const state = config.store?.state;
  switch (state?.status) {
    case undefined:
      return { fill: 'red', shape: 'dot', text: `${KEY}.settings` };
    case 'closed':
      return { fill: 'yellow', shape: 'ring', text: `${KEY}.closed` };
    case 'open':
      return state.note
        ? { fill: 'yellow', shape: 'dot', text: storeWords(state.note.code) }
        : { fill: 'green', shape: 'dot', text: `${KEY}.open` };
    case 'failed':
      return { fill: 'red', shape: 'ring', text: storeWords(state.error.code) };
  }
}
