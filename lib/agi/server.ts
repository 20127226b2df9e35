import type { AmiClient, AmiMessage } from '../ami/types';
import type { Clock } from '../clock';
import type { TelephonyError } from '../errors';
import { asError } from '../errors';
import { answerAsyncAgi, isForUs, readAsyncAgiStart, readChannelRow } from '../protocols/async-agi';
import type { AsyncAgiAnswer, AsyncAgiCall } from '../protocols/async-agi';
import type { RouteAnswer, RouteQuestion } from '../protocols/types';
import { agiError, scanProblem } from './errors';
import { Turns } from '../turns';

/** One channel that waits in the dialplan for its route. */
export interface WaitingCall {
  readonly question: RouteQuestion;
  /**
   * Tells the channel where to go and lets it go; only the first call counts. Throws `PROTOCOL_UNSAFE_EXTENSION`, and has then
   * let it go its normal way.
   */
  answer(answer: RouteAnswer): void;
  /** Calls `handler` when the channel is gone before it was answered. */
  onGone(handler: () => void): void;
}

export interface AgiServerOptions {
  readonly client: AmiClient;
  /** The first argument of `AGI(agi:async,<tag>)` of the channels that are ours. */
  readonly tag: string;
  readonly clock: Clock;
  /** How many channels may wait at once; one more is let go unasked. */
  readonly limit: number;
  /** A channel asks. `false`: nobody can take the question; it is let go at once. */
  readonly onCall: (call: WaitingCall) => boolean;
  /** What an operator should know; the same may be told often. */
  readonly onProblem: (error: TelephonyError) => void;
}

/** A channel from its question until it has left AsyncAGI. */
interface Channel {
  readonly name: string;
  readonly uniqueid: string;
  /** Its AsyncAGIStart was seen; one found by looking for waiting channels may still have it on the way. */
  started: boolean;
  answered: boolean;
  gone: (() => void) | undefined;
}

const nobody: RouteAnswer = { found: false };

/** How often a channel that Asterisk did not let go is tried again, and how long between the tries. */
const TRIES = 3;
const AGAIN_MS = 500;
/** Asterisk answers these two at once; one that does not is tried again. */
const ACTION_WITHIN_MS = 3000;
/** Closing waits this long for the channels to be gone; what was sent is on its way all the same. */
const CLOSE_WITHIN_MS = 1500;
/** More channels than can end while one list comes; beyond it the oldest names are forgotten. */
const MAX_ENDED = 10_000;

/** Channels being let go at once: with four actions each they stay below what the link lets wait for answers (1000). */
const MAX_AT_ONCE = 150;
/** Channels that wait for that; beyond it the dialplan's own guard must free them. */
const MAX_IN_LINE = 10_000;

/** One look for the waiting channels. */
interface Scan {
  /** Names of channels that left AsyncAGI since it began: its rows may be older than that. */
  readonly ended: Set<string>;
  /** It was asked for again meanwhile: what it brings may be older than the asking. */
  again: boolean;
}

/**
 * Answers the dialplan's `AGI(agi:async,<tag>)` over the manager link. Every channel of ours is asked about once and let go
 * once, also those that waited before we came: after each login the waiting channels are looked for. Which of them were
 * answered is forgotten when they leave AsyncAGI (`AsyncAGIEnd`, sent on a break as well as on a hang-up).
 */
export class AgiServer {
  private readonly channels = new Map<string, Channel>();
  private readonly sending = new Set<Promise<void>>();
  private readonly turns = new Turns(MAX_AT_ONCE, MAX_IN_LINE);
  private readonly asking: readonly (() => void)[];
  private readonly ending: readonly (() => void)[];
  private scan: Scan | undefined;
  private session = -1;
  private closed = false;
  private whenLeft: (() => void) | undefined;

  constructor(private readonly options: AgiServerOptions) {
    const { client } = options;
    this.asking = [
      client.subscribe(['AsyncAGIStart'], (event) => this.onStart(event)),
      client.onState((state) => {
        if (state.phase === 'ready') this.onLogin(state.session);
      }),
    ];
    this.ending = [
      client.subscribe(['AsyncAGIEnd', 'Hangup'], (event) => this.heardEnd(event)),
      client.onState((state) => {
        if (state.phase !== 'ready') this.whenLeft?.();
      }),
    ];
    if (client.state.phase === 'ready') this.onLogin(client.state.session);
  }

