import type { Node, NodeAPI } from 'node-red';
import type { Pbx } from '../../lib/pbx/pbx';
import type { CrmAccount } from '../../lib/crm/account';

/** What an `ami-config` node offers to the nodes that use it. */
export interface AmiConfigNode extends Node {
  readonly pbx: Pbx;
}

/** What a `crm-config` node offers. `account` is absent when its settings are wrong: `problem` says why. */
export interface CrmConfigNode extends Node {
  readonly account?: CrmAccount;
  readonly problem?: Error;
}

/** The config node that a dialog chose, or `undefined` when it is disabled, deleted or of another type. */
function configNode<T extends Node>(red: NodeAPI, id: string | undefined, type: string): T | undefined {
  if (!id) return undefined;
  const node = red.nodes.getNode(id) as T | null | undefined;
  return node?.type === type ? node : undefined;
}

export const amiConfig = (red: NodeAPI, id: string | undefined): AmiConfigNode | undefined =>
  configNode<AmiConfigNode>(red, id, 'ami-config');

export const crmConfig = (red: NodeAPI, id: string | undefined): CrmConfigNode | undefined =>
  configNode<CrmConfigNode>(red, id, 'crm-config');
