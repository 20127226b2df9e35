import type { CallResult, Hangup } from '../messages/types';
import { causeText } from './causes';
import { dialerOf, isOriginated, legsOf } from './conversation';
import type { Roles } from './roles';
import type { CallState, ChannelState } from './state';

const ANSWERED_ELSEWHERE = 26;
const BUSY = 17;
const DECLINED = 21;
/** Rang out, does not answer; 480 of SIP comes as 19. */
const NO_ANSWER = [18, 19, DECLINED];

export interface Outcome {
  readonly result: CallResult;
  readonly hangup: Hangup;
}

/** Was the called party busy, or did it decline, by its own phone? */
const refused = (leg: ChannelState): boolean =>
  leg.upAt === undefined && (leg.dialEnd === 'BUSY' || leg.cause === BUSY || leg.cause === DECLINED);

/** Asterisk 16 and 22 differ in what they give when nothing is known: somebody gave up, or time ran out. */
function normalCause(cause: number | undefined, somebodyHungUp: boolean): number {
  if (cause === undefined || cause === 0 || cause === 127) return somebodyHungUp ? 16 : 19;
  return cause;
}

const hangup = (code: number, by: NonNullable<Hangup['by']>): Hangup => ({ code, text: causeText(code), by });

/** The leg that was dialled and not picked up for another: the last of them decides. */
function decidingLeg(legs: readonly ChannelState[]): ChannelState | undefined {
  return legs.filter(({ cause }) => cause !== ANSWERED_ELSEWHERE).at(-1) ?? legs.at(-1);
}

/** What a dialled party that was not reached did: the words of outgoing and internal calls. */
function unreached(called: ChannelState, caller: ChannelState | undefined): CallResult {
  if (called.dialEnd === 'BUSY' || called.cause === BUSY) return 'busy';
  const gaveUp = called.dialEnd === 'CANCEL' || called.dialEnd === undefined;
  if (gaveUp && caller?.askedAt !== undefined) return 'cancelled';
  if (called.cause !== undefined && NO_ANSWER.includes(called.cause)) return 'no-answer';
  // A Dial that timed out: no cause of its own (measured: 0, on 16 also 127).
  if (called.dialEnd === 'NOANSWER' && [0, 16, 127, undefined].includes(called.cause)) return 'no-answer';
  return gaveUp && [0, 16, 127, undefined].includes(called.cause) ? 'no-answer' : 'failed';
}

/** Result and end of a whole call, when it is over. `answered`: the called party was connected. */
export function outcomeOf(call: CallState, roles: Roles): Outcome {
  if (call.answeredAt !== undefined || call.voicemail) return answered(call, roles);
  if (roles.direction === 'in') return missed(call, roles);
  return failedCall(call, roles);
}

function answered(call: CallState, roles: Roles): Outcome {
  const end = roles.client ?? roles.caller;
  const result = call.answeredAt === undefined ? 'voicemail' : 'answered';
  return { result, hangup: hangup(normalCause(end?.cause, true), call.endedBy ?? 'system') };
}

function missed(call: CallState, { client }: Roles): Outcome {
  const rung = legsOf(call).filter(({ incoming }) => !incoming);
  const deciding = decidingLeg(rung);
  const gaveUp = client?.askedAt !== undefined;
  const wasSkipped = call.queue !== undefined;
  const refusal = deciding !== undefined && refused(deciding) && !wasSkipped;
  // In a queue an agent that was busy is passed over: what became of the call is for the queue and the caller to say.
  const own = deciding && wasSkipped && refused(deciding) ? undefined : deciding?.cause;
  const code = normalCause(deciding ? own : client?.cause, gaveUp);
  const by = refusal ? 'extension' : gaveUp ? 'client' : 'system';
  return { result: call.abandoned ? 'abandoned' : 'missed', hangup: hangup(code, by) };
}

function failedCall(call: CallState, { direction, client, caller }: Roles): Outcome {
  if (direction === 'out' && client === undefined) {
    const refusal = caller !== undefined && refused(caller);
    const gaveUp = caller?.askedAt !== undefined;
    return {
      result: 'failed',
      hangup: hangup(normalCause(caller?.cause, gaveUp && !refusal), refusal || gaveUp ? 'extension' : 'system'),
    };
  }
  const called = client ?? decidingLeg(legsOf(call).filter((leg) => leg !== caller));
  if (!called) {
    const by = caller?.askedAt === undefined ? 'system' : 'extension';
    return { result: 'failed', hangup: hangup(normalCause(caller?.cause, by === 'extension'), by) };
  }
  const result = unreached(called, caller);
  const code = normalCause(called.cause, result === 'cancelled');
  const theirs = direction === 'out' ? 'client' : 'extension';
  const by = refused(called) ? theirs : result === 'cancelled' ? 'extension' : 'system';
  return { result, hangup: hangup(code, by) };
}

/** Who ended a conversation that this phone had; whoever handed the client over ended it himself. */
function endOfTalk(call: CallState, { client, direction }: Roles, leg: ChannelState): NonNullable<Hangup['by']> {
  const colleague = direction === 'internal' && legsOf(call).some(({ askedAt }) => askedAt !== undefined);
  if (leg.askedAt !== undefined || leg.leg?.handedOver === true || colleague) return 'extension';
  return client?.askedAt === undefined ? 'system' : 'client';
}

/**
 * Result and end of one phone's leg. A phone that lost a ring group, or whose call another picked up, was cancelled: it
 * missed nothing. The phone that began the call shares the call's result.
 */
export function legOutcome(call: CallState, roles: Roles, leg: ChannelState): Outcome {
  const began = leg.incoming || (leg === roles.caller && isOriginated(call, leg));
  if (leg.leg?.answeredAt !== undefined) {
    return { result: 'answered', hangup: hangup(normalCause(leg.cause, true), endOfTalk(call, roles, leg)) };
  }
  if (leg.cause === ANSWERED_ELSEWHERE) return { result: 'cancelled', hangup: hangup(leg.cause, 'system') };
  if (began) {
    const whole = roles.direction === 'in' ? undefined : failedCall(call, roles);
    if (whole) return whole;
  }
  const dialer = dialerOf(call, leg) ?? roles.client;
  const gaveUp = dialer?.askedAt !== undefined;
  const by = refused(leg) ? 'extension' : !gaveUp ? 'system' : roles.direction === 'in' ? 'client' : 'extension';
  const result = roles.direction === 'in' ? 'missed' : unreached(leg, dialer);
  return { result, hangup: hangup(normalCause(leg.cause, gaveUp), by) };
}
