import type { AmiAction, AmiClient, AmiMessage } from '../../ami/types';
import type { Clock, Timer } from '../../clock';
import { asError, TelephonyError } from '../../errors';
import type { Log } from '../../log';
import type { Attempt, AttemptPhase, AttemptResult, DialLine, Order } from '../types';
import { ATTEMPT_EVENTS } from './attempt';
import { lineError } from './errors';
import { objectionTo, originateFor, type OriginateSettings, trunkOf } from './originate';
import { Pulse } from './pulse';
import { ageOf, rowsById } from './rows';
import { Try } from './try';

/** What the store knows of the orders whose channels are ours. */
export interface OrdersInAir {
  /**
   * Whether a try that a store of this name has begun is over, whoever dialled it. `false` when the store has another name by now: it was
   * found to be another file, and knows nothing of calls of before. Waits until the store can be read.
   */
  isOver(store: string, orderId: number, attempt: number): Promise<boolean>;
}

export interface AmiLineOptions extends OriginateSettings {
  /** Whoever made it closes it. */
  readonly client: AmiClient;
  readonly clock: Clock;
  readonly log: Log;
  /** With it, channels of orders that are over are found and hung up. */
  readonly orders?: OrdersInAir;
}

/** More than any dialler asks for at once (256 each). */
const MAX_TRIES = 1024;
/** How long after a failed look at the channels the next one comes. */
const LOOK_AGAIN_MS = 2000;

/**
 * Dials over AMI. One set of subscriptions serves all tries. The user needs `call` in read=, and `originate`, `call` and
 * `reporting` in write=.
 */
export function createAmiLine(options: AmiLineOptions): DialLine {
  return new AmiLine(options);
}

class AmiLine implements DialLine {
  private readonly tries = new Map<string, Try>();
  private readonly readyHandlers = new Set<{ readonly handler: (isReady: boolean) => void }>();
  private readonly pulse: Pulse;
  private readonly ends: readonly (() => void)[];
  private wasReady: boolean;
  private session = -1;
  private isLooking = false;
  /** Asked for while a look was going on: what that one brings may be older. */
  private isLookWanted = false;
  private lookAgain: Timer | undefined;
  /** It was told in this session that a look failed, or a permission is missing. */
  private hasWarned = false;
  private isClosed = false;
  /** Channels of nobody here, of which the store is being asked. */
  private readonly checked = new Set<string>();

  constructor(private readonly options: AmiLineOptions) {
    const { client, clock, script } = options;
    this.pulse = new Pulse(client, clock, () => this.tellReady());
    this.wasReady = this.pulse.isAlive;
    this.ends = [
      client.subscribe(ATTEMPT_EVENTS, (event) => this.onEvent(event)),
      client.onState(() => this.onState()),
      ...(script
        ? [
            script.attach(
              client,
              (id) => this.tries.get(id)?.tracker.confirmed(),
              (id) => this.tries.has(id),
            ),
          ]
        : []),
    ];
    this.onState();
  }

  get isReady(): boolean {
    return this.pulse.isAlive;
  }

  onReady(handler: (isReady: boolean) => void): () => void {
    const entry = { handler };
    this.readyHandlers.add(entry);
    return () => void this.readyHandlers.delete(entry);
  }

  objection(order: Order): TelephonyError | undefined {
    return objectionTo(order, this.options);
  }

  trunkOf(order: Order): string {
    return trunkOf(order, this.options);
  }

  async dial(attempt: Attempt, onPhase: (phase: AttemptPhase) => void): Promise<AttemptResult> {
    const known = this.tries.get(attempt.channelId);
    if (known) return known.ended;
    const one = new Try(attempt, (phase) => this.tell(() => onPhase(phase)), this.options.script);
    const objection = this.objection(attempt.order);
    if (objection) one.tracker.refused(objection, this.now());
    else if (this.isClosed) this.notSent(one, lineError('LINE_CLOSED'));
    else if (this.tries.size >= MAX_TRIES) this.notSent(one, lineError('LINE_FULL', { limit: MAX_TRIES }));
    else {
      this.tries.set(attempt.channelId, one);
      await this.send(one);
    }
    this.settle(one);
    return one.ended;
  }

  async takeUp(
    attempts: readonly Attempt[],
    onPhase: (attempt: Attempt, phase: AttemptPhase) => void,
    onResult: (attempt: Attempt, result: AttemptResult) => void,
  ): Promise<void> {
    if (this.isClosed) return;
    const taken: Try[] = [];
    for (const attempt of attempts) {
      const known = this.tries.get(attempt.channelId);
      const one = known ?? new Try(attempt, (phase) => this.tell(() => onPhase(attempt, phase)), this.options.script);
      void one.ended.then((result) => {
        // Closed, it goes on in the air: whoever comes next has to settle it.
        if (!this.isClosed) this.tell(() => onResult(attempt, result));
      });
      if (known) continue;
      one.isSent = true;
      one.isUnsure = true;
      this.tries.set(attempt.channelId, one);
      taken.push(one);
    }
    this.look();
    await Promise.all(taken.map((one) => one.judged));
  }

