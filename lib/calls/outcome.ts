import type { CallResult, Hangup } from '../messages/types';
import { causeText } from './causes';
import { dialerOf, isOriginated, legsOf } from './conversation';
import type { Roles } from './roles';
import type { CallState, ChannelState } from './state';

const ANSWERED_ELSEWHERE = 26;
const BUSY = 17;
const DECLINED = 21;
const FORWARDED = 23;
const NORMAL = 16;
/** Rang out, does not answer; 480 of SIP comes as 19. */
const NO_ANSWER = [18, 19, DECLINED];

export interface Outcome {
  readonly result: CallResult;
  readonly hangup: Hangup;
}

/**
 * Was the called party busy, or did it decline, by its own phone? Such a phone asks for the hang-up itself; another that the same
 * Dial rang, and that only stopped ringing, may be left with the same cause (measured on 22.10 and 16.28).
 */
function refused({ upAt, askedAt, dialEnd, cause }: ChannelState): boolean {
  if (upAt !== undefined) return false;
  return dialEnd === 'BUSY' || ((cause === BUSY || cause === DECLINED) && (askedAt !== undefined || !dialEnd));
}

/** The cause of a leg, without one that it has from another. */
function ownCause(leg: ChannelState): number | undefined {
  const isForeign = leg.upAt === undefined && (leg.cause === BUSY || leg.cause === DECLINED) && !refused(leg);
  return isForeign ? undefined : leg.cause;
}

/** Asterisk 16 and 22 differ in what they give when nothing is known: somebody gave up, or time ran out. */
function normalCause(cause: number | undefined, somebodyHungUp: boolean): number {
  if (cause === undefined || cause === 0 || cause === 127) return somebodyHungUp ? NORMAL : 19;
  return cause;
}

const hangup = (code: number, by: NonNullable<Hangup['by']>): Hangup => ({ code, text: causeText(code), by });

/**
 * It was lifted and hung up again before it had the client: while it was asked whether it takes the call. Asterisk may take that for
 * an answer, stop the other phones and hang up the caller (measured on 22.10 and 16.28).
 */
function hungUpUnheard({ upAt, askedAt = Infinity, leg }: ChannelState, caller: ChannelState | undefined): boolean {
  return upAt !== undefined && leg?.answeredAt === undefined && askedAt < (caller?.askedAt ?? Infinity);
}

/** The leg that was dialled, not taken by another and not sent on: the last of them decides. */
function decidingLeg(call: CallState, legs: readonly ChannelState[]): ChannelState | undefined {
  const stayed = legs.filter(({ forwarded, cause }) => !forwarded && cause !== FORWARDED);
  return stayed.filter((leg) => !lostToAnother(call, leg)).at(-1) ?? stayed.at(-1);
}

/** What a dialled party that was not reached did: the words of outgoing and internal calls. */
function unreached(called: ChannelState, caller: ChannelState | undefined): CallResult {
  const cause = ownCause(called);
  if (called.dialEnd === 'BUSY' || cause === BUSY) return 'busy';
  const wasWithdrawn = called.dialEnd === 'CANCEL' || called.dialEnd === undefined;
  if (wasWithdrawn && caller?.askedAt !== undefined) return 'cancelled';
  if (cause !== undefined && NO_ANSWER.includes(cause)) return 'no-answer';
  // A Dial that timed out: no cause of its own (measured: 0, on 16 also 127).
  const isUnknown = cause === undefined || [0, NORMAL, 127].includes(cause);
  return isUnknown && (wasWithdrawn || called.dialEnd === 'NOANSWER') ? 'no-answer' : 'failed';
}

/** Result and end of a whole call, when it is over. */
export function outcomeOf(call: CallState, roles: Roles): Outcome {
  if (call.answeredAt !== undefined) return answered(call, roles);
  return roles.direction === 'in' ? missed(call, roles) : failedCall(call, roles);
}

/** The leg of the called party decided: in an incoming call the one of ours who had the client last. */
function answered(call: CallState, { direction, client, subject }: Roles): Outcome {
  const talker = call.lastTalker === undefined ? undefined : call.channels[call.lastTalker];
  const called = direction === 'out' ? client : (talker ?? subject);
  return { result: 'answered', hangup: hangup(normalCause(called?.cause, true), call.endedBy ?? 'system') };
}

