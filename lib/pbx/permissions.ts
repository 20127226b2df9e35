/** What flows may use a PBX for; the dialog lets the admin tick them. `link` always belongs to them. */
export const FEATURES = [
  'link',
  'calls',
  'dialplan',
  'events',
  'presence',
  'route',
  'dial',
  'control',
  'control-system',
  'agents',
] as const;

export type Feature = (typeof FEATURES)[number];

/** A class of manager.conf in `read=` or `write=`, and who needs it. */
export interface PermissionNeed {
  readonly class: string;
  readonly direction: 'read' | 'write';
  readonly neededFor: readonly Feature[];
}

/**
 * What each feature needs, at the least. `reporting` gives the lists of device and extension states without the power over
 * calls that `call` has. Classes of events and actions: measured on Asterisk 22.10 and 16.28.
 */
const NEEDS: Readonly<Record<Feature, { readonly read: readonly string[]; readonly write: readonly string[] }>> = {
  link: { read: ['system'], write: [] },
  // Calls that ended while the link was down are found by CoreShowChannels.
  calls: { read: ['call', 'agent', 'cdr'], write: ['reporting'] },
  // The chosen channel variables come by VarSet. The names of recordings do too, but are also asked for: see recordingName.
  dialplan: { read: ['dialplan'], write: [] },
  events: { read: ['call', 'agent', 'user', 'cdr'], write: [] },
  presence: { read: ['call'], write: ['reporting'] },
  // Channels that waited before we came are found by CoreShowChannels, which the class `call` does not give.
  route: { read: ['agi'], write: ['call', 'agi', 'reporting'] },
  // `agi`: an autocall is played over AsyncAGI. CoreShowChannels finds what an earlier process dialled.
  dial: { read: ['call', 'agi'], write: ['call', 'agi', 'reporting', 'originate'] },
  control: { read: ['call'], write: ['call', 'reporting'] },
  // MixMonitor, MuteAudio and PJSIPNotify have no other class.
  'control-system': { read: ['call'], write: ['system', 'call', 'reporting'] },
  // Getvar tells whether there is such a phone.
  agents: { read: [], write: ['agent', 'reporting'] },
};

/** Whether the `Events` mask of a login lets the events of this class through; absent = `on`. */
export function passesMask(mask: string | undefined, name: string): boolean {
  const through = (mask ?? 'on').split(',').map((one) => one.trim().toLowerCase());
  return ['on', 'all', name].some((one) => through.includes(one));
}

/** As manager.conf lists them usually. */
const ORDER = ['system', 'call', 'agent', 'user', 'cdr', 'dialplan', 'agi', 'reporting', 'originate'];

/** The permissions that these features need, `read` first, each class once. */
export function permissionNeeds(features: readonly Feature[]): PermissionNeed[] {
  const chosen = FEATURES.filter((feature) => feature === 'link' || features.includes(feature));
  return (['read', 'write'] as const).flatMap((direction) =>
    ORDER.map((name) => ({
      class: name,
      direction,
      neededFor: chosen.filter((feature) => NEEDS[feature][direction].includes(name)),
    })).filter((need) => need.neededFor.length > 0),
  );
}

const WRITE_MARKERS: Readonly<Record<string, string>> = {
  system: 'MixMonitor',
  call: 'Setvar',
  agent: 'QueuePause',
  agi: 'AGI',
  user: 'UserEvent',
  originate: 'Originate',
};
/** Features that send CoreShowChannels, which the class `call` does not give, unlike the lists of states. */
const LISTS_CHANNELS: readonly Feature[] = ['calls', 'route', 'dial', 'control', 'control-system'];

/**
 * An action that shows, by being listed in the answer to `ListCommands`, that a class is in `write=`: the one that our nodes
 * send, so that a class which another one covers is not called missing.
 */
export function writeMarker(need: Pick<PermissionNeed, 'class' | 'neededFor'>): string | undefined {
  const wantsChannels = need.neededFor.some((feature) => LISTS_CHANNELS.includes(feature));
  if (need.class === 'reporting') return wantsChannels ? 'CoreShowChannels' : 'DeviceStateList';
  return WRITE_MARKERS[need.class];
}

/** Actions that give power over the PBX which few features need; with `Originate`, `system` is a shell on the PBX. */
const POWERS: Readonly<Record<string, string>> = {
  system: 'DBPut',
  command: 'Command',
  config: 'UpdateConfig',
  originate: 'Originate',
};

/** The classes in `write=` that nobody asked for and that would harm in the wrong hands. */
export function excessRights(mayRun: (action: string) => boolean, needs: readonly PermissionNeed[]): string[] {
  const asked = needs.filter((need) => need.direction === 'write').map((need) => need.class);
  return Object.entries(POWERS)
    .filter(([name, action]) => mayRun(action) && !asked.includes(name))
    .map(([name]) => name);
}
