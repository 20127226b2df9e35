import type { Client, Direction, Hangup, Transfer } from './types';

/** The life of calls in queues, and of the calls that agents make themselves; the names are those of Линия24. */
const QUEUE_CALL_TOPICS = [
  'queue-dial',
  'queue-hangup',
  'agent-dial',
  'agent-answer',
  'agent-hangup',
  'agent-cancel',
  'agent-custom',
  'agent-dialout-answer',
  'agent-dialout-hangup',
] as const;

/** All events that `queue-event` sends. */
export const QUEUE_TOPICS = [...QUEUE_CALL_TOPICS, 'agent_change'] as const;

export type QueueCallTopic = (typeof QUEUE_CALL_TOPICS)[number];

export type AgentChangeKind = 'login' | 'logout' | 'paused' | 'unpaused' | 'busy' | 'idle';

/** `unknown`: the link was down when it happened. */
export type CancelReason = 'no-answer' | 'busy' | 'declined' | 'abandoned' | 'answered-elsewhere' | 'unknown';

export interface Agent {
  /** Of the CRM user, when known; else the extension. */
  readonly id: string;
  /** The extension. */
  readonly phone: string;
  readonly name?: string;
  /** What the dialplan set as `agent_info`. */
  readonly info?: string;
}

/** The conversation or the wait in a queue that a call comes from. */
export interface TransferredFrom {
  readonly callId: string;
  readonly queue: { readonly id: string };
  /** Who had the caller there. */
  readonly agent?: Agent;
}

/** What every message of a queue call may carry: absent when unknown. Times are ISO-8601 UTC, durations whole seconds. */
export interface QueueCallPayload {
  /** The same after a replay: an idempotency key. */
  readonly eventId: string;
  /** Name of the `ami-config`. */
  readonly pbx: string;
  /** Linkedid. */
  readonly callId: string;
  /** Uniqueid of the channel by which the agent is called, or calls. */
  readonly legId?: string;
  readonly at: string;
  readonly direction: Direction;
  readonly client?: Client;
  /** The colleague who calls the queue. */
  readonly peer?: { readonly extension: string; readonly name?: string };
  readonly line?: { readonly number?: string; readonly trunk?: string };
  readonly queue?: { readonly id: string; readonly name?: string };
  readonly agent?: Agent;
  /** Of an agent's own call: the queues that he is logged in to. */
  readonly agentQueues?: readonly string[];
  /** The phone that the agent's call is on: another than his own when a colleague picked it up. */
  readonly extension?: string;
  /** Of the CRM's table, when known. */
  readonly user?: { readonly id: string; readonly name?: string };
  /** In the waiting line, from 1. */
  readonly position?: number;
  /** Since the caller joined the queue; of an outgoing call, since it was dialled. */
  readonly waitSeconds?: number;
  /** Of the agent's phone. */
  readonly ringSeconds?: number;
  readonly talkSeconds?: number;
  /** Time that the queue gives the agent after this call. */
  readonly wrapUpSeconds?: number;
  readonly transferredFrom?: TransferredFrom;
  /** What the dialplan set as `call_info`. */
  readonly callInfo?: string;
  /** The number that the agent dials, or transfers to. */
  readonly dialled?: string;
  readonly transfer?: Transfer;
  /**
   * `queue-hangup`: answered, abandoned, timeout, other. `agent-cancel`: {@link CancelReason}. `agent-hangup`: agent, caller,
   * transfer, unknown (the link was down). `agent-dialout-hangup`: the result of the call.
   */
  readonly reason?: string;
  readonly hangup?: Hangup;
  /** It happened while the link was down, and was concluded from what was found afterwards. */
  readonly reconciled?: true;
}

/** What an agent is in all queues, after the change. */
export interface AgentStanding {
  /** Queues that he is logged in to. */
  readonly queues: readonly string[];
  readonly pausedIn: readonly string[];
  readonly busy: boolean;
  /** Of the pauses: where they differ, that of the one just told of, else any. */
  readonly reason?: string;
}

export interface AgentChangePayload {
  readonly eventId: string;
  readonly pbx: string;
  readonly at: string;
  readonly change: AgentChangeKind;
  readonly agent: Agent;
  readonly extension: string;
  readonly user?: { readonly id: string; readonly name?: string };
  /** Absent for `busy` and `idle`: they are told once, not per queue. */
  readonly queue?: { readonly id: string };
  /** Of a pause, as the agent or the PBX gave it (`Auto-Pause`). */
  readonly reason?: string;
  readonly state: AgentStanding;
  readonly reconciled?: true;
}

export type QueueMessage =
  | { readonly topic: QueueCallTopic; readonly payload: QueueCallPayload }
  | { readonly topic: 'agent_change'; readonly payload: AgentChangePayload };
