import type { CallState } from './state';
import type { SavedCall } from './types';

/** Grows when a state of before cannot be read as one of now. */
const VERSION = 1;

export function writeSaved(call: CallState): SavedCall {
  return { callId: call.callId, state: JSON.stringify({ version: VERSION, call }) };
}

/** The call as it was; `undefined` when it was written by another version, or is no call at all. */
export function readSaved({ callId, state }: SavedCall): CallState | undefined {
  try {
    const read = JSON.parse(state) as { readonly version?: unknown; readonly call?: Partial<CallState> } | null;
    const call = read?.version === VERSION ? read.call : undefined;
    const isCall =
      call?.callId === callId &&
      typeof call.channels === 'object' &&
      typeof call.bridges === 'object' &&
      typeof call.startedAt === 'number' &&
      Array.isArray(call.linkedids) &&
      Array.isArray(call.rung) &&
      Array.isArray(call.talked);
    return isCall ? (call as CallState) : undefined;
  } catch {
    return undefined;
  }
}
