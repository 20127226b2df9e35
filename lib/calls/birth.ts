import type { CallState, ChannelState } from './state';

/** Less than anything that is told of a time. */
const A_MOMENT_MS = 0.001;

/** A Uniqueid ends with a number that grows with every channel; a manager who gives his own says nothing by it. */
function ordinal(id: string): number | undefined {
  const found = /\.(\d{1,15})$/.exec(id)?.[1];
  return found === undefined ? undefined : Number(found);
}

/**
 * When a channel of a list began: by the list, but after those of its call that are older and before those that are younger, for
 * the oldest tells the direction. A list gives whole seconds, of a moment of its own for each row.
 */
export function inOrderOfBirth(call: CallState, { id, bornAt }: ChannelState): number {
  const mine = ordinal(id);
  if (mine === undefined) return bornAt;
  let [earliest, latest] = [-Infinity, Infinity];
  for (const other of Object.values(call.channels)) {
    const theirs = ordinal(other.id);
    if (theirs === undefined || theirs === mine) continue;
    if (theirs < mine) earliest = Math.max(earliest, other.bornAt + A_MOMENT_MS);
    else latest = Math.min(latest, other.bornAt - A_MOMENT_MS);
  }
  return Math.max(earliest, Math.min(latest, bornAt));
}
