import { createConnection } from 'node:net';
import type { AmiClient, AmiClientOptions, AmiMessage } from '../ami/types';
import { amiError } from '../ami/errors';
import { systemClock } from '../clock';
import type { Clock } from '../clock';
import { asError, TelephonyError } from '../errors';
import type { Lang } from '../errors';
import { silentLog } from '../log';
import { createClient } from './driver';
import { managerConf } from './manager-conf';
import type { PbxOptions } from './pbx';
import { excessRights, passesMask, permissionNeeds, writeMarker } from './permissions';
import type { Feature, PermissionNeed } from './permissions';
import { whenReady } from './ready';

type StepId = 'simulator' | 'reach' | 'tls' | 'no-tls' | 'login' | 'version' | 'mask' | 'excess';

/** One thing that was looked at; `detail` is a text for people in the language asked for. */
interface ProbeStep {
  readonly id: StepId;
  readonly state: 'ok' | 'failed' | 'warning' | 'skipped';
  /** The stable code of what went wrong. */
  readonly code?: string;
  readonly detail?: string;
}

interface ProbedPermission extends PermissionNeed {
  /** `unknown`: nothing but a call could prove it. */
  readonly state: 'present' | 'missing' | 'unknown';
}

export interface ProbeReport {
  readonly steps: readonly ProbeStep[];
  /** Empty unless the login worked. */
  readonly permissions: readonly ProbedPermission[];
  /** The section of manager.conf that has all that is needed and no more; absent with the simulator. */
  readonly managerConf?: string;
}

export interface ProbeDeps {
  readonly clock?: Clock;
}

/** In milliseconds; two questions, the proof and the goodbye (1 s) make it ten seconds at most. */
const REACH_MS = 2500;
const LOGIN_MS = 4000;
const QUESTION_MS = 1000;
/** An event that proves a read class comes within 200 ms of its action (measured on a loaded machine). */
const PROOF_MS = 600;

const PROOF_EVENT = 'TelephonyCrmCheck';
const PROOF_DEVICE = 'Custom:telephony-crm-check';

/**
 * Tries what stands in the dialog: reaches the PBX, logs in with a client of its own, asks what this user may do, and says
 * what is missing for the chosen features. Never rejects for what the PBX does; takes ten seconds at most.
 *
 * Leaves on the PBX: one UserEvent that other AMI clients see, and the custom device state `telephony-crm-check`.
 */
export async function probePbx(
  options: PbxOptions,
  features: readonly Feature[],
  lang: Lang,
  deps: ProbeDeps = {},
): Promise<ProbeReport> {
  const { connection } = options;
  if (connection.kind === 'simulator') return { steps: [{ id: 'simulator', state: 'ok' }], permissions: [] };

  const clock = deps.clock ?? systemClock;
  const needs = permissionNeeds(features);
  const steps: ProbeStep[] = [];
  const failed = (id: StepId, thrown: unknown): void => void steps.push(failedStep(id, thrown, lang));
  const report = (permissions: readonly ProbedPermission[], permit?: string): ProbeReport => ({
    steps,
    permissions,
    managerConf: managerConf(
      { username: connection.client.username, needs, ...(permit === undefined ? {} : { permit }) },
      lang,
    ),
  });

  let permit: string | undefined;
  try {
    permit = await reach(connection.client, clock);
    steps.push({ id: 'reach', state: 'ok' });
  } catch (thrown) {
    failed('reach', thrown);
    return report([]);
  }

  // What the mask of the dialog would keep out is judged apart: here it must not hide a permission.
  const client = createClient(connection.driver, { ...connection.client, events: 'on' }, { clock, log: silentLog });
  const heard = new Set<string>();
  client.subscribe(['FullyBooted', 'UserEvent', 'DeviceStateChange'], (event) => heard.add(proofOf(event)));
  try {
    client.connect();
    await whenReady({ name: options.name, client }, LOGIN_MS, clock);
    if (connection.client.tls) steps.push({ id: 'tls', state: 'ok' });
    else if (!isLoopback(connection.client.host)) steps.push({ id: 'no-tls', state: 'warning' });
    steps.push({ id: 'login', state: 'ok' });
  } catch (thrown) {
    const isTls = thrown instanceof TelephonyError && thrown.code === 'AMI_TLS_REFUSED';
    failed(isTls ? 'tls' : 'login', thrown);
    await client.close();
    return report([], permit);
  }

  try {
    const rights = await askRights(client, heard, clock);
    steps.push({ id: 'version', state: 'ok', detail: versionText(client.state.amiVersion, rights?.asteriskVersion) });
    steps.push(...maskStep(connection.client.events, needs));
    const excess = rights ? excessRights((action) => rights.actions.has(action.toLowerCase()), needs) : [];
    if (excess.length > 0) steps.push({ id: 'excess', state: 'warning', detail: `write = ${excess.join(',')}` });
    return report(
      needs.map((need) => ({ ...need, state: stateOf(need, rights, heard) })),
      permit,
    );
  } finally {
    await client.close();
  }
}

function failedStep(id: StepId, thrown: unknown, lang: Lang): ProbeStep {
  const error = asError(thrown);
  if (!(error instanceof TelephonyError)) return { id, state: 'failed', detail: error.message };
  return { id, state: 'failed', code: error.code, detail: error.textIn(lang) };
}

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|::1)$/i.test(host);

