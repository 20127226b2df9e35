import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CallMessage, CallTopic, RecordPayload, Transfer } from '../../../lib/messages/types';
import { recordsOf } from './traces';

const fixtures = join(__dirname, '..', '..', 'fixtures');
const namesIn = (folder: string, ending: string): string[] =>
  readdirSync(join(fixtures, folder))
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length))
    .sort();

/** All recordings, and those that somebody has worked out the messages of. */
export const recordings = namesIn('ami', '.txt');
export const workedOut = namesIn('calls', '.json');

/** What is told of one phone's leg, in order; between legs there is no order. */
interface ExpectedLeg {
  readonly legId: string;
  readonly extension: string;
  readonly events: readonly {
    readonly topic: CallTopic;
    readonly result?: string;
    readonly code?: number;
    readonly transfer?: Transfer;
  }[];
}

/** A record without what is the same for all of a test (`eventId`, `pbx`); of Asterisk's Cdr events only how many. */
type ExpectedRecord = Omit<RecordPayload, 'eventId' | 'pbx' | 'variables' | 'cdrs'> & { readonly cdrs?: number };

/** A copy of an object without some of its fields. */
export function without<Whole extends object, Key extends keyof Whole>(
  whole: Whole,
  ...keys: readonly Key[]
): Omit<Whole, Key> {
  const copy = { ...whole };
  for (const key of keys) Reflect.deleteProperty(copy, key);
  return copy;
}

/** `test/fixtures/calls/<recording>.json`: decided by the rules for records, by reading the recording. */
export interface Expected {
  readonly records: readonly ExpectedRecord[];
  readonly legs: readonly ExpectedLeg[];
}

export function expectedOf(recording: string): Expected {
  return JSON.parse(readFileSync(join(fixtures, 'calls', `${recording}.json`), 'utf8')) as Expected;
}

const byLeg = <Leg extends { readonly legId: string }>(legs: readonly Leg[]): Leg[] =>
  [...legs].sort((one, other) => (one.legId < other.legId ? -1 : 1));

function asExpected(record: RecordPayload): ExpectedRecord {
  const rest = without(record, 'eventId', 'pbx', 'variables', 'cdrs');
  return { ...rest, legs: byLeg(rest.legs), ...(record.cdrs === undefined ? {} : { cdrs: record.cdrs.length }) };
}

/** What was told, in the form of {@link Expected}, to be compared with {@link inOrder} of it. */
export function toldIn(messages: readonly CallMessage[]): Expected {
  const legs = new Map<string, ExpectedLeg>();
  for (const { topic, payload } of messages) {
    if (topic === 'call_record') continue;
    const { legId = '', extension = '', result, hangup, transfer } = payload;
    const before = legs.get(legId)?.events ?? [];
    const end = result === undefined || hangup === undefined ? {} : { result, code: hangup.code };
    const event = { topic, ...end, ...(transfer === undefined ? {} : { transfer }) };
    legs.set(legId, { legId, extension, events: [...before, event] });
  }
  return { records: recordsOf(messages).map(asExpected), legs: byLeg([...legs.values()]) };
}

/** The same expectation with its legs in the order of {@link toldIn}. */
export function inOrder({ records, legs }: Expected): Expected {
  return { records: records.map((record) => ({ ...record, legs: byLeg(record.legs) })), legs: byLeg(legs) };
}
