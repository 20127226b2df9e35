import type { AmiMessage } from '../ami/types';
import { nameIn, numberIn, textIn } from '../calls/reading';

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

/** Whether a member of this `Status` has somebody on the line, rings or not; `undefined`: nobody said. */
export const isInUse = (status: number | undefined): boolean => BY_STATUS[status ?? 0] === 'busy';

/** What `QueueStatus` says, by queues; `now`: wall-clock ms. */
export function queuesIn(
  rows: readonly AmiMessage[],
  phoneOf: (interfaceName: string) => string,
  now: number,
): readonly QueueNow[] {
  const of = (event: string, queue: string): readonly AmiMessage[] =>
    rows.filter((row) => row.name === event && row.get('Queue') === queue);
  const queues = rows.flatMap((row) => (row.name === 'QueueParams' ? (textIn(row, 'Queue') ?? []) : []));
  return [...new Set(queues)].sort().map((id) => {
    const callers = of('QueueEntry', id).map((row) => {
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
      agents: of('QueueMember', id)
        .map((row) => agentIn(row, phoneOf, now))
        .sort((one, other) => one.phone.localeCompare(other.phone, 'en', { numeric: true })),
    };
  });
}

function agentIn(row: AmiMessage, phoneOf: (interfaceName: string) => string, now: number): AgentNow {
  const [interfaceName = '', name, reason] = [
    textIn(row, 'Location'),
    nameIn(row, 'Name'),
    textIn(row, 'PausedReason'),
  ];
  const state = stateIn(row, now);
  return {
    phone: phoneOf(textIn(row, 'StateInterface') ?? interfaceName),
    ...(name === undefined || name === interfaceName ? {} : { name }),
    state,
    ...(state !== 'paused' || reason === undefined ? {} : { reason }),
  };
}

/** Who talks is busy, also when he has paused for afterwards. A Local member without a state interface is known by `InCall` alone. */
function stateIn(row: AmiMessage, now: number): Activity {
  const state = BY_STATUS[numberIn(row, 'Status') ?? 0] ?? 'free';
  if (state === 'busy' || row.get('InCall') === '1') return 'busy';
  if (row.get('Paused') === '1') return 'paused';
  if (state !== 'free') return state;
  const sinceCall = now / 1000 - (numberInSeconds(row, 'LastCall') ?? -Infinity);
  return sinceCall >= 0 && sinceCall < (numberIn(row, 'Wrapuptime') ?? 0) ? 'wrap-up' : 'free';
}

/** Seconds since 1970, by the clock of the PBX; 0: never. */
function numberInSeconds(row: AmiMessage, header: string): number | undefined {
  const text = row.get(header) ?? '';
  return /^[1-9]\d{0,11}$/.test(text) ? Number(text) : undefined;
}
