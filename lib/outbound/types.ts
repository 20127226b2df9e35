import type { TelephonyError } from '../errors';

/** A number as the PBX is to dial it: `dialled` as people dial from the plan's country (8 903…, 8 10 …), `digits` 7903…, `e164` +7903…. */
export type DialAs = 'dialled' | 'digits' | 'e164';

/** What `ami-config` says of calls out. */
export interface DialSettings {
  /** First leg of a click, `{extension}` replaced: `PJSIP/{extension}`. */
  readonly agentChannel: string;
  /** Context that dials numbers and extensions for a click. */
  readonly context: string;
  /** Longest prefix of the number as {@link dialAs} writes it (`8495`, digits only) wins; `{number}` is replaced: `PJSIP/{number}@trunk`. The empty prefix fits all. */
  readonly channels: readonly { readonly prefix: string; readonly channel: string }[];
  readonly dialAs: DialAs;
  /** How a phone is asked to answer a click by itself. */
  readonly autoAnswer: 'off' | 'call-info' | 'alert-info' | 'answer-mode';
  /** Patterns on E.164, `*` at the end: `+7*`. Empty allow = the plan's country, without premium and short numbers. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** Calls begun a minute: by all, and by one caller. */
  readonly perMinute: number;
  readonly perCaller: number;
  readonly hold: 'redirect' | 'phone' | 'park';
  /** Computers whose user is not found by the address of a phone: address -> extension. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** A number or extension as it was asked for, and its E.164 when it is a phone number: only that is then judged and dialled. */
export interface DialTarget {
  readonly number: string;
  readonly e164?: string;
}

/** The rules for dialling of one PBX; shared by all nodes that dial there. */
export interface DialGuard {
  /** Why a number or extension may not be dialled at all; counted and logged by whoever refuses. */
  objection(target: DialTarget): TelephonyError | undefined;
  /**
   * Takes one place in this minute for `by`; or says when the next one is free (wall-clock ms). `id`: of a call that no store knows of, for
   * {@link begun}.
   */
  take(
    by: string | undefined,
    id?: string,
  ): { readonly free: true } | { readonly free: false; readonly at: number; readonly error: TelephonyError };
  /** Counts calls that an earlier process began (wall-clock ms): its restart gives nobody more of them. A call told twice counts once. */
  remember(calls: readonly BegunCall[]): void;
  /** The calls of the last minute whose id is known, for the guard that comes after this one. Absent: it counts none. */
  begun?(): readonly BegunCall[];
}

/** One call of the last minute. */
export interface BegunCall {
  /** One of a kind. */
  readonly id: string;
  readonly by: string | undefined;
  /** Wall-clock ms. */
  readonly at: number;
}
