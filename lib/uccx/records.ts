import type { Text } from '../errors';
import type { CallResult, Client, Direction, RecordLeg, RecordPayload } from '../messages/types';
import { isDialable, parseNumber } from '../phone';
import type { NumberingPlan } from '../phone/types';
import type { RowClock } from './moments';
import { readRow, type AgentPart, type CallRow } from './rows';

export interface UccxSettings {
  /** The name of the contact centre in the records. */
  readonly pbx: string;
  readonly plan: NumberingPlan;
  readonly clock: RowClock;
  /** What CUCM has before a number of outside; may be empty. */
  readonly prefix: string;
  readonly directions: readonly Direction[];
}

/** Everything that was found in some rows. */
export interface Converted {
  /** By when they began. */
  readonly records: readonly RecordPayload[];
  /** Calls whose end is not written yet. */
  readonly unfinished: number;
  /** Rows that could not be used, and what is wrong with the first of them. */
  readonly bad: number;
  readonly firstBad?: { readonly row: number; readonly problem: Text };
}

/** `ContactCallDetail.contactType`, of Cisco's schema guide: 1 in, 4 redirected, 5 transferred; 2 out, above 5 dialled by a campaign. */
const INTERNAL = 3;
const OUT = 2;
const FIRST_OF_CAMPAIGNS = 6;
const BY_AGENT = 1;
const ABANDONED = 1;
const HANDLED = 2;

/** Rows of one call, with all its agents and queues; a call has a few. */
const MAX_PARTS = 1000;
/** Of the last agents: who talked is among them. */
const MAX_LEGS = 200;

const TOO_MANY_PARTS: Text = {
  en: `its call has more than ${MAX_PARTS} rows.`,
  ru: `у её звонка больше ${MAX_PARTS} строк.`,
};

const iso = (ms: number): string => new Date(ms).toISOString();
const seconds = (ms: number): number => Math.max(0, Math.round(ms / 1000));

/**
 * Makes one `call_record` of each call in the rows: ContactCallDetail with AgentConnectionDetail, Resource and ContactServiceQueue joined
 * to it, in any order, the same rows more than once or not. Whatever the rows hold, nothing is thrown. Yields after each step of the
 * work, so that whoever waits in between keeps the process alive.
 *
 * A part of a session (`sessionSeqNum`) is a call: a transfer begins a new one, which is written when it ends. Thus the same rows make
 * the same records, however often and with whichever others they are read.
 */
export function* convert(rows: readonly unknown[], settings: UccxSettings): Generator<undefined, Converted> {
  const calls = new Map<string, CallRow[]>();
  const unfinished = new Set<number>();
  let bad = 0;
  let firstBad: Converted['firstBad'];
  const leaveOut = (at: number, problem: Text): void => {
    bad += 1;
    firstBad ??= { row: at + 1, problem };
  };
  for (const [at, given] of rows.entries()) {
    const read = readRow(given, settings.clock);
    if (read.kind === 'call') {
      const parts = calls.get(read.row.id) ?? [];
      if (parts.length >= MAX_PARTS) leaveOut(at, TOO_MANY_PARTS);
      else parts.push(read.row);
      calls.set(read.row.id, parts);
    } else if (read.kind === 'unfinished') {
      unfinished.add(at);
    } else {
      leaveOut(at, read.problem);
    }
    yield;
  }
  const records: RecordPayload[] = [];
  for (const parts of calls.values()) {
    const record = recordOf(parts, settings);
    if (settings.directions.includes(record.direction)) records.push(record);
    yield;
  }
  records.sort((a, b) => (a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : 0));
  return { records, unfinished: unfinished.size, bad, ...(firstBad === undefined ? {} : { firstBad }) };
}

