import type { NodeStatus } from 'node-red';
import type { AmiState } from '../../lib/ami/types';
import type { Pbx } from '../../lib/pbx/pbx';

/** The texts live in one catalogue for all nodes; the editor of each browser looks them up there. */
const KEY = '@telephony-crm/node-red-asterisk/ami-config:ami-config.status';

/** What the user can do about an error, by its code, as the last part of a status key. */
const BY_CODE: Readonly<Record<string, string>> = {
  AMI_LOGIN_REFUSED: 'login',
  AMI_LOGIN_IN_USE: 'in-use',
  AMI_NO_MD5: 'md5',
  AMI_TLS_REFUSED: 'tls',
  AMI_NOT_ASTERISK: 'not-ami',
  AMI_CONNECT_FAILED: 'unreachable',
  AMI_CONNECT_TIMEOUT: 'unreachable',
  AMI_LOGIN_TIMEOUT: 'silent',
  AMI_SILENT: 'silent',
  AMI_DRIVER_MISSING: 'driver',
  AMI_DRIVER_NO_TLS: 'driver',
  PBX_BAD_SETTINGS: 'settings',
  PHONE_BAD_PLAN: 'settings',
};

/** The status of a node whose `ami-config` is disabled, deleted or was never chosen. */
export const NO_PBX_STATUS: NodeStatus = { fill: 'grey', shape: 'ring', text: `${KEY}.missing` };

/** The state of the link as a node's status: what holds now, and where it is bad, the word that tells what to do. */
export function linkStatus(pbx: Pbx, state: AmiState = pbx.client.state): NodeStatus {
  const reason = BY_CODE[state.error?.code ?? ''] ?? 'lost';
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
