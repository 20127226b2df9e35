import type { NodeAPI, NodeStatus } from 'node-red';
import { systemClock } from '../../lib/clock';
import { dialplanScript, playbackScript } from '../../lib/dialer/autocall/script';
import { createAmiLine } from '../../lib/dialer/line/ami-line';
import type { DialLine } from '../../lib/dialer/types';
import type { DialGuard } from '../../lib/outbound/types';
import type { Pbx } from '../../lib/pbx/pbx';
import type { NumberingPlan } from '../../lib/phone/types';
import { knows } from '../../lib/presence/knows';
import type { Knowledge } from '../../lib/presence/knows';
import type { Store } from '../../lib/store/types';
import { amiConfig, finesseConfig } from './config-nodes';
import type { AmiConfigNode } from './config-nodes';
import { onClose } from './lifecycle';
import { linkStatus } from './link-status';
import { nodeLog } from './node-log';

/** How autocalls are played: by the shipped dialplan, or by Asterisk's Playback alone. */
export type PlayMode = 'dialplan' | 'playback';

/** What a config node offers to whoever dials over it. */
export interface Dialling {
  /** As it appears in messages. */
  readonly name: string;
  /** Shared by all nodes that dial there; closed with the config node. */
  readonly line: DialLine;
  readonly guard: DialGuard;
  readonly plan: NumberingPlan;
  /** Which extensions are registered from an address. */
  readonly whoIsAt: (ip: string) => Promise<readonly string[]>;
  /** Whether the PBX tells of such a phone; waits for the states of the phones after a login. */
  readonly knows: (extension: string) => Promise<Knowledge>;
  /** The state of the link. */
  status(): NodeStatus;
  /** Calls `handler` when {@link status} changes. Returns the function that ends it. */
  onStatus(handler: () => void): () => void;
  /** To be called once by whoever uses it. */
  open(): void;
}

interface Kept {
  readonly store: Store;
  readonly line: DialLine;
}

/** By PBX; of each, by the id of the store's node and the way to play: as many as there are stores. */
const lines = new WeakMap<Pbx, Map<string, Kept>>();

/** The name that a store has given itself; a store that cannot be read now has it when it can. */
async function nameOf(store: Store): Promise<string> {
  for (;;) {
    try {
      return await store.orders.name;
    } catch {
      await new Promise<void>((resolve) => {
        const end = store.onState(({ status }) => {
          if (status !== 'open') return;
          end();
          resolve();
        });
      });
    }
  }
}

/**
 * The line of a PBX for the orders of one store. It stays when the node that dials is deployed anew: calls in the air are followed on. It ends
 * with the PBX, or when the store of that id is another one.
 */
function amiLine(red: NodeAPI, config: AmiConfigNode, storeId: string, store: Store, play: PlayMode): DialLine {
  const { pbx } = config;
  let kept = lines.get(pbx);
  if (!kept) {
    const all = (kept = new Map<string, Kept>());
    lines.set(pbx, all);
    onClose(red, config, async () => {
      await Promise.all([...all.values()].map(({ line }) => line.close()));
      all.clear();
    });
  }
  const key = `${storeId} ${play}`;
  const known = kept.get(key);
  if (known?.store === store) return known.line;
  void known?.line.close();
  const log = nodeLog(red, config);
  const { orders } = store;
  const line = createAmiLine({
    client: pbx.client,
    plan: pbx.plan,
    dialling: pbx.dialling,
    clock: systemClock,
    log,
    script: play === 'playback' ? playbackScript() : dialplanScript({ clock: systemClock, log }),
    orders: {
      isOver: async (name, id, attempt) => {
        await nameOf(store);
        const stored = await orders.get(id);
        const isInAir = stored?.state === 'in-air' && stored.tries === attempt;
        // Asked after the order: a file that took the place of another in between has another name.
        return !isInAir && (await orders.name) === name;
      },
    },
  });
  kept.set(key, { store, line });
  return line;
}

/** What the chosen config node offers; `undefined`: it is disabled, deleted, or its settings are wrong. */
export function diallingOf(
  red: NodeAPI,
  chosen: { readonly pbx?: string; readonly finesse?: string },
  { storeId, store, play }: { readonly storeId: string; readonly store: Store; readonly play: PlayMode },
): Dialling | undefined {
  const finesse = finesseConfig(red, chosen.finesse)?.dialling;
  if (finesse) {
    const { line } = finesse;
    return {
      ...finesse,
      whoIsAt: () => Promise.resolve([]),
      // Its line dials for the agents of its table alone, and the server knows its own extensions.
      knows: () => Promise.resolve('known'),
      status: () =>
        line.isReady
          ? { fill: 'green', shape: 'dot', text: 'originate.status.ready' }
          : { fill: 'red', shape: 'ring', text: 'originate.status.no-link' },
      onStatus: (handler) => line.onReady(handler),
      open: () => undefined,
    };
  }
  const config = amiConfig(red, chosen.pbx);
  if (!config) return undefined;
  const { pbx } = config;
  return {
    name: pbx.name,
    line: amiLine(red, config, storeId, store, play),
    guard: pbx.dialling.guard,
    plan: pbx.plan,
    whoIsAt: pbx.whoIsAt,
    knows: (extension) => knows(pbx.presence, extension),
    status: () => linkStatus(pbx),
    onStatus: (handler) => pbx.client.onState(handler),
    open: () => pbx.open(),
  };
}
