import type { AmiClient, AmiValue } from '../../ami/types';
import type { TelephonyError } from '../../errors';
import type { Attempt, AutocallOrder } from '../types';

/** An attempt whose order is an autocall. */
export type AutocallAttempt = Attempt & { readonly order: AutocallOrder };

/** Where the client's channel goes once it is answered: the second half of an Originate. */
export interface AutocallEntry {
  /** `Context`, `Exten` and `Priority`, or `Application` and `Data`. */
  readonly headers: Readonly<Record<string, AmiValue>>;
  /** Channel variables that what waits there reads. They win over those of the order. */
  readonly variables: Readonly<Record<string, AmiValue>>;
}

/** What became of the message on one channel. */
export interface AutocallHeard {
  /** Files played to their end. */
  readonly heard: number;
  /** Files in all. */
  readonly of: number;
  /** The prompt was played and 1 was pressed. `false` also when there was no prompt. */
  readonly confirmed: boolean;
  /** An answering machine took the call. */
  readonly machine: boolean;
}

/**
 * What a client hears when an autocall is answered. The line dials and watches the channel; the script says where it goes and
 * plays there, over the same link. It knows a channel by its ChannelId (Uniqueid), which a later process has again.
 */
export interface AutocallScript {
  /** Why it cannot play this order; absent: it can play all. Pure. */
  objection?(order: AutocallOrder): TelephonyError | undefined;
  /** Builds the part of the Originate that is its own. Pure; the order was checked. */
  originate(attempt: AutocallAttempt): AutocallEntry;
  /**
   * Serves the channels of this link until the returned function is called, also those that waited before it came.
   * `onConfirmed` is told once for a channel, when 1 is pressed.
   *
   * @param isOurs whether a channel is one of the tries of this line; asked again for some time, since a later process takes its
   *   tries up when the link is already there. Absent: all are, and no other line may be served over this PBX.
   */
  attach(
    client: AmiClient,
    onConfirmed: (channelId: string) => void,
    isOurs?: (channelId: string) => boolean,
  ): () => void;
  /**
   * Asked once, when the channel has hung up; forgets it. `undefined`: it was never served (the dialplan played by itself, or
   * Application=Playback): then who hung up tells whether the message was heard to its end. `not-offered`: in this session of the link it
   * never came as far as where it is served, so nothing can have been played on it.
   */
  resultOf(channelId: string): AutocallHeard | 'not-offered' | undefined;
}
