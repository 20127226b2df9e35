import type { AmiClient, AmiState } from '../ami/types';
import { systemClock } from '../clock';
import type { Clock } from '../clock';
import type { TelephonyError } from '../errors';
import { DEFAULT_DIALLING } from '../outbound/defaults';
import { numberingPlan } from '../phone';
import type { Pbx } from './pbx';

/** Settings do not get better by themselves: only a deploy mends them, and that makes another PBX. */
const RETRY_MS = 60_000;

/**
 * A PBX whose settings are wrong: it never connects, and its state and every action tell why. Nodes that use it need no
 * case of their own for it.
 */
export function unusablePbx(name: string, why: TelephonyError, clock: Clock = systemClock): Pbx {
  const state: AmiState = { phase: 'refused', since: clock.now(), error: why, session: 0 };
  const client: AmiClient = {
    state,
    stats: { received: 0, reconnects: 0, tampered: 0, pendingActions: 0 },
    connect: () => undefined,
    action: () => Promise.reject(why),
    list: () => Promise.reject(why),
    subscribe: () => () => undefined,
    onState: () => () => undefined,
    close: () => Promise.resolve(),
  };
  return {
    name,
    client,
    problem: why,
    plan: numberingPlan({ country: 'RU' }),
    trunks: [],
    calls: {
      subscribe: () => () => undefined,
      onLiveCalls: () => () => undefined,
      current: [],
      isKnown: false,
      onListed: () => () => undefined,
      stats: { liveCalls: 0, channels: 0, tampered: 0, overBound: 0 },
    },
    queues: {
      subscribe: () => () => undefined,
      members: undefined,
      onListed: () => () => undefined,
      stats: { waiting: 0, talking: 0, members: 0, overBound: 0 },
    },
    // Whatever is ordered is refused for what is wrong here, not for the number.
    dialling: {
      settings: DEFAULT_DIALLING,
      guard: {
        objection: () => why,
        take: () => ({ free: false, at: clock.now() + RETRY_MS, error: why }),
        remember: () => undefined,
      },
    },
    presence: { availability: () => ({ available: false, reason: 'link-down', state: 'unknown' }) },
    whoIsAt: () => Promise.reject(why),
    open: () => undefined,
    close: () => Promise.resolve(),
  };
}