  cancel(channelId: string): void {
    const one = this.tries.get(channelId);
    if (!one) return;
    one.tracker.stop();
    if (one.isSent) this.hangUp(channelId);
  }

  close(): Promise<void> {
    if (this.isClosed) return Promise.resolve();
    this.isClosed = true;
    for (const end of this.ends) end();
    this.lookAgain?.cancel();
    this.pulse.close();
    this.readyHandlers.clear();
    const error = lineError('LINE_CLOSED');
    for (const one of this.tries.values()) {
      one.end({ outcome: 'failed', reached: one.isSent ? 'unknown' : 'not-sent', error, endedAt: this.now() });
    }
    this.tries.clear();
    return Promise.resolve();
  }

  private now(): number {
    return this.options.clock.now();
  }

  /** Sends the Originate, when Asterisk is there to carry it out now. */
  private async send(one: Try): Promise<void> {
    const { client } = this.options;
    const { attempt, tracker } = one;
    try {
      await this.pulse.ensure();
    } catch (thrown) {
      this.notSent(one, telephonyError(thrown));
      return;
    }
    if (this.isClosed) return;
    if (tracker.isStopped) this.notSent(one, undefined);
    else if (this.now() >= attempt.dialBefore) this.notSent(one, lineError('LINE_TOO_LATE'));
    else {
      let action: AmiAction;
      try {
        action = originateFor(attempt, this.options, this.pulse.pbxTime(attempt.dialBefore));
      } catch (thrown) {
        tracker.refused(telephonyError(thrown), this.now());
        return;
      }
      one.isSent = true;
      client.action(action).then(
        (answer) => this.onAnswer(one, answer),
        (thrown: unknown) => this.onNoAnswer(one, telephonyError(thrown)),
      );
    }
  }

  /** Nothing has reached the PBX; without an error it was cancelled before. */
  private notSent(one: Try, error: TelephonyError | undefined): void {
    const outcome = error ? 'failed' : 'cancelled';
    this.tries.delete(one.attempt.channelId);
    one.end({ outcome, reached: 'not-sent', ...(error ? { error } : {}), endedAt: this.now() });
  }

  private onAnswer(one: Try, answer: AmiMessage): void {
    this.pulse.beat();
    // An error that speaks against a channel that is there is none of this try.
    if (answer.name === 'Error' && one.tracker.channel === undefined) {
      const message = answer.get('Message') ?? '';
      const error = isDenied(message)
        ? lineError('LINE_PERMISSION', { action: 'Originate', permission: 'originate' })
        : lineError('LINE_REFUSED', { message });
      one.tracker.refused(error, this.now());
    } else one.tracker.accepted();
    this.settle(one);
  }

  private onNoAnswer(one: Try, error: TelephonyError): void {
    if (['AMI_NOT_CONNECTED', 'AMI_TOO_MANY_PENDING'].includes(error.code)) this.notSent(one, error);
    // The same order would be refused again: the try counts.
    else if (error.code === 'AMI_BAD_VALUE') one.tracker.refused(error, this.now());
    else if (one.tracker.channel === undefined) {
      one.isUnsure = true;
      this.look();
    }
    this.settle(one);
  }

  private onEvent(event: AmiMessage): void {
    const tries = this.triesOf(event);
    for (const one of tries) this.apply(one, event);
    if (tries.size === 0 && event.name === 'Newchannel') this.checkStray(event);
  }

  private apply(one: Try, event: AmiMessage): void {
    const { tracker, attempt } = one;
    const wasBorn = tracker.channel !== undefined;
    tracker.apply(event, this.now());
    if (!wasBorn && tracker.channel !== undefined) {
      if (this.now() >= attempt.dialBefore) tracker.stop(lineError('LINE_TOO_LATE'));
      if (tracker.isStopped) this.hangUp(attempt.channelId);
    }
    this.settle(one);
  }

  /**
   * OriginateResponse has no Linkedid; a transfer can give the first leg another one: that of another try when an agent joins two clients
   * whom he has both clicked.
   */
  private triesOf(event: AmiMessage): ReadonlySet<Try> {
    const found = new Set<Try>();
    if (this.tries.size === 0) return found;
    for (const header of EVENT_KEYS) {
      const id = event.get(header);
      const one = id === undefined ? undefined : this.tries.get(id);
      if (one) found.add(one);
    }
    return found;
  }

  private settle(one: Try): void {
    const { result } = one.tracker;
    if (!result) return;
    const { channelId } = one.attempt;
    if (this.tries.get(channelId) === one) this.tries.delete(channelId);
    one.end(result);
  }

  private hangUp(channel: string): void {
    const { client } = this.options;
    // By Uniqueid as well as by name (measured on 22.10 and 16.28). What is not there yet is hung up when it comes.
    client.action({ action: 'Hangup', headers: { Channel: channel, Cause: NORMAL_CLEARING } }).then(
      (answer) => {
        if (isDenied(answer.get('Message') ?? '')) {
          this.warnOnce(lineError('LINE_PERMISSION', { action: 'Hangup', permission: 'call' }));
        }
      },
      // With the link down, the look after the next login finds it, and hangs it up again.
      () => undefined,
    );
  }

