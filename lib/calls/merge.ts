import { rolesOf } from './roles';
import { CALL_BOUNDS, type CallState } from './state';
import type { CallPlan } from './types';

/** The one of two calls whose client the joined call is about: an incoming one first, then one with a client, then the older. */
function principal(one: CallState, other: CallState, plan: CallPlan): CallState {
  const weight = (call: CallState): number => {
    const { direction, client } = rolesOf(call, plan);
    return direction === 'in' ? 2 : client ? 1 : 0;
  };
  const difference = weight(one) - weight(other);
  if (difference !== 0) return difference > 0 ? one : other;
  return one.startedAt <= other.startedAt ? one : other;
}

/**
 * Makes two calls one: the joined call keeps the callId of its client's first channel, and the other gets no record of its
 * own. Whom the other's people talked with is theirs alone: a consultation is not a conversation with the client.
 */
export function mergeCalls(one: CallState, other: CallState, plan: CallPlan): { kept: CallState; gone: CallState } {
  const kept = principal(one, other, plan);
  const gone = kept === one ? other : one;
  const channels = [...Object.values(kept.channels), ...Object.values(gone.channels)];
  channels.sort((first, second) => first.bornAt - second.bornAt);
  kept.channels = Object.fromEntries(channels.map((channel) => [channel.id, channel]));
  for (const [id, bridge] of Object.entries(gone.bridges)) {
    const mine = kept.bridges[id];
    if (mine) mine.members = [...new Set([...mine.members, ...bridge.members])];
    else kept.bridges[id] = bridge;
  }
  kept.startedAt = Math.min(kept.startedAt, gone.startedAt);
  kept.rung = [...new Set([...kept.rung, ...gone.rung])].slice(0, CALL_BOUNDS.extensions);
  kept.variables = { ...gone.variables, ...kept.variables };
  kept.cdrs = [...kept.cdrs, ...gone.cdrs].slice(0, CALL_BOUNDS.cdrs);
  kept.reconciled ||= gone.reconciled;
  kept.voicemail ||= gone.voicemail;
  kept.inQueue ||= gone.inQueue;
  if (gone.queue !== undefined) kept.queue ??= gone.queue;
  if (gone.originate !== undefined) kept.originate ??= gone.originate;
  if (gone.recording !== undefined) kept.recording = { ...gone.recording, ...kept.recording };
  // The later of the two; none while one of them goes on.
  if (gone.doneAt === undefined) delete kept.doneAt;
  else if (kept.doneAt !== undefined) kept.doneAt = Math.max(kept.doneAt, gone.doneAt);
  const client = rolesOf(kept, plan).client;
  if (client?.incoming === true) kept.callId = client.linkedid;
  return { kept, gone };
}
