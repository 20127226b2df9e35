import { parseNumber } from '../phone';
import { dialledFrom } from '../phone/describe';
import type { NumberingPlan } from '../phone/types';
import type { DialAs, DialSettings, DialTarget } from './types';

/** Where a number is reached. */
export interface Destination {
  /** In the form that this PBX wants: what stands in place of `{number}`, or the extension to dial in {@link context}. */
  readonly exten: string;
  /** Of the channel map; absent when nothing in it fits: then the dialplan dials {@link exten} in {@link context}. */
  readonly channel?: string;
  readonly context: string;
  /** What is occupied, for caps per trunk: `PJSIP/trunk`, without a channel `Local/context`. */
  readonly trunk: string;
}

/** The longest number of a channel that Asterisk's Originate does not cut (its source: 255 bytes). */
const MAX_CHANNEL = 255;

/** Whether it can be the name of a context; Asterisk has 79 characters for it. */
export const isContext = (text: string): boolean => /^[\w.@+-]{1,79}$/.test(text);

/** How an E.164 number (`+7903…`) is written for this PBX. */
function numberAs(e164: string, as: DialAs, plan: NumberingPlan): string {
  if (as === 'e164') return e164;
  return as === 'digits' ? e164.slice(1) : dialledFrom(plan.country, e164);
}

/**
 * The way to a number that the guard has let pass: by its E.164 alone when it has one, else as an extension, which always goes through the
 * context. `undefined` for what is neither.
 */
export function channelFor(
  settings: Pick<DialSettings, 'channels' | 'context' | 'dialAs'>,
  plan: NumberingPlan,
  target: DialTarget,
): Destination | undefined {
  const { context } = settings;
  const byContext = { context, trunk: `Local/${context}` };
  const e164 = target.e164 ?? e164Of(target.number, plan);
  if (e164 === undefined) {
    const parsed = parseNumber(target.number, plan);
    return parsed.kind === 'extension' ? { exten: parsed.extension, ...byContext } : undefined;
  }
  const exten = numberAs(e164, settings.dialAs, plan);
  const fitting = settings.channels.filter(({ prefix }) => exten.replace('+', '').startsWith(prefix));
  const best = fitting.reduce<(typeof fitting)[number] | undefined>(
    (longest, one) => (longest === undefined || one.prefix.length > longest.prefix.length ? one : longest),
    undefined,
  );
  if (!best) return { exten, ...byContext };
  return { exten, context, channel: filled(best.channel, 'number', exten), trunk: trunkOf(best.channel) };
}

/** The phone of a colleague: `PJSIP/101`. */
export function agentChannel(
  { agentChannel: template }: Pick<DialSettings, 'agentChannel'>,
  extension: string,
): string {
  return filled(template, 'extension', extension);
}

/**
 * Whether a text can be a channel of the settings: a technology and a place in which `{placeholder}` stands once, without what means
 * something else to Dial (`&`, `,`) or to AMI.
 */
export function isChannelTemplate(text: string, placeholder: 'number' | 'extension'): boolean {
  const parts = text.split(`{${placeholder}}`);
  return parts.length === 2 && text.length <= MAX_CHANNEL - 32 && /^[A-Za-z0-9]+\/[\w.:;=+@/~-]*$/.test(parts.join(''));
}

function e164Of(number: string, plan: NumberingPlan): string | undefined {
  const parsed = parseNumber(number, plan);
  return parsed.kind === 'phone' ? parsed.e164 : undefined;
}

const filled = (template: string, placeholder: string, value: string): string =>
  template.split(`{${placeholder}}`).join(value);

/** `PJSIP/provider` of `PJSIP/{number}@provider`, `DAHDI/g1` of `DAHDI/g1/{number}`. */
function trunkOf(channel: string): string {
  const [technology, ...parts] = channel.split('/');
  // Behind the @: before a host may stand a password.
  const place = parts.map((part) => part.split('@').at(-1) ?? '').find((part) => !part.includes('{number}'));
  return `${technology}/${place ?? ''}`;
}
