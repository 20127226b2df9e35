import type { AmiAction, AmiValue } from '../../ami/types';
import type { TelephonyError } from '../../errors';
import type { DialSettings } from '../../outbound/types';
import type { NumberingPlan } from '../../phone/types';
import type { Attempt, AutocallOrder, ClickOrder, Order, OrderCallerId } from '../types';
import { lineError } from './errors';
import type { AutocallAttempt, AutocallScript } from './script';

/** A number or extension to be dialled. */
export interface DialTarget {
  readonly number: string;
  /** Absent: an extension. */
  readonly e164?: string;
}

export interface OriginateSettings {
  readonly settings: DialSettings;
  readonly plan: NumberingPlan;
  /** The channel of the map for a number, filled in (`PJSIP/79031234567@trunk`); `undefined`: the context dials it. */
  readonly channelFor: (target: DialTarget) => string | undefined;
  /** As the context and the phones of this PBX know the number. */
  readonly dialled: (target: DialTarget) => string;
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
  const hasWay = settings.channelFor(order) !== undefined || settings.settings.context !== '';
  return hasWay ? undefined : lineError('LINE_NO_WAY');
}

/** What the order occupies: technology and peer, `PJSIP/trunk`, `DAHDI/g1`, `Local/from-internal`. */
export function trunkOf(order: Order, settings: OriginateSettings): string {
  const channel = order.mode === 'plain' ? order.channel : clientChannel(order, settings);
  const [technology = '', peer = '', ...rest] = channel.split('/');
  const at = peer.lastIndexOf('@');
  // IAX2/user:password@peer has its number behind; elsewhere the peer stands behind the number.
  return `${technology}/${at < 0 || (technology !== 'Local' && rest.length > 0) ? peer : peer.slice(at + 1)}`;
}

/**
 * The Originate of one try. Whom nobody set a caller id for sees the usual ones: the agent the client's number, the client what
 * he would see had the agent dialled himself (CONNECTEDLINE instead of the header CallerID, which would show the client his own
 * number; measured on 22.10 and 16.28).
 *
 * @param expiresAt by the clock of the PBX, ms: what our dialplan refuses to begin afterwards (a frozen PBX that thaws)
 */
export function originateFor(attempt: Attempt, settings: OriginateSettings, expiresAt: number): AmiAction {
  const { order, channelId } = attempt;
  const { headers, variables, ringMs } = legsOf(attempt, settings);
  return {
    action: 'Originate',
    headers: { ...headers, Timeout: ringMs, Async: true, ChannelId: channelId },
    variables: {
      ...order.variables,
      ...variables,
      TCRM_ORDER: attempt.orderId,
      TCRM_EXPIRES: Math.ceil((expiresAt + ringMs) / 1000),
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

function click(order: ClickOrder, { settings, channelFor, dialled }: OriginateSettings): Legs {
  const agent = settings.agentChannel.replaceAll('{extension}', order.extension);
  const client = channelFor(order);
  const { number, name } = order.callerId ?? {};
  return {
    headers: {
      Channel: agent,
      ...(client === undefined
        ? { Context: settings.context, Exten: dialled(order), Priority: 1 }
        : { Application: 'Dial', Data: `${client},${CLIENT_RING_S}` }),
    },
    variables: {
      ...autoAnswer(agent, settings.autoAnswer),
      'CONNECTEDLINE(num)': dialled(order),
      ...(number === undefined ? {} : { 'CALLERID(num)': number }),
      ...(name === undefined ? {} : { 'CALLERID(name)': name }),
    },
    ringMs: AGENT_RING_MS,
  };
}

function autocall(attempt: AutocallAttempt, settings: OriginateSettings): Legs {
  const entry = settings.script?.originate(attempt);
  return {
    headers: {
      Channel: clientChannel(attempt.order, settings),
      ...entry?.headers,
      CallerID: callerId(attempt.order.callerId),
    },
    variables: { ...entry?.variables },
    ringMs: AUTOCALL_RING_MS,
  };
}

function clientChannel(
  order: ClickOrder | AutocallOrder,
  { settings, channelFor, dialled }: OriginateSettings,
): string {
  return channelFor(order) ?? `Local/${dialled(order)}@${settings.context}`;
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
