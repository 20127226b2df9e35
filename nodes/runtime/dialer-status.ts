import type { NodeAPI, NodeStatus } from 'node-red';
import type { DialerState } from '../../lib/dialer/options';
import { TelephonyError } from '../../lib/errors';
import { NO_PBX_STATUS } from './link-status';
import { storeWords } from './store-status';

const KEY = 'originate.status';

const WRONG_ORIGINATE: NodeStatus = { fill: 'red', shape: 'dot', text: `${KEY}.settings` };

/** Why a node has no dialler. */
export function withoutOffice(problem: Error): NodeStatus {
  const isUnchosen = problem instanceof TelephonyError && problem.code === 'PBX_TO_DIAL_NOT_CHOSEN';
  return isUnchosen ? NO_PBX_STATUS : WRONG_ORIGINATE;
}

/** Hours and minutes of a moment of the next day, day and month of one after. */
function when(ms: number, now: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const isSoon = ms - now < 24 * 60 * 60 * 1000;
  return isSoon ? `${two(at.getHours())}:${two(at.getMinutes())}` : `${two(at.getDate())}.${two(at.getMonth() + 1)}`;
}

/** What a dialler does now, as the status of its node; `idle`: when it has nothing to do. */
export function dialerStatus(red: NodeAPI, state: DialerState, now: number, idle: NodeStatus): NodeStatus {
  const { waiting, inAir, isPaused, loss, nextAt, problem } = state;
  const count = { waiting, inAir, at: nextAt === undefined ? '' : when(nextAt, now) };
  if (problem) return { fill: 'red', shape: 'ring', text: storeWords(problem.code) };
  if (loss) return { fill: 'yellow', shape: 'ring', text: `${KEY}.${loss}` };
  if (isPaused) return { fill: 'yellow', shape: 'dot', text: red._(`${KEY}.paused`, count) };
  if (inAir > 0) return { fill: 'blue', shape: 'dot', text: red._(`${KEY}.dialling`, count) };
  if (waiting === 0) return idle;
  const isLater = nextAt !== undefined && nextAt > now + 1000;
  return { fill: 'blue', shape: 'ring', text: red._(isLater ? `${KEY}.later` : `${KEY}.waiting`, count) };
}
