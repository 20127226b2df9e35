import type { AmiClient } from '../ami/types';
import { systemClock, type Clock } from '../clock';
import { agentChannel } from '../outbound/channels';
import { whoseChannels } from '../phone/interfaces';
import type { NumberingPlan } from '../phone/types';
import { Asterisk } from './asterisk';
import { isBeingConnected, type LiveChannel } from './channels';
import { Consultations } from './consultations';
import { badOrder, controlError, notPossible } from './errors';
import { callOf, clientOf, findCall, type FoundCall } from './find';
import { Holding, talkingWith, type Held } from './hold';
import { OrderLines } from './order-lines';
import { Recordings } from './recordings';
import { SharedRead } from './shared-read';
import { targetOf, type Dialling, type Target } from './target';
import type { CallChoice, CallControl, ControlAction, ControlDone, ControlOrder, IsNamed } from './types';

export interface CallControlOptions {
  /** Whoever made the link closes it. */
  readonly client: AmiClient;
  readonly plan: NumberingPlan;
  readonly dialling: Dialling;
  /** Whether the PBX tells of such a phone, or hint. */
  readonly knows: (extension: string) => Promise<'known' | 'unknown' | 'not-yet'>;
  /** Endpoints of the trunks, where an admin named them: a trunk called `100` is no phone. */
  readonly trunks?: readonly string[];
}

export interface CallControlDeps {
  readonly clock?: Clock;
}

interface Asked extends ControlOrder {
  readonly isNamed: IsNamed;
}

/** Orders for a phone that talks. */
const OF_TALKS: ReadonlySet<ControlAction> = new Set(['hold', 'toggle-hold', 'transfer', 'attended-transfer', 'park']);
/** A phone that has just answered is connected some ms later (measured); a queue may let it hear something first. */
const CONNECTS_WITHIN_MS = 1000;

/** What one order works on. */
interface Task {
  readonly order: Asked;
  readonly call: FoundCall;
}

type Outcome = Omit<ControlDone, 'action' | 'callId' | 'legId' | 'extension'>;

/**
 * Carries out orders on live calls. Which call is meant is asked of the PBX each time (`CoreShowChannels`), so that nothing is
 * kept that a restart could lose or a missed event could spoil; and it is told by the names of channels, never by what a caller
 * can choose.
 */
export function createCallControl(options: CallControlOptions, deps: CallControlDeps = {}): CallControl {
  return new Control(options, deps.clock ?? systemClock);
}

class Control implements CallControl {
  private readonly asterisk: Asterisk;
  private readonly holding: Holding;
  private readonly consultations: Consultations;
  private readonly recordings: Recordings;
  private readonly channels = new SharedRead(() => this.asterisk.channels());
  /** By whom or what an order names: whoever clicks without end waits for himself alone. */
  private readonly named: OrderLines;
  /** By call: two parties of one call must not change it at once. */
  private readonly calls: OrderLines;
  /** Orders that are over. */
  private ended = 0;

  constructor(
    private readonly options: CallControlOptions,
    private readonly clock: Clock,
  ) {
    this.named = new OrderLines(clock);
    this.calls = new OrderLines(clock);
    const { client, plan, dialling, trunks = [] } = options;
    this.asterisk = new Asterisk(client, clock, whoseChannels(dialling.settings.agentChannel, plan, trunks));
    this.holding = new Holding(this.asterisk, client, dialling.settings.context);
    this.consultations = new Consultations(this.asterisk, this.holding);
    this.recordings = new Recordings(this.asterisk, clock);
  }

  run(order: ControlOrder, isNamed: IsNamed = () => false): Promise<ControlDone> {
    const orderedAt = this.clock.monotonic();
    const { extension, legId, callId } = order.call;
    const name = JSON.stringify(extension === undefined ? { legId, callId } : { extension });
    return this.named.run(name, () => this.runOnCall({ ...order, isNamed }, orderedAt), orderedAt);
  }

  /** Orders under way go on to their end; those that wait are refused. */
  close(): Promise<void> {
    this.named.close();
    this.calls.close();
    this.holding.close();
    return Promise.resolve();
  }

  private async runOnCall(order: Asked, orderedAt: number): Promise<ControlDone> {
    const { ended } = this;
    const call = await this.find(order.call);
    const carryOut = async (): Promise<ControlDone> => {
      try {
        // Another order on this call may have been over since it was looked at.
        return await this.carryOut(order, this.ended === ended ? call : await this.find(order.call));
      } finally {
        this.ended += 1;
      }
    };
    return this.calls.run(call.callId, carryOut, orderedAt);
  }