function recordOf(rows: readonly CallRow[], settings: UccxSettings): RecordPayload {
  const [call] = rows as readonly [CallRow, ...CallRow[]];
  const { pbx } = settings;
  const agents = agentsOf(rows);
  const { direction, client, own, peer } = partiesOf(call, agents, settings);
  const talked = agents.filter(hasTalked);
  const isAnswered = talked.length > 0 || (direction !== 'in' && wasHandled(call, agents));
  const answeredAt = isAnswered ? answerOf(call, talked) : undefined;
  const queue = queueOf(rows);
  const callId = `uccx-${call.id}`;
  const rung = namesOf(agents);
  const people = isAnswered ? namesOf(direction === 'in' ? talked : own) : [];
  const order = people.length > 0 ? people : rung.length > 0 ? rung : namesOf(own);
  const [first, last] = [order[0], order.at(-1)];
  const result = resultOf(call, direction, isAnswered, queue !== undefined);
  const talkSeconds = talkOf(call, talked, isAnswered);
  const held = talked.reduce((sum, { holdSeconds }) => sum + holdSeconds, 0);
  return {
    eventId: `${pbx}:${callId}:call_record`,
    pbx,
    callId,
    direction,
    ...(client === undefined ? {} : { client }),
    ...(peer === undefined ? {} : { peer: { extension: peer } }),
    ...(last === undefined ? {} : { extension: last }),
    ...(direction === 'in' && call.called !== '' ? { line: { number: call.called } } : {}),
    ...(queue === undefined ? {} : { queue: { id: queue, name: queue } }),
    startedAt: iso(call.startedAt),
    ...(answeredAt === undefined ? {} : { answeredAt: iso(answeredAt) }),
    endedAt: iso(call.endedAt),
    waitSeconds: seconds((answeredAt ?? call.endedAt) - call.startedAt),
    talkSeconds,
    holdSeconds: Math.min(held, talkSeconds),
    result,
    ...(result === 'abandoned' ? { hangup: { code: 16, text: 'Normal Clearing', by: 'client' } } : {}),
    rung: direction === 'in' ? rung : [],
    talked: people,
    legs:
      direction === 'in' ? agents.flatMap((agent, at) => legOf(call, agent, `${callId}-${at}`)).slice(-MAX_LEGS) : [],
    ...(first === undefined ? {} : { firstExtension: first }),
    ...(last === undefined ? {} : { lastExtension: last }),
  };
}

const hasTalked = ({ talkSeconds, holdSeconds }: AgentPart): boolean => talkSeconds + holdSeconds > 0;

/** What an agent himself dials has no row of AgentConnectionDetail. */
const wasHandled = ({ contactDisposition }: CallRow, agents: readonly AgentPart[]): boolean =>
  agents.every(({ ringSeconds }) => ringSeconds === 0) && contactDisposition === HANDLED;

const namesOf = (agents: readonly Pick<AgentPart, 'extension'>[]): string[] => [
  ...new Set(agents.flatMap(({ extension }) => (extension === undefined ? [] : [extension]))),
];

/** Each once, as they were rung; a join with queues gives one agent in several rows. */
function agentsOf(rows: readonly CallRow[]): AgentPart[] {
  const found = new Map<string, AgentPart>();
  for (const { agent } of rows) if (agent) found.set(JSON.stringify(agent), agent);
  return [...found.values()].sort((a, b) => (a.ringingAt ?? 0) - (b.ringingAt ?? 0));
}

/** The queue that gave the call to somebody, else the last that is named. */
function queueOf(rows: readonly CallRow[]): string | undefined {
  const named = rows.filter(({ queue }) => queue !== '');
  const best =
    named.find(({ isHandledByQueue }) => isHandledByQueue) ??
    named.findLast(({ agent }) => agent && hasTalked(agent)) ??
    named.at(-1);
  return best?.queue;
}

interface Parties {
  readonly direction: Direction;
  readonly client?: Client;
  /** Who of ours it belongs to when nobody was rung by a queue. */
  readonly own: readonly Pick<AgentPart, 'extension'>[];
  readonly peer?: string;
}

