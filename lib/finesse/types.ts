/** Whose phone is to call, and how Finesse knows him. */
export interface FinesseAgent {
  /** The one that he is signed in to. */
  readonly extension: string;
  /** Id in the paths of Finesse and name for Basic authorization: both must be the same for a user of his own calls. */
  readonly login: string;
  readonly password: string;
}

/** One leg of a call. Times are ms by the clock of the server. */
export interface FinesseParticipant {
  readonly address: string;
  /** INITIATING, INITIATED, ALERTING, ACTIVE, HELD, WRAP_UP, FAILED, DROPPED. */
  readonly state: string;
  /** Of FAILED: BUSY, BAD_DESTINATION, DEVICE_RESOURCE_NOT_AVAILABLE, OTHER. */
  readonly cause?: string;
  readonly startedAt?: number;
}

/** One call as an agent sees it (the Dialog of Finesse 10 to 12.6). */
export interface FinesseDialog {
  readonly id: string;
  /** Extension of who began it. */
  readonly from: string;
  /** Number that was called; `dialled` is the same as it was typed. */
  readonly to: string;
  readonly dialled: string;
  /** INITIATING, INITIATED, ALERTING, ACTIVE, FAILED, DROPPED. */
  readonly state: string;
  readonly participants: readonly FinesseParticipant[];
}

/** The calls of one agent at one moment. */
export interface DialogList {
  readonly dialogs: readonly FinesseDialog[];
  /** When it was answered by the server's clock, in ms; absent when it does not say. */
  readonly servedAt?: number;
}

export interface FinesseUser {
  /** LOGOUT, NOT_READY, READY, TALKING … */
  readonly state: string;
  /** Empty while signed out. */
  readonly extension: string;
}

/** The REST interface of one Finesse. Everything rejects with a TelephonyError `FINESSE_…`. */
export interface FinesseClient {
  /** Name and port, for texts. */
  readonly host: string;
  /** Resolves when the server is in service. Sends no credentials. */
  check(): Promise<void>;
  user(agent: FinesseAgent): Promise<FinesseUser>;
  dialogs(agent: FinesseAgent): Promise<DialogList>;
  /** Resolves when Finesse has accepted the order (202), which says nothing of the call. */
  makeCall(agent: FinesseAgent, to: string): Promise<void>;
  /** Takes the agent's leg out of a call of two, which ends it. */
  drop(agent: FinesseAgent, dialogId: string): Promise<void>;
  /** Rejects what is under way with `FINESSE_CLOSED` and closes every socket. */
  close(): void;
}
