import type { DialGuard, DialSettings } from '../outbound/types';
import { parseNumber } from '../phone';
import type { NumberingPlan } from '../phone/types';
import { badOrder } from './errors';

/** Where a call is sent on to, allowed by the rules for dialling. */
export interface Target {
  readonly exten: string;
  readonly context: string;
  /** Takes a place among the calls of this minute; throws when there is none. Nothing for a colleague. */
  readonly take: (by: string | undefined) => void;
}

export interface Dialling {
  readonly settings: DialSettings;
  readonly guard: DialGuard;
}

/**
 * Reads whom a call is sent to. Feature codes, letters and whatever is no number are refused before the rules are asked. Throws
 * `CONTROL_BAD_ORDER`, or the refusal of the rules.
 */
export function targetOf(to: string, context: string | undefined, plan: NumberingPlan, dialling: Dialling): Target {
  const { guard, settings } = dialling;
  const number = parseNumber(to, plan);
  const place = context ?? settings.context;
  if (number.kind === 'extension') {
    const refusal = guard.objection({ number: number.extension });
    if (refusal) throw refusal;
    return { exten: number.extension, context: place, take: () => undefined };
  }
  if (number.kind !== 'phone') throw badOrder('to', 'target');
  const refusal = guard.objection({ number: to, e164: number.e164 });
  if (refusal) throw refusal;
  return {
    exten: number.e164.slice(1),
    context: place,
    take: (by) => {
      const place = guard.take(by);
      if (!place.free) throw place.error;
    },
  };
}
