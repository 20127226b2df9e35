import type { Node, NodeAPI } from 'node-red';
import type { Pbx } from '../../lib/pbx/pbx';
import type { CrmAccount } from '../../lib/crm/account';
import type { DialLine } from '../../lib/dialer/types';
import type { DialGuard } from '../../lib/outbound/types';
import type { NumberingPlan } from '../../lib/phone/types';
import type { Store } from '../../lib/store/types';

/** What an `ami-config` node offers to the nodes that use it. */
export interface AmiConfigNode extends Node {
  readonly pbx: Pbx;
}

/** What a `crm-config` node offers. `account` is absent when its settings are wrong: `problem` says why. */
export interface CrmConfigNode extends Node {
  readonly account?: CrmAccount;
  readonly problem?: Error;
}

/** What a `store-config` node offers. `store` is absent when its settings are wrong: `problem` says why. */
export interface StoreConfigNode extends Node {
  readonly store?: Store;
  readonly problem?: Error;
}

/** What a `finesse-config` node offers. `dialling` is absent when its settings are wrong: `problem` says why. */
export interface FinesseConfigNode extends Node {
  readonly dialling?: {
    /** As it appears in messages. */
    readonly name: string;
    /** Shared by all nodes that dial there; closed with this node. */
    readonly line: DialLine;
    readonly plan: NumberingPlan;
    readonly guard: DialGuard;
  };
  readonly problem?: Error;
}

/** The config node that a dialog chose, or `undefined` when it is disabled, deleted or of another type. */
function configNode(red: NodeAPI, id: string | undefined, type: string): Node | undefined {
  if (!id) return undefined;
  const node = red.nodes.getNode(id) as Node | null | undefined;
  return node?.type === type ? node : undefined;
}

export const amiConfig = (red: NodeAPI, id: string | undefined): AmiConfigNode | undefined =>
  configNode(red, id, 'ami-config') as AmiConfigNode | undefined;

export const crmConfig = (red: NodeAPI, id: string | undefined): CrmConfigNode | undefined =>
  configNode(red, id, 'crm-config');

export const storeConfig = (red: NodeAPI, id: string | undefined): StoreConfigNode | undefined =>
  configNode(red, id, 'store-config');

export const finesseConfig = (red: NodeAPI, id: string | undefined): FinesseConfigNode | undefined =>
  configNode(red, id, 'finesse-config');
