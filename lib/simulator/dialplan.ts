import { asError } from '../errors';
import type { Log } from '../log';
import type { AsyncAgi } from './async-agi';
import type { Autocalls } from './autocalls';
import { Interrupted, type Channel, type Place } from './channel';
import { directLines, PARK_PATIENCE, parkingSlots, supportQueue } from './defaults';
import type { Devices } from './devices';
import { deadTarget, outsideTarget, phoneTarget, type Dialer, type Taken, type Target } from './dial';
import type { Listeners } from './listeners';
import type { Pbx } from './pbx';
import type { QueueApplication } from './queue-application';
import type { CallRecords } from './records';
import type { SimulatedCallOutcome } from './types';

/** The first argument of AGI, by which a client knows that the waiting channel is meant for it; the second is the DID. */
const AGI_ARGUMENT = 'telephony-crm';

/** Where clicks go that may not be late. */
const CLICK = 'telephony-crm-click';

/** What happened to a call so far; the caller of `call()` gets it as the outcome. */
export interface Story {
  way: SimulatedCallOutcome['way'];
  why?: NonNullable<SimulatedCallOutcome['why']>;
  extension?: string;
  callerName?: string;
  result: SimulatedCallOutcome['result'];
  askedMs: number;
}

type Script = () => Promise<void>;

export interface DialplanParts {
  readonly pbx: Pbx;
  readonly devices: Devices;
  readonly dialer: Dialer;
  readonly agi: AsyncAgi;
  readonly autocalls: Autocalls;
  readonly listeners: Listeners;
  readonly queue: QueueApplication;
  readonly records: CallRecords;
  readonly log: Log;
  readonly talkMs: number;
  readonly routeMs: number;
  /** Is there a manager session that can hear the question of a call? */
  readonly isServed: () => boolean;
}

/**
 * What calls do. Contexts: `from-trunk` asks for the route, as the shipped dialplan does on a real Asterisk; `from-internal`,
 * `click2call` and `telephony-crm-click` dial phones, the queue and numbers outside; `telephony-crm-autocall` plays messages;
 * `telephony-crm-hold` plays music.
 */
export class Dialplan {
  /** What happens to a channel that dials a parking slot. */
  onSlot: (channel: Channel, slot: number) => Promise<void> = () => Promise.resolve();
  private readonly threads = new Set<Promise<void>>();

  constructor(private readonly parts: DialplanParts) {
    parts.dialer.onRedirected = (leg) => void this.runRedirected(leg);
  }

  /** Is there such an extension? */
  has(place: Place): boolean {
    const { context, exten } = place;
    if (context === 'from-trunk' || isHold(place) || isSlot(place) || this.parts.autocalls.has(place)) return true;
    const inside = ['from-internal', 'click2call', CLICK].includes(context);
    return inside && (exten === supportQueue.extension || this.target(exten) !== undefined);
  }

  /** Resolves when every channel has left the dialplan. */
  async settled(): Promise<void> {
    while (this.threads.size > 0) await Promise.all(this.threads);
  }

  /** Lets {@link settled} wait for this too. An error in it is logged; the promise that comes back never rejects. */
  track(work: Promise<unknown>): Promise<void> {
    const thread = work
      .then(() => undefined)
      .catch((thrown: unknown) => this.parts.log.warn(`simulator: ${asError(thrown).message}`));
    this.threads.add(thread);
    void thread.then(() => this.threads.delete(thread));
    return thread;
  }

  /** A call that came in by the trunk, from the question for its route to its end. */
  runInbound(trunk: Channel, story: Story): Promise<void> {
    return this.run(trunk, () => this.inbound(trunk, story), story);
  }

  /** Runs a channel from a place in the dialplan. */
  runAt(channel: Channel, place: Place): Promise<void> {
    const story = newStory();
    return this.run(channel, this.script(channel, place, story), story);
  }

