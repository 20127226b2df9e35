import type { CallMessage, CallPayload, CallTopic, Client, RecordLeg, RecordPayload } from '../messages/types';
import { parsedNumber } from './client-number';
import { isOriginated, legsOf, partnersOf } from './conversation';
import { legOutcome, outcomeOf, type Outcome } from './outcome';
import { rolesOf, type Roles } from './roles';
import type { CallState, ChannelState } from './state';
import type { CallTrackerOptions } from './types';

const iso = (ms: number): string => new Date(Math.round(ms)).toISOString();
const seconds = (ms: number): number => Math.max(0, Math.round(ms / 1000));

/** Names of the extensions of a call are told as their phones show them. */
function peerOf(call: CallState, leg: ChannelState): ChannelState | undefined {
  const others = legsOf(call).filter((other) => other !== leg && other.party !== leg.party);
  const connected = partnersOf(call, leg).find((other) => others.includes(other));
  if (connected) return connected;
  const talked = others.filter((other) => other.leg?.answeredAt !== undefined).at(-1);
  return talked ?? (leg.incoming ? others.at(-1) : (others.find((other) => other.incoming) ?? others[0]));
}

function clientOf(options: CallTrackerOptions, call: CallState, roles: Roles): Client | undefined {
  const { client, clientNumber, direction } = roles;
  if (direction === 'internal') return undefined;
  const number = clientNumber ?? client?.number;
  const name = client?.callerName;
  if (number === undefined) return { number: '', ...(name === undefined ? {} : { name }) };
  const parsed = parsedNumber(call, options.plan.numbers, number);
  return {
    number,
    ...(parsed.kind === 'phone' ? { e164: parsed.e164, national: parsed.national } : {}),
    ...(name === undefined || name === number ? {} : { name }),
  };
}

function lineOf(options: CallTrackerOptions, { client, clientNumber, direction }: Roles): CallPayload['line'] {
  if (client === undefined || direction === 'internal') return undefined;
  const shown = direction === 'in' ? client.exten : client.connected;
  const isOwn =
    shown !== undefined &&
    shown !== '' &&
    shown !== 's' &&
    (direction === 'in' || (shown !== clientNumber && !options.plan.numbers.isExtension(shown)));
  return { ...(isOwn ? { number: shown } : {}), trunk: client.party };
}

/** What all messages of a call share, as far as it is known now. */
function common(options: CallTrackerOptions, call: CallState, roles: Roles): Omit<CallPayload, 'eventId'> {
  const client = clientOf(options, call, roles);
  const line = lineOf(options, roles);
  return {
    pbx: options.pbx,
    callId: call.callId,
    direction: roles.direction,
    ...(client === undefined ? {} : { client }),
    ...(line === undefined ? {} : { line }),
    ...(call.queue === undefined ? {} : { queue: { id: call.queue } }),
    startedAt: iso(call.startedAt),
    ...(Object.keys(call.variables).length === 0 ? {} : { variables: { ...call.variables } }),
    ...(call.reconciled ? { reconciled: true } : {}),
  };
}

type LegTopic = Exclude<CallTopic, 'call_record'>;

/** One thing that happened to one phone. `count`: the how-manieth of its kind, for those that come more than once. */
export function legMessage(
  options: CallTrackerOptions,
  call: CallState,
  leg: ChannelState,
  topic: LegTopic,
  more: Partial<CallPayload> = {},
  count?: number,
): CallMessage {
  const roles = rolesOf(call, options.plan);
  const peer = roles.direction === 'internal' ? peerOf(call, leg) : undefined;
  const { answeredAt } = leg.leg ?? {};
  const id = `${options.pbx}:${leg.id}:${topic}`;
  return {
    topic,
    payload: {
      eventId: count === undefined ? id : `${id}:${count}`,
      ...common(options, call, roles),
      legId: leg.id,
      extension: leg.party,
      ...(peer === undefined
        ? {}
        : { peer: { extension: peer.party, ...(peer.callerName === undefined ? {} : { name: peer.callerName }) } }),
      ...(answeredAt === undefined
        ? {}
        : { answeredAt: iso(answeredAt), waitSeconds: seconds(answeredAt - (leg.leg?.ringingAt ?? leg.bornAt)) }),
      ...more,
    },
  };
}

/** What holds now of the phones in a call: the last event of each that rings, talks or holds. */
export function currentMessages(options: CallTrackerOptions, call: CallState): readonly CallMessage[] {
  return legsOf(call).flatMap((channel) => {
    const { leg, goneAt } = channel;
    if (!leg || goneAt !== undefined || leg.end) return [];
    if (leg.toldHeld) return [legMessage(options, call, channel, 'call_held', {}, leg.holds)];
    if (leg.answeredAt !== undefined) return [legMessage(options, call, channel, 'call_answer')];
    return leg.ringingAt === undefined ? [] : [legMessage(options, call, channel, 'call_ringing')];
  });
}