  /** How many channels wait for an answer. */
  get waiting(): number {
    let count = 0;
    for (const channel of this.channels.values()) if (!channel.answered) count += 1;
    return count;
  }

  /**
   * Takes no more, lets every waiting channel go its normal way, and waits until they are back in the dialplan: whoever looks for
   * waiting channels after that does not find ours again. Settles within 1.5 s; idempotent.
   */
  async close(): Promise<void> {
    if (!this.closed) {
      this.closed = true;
      for (const end of this.asking) end();
      for (const channel of this.channels.values()) if (!channel.answered) this.release(channel, nobody);
    }
    await new Promise<void>((resolve) => {
      const timer = this.options.clock.after(CLOSE_WITHIN_MS, resolve);
      void this.allLeft().then(() => {
        timer.cancel();
        resolve();
      });
    });
    for (const end of this.ending) end();
    this.channels.clear();
  }

  /** Resolves when nothing is on its way any more and no channel is known; with the link down nothing more will be heard of them. */
  private async allLeft(): Promise<void> {
    await Promise.all(this.sending);
    if (this.channels.size === 0 || this.options.client.state.phase !== 'ready') return;
    await new Promise<void>((resolve) => (this.whenLeft = resolve));
  }

  private onLogin(session: number): void {
    if (session === this.session) return;
    this.session = session;
    void this.findWaiting();
  }

  private onStart(event: AmiMessage): void {
    const call = readAsyncAgiStart(event);
    if (!call) return;
    if (!isForUs(call, this.options.tag)) {
      // Asterisk may have cut the arguments off: then only the row of the channel tells whose it is.
      if (call.cut) void this.findWaiting();
      return;
    }
    const known = this.channels.get(call.channel);
    if (known?.started === false) {
      known.started = true;
      return;
    }
    // Its end was missed, so the channel is here a second time.
    if (known) this.onEnd(call.channel);
    this.take(call, true);
  }

  /** Text from a caller can become a whole event, but not one with the Uniqueid of somebody else's channel. */
  private heardEnd(event: AmiMessage): void {
    const name = event.get('Channel');
    const known = this.channels.get(name ?? '');
    const isItsOwn = !known?.uniqueid || known.uniqueid === event.get('Uniqueid');
    if (name !== undefined && isItsOwn) this.onEnd(name);
  }

  private onEnd(name: string): void {
    if (this.scan) remember(this.scan.ended, name);
    const channel = this.channels.get(name);
    if (!channel) return;
    this.forget(channel);
    if (!channel.answered) channel.gone?.();
    channel.answered = true;
  }

  private forget(channel: Channel): void {
    this.channels.delete(channel.name);
    if (this.channels.size === 0) this.whenLeft?.();
  }

  /** Looks for the channels that wait without our having heard their start; asked for while it looks, it looks once more. */
  private async findWaiting(): Promise<void> {
    if (this.scan) {
      this.scan.again = true;
      return;
    }
    let again = true;
    while (again && !this.closed) {
      const scan: Scan = (this.scan = { ended: new Set(), again: false });
      await this.look(scan);
      ({ again } = scan);
    }
    this.scan = undefined;
  }

  /** Asks about the channels that wait, and forgets those whose end went unheard. */
  private async look(scan: Scan): Promise<void> {
    const { client, tag, onProblem } = this.options;
    const before = [...this.channels.values()];
    let rows: AmiMessage[];
    try {
      rows = await client.list({ action: 'CoreShowChannels' });
    } catch (thrown) {
      const error = asError(thrown);
      if (client.state.phase === 'ready' && !this.closed && !scan.again) onProblem(scanProblem(error));
      return;
    }
    if (this.closed) return;
    const waiting = rows.map((row) => readChannelRow(row)).filter((call) => call !== undefined);
    const names = new Set(waiting.map((call) => call.channel));
    for (const channel of before) {
      // By now another channel may have the name.
      if (!names.has(channel.name) && this.channels.get(channel.name) === channel) this.onEnd(channel.name);
    }
    for (const call of waiting) {
      const isNew = !this.channels.has(call.channel) && !scan.ended.has(call.channel);
      if (isNew && isForUs(call, tag)) this.take(call, false);
    }
  }

