import { systemClock, type Clock } from '../clock';
import { agentChannel } from '../outbound/channels';
import { endpointIn, whoseChannels } from '../phone/interfaces';
import { queueNames, readMember, rowsNamed, type MemberRow } from '../queues/member';
import { isInUse, queuesIn } from '../queues/now';
import { Asterisk } from './asterisk';
import type { CallControlDeps, CallControlOptions } from './control';
import { badOrder, controlError, notPossible } from './errors';
import { OrderLines } from './order-lines';
import { SharedRead } from './shared-read';
import type { AgentAction, AgentControl, AgentDone, AgentOrder, QueueStatusDone, QueueStatusOrder } from './types';

interface Standing {
  /** All queues that Asterisk knows now. */
  readonly queues: ReadonlySet<string>;
  /** His, whatever interface he is in by. */
  readonly places: readonly MemberRow[];
}

type Outcome = Pick<AgentDone, 'changed' | 'queues' | 'state'>;

/** Asterisk's words (22.10 and 16.28) when somebody else was quicker, or there is no such queue. */
const ALREADY_THERE = /already there/i;
const NOT_THERE = /not there/i;
const NO_QUEUE = /no such queue/i;

type AgentControlOptions = Omit<CallControlOptions, 'knows'>;

/**
 * Carries out orders on agents. Where an extension is a member is asked of the PBX each time (`QueueStatus`), so that a login by the
 * phone, by another program or before a restart counts as well as one of ours.
 */
export function createAgentControl(options: AgentControlOptions, deps: CallControlDeps = {}): AgentControl {
  return new AgentCommands(options, deps);
}

class AgentCommands implements AgentControl {
  private readonly asterisk: Asterisk;
  private readonly orders: OrderLines;
  private readonly queueStatus = new SharedRead(() => this.asterisk.queueStatus());
  private readonly clock: Clock;

  constructor(
    private readonly options: AgentControlOptions,
    { clock = systemClock }: CallControlDeps,
  ) {
    const { client, plan, dialling, trunks = [] } = options;
    this.clock = clock;
    this.asterisk = new Asterisk(client, clock, whoseChannels(dialling.settings.agentChannel, plan, trunks));
    this.orders = new OrderLines(clock);
  }

  run(order: AgentOrder): Promise<AgentDone> {
    if (!this.options.plan.isExtension(order.extension)) return Promise.reject(badOrder('extension', 'extension'));
    const { action, extension } = order;
    const carryOut = async (): Promise<AgentDone> => {
      const outcome = await this.acts[action](order, await this.standingOf(extension));
      return { action, extension, ...outcome };
    };
    return action === 'agent-state' ? this.orders.look(carryOut) : this.orders.run(extension, carryOut);
  }

  async status({ action, queues: asked }: QueueStatusOrder): Promise<QueueStatusDone> {
    const rows = await this.queueStatus.get();
    const now = this.clock.now();
    const queues = queuesIn(rows, (name) => this.asterisk.ownerOf(name) ?? (endpointIn(name) || name), now);
    const unknown = asked.find((name) => !queues.some(({ id }) => id === name));
    if (unknown !== undefined) throw controlError('CONTROL_NO_QUEUE', { queue: unknown });
    const at = new Date(now).toISOString();
    return { action, at, queues: asked.length === 0 ? queues : queues.filter(({ id }) => asked.includes(id)) };
  }

  close(): void {
    this.orders.close();
  }

  private readonly acts: Readonly<Record<AgentAction, (order: AgentOrder, now: Standing) => Promise<Outcome>>> = {
    'queue-login': (order, { places }) => this.login(order, places),
    'queue-logout': (order, now) => this.logout(order, now),
    pause: (order, now) => this.pause(order, now, true),
    unpause: (order, now) => this.pause(order, now, false),
    'agent-state': (_order, { places }) => Promise.resolve(stateOf(places)),
  };

  private async login(order: AgentOrder, places: readonly MemberRow[]): Promise<Outcome> {
    const { extension, queues, name, penalty } = order;
    const missing = queues.filter((queue) => !places.some((place) => place.queue === queue));
    const Interface = agentChannel(this.options.dialling.settings, extension);
    let changed = false;
    for (const queue of missing) {
      const more = { ...(name === undefined ? {} : { MemberName: name }), ...(penalty ? { Penalty: penalty } : {}) };
      const headers = { Queue: queue, Interface, ...more };
      changed = (await this.member({ action: 'QueueAdd', headers }, queue, ALREADY_THERE)) || changed;
    }
    return { changed, queues };
  }

