import type { Presence } from './types';

/** Whether somebody has an extension; `not-yet`: the PBX has not told its phones since the last login. */
export type Knowledge = 'known' | 'unknown' | 'not-yet';

/** Whether the PBX tells of such a phone (device or hint), as far as it is known at this moment. */
export function knownNow(presence: Presence, extension: string): Knowledge {
  const found = presence.availability(extension, true);
  const reason = found.available ? undefined : found.reason;
  return reason === 'unknown-extension' ? 'unknown' : reason === 'link-down' ? 'not-yet' : 'known';
}

/** As {@link knownNow}; waits for the states of the phones after a login. */
export async function knows(presence: Presence, extension: string): Promise<Knowledge> {
  await presence.settled?.();
  return knownNow(presence, extension);
}
