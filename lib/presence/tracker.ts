import type { AmiMessage } from '../ami/types';
import { readDevice, readDoNotDisturb, readHint, readHintStatus, readState } from './asterisk';
import type {
  Availability,
  DeviceState,
  ExtensionPresence,
  PresenceChange,
  PresenceStats,
  PresenceTracker,
} from './types';

export interface PresenceTrackerOptions {
  /** Channel technologies whose devices are phones: `TECH/<extension>`. Default PJSIP, SIP, IAX2, SCCP. */
  readonly technologies?: readonly string[];
}

const DEFAULT_TECHNOLOGIES = ['PJSIP', 'SIP', 'IAX2', 'SCCP'];
/** A big PBX has some thousand phones; more than this is a mistake or an attack. */
const MAX_TRACKED = 20_000;
const MAX_DEVICES_OF_HINT = 32;

/** The busier a phone, the more its state says about the person. */
const BUSYNESS: readonly DeviceState[] = ['not_inuse', 'ringing', 'onhold', 'ringinuse', 'inuse', 'busy'];

interface Hint {
  /** Keys of the phones in the hint. */
  readonly devices: readonly string[];
  /** Asterisk's sum of all devices of the hint, `Custom:DND` included: used only while no state of a phone is known. */
  readonly state: DeviceState;
}

/** What is known of one extension, before it is judged. */
interface Known extends ExtensionPresence {
  /** At least one phone that can be reached has room for another call. */
  readonly hasRoom: boolean;
}

/**
 * Device states say most, and Asterisk sends them for every registration and call (recorded from 22.10: none of
 * PeerStatus and ContactStatus comes without one, and only device states respect several contacts of a phone). Hints tell
 * which devices belong to an extension, and stand in for states not yet heard.
 */
class Tracker implements PresenceTracker {
  private phase: 'down' | 'loading' | 'ready' = 'down';
  /** The items of the lists that are being collected: from `begin()` or `refresh()` to `ready()`. */
  private items: AmiMessage[] | undefined;
  private loaded: Deferred | undefined;
  private readonly technologies: ReadonlySet<string>;
  private readonly devices = new Map<string, DeviceState>();
  private readonly doNotDisturb = new Map<string, boolean>();
  private readonly hints = new Map<string, Hint>();
  /** Which extensions a device belongs to, by the hints. */
  private readonly extensionsOf = new Map<string, Set<string>>();
  /** What live events have told since the collecting began: list items are older than that. */
  private readonly heardLive = new Set<string>();
  private lastReady: ReadonlyMap<string, ExtensionPresence> = new Map();
  private ignored = 0;

  constructor(options: PresenceTrackerOptions) {
    this.technologies = new Set((options.technologies ?? DEFAULT_TECHNOLOGIES).map((name) => name.toUpperCase()));
  }

  get stats(): PresenceStats {
    return { devices: this.devices.size + this.doNotDisturb.size, hints: this.hints.size, ignored: this.ignored };
  }

  settled(): Promise<void> {
    return this.loaded?.promise ?? Promise.resolve();
  }

  reset(): void {
    if (this.phase === 'ready') this.lastReady = this.snapshot();
    this.phase = 'down';
    this.items = undefined;
    for (const part of [this.devices, this.doNotDisturb, this.hints, this.extensionsOf, this.heardLive]) part.clear();
    this.endLoading();
  }

  begin(): void {
    this.reset();
    this.phase = 'loading';
    this.items = [];
    this.loaded = deferred();
  }

  refresh(): void {
    if (this.phase !== 'ready') return;
    this.items = [];
    this.heardLive.clear();
  }

  load(items: readonly AmiMessage[]): void {
    if (this.items) this.items = this.items.concat(items);
  }

