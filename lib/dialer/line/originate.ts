import type { AmiAction, AmiValue } from '../../ami/types';
import type { TelephonyError } from '../../errors';
import { agentChannel, channelFor, type Destination } from '../../outbound/channels';
import type { DialSettings, DialTarget } from '../../outbound/types';
import type { NumberingPlan } from '../../phone/types';
import type { Attempt, ClickOrder, Order, OrderCallerId } from '../types';
import { lineError } from './errors';
import type { AutocallAttempt, AutocallScript } from './script';

export interface OriginateSettings {
  readonly plan: NumberingPlan;
  readonly dialling: { readonly settings: DialSettings };
  /** Absent: no autocalls. */
  readonly script?: AutocallScript;
}

/** How long the phone of the agent rings. */
const AGENT_RING_MS = 30_000;
/** How long the client's does, in a click by the map of channels; a context has its own. */
const CLIENT_RING_S = 60;
const AUTOCALL_RING_MS = 45_000;

/** Why this order could never be dialled here. */
export function objectionTo(order: Order, settings: OriginateSettings): TelephonyError | undefined {
  if (order.mode === 'plain') return undefined;
  if (order.mode === 'autocall' && !settings.script) return lineError('LINE_NO_AUTOCALL');
  if (order.mode === 'click' && !settings.plan.isExtension(order.extension)) {
    return lineError('LINE_UNKNOWN_EXTENSION', { extension: order.extension });
  }
  const objection = order.mode === 'autocall' ? settings.script?.objection?.(order) : undefined;
  if (objection) return objection;
  const way = wayTo(order, settings);
  const canDial = way !== undefined && (way.channel !== undefined || way.context !== '');
  return canDial ? undefined : lineError('LINE_NO_WAY');
}

/** What the order occupies: `PJSIP/trunk`, `DAHDI/g1`, `Local/from-internal`. */
export function trunkOf(order: Order, settings: OriginateSettings): string {
  if (order.mode !== 'plain') return wayTo(order, settings)?.trunk ?? '';
  const [technology = '', peer = ''] = order.channel.split('/');
  return `${technology}/${peer.slice(peer.indexOf('@') + 1)}`;
}

/**
 * The Originate of one try. Whom nobody set a caller id for sees the usual ones: the agent the client's number, the client what
 * he would see had the agent dialled himself (CONNECTEDLINE instead of the header CallerID, which would show the client his own
 * number; measured on 22.10 and 16.28).
 *
 * Asterisk takes every value as it stands: `${…}` and `$[…]` are evaluated neither in variables, nor in the caller id, the extension or the
 * data of an application (measured on 22.10 and 16.28). What a dialplan does with a variable is its own affair: `EVAL` and `Exec` evaluate.
 *
 * @param dialBefore of the attempt, by the clock of the PBX, ms: what our dialplan refuses to begin afterwards (a frozen PBX that thaws)
 */
export function originateFor(attempt: Attempt, settings: OriginateSettings, dialBefore: number): AmiAction {
  const { order, channelId } = attempt;
  const { headers, variables, ringMs } = legsOf(attempt, settings);
  return {
    action: 'Originate',
    headers: { ...headers, Timeout: ringMs, Async: true, ChannelId: channelId },
    variables: {
      ...order.variables,
      ...variables,
      TCRM_ORDER: attempt.orderId,
      TCRM_EXPIRES: Math.ceil((dialBefore + ringMs) / 1000),
    },
  };
}

interface Legs {
  readonly headers: Readonly<Record<string, AmiValue | undefined>>;
  readonly variables: Readonly<Record<string, AmiValue>>;
  readonly ringMs: number;
}

function legsOf(attempt: Attempt, settings: OriginateSettings): Legs {
  const { order } = attempt;
  switch (order.mode) {
    case 'click':
      return click(order, settings);
    case 'autocall':
      return autocall({ ...attempt, order }, settings);
    case 'plain':
      return {
        headers: {
          Channel: order.channel,
          ...('context' in order.to
            ? { Context: order.to.context, Exten: order.to.exten, Priority: order.to.priority }
            : { Application: order.to.application, Data: order.to.data }),
          CallerID: callerId(order.callerId),
        },
        variables: {},
        ringMs: order.ringMs,
      };
  }
}

function click(order: ClickOrder, settings: OriginateSettings): Legs {
  const way = theWay(order, settings);
  const agent = agentChannel(settings.dialling.settings, order.extension);
  const { number, name } = order.callerId ?? {};
  return {
    headers: {
      Channel: agent,
      ...(way.channel === undefined
        ? { Context: way.context, Exten: way.exten, Priority: 1 }
        : { Application: 'Dial', Data: `${way.channel},${CLIENT_RING_S}` }),
    },
    variables: {
      ...autoAnswer(agent, settings.dialling.settings.autoAnswer),
      'CONNECTEDLINE(num)': way.exten,
      ...(number === undefined ? {} : { 'CALLERID(num)': number }),
      ...(name === undefined ? {} : { 'CALLERID(name)': name }),
    },
    ringMs: AGENT_RING_MS,
  };
}

function autocall(attempt: AutocallAttempt, settings: OriginateSettings): Legs {
  const way = theWay(attempt.order, settings);
  const entry = settings.script?.originate(attempt);
  return {
    headers: {
      Channel: way.channel ?? `Local/${way.exten}@${way.context}`,
      ...entry?.headers,
      CallerID: callerId(attempt.order.callerId),
    },
    variables: { ...entry?.variables },
    ringMs: AUTOCALL_RING_MS,
  };
}

const wayTo = (target: DialTarget, { dialling, plan }: OriginateSettings): Destination | undefined =>
  channelFor(dialling.settings, plan, target);

function theWay(target: DialTarget, settings: OriginateSettings): Destination {
  const way = wayTo(target, settings);
  if (!way) throw lineError('LINE_NO_WAY');
  return way;
}

/** `"Name" <number>`; what would end the quotes or the brackets is left out. */
function callerId(caller: OrderCallerId | undefined): string | undefined {
  const name = caller?.name?.replace(/["\\<>]/g, '').trim() ?? '';
  const number = caller?.number?.replace(/[^0-9A-Za-z+*#]/g, '') ?? '';
  if (name === '' && number === '') return undefined;
  return name === '' ? `<${number}>` : `"${name}" <${number}>`;
}

const ANSWER_HEADERS = {
  'call-info': ['Call-Info', '<sip:127.0.0.1>;answer-after=0'],
  'alert-info': ['Alert-Info', '<http://127.0.0.1>;info=alert-autoanswer;delay=0'],
  'answer-mode': ['Answer-Mode', 'Auto'],
} as const;

/**
 * Set before the INVITE goes out, hence the phone gets it, and the second leg does not (measured on 22.10 and 16.28). A Local
 * channel has no SIP headers: there the dialplan has to add them.
 */
function autoAnswer(channel: string, way: DialSettings['autoAnswer']): Record<string, string> {
  if (way === 'off') return {};
  const [header, value] = ANSWER_HEADERS[way];
  if (channel.startsWith('PJSIP/')) return { [`PJSIP_HEADER(add,${header})`]: value };
  return channel.startsWith('SIP/') ? { SIPADDHEADER01: `${header}: ${value}` } : {};
}
