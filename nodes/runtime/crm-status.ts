import type { NodeStatus } from 'node-red';
import type { CrmErrorCode } from '../../lib/crm/errors';
import type { CrmConfigNode } from './config-nodes';

/** The texts live in one catalogue for all nodes; the editor of each browser looks them up there. */
const KEY = '@telephony-crm/node-red-asterisk/crm-config:crm-config.status';

/** What never stands in a status: our own pause or close (the failure that led to it tells more), and what concerns one event. */
type Unseen =
  'CRM_BAD_PATH' | 'CRM_BREAKER_OPEN' | 'CRM_CLOSED' | 'CRM_CANNOT_CREATE' | 'CRM_NO_USER' | 'CRM_RECORDING_FORMAT';

/** What the user can do about an error, by its code, as the last part of a status key. */
const BY_CODE: Readonly<Record<string, string>> = {
  CRM_BAD_SETTINGS: 'settings',
  CRM_BAD_URL: 'settings',
  CRM_UNAUTHORIZED: 'key',
  CRM_SIGNED_OUT: 'signed-out',
  CRM_SIGN_IN_UNKEPT: 'sign-in-file',
  CRM_SIGN_IN_UNREADABLE: 'sign-in-file',
  CRM_NOT_FOUND: 'address',
  CRM_REDIRECTED: 'address',
  CRM_NOT_JSON: 'address',
  CRM_UNREACHABLE: 'failing',
  CRM_TLS: 'certificate',
  CRM_TIMEOUT: 'slow',
  CRM_LIMITED: 'limited',
  CRM_REFUSED: 'refused',
  CRM_SERVER_ERROR: 'server',
  CRM_NOT_NOW: 'server',
  CRM_BAD_ANSWER: 'answer',
  CRM_TOO_LARGE: 'answer',
  CRM_EXPRESSION: 'answer',
  CRM_FAULT: 'fault',
} satisfies Record<Exclude<CrmErrorCode, Unseen>, string>;

/** The key of the few words for an error of a CRM. */
export const crmWords = (code: string): string => `${KEY}.${BY_CODE[code] ?? 'failing'}`;

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
      return { fill: 'red', shape: 'ring', text: crmWords(state.error.code) };
  }
}
