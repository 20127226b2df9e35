import type { AmiMessage } from '../../ami/types';
import type { TelephonyError } from '../../errors';
import type { AttemptPhase, AttemptResult, Cause, Order } from '../types';
import { lineError } from './errors';
import type { AutocallHeard } from './script';
import { tellsFailure, toldCause, verdictOf } from './verdict';

/** Q.850 "no answer from the user": what `[telephony-crm-autocall-alone]` of the shipped dialplan hangs up with. */
const NOBODY_PRESSED = 19;
/**
 * Q.850 "parameter non-existent or not implemented": what the shipped dialplan hangs up with when it is too late by the clock of the PBX.
 * Asterisk itself gives it to no channel that was answered.
 */
const TOO_LATE = 103;

/** What a tracker must hear: in this order by how often Asterisk sends them. */
export const ATTEMPT_EVENTS = [
  'Newstate',
  'DialBegin',
  'DialState',
  'DialEnd',
  'Newchannel',
  'HangupRequest',
  'Hangup',
  'BridgeEnter',
  'OriginateResponse',
  'LocalOptimizationEnd',
] as const;

const PHASES: readonly AttemptPhase[] = [
  'dialing',
  'ringing',
  'agent-answered',
  'client-ringing',
  'answered',
  'confirmed',
];

/** Whom the first leg dialled. */
interface Leg {
  status: string | undefined;
  cause: Cause | undefined;
}

/** Legs of a ring group, trunks tried one after the other. Beyond it the oldest are forgotten: the last decides. */
const MAX_LEGS = 32;

export interface AttemptOptions {
  readonly channelId: string;
  readonly order: Order;
  readonly onPhase: (phase: AttemptPhase) => void;
  /** Asked once, when the channel of an answered autocall is gone. */
  readonly heard: () => AutocallHeard | 'not-offered' | undefined;
}

/**
 * Follows one try from the events of its channels. Pure: time comes in, wall-clock ms. The first leg is the channel whose
 * Uniqueid is the ChannelId; the client of a click is whomever that channel dials. The try is over when its first leg hangs up; one whose
 * Local channel was optimised away, when one of the two who talk hangs up.
 */
export class AttemptTracker {
  /** How it ended; `undefined` while it goes on. */
  result: AttemptResult | undefined;
  /** Name of the first leg's channel, once known. */
  channel: string | undefined;
  /** We hang it up; why, when it was not asked for. */
  private stopped: { readonly error?: TelephonyError } | undefined;
  private told = -1;
  private begun = false;
  private status: string | undefined;
  private reason: string | undefined;
  /** When the first leg was answered. */
  private upAt: number | undefined;
  /** When the one whom the order is about was: the client; in `plain` the first leg. */
  private answeredAt: number | undefined;
  /** Not all that happened since it was answered was seen. */
  private isPatchy = false;
  /** The far end of the first leg hung up. */
  private asked = false;
  private readonly legs = new Map<string, Leg>();
  private last: Leg | undefined;
  private optimised = false;
  /** The first leg was optimised away; the cause of its end means nothing. */
  private isReplaced = false;
  /** Real channels of this call that were answered. */
  private readonly talking = new Set<string>();

  constructor(private readonly options: AttemptOptions) {}

  get isStopped(): boolean {
    return this.stopped !== undefined;
  }

  /** Takes an event of {@link ATTEMPT_EVENTS} that belongs to this try. */
  apply(event: AmiMessage, at: number): void {
    if (this.result) return;
    switch (event.name) {
      case 'Newchannel':
        if (this.isFirst(event)) this.born(event);
        break;
      case 'Newstate':
        this.stateChanged(event, at);
        break;
      case 'DialBegin':
        if (this.isFirst(event, 'DestUniqueid')) this.begun = true;
        else if (this.isFirst(event)) this.leg(event.get('DestUniqueid'));
        break;
      case 'DialState':
        // Of the client's leg, Newstate may come before the DialBegin that says whose leg it is (measured on 22.10).
        if (this.isFirst(event) && event.get('DialStatus') === 'RINGING') this.clientRings();
        break;
      case 'DialEnd':
        this.dialEnded(event, at);
        break;
      case 'BridgeEnter':
        // A conference, a parked call: the agent is with somebody whom no Dial brought.
        if (this.isFirst(event) && this.upAt !== undefined) this.clientUp(at);
        break;
      case 'HangupRequest':
        if (this.isFirst(event)) this.asked = true;
        break;
      case 'LocalOptimizationEnd':
        this.optimised ||= this.isFirst(event, 'LocalOneUniqueid') || this.isFirst(event, 'LocalTwoUniqueid');
        break;
      case 'Hangup':
        this.hungUp(event, at);
        break;
      case 'OriginateResponse':
        this.responded(event, at);
        break;
    }
  }

