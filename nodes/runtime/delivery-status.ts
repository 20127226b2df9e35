import type { NodeAPI, NodeStatus } from 'node-red';
import type { DeliveryState } from '../../lib/delivery/types';

const KEY = 'crm-webhook-out.status';

/** Hours and minutes of a moment of today, day and month of one before. */
function when(ms: number, now: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const isToday = now - ms < 24 * 60 * 60 * 1000 && at.getDate() === new Date(now).getDate();
  return isToday ? `${two(at.getHours())}:${two(at.getMinutes())}` : `${two(at.getDate())}.${two(at.getMonth() + 1)}`;
}

/** What waits, since when and why, as the status of a node; `reason`: the problem in a few words. */
export function deliveryStatus(red: NodeAPI, state: DeliveryState, reason: string, now: number): NodeStatus {
  const { waiting, dead, oldestAt, problem } = state;
  const count = { count: waiting, dead, since: oldestAt === undefined ? '' : when(oldestAt, now), reason };
  if (problem) return { fill: 'red', shape: 'ring', text: red._(`${KEY}.${waiting > 0 ? 'held' : 'down'}`, count) };
  if (dead > 0)
    return { fill: 'yellow', shape: 'dot', text: red._(`${KEY}.${waiting > 0 ? 'waiting-dead' : 'dead'}`, count) };
  if (waiting > 0) return { fill: 'blue', shape: 'dot', text: red._(`${KEY}.waiting`, count) };
  return { fill: 'green', shape: 'dot', text: `${KEY}.idle` };
}
