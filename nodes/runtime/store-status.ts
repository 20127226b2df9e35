import type { NodeStatus } from 'node-red';
import type { StoreConfigNode } from './config-nodes';

/** The texts live in one catalogue for all nodes; the editor of each browser looks them up there. */
const KEY = '@telephony-crm/node-red-asterisk/store-config:store-config.status';

/** What the user can do about an error, by its code, as the last part of a status key. */
const BY_CODE: Readonly<Record<string, string>> = {
  STORE_LOCKED: 'locked',
  STORE_FOREIGN_OWNER: 'locked',
  STORE_TAKEN: 'locked',
  STORE_FULL: 'full',
  STORE_UNWRITABLE: 'unwritable',
  STORE_IO: 'failed',
  STORE_BROKEN: 'broken',
  STORE_NEWER: 'newer',
  STORE_NOT_OURS: 'not-ours',
  STORE_WAS_BROKEN: 'note',
  STORE_OVER_SIZE: 'over-size',
};

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
        ? { fill: 'yellow', shape: 'dot', text: `${KEY}.${BY_CODE[state.note.code] ?? 'note'}` }
        : { fill: 'green', shape: 'dot', text: `${KEY}.open` };
    case 'failed':
      return { fill: 'red', shape: 'ring', text: `${KEY}.${BY_CODE[state.error.code] ?? 'failed'}` };
  }
}