  ready(): readonly PresenceChange[] {
    const { items } = this;
    if (!items) return [];
    const before = this.phase === 'ready' ? this.snapshot() : this.lastReady;
    this.dropUnheard();
    for (const item of items) this.take(item, false);
    this.items = undefined;
    this.heardLive.clear();
    this.lastReady = new Map();
    this.phase = 'ready';
    this.endLoading();
    const after = this.snapshot();
    const extensions = [...new Set([...before.keys(), ...after.keys()])].sort();
    return extensions.flatMap((extension) => change(extension, before.get(extension), after.get(extension)));
  }

  apply(event: AmiMessage): readonly PresenceChange[] {
    // Items of a list carry the ActionID of who asked; they come in through load().
    if (this.phase === 'down' || event.kind !== 'event' || event.get('ActionID') !== undefined) return [];
    if (this.phase === 'loading') {
      this.take(event, true);
      return [];
    }
    const touched = this.touchedBy(event);
    const before = touched.map((extension) => this.presence(extension));
    this.take(event, true);
    return touched.flatMap((extension, index) => change(extension, before[index], this.presence(extension)));
  }

  availability(extension: string, inUseIsFit: boolean): Availability {
    if (this.phase !== 'ready') return { available: false, reason: 'link-down', state: 'unknown' };
    const known = this.know(extension);
    if (known === undefined) return { available: false, reason: 'unknown-extension', state: 'unknown' };
    const { state } = known;
    if (!known.registered) return { available: false, reason: 'not-registered', state };
    if (known.doNotDisturb) return { available: false, reason: 'do-not-disturb', state };
    const fit = inUseIsFit ? known.hasRoom : state === 'not_inuse';
    return fit ? { available: true, state } : { available: false, reason: 'in-use', state };
  }

  list(): readonly ExtensionPresence[] {
    return this.phase === 'ready' ? [...this.snapshot().values()] : [];
  }

  private endLoading(): void {
    this.loaded?.resolve();
    this.loaded = undefined;
  }

  /** Makes room for the lists: whatever is in none of them and was not told meanwhile is gone from the PBX. */
  private dropUnheard(): void {
    for (const key of this.devices.keys()) if (!this.heardLive.has(key)) this.devices.delete(key);
    for (const one of this.doNotDisturb.keys()) if (!this.heardLive.has(`dnd ${one}`)) this.doNotDisturb.delete(one);
    for (const one of this.hints.keys()) if (!this.heardLive.has(`hint ${one}`)) this.dropHint(one);
  }

  /** Is this device a phone? */
  private isPhone(technology: string): boolean {
    return this.technologies.has(technology);
  }

  private take(event: AmiMessage, live: boolean): void {
    if (event.name === 'DeviceStateChange') this.takeDevice(event, live);
    else if (event.name === 'ExtensionStatus') this.takeHint(event, live);
  }

  private takeDevice(event: AmiMessage, live: boolean): void {
    const name = event.get('Device') ?? '';
    const state = readState(event.get('State'));
    const disturbed = readDoNotDisturb(name);
    if (disturbed !== undefined) {
      if (!this.isNews(`dnd ${disturbed}`, live)) return;
      this.keep(this.doNotDisturb, disturbed, state === 'inuse' || state === 'busy');
      return;
    }
    const device = readDevice(name);
    if (device === undefined || !this.isPhone(device.technology) || !this.isNews(device.key, live)) return;
    if (state === 'unknown') this.devices.delete(device.key);
    else this.keep(this.devices, device.key, state);
  }

  private takeHint(event: AmiMessage, live: boolean): void {
    const extension = event.get('Exten') ?? '';
    if (extension === '' || !this.isNews(`hint ${extension}`, live)) return;
    const names = readHint(event.get('Hint') ?? '').slice(0, MAX_DEVICES_OF_HINT);
    const devices = names.flatMap((name) => readDevice(name)?.key ?? []);
    const state = readHintStatus(event.get('Status'));
    this.dropHint(extension);
    // Hints of queues, parking lots and feature codes have no phone.
    if (state === undefined || devices.every((key) => key.startsWith('LOCAL/'))) return;
    if (!this.keep(this.hints, extension, { devices, state })) return;
    for (const key of devices) this.extensionsOf.set(key, (this.extensionsOf.get(key) ?? new Set()).add(extension));
  }

