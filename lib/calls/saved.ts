import type { CallState } from './state';
import type { SavedCall } from './types';

/** Grows when a state of before cannot be read as one of now. */
const VERSION = 1;

export function writeSaved(call: CallState): SavedCall {
  return { callId: call.callId, state: JSON.stringify({ version: VERSION, call }) };
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one: unknown) => typeof one === 'string');
/** An object whose values all are of a kind. */
const isTableOf = (value: unknown, isRow: (row: Fields) => boolean): boolean =>
  isObject(value) && Object.values(value).every((row) => isObject(row) && isRow(row));

const isCall = (call: Fields): boolean =>
  typeof call.startedAt === 'number' &&
  [call.linkedids, call.rung, call.talked].every(isTexts) &&
  isTableOf(
    call.channels,
    ({ id, name, party, exten, bornAt, seenAt }) =>
      isTexts([id, name, party, exten]) && typeof bornAt === 'number' && typeof seenAt === 'number',
  ) &&
  isTableOf(call.bridges, ({ members }) => isTexts(members)) &&
  isObject(call.variables) &&
  Array.isArray(call.cdrs);

/** The call as it was; `undefined` when it was written by another version, or is no call at all. */
export function readSaved({ callId, state }: SavedCall): CallState | undefined {
  try {
    const read: unknown = JSON.parse(state);
    const call = isObject(read) && read.version === VERSION ? read.call : undefined;
    return isObject(call) && call.callId === callId && isCall(call) ? (call as unknown as CallState) : undefined;
  } catch {
    return undefined;
  }
}
