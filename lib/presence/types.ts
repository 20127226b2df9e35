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
  /** Can this extension take a call? `inUseIsFit`: a phone that is already on a call counts as fit (call waiting). */
  availability(extension: string, inUseIsFit: boolean): Availability;
}