  private async carryOut(order: Asked, found: FoundCall): Promise<ControlDone> {
    const call = OF_TALKS.has(order.action) ? await this.connected(found) : found;
    const outcome = await this.acts[order.action]({ order, call });
    const { callId, leg } = call;
    const { extension } = leg ?? {};
    return {
      action: order.action,
      callId,
      ...(leg ? { legId: leg.id } : {}),
      ...(extension === undefined ? {} : { extension }),
      ...outcome,
    };
  }

  /** The call, once its phone is connected, if that is what it waits for: an order may follow the answer within the same ms. */
  private async connected(call: FoundCall): Promise<FoundCall> {
    const { leg } = call;
    if (!leg || !isBeingConnected(leg)) return call;
    const find = (all: readonly LiveChannel[]): FoundCall | undefined => {
      const now = all.find(({ id }) => id === leg.id);
      if (!now) return call;
      return isBeingConnected(now) ? undefined : { ...call, ...callOf(now, all) };
    };
    return (await this.asterisk.look(find, { ms: CONNECTS_WITHIN_MS })) ?? call;
  }

  private async find(choice: CallChoice): Promise<FoundCall> {
    return findCall(await this.channels.get(), choice, (id) => this.holding.isOnHold(id));
  }

  private readonly acts: Readonly<Record<ControlAction, (task: Task) => Promise<Outcome>>> = {
    hold: async ({ call }) => this.hold(call, await this.holding.stateOf(call, phoneOf(call))),
    unhold: async ({ call }) => {
      const held = await this.holding.stateOf(call, phoneOf(call));
      if (!held) throw notPossible('notHeld');
      return this.unhold(call, held);
    },
    'toggle-hold': async ({ call }) => {
      const held = await this.holding.stateOf(call, phoneOf(call));
      return held ? this.unhold(call, held) : this.hold(call, undefined);
    },
    transfer: (task) => this.transfer(task),
    'attended-transfer': (task) => this.attendedTransfer(task),
    'cancel-transfer': async ({ call }) => {
      await this.consultations.cancel(phoneOf(call));
      return {};
    },
    'complete-transfer': async ({ call }) => {
      await this.consultations.complete(phoneOf(call));
      return {};
    },
    hangup: (task) => this.hangUp(task),
    park: (task) => this.park(task),
    redirect: (task) => this.redirect(task),
    mute: ({ call }) => this.mute(call, 'on'),
    unmute: ({ call }) => this.mute(call, 'off'),
    'record-start': async ({ order, call }) => {
      const channel = clientOf(call) ?? phoneOf(call);
      return { file: await this.recordings.start(channel, order.file) };
    },
    'record-stop': ({ call }) => this.recordings.change(call.channels, 'stop'),
    'record-pause': ({ call }) => this.recordings.change(call.channels, 'pause'),
    'record-resume': ({ call }) => this.recordings.change(call.channels, 'resume'),
    set: async ({ order, call }) => {
      const { legId, extension } = order.call;
      const own = legId === undefined && extension !== undefined ? call.leg : (call.named ?? clientOf(call));
      const channel = own ?? phoneOf(call);
      for (const [name, value] of Object.entries(order.variables ?? {})) await this.asterisk.set(channel, name, value);
      return {};
    },
  };

  private async hold(call: FoundCall, held: Held | undefined): Promise<Outcome> {
    if (held) return { held: true };
    const slot = await this.holding.hold(call, phoneOf(call), this.options.dialling.settings.hold);
    return { held: true, ...(slot === undefined ? {} : { slot }) };
  }

  private async unhold(call: FoundCall, held: Held): Promise<Outcome> {
    await this.holding.unhold(phoneOf(call), held);
    return { held: false };
  }

  /** The client goes on to somebody else, and the phone that had him is free. */
  private async transfer({ order, call }: Task): Promise<Outcome> {
    const leg = phoneOf(call);
    const { context, exten } = await this.targetFor(call, order, leg);
    const headers = { Channel: leg.name, Context: context, Exten: exten };
    await this.asterisk.act({ action: 'BlindTransfer', headers });
    return {};
  }

  private async attendedTransfer({ order, call }: Task): Promise<Outcome> {
    const leg = phoneOf(call);
    await this.consultations.begin(leg, await this.targetFor(call, order, leg));
    return {};
  }

  private async hangUp({ order, call }: Task): Promise<Outcome> {
    const { leg, named } = call;
    if (order.call.extension === undefined && named === undefined) {
      await this.hangUpAll(call.channels.filter(({ isLocal }) => !isLocal));
      return {};
    }
    const first = named ?? leg ?? phoneOf(call);
    // Who waits with music, or in a slot, for somebody who has gone would wait in vain.
    const held = leg && (await this.holding.stateOf(call, leg).catch(() => undefined));
    const other = held && held.way !== 'phone' ? (first.id === leg.id ? held.client : leg) : undefined;
    await this.hangUpAll(other ? [first, other] : [first]);
    return {};
  }

