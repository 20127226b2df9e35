import type { NodeAPI } from 'node-red';
import { DeskMemory } from '../../lib/agents/memory';
import { systemClock } from '../../lib/clock';

const memories = new WeakMap<object, Map<string, DeskMemory>>();

const memoriesOf = (red: NodeAPI): Map<string, DeskMemory> => {
  const app = red.httpNode as object;
  const known = memories.get(app) ?? new Map<string, DeskMemory>();
  memories.set(app, known);
  return known;
};

/** What the pages of a node were told, over its redeploys; see {@link DeskMemory}. */
export function deskMemory(red: NodeAPI, nodeId: string): DeskMemory {
  const all = memoriesOf(red);
  const known = all.get(nodeId) ?? new DeskMemory(systemClock);
  all.set(nodeId, known);
  return known;
}

/** The node was deleted. */
export function forgetDesk(red: NodeAPI, nodeId: string): void {
  memoriesOf(red).delete(nodeId);
}
