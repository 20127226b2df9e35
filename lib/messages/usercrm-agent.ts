import type { AgentChangePayload, AgentStanding } from './queues';

/** What an agent is over all his queues: paused only when he is in each of them, since any other still rings him. */
export const AGENT_STATES = ['available', 'busy', 'paused', 'logged-out'] as const;

export type AgentState = (typeof AGENT_STATES)[number];

/** How UserCRM names one state; both numbers are ids of its own lists. */
export interface AgentStatus {
  readonly base_status: number;
  readonly extra_status: number;
  readonly status_name: string;
}

export interface AgentStatusRow extends AgentStatus {
  readonly state: AgentState;
  /** Only of `paused`; empty: every reason that has no row of its own. */
  readonly reason: string;
}

function agentState({ queues, pausedIn, busy }: AgentStanding): AgentState {
  if (queues.length === 0) return 'logged-out';
  if (queues.every((queue) => pausedIn.includes(queue))) return 'paused';
  return busy ? 'busy' : 'available';
}

/** The status by a table that has a row without a reason for each state. */
export function agentStatus(rows: readonly AgentStatusRow[], standing: AgentStanding): AgentStatus {
  const state = agentState(standing);
  const reason = state === 'paused' ? (standing.reason ?? '') : '';
  const ofState = rows.filter((row) => row.state === state);
  const own = ofState.find((row) => row.reason.toLowerCase() === reason.toLowerCase());
  const row = own ?? ofState.find((one) => one.reason === '');
  if (!row) throw new Error(`no status for "${state}"`);
  const { base_status, extra_status, status_name } = row;
  // People chose the reason to be read.
  return { base_status, extra_status, status_name: own || reason === '' ? status_name : reason };
}

/** The status after a change; `undefined` when the change is none to UserCRM: an agent has one status, however many queues. */
export function changedStatus(rows: readonly AgentStatusRow[], payload: AgentChangePayload): AgentStatus | undefined {
  const { reason, state } = payload;
  const given = reason === undefined ? {} : { reason };
  const [before, now] = [standingBefore(payload), state].map((one) => agentStatus(rows, { ...given, ...one }));
  return JSON.stringify(before) === JSON.stringify(now) ? undefined : now;
}

/** As far as the change tells it: not what an earlier pause gave as its reason, nor whether whoever left a queue was paused in it. */
function standingBefore({ change, queue, state }: AgentChangePayload): AgentStanding {
  const { queues, pausedIn, busy } = state;
  const others = (list: readonly string[]): readonly string[] => list.filter((name) => name !== queue?.id);
  const own = queue ? [queue.id] : [];
  switch (change) {
    case 'login':
      return { ...state, queues: others(queues), pausedIn: others(pausedIn) };
    case 'logout':
      return { ...state, queues: [...queues, ...own] };
    case 'paused':
      return { ...state, pausedIn: others(pausedIn) };
    case 'unpaused':
      return { ...state, pausedIn: [...pausedIn, ...own] };
    case 'busy':
    case 'idle':
      return { ...state, busy: !busy };
  }
}
