import type { KeptFact } from '../store/types';
import { keyOf } from './groups';
import type { Whose } from './groups';

/** Of an agent in one queue; unknown until a change is seen. */
interface Membership {
  isIn?: boolean;
  isPaused?: boolean;
}

/** How long an agent stood in one state. */
export interface Shift {
  /** The agent. */
  readonly whose: Whose;
  readonly state: 'loggedIn' | 'paused';
  readonly from: number;
  readonly to: number;
}

interface Agent {
  readonly whose: Whose;
  readonly queues: Map<string, Membership>;
  loggedInSince?: number | undefined;
  pausedSince?: number | undefined;
}

const isLoggedIn = ({ queues }: Agent): boolean => [...queues.values()].some(({ isIn }) => isIn);

/** A member that never logs in is there all the time, so what is not known to be out counts as in. */
function isPaused({ queues }: Agent): boolean {
  const present = [...queues.values()].filter(({ isIn }) => isIn !== false);
  return present.length > 0 && present.every(({ isPaused: paused }) => paused);
}

/** Agents of one report; beyond it those that come new are left out. */
const MAX_AGENTS = 20_000;
/** Of one agent. */
const MAX_QUEUES = 200;

/**
 * Makes stretches of time of changes that come in their order: an agent is logged in while he is in any of the queues, and paused while
 * he is paused in each one that he is in.
 */
export class Shifts {
  private readonly agents = new Map<string, Agent>();

  /** The stretches that this change ends. */
  change({ pbx, agent: name, queue = '', outcome, at }: KeptFact): Shift[] {
    if (name === undefined) return [];
    const whose = { pbx, name };
    let agent = this.agents.get(keyOf(whose));
    if (!agent) {
      if (this.agents.size >= MAX_AGENTS) return [];
      agent = { whose, queues: new Map() };
      this.agents.set(keyOf(whose), agent);
    }
    const known = agent.queues.get(queue);
    if (!known && agent.queues.size >= MAX_QUEUES) return [];
    const membership = known ?? {};
    agent.queues.set(queue, membership);
    if (outcome === 'login' || outcome === 'logout') membership.isIn = outcome === 'login';
    else membership.isPaused = outcome === 'paused';
    return this.settle(agent, at, isLoggedIn(agent), isPaused(agent));
  }

  /** Those that last until `at`. */
  end(at: number): Shift[] {
    return [...this.agents.values()].flatMap((agent) => this.settle(agent, at, false, false));
  }

  private settle(agent: Agent, at: number, loggedIn: boolean, paused: boolean): Shift[] {
    const ended: Shift[] = [];
    const { whose, loggedInSince, pausedSince } = agent;
    if (loggedInSince !== undefined && !loggedIn) ended.push({ whose, state: 'loggedIn', from: loggedInSince, to: at });
    if (pausedSince !== undefined && !paused) ended.push({ whose, state: 'paused', from: pausedSince, to: at });
    agent.loggedInSince = loggedIn ? (loggedInSince ?? at) : undefined;
    agent.pausedSince = paused ? (pausedSince ?? at) : undefined;
    return ended;
  }
}
