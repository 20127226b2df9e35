import type { Clock } from '../clock';
import type { TelephonyError } from '../errors';
import { parseNumber } from '../phone';
import { describePhone } from '../phone/describe';
import type { NumberingPlan } from '../phone/types';
import { copied } from '../text';
import { callerOf } from './caller';
import { isEmergency, isEmergencyOutside } from './emergency';
import { outboundError } from './errors';
import { areaPattern, fits, namesAnArea } from './patterns';
import type { BegunCall, DialGuard, DialSettings, DialTarget } from './types';

const MINUTE_MS = 60_000;
/** As much of a foreign text as an error repeats. */
const SHOWN = 40;

type Rules = Pick<DialSettings, 'allow' | 'deny' | 'perMinute' | 'perCaller'>;

/**
 * The rules for dialling of one PBX. A number is judged by what will be dialled: its E.164, or its digits as an extension of the plan.
 * In this order: codes with `*` and `#` never, emergency numbers never, `deny` before `allow`, and numbers that cost extra only by an
 * `allow` that names their area code. Without `allow`: the country of the plan.
 *
 * Emergency numbers behind what gets an outside line are refused too, but to a phone: `hasPhone` tells whether the PBX has one of that
 * extension. Absent: nobody can tell.
 *
 * The caps count calls of the last 60 seconds, by the steady clock; callers that are spelled alike ({@link callerOf}) are one. Memory: one
 * entry for each call, {@link DialSettings.perMinute} at most.
 */
export function createGuard(
  settings: Rules,
  plan: NumberingPlan,
  clock: Clock,
  hasPhone: (extension: string) => boolean = () => false,
): DialGuard {
  const places = new Places(settings, clock);
  return {
    objection: (target) => objection(target, settings, plan, hasPhone),
    take: (by, id) => places.take(by === undefined ? undefined : callerOf(by), id),
    remember: (calls) => places.remember(calls),
    begun: () => places.begun(),
  };
}

function objection(
  target: DialTarget,
  rules: Rules,
  plan: NumberingPlan,
  hasPhone: (extension: string) => boolean,
): TelephonyError | undefined {
  const number = target.number.slice(0, SHOWN);
  if (/[*#]/.test(target.number)) return outboundError('OUTBOUND_FEATURE_CODE', { number });
  if (target.e164 !== undefined) return objectionToPhone(number, target.e164, rules, plan);

  const parsed = parseNumber(target.number, plan);
  if (parsed.kind === 'phone') return objectionToPhone(number, parsed.e164, rules, plan);
  const digits = parsed.kind === 'extension' ? parsed.extension : parsed.kind === 'raw' ? parsed.digits : '';
  const isOutside = isEmergencyOutside(digits, plan.country) && !(parsed.kind === 'extension' && hasPhone(digits));
  if (isOutside || isEmergency(digits, plan.country)) return outboundError('OUTBOUND_EMERGENCY', { number });
  if (parsed.kind === 'extension') return undefined;
  return outboundError('OUTBOUND_NOT_A_NUMBER', { number });
}

function objectionToPhone(
  number: string,
  e164: string,
  { allow, deny }: Rules,
  plan: NumberingPlan,
): TelephonyError | undefined {
  const facts = describePhone(e164);
  if (!facts) return outboundError('OUTBOUND_NOT_A_NUMBER', { number });
  const forbidden = deny.find((pattern) => fits(pattern, e164));
  if (forbidden !== undefined) return outboundError('OUTBOUND_DENIED', { number, pattern: forbidden });
  const fitting = allow.filter((pattern) => fits(pattern, e164));
  if (fitting.length === 0) {
    if (allow.length > 0) return outboundError('OUTBOUND_NOT_ALLOWED', { number });
    if (facts.country !== plan.country) {
      // A pattern of the whole calling code would open more than this for a number that shares it with others.
      const pattern = facts.country === undefined ? areaPattern(e164, facts) : `+${facts.callingCode}*`;
      return outboundError('OUTBOUND_ABROAD', { number, country: plan.country, pattern });
    }
  }
  if (facts.isCostly && !fitting.some((pattern) => namesAnArea(pattern, facts))) {
    return outboundError('OUTBOUND_COSTLY', { number, pattern: areaPattern(e164, facts) });
  }
  return undefined;
}

interface Taken {
  /** Of the steady clock. */
  readonly at: number;
  readonly by: string | undefined;
  /** Of a call of before, or of one that no store knows of. */
  readonly id?: string;
}

/** Who began a call within the last minute. */
class Places {
  /** The oldest first. */
  private taken: Taken[] = [];
  /** Wall-clock ms: what began later was taken here. */
  private readonly since: number;

  constructor(
    private readonly limits: Pick<DialSettings, 'perMinute' | 'perCaller'>,
    private readonly clock: Clock,
  ) {
    this.since = clock.now();
  }

  remember(calls: readonly BegunCall[]): void {
    const known = new Set(this.taken.map(({ id }) => id));
    const [now, wall] = [this.clock.monotonic(), this.clock.now()];
    const fresh = calls.filter(({ id, at }) => at < this.since && at > wall - MINUTE_MS && !known.has(id));
    const earlier = fresh.map(({ id, by, at }) => ({
      id: copied(id),
      by: by === undefined ? undefined : callerOf(by),
      at: now - (wall - at),
    }));
    // The latest are enough: as long as they count, nobody gets a place.
    this.taken = [...earlier, ...this.taken].sort((one, other) => one.at - other.at).slice(-this.limits.perMinute);
  }

  begun(): BegunCall[] {
    const [now, wall] = [this.clock.monotonic(), this.clock.now()];
    return this.taken.flatMap(({ id, by, at }) => (id === undefined ? [] : [{ id, by, at: wall - (now - at) }]));
  }

  take(by: string | undefined, id: string | undefined): ReturnType<DialGuard['take']> {
    const now = this.clock.monotonic();
    const isOver = ({ at }: Taken): boolean => at <= now - MINUTE_MS;
    if (this.taken[0] && isOver(this.taken[0])) this.taken = this.taken.filter((one) => !isOver(one));

    const { perMinute, perCaller } = this.limits;
    const own = by === undefined ? [] : this.taken.filter((one) => one.by === by);
    // The caller's own cap is told first: waiting for the place of another would not help him.
    const isOwn = own.length >= perCaller;
    const among = isOwn ? own : this.taken;
    const limit = isOwn ? perCaller : perMinute;
    if (among.length < limit) {
      this.taken.push({ at: now, by, ...(id === undefined ? {} : { id }) });
      return { free: true };
    }
    const waitMs = (among[among.length - limit]?.at ?? now) + MINUTE_MS - now;
    const params = { limit, seconds: Math.ceil(waitMs / 1000) };
    return {
      free: false,
      at: this.clock.now() + Math.ceil(waitMs),
      error: isOwn
        ? outboundError('OUTBOUND_TOO_MANY_BY_CALLER', { ...params, by: by?.slice(0, SHOWN) ?? '' })
        : outboundError('OUTBOUND_TOO_MANY', params),
    };
  }
}
