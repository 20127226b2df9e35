import type { NodeAPI } from 'node-red';
import type { RecentCalls } from '../../lib/outbound/guard';

/** Far more than there are config nodes; the oldest is forgotten. */
const MAX_NODES = 1000;

const kept = new WeakMap<NodeAPI, Map<string, RecentCalls>>();

/** The calls of the last minute over one config node: a deploy does not begin a new minute for the caps. */
export function recentCalls(red: NodeAPI, nodeId: string): RecentCalls {
  const all = kept.get(red) ?? new Map<string, RecentCalls>();
  kept.set(red, all);
  const known = all.get(nodeId) ?? { taken: [] };
  all.delete(nodeId);
  all.set(nodeId, known);
  const [oldest] = all.keys();
  if (all.size > MAX_NODES && oldest !== undefined) all.delete(oldest);
  return known;
}
