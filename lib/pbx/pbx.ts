import type { AmiClient, AmiClientOptions, AmiMessage, AmiState } from '../ami/types';
import { systemClock } from '../clock';
import type { Clock, Timer } from '../clock';
import { asError } from '../errors';
import type { TelephonyError } from '../errors';
import { createCallTracker } from '../calls';
import { timeOf } from '../calls/reading';
import { silentLog } from '../log';
import type { Log } from '../log';
import { DEFAULT_DIALLING } from '../outbound/defaults';
import { createGuard } from '../outbound/guard';
import type { DialGuard, DialSettings } from '../outbound/types';
import { whoseChannels } from '../phone/interfaces';
import type { NumberingPlan } from '../phone/types';
import { createPresenceTracker } from '../presence';
import { knownNow } from '../presence/knows';
import type { Presence, PresenceChange } from '../presence/types';
import { createQueueTracker } from '../queues';
import { createSimulator } from '../simulator';
import type { Simulator } from '../simulator/types';
import { askAgainAfter } from './ask-again';
import { createPbxCalls } from './calls';
import type { OwnedPbxCalls, PbxCalls } from './calls';
import { createContacts } from './contacts';
import type { WhoIsAt } from './contacts';
import { createClient } from './driver';
import type { DriverName } from './driver';
import { pbxError } from './errors';
import type { LiveCallPlace } from './live-calls';
import { passesMask } from './permissions';
import { createPbxQueues } from './queues';
import type { OwnedPbxQueues, PbxQueues } from './queues';
import type { RegionOf } from './regions';

export interface PbxOptions {
  /** The name of the `ami-config`, as it appears in messages. */
  readonly name: string;
  readonly connection:
    | { readonly kind: 'simulator' }
    | {
        readonly kind: 'asterisk';
        readonly driver: DriverName;
        readonly client: AmiClientOptions;
      };
  readonly plan: NumberingPlan;
  /** How the life of calls is told; absent: everything as {@link CallSettings} says of an empty field. */
  readonly calls?: CallSettings;
  /** How and what flows may dial; absent: {@link DEFAULT_DIALLING}. */
  readonly dialling?: DialSettings;
}

/** The rules for calls out, one for all nodes that dial on this PBX. */
export interface PbxDialling {
  readonly settings: DialSettings;
  readonly guard: DialGuard;
}

/** What `ami-config` knows of the calls of its PBX. */
export interface CallSettings {
  /** See {@link CallPlan.trunks} and {@link CallPlan.trunkContexts}. */
  readonly trunks?: readonly string[];
  readonly trunkContexts?: readonly string[];
  /** Channel variables that messages carry; Asterisk tells them only to users with `dialplan` in `read=`. */
  readonly variables?: readonly string[];
  /** Where calls under way are kept for a restart of this process. */
  readonly live?: LiveCallPlace;
}

/** One Asterisk as all nodes see it: the one link, who can take a call now, the numbering plan. */
export interface Pbx {
  readonly name: string;
  readonly client: AmiClient;
  readonly plan: NumberingPlan;
  readonly presence: Presence;
  /** The life of calls and extensions. */
  readonly calls: PbxCalls;
  /** The life of queues and agents. */
  readonly queues: PbxQueues;
  readonly dialling: PbxDialling;
  /** Endpoints of the trunks, as far as an admin named them. */
  readonly trunks: readonly string[];
  /** Whose phone is registered at an address; the table of `ami-config` comes first. */
  readonly whoIsAt: WhoIsAt;
  /** See {@link PbxDeps.regionOf}. */
  readonly regionOf?: RegionOf;
  /** Only when the built-in simulator is chosen. */
  readonly simulator?: Simulator;
  /** Only when the settings are wrong, so that there is neither a simulator nor an Asterisk. */
  readonly problem?: TelephonyError;
  /** Called by every node that uses the PBX; the first call opens the link, it then stays until {@link close}. */
  open(): void;
  /** Within two seconds; see {@link AmiClient.close}. */
  close(): Promise<void>;
}

