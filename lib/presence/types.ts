import type { AmiMessage } from '../ami/types';

/** Asterisk's device states (`DeviceStateChange.State`), lower-cased, plus `unknown` for a device never heard of. */
export type DeviceState =
  'not_inuse' | 'inuse' | 'busy' | 'invalid' | 'unavailable' | 'ringing' | 'ringinuse' | 'onhold' | 'unknown';

/** Why an extension cannot take a call now. */
export type UnfitReason = 'link-down' | 'unknown-extension' | 'not-registered' | 'in-use' | 'do-not-disturb';

export type Availability =
  | { readonly available: true; readonly state: DeviceState }
  | { readonly available: false; readonly reason: UnfitReason; readonly state: DeviceState };

/** Answers from memory, at once: nothing is asked of the PBX. */
export interface Presence {
  /**
   * Resolves when {@link availability} tells what is so: at once when the states are known or the link is down, else, shortly
   * after a login, when they have come or failed to. Absent: always so.
   */
  settled?(): Promise<void>;
  /** Can this extension take a call? `inUseIsFit`: a phone that is already on a call counts as fit (call waiting). */
  availability(extension: string, inUseIsFit: boolean): Availability;
}

/** One extension as the tracker sees it. */
export interface ExtensionPresence {
  readonly extension: string;
  /** The busiest of its phones that can be reached; `unavailable` when none of them can. */
  readonly state: DeviceState;
  readonly registered: boolean;
  readonly doNotDisturb: boolean;
}

export interface PresenceChange {
  readonly extension: string;
  /** Absent = not heard of before. */
  readonly before?: ExtensionPresence;
  /** Absent = not heard of any more. */
  readonly after?: ExtensionPresence;
}

/**
 * Keeps the presence of all extensions from what Asterisk tells. After each login: `begin()` at once, then ask for
 * DeviceStateList and ExtensionStateList, `load()` each answer, `ready()`; every live event goes to `apply()`, also meanwhile.
 * The same with `refresh()` in place of `begin()` brings to light whatever the live events did not tell.
 */
export interface PresenceTracker extends Presence {
  settled(): Promise<void>;
  /** The link is down, or the states cannot be had: every extension is unfit until the next {@link ready}. */
  reset(): void;
  /** A new session: forgets all states, and from now on lets live events win over list items. */
  begin(): void;
  /** Lists are asked for once more: answers go on from what is known, and from now on live events win over list items. */
  refresh(): void;
  /** Takes the items of an event list, of use from {@link ready} on; items of other kinds are passed over. */
  load(items: readonly AmiMessage[]): void;
  /**
   * The lists are in: answers from them, and from the live events that came meanwhile. Returns what is different from before;
   * after {@link begin}, from before the link was lost.
   */
  ready(): readonly PresenceChange[];
  /** Takes one live event, of whatever kind. Returns the extensions it changed; none before {@link ready}. */
  apply(event: AmiMessage): readonly PresenceChange[];
  /** All extensions heard of, sorted; empty while the link is down. Whatever has a device is among them, trunks too. */
  list(): readonly ExtensionPresence[];
  readonly stats: PresenceStats;
}

export interface PresenceStats {
  readonly devices: number;
  readonly hints: number;
  /** Events of devices and hints left out because the bound of 20 000 each was reached. */
  readonly ignored: number;
}