  /**
   * Runs one application on a channel that the PBX called. Playback ends with its last file, AMD when it knows; all others go on
   * until the far end hangs up.
   */
  runApplication(channel: Channel, application: string, data: string): Promise<void> {
    const { pbx, listeners, talkMs } = this.parts;
    const play = async (): Promise<void> => {
      pbx.execute(channel, application, data);
      const name = application.toLowerCase();
      if (name === 'playback') await listeners.play(channel, data.replace(/,.*/, '').split('&'));
      else if (name === 'amd') await listeners.detect(channel);
      else {
        await pbx.pause(talkMs, channel);
        pbx.farEndHangsUp(channel, 0, false);
      }
    };
    return this.track(this.follow(channel, play, newStory()).finally(() => this.finish(channel)));
  }

  private runRedirected(leg: Channel): Promise<void> {
    return this.run(leg, () => Promise.reject(new Interrupted(leg)));
  }

  /** Runs a script on a channel, follows redirections, and ends the channel. Never rejects. */
  private run(channel: Channel, script: Script, story = newStory()): Promise<void> {
    return this.track(this.follow(channel, script, story).finally(() => this.end(channel)));
  }

  private async follow(channel: Channel, first: Script, story: Story): Promise<void> {
    let script: Script | undefined = first;
    while (script) {
      try {
        await script();
        return;
      } catch (thrown) {
        if (!(thrown instanceof Interrupted) || thrown.channel !== channel) throw thrown;
        const why = channel.interruption;
        if (why?.kind === 'hangup') channel.hangupCause = why.cause;
        if (why?.kind !== 'redirect' && why?.kind !== 'leave') return;
        channel.interruption = undefined;
        channel.application = '';
        channel.priority = 1;
        if (why.kind === 'leave') script = why.to;
        else script = this.has(why.to) ? this.script(channel, why.to, story) : undefined;
      }
    }
  }

  /** The end of a dialplan: Asterisk asks for the hang-up itself, nearly always. */
  private end(channel: Channel): void {
    const { pbx } = this.parts;
    if (!pbx.channels.has(channel.name)) return;
    pbx.tell('SoftHangupRequest', channel, [['Cause', 16]]);
    this.finish(channel);
  }

  private finish(channel: Channel): void {
    const { pbx, records } = this.parts;
    if (!pbx.channels.has(channel.name)) return;
    records.tell(channel);
    pbx.hangup(channel, channel.hangupCause);
  }

  private script(channel: Channel, place: Place, story: Story): Script {
    const { autocalls } = this.parts;
    return async () => {
      channel.context = place.context;
      channel.exten = place.exten;
      if (place.context === 'from-trunk') await this.inbound(channel, story);
      else if (isHold(place)) await this.hold(channel);
      else if (isSlot(place)) await this.onSlot(channel, Number(place.exten));
      else if (autocalls.has(place)) await autocalls.run(channel);
      else if (place.context === CLICK && autocalls.isExpired(channel)) autocalls.refuse(channel);
      else await this.reach(channel, place.exten, story);
    };
  }

  /** Whom an extension or a number reaches from the inside, the queue excepted. */
  target(exten: string): Target | undefined {
    const phone = this.parts.devices.phones.get(exten);
    if (phone) return phoneTarget(phone);
    return /^\+?\d{5,15}$/.test(exten) ? outsideTarget(exten) : undefined;
  }

  private async inbound(trunk: Channel, story: Story): Promise<void> {
    const number = directLines[trunk.dialled] ?? (await this.ask(trunk, story));
    if (number === '') {
      story.result = 'ivr';
    } else {
      if ((await this.reach(trunk, number, story)) === 'answered') return;
      story.way = 'usual';
      story.why = 'phone-did-not-take-it';
    }
    await this.ivr(trunk);
  }

