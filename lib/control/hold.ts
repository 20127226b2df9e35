import type { AmiAction, AmiClient } from '../ami/types';
import { isAlone, oppositeOf, HOLD_CONTEXT, type LiveChannel } from './channels';
import type { Asterisk } from './asterisk';
import { notPossible } from './errors';
import type { FoundCall } from './find';

export type WayToHold = 'redirect' | 'phone' | 'park';

/** On both channels of a held call the name of the other one: it outlives a restart of ours, and the dialplan looks at it too. */
const HELD_WITH = 'TCRM_HELD_WITH';
/** What it says of a call that its phone holds: events are heard only while we run. */
const BY_PHONE = 'phone';

/** Where in {@link HOLD_CONTEXT} a phone takes its client back and may transfer him by keys. */
const WITH_KEYS = 'transfer';

/** Channels whose phone's hold is remembered; beyond it the oldest is forgotten, and asked for by {@link HELD_WITH}. */
const MAX_REMEMBERED = 10_000;
/** Where slots are extensions, unless res_parking.conf says otherwise; many dialplans include it where phones dial. */
const PARKING_CONTEXT = 'parkedcalls';
const SLOT_WITHIN_MS = 2000;
/** A phone that knows the request reacts with a re-INVITE at once. */
const REACTS_WITHIN_MS = 2000;

/** How a held call waits: with our help, by its own phone, or parked. */
export type Held = { readonly way: 'redirect' | 'park'; readonly client: LiveChannel } | { readonly way: 'phone' };

/**
 * Asterisk has no action for hold (measured on 16.28 and 22.10). Three ways stand in for it:
 * - `redirect`: both channels hear music in {@link HOLD_CONTEXT} until the action Bridge joins them again. Works with every phone;
 * - `phone`: the phone is told to hold, by a NOTIFY in the dialog (BroadSoft's `hold` and `talk`);
 * - `park`: the client goes to a parking slot, the phone keeps its line.
 */
export class Holding {
  private readonly onHold = new Map<string, boolean>();
  private readonly ends: readonly (() => void)[];

  constructor(
    private readonly asterisk: Asterisk,
    client: AmiClient,
    /** Where phones dial. */
    private readonly context: string,
  ) {
    this.ends = [
      client.subscribe(['Hold', 'Unhold'], (event) => this.remember(event.get('Uniqueid'), event.name === 'Hold')),
      client.subscribe(['Hangup'], (event) => this.onHold.delete(event.get('Uniqueid') ?? '')),
    ];
  }

  /** Whether the phone itself was heard to hold this channel. */
  isOnHold(id: string): boolean {
    return this.onHold.get(id) === true;
  }

  /** How the call waits; `undefined`: it does not. Throws `CONTROL_NOT_POSSIBLE` when the one that waited with it is gone. */
  async stateOf({ channels }: FoundCall, leg: LiveChannel): Promise<Held | undefined> {
    if (leg.isAside) {
      const client = await this.heldWith(channels, leg);
      if (!client) throw notPossible('partnerGone');
      return { way: 'redirect', client };
    }
    const [client, ...more] = channels.filter((one) => one.id !== leg.id && !one.isLocal && isAlone(channels, one));
    const isLeft = leg.bridge === undefined || isAlone(channels, leg);
    if (client && more.length === 0 && isLeft) return { way: 'park', client };
    const byPhone = this.onHold.get(leg.id) ?? (await this.asterisk.get(leg, HELD_WITH)) === BY_PHONE;
    return byPhone ? { way: 'phone' } : undefined;
  }

  /** Answers with the slot, where there is one. */
  async hold(call: FoundCall, leg: LiveChannel, way: WayToHold): Promise<string | undefined> {
    const client = talkingWith(call, leg);
    if (way === 'park') {
      // What lies between the two would end, and the phone's line with it (measured on 16.28 and 22.10).
      if (client.bridge !== leg.bridge) throw notPossible('behindLocal');
      return this.park(client, leg);
    }
    if (way === 'phone') await this.byPhone(leg, 'hold');
    else await this.putAside(leg, client);
    return undefined;
  }

  async unhold(leg: LiveChannel, held: Held): Promise<void> {
    if (held.way === 'phone') {
      await this.byPhone(leg, 'talk');
      return;
    }
    const { client } = held;
    const headers = { Channel1: client.name, Channel2: leg.name, Tone: 'no' };
    await this.asterisk.act(
      held.way === 'park' ? await this.takeOutOfSlot(leg, client) : { action: 'Bridge', headers },
    );
    await this.asterisk.followTogether(leg, client);
    if (held.way === 'redirect') await this.forget([leg, client]);
  }

  /** Whether {@link giveKeys} can be done: extensions_telephony_crm.conf of an older version has no place for it. */
  canGiveKeys(): Promise<boolean> {
    return this.asterisk.hasPlace(HOLD_CONTEXT, WITH_KEYS);
  }