function missed(call: CallState, { client }: Roles): Outcome {
  const gaveUp = client?.askedAt !== undefined;
  if (call.voicemail) {
    return { result: 'voicemail', hangup: hangup(normalCause(client?.cause, true), gaveUp ? 'client' : 'system') };
  }
  const deciding = decidingLeg(
    call,
    legsOf(call).filter(({ incoming }) => !incoming),
  );
  const hasRefused = deciding !== undefined && (refused(deciding) || hungUpUnheard(deciding, client));
  // In a queue an agent that was busy is passed over: what became of the call is for the queue and the caller to say.
  const wasSkipped = hasRefused && call.queue !== undefined;
  const cause = deciding ? (wasSkipped ? undefined : ownCause(deciding)) : client?.cause;
  const by = hasRefused && !wasSkipped ? 'extension' : gaveUp ? 'client' : 'system';
  return { result: call.abandoned ? 'abandoned' : 'missed', hangup: hangup(normalCause(cause, gaveUp), by) };
}

function failedCall(call: CallState, { direction, client, caller }: Roles): Outcome {
  const hungUp = caller?.askedAt !== undefined;
  const called =
    client ??
    (direction === 'out'
      ? undefined
      : decidingLeg(
          call,
          legsOf(call).filter((leg) => leg !== caller),
        ));
  // Nobody was dialled but the phone that an order or the caller lifts, or should have.
  if (!called) {
    const hasRefused = caller !== undefined && refused(caller);
    const code = normalCause(caller?.cause, hungUp && !hasRefused);
    return { result: 'failed', hangup: hangup(code, hasRefused || hungUp ? 'extension' : 'system') };
  }
  const result = unreached(called, caller);
  const theirs = direction === 'out' ? 'client' : 'extension';
  const by = refused(called) ? theirs : result === 'cancelled' ? 'extension' : 'system';
  return { result, hangup: hangup(normalCause(ownCause(called), result === 'cancelled'), by) };
}

/** Who ended a conversation that this phone had; whoever handed the client over ended it himself. */
function endOfTalk(call: CallState, { client, direction }: Roles, leg: ChannelState): NonNullable<Hangup['by']> {
  const colleague = direction === 'internal' && legsOf(call).some(({ askedAt }) => askedAt !== undefined);
  if (leg.askedAt !== undefined || leg.leg?.handedOver === true || colleague) return 'extension';
  return client?.askedAt === undefined ? 'system' : 'client';
}

/**
 * Somebody else of the group has the call. A phone that was up, hearing that it may take the call by a key, ends by the dialplan
 * with cause 16: only the Local channel that rang it is told why (measured on 22.10 and 16.28).
 */
function lostToAnother(call: CallState, leg: ChannelState): boolean {
  if (leg.cause === ANSWERED_ELSEWHERE) return true;
  const half = leg.dialledBy === undefined ? undefined : call.channels[leg.dialledBy];
  const front = half?.pair === undefined ? undefined : call.channels[half.pair];
  const isWithdrawn = half?.kind === 'local' && [half, front].some((one) => one?.cause === ANSWERED_ELSEWHERE);
  return isWithdrawn && leg.upAt !== undefined;
}

/**
 * Result and end of one phone's leg. A phone that lost a ring group, whose call another picked up or that sent its call on was
 * cancelled: it missed nothing. The phone that began the call shares the call's result. Who was rung for the client missed him;
 * a colleague is told what became of his own call.
 */
export function legOutcome(call: CallState, roles: Roles, leg: ChannelState): Outcome {
  if (leg.leg?.answeredAt !== undefined) {
    return { result: 'answered', hangup: hangup(normalCause(leg.cause, true), endOfTalk(call, roles, leg)) };
  }
  if (lostToAnother(call, leg)) return { result: 'cancelled', hangup: hangup(ANSWERED_ELSEWHERE, 'system') };
  if (leg.forwarded || leg.cause === FORWARDED) return { result: 'cancelled', hangup: hangup(FORWARDED, 'system') };
  const began = leg.incoming || (leg === roles.caller && isOriginated(call, leg));
  if (began && roles.direction !== 'in') return failedCall(call, roles);
  const dialer = dialerOf(call, leg) ?? roles.client;
  const isColleague = dialer === undefined || dialer.kind === 'extension';
  const gaveUp = dialer?.askedAt !== undefined;
  // A consultation that is called off ends without anybody hanging up.
  const isCalledOff = isColleague && dialer?.goneAt === undefined && leg.dialEnd === 'CANCEL' && leg.cause === NORMAL;
  const result = !isColleague ? 'missed' : isCalledOff ? 'cancelled' : unreached(leg, dialer);
  const by =
    refused(leg) || hungUpUnheard(leg, dialer) || (isColleague && (gaveUp || isCalledOff))
      ? 'extension'
      : gaveUp
        ? 'client'
        : 'system';
  return { result, hangup: hangup(normalCause(ownCause(leg), gaveUp || isCalledOff), by) };
}