export interface PbxDeps {
  readonly clock?: Clock;
  readonly log?: Log;
  /** Told once per session what the PBX cannot do for us although the link is up, e.g. a missing permission. */
  readonly onProblem?: (problem: TelephonyError) => void;
  /** Where clients are from, as messages tell it; absent: they do not. */
  readonly regionOf?: RegionOf;
}
/** The class in `write=` that is enough to read the states of phones, without the power over calls that `call` gives. */
const STATE_PERMISSION = 'reporting';
const STATE_EVENTS = ['DeviceStateChange', 'ExtensionStatus'];
/** The class in `read=` and in the `Events` mask that brings {@link STATE_EVENTS}. */
const STATE_CLASS = 'call';
/** So old can a state be at most that Asterisk did not tell us of. */
const LIST_AGAIN_MS = 60_000;

/** Joins the link, the simulator if chosen, and what the events tell of the phones. Nothing happens before {@link Pbx.open}. */
export function createPbx(options: PbxOptions, deps: PbxDeps = {}): Pbx {
  return new JoinedPbx(options, deps);
}

class JoinedPbx implements Pbx {
  readonly name: string;
  readonly plan: NumberingPlan;
  readonly simulator?: Simulator;
  readonly client: AmiClient;
  readonly presence = createPresenceTracker();
  readonly calls: OwnedPbxCalls;
  readonly queues: OwnedPbxQueues;
  readonly dialling: PbxDialling;
  readonly trunks: readonly string[];
  readonly whoIsAt: WhoIsAt;
  readonly regionOf?: RegionOf;
  private readonly clock: Clock;
  private readonly onProblem: (problem: TelephonyError) => void;
  private readonly mayHear: boolean;
  private session = 0;
  private again: Timer | undefined;
  /** What became of the state events of this session: one came; a list knew more than they told; the operator knows that. */
  private hearing: 'unknown' | 'heard' | 'missed' | 'told' = 'unknown';

  constructor({ name, plan, connection, calls = {}, dialling = DEFAULT_DIALLING }: PbxOptions, deps: PbxDeps) {
    const { clock = systemClock, log = silentLog, onProblem = () => undefined } = deps;
    const regions = deps.regionOf ? { regionOf: deps.regionOf } : {};
    // What becomes of the link is told by its states, to whoever words it for people.
    const clientDeps = { clock, log: { ...log, info: (text: string) => log.debug(text) } };
    this.name = name;
    this.plan = plan;
    if (deps.regionOf) this.regionOf = deps.regionOf;
    // Until the PBX has told its phones nobody can say; nothing is dialled without the link, and each try is judged anew.
    const hasPhone = (extension: string): boolean => knownNow(this.presence, extension) !== 'unknown';
    this.dialling = { settings: dialling, guard: createGuard(dialling, plan, clock, hasPhone) };
    this.clock = clock;
    this.onProblem = onProblem;
    this.mayHear = connection.kind === 'simulator' || passesMask(connection.client.events, STATE_CLASS);
    if (connection.kind === 'simulator') {
      const simulator = createSimulator({}, { clock, log });
      this.simulator = simulator;
      const nowhere = { host: '127.0.0.1', port: 0, username: '', secret: '' };
      this.client = createClient('built-in', { ...nowhere, locate: () => simulator.start() }, clientDeps);
    } else {
      this.client = createClient(connection.driver, connection.client, clientDeps);
    }
    this.whoIsAt = createContacts({
      client: this.client,
      clock,
      isExtension: (text) => plan.isExtension(text),
      addresses: dialling.addresses,
    });
    const { trunks = [], trunkContexts = [], ...kept } = calls;
    this.trunks = trunks;
    const callPlan = { numbers: plan, trunks, trunkContexts };
    this.calls = createPbxCalls(
      { pbx: name, plan: callPlan, mayHear: this.mayHear, ...kept },
      { client: this.client, clock, log, onProblem, createTracker: createCallTracker, ...regions },
    );
    const { live } = kept;
    this.queues = createPbxQueues({
      pbxName: name,
      ...(live ? { live: { ...live, key: `${live.key}:queues` } } : {}),
      client: this.client,
      clock,
      log,
      onProblem,
      calls: this.calls,
      createTracker: () =>
        createQueueTracker({
          pbx: name,
          plan: callPlan,
          whose: whoseChannels(dialling.agentChannel, plan, trunks),
        }),
      mayHear: connection.kind === 'simulator' || passesMask(connection.client.events, 'agent'),
      ...regions,
    });
    this.client.subscribe(STATE_EVENTS, (event) => this.stateTold(event));
    this.client.onState((state) => this.linkChanged(state));
  }

