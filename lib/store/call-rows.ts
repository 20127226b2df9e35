import { MAX_PAYLOAD_BYTES } from '../messages/parse';
import type { CallResult, Direction, RecordPayload } from '../messages/types';
import { storeError } from './errors';
import { checkBytes, checkText } from './values';

/** Their places make up `kind` in the file: only ever add to the end. */
export const DIRECTIONS: readonly Direction[] = ['in', 'out', 'internal'];
/** As with {@link DIRECTIONS}. */
export const RESULTS: readonly CallResult[] = [
  'answered',
  'missed',
  'busy',
  'no-answer',
  'cancelled',
  'failed',
  'abandoned',
  'voicemail',
];
const RESULT_ROOM = 32;

/** Direction and result as one small number; a record without a result has 0 in its place. */
const kindOf = (direction: Direction, result: CallResult | undefined): number =>
  DIRECTIONS.indexOf(direction) * RESULT_ROOM + (result === undefined ? 0 : RESULTS.indexOf(result) + 1);

/** The kinds that a question means; `undefined`: all. */
export function kindsOf(
  directions: readonly Direction[] | undefined,
  results: readonly CallResult[] | undefined,
): number[] | undefined {
  if (directions === undefined && results === undefined) return undefined;
  return (directions ?? DIRECTIONS).flatMap((direction) =>
    (results ?? [undefined, ...RESULTS]).map((result) => kindOf(direction, result)),
  );
}

const SIGNIFICANT_DIGITS = 10;

/** A number by its last ten digits: +7 495…, 8 495… and 495… are one. */
function numberKey(number: string): string | undefined {
  const digits = number.replace(/\D/g, '').slice(-SIGNIFICANT_DIGITS);
  return digits === '' ? undefined : `n${digits}`;
}

const extensionKey = (extension: string): string => `x${extension.trim()}`;

/** The value of `participants` by which the client of a call is found in other calls; absent when it has no number. */
export const clientKey = ({ client }: RecordPayload): string | undefined =>
  numberKey(client?.e164 ?? '') ?? numberKey(client?.number ?? '');

/** The values of `participants` that a number of a question may mean: an outside number, or an extension of ours. */
export function numberKeys(number: string): string[] {
  const key = numberKey(number);
  return key === undefined ? [] : [key, extensionKey(number.replace(/\D/g, ''))];
}

/** The same of extensions of ours, which are compared whole. */
export const extensionKeys = (extensions: readonly string[]): string[] => extensions.map(extensionKey);

/** Who took part: outside numbers, our own number of the line, and extensions. */
function participantsOf(record: RecordPayload): string[] {
  const { client, line, peer, extension, transfer, rung, talked, legs, firstExtension, lastExtension } = record;
  const numbers = [client?.number, client?.e164, line?.number].map((number) => numberKey(number ?? ''));
  const extensions = [
    ...[extension, peer?.extension, transfer?.from, transfer?.to, firstExtension, lastExtension],
    ...((rung as readonly string[] | undefined) ?? []),
    ...((talked as readonly string[] | undefined) ?? []),
    ...((legs as RecordPayload['legs'] | undefined) ?? []).map((leg) => leg.extension),
  ];
  const keys = extensions.filter((each) => each !== undefined && each !== '').map((each) => extensionKey(each ?? ''));
  return [...new Set([...numbers, ...keys])].filter((key) => key !== undefined).slice(0, MAX_PARTICIPANTS);
}

const MAX_PARTICIPANTS = 300;

/** One record as it is kept. */
export interface CallRow {
  readonly callId: string;
  readonly pbx: string;
  readonly startedAt: number;
  readonly kind: number;
  readonly queue: string | null;
  readonly participants: readonly string[];
  readonly body: string;
}

/** Throws `STORE_BAD_VALUE` or `STORE_TOO_LARGE`: a record may come from a flow. */
export function callRow(record: RecordPayload): CallRow {
  const given = record as Partial<RecordPayload> | null | undefined;
  if (typeof given !== 'object' || given === null) throw storeError('STORE_BAD_VALUE', { what: 'payload' });
  const callId = checkText('callId', given.callId);
  const pbx = checkText('pbx', given.pbx);
  const startedAt = Date.parse(String(given.startedAt));
  if (Number.isNaN(startedAt)) throw storeError('STORE_BAD_VALUE', { what: 'startedAt' });
  const { direction, result } = record;
  if (!DIRECTIONS.includes(direction)) throw storeError('STORE_BAD_VALUE', { what: 'direction' });
  if (result !== undefined && !RESULTS.includes(result)) throw storeError('STORE_BAD_VALUE', { what: 'result' });
  const body = JSON.stringify(record);
  checkBytes('call_record', body, MAX_PAYLOAD_BYTES);
  const queue = record.queue?.id;
  return {
    callId,
    pbx,
    startedAt,
    kind: kindOf(direction, result),
    queue: queue === undefined ? null : checkText('queue.id', queue),
    participants: participantsOf(record),
    body,
  };
}