  /** The link was down, or an earlier process began it: these are all channels that there are now. */
  resume(rows: readonly AmiMessage[], at: number): void {
    if (this.result) return;
    this.isPatchy = true;
    const { channelId, order } = this.options;
    const group = rows.filter((row) => row.get('Linkedid') === channelId);
    this.talking.clear();
    for (const row of group) if (row.get('ChannelState') === UP) this.talks(row);
    const first = rows.find((row) => this.isFirst(row));
    if (!first) {
      // Two who talk without the first leg: it was a Local channel, optimised away.
      this.isReplaced = order.mode === 'click' && this.talking.size > 1;
      if (!this.isReplaced) this.lost(at);
      else {
        this.firstUp(at);
        this.clientUp(at);
      }
      return;
    }
    this.born(first);
    this.begun = true;
    if (first.get('ChannelState') === RINGING) this.tell('ringing');
    if (first.get('ChannelState') !== UP) return;
    this.firstUp(at);
    if (group.some((row) => row !== first && row.get('ChannelState') === RINGING)) this.clientRings();
    if ((first.get('BridgeId') ?? '') !== '') this.clientUp(at);
  }

  /** 1 was pressed. */
  confirmed(): void {
    if (!this.result) this.tell('confirmed');
  }

  /** We are about to hang it up; `error`: because of that. */
  stop(error?: TelephonyError): void {
    this.stopped ??= error === undefined ? {} : { error };
  }

  /** It is not there any more, and its end was not seen; it may never have begun. */
  lost(at: number): void {
    const isOver = this.answeredAt !== undefined;
    const heard = isOver && this.options.order.mode === 'autocall' ? this.options.heard() : undefined;
    if (typeof heard === 'object') this.end(this.heardResult(heard, at));
    else if (isOver && this.options.order.mode !== 'autocall') this.end(this.answered('answered', undefined, at));
    else this.end({ ...this.ended('failed', 'unknown', undefined, at), error: lineError('LINE_LOST_SIGHT') });
  }

  /** Asterisk did not take it; nothing was dialled. */
  refused(error: TelephonyError, at: number): void {
    this.end({ ...this.ended('failed', 'no', undefined, at), error });
  }

  /** Asterisk took it. */
  accepted(): void {
    if (!this.result) this.tell('dialing');
  }

  private isFirst(event: AmiMessage, header = 'Uniqueid'): boolean {
    return event.get(header) === this.options.channelId;
  }

  private born(event: AmiMessage): void {
    this.channel ??= event.get('Channel');
    this.tell('dialing');
  }

  private stateChanged(event: AmiMessage, at: number): void {
    const state = event.get('ChannelState');
    if (state === UP) this.talks(event);
    if (!this.isFirst(event)) return;
    if (state === RINGING) this.tell('ringing');
    else if (state === UP) this.firstUp(at);
  }

  private dialEnded(event: AmiMessage, at: number): void {
    const status = event.get('DialStatus');
    if (this.isFirst(event, 'DestUniqueid')) {
      this.status = status ?? '';
      if (status === 'ANSWER') this.firstUp(at);
      return;
    }
    if (!this.isFirst(event)) return;
    const leg = this.leg(event.get('DestUniqueid'));
    leg.status = status ?? '';
    if (status === 'ANSWER') this.clientUp(at);
  }

  private responded(event: AmiMessage, at: number): void {
    if (event.get('Response') === 'Success') {
      this.firstUp(at);
      return;
    }
    this.reason = event.get('Reason') ?? '';
    // With a channel its Hangup comes too, which knows why.
    if (this.channel === undefined) this.finish(undefined, at);
  }

