import { isDialable } from '../phone';
import type { Text } from '../errors';
import { momentsIn, OFFSET_PROBLEM, offsetMinutes, TIME_PROBLEM, type RowClock } from './moments';

/** What an agent did in a call, by one row of AgentConnectionDetail. Whole seconds. */
export interface AgentPart {
  readonly extension?: string;
  /** When his phone began to ring; wall-clock ms. */
  readonly ringingAt?: number;
  readonly ringSeconds: number;
  /** Without what was on hold. */
  readonly talkSeconds: number;
  readonly holdSeconds: number;
}

/** One row of ContactCallDetail, with what was joined to it. */
export interface CallRow {
  /** `sessionID-sessionSeqNum-nodeID`: with the profile, the primary key. */
  readonly id: string;
  readonly contactType?: number;
  readonly contactDisposition?: number;
  readonly originatorType?: number;
  readonly originator: string;
  readonly destination: string;
  readonly called: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly connectSeconds?: number;
  readonly queue: string;
  /** `ContactQueueDetail.disposition` 2. */
  readonly isHandledByQueue: boolean;
  readonly agent?: AgentPart;
}

/** A row is a call, one that still goes on, or of no use. */
export type ReadRow =
  | { readonly kind: 'call'; readonly row: CallRow }
  | { readonly kind: 'unfinished' }
  | { readonly kind: 'bad'; readonly problem: Text };

/** Nothing that is a number, a name or an id is longer. */
const MAX_TEXT = 128;
/** Longer ones are rows whose times were mixed up. */
const MAX_CALL_MS = 7 * 24 * 60 * 60_000;
const MAX_SECONDS = MAX_CALL_MS / 1000;
const HANDLED_BY_CSQ = 2;

const bad = (en: string, ru: string): ReadRow => ({ kind: 'bad', problem: { en, ru } });

/** The columns of one row: found by name whatever its case, its table (`ccd.startDateTime`) and its underscores. */
class Columns {
  private readonly values = new Map<string, unknown>();

  constructor(row: object) {
    for (const [name, value] of Object.entries(row) as [string, unknown][]) {
      const key = name.replace(/^.*\./, '').replaceAll('_', '').toLowerCase();
      // Informix and drivers say NULL in their own ways; the first column of a name that says anything counts.
      if (value === null || value === undefined || value === '' || value === 'NULL') continue;
      if (!this.values.has(key)) this.values.set(key, value);
    }
  }

  value(name: string): unknown {
    return this.values.get(name.toLowerCase());
  }

  text(name: string): string {
    const value = this.value(name);
    const text = typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
    return text
      .slice(0, MAX_TEXT)
      .replace(/[\p{Cc}\p{Cs}]+/gu, ' ')
      .trim();
  }

  number(name: string): number | undefined {
    const value = this.value(name);
    if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
    if (typeof value !== 'string' || !/^\s*[+-]?\d{1,18}(?:\.0*)?\s*$/.test(value)) return undefined;
    return Number(value);
  }

  /** Of a part of a call; nothing, or nonsense, is none. */
  seconds(name: string): number {
    const seconds = this.number(name) ?? 0;
    return seconds > 0 && seconds <= MAX_SECONDS ? Math.round(seconds) : 0;
  }

  /** Digits of a whole number, without zeros in front: drivers differ in them. `undefined`: there are none, or a number so large that JavaScript has rounded it. */
  id(name: string): string | undefined {
    const value = this.value(name);
    if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
    if (typeof value !== 'string' && typeof value !== 'bigint') return undefined;
    return /^\s*0{0,20}(\d{1,20})(?:\.0*)?\s*$/.exec(String(value))?.[1];
  }
}

/** Reads one row of the query; never throws. */
export function readRow(given: unknown, clock: RowClock): ReadRow {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return bad('it is no object with the names of its columns.', 'это не объект с именами столбцов.');
  }
  const columns = new Columns(given);
  const ids = ['sessionID', 'sessionSeqNum', 'nodeID'].map((name) => columns.id(name));
  const lacking = ['sessionID', 'sessionSeqNum', 'nodeID'].filter((_name, at) => ids[at] === undefined);
  if (lacking.length > 0) {
    const names = lacking.join(', ');
    return bad(
      `${names} is missing or no whole number (select sessionID as text: it has up to 18 digits).`,
      `${names} — нет или не целое число (выбирайте sessionID как текст: в нём до 18 цифр).`,
    );
  }
  if (columns.value('startDateTime') !== undefined && columns.value('endDateTime') === undefined)
    return { kind: 'unfinished' };
  const gmtOffset = offsetMinutes(columns.number('gmtOffset'));
  if (clock.by === 'offset' && gmtOffset === undefined) return { kind: 'bad', problem: OFFSET_PROBLEM };
  const moments = (name: string) => momentsIn(columns.value(name), clock, gmtOffset);
  const [startedAt] = moments('startDateTime');
  const ends = moments('endDateTime');
  const [firstEnd] = ends;
  if (startedAt === undefined || firstEnd === undefined) return { kind: 'bad', problem: TIME_PROBLEM };
  const endedAt = ends.find((end) => end >= startedAt);
  if (endedAt === undefined || endedAt - startedAt > MAX_CALL_MS) {
    return bad('it ends before it begins, or lasts for days.', 'она кончается раньше, чем началась, или длится днями.');
  }
  const ringingAt = moments('agentStartDateTime').find((at) => at >= startedAt && at <= endedAt);
  const agent = agentOf(columns, ringingAt);
  const [contactType, contactDisposition, originatorType] = ['contactType', 'contactDisposition', 'originatorType'].map(
    (name) => columns.number(name),
  );
  const connect = columns.number('connectTime');
  return {
    kind: 'call',
    row: {
      id: ids.join('-'),
      ...(contactType === undefined ? {} : { contactType }),
      ...(contactDisposition === undefined ? {} : { contactDisposition }),
      ...(originatorType === undefined ? {} : { originatorType }),
      originator: columns.text('originatorDN'),
      destination: columns.text('destinationDN'),
      called: columns.text('calledNumber'),
      startedAt,
      endedAt,
      ...(connect === undefined ? {} : { connectSeconds: columns.seconds('connectTime') }),
      queue: columns.text('csqName'),
      isHandledByQueue: columns.number('queueDisposition') === HANDLED_BY_CSQ,
      ...(agent === undefined ? {} : { agent }),
    },
  };
}

/** `undefined`: nothing of AgentConnectionDetail was joined to this row. */
function agentOf(columns: Columns, ringingAt: number | undefined): AgentPart | undefined {
  const extension = columns.text('extension');
  const hasTimes = ['ringTime', 'talkTime', 'holdTime'].some((column) => columns.value(column) !== undefined);
  if (!hasTimes && extension === '') return undefined;
  return {
    ...(isDialable(extension) ? { extension } : {}),
    ...(ringingAt === undefined ? {} : { ringingAt }),
    ringSeconds: columns.seconds('ringTime'),
    talkSeconds: columns.seconds('talkTime'),
    holdSeconds: columns.seconds('holdTime'),
  };
}