  /** Asks over AsyncAGI where the call goes. The empty answer is the usual way; the story then knows why. */
  private async ask(trunk: Channel, story: Story): Promise<string> {
    const { pbx, agi, isServed, routeMs } = this.parts;
    if (!isServed()) {
      story.why = 'nobody-serves';
      return '';
    }
    const args = [AGI_ARGUMENT, trunk.dialled.replace(/[^0-9a-zA-Z+*#]/g, '')];
    pbx.execute(trunk, 'AGI', ['agi:async', ...args].join(','));
    const askedAt = pbx.clock.monotonic();
    let how;
    try {
      how = await agi.serve(trunk, args, routeMs);
    } finally {
      story.askedMs = Math.round(pbx.clock.monotonic() - askedAt);
    }
    if (how === 'timeout') {
      story.why = 'no-answer-in-time';
      return '';
    }
    const name = trunk.get('CRM_ROUTE_NAME') ?? '';
    if (name !== '') pbx.setVariable(trunk, 'CALLERID(name)', name);
    const number = (trunk.get('CRM_ROUTE_NUMBER') ?? '').trim();
    if (number === '') story.why = 'nobody-responsible';
    return number;
  }

  /** Calls an extension, the queue or a number outside, and notes in the story how it was taken. */
  private async reach(channel: Channel, number: string, story: Story): Promise<Taken> {
    const { dialer, queue } = this.parts;
    story.way = 'responsible';
    story.extension = number;
    story.callerName = channel.caller.name;
    const answered = (extension: string): void => {
      story.extension = extension;
      story.result = 'answered';
    };
    const taken =
      number === supportQueue.extension
        ? await queue.run(channel, (phone) => answered(phone.extension))
        : await dialer.dial(channel, this.target(number) ?? deadTarget(number), () => answered(number));
    story.result = taken;
    return taken;
  }

  /** Where a call goes that no person takes: a greeting, then the end. */
  private async ivr(trunk: Channel): Promise<void> {
    const { pbx, talkMs } = this.parts;
    pbx.execute(trunk, 'Answer', '');
    pbx.setState(trunk, 'Up');
    pbx.execute(trunk, 'Playback', 'demo-congrats');
    await pbx.pause(talkMs, trunk);
    pbx.execute(trunk, 'Hangup', '');
    trunk.hangupCause = 16;
  }

  /** Music as long as the one waits who is held together with this channel; in the end one loses patience. */
  private async hold(channel: Channel): Promise<void> {
    const { pbx, talkMs } = this.parts;
    pbx.execute(channel, 'Answer', '');
    pbx.setState(channel, 'Up');
    pbx.execute(channel, 'StartMusicOnHold', '');
    pbx.tell('MusicOnHoldStart', channel, [['Class', 'default']]);
    const until = pbx.clock.monotonic() + PARK_PATIENCE * talkMs;
    try {
      do {
        pbx.execute(channel, 'Wait', '2');
        await pbx.pause(LOOK_AFTER_MS, channel);
      } while (this.isHeldWithSomebody(channel) && pbx.clock.monotonic() < until);
    } finally {
      pbx.tell('MusicOnHoldStop', channel);
    }
    channel.hangupCause = 16;
  }

  private isHeldWithSomebody(channel: Channel): boolean {
    const other = this.parts.pbx.channels.get(channel.get('TCRM_HELD_WITH') ?? '');
    return other?.get('TCRM_HELD_WITH') === channel.name;
  }
}

/** So often each of two held channels looks whether the other one is still there. */
const LOOK_AFTER_MS = 2000;

/** A call that nobody has taken yet: if it ends now, the caller or a manager ended it. */
export function newStory(): Story {
  return { way: 'usual', result: 'cancelled', askedMs: 0 };
}

function isSlot({ context, exten }: Place): boolean {
  return context === 'parkedcalls' && parkingSlots.includes(Number(exten));
}

function isHold({ context, exten }: Place): boolean {
  return context === 'telephony-crm-hold' && exten === 's';
}