  private hungUp(event: AmiMessage, at: number): void {
    const id = event.get('Uniqueid') ?? '';
    const cause = causeOf(event);
    if (this.isFirst(event)) {
      // Whatever was missed before: who was answered once is not called again.
      if (event.get('ChannelState') === UP) this.firstUp(at);
      this.isReplaced = this.optimised && this.answeredAt !== undefined && this.talking.size > 1;
      if (!this.isReplaced) this.finish(cause, at);
      return;
    }
    const leg = this.legs.get(id);
    if (leg) leg.cause = cause;
    if (this.talking.delete(id) && this.isReplaced) this.finish(cause, at);
  }

  private leg(id = ''): Leg {
    let leg = this.legs.get(id);
    if (!leg) {
      for (const oldest of this.legs.keys()) {
        if (this.legs.size < MAX_LEGS) break;
        this.legs.delete(oldest);
      }
      leg = { status: undefined, cause: undefined };
      this.legs.set(id, leg);
    }
    this.last = leg;
    return leg;
  }

  /** A Local channel talks to nobody itself. */
  private talks(event: AmiMessage): void {
    const isLocal = event.get('Channel')?.startsWith('Local/') ?? true;
    if (!isLocal && this.talking.size < MAX_LEGS) this.talking.add(event.get('Uniqueid') ?? '');
  }

  private firstUp(at: number): void {
    if (this.upAt !== undefined) return;
    this.upAt = at;
    this.asked = false;
    if (this.options.order.mode === 'click') this.tell('agent-answered');
    else {
      this.answeredAt = at;
      this.tell('answered');
    }
  }

  private clientRings(): void {
    if (this.options.order.mode === 'click') this.tell('client-ringing');
  }

  private clientUp(at: number): void {
    this.answeredAt ??= at;
    this.tell('answered');
  }

  private tell(phase: AttemptPhase): void {
    const rank = PHASES.indexOf(phase);
    if (rank <= this.told) return;
    this.told = rank;
    this.options.onPhase(phase);
  }

  private end(result: AttemptResult): void {
    this.result ??= result;
  }

  private finish(cause: Cause | undefined, at: number): void {
    if (this.answeredAt !== undefined) this.end(this.finishAnswered(cause, at));
    else if (this.upAt === undefined) this.end(this.finishUnanswered(cause, at));
    else this.end(this.finishWithoutClient(cause, at));
  }

  private finishAnswered(cause: Cause | undefined, at: number): AttemptResult {
    if (this.options.order.mode !== 'autocall') return this.answered('answered', cause, at);
    const heard = this.options.heard();
    if (typeof heard === 'object') return this.heardResult(heard, at, cause);
    const wasCut = this.asked || this.stopped !== undefined;
    const isUnheard = heard === 'not-offered' && !this.isPatchy;
    // Rung and answered he was: to be called once more for nothing is worse than not at all.
    if (!wasCut && (isUnheard || cause?.code === TOO_LATE)) {
      return { ...this.ended('failed', 'yes', undefined, at), error: lineError('LINE_NOTHING_PLAYED'), heard: 0 };
    }
    // We hung it up because it was late: that is what has to be told, whatever he heard in that moment.
    const late = this.stopped?.error;
    if (late) return { ...this.ended('failed', 'yes', cause, at), error: late };
    if (isUnheard) return { ...this.answered('heard-partly', cause, at), heard: 0 };
    // Nobody served it: the dialplan asks by itself, and hangs up with this cause when nobody pressed 1.
    if (this.options.order.prompt !== undefined && cause?.code === NOBODY_PRESSED) {
      return this.ended('no-answer', 'no', cause, at);
    }
    // Nobody served it: Asterisk hangs up by itself after the last file, and then nobody asks for it (measured on 22.10 and 16.28).
    return this.answered(wasCut ? 'heard-partly' : 'answered', cause, at);
  }