  private onState(): void {
    const { phase, session } = this.options.client.state;
    this.pulse.linkChanged();
    if (phase === 'ready' && session !== this.session) {
      this.session = session;
      this.hasWarned = false;
      for (const one of this.tries.values()) one.isUnsure ||= one.isSent;
      this.look();
    }
    this.tellReady();
  }

  private tellReady(): void {
    if (this.isReady === this.wasReady) return;
    this.wasReady = this.isReady;
    for (const { handler } of [...this.readyHandlers]) this.tell(() => handler(this.wasReady));
  }

  /** Looks at all channels, for the tries whose state is not known and for channels of orders that are over. */
  private look(): void {
    this.lookAgain?.cancel();
    if (this.isLooking) {
      this.isLookWanted = true;
      return;
    }
    const unsure = [...this.tries.values()].filter((one) => one.isUnsure);
    const isNeeded = unsure.length > 0 || this.options.orders !== undefined;
    if (this.isClosed || this.options.client.state.phase !== 'ready' || !isNeeded) return;
    this.isLooking = true;
    this.isLookWanted = false;
    void this.lookFor(unsure).finally(() => {
      this.isLooking = false;
      if (this.isLookWanted) this.look();
    });
  }

  private async lookFor(unsure: readonly Try[]): Promise<void> {
    const { client, clock } = this.options;
    const unborn = new Set(unsure.filter((one) => one.tracker.channel === undefined));
    let rows: AmiMessage[];
    try {
      rows = await client.list({ action: 'CoreShowChannels' });
    } catch (thrown) {
      if (this.isClosed || client.state.phase !== 'ready') return;
      this.warnOnce(lineError('LINE_SCAN_FAILED', { reason: asError(thrown).message }, thrown));
      this.lookAgain = clock.after(LOOK_AGAIN_MS, () => this.look());
      return;
    }
    if (this.isClosed) return;
    this.pulse.beat();
    const rowsOf = rowsById(rows, (id) => this.tries.has(id));
    for (const one of unsure) {
      const { channelId } = one.attempt;
      const own = rowsOf.get(channelId) ?? [];
      const isListed = own.some((row) => row.get('Uniqueid') === channelId);
      // It came while the list was made.
      if (unborn.has(one) && one.tracker.channel !== undefined && !isListed) this.isLookWanted = true;
      else this.judge(one, own);
    }
    for (const row of rows) this.checkStray(row);
  }

  /** @param rows the channels of this try */
  private judge(one: Try, rows: readonly AmiMessage[]): void {
    const { tracker, attempt } = one;
    tracker.resume(rows, this.now());
    if (!tracker.result) {
      one.sure();
      const first = rows.find((row) => row.get('Uniqueid') === attempt.channelId);
      if (first && this.now() - ageOf(first) >= attempt.dialBefore) tracker.stop(lineError('LINE_TOO_LATE'));
      if (tracker.isStopped) this.hangUp(attempt.channelId);
    }
    this.settle(one);
  }

  /** A channel of an order that is over: an Originate that a frozen PBX carried out when it thawed. */
  private checkStray(event: AmiMessage): void {
    const { orders, log, client } = this.options;
    const id = event.get('Uniqueid') ?? '';
    const [, store, orderId, attempt] = CHANNEL_ID.exec(id) ?? [];
    if (!orders || store === undefined || this.tries.has(id) || this.checked.size >= MAX_TRIES) return;
    if (this.checked.has(id)) return;
    this.checked.add(id);
    orders
      .isOver(store, Number(orderId), Number(attempt))
      .then(
        (isOver) => {
          if (!isOver || this.isClosed || this.tries.has(id) || client.state.phase !== 'ready') return;
          log.warn(lineError('LINE_STRAY', { channel: id }));
          this.hangUp(id);
        },
        (thrown: unknown) => log.debug(`${id} may belong to an order that is over: ${asError(thrown).message}`),
      )
      .finally(() => this.checked.delete(id));
  }

  /** What fails at the one who is told must not end the process. */
  private tell(say: () => void): void {
    try {
      say();
    } catch (thrown) {
      this.options.log.warn(`A handler of calls out failed: ${String(thrown)}`);
    }
  }

  private warnOnce(error: TelephonyError): void {
    if (this.hasWarned) return;
    this.hasWarned = true;
    this.options.log.warn(error);
  }
}

/** Where an event says to which try it belongs. */
const EVENT_KEYS = ['Linkedid', 'Uniqueid', 'DestLinkedid', 'DestUniqueid', 'LocalOneUniqueid', 'LocalTwoUniqueid'];
const NORMAL_CLEARING = 16;
/** Of a first leg: `tcrm-<store>-<order>-<try>`. */
const CHANNEL_ID = /^tcrm-([0-9a-z]{8})-(\d{1,10})-(\d{1,4})$/;

const isDenied = (message: string): boolean => /permission denied|access forbidden|blacklisted/i.test(message);

function telephonyError(thrown: unknown): TelephonyError {
  return thrown instanceof TelephonyError ? thrown : lineError('LINE_SILENT', {}, thrown);
}
