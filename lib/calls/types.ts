import type { AmiMessage } from '../ami/types';
import type { CallMessage } from '../messages/types';
import type { NumberingPlan } from '../phone/types';

/** How channels are told apart: what `ami-config` knows of its PBX. */
export interface CallPlan {
  readonly numbers: NumberingPlan;
  /** Endpoint names of the trunks (`provider` of `PJSIP/provider-0000001a`); empty = guessed from names, contexts and numbers. */
  readonly trunks: readonly string[];
  /** Contexts in which calls from outside begin; empty = the usual ones (`from-trunk`, `from-pstn` …). */
  readonly trunkContexts: readonly string[];
}

export interface CallTrackerOptions {
  /** Name of the `ami-config`, as it appears in messages. */
  readonly pbx: string;
  readonly plan: CallPlan;
  /** Channel variables to carry in `variables` (names without case). */
  readonly variables?: readonly string[];
}

/** The life of one call as plain data: kept across a restart of this process. */
export interface SavedCall {
  readonly callId: string;
  /** JSON; only the tracker reads it. */
  readonly state: string;
}

/**
 * AMI events in, messages about calls out. Pure: every method takes the moment (`at`, wall-clock ms) at which it happens;
 * where an event has a Timestamp of the PBX, durations come from that.
 *
 * After a new login: {@link beginSession} first, every live event to {@link apply} also meanwhile, the rows of
 * `CoreShowChannels` to {@link resync} when they have come. `eventId`s do not depend on when or how often something was told.
 */
export interface CallTracker {
  apply(event: AmiMessage, at: number): readonly CallMessage[];
  /** Lets time run on: gives out what waited for latecomers. To be called at {@link wakeAt} at the latest. */
  tick(at: number): readonly CallMessage[];
  /** When {@link tick} has something to do; `undefined`: never, unless more events come. */
  readonly wakeAt: number | undefined;
  /** The link is down since `at`. */
  linkLost(at: number): void;
  /** A new session began. `restarted`: Asterisk itself was started anew, so every known call is over. */
  beginSession(at: number, restarted: boolean): readonly CallMessage[];
  /**
   * All channels that are up. Calls that are gone meanwhile end with `reconciled: true`; calls that were not known are
   * taken up from what the rows tell.
   */
  resync(rows: readonly AmiMessage[], at: number): readonly CallMessage[];
  /** The calls that changed and those that are forgotten since the last time it was asked. */
  takeChanges(): { readonly changed: readonly SavedCall[]; readonly forgotten: readonly string[] };
  /** Takes up the calls of an earlier process; before the first {@link beginSession}. What cannot be read is left out, and counted. */
  restore(saved: readonly SavedCall[]): { readonly unreadable: number };
  /** What holds now, told again under its own eventId: of each phone that rings, talks or holds, the event by which that began first. */
  current(): readonly CallMessage[];
  readonly stats: CallTrackerStats;
}

export interface CallTrackerStats {
  readonly liveCalls: number;
  readonly channels: number;
  /** Messages that no Asterisk sends in this shape (a Newchannel without Uniqueid …): a resync is called for. */
  readonly tampered: number;
  /** Channels left out because the bound was reached. */
  readonly overBound: number;
}
