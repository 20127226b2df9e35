/** How a simulated phone behaves when it rings. */
export type PhoneRule = 'answers' | 'busy' | 'no-answer' | 'declines' | 'unregistered';

export interface SimulatedPhone {
  readonly extension: string;
  readonly name: string;
  readonly rule: PhoneRule;
}

/** A call from the provider, put into the simulator. */
export interface IncomingCall {
  readonly from: string;
  /** The name the provider sends, if any. */
  readonly name?: string;
  readonly did: string;
  /** How long the caller waits for a person to take the call before hanging up, in ms; absent: to the end. */
  readonly patienceMs?: number;
  /** How long the caller talks, in ms, unless somebody hangs up before; absent: the time of all calls. */
  readonly talkMs?: number;
  /** Told the Linkedid at once, before any client can have heard an event of the call. Must not throw. */
  readonly onBegin?: (callId: string) => void;
}

/** How a simulated call ended, told as a person would tell it. */
export interface SimulatedCallOutcome {
  /** Linkedid. */
  readonly callId: string;
  readonly from: string;
  readonly did: string;
  /** `responsible`: the flow named an extension; `usual`: the call went on by its normal way (the IVR). */
  readonly way: 'responsible' | 'usual';
  /** Why the usual way: nobody serves the question, it was not answered in time, the answer was "nobody", or the named phone did not take the call. */
  readonly why?: 'nobody-serves' | 'no-answer-in-time' | 'nobody-responsible' | 'phone-did-not-take-it';
  /** The extension that was rung, with or without success. */
  readonly extension?: string;
  /** The caller's name as the phone showed it. */
  readonly callerName?: string;
  /**
   * How the person who was rung took the call; `ivr`: nobody was rung, the caller heard the greeting. After a phone that
   * did not take the call the caller hears the greeting too. `cancelled`: the caller, or a manager action, ended it first.
   */
  readonly result: 'answered' | 'busy' | 'no-answer' | 'declined' | 'not-registered' | 'ivr' | 'cancelled';
  /** Milliseconds from the question to the moment the dialplan went on. */
  readonly askedMs: number;
}

export interface SimulatorOptions {
  /** The phones of the office; default: `defaultPhones`, one for every way to take a call. */
  readonly phones?: readonly SimulatedPhone[];
  /** Users of the manager interface beside the built-in one; for tests of refusals. */
  readonly users?: readonly SimulatedUser[];
  /** How long a phone rings before it answers, and an answered call lasts, in ms (defaults 800 and 1500). */
  readonly ringMs?: number;
  readonly talkMs?: number;
  /** The guard of the dialplan: how long a call waits for the route, in ms (default 3000). */
  readonly routeMs?: number;
}

export interface SimulatedUser {
  readonly username: string;
  readonly secret: string;
  /** Classes of manager.conf; default all. */
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  /** `allowmultiplelogin`, default true. */
  readonly multipleLogin?: boolean;
}

export interface SimulatorAddress {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly secret: string;
}

/** A PBX in the process: a manager interface on a free loopback port, phones, and a dialplan that asks for the route. */
export interface Simulator {
  /** Idempotent; every start after a stop is a fresh PBX on a fresh port with a fresh password. */
  start(): Promise<SimulatorAddress>;
  /**
   * Plays one call from the provider through the dialplan; resolves when it is over. Rejects with a `TelephonyError`:
   * `SIMULATOR_NOT_RUNNING`, `SIMULATOR_STOPPED` (stopped before the call was over), `SIMULATOR_TOO_MANY_CALLS` (1000 at
   * once), `SIMULATOR_BAD_CALL` (an empty, long or many-lined text).
   */
  call(call: IncomingCall): Promise<SimulatedCallOutcome>;
  /**
   * Changes a phone's behaviour; registering and unregistering send the events a real PBX sends. Throws
   * `SIMULATOR_NO_SUCH_PHONE` or `SIMULATOR_NOT_RUNNING`.
   */
  setPhone(extension: string, rule: PhoneRule): void;
  /** Ends all calls and sessions; leaves no socket and no timer. */
  stop(): Promise<void>;
}