  private dropHint(extension: string): void {
    for (const key of this.hints.get(extension)?.devices ?? []) {
      const extensions = this.extensionsOf.get(key);
      extensions?.delete(extension);
      if (extensions?.size === 0) this.extensionsOf.delete(key);
    }
    this.hints.delete(extension);
  }

  /** A list was made before the live events that came while it was on its way. */
  private isNews(key: string, live: boolean): boolean {
    if (!this.items) return true;
    if (live && this.heardLive.size < 3 * MAX_TRACKED) this.heardLive.add(key);
    return live || !this.heardLive.has(key);
  }

  private keep<Value>(map: Map<string, Value>, key: string, value: Value): boolean {
    if (map.size >= MAX_TRACKED && !map.has(key)) {
      this.ignored += 1;
      return false;
    }
    map.set(key, value);
    return true;
  }

  /** The extensions that an event may change. */
  private touchedBy(event: AmiMessage): string[] {
    if (event.name === 'ExtensionStatus') return [event.get('Exten') ?? ''];
    if (event.name !== 'DeviceStateChange') return [];
    const name = event.get('Device') ?? '';
    const disturbed = readDoNotDisturb(name);
    if (disturbed !== undefined) return [disturbed];
    const device = readDevice(name);
    if (device === undefined || !this.isPhone(device.technology)) return [];
    return [...new Set([device.peer, ...(this.extensionsOf.get(device.key) ?? [])])];
  }

  /** The phones of an extension: those of its hint, and those named like it. */
  private statesOf(extension: string): DeviceState[] {
    const named = [...this.technologies].map((technology) => `${technology}/${extension}`);
    const keys = new Set([...(this.hints.get(extension)?.devices ?? []), ...named]);
    return [...keys].flatMap((key) => this.devices.get(key) ?? []);
  }

  private know(extension: string): Known | undefined {
    const hint = this.hints.get(extension);
    const fromDevices = this.statesOf(extension);
    const states = fromDevices.length === 0 && hint !== undefined ? [hint.state] : fromDevices;
    if (states.length === 0) return undefined;
    const reachable = states.filter((state) => BUSYNESS.includes(state));
    const busiest = Math.max(...reachable.map((state) => BUSYNESS.indexOf(state)));
    return {
      extension,
      state: BUSYNESS[busiest] ?? states[0] ?? 'unavailable',
      registered: reachable.length > 0,
      doNotDisturb: this.doNotDisturb.get(extension) ?? false,
      hasRoom: reachable.some((state) => state !== 'busy'),
    };
  }

  private presence(extension: string): ExtensionPresence | undefined {
    const known = this.know(extension);
    if (known === undefined) return undefined;
    const { state, registered, doNotDisturb } = known;
    return { extension, state, registered, doNotDisturb };
  }

  private snapshot(): Map<string, ExtensionPresence> {
    const peers = [...this.devices.keys()].map((key) => key.slice(key.indexOf('/') + 1));
    const extensions = [...new Set([...this.hints.keys(), ...peers])].sort();
    return new Map(
      extensions.flatMap((extension) => {
        const presence = this.presence(extension);
        return presence === undefined ? [] : [[extension, presence] as const];
      }),
    );
  }
}

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function deferred(): Deferred {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

function change(
  extension: string,
  before: ExtensionPresence | undefined,
  after: ExtensionPresence | undefined,
): PresenceChange[] {
  const same =
    before?.state === after?.state &&
    before?.registered === after?.registered &&
    before?.doNotDisturb === after?.doNotDisturb;
  if (same) return [];
  return [{ extension, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
}

/** Makes a tracker that knows nothing yet: every extension is `link-down` until the first `ready()`. */
export function createPresenceTracker(options: PresenceTrackerOptions = {}): PresenceTracker {
  return new Tracker(options);
}