/** The end of one phone's leg. */
export function hangupMessage(
  options: CallTrackerOptions,
  call: CallState,
  leg: ChannelState,
  end: Outcome,
): CallMessage {
  const endedAt = leg.goneAt ?? leg.seenAt;
  const { answeredAt, ringingAt } = leg.leg ?? {};
  return legMessage(options, call, leg, 'call_hangup', {
    ...end,
    endedAt: iso(endedAt),
    waitSeconds: seconds((answeredAt ?? endedAt) - (ringingAt ?? leg.bornAt)),
    talkSeconds: answeredAt === undefined ? 0 : seconds(endedAt - answeredAt),
  });
}

function recordLeg(call: CallState, roles: Roles, channel: ChannelState): RecordLeg {
  const { leg, goneAt } = channel;
  const answeredAt = leg?.answeredAt;
  return {
    legId: channel.id,
    extension: channel.party,
    ...(leg?.ringingAt === undefined ? {} : { ringingAt: iso(leg.ringingAt) }),
    ...(answeredAt === undefined ? {} : { answeredAt: iso(answeredAt) }),
    ...(goneAt === undefined ? {} : { endedAt: iso(goneAt) }),
    talkSeconds: answeredAt === undefined || goneAt === undefined ? 0 : seconds(goneAt - answeredAt),
    ...(leg?.end ?? legOutcome(call, roles, channel)),
  };
}

/** The moment at which the call was over for the one whom it is about: leftovers do not count. */
function endOf(call: CallState, roles: Roles): number {
  const end = roles.subject?.goneAt;
  if (end !== undefined) return end;
  return Math.max(...Object.values(call.channels).map(({ goneAt, bornAt }) => goneAt ?? bornAt));
}

/** The one record of a call; `undefined` for a call that deserves none (Local channels only). */
export function recordMessage(options: CallTrackerOptions, call: CallState): CallMessage | undefined {
  const legs = legsOf(call);
  const hasTrunk = Object.values(call.channels).some(({ kind }) => kind === 'trunk');
  if (legs.length === 0 && !hasTrunk) return undefined;
  const roles = rolesOf(call, options.plan);
  const { result, hangup } = outcomeOf(call, roles);
  const endedAt = endOf(call, roles);
  const isAnswered = call.answeredAt !== undefined;
  const calling =
    roles.caller && (roles.caller.incoming || isOriginated(call, roles.caller)) ? [roles.caller.party] : [];
  const unheard = call.takenFor === undefined ? [...new Set([...calling, ...call.rung])] : [call.takenFor];
  const people = call.talked.length > 0 ? call.talked : unheard;
  const [first] = people;
  const last = people.at(-1);
  const told = legs.filter(({ leg }) => leg?.ringingAt !== undefined || leg?.answeredAt !== undefined);
  const peer = roles.direction === 'internal' ? internalPeer(roles, last) : undefined;
  const payload: RecordPayload = {
    eventId: `${options.pbx}:${call.callId}:call_record`,
    ...common(options, call, roles),
    ...(peer === undefined ? {} : { peer }),
    ...(last === undefined ? {} : { extension: last }),
    ...(call.answeredAt === undefined ? {} : { answeredAt: iso(call.answeredAt) }),
    endedAt: iso(endedAt),
    waitSeconds: seconds((call.answeredAt ?? endedAt) - call.startedAt),
    talkSeconds: isAnswered ? seconds(call.talkMs) : 0,
    holdSeconds: isAnswered ? seconds(call.holdMs) : 0,
    result,
    hangup,
    ...(call.transfer === undefined ? {} : { transfer: call.transfer }),
    ...(call.recording === undefined || !isAnswered ? {} : { recording: { ...call.recording } }),
    rung: [...call.rung],
    talked: [...call.talked],
    legs: told.map((leg) => recordLeg(call, roles, leg)),
    ...(first === undefined ? {} : { firstExtension: first }),
    ...(last === undefined ? {} : { lastExtension: last }),
    ...(call.cdrs.length === 0 ? {} : { cdrs: call.cdrs.map((cdr) => ({ ...cdr })) }),
  };
  return { topic: 'call_record', payload };
}

/** In an internal call the record belongs to the one who was called; the colleague is who called him. */
function internalPeer({ caller }: Roles, extension: string | undefined): RecordPayload['peer'] {
  const other = caller?.party === extension ? undefined : caller;
  if (!other) return undefined;
  return { extension: other.party, ...(other.callerName === undefined ? {} : { name: other.callerName }) };
}