function partiesOf(call: CallRow, agents: readonly AgentPart[], { plan, prefix }: UccxSettings): Parties {
  const { contactType, originatorType, originator } = call;
  const isOurs = originatorType === BY_AGENT || isExtension(originator, plan);
  const caller = isDialable(originator) ? [{ extension: originator }] : [];
  const dials = contactType === undefined ? isOurs : contactType === OUT || contactType >= FIRST_OF_CAMPAIGNS;
  const outside = dials
    ? [call.destination, call.called].find((number) => number !== '' && !isExtension(number, plan))
    : undefined;
  if (outside !== undefined) {
    const own = agents.length > 0 ? agents : caller;
    return { direction: 'out', ...clientOf(outside, plan, prefix), own };
  }
  if (dials || isOurs || contactType === INTERNAL) {
    const [peer] = caller;
    return { direction: 'internal', own: agents, ...(peer === undefined ? {} : { peer: peer.extension }) };
  }
  return { direction: 'in', ...clientOf(originator, plan, prefix), own: agents };
}

const isExtension = (number: string, plan: NumberingPlan): boolean => parseNumber(number, plan).kind === 'extension';

/** A withheld number is nobody's. */
function clientOf(number: string, plan: NumberingPlan, prefix: string): { readonly client?: Client } {
  const bare = prefix !== '' && number.startsWith(prefix) ? number.slice(prefix.length) : undefined;
  const behind = bare === undefined ? undefined : parseNumber(bare, plan);
  // A number that only happens to begin like the prefix is none without it.
  const [shown, read] = behind?.kind === 'phone' ? [bare ?? '', behind] : [number, parseNumber(number, plan)];
  if (read.kind === 'phone') return { client: { number: shown, e164: read.e164, national: read.national } };
  return read.kind === 'none' ? {} : { client: { number: shown } };
}

function answerOf(call: CallRow, talked: readonly AgentPart[]): number {
  const [first] = talked;
  const at =
    first?.ringingAt === undefined
      ? call.endedAt - talkOf(call, talked, true) * 1000
      : first.ringingAt + first.ringSeconds * 1000;
  return within(call, at);
}

/** A table that disagrees with that of calls does not make an agent talk before the call or after it. */
const within = ({ startedAt, endedAt }: CallRow, at: number): number => Math.min(Math.max(at, startedAt), endedAt);

/** Hold included. Of a call that an agent dialled himself Unified CCX knows only how long it was connected, the ringing included. */
function talkOf(
  { connectSeconds = 0, startedAt, endedAt }: CallRow,
  talked: readonly AgentPart[],
  isAnswered: boolean,
) {
  if (!isAnswered) return 0;
  const whole = seconds(endedAt - startedAt);
  if (talked.length === 0) return Math.min(connectSeconds, whole);
  return Math.min(
    talked.reduce((sum, { talkSeconds, holdSeconds }) => sum + talkSeconds + holdSeconds, 0),
    whole,
  );
}

function resultOf(
  { contactDisposition }: CallRow,
  direction: Direction,
  isAnswered: boolean,
  hasQueue: boolean,
): CallResult {
  if (isAnswered) return 'answered';
  if (direction !== 'in') return 'no-answer';
  return contactDisposition === ABANDONED && hasQueue ? 'abandoned' : 'missed';
}

function legOf(call: CallRow, agent: AgentPart, legId: string): RecordLeg[] {
  const { extension, ringingAt, ringSeconds, talkSeconds, holdSeconds } = agent;
  if (extension === undefined) return [];
  const isAnswered = hasTalked(agent);
  const answeredAt = ringingAt === undefined ? undefined : within(call, ringingAt + ringSeconds * 1000);
  const talk = Math.min(talkSeconds + holdSeconds, seconds(call.endedAt - call.startedAt));
  return [
    {
      legId,
      extension,
      ...(ringingAt === undefined ? {} : { ringingAt: iso(within(call, ringingAt)) }),
      ...(answeredAt === undefined || !isAnswered ? {} : { answeredAt: iso(answeredAt) }),
      ...(answeredAt === undefined ? {} : { endedAt: iso(within(call, answeredAt + talk * 1000)) }),
      talkSeconds: talk,
      result: isAnswered ? 'answered' : 'missed',
    },
  ];
}
