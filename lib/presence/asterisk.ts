import type { DeviceState } from './types';

/** `PJSIP/101` taken apart. */
export interface Device {
  /** The name by which states are kept: the technology in upper case, for hints may be written otherwise. */
  readonly key: string;
  readonly technology: string;
  /** What stands behind the slash: the extension, unless a hint says otherwise. */
  readonly peer: string;
}

export function readDevice(name: string): Device | undefined {
  const slash = name.indexOf('/');
  if (slash < 1 || slash === name.length - 1) return undefined;
  const technology = name.slice(0, slash).toUpperCase();
  const peer = name.slice(slash + 1);
  return { key: `${technology}/${peer}`, technology, peer };
}

/** The extension whose "do not disturb" this custom device is (FreePBX: `Custom:DND101`). */
export function readDoNotDisturb(name: string): string | undefined {
  return /^custom:dnd([^&,]{1,80})$/i.exec(name)?.[1];
}

const DEVICE_STATES: ReadonlySet<string> = new Set<DeviceState>([
  'not_inuse',
  'inuse',
  'busy',
  'invalid',
  'unavailable',
  'ringing',
  'ringinuse',
  'onhold',
]);

/** The state of a `DeviceStateChange`; whatever Asterisk cannot tell is `unknown`. */
export function readState(text: string | undefined): DeviceState {
  const state = text?.toLowerCase() ?? '';
  return DEVICE_STATES.has(state) ? (state as DeviceState) : 'unknown';
}

/** The devices of a hint: `PJSIP/101&Custom:DND101,CustomPresence:101`, of which the part behind the comma is no device. */
export function readHint(hint: string): string[] {
  return (hint.split(',', 1)[0] ?? '').split('&').map((name) => name.trim());
}

/**
 * The state behind `ExtensionStatus.Status`, a sum of 1 in use, 2 busy, 4 unavailable, 8 ringing, 16 on hold;
 * `undefined` when the hint is gone (-1, -2) or the text is no number.
 */
export function readHintStatus(text: string | undefined): DeviceState | undefined {
  const status = /^[0-9]{1,3}$/.test(text ?? '') ? Number(text) : -1;
  if (status < 0) return undefined;
  if (status & 2) return 'busy';
  if (status & 4) return 'unavailable';
  if (status & 8) return status & 1 ? 'ringinuse' : 'ringing';
  if (status & 16) return 'onhold';
  return status & 1 ? 'inuse' : 'not_inuse';
}
