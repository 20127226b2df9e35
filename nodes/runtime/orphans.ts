import type { Node, NodeAPI } from 'node-red';
import { asError } from '../../lib/errors';
import type { TelephonyError } from '../../lib/errors';
import type { Store } from '../../lib/store/types';
import { whenFlowsStarted } from './flows-started';
import { wordsFor } from './language';

/** One kind of thing that waits in a store for a node. */
interface Held {
  queues(store: Store): Promise<readonly string[]>;
  count(store: Store, queue: string): Promise<number>;
  /** What to say of them. */
  warning(count: number, store: string): TelephonyError;
}

/**
 * What waits in a store for a node that was deleted: drawn anew the node has another id, and nobody would see to it. A node of a
 * disabled flow is still there, and keeps what is its own.
 */
export class Orphans {
  /** What was warned of, so that each deploy does not say it again. */
  private readonly warned = new WeakMap<Store, ReadonlySet<string>>();

  constructor(
    private readonly red: NodeAPI,
    private readonly held: Held,
  ) {}

  /** How many, for an answer: without `orphans` there are none, or the store cannot be asked. */
  async in(store: Store): Promise<{ readonly orphans?: number }> {
    if (store.state.status !== 'open') return {};
    const count = await this.count(store, await this.queues(store));
    return count > 0 ? { orphans: count } : {};
  }

  /** Looks when the flows have started, after each deploy, and when the store can be used; returns the function that ends it. */
  watch(node: Node, store: Store, storeName: string): () => void {
    const look = (): void => {
      this.warn(node, store, storeName).catch((thrown: unknown) =>
        // A store that cannot be used says so itself.
        node.debug(wordsFor(this.red, node, asError(thrown))),
      );
    };
    let callOff = (): void => undefined;
    const afterDeploy = (): void => {
      callOff = whenFlowsStarted(this.red, () => {
        look();
        afterDeploy();
      });
    };
    afterDeploy();
    const leave = store.onState(({ status }) => {
      if (status === 'open') look();
    });
    return () => {
      callOff();
      leave();
    };
  }

  private async warn(node: Node, store: Store, storeName: string): Promise<void> {
    const queues = await this.queues(store);
    const count = await this.count(store, queues);
    const known = this.warned.get(store);
    this.warned.set(store, new Set(queues));
    if (queues.every((queue) => known?.has(queue))) return;
    const error = this.held.warning(count, storeName);
    node.warn(`${wordsFor(this.red, node, error)} (${error.code})`);
  }

  /** The queues that hold something and have no node. */
  async queues(store: Store): Promise<string[]> {
    const held = await this.held.queues(store);
    if (held.length === 0) return [];
    const configured = new Set<string>();
    this.red.nodes.eachNode(({ id }) => void configured.add(id));
    // A node within a subflow is called `instance-node`, and Node-RED does not list those that come from a module.
    return held.filter((queue) => !configured.has(queue) && !configured.has(queue.split('-')[0] ?? ''));
  }

  private async count(store: Store, queues: readonly string[]): Promise<number> {
    let count = 0;
    for (const queue of queues) count += await this.held.count(store, queue);
    return count;
  }
}