  private take(call: AsyncAgiCall, started: boolean): void {
    const { limit, onCall, onProblem } = this.options;
    const channel: Channel = { name: call.channel, uniqueid: call.uniqueid, started, answered: false, gone: undefined };
    if (this.channels.size >= limit) {
      onProblem(agiError('AGI_TOO_MANY', { limit }));
      this.release(channel, nobody);
      return;
    }
    this.channels.set(channel.name, channel);
    const taken = onCall({
      question: call.question,
      answer: (answer) => this.release(channel, answer),
      onGone: (handler) => (channel.gone = handler),
    });
    if (!taken) this.release(channel, nobody);
  }

  private release(channel: Channel, answer: RouteAnswer): void {
    if (channel.answered) return;
    channel.answered = true;
    let told: AsyncAgiAnswer;
    try {
      told = answerAsyncAgi(answer);
    } catch (thrown) {
      this.send(channel, answerAsyncAgi(nobody));
      throw thrown;
    }
    this.send(channel, told);
  }

  private send(channel: Channel, answer: AsyncAgiAnswer): void {
    if (this.turns.isFull) return;
    const sending = this.turns.run(() => this.letGo(channel, answer)).finally(() => this.sending.delete(sending));
    this.sending.add(sending);
  }

  /**
   * Sets the variables and lets the channel go, all in one go: a session of Asterisk carries its actions out in the order
   * in which they come, so the break need not wait for the answers (three commands of AGI would take 300 ms).
   */
  private async letGo(channel: Channel, answer: AsyncAgiAnswer): Promise<void> {
    const { client, clock } = this.options;
    for (let left = TRIES; left > 0; left -= 1) {
      const tell = (action: string, headers: Record<string, string>): Promise<AmiMessage> =>
        client.action({ action, headers: { Channel: channel.name, ...headers } }, { timeoutMs: ACTION_WITHIN_MS });
      const set = answer.variables.map(({ name, value }) => tell('Setvar', { Variable: name, Value: value }));
      const go = tell('AGI', { Command: answer.command });
      const [result, ...sets] = await Promise.allSettled([go, ...set]);
      this.report(channel, sets);
      if (result.status === 'fulfilled' && result.value.name !== 'Error') return;
      const why = result.status === 'fulfilled' ? (result.value.get('Message') ?? '') : asError(result.reason);
      if (this.isOver(channel, why, left)) return;
      await new Promise<void>((resolve) => clock.after(AGAIN_MS, resolve));
    }
  }

  /** Is there nothing more to try for a channel that could not be let go? Tells the operator when he must know. */
  private isOver(channel: Channel, why: string | Error, left: number): boolean {
    const { client, onProblem } = this.options;
    if (client.state.phase !== 'ready') {
      // The link is down: after the next login the channel is found waiting, and is asked about again.
      if (this.channels.get(channel.name) === channel) this.forget(channel);
      return true;
    }
    const known = this.channels.get(channel.name) === channel;
    if (!known) return true;
    if (this.closed) {
      this.forget(channel);
      return true;
    }
    const reason = why instanceof Error ? why.message : why;
    if (/permission denied/i.test(reason)) onProblem(agiError('AGI_PERMISSION', { action: 'AGI', permission: 'agi' }));
    else if (left > 1) return false;
    else onProblem(agiError('AGI_NOT_RELEASED', { channel: channel.name, reason }));
    this.forget(channel);
    return true;
  }

  /** A variable that could not be set leaves the call on its normal way; only a missing permission is worth a word. */
  private report(channel: Channel, sets: readonly PromiseSettledResult<AmiMessage>[]): void {
    const denied = sets.some(
      (set) => set.status === 'fulfilled' && /permission denied/i.test(set.value.get('Message') ?? ''),
    );
    if (denied && this.channels.has(channel.name)) {
      this.options.onProblem(agiError('AGI_PERMISSION', { action: 'Setvar', permission: 'call' }));
    }
  }
}

function remember(names: Set<string>, name: string): void {
  for (const oldest of names) {
    if (names.size < MAX_ENDED) break;
    names.delete(oldest);
  }
  names.add(name);
}
