import { parseNumber } from '../phone';
import type { NumberingPlan, ParsedNumber } from '../phone/types';
import type { CallState } from './state';

/** The number of a call that was parsed last. Not a part of its state: it is not to be saved. */
const parsedLast = new WeakMap<CallState, { readonly number: string; readonly parsed: ParsedNumber }>();

/** A number of a call, parsed once: every message of the call asks for the same one. `plan` is always that of the call's PBX. */
export function parsedNumber(call: CallState, plan: NumberingPlan, number: string): ParsedNumber {
  const last = parsedLast.get(call);
  if (last?.number === number) return last.parsed;
  const parsed = parseNumber(number, plan);
  parsedLast.set(call, { number, parsed });
  return parsed;
}