  /**
   * The phone may transfer by keys from now on, whatever the options of the Dial or Queue that it came by, and without the Local
   * channels that lay between it and its client. Both hear music for a moment.
   */
  async giveKeys(call: FoundCall, leg: LiveChannel): Promise<void> {
    const client = talkingWith(call, leg);
    await this.putAside(leg, client);
    const headers = { Channel: leg.name, Context: HOLD_CONTEXT, Exten: WITH_KEYS, Priority: 1 };
    await this.asterisk.act({ action: 'Redirect', headers });
    await this.asterisk.followTogether(leg, client);
    await this.forget([leg, client]);
  }

  /** Parks the client; answers with the slot when it was told in time. `back`: whose phone rings when nobody takes him. */
  async park(client: LiveChannel, back: LiveChannel | string): Promise<string | undefined> {
    const slot = this.asterisk.listen('ParkedCall', (event) => event.get('ParkeeUniqueid') === client.id);
    const TimeoutChannel = typeof back === 'string' ? back : back.name;
    await this.asterisk.actThen({ action: 'Park', headers: { Channel: client.name, TimeoutChannel } }, slot);
    return (await slot(SLOT_WITHIN_MS))?.get('ParkingSpace');
  }

  /**
   * As if the phone had dialled the slot. Bridge would take the client out of it too, but leave him alone and for ever on the line
   * when the phone hangs up (measured on 22.10).
   */
  private async takeOutOfSlot(leg: LiveChannel, client: LiveChannel): Promise<AmiAction> {
    const slot = await this.asterisk.slotOf(client);
    if (slot === undefined) throw notPossible('partnerGone');
    for (const context of [this.context, PARKING_CONTEXT]) {
      if (!(await this.asterisk.hasPlace(context, slot))) continue;
      const headers = { Channel: leg.name, Context: context, Exten: slot, Priority: 1 };
      return { action: 'Redirect', headers };
    }
    throw notPossible('noSlot', { slot, context: PARKING_CONTEXT });
  }

  /** The two are not held together any more: each may go its own way. A channel that is gone has forgotten by itself. */
  async forget(channels: readonly LiveChannel[]): Promise<void> {
    await Promise.all(channels.map((one) => this.asterisk.set(one, HELD_WITH, '').catch(() => undefined)));
  }

  close(): void {
    for (const end of this.ends) end();
  }

  private async putAside(leg: LiveChannel, client: LiveChannel): Promise<void> {
    if (!(await this.asterisk.hasPlace(HOLD_CONTEXT, 's'))) throw notPossible('noContext', { context: HOLD_CONTEXT });
    await this.asterisk.set(leg, HELD_WITH, client.name);
    await this.asterisk.set(client, HELD_WITH, leg.name);
    const place = { Context: HOLD_CONTEXT, Exten: 's', Priority: 1 };
    const extra = { ExtraContext: HOLD_CONTEXT, ExtraExten: 's', ExtraPriority: 1 };
    // Both in one action: the other one of a channel that is redirected alone is hung up.
    const headers = { Channel: leg.name, ExtraChannel: client.name, ...place, ...extra };
    await this.asterisk.act({ action: 'Redirect', headers });
    await this.asterisk.follow([leg, client], (both) => both.every(({ isAside }) => isAside));
  }

  /** The channel that waits together with this one: both say so, and neither was bridged or redirected since. */
  private async heldWith(channels: readonly LiveChannel[], leg: LiveChannel): Promise<LiveChannel | undefined> {
    const name = await this.asterisk.get(leg, HELD_WITH);
    const other = channels.find((one) => one.name === name && one.isAside);
    return other && (await this.asterisk.get(other, HELD_WITH)) === leg.name ? other : undefined;
  }

  private async byPhone(leg: LiveChannel, event: 'hold' | 'talk'): Promise<void> {
    const told = event === 'hold' ? 'Hold' : 'Unhold';
    const reacts = this.asterisk.listen(told, (one) => one.get('Uniqueid') === leg.id);
    const headers = { Channel: leg.name };
    await this.asterisk.actThen({ action: 'PJSIPNotify', headers, variables: { Event: event } }, reacts);
    if (!(await reacts(REACTS_WITHIN_MS))) throw notPossible('deafPhone', { event });
    await this.asterisk.set(leg, HELD_WITH, event === 'hold' ? BY_PHONE : '');
  }

  private remember(id: string | undefined, isOnHold: boolean): void {
    if (id === undefined) return;
    const [oldest] = this.onHold.keys();
    if (oldest !== undefined && this.onHold.size >= MAX_REMEMBERED) this.onHold.delete(oldest);
    this.onHold.set(id, isOnHold);
  }
}

/** Who talks with this phone. Throws `CONTROL_NOT_POSSIBLE` when that is not just one. */
export function talkingWith({ channels }: FoundCall, leg: LiveChannel): LiveChannel {
  const opposite = leg.isUp ? oppositeOf(channels, leg) : 'nobody';
  if (opposite === 'several') throw notPossible('conference');
  if (opposite === 'nobody') throw notPossible('notTalking');
  return opposite;
}
