import type { AgentStanding } from '../messages/queues';
import type { QueueNow } from '../queues/now';

/** What can be done with a call, or with the channels of it. */
export const CONTROL_ACTIONS = [
  'hold',
  'unhold',
  'toggle-hold',
  'transfer',
  'attended-transfer',
  'cancel-transfer',
  'complete-transfer',
  'hangup',
  'park',
  'redirect',
  'mute',
  'unmute',
  'record-start',
  'record-stop',
  'record-pause',
  'record-resume',
  'set',
] as const;

export type ControlAction = (typeof CONTROL_ACTIONS)[number];

/** Which call is meant. The first that is given counts; with an extension beside a call id, that extension's leg of it. */
export interface CallChoice {
  /** Linkedid. */
  readonly callId?: string;
  /** Uniqueid of any of its channels. */
  readonly legId?: string;
  /** The call that this extension talks (or holds) now, else the one that rings it. */
  readonly extension?: string;
}

export interface ControlOrder {
  readonly action: ControlAction;
  readonly call: CallChoice;
  /** Of transfer, redirect, park: an extension, or a number that the rules for dialling allow. */
  readonly to?: string;
  /** Of redirect; default: the context for clicks of `ami-config`. */
  readonly context?: string;
  /** Of record-start: name without folder and ending; default: made from time and call id. */
  readonly file?: string;
  /** Of set. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** What was done, once Asterisk said so. */
export interface ControlDone {
  readonly action: ControlAction;
  readonly callId: string;
  readonly legId?: string;
  readonly extension?: string;
  /** After hold, unhold and toggle-hold. */
  readonly held?: boolean;
  /** Of park: the slot, once told. */
  readonly slot?: string;
  readonly file?: string;
}

/** Whether whoever gives an order knows of an extension that the PBX does not tell of: a person in the CRM's table, or what an admin wrote down. */
export type IsNamed = (extension: string) => boolean;

/** Carries out orders on the live calls of one PBX. */
export interface CallControl {
  /**
   * Resolves when Asterisk confirmed it. Rejects with a TelephonyError `CONTROL_NO_CALL` (nobody talks there), `CONTROL_AMBIGUOUS`
   * (several calls fit), `CONTROL_REFUSED` (Asterisk's own words), `CONTROL_BAD_ORDER`, `CONTROL_NOT_POSSIBLE` (the phone, the version or a
   * missing permission), a refusal of the rules for dialling, or an `AMI_…` code.
   */
  run(order: ControlOrder, isNamed?: IsNamed): Promise<ControlDone>;
  close(): Promise<void>;
}

/** What can be done with an extension as an agent of queues; `agent-state` only tells what it is. */
export const AGENT_ACTIONS = ['queue-login', 'queue-logout', 'pause', 'unpause', 'agent-state'] as const;

export type AgentAction = (typeof AGENT_ACTIONS)[number];

export interface AgentOrder {
  readonly action: AgentAction;
  readonly extension: string;
  /** Empty: all queues that he is in; a login needs one at least, `agent-state` is always of all. */
  readonly queues: readonly string[];
  /** Of pause. */
  readonly reason?: string;
  /** Of queue-login: his name in the events and statistics of the queue. */
  readonly name?: string;
  /** Of queue-login: the higher, the later he is rung. */
  readonly penalty?: number;
}

/** What was done, once Asterisk said so. */
export interface AgentDone {
  readonly action: AgentAction;
  readonly extension: string;
  /** False: it was so already, and nothing was sent. */
  readonly changed: boolean;
  /** Those that it is so in now. */
  readonly queues: readonly string[];
  /** Of `agent-state`; of whoever is in no queue its lists are empty. */
  readonly state?: AgentStanding;
}

/** A question how queues are now; none named: all of them. */
export interface QueueStatusOrder {
  readonly action: 'queue-status';
  readonly queues: readonly string[];
}

export interface QueueStatusDone {
  readonly action: 'queue-status';
  /** ISO-8601 UTC. */
  readonly at: string;
  /** By their names. */
  readonly queues: readonly QueueNow[];
}

/** Carries out orders on the agents of one PBX. */
export interface AgentControl {
  /**
   * Resolves when Asterisk confirmed it, or it was so already. Rejects with a TelephonyError `CONTROL_NO_EXTENSION` (the PBX has no such
   * phone), `CONTROL_NO_QUEUE`, `CONTROL_NOT_MEMBER` (he is not there to be paused), `CONTROL_BAD_ORDER`, `CONTROL_NOT_POSSIBLE`
   * (a member of `queues.conf` cannot log out; a missing permission), `CONTROL_REFUSED`, `CONTROL_BUSY`, `CONTROL_STOPPED` or
   * an `AMI_…` code. Of several queues, those before the one that failed are done.
   */
  run(order: AgentOrder): Promise<AgentDone>;
  /** Asks the PBX itself, each time. Rejects with `CONTROL_NO_QUEUE` or an `AMI_…` code. */
  status(order: QueueStatusOrder): Promise<QueueStatusDone>;
  close(): void;
}
