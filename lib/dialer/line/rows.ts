import type { AmiMessage } from '../../ami/types';

/** The rows of CoreShowChannels by the ids that are `wanted`: each with its own channel and all channels of its call. */
export function rowsById(
  rows: readonly AmiMessage[],
  wanted: (id: string) => boolean,
): ReadonlyMap<string, readonly AmiMessage[]> {
  const found = new Map<string, AmiMessage[]>();
  for (const row of rows) {
    for (const id of new Set([row.get('Linkedid') ?? '', row.get('Uniqueid') ?? ''])) {
      if (!wanted(id)) continue;
      const group = found.get(id);
      if (group) group.push(row);
      else found.set(id, [row]);
    }
  }
  return found;
}

/** How long there has been this channel at the most, in ms: its `Duration` is cut to whole seconds. */
export function ageOf(row: AmiMessage): number {
  const [, hours, minutes, seconds] = /^(\d{1,6}):(\d\d):(\d\d)$/.exec(row.get('Duration') ?? '') ?? [];
  // Of one that does not say it, nothing is held against it.
  return hours === undefined ? Infinity : (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) + 1) * 1000;
}
