import type { NodeAPI } from 'node-red';

const waiting = new WeakMap<NodeAPI['events'], Set<() => void>>();

/**
 * Calls `run` once, when all flows of the deploy that is under way have started: before, the nodes at the other end of a
 * wire may not be there yet. Returns the function that calls it off. One listener serves all nodes.
 */
export function whenFlowsStarted(red: NodeAPI, run: () => void): () => void {
  const { events } = red;
  let runs = waiting.get(events);
  if (!runs) {
    const all = (runs = new Set());
    waiting.set(events, all);
    events.once('flows:started', () => {
      waiting.delete(events);
      for (const one of all) one();
    });
  }
  runs.add(run);
  return () => void runs.delete(run);
}