  open(): void {
    this.calls.open();
    this.client.connect();
  }

  async close(): Promise<void> {
    this.again?.cancel();
    await Promise.all([this.queues.close(), this.calls.close(), this.client.close(), this.simulator?.stop()]);
  }

  private linkChanged({ phase, session }: AmiState): void {
    if (phase !== 'ready') {
      this.again?.cancel();
      this.presence.reset();
    } else if (session !== this.session) {
      this.session = session;
      this.hearing = 'unknown';
      if (!this.mayHear) this.tellDeaf();
      void this.learnStates(session);
    }
  }

  private stateTold(event: AmiMessage): void {
    // Items of a list carry an ActionID; they may come this way too.
    if (event.get('ActionID') === undefined) this.hearing = 'heard';
    this.calls.presenceChanged(this.presence.apply(event), momentOf(event) ?? this.clock.now());
  }

  /**
   * Asks for all states of this session, and again every minute, for what the events do not tell. Until it has them for the
   * first time, nobody counts as available.
   */
  private async learnStates(session: number, isFirst = true, attempt = 0): Promise<void> {
    const isOver = (): boolean => this.client.state.session !== session || this.client.state.phase !== 'ready';
    if (isFirst) this.presence.begin();
    else this.presence.refresh();
    try {
      for (const action of ['DeviceStateList', 'ExtensionStateList']) {
        const states = await this.client.list({ action }).catch((thrown: unknown) => {
          throw stateProblem(action, asError(thrown));
        });
        if (isOver()) return;
        this.presence.load(states);
      }
      const changes = this.presence.ready();
      // After a login, what is heard of for the first time did not change.
      this.calls.presenceChanged(isFirst ? changes.filter(({ before }) => before !== undefined) : changes);
      if (!isFirst) this.judgeHearing(changes);
      this.again = this.clock.after(LIST_AGAIN_MS, () => void this.learnStates(session, false));
    } catch (thrown) {
      if (isOver()) return;
      const problem = thrown as TelephonyError;
      // A missing permission stays missing until the next login.
      const isDenied = problem.code === 'PBX_PRESENCE_DENIED';
      if (isFirst || isDenied) this.presence.reset();
      // For what is known already there is no hurry.
      const wait = askAgainAfter(isFirst ? attempt : Infinity);
      if (!isDenied) this.again = this.clock.after(wait, () => void this.learnStates(session, isFirst, attempt + 1));
      this.onProblem(problem);
    }
  }

  /** A change may be heard a moment after the list that has it: whoever has not heard of it a list later is deaf. */
  private judgeHearing(changes: readonly PresenceChange[]): void {
    if (this.hearing === 'missed') this.tellDeaf();
    const wasMissed = changes.some(({ before, after }) => before !== undefined && after !== undefined);
    if (this.hearing === 'unknown' && wasMissed) this.hearing = 'missed';
  }

  private tellDeaf(): void {
    this.hearing = 'told';
    this.onProblem(pbxError('PBX_PRESENCE_DEAF'));
  }
}

/** Wall-clock ms at which Asterisk says that it happened; `timestampevents = yes` in manager.conf brings it. */
function momentOf(event: AmiMessage): number | undefined {
  const at = timeOf(event, NaN);
  return Number.isNaN(at) ? undefined : Math.round(at);
}

function stateProblem(action: string, error: Error): TelephonyError {
  return /permission denied/i.test(error.message)
    ? pbxError('PBX_PRESENCE_DENIED', { action, permission: STATE_PERMISSION }, error)
    : pbxError('PBX_PRESENCE_FAILED', { action, reason: error.message }, error);
}
