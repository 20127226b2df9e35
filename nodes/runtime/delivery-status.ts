import type { NodeAPI, NodeStatus } from 'node-red';
import type { DeliveryState } from '../../lib/delivery/types';
import { crmStatus, crmWords } from './crm-status';
import { storeWords } from './store-status';

const KEY = 'crm-webhook-out.status';

/** Hours and minutes of a moment of today, day and month of one before. */
function when(ms: number, now: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const isToday = now - ms < 24 * 60 * 60 * 1000 && at.getDate() === new Date(now).getDate();
  return isToday ? `${two(at.getHours())}:${two(at.getMinutes())}` : `${two(at.getDate())}.${two(at.getMonth() + 1)}`;
}

/** The key of the few words that say what to do about a problem. */
function reasonOf(code: string): string {
  if (code === 'CRM_NOT_CHOSEN') return crmStatus(undefined).text ?? '';
  if (code.startsWith('CRM_')) return crmWords(code);
  return code.startsWith('WEBHOOK_') ? `${KEY}.settings` : storeWords(code);
}

/** What waits, since when and why, as the status of a node. */
export function deliveryStatus(red: NodeAPI, state: DeliveryState, now: number): NodeStatus {
  const { waiting, dead, oldestAt, problem } = state;
  const count = { count: waiting, dead, since: oldestAt === undefined ? '' : when(oldestAt, now) };
  if (problem) {
    const reason = reasonOf(problem.code);
    const held = waiting > 0 ? red._(`${KEY}.held`, { ...count, reason: red._(reason) }) : reason;
    return { fill: 'red', shape: 'ring', text: held };
  }
  if (dead > 0)
    return { fill: 'yellow', shape: 'dot', text: red._(`${KEY}.${waiting > 0 ? 'waiting-dead' : 'dead'}`, count) };
  if (waiting > 0) return { fill: 'blue', shape: 'dot', text: red._(`${KEY}.waiting`, count) };
  return { fill: 'green', shape: 'dot', text: `${KEY}.idle` };
}
