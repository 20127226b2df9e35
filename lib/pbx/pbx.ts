import type { AmiClient, AmiClientOptions } from '../ami/types';
import type { NumberingPlan } from '../phone/types';
import type { Presence } from '../presence/types';
import type { Simulator } from '../simulator/types';

export interface PbxOptions {
  /** The name of the `ami-config`, as it appears in messages. */
  readonly name: string;
  readonly connection:
    | { readonly kind: 'simulator' }
    | {
        readonly kind: 'asterisk';
        readonly driver: 'built-in' | 'asterisk-manager';
        readonly client: AmiClientOptions;
      };
  readonly plan: NumberingPlan;
}

/** One Asterisk as all nodes see it: the one link, who can take a call now, the numbering plan. */
export interface Pbx {
  readonly name: string;
  readonly client: AmiClient;
  readonly plan: NumberingPlan;
  readonly presence: Presence;
  /** Only when the built-in simulator is chosen. */
  readonly simulator?: Simulator;
  /** Called by every node that uses the PBX; the first call opens the link, it then stays until {@link close}. */
  open(): void;
  /** Within two seconds; see {@link AmiClient.close}. */
  close(): Promise<void>;
}
