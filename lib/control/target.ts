import { randomUUID } from 'node:crypto';
import { channelFor } from '../outbound/channels';
import type { DialGuard, DialSettings } from '../outbound/types';
import { parseNumber } from '../phone';
import type { NumberingPlan } from '../phone/types';
import { badOrder } from './errors';

/** Where a call is sent on to, allowed by the rules for dialling. */
export interface Target {
  readonly exten: string;
  readonly context: string;
  /** Set when the numbering plan calls it an extension, which by itself says little: the dialplan may dial out what nobody has. */
  readonly extension?: string;
  /** Takes a place among the calls of this minute; throws when there is none. Nothing for an extension. */
  readonly take: (by: string | undefined) => void;
}

export interface Dialling {
  readonly settings: DialSettings;
  readonly guard: DialGuard;
}

/**
 * Reads whom a call is sent to. Letters and whatever is no number are refused before the rules are asked. Throws
 * `CONTROL_BAD_ORDER`, or the refusal of the rules.
 */
export function targetOf(
  to: string,
  context: string | undefined,
  plan: NumberingPlan,
  { guard, settings }: Dialling,
): Target {
  const number = parseNumber(to, plan);
  if (number.kind !== 'extension' && number.kind !== 'phone') throw badOrder('to', 'target');
  const asked = number.kind === 'phone' ? { number: to, e164: number.e164 } : { number: number.extension };
  const refusal = guard.objection(asked);
  if (refusal) throw refusal;
  // A channel of the map is of no use here: a call that exists is sent to a place in the dialplan.
  const way = channelFor(settings, plan, asked);
  if (!way) throw badOrder('to', 'target');
  return {
    exten: way.exten,
    context: context ?? way.context,
    ...(number.kind === 'extension' ? { extension: number.extension } : {}),
    take: (by) => {
      const place = number.kind === 'phone' ? guard.take(by, `transfer-${randomUUID()}`) : { free: true as const };
      if (!place.free) throw place.error;
    },
  };
}
