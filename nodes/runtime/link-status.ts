import type { NodeStatus } from 'node-red';
import type { amiError } from '../../lib/ami/errors';
import type { AmiState } from '../../lib/ami/types';
import type { Pbx } from '../../lib/pbx/pbx';
import type { phoneError } from '../../lib/phone/errors';

/** The texts live in one catalogue for all nodes; the editor of each browser looks them up there. */
const KEY = '@telephony-crm/node-red-asterisk/ami-config:ami-config.status';

/** What only one action or one message can meet, and never the link. */
type ActionErrorCode =
  | 'AMI_NOT_CONNECTED'
  | 'AMI_BLOCKING_ACTION'
  | 'AMI_TOO_MANY_PENDING'
  | 'AMI_ACTION_FAILED'
  | 'AMI_LIST_TOO_LONG'
  | 'AMI_TAMPERED';

/** Why a link can be down: a new error of the link that has no word below does not compile. */
type LinkErrorCode =
  | Exclude<Parameters<typeof amiError>[0], ActionErrorCode>
  | 'AMI_BAD_VALUE'
  | Parameters<typeof phoneError>[0]
  | 'PBX_BAD_SETTINGS';

/** What the user can do about an error, by its code, as the last part of a status key. */
const WORDS: Readonly<Record<string, string>> = {
  AMI_LOGIN_REFUSED: 'login',
  AMI_LOGIN_IN_USE: 'in-use',
  AMI_NO_MD5: 'md5',
  AMI_TLS_REFUSED: 'tls',
  AMI_NOT_ASTERISK: 'not-ami',
  AMI_CONNECT_FAILED: 'unreachable',
  AMI_CONNECT_TIMEOUT: 'unreachable',
  AMI_LOGIN_TIMEOUT: 'silent',
  AMI_SILENT: 'silent',
  AMI_TIMEOUT: 'silent',
  AMI_DRIVER_MISSING: 'driver',
  AMI_DRIVER_NO_TLS: 'driver',
  // A name or secret that no line of AMI can carry.
  AMI_BAD_VALUE: 'settings',
  PBX_BAD_SETTINGS: 'settings',
  PHONE_BAD_PLAN: 'settings',
  AMI_LINK_LOST: 'lost',
  AMI_MESSAGE_TOO_LONG: 'lost',
} satisfies Record<LinkErrorCode, string>;
/** The status of a node whose `ami-config` is disabled, deleted or was never chosen. */
export const NO_PBX_STATUS: NodeStatus = { fill: 'grey', shape: 'ring', text: `${KEY}.missing` };

/** The state of the link as a node's status: what holds now, and where it is bad, the word that tells what to do. */
export function linkStatus(pbx: Pbx, state: AmiState = pbx.client.state): NodeStatus {
  if (state.error?.code === 'PBX_NOT_CHOSEN') return NO_PBX_STATUS;
  const reason = state.error === undefined ? 'lost' : (WORDS[state.error.code] ?? 'lost');
  switch (state.phase) {
    case 'ready':
      return { fill: 'green', shape: 'dot', text: `${KEY}.${pbx.simulator ? 'simulator' : 'connected'}` };
    case 'idle':
    case 'connecting':
    case 'logging-in':
      return { fill: 'yellow', shape: 'ring', text: `${KEY}.connecting` };
    case 'waiting':
      return { fill: 'red', shape: 'ring', text: `${KEY}.${reason}` };
    case 'refused':
      return { fill: 'red', shape: 'dot', text: `${KEY}.${reason}` };
    case 'closed':
      return { fill: 'grey', shape: 'ring', text: `${KEY}.closed` };
  }
}
