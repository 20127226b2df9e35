import type { Direction } from '../messages/types';
import { dialledNumber } from './classify';
import { parsedNumber } from './client-number';
import { dialerOf, isOriginated, legsOf, partiesOf } from './conversation';
import type { CallState, ChannelState } from './state';
import type { CallPlan } from './types';

/** Who is who in a call, as far as it is known at this moment. */
export interface Roles {
  readonly direction: Direction;
  /** The channel of the outside party; `undefined` while there is none, and in internal calls. */
  readonly client: ChannelState | undefined;
  /** The number of the outside party, when it is known before or without a channel. */
  readonly clientNumber: string | undefined;
  /** The phone that began the call, or that the PBX called first on somebody's behalf. */
  readonly caller: ChannelState | undefined;
  /** Whom the call is about: the client; in an internal call the caller, or who stays when the caller has handed him over. */
  readonly subject: ChannelState | undefined;
}

const isPhone = (call: CallState, plan: CallPlan, number: string | undefined): boolean =>
  number !== undefined && parsedNumber(call, plan.numbers, number).kind === 'phone';

/** The number that an outgoing trunk channel was dialled with; the PBX may have put a prefix before it for the trunk. */
export function numberDialled(call: CallState, trunk: ChannelState): string | undefined {
  return dialledNumber(trunk.dialString) ?? trunk.number ?? dialerOf(call, trunk)?.exten;
}

/**
 * The oldest leg tells the direction: from a trunk = in; a phone, or the PBX on its behalf, and a trunk was dialled or was
 * to be dialled = out; else internal.
 */
export function rolesOf(call: CallState, plan: CallPlan): Roles {
  const parties = partiesOf(call);
  const [oldest] = parties;
  if (oldest?.kind === 'trunk' && oldest.incoming) {
    return { direction: 'in', client: oldest, clientNumber: oldest.number, caller: undefined, subject: oldest };
  }
  const trunks = parties.filter(({ kind, incoming }) => kind === 'trunk' && !incoming);
  const [caller] = legsOf(call).filter((leg) => leg.incoming || isOriginated(call, leg));
  const dialled = clientAmong(trunks);
  if (dialled) {
    // Taken up in mid-call nothing is known of the dialling but what the phone dialled, or what an order meant.
    const meant = caller?.incoming === true ? caller.exten : meantNumber(call, plan, caller);
    const number = numberDialled(call, dialled) ?? meant;
    return { direction: 'out', client: dialled, clientNumber: number, caller, subject: dialled };
  }
  const meant = meantNumber(call, plan, caller);
  if (meant !== undefined) {
    return { direction: 'out', client: undefined, clientNumber: meant, caller, subject: caller };
  }
  const subject = (call.subject === undefined ? undefined : call.channels[call.subject]) ?? caller;
  return { direction: 'internal', client: undefined, clientNumber: undefined, caller, subject };
}

/** Of several tries the one that was answered, else the last. */
function clientAmong(trunks: readonly ChannelState[]): ChannelState | undefined {
  return trunks.find(({ upAt }) => upAt !== undefined) ?? trunks.at(-1);
}

/** The number that a call without a trunk was to reach. */
function meantNumber(call: CallState, plan: CallPlan, caller: ChannelState | undefined): string | undefined {
  const ordered = call.originate?.exten;
  if (isPhone(call, plan, ordered)) return ordered;
  if (caller === undefined || call.originate !== undefined) return undefined;
  // A phone that the PBX calls for a click shows the client; a phone that calls dialled him.
  const shown = caller.incoming ? caller.exten : caller.connected;
  const isAlone = legsOf(call).length === 1;
  const wasGreeted = caller.incoming && caller.upAt !== undefined;
  return isAlone && !wasGreeted && isPhone(call, plan, shown) ? shown : undefined;
}

/** Did the PBX call the client first, and somebody of ours, or nobody, only when he was there? */
export function isCalledFirst(call: CallState, { direction, client }: Roles): boolean {
  return direction === 'out' && client !== undefined && partiesOf(call)[0] === client;
}

/** Those of us whom the client of an incoming call may have: phones, and the outside numbers that calls are forwarded to. */
export function isOurs(roles: Roles, channel: ChannelState): boolean {
  if (channel.kind === 'extension') return true;
  return roles.direction === 'in' && channel.kind === 'trunk' && channel.id !== roles.client?.id && !channel.incoming;
}
