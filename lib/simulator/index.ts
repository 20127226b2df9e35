import { randomBytes } from 'node:crypto';
import { systemClock, type Clock } from '../clock';
import { silentLog, type Log } from '../log';
import { perform } from './ami/actions';
import type { Office } from './ami/action';
import { AmiServer } from './ami/server';
import { AsyncAgi } from './async-agi';
import { Autocalls } from './autocalls';
import { defaultPhones, defaultTimes, limits, supportQueue } from './defaults';
import { Conversations } from './conversations';
import { Dialer } from './dial';
import { Dialplan, newStory } from './dialplan';
import { Devices, TRUNK } from './devices';
import { simulatorError } from './errors';
import { Originator } from './originate';
import { Listeners } from './listeners';
import { Pbx } from './pbx';
import { QueueApplication } from './queue-application';
import { Queues } from './queues';
import { CallRecords } from './records';
import type {
  IncomingCall,
  PhoneRule,
  SimulatedCallOutcome,
  SimulatedUser,
  Simulator,
  SimulatorAddress,
  SimulatorOptions,
} from './types';

export { defaultPhones } from './defaults';

export interface SimulatorDeps {
  readonly clock?: Clock;
  readonly log?: Log;
}

/** One life of the PBX, from a start to the stop. */
interface Life {
  readonly server: AmiServer;
  readonly office: Office;
  readonly address: SimulatorAddress;
  stopping: boolean;
  calls: number;
}

const USERNAME = 'simulator';

/**
 * The built-in PBX: a manager interface on a free port of 127.0.0.1 with a password of its own, and an office behind it
 * (`defaults.ts`). A call that is put in asks over AsyncAGI for its route, as the shipped dialplan does on a real Asterisk.
 *
 * Calls that are under way when it is stopped reject with `SIMULATOR_STOPPED`.
 */
export function createSimulator(options: SimulatorOptions = {}, deps: SimulatorDeps = {}): Simulator {
  return new BuiltInSimulator(options, deps.clock ?? systemClock, deps.log ?? silentLog);
}

class BuiltInSimulator implements Simulator {
  private life: Life | undefined;
  private starting: Promise<Life> | undefined;
  private stopping: Promise<void> | undefined;

  constructor(
    private readonly options: SimulatorOptions,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  async start(): Promise<SimulatorAddress> {
    await this.stopping;
    this.starting ??= this.begin();
    try {
      return (await this.starting).address;
    } catch (thrown) {
      this.starting = undefined;
      throw thrown;
    }
  }

  async call(call: IncomingCall): Promise<SimulatedCallOutcome> {
    checkLine('from', call.from, 1, 80);
    checkLine('did', call.did, 1, 80);
    checkLine('name', call.name ?? '', 0, 80);
    const { life } = this;
    if (!life || life.stopping) throw simulatorError('SIMULATOR_NOT_RUNNING');
    if (life.calls >= limits.calls) throw simulatorError('SIMULATOR_TOO_MANY_CALLS', { limit: limits.calls });
    life.calls++;
    const outcome = await this.play(life.office, call).finally(() => life.calls--);
    if (this.life !== life || this.stopping) throw simulatorError('SIMULATOR_STOPPED', { from: call.from });
    return outcome;
  }

  setPhone(extension: string, rule: PhoneRule): void {
    if (!this.life) throw simulatorError('SIMULATOR_NOT_RUNNING');
    this.life.office.devices.setRule(extension, rule);
  }

  stop(): Promise<void> {
    this.stopping ??= this.end().finally(() => {
      this.stopping = undefined;
    });
    return this.stopping;
  }

  private async begin(): Promise<Life> {
    const secret = randomBytes(18).toString('base64url');
    const users: SimulatedUser[] = [{ username: USERNAME, secret }, ...(this.options.users ?? [])];
    const server: AmiServer = new AmiServer({
      clock: this.clock,
      log: this.log,
      users,
      perform: (request, asker) => perform(request, office, asker),
    });
    const office = this.build(server);
    const port = await server.listen();
    const address: SimulatorAddress = { host: '127.0.0.1', port, username: USERNAME, secret };
    this.life = { server, office, address, stopping: false, calls: 0 };
    return this.life;
  }

  private async play({ pbx, dialplan }: Office, call: IncomingCall): Promise<SimulatedCallOutcome> {
    const { from, did, name = '', patienceMs, talkMs } = call;
    const origin = { device: TRUNK, context: 'from-trunk', exten: did, caller: { num: from, name } };
    const trunk = pbx.create({ ...origin, state: 'Ring' });
    trunk.talkMs = talkMs;
    call.onBegin?.(trunk.linkedid);
    const giveUp = (): void => {
      // A caller who hangs up before the answer and one who leaves a queue are told differently (measured).
      const answered = trunk.state === 'Up';
      if (trunk.bridgeId === '') pbx.farEndHangsUp(trunk, answered ? 0 : 127, !answered);
    };
    const patience = patienceMs === undefined ? undefined : this.clock.after(patienceMs, giveUp);
    const story = newStory();
    await dialplan.runInbound(trunk, story).finally(() => patience?.cancel());
    return { callId: trunk.linkedid, from, did, ...story };
  }

  private build(server: AmiServer): Office {
    const { clock, log, options } = this;
    const times = { ...defaultTimes, ...options };
    const pbx = new Pbx(clock, (event) => server.tell(event));
    const devices = new Devices(pbx, options.phones ?? defaultPhones);
    const queues = new Queues(pbx, devices);
    const records = new CallRecords(pbx);
    const dialer = new Dialer(pbx, devices, records, times);
    const listeners = new Listeners(pbx, times.talkMs);
    const agi = new AsyncAgi(pbx, listeners);
    const autocalls = new Autocalls({ pbx, agi, listeners });
    const queue = new QueueApplication({ pbx, devices, dialer, queues, records, times });
    const isServed = (): boolean => server.isHeard('agi');
    const dialplan = new Dialplan({
      pbx,
      devices,
      dialer,
      agi,
      autocalls,
      listeners,
      queue,
      records,
      log,
      isServed,
      ...times,
    });
    const conversations = new Conversations({ pbx, dialer, times, target: (exten) => dialplan.target(exten) });
    dialplan.onSlot = (channel, slot) => conversations.retrieve(channel, slot);
    const support = queues.create(supportQueue.name);
    for (const extension of supportQueue.members) {
      const phone = devices.phones.get(extension);
      if (!phone) continue;
      const { device, name } = phone;
      const member = { interface: device, stateInterface: device, name, penalty: 0, paused: false };
      queues.add(support, { ...member, membership: 'static' }, false);
    }
    return {
      pbx,
      devices,
      queues,
      agi,
      dialplan,
      conversations,
      originator: new Originator({ pbx, devices, dialer, dialplan, records }),
    };
  }

  private async end(): Promise<void> {
    const life = await this.starting?.catch(() => undefined);
    if (!life) return;
    life.stopping = true;
    const { pbx, dialplan } = life.office;
    for (const channel of pbx.channels.values()) channel.interrupt({ kind: 'hangup', cause: 0, byFarEnd: false });
    await dialplan.settled();
    pbx.emit('Shutdown', 'system', [
      ['Shutdown', 'Cleanly'],
      ['Restart', 'False'],
    ]);
    await life.server.close();
    this.life = undefined;
    this.starting = undefined;
  }
}

/** Control characters must not get onto the wire. */
function checkLine(field: string, text: string, min: number, max: number): void {
  if (text.length < min || text.length > max || /[\u0000-\u001f]/.test(text)) {
    throw simulatorError('SIMULATOR_BAD_CALL', { field, min, max });
  }
}
