import type { SimulatedPhone } from './types';

/**
 * The office that the simulator plays when nothing else is asked for. The shipped example and its texts speak of these people:
 * one for every way in which a phone can take a call or not take it.
 */
export const defaultPhones: readonly SimulatedPhone[] = [
  { extension: '101', name: 'Анна Смирнова', rule: 'answers' },
  { extension: '102', name: 'Борис Кузнецов', rule: 'busy' },
  { extension: '103', name: 'Вера Орлова', rule: 'no-answer' },
  { extension: '104', name: 'Глеб Попов', rule: 'unregistered' },
  { extension: '105', name: 'Дарья Лебедева', rule: 'answers' },
  { extension: '106', name: 'Егор Волков', rule: 'declines' },
];

/** The one queue; dialled as an extension, by the route's answer, by Originate or by Redirect. Members ring one after the other. */
export const supportQueue = { name: 'support', extension: '700', members: ['101', '105'] } as const;

/** Own numbers that ring a phone or the queue without asking for a route; every other number asks. */
export const directLines: Readonly<Record<string, string>> = {
  '74951000111': '101',
  '74951000112': '102',
  '74951000113': '103',
  '74951000170': supportQueue.extension,
};

export const defaultTimes = { ringMs: 800, talkMs: 1500, routeMs: 3000 } as const;

/** How long a caller lets a phone ring that nobody answers, in times of `ringMs`. */
export const RING_PATIENCE = 4;

/** How long a caller stays in the queue before the dialplan goes on, in times of `ringMs`. */
export const QUEUE_PATIENCE = 20;

/** Where calls are parked. */
export const parkingSlots: readonly number[] = Array.from({ length: 20 }, (_, index) => 701 + index);

/** How long somebody waits in a slot, or on hold, before he gives up, in times of `talkMs`. */
export const PARK_PATIENCE = 20;

/** How long a colleague who is consulted stays on the line if nobody hangs up, in times of `talkMs`: a minute. */
export const CONSULT_PATIENCE = 40;

/** How the outside world takes a call from the PBX: by the last two digits of the number (named after the hang-up causes). */
export function outsideRule(number: string): 'answers' | 'busy' | 'no-answer' {
  if (number.endsWith('17')) return 'busy';
  if (number.endsWith('19')) return 'no-answer';
  return 'answers';
}

/** What a client who answered does while a message is played to him: by the last two digits, too. */
export function listenerRule(number: string): 'presses-1' | 'hangs-up' | 'never-presses' | 'machine' {
  if (number.endsWith('16')) return 'hangs-up';
  if (number.endsWith('18')) return 'never-presses';
  if (number.endsWith('26')) return 'machine';
  return 'presses-1';
}

/** What the PBX says it is. The AMI version is the one of Asterisk 22. */
export const versions = { ami: '11.0.0', asterisk: '22.10.1-simulator' } as const;

export const limits = {
  /** Connections at once; one more is closed at once, as Asterisk does at `authlimit`. */
  sessions: 50,
  /** Bytes that wait for a slow reader; about what Asterisk and the kernel held before Asterisk closed the session. */
  pendingBytes: 4 * 1024 * 1024,
  /** Calls put in by `call()` at once. */
  calls: 1000,
  /** All channels at once; at the bound a new leg fails with congestion. */
  channels: 4000,
  /** Bytes of one header line, line end included, and headers of one request: Asterisk's own limits. */
  line: 1024,
  headers: 128,
  /** AGI commands that wait on one channel. */
  agiCommands: 64,
  /** Variables on one channel, and global ones. */
  variables: 256,
} as const;
