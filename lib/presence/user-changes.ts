import type { UserChange, UserState } from '../messages/types';
import type { ExtensionPresence, PresenceChange } from './types';

/** When and how a change came to be known. */
export interface ChangeSource {
  readonly pbx: string;
  /** Wall-clock ms. */
  readonly at: number;
  /** Found in a list, because no event told it. */
  readonly reconciled: boolean;
  /** Whoever knows no lists hears of an extension by its first change: that is told even when it is offline. */
  readonly firstIsNews?: boolean;
}

/** The one state of an extension, out of its phones. A second call that rings a talking phone leaves the person busy. */
function userState(presence: ExtensionPresence | undefined): UserState {
  if (!presence?.registered) return 'offline';
  switch (presence.state) {
    case 'not_inuse':
      return 'idle';
    case 'ringing':
      return 'ringing';
    case 'inuse':
    case 'busy':
    case 'onhold':
    case 'ringinuse':
      return 'busy';
    default:
      return 'offline';
  }
}

/**
 * The `user_change` messages of what presence found: one for each extension whose combined state is another, whatever else
 * is. Presence hears of devices only through their states, which come with every registration and call (recorded from
 * Asterisk 22.10 and 16.28: no PeerStatus or ContactStatus comes without one), so a change is told once.
 */
export function userChanges(
  changes: readonly PresenceChange[],
  isExtension: (digits: string) => boolean,
  { pbx, at, reconciled, firstIsNews = false }: ChangeSource,
): UserChange[] {
  return changes.flatMap(({ extension, before, after }) => {
    const previous = userState(before);
    const state = userState(after);
    const isNews = previous !== state || (firstIsNews && before === undefined);
    if (!isNews || !isExtension(extension)) return [];
    return [
      {
        topic: 'user_change',
        payload: {
          eventId: `${pbx}:user:${extension}:${at}:${state}`,
          pbx,
          extension,
          state,
          ...(before === undefined ? {} : { previous }),
          at: new Date(at).toISOString(),
          ...(reconciled ? { reconciled } : {}),
        },
      } satisfies UserChange,
    ];
  });
}