  private heardResult(found: AutocallHeard, at: number, cause?: Cause): AttemptResult {
    const { order } = this.options;
    const wasAsked = order.mode === 'autocall' && order.prompt !== undefined;
    const told = { heard: found.heard };
    if (found.machine) return { ...this.ended('machine', 'no', cause, at), ...told };
    if (wasAsked && !found.confirmed) return { ...this.ended('no-answer', 'no', cause, at), ...told };
    const whole = found.confirmed ? 'confirmed' : 'answered';
    return { ...this.answered(found.heard >= found.of ? whole : 'heard-partly', cause, at), ...told };
  }

  /** The first leg was not picked up. */
  private finishUnanswered(cause: Cause | undefined, at: number): AttemptResult {
    if (this.stopped) return this.stoppedResult(this.stopped, cause, at);
    const { order } = this.options;
    const verdict = verdictOf({ begun: this.begun, status: this.status, cause, reason: this.reason });
    // Of a click, busy and no answer are said of the client: here he was never called.
    const result = this.ended(order.mode === 'click' ? 'failed' : verdict, 'no', cause, at, verdict);
    if (order.mode === 'click') return { ...result, error: agentError(verdict, order.extension) };
    return this.channel === undefined ? { ...result, error: lineError('LINE_UNREACHABLE') } : result;
  }

  /** The agent picked up, the client did not. */
  private finishWithoutClient(cause: Cause | undefined, at: number): AttemptResult {
    if (this.stopped) return this.stoppedResult(this.stopped, cause, at);
    const { last } = this;
    const gaveUp = this.asked && (last?.status === undefined || last.status === 'CANCEL');
    if (gaveUp) return this.ended('cancelled', 'no', cause, at);
    if (last) {
      return this.ended(verdictOf({ begun: true, ...last }), 'no', last.cause ?? cause, at);
    }
    if (cause?.code === TOO_LATE && !this.asked) {
      return { ...this.ended('failed', 'no', undefined, at), error: lineError('LINE_TOO_LATE') };
    }
    // A trunk that is down gives no Dial events, only its cause (measured on 22.10 and 16.28).
    if (tellsFailure(cause)) return this.ended(verdictOf({ begun: false, cause }), 'no', cause, at);
    const { order } = this.options;
    const extension = order.mode === 'click' ? order.extension : '';
    return {
      ...this.ended('failed', 'unknown', cause, at),
      error: lineError('LINE_NOBODY_DIALLED', { extension }),
    };
  }

  private stoppedResult({ error }: { readonly error?: TelephonyError }, cause: Cause | undefined, at: number) {
    return error ? { ...this.ended('failed', 'no', cause, at), error } : this.ended('cancelled', 'no', cause, at);
  }

  private answered(outcome: AttemptResult['outcome'], cause: Cause | undefined, at: number): AttemptResult {
    return this.ended(outcome, 'yes', cause, at);
  }

  private ended(
    outcome: AttemptResult['outcome'],
    reached: AttemptResult['reached'],
    cause: Cause | undefined,
    endedAt: number,
    meaning: string = outcome,
  ): AttemptResult {
    const told = reached === 'unknown' ? undefined : toldCause(cause, meaning);
    return {
      outcome,
      reached,
      ...(told === undefined ? {} : { cause: told }),
      ...(this.channel === undefined ? {} : { callId: this.options.channelId }),
      ...(this.answeredAt === undefined ? {} : { answeredAt: this.answeredAt }),
      endedAt,
    };
  }
}

/** `ChannelState`: the same numbers in all versions. */
const RINGING = '5';
const UP = '6';

const AGENT_ERRORS = {
  busy: 'LINE_AGENT_BUSY',
  'no-answer': 'LINE_AGENT_NO_ANSWER',
  failed: 'LINE_AGENT_UNREACHABLE',
} as const;

function agentError(verdict: keyof typeof AGENT_ERRORS, extension: string): TelephonyError {
  return lineError(AGENT_ERRORS[verdict], { extension });
}

function causeOf(event: AmiMessage): Cause | undefined {
  const code = event.get('Cause');
  if (code === undefined || !/^\d{1,3}$/.test(code)) return undefined;
  return { code: Number(code), text: (event.get('Cause-txt') ?? '').slice(0, 80) };
}
