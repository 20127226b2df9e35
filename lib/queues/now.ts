import type { AmiMessage } from '../ami/types';
import { nameIn, numberIn, textIn } from '../calls/reading';
import { queueNames, readMember, rowsNamed, type MemberRow } from './member';

type Activity = 'free' | 'ringing' | 'busy' | 'paused' | 'wrap-up' | 'away';

/** One agent in one queue. */
interface AgentNow {
  readonly phone: string;
  readonly name?: string;
  readonly state: Activity;
  /** Of the pause. */
  readonly reason?: string;
}

/** One queue as it is now. */
export interface QueueNow {
  readonly id: string;
  /** Callers in the waiting line. */
  readonly waiting: number;
  readonly longestWaitSeconds: number;
  readonly callers: readonly {
    readonly position: number;
    readonly waitSeconds: number;
    readonly number?: string;
    readonly name?: string;
  }[];
  readonly agents: readonly AgentNow[];
}

/** `Status` of a member: 2, 3, 7, 8 have somebody on the line, 6 rings, 4 and 5 cannot be reached (measured on 22.10 and 16.28). */
const BY_STATUS: Readonly<Record<number, Activity>> = {
  2: 'busy',
  3: 'busy',
  4: 'away',
  5: 'away',
  6: 'ringing',
  7: 'busy',
  8: 'busy',
};

/** Whether a member of this `Status` has somebody on the line, rings or not; where nobody told it (`undefined`) he has nobody. */
export const isInUse = (status: number | undefined): boolean => BY_STATUS[status ?? 0] === 'busy';

/** What `QueueStatus` says, by queues; `now`: wall-clock ms. */
export function queuesIn(
  rows: readonly AmiMessage[],
  phoneOf: (interfaceName: string) => string,
  now: number,
): readonly QueueNow[] {
  const entries = rowsNamed(rows, 'QueueEntry');
  const members = rowsNamed(rows, 'QueueMember').flatMap((row) => readMember(row) ?? []);
  return [...new Set(queueNames(rows))].sort().map((id) => {
    const waiting = entries.filter((row) => textIn(row, 'Queue') === id);
    const callers = waiting.map((row) => {
      const [number, name] = [textIn(row, 'CallerIDNum'), nameIn(row, 'CallerIDName')].map((text) =>
        text === 'unknown' ? undefined : text,
      );
      return {
        position: numberIn(row, 'Position') ?? 1,
        waitSeconds: numberIn(row, 'Wait') ?? 0,
        ...(number === undefined ? {} : { number }),
        ...(name === undefined ? {} : { name }),
      };
    });
    return {
      id,
      waiting: callers.length,
      longestWaitSeconds: Math.max(0, ...callers.map(({ waitSeconds }) => waitSeconds)),
      callers: callers.sort((one, other) => one.position - other.position),
      // Asterisk lists them in no order that means something.
      agents: members
        .filter(({ queue }) => queue === id)
        .map((member) => agentIn(member, phoneOf, now))
        .sort((one, other) => one.phone.localeCompare(other.phone, 'en', { numeric: true })),
    };
  });
}

function agentIn(member: MemberRow, phoneOf: (interfaceName: string) => string, now: number): AgentNow {
  const { interface: interfaceName, stateInterface, name, reason } = member;
  const state = stateIn(member, now);
  return {
    phone: phoneOf(stateInterface ?? interfaceName),
    ...(name === undefined ? {} : { name }),
    state,
    ...(state !== 'paused' || reason === undefined ? {} : { reason }),
  };
}

/** Who talks is busy, also when he has paused for afterwards. A Local member without a state interface is known by `InCall` alone. */
function stateIn({ status = 0, isInCall, paused, lastCall = 0, wrapUp = 0 }: MemberRow, now: number): Activity {
  const state = BY_STATUS[status] ?? 'free';
  if (state === 'busy' || isInCall) return 'busy';
  if (paused === true) return 'paused';
  if (state !== 'free' || lastCall === 0) return state;
  // By the clock of the PBX.
  const sinceCall = now / 1000 - lastCall;
  return sinceCall >= 0 && sinceCall < wrapUp ? 'wrap-up' : 'free';
}