  private async logout({ queues }: AgentOrder, now: Standing): Promise<Outcome> {
    const meant = placesIn(queues, now);
    const leaving = meant.filter(({ isDynamic }) => isDynamic);
    const fixed = meant.filter(({ isDynamic }) => !isDynamic);
    // Who leaves all queues leaves those that he can; named ones he must be able to leave.
    if (fixed.length > 0 && (queues.length > 0 || leaving.length === 0))
      throw notPossible('fixedMember', { queue: names(fixed) });
    let changed = false;
    for (const { queue, interface: Interface } of leaving) {
      const action = { action: 'QueueRemove', headers: { Queue: queue, Interface } };
      changed = (await this.member(action, queue, NOT_THERE)) || changed;
    }
    return { changed, queues: queues.length > 0 ? queues : queuesOf(leaving) };
  }

  private async pause(
    { extension, queues, reason = '' }: AgentOrder,
    now: Standing,
    paused: boolean,
  ): Promise<Outcome> {
    const meant = placesIn(queues, now);
    const absent = queues.filter((queue) => !meant.some((place) => place.queue === queue));
    if (meant.length === 0 || absent.length > 0)
      throw controlError('CONTROL_NOT_MEMBER', { extension, queue: absent.join(', ') || '—' });
    const others = meant.filter(
      (place) => (place.paused ?? false) !== paused || (paused && (place.reason ?? '') !== reason),
    );
    for (const { queue, interface: Interface } of others) {
      const headers = {
        Queue: queue,
        Interface,
        Paused: String(paused),
        ...(reason && paused ? { Reason: reason } : {}),
      };
      await this.asterisk.act({ action: 'QueuePause', headers });
    }
    return { changed: others.length > 0, queues: queuesOf(meant) };
  }

  /** Whether it was done; false when somebody else was quicker. */
  private async member(action: Parameters<Asterisk['act']>[0], queue: string, isSo: RegExp): Promise<boolean> {
    const fine = new RegExp(`${isSo.source}|${NO_QUEUE.source}`, 'i');
    const answer = await this.asterisk.act(action, fine);
    if (answer.name !== 'Error') return true;
    if (NO_QUEUE.test(answer.get('Message') ?? '')) throw controlError('CONTROL_NO_QUEUE', { queue });
    return false;
  }

  /** Throws `CONTROL_NO_EXTENSION` for one that is in no queue and has no phone. */
  private async standingOf(extension: string): Promise<Standing> {
    const rows = await this.queueStatus.get();
    const places = rowsNamed(rows, 'QueueMember')
      .flatMap((row) => readMember(row) ?? [])
      .filter((place) => [place.stateInterface ?? '', place.interface].some((one) => this.isOf(extension, one)));
    if (places.length === 0) await this.mustExist(extension);
    return { queues: new Set(queueNames(rows)), places };
  }

  private isOf(extension: string, interfaceName: string): boolean {
    // A Local channel is named after what it dials.
    const isTrunk = (this.options.trunks ?? []).includes(extension);
    return this.asterisk.ownerOf(interfaceName) === extension || (!isTrunk && endpointIn(interfaceName) === extension);
  }

  /** Asterisk would take anybody into a queue. */
  private async mustExist(extension: string): Promise<void> {
    const channel = agentChannel(this.options.dialling.settings, extension);
    const state = await this.asterisk.getGlobal(`DEVICE_STATE(${channel})`);
    if (state === 'INVALID') throw controlError('CONTROL_NO_EXTENSION', { extension, channel });
  }
}

function stateOf(places: readonly MemberRow[]): Outcome {
  const paused = places.filter((place) => place.paused);
  const reason = paused.find((place) => place.reason !== undefined)?.reason;
  const queues = queuesOf(places);
  const busy = places.some(({ status }) => isInUse(status));
  const state = { queues, pausedIn: queuesOf(paused), busy, ...(reason === undefined ? {} : { reason }) };
  return { changed: false, queues, state };
}

/** His places in these queues, or in all. Throws `CONTROL_NO_QUEUE`. */
function placesIn(asked: readonly string[], { queues, places }: Standing): readonly MemberRow[] {
  const unknown = asked.find((queue) => !queues.has(queue));
  if (unknown !== undefined) throw controlError('CONTROL_NO_QUEUE', { queue: unknown });
  return asked.length === 0 ? places : places.filter(({ queue }) => asked.includes(queue));
}

const queuesOf = (places: readonly MemberRow[]): string[] => [...new Set(places.map(({ queue }) => queue))];
const names = (places: readonly MemberRow[]): string => queuesOf(places).join(', ');