/** Opens and closes a connection; resolves with our own address as that network sees it. */
function reach({ host, port }: AmiClientOptions, clock: Clock): Promise<string | undefined> {
  const place = `${host}:${port}`;
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port });
    const timer = clock.after(REACH_MS, () => {
      socket.destroy();
      reject(amiError('AMI_CONNECT_TIMEOUT', { place, ms: REACH_MS }));
    });
    socket.on('connect', () => {
      timer.cancel();
      resolve(socket.localAddress?.replace(/^::ffff:/, ''));
      socket.destroy();
    });
    socket.on('error', (error) => {
      timer.cancel();
      reject(amiError('AMI_CONNECT_FAILED', { place, reason: error.message || 'no address answers' }, error));
    });
  });
}

/** The read class that an event proves. */
function proofOf(event: AmiMessage): string {
  if (event.name === 'UserEvent') return event.get('UserEvent') === PROOF_EVENT ? 'user' : '';
  return event.name === 'FullyBooted' ? 'system' : 'call';
}

/** What Asterisk told of the rights of this user. */
interface Rights {
  /** The actions he may run, in lower case. */
  readonly actions: ReadonlySet<string>;
  /** Read classes of which an event must have come, if he may read them. */
  readonly provoked: ReadonlySet<string>;
  readonly asteriskVersion?: string;
}

/**
 * Asks for the permitted actions: one that is not permitted is absent from the answer to `ListCommands`, which needs no
 * permission itself (measured on Asterisk 22.10 and 16.28). Then provokes events that prove a read class. `undefined` when
 * Asterisk does not tell.
 */
async function askRights(client: AmiClient, heard: ReadonlySet<string>, clock: Clock): Promise<Rights | undefined> {
  const ask = async (action: string, headers: Record<string, string> = {}): Promise<AmiMessage | undefined> => {
    const answer = await client.action({ action, headers }, { timeoutMs: QUESTION_MS }).catch(() => undefined);
    return answer?.name === 'Success' ? answer : undefined;
  };
  const commands = await ask('ListCommands');
  if (!commands) return undefined;
  const actions = new Set(Object.keys(commands.toObject()).map((name) => name.toLowerCase()));
  const askIf = (action: string, headers?: Record<string, string>): Promise<AmiMessage | undefined> =>
    actions.has(action.toLowerCase()) ? ask(action, headers) : Promise.resolve(undefined);
  const setState = (state: string): Promise<AmiMessage | undefined> =>
    askIf('Setvar', { Variable: `DEVICE_STATE(${PROOF_DEVICE})`, Value: state });

  const [user, , idle, settings] = await Promise.all([
    askIf('UserEvent', { UserEvent: PROOF_EVENT }),
    // The same state twice is no event, so it goes there and back.
    setState('INUSE'),
    setState('NOT_INUSE'),
    askIf('CoreSettings'),
  ]);
  const provoked = new Set([...(user ? ['user'] : []), ...(idle ? ['call'] : [])]);
  await heardAll(provoked, heard, clock);
  const asteriskVersion = settings?.get('AsteriskVersion');
  return { actions, provoked, ...(asteriskVersion === undefined ? {} : { asteriskVersion }) };
}

/** Waits until all these proofs have been heard, {@link PROOF_MS} at most. */
function heardAll(wanted: ReadonlySet<string>, heard: ReadonlySet<string>, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const look = clock.every(20, () => {
      if ([...wanted].every((name) => heard.has(name))) done();
    });
    const end = clock.after(PROOF_MS, () => done());
    const done = (): void => {
      look.cancel();
      end.cancel();
      resolve();
    };
  });
}

/** Which Asterisk speaks which AMI (its sources of 16 to 22). */
const ASTERISK_OF_AMI: Readonly<Record<string, string>> = { 5: '16', 7: '18', 9: '20', 10: '21', 11: '22' };

function versionText(ami = '?', asterisk = ASTERISK_OF_AMI[ami.split('.')[0] ?? ''] ?? '?'): string {
  return `Asterisk ${asterisk}, AMI ${ami}`;
}

/** Whether the event mask of the dialog keeps out a class that is needed. */
function maskStep(mask: string | undefined, needs: readonly PermissionNeed[]): ProbeStep[] {
  if (passesMask(mask, 'all')) return [];
  const kept = needs.filter((need) => need.direction === 'read' && !passesMask(mask, need.class));
  if (kept.length === 0) return [{ id: 'mask', state: 'ok' }];
  return [{ id: 'mask', state: 'failed', detail: kept.map((need) => need.class).join(', ') }];
}

function stateOf(
  need: PermissionNeed,
  rights: Rights | undefined,
  heard: ReadonlySet<string>,
): ProbedPermission['state'] {
  if (need.direction === 'write') {
    const marker = writeMarker(need);
    if (!rights || marker === undefined) return 'unknown';
    return rights.actions.has(marker.toLowerCase()) ? 'present' : 'missing';
  }
  if (heard.has(need.class)) return 'present';
  // Asterisk says FullyBooted to everybody who may read `system`; of the others only what we provoked had to come.
  return need.class === 'system' || rights?.provoked.has(need.class) === true ? 'missing' : 'unknown';
}