  private async park({ order, call }: Task): Promise<Outcome> {
    const leg = phoneOf(call);
    const { settings, guard } = this.options.dialling;
    const { to } = order;
    if (to !== undefined && !this.options.plan.isExtension(to)) throw badOrder('to', 'extension');
    const refusal = to === undefined ? undefined : guard.objection({ number: to });
    if (refusal) throw refusal;
    if (to !== undefined) await this.mustBeKnown(to, order.isNamed);
    const held = await this.holding.stateOf(call, leg);
    const client = held && held.way !== 'phone' ? held.client : talkingWith(call, leg);
    if (held?.way === 'redirect') await this.holding.forget([leg, client]);
    const back = to === undefined ? leg : agentChannel(settings, to);
    const slot = await this.holding.park(client, back);
    await this.asterisk.hangUp(leg).catch(() => undefined);
    return slot === undefined ? {} : { slot };
  }

  /** Sends the client to a place in the dialplan, whatever he does just now: ringing, talking, waiting. */
  private async redirect({ order, call }: Task): Promise<Outcome> {
    const client = clientOf(call);
    if (!client) throw notPossible('noClient');
    const held = call.leg && (await this.holding.stateOf(call, call.leg));
    await this.sendOn(client, await this.target(order, call.leg));
    if (call.leg && held && held.way !== 'phone') await this.letGo(call.leg, client);
    return {};
  }

  private async mute(call: FoundCall, State: 'on' | 'off'): Promise<Outcome> {
    const { name } = phoneOf(call);
    // "in" is what comes from the phone into the PBX.
    await this.asterisk.act({ action: 'MuteAudio', headers: { Channel: name, Direction: 'in', State } });
    return {};
  }

  /** As {@link target}, for a phone that is to hand its client over: only what talks can be transferred. */
  private async targetFor(call: FoundCall, order: Asked, leg: LiveChannel): Promise<Target> {
    const held = await this.holding.stateOf(call, leg);
    const waits = held && held.way !== 'phone';
    if (!waits) talkingWith(call, leg);
    const target = await this.target(order, leg);
    if (waits) await this.holding.unhold(leg, held);
    return target;
  }

  /** Whom the order names, allowed by the rules and known to the dialplan. */
  private async target({ to = '', context, isNamed }: Asked, leg: LiveChannel | undefined): Promise<Target> {
    const { plan, dialling } = this.options;
    const target = targetOf(to, context, plan, dialling);
    const { exten } = target;
    if (!(await this.asterisk.hasPlace(target.context, exten)))
      throw notPossible('noExten', { exten, context: target.context });
    if (target.extension !== undefined) await this.mustBeKnown(target.extension, isNamed);
    target.take(leg?.extension);
    return target;
  }

  /** An extension that nobody has may be anything to the dialplan: an emergency number, or a way out past the caps. */
  private async mustBeKnown(extension: string, isNamed: IsNamed): Promise<void> {
    if (isNamed(extension)) return;
    const found = await this.options.knows(extension);
    if (found === 'known' || (await this.asterisk.isQueueOrSlot(extension))) return;
    if (found === 'unknown') throw controlError('CONTROL_UNKNOWN_EXTENSION', { extension });
    throw controlError('CONTROL_EXTENSIONS_NOT_READ', { extension });
  }

  private async sendOn(channel: LiveChannel, { context, exten }: Target): Promise<void> {
    const headers = { Channel: channel.name, Context: context, Exten: exten, Priority: 1 };
    await this.asterisk.act({ action: 'Redirect', headers });
  }

  /** The client who waited has been sent on: the phone need not wait for him. */
  private async letGo(leg: LiveChannel, client: LiveChannel): Promise<void> {
    await this.holding.forget([client]);
    // It may have gone by itself in this moment.
    await this.asterisk.hangUp(leg).catch(() => undefined);
  }

  /** Succeeds when one of them could be hung up: the others may go with it. */
  private async hangUpAll(channels: readonly LiveChannel[]): Promise<void> {
    const results = await Promise.allSettled(channels.map((channel) => this.asterisk.hangUp(channel)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed && !results.some(({ status }) => status === 'fulfilled')) throw failed.reason;
  }
}

/** Our phone in the call. Throws `CONTROL_NOT_POSSIBLE` when there is none, or nothing says which. */
function phoneOf({ leg }: FoundCall): LiveChannel {
  if (!leg) throw notPossible('noPhone');
  return leg;
}
