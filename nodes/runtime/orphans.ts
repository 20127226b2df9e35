import type { Node, NodeAPI } from 'node-red';
import { runningIn } from '../../lib/delivery/running';
import { asError } from '../../lib/errors';
import type { Store } from '../../lib/store/types';
import { nodeError } from './errors';
import { whenFlowsStarted } from './flows-started';
import { wordsFor } from './language';

/**
 * What waits in a store for a node that was deleted: drawn anew the node has another id, and nobody would deliver it. A node of a
 * disabled flow is still there, and keeps what is its own.
 */
export class Orphans {
  /** What was warned of, so that each deploy does not say it again. */
  private readonly warned = new WeakMap<Store, ReadonlySet<string>>();

  constructor(private readonly red: NodeAPI) {}

  /** How many messages, for an answer: without `orphans` there are none, or the store cannot be asked. */
  async in(store: Store): Promise<{ readonly orphans?: number }> {
    if (store.state.status !== 'open') return {};
    const count = await this.count(store, await this.queues(store));
    return count > 0 ? { orphans: count } : {};
  }

  /** The queues that may be taken over now: a try that a deleted node began may go on for a while. */
  async adoptable(store: Store): Promise<string[]> {
    return (await this.queues(store)).filter((queue) => runningIn(queue).size === 0);
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
    const error = nodeError('WEBHOOK_ORPHANS', { count, store: storeName });
    node.warn(`${wordsFor(this.red, node, error)} (${error.code})`);
  }

  private async queues(store: Store): Promise<string[]> {
    const held = await store.outbox.queues();
    if (held.length === 0) return [];
    const configured = new Set<string>();
    this.red.nodes.eachNode(({ id }) => void configured.add(id));
    // A node within a subflow is called `instance-node`, and Node-RED does not list those that come from a module.
    return held.filter((queue) => !configured.has(queue) && !configured.has(queue.split('-')[0] ?? ''));
  }

  private async count(store: Store, queues: readonly string[]): Promise<number> {
    let count = 0;
    for (const queue of queues) {
      const { waiting, dead } = await store.outbox.count(queue);
      count += waiting + dead;
    }
    return count;
  }
}
