import type { AmiMessage } from '../ami/types';
import { nameIn, numberIn, textIn } from '../calls/reading';

/** A member of a queue, as a row of `QueueStatus` or an event (`QueueMemberPause` …) tells him; absent: it does not say. */
export interface MemberRow {
  readonly queue: string;
  readonly interface: string;
  /** Whose state the PBX takes for his. */
  readonly stateInterface?: string;
  /** Another than the interface, which Asterisk writes where he has no name. */
  readonly name?: string;
  /** He joined by himself, or by an order; not a fixed member of `queues.conf`. */
  readonly isDynamic: boolean;
  readonly paused?: boolean;
  /** Of the pause. */
  readonly reason?: string;
  /** Since when (Unix seconds by the PBX); 0: never. */
  readonly pausedAt?: number;
  /** The state of his device, as Asterisk numbers them. */
  readonly status?: number;
  /** He has a caller of this queue. */
  readonly isInCall: boolean;
  /** The end of his last call (Unix seconds by the PBX); 0: none yet. */
  readonly lastCall?: number;
  /** Seconds that the queue gives him after a call. */
  readonly wrapUp?: number;
}

/** `undefined` for what is in no queue or has no interface, which no Asterisk sends. */
export function readMember(event: AmiMessage): MemberRow | undefined {
  // Events and lists have two headers each for one thing.
  const [queue, interfaceName] = [textIn(event, 'Queue'), textIn(event, 'Interface') ?? textIn(event, 'Location')];
  if (queue === undefined || interfaceName === undefined) return undefined;
  const name = nameIn(event, 'MemberName') ?? nameIn(event, 'Name');
  const paused = event.get('Paused');
  return {
    queue,
    interface: interfaceName,
    ...given('stateInterface', textIn(event, 'StateInterface')),
    ...given('name', name === interfaceName ? undefined : name),
    isDynamic: event.get('Membership') === 'dynamic',
    ...given('paused', paused === undefined ? undefined : paused === '1'),
    ...given('reason', textIn(event, 'PausedReason')),
    ...given('pausedAt', unixSecondsIn(event, 'LastPause')),
    ...given('status', numberIn(event, 'Status')),
    isInCall: event.get('InCall') === '1',
    ...given('lastCall', unixSecondsIn(event, 'LastCall')),
    ...given('wrapUp', numberIn(event, 'Wrapuptime')),
  };
}

/** The rows of one kind in what `QueueStatus` answered; Asterisk says the names of events without regard to case. */
export const rowsNamed = (status: readonly AmiMessage[], name: string): readonly AmiMessage[] =>
  status.filter((row) => row.name.toLowerCase() === name.toLowerCase());

/** The queues in what `QueueStatus` answered. */
export const queueNames = (status: readonly AmiMessage[]): string[] =>
  rowsNamed(status, 'QueueParams').flatMap((row) => textIn(row, 'Queue') ?? []);

function given<Name extends string, Value>(name: Name, value: Value | undefined): Partial<Record<Name, Value>> {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, Value>);
}

function unixSecondsIn(event: AmiMessage, header: string): number | undefined {
  const text = event.get(header) ?? '';
  return /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
