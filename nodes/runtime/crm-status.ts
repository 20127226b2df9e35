import type { NodeStatus } from 'node-red';
import type { CrmConfigNode } from './config-nodes';

/** The texts live in one catalogue for all nodes; the editor of each browser looks them up there. */
const KEY = '@telephony-crm/node-red-asterisk/crm-config:crm-config.status';

/**
 * What the user can do about an error, by its code, as the last part of a status key. The pause of the breaker has no word: the
 * failure that led to it tells more.
 */
const BY_CODE: Readonly<Record<string, string>> = {
  CRM_UNAUTHORIZED: 'key',
  CRM_NOT_FOUND: 'address',
  CRM_REDIRECTED: 'address',
  CRM_NOT_JSON: 'address',
  CRM_TIMEOUT: 'slow',
  CRM_LIMITED: 'limited',
  CRM_REFUSED: 'refused',
};

/** What the CRM was last heard of, as a node's status; no `config`: none is chosen, or it is disabled. */
export function crmStatus(config: CrmConfigNode | undefined): NodeStatus {
  if (!config) return { fill: 'grey', shape: 'ring', text: `${KEY}.missing` };
  const state = config.account?.state;
  switch (state?.status) {
    case undefined:
      return { fill: 'red', shape: 'dot', text: `${KEY}.settings` };
    case 'idle':
      return { fill: 'grey', shape: 'dot', text: `${KEY}.idle` };
    case 'ok':
      return { fill: 'green', shape: 'dot', text: `${KEY}.ok` };
    case 'failing':
      return { fill: 'red', shape: 'ring', text: `${KEY}.${BY_CODE[state.error.code] ?? 'failing'}` };
  }
}
