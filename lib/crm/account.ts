import type { Clock } from '../clock';
import { asError, TelephonyError, type Text } from '../errors';
import type { Log } from '../log';
import { numberKey } from '../phone';
import { createBreaker, type Breaker } from './breaker';
import { Creating, type Creation } from './creating';
import { Directory } from './directory';
import { crmError, withLabels } from './errors';
import { createCrmHttp, untilAborted, type ClosableCrmHttp } from './http';
import { createLimiter } from './limiter';
import { AnswerMemory, bounded } from './memory';
import type {
  CallContext,
  ClientWish,
  CrmAdapter,
  CrmAnswer,
  CrmField,
  CrmKind,
  CrmUser,
  DeliverableEvent,
  Delivered,
  DeliveryContext,
  PhoneNumber,
  SecretSlot,
  UserMapping,
} from './types';

export interface CrmAccountOptions {
  readonly kind: CrmKind;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Partial<Record<SecretSlot, string>>>;
  /** The table extension <-> CRM user. */
  readonly users?: readonly UserMapping[];
  /** PEM of an authority to trust beside the built-in ones. */
  readonly ca?: string;
  /** Instead of the kind's own limits. */
  readonly limits?: CrmKind['limits'];
  /** How long a found client is served from memory, in ms (default 5 minutes). */
  readonly foundMs?: number;
  /** How long "not found" is served from memory, in ms (default 1 minute). */
  readonly notFoundMs?: number;
  /** How long one question to the CRM may run at most, its askers waiting or not, in ms (default 10 s). */
  readonly requestMs?: number;
}

export interface CrmAccountDeps {
  readonly clock: Clock;
  readonly log: Log;
}

export interface AccountLookup {
  readonly answer: CrmAnswer;
  /** `stale`: remembered longer than it should be, given because the CRM failed or was late. */
  readonly from: 'crm' | 'cache' | 'stale';
}

/** What the account last heard from its CRM. */
export type CrmState =
  /** Nothing was asked yet. */
  | { readonly status: 'idle' }
  | { readonly status: 'ok' }
  | { readonly status: 'failing'; readonly error: TelephonyError };

interface CrmStats {
  /** Questions about a number, and how many of them were answered from memory. */
  readonly lookups: number;
  readonly fromCache: number;
  readonly fromStale: number;
  /** Questions that joined one already under way. */
  readonly coalesced: number;
  /** Questions that really went to the CRM, repetitions included. */
  readonly requests: number;
  readonly failures: number;
  readonly breaker: 'closed' | 'open' | 'half-open';
  /** Now: numbers being asked for, and numbers remembered. */
  readonly inFlight: number;
  readonly cached: number;
}

/** How an event is delivered: what {@link DeliveryContext} has beside what the account itself knows. */
export type DeliveryWish = Pick<DeliveryContext, 'settings' | 'memo' | 'recordings' | 'attempt' | 'ageMs'>;

/** One CRM account in use: cache, limits, circuit breaker and the table extension <-> user around one adapter. */
export interface CrmAccount {
  readonly state: CrmState;
  readonly stats: CrmStats;
  /**
   * What the CRM says of a number. Settles within `deadlineMs`, whatever the CRM does; rejects with a TelephonyError
   * `CRM_…` only (`CRM_TIMEOUT`, `CRM_LIMITED`, `CRM_BREAKER_OPEN`, `CRM_CLOSED`, what the request met).
   */
  lookup(phone: PhoneNumber, deadlineMs: number): Promise<AccountLookup>;
  /** What {@link create} can make. */
  readonly creates: readonly ClientWish['type'][];
  /**
   * Makes a client of a number that {@link lookup} did not find: one for each number, however many ask at once. Settles within
   * `deadlineMs`; what was begun goes on behind it, and its client is found by the next question. Rejects as {@link lookup}
   * does, or with `CRM_CANNOT_CREATE`.
   */
  create(phone: PhoneNumber, wish: ClientWish, deadlineMs: number): Promise<Creation>;
  /** What it can be told of; empty: this kind takes no events. */
  readonly topics: readonly DeliverableEvent['topic'][];
  /** Those of them that it should be told of unless somebody chooses others. */
  readonly usualTopics: readonly DeliverableEvent['topic'][];
  /**
   * Tells the CRM of one thing that happened, once. Waits for its turn behind all lookups; not held back by their breaker.
   * Rejects with a TelephonyError: `CRM_…`, or `RECORDING_…` when the recording is what is wanting.
   */
  deliver(event: DeliverableEvent, how: DeliveryWish): Promise<Delivered>;
  /** Throws `CRM_BAD_SETTINGS` when events cannot be delivered with these choices of `crm-webhook-out`. */
  checkDelivery(settings: Readonly<Record<string, unknown>>): void;
  /** The extension of a CRM user, and the line of the table for an extension. */
  extensionOf(userId: string): string | undefined;
  userOf(extension: string): UserMapping | undefined;
  /** Proves address and credentials; resolves with a line for the admin, or nothing to add. */
  test(): Promise<Text | undefined>;
  /** The users of the CRM, to fill the table from. */
  loadUsers(): Promise<CrmUser[]>;
  /** Calls `handler` at every change of {@link state}. Returns the function that ends it. */
  onState(handler: (state: CrmState) => void): () => void;
  /** Rejects what is under way (`CRM_CLOSED`) and closes every socket and timer; idempotent. */
  close(): Promise<void>;
}

/** One question about one number under way, and who waits for it. */
interface Flight {
  readonly answer: Promise<CrmAnswer>;
  readonly startedAt: number;
  /** The latest deadline of its askers, monotonic. */
  until: number;
  /** The last asker gave up: the answer still fills the memory, but the CRM was too slow. */
  late: boolean;
}

/** Numbers asked for at once; far more than a CRM's limit lets through in the time of one request. */
const MAX_FLIGHTS = 500;
/** An asker with less patience than this says nothing about the speed of the CRM. */
const SLOW_MS = 1000;
const RETRY_AFTER_MS = 100;
/** One delivery with all its requests, the upload of a recording and the waits for their turns included. */
const DELIVERY_MS = 180_000;
const MAX_USERS = 5000;
/** So many numbers refused in a row are no matter of one number any more. */
const REFUSALS_TO_FAIL = 3;

/** A connection that broke, or a gateway that could not reach the CRM behind it: worth a second try at once. */
function isPassing(error: TelephonyError): boolean {
  if (error.code === 'CRM_UNREACHABLE') return error.params.why === 'reset';
  return error.code === 'CRM_SERVER_ERROR' && [502, 503, 504].includes(Number(error.params.status));
}

/** A refusal by our own limiter or our own close tells nothing about the CRM. */
const isOurOwn = (error: TelephonyError): boolean =>
  error.code === 'CRM_CLOSED' || (error.code === 'CRM_LIMITED' && error.params.status === undefined);

function asCrmError(thrown: unknown): TelephonyError {
  if (thrown instanceof TelephonyError) return thrown;
  // The text of a foreign error may hold anything, keys too: only its kind is told.
  return crmError('CRM_FAULT', { name: asError(thrown).name }, thrown);
}

class Account implements CrmAccount {
  state: CrmState = { status: 'idle' };
  private readonly kind: CrmKind;
  private readonly http: ClosableCrmHttp;
  private readonly breaker: Breaker;
  private readonly adapter: CrmAdapter;
  private readonly memory: AnswerMemory;
  private readonly creating: Creating;
  private readonly directory: Directory;
  private readonly requestMs: number;
  /** Every field that an error may name. */
  private readonly fields: readonly CrmField[];
  readonly creates: readonly ClientWish['type'][];
  readonly topics: readonly DeliverableEvent['topic'][];
  readonly usualTopics: readonly DeliverableEvent['topic'][];
  private closed = false;
  private refusals = 0;
  private readonly flights = new Map<string, Flight>();
  /** What is being asked, with the means to end it. */
  private readonly underWay = new Map<AbortController, Promise<unknown>>();
  private readonly stateHandlers = new Set<(state: CrmState) => void>();
  private readonly counts = { lookups: 0, fromCache: 0, fromStale: 0, coalesced: 0, requests: 0, failures: 0 };

  constructor(
    options: CrmAccountOptions,
    private readonly deps: CrmAccountDeps,
  ) {
    const { clock } = deps;
    const { kind, foundMs = 300_000, notFoundMs = 60_000 } = options;
    this.requestMs = options.requestMs ?? 10_000;
    const limiter = createLimiter(options.limits ?? kind.limits, clock);
    const ca = options.ca === undefined ? {} : { ca: options.ca };
    const secrets = Object.values(options.secrets);
    this.http = createCrmHttp({ clock, limiter, timeoutMs: this.requestMs, secrets, ...ca });
    this.kind = kind;
    this.fields = [...kind.fields, ...(kind.deliveryFields ?? [])];
    this.creates = kind.creates ?? [];
    const { topics = [] } = kind;
    this.topics = topics.map(({ topic }) => topic);
    this.usualTopics = topics.filter(({ byDefault }) => byDefault).map(({ topic }) => topic);
    this.adapter = this.naming(() => kind.create(options.settings, options.secrets, this.http));
    this.breaker = createBreaker(clock);
    this.memory = new AnswerMemory({ foundMs, notFoundMs, clock });
    const run = <T>(work: (context: CallContext) => Promise<T>) => this.withinBound(work);
    this.creating = new Creating({ clock, memory: this.memory, adapter: this.adapter, run });
    this.directory = new Directory(options.users ?? []);
  }

  get stats(): CrmStats {
    return {
      ...this.counts,
      breaker: this.breaker.state,
      inFlight: this.flights.size,
      cached: this.memory.size,
    };
  }

  async deliver(event: DeliverableEvent, how: DeliveryWish): Promise<Delivered> {
    const { adapter } = this;
    const userOf = (extension: string) => this.directory.userOf(extension);
    try {
      const delivered = await this.withinBound(async ({ signal }) => {
        const context = { ...how, signal, userOf, background: true };
        return (await adapter.deliver?.(event, context)) ?? { status: 'skipped' as const };
      }, DELIVERY_MS);
      if (delivered.status === 'delivered') this.setState({ status: 'ok' });
      return delivered;
    } catch (thrown) {
      const error = asCrmError(thrown);
      // What is refused or not ready concerns this one event.
      const concernsAll = error.code.startsWith('CRM_') && error.code !== 'CRM_REFUSED' && !isOurOwn(error);
      if (concernsAll) this.setState({ status: 'failing', error });
      throw withLabels(error, this.fields);
    }
  }

  async lookup(phone: PhoneNumber, deadlineMs: number): Promise<AccountLookup> {
    if (this.closed) throw crmError('CRM_CLOSED');
    this.counts.lookups += 1;
    const key = String(numberKey(phone));
    const known = this.memory.fresh(key);
    if (known !== undefined) {
      this.counts.fromCache += 1;
      return { answer: known, from: 'cache' };
    }
    const stale = this.memory.stale(key);
    try {
      // With something to fall back on there is no need to use up the last moment.
      const patience = stale === undefined ? deadlineMs : deadlineMs - Math.min(200, deadlineMs / 4);
      const flight = this.join(key, deadlineMs) ?? this.start(key, phone, deadlineMs);
      return { answer: await this.wait(flight, patience), from: 'crm' };
    } catch (thrown) {
      const error = asCrmError(thrown);
      if (stale === undefined || error.code === 'CRM_CLOSED') throw error;
      this.counts.fromStale += 1;
      return { answer: stale, from: 'stale' };
    }
  }

  create(phone: PhoneNumber, wish: ClientWish, deadlineMs: number): Promise<Creation> {
    return this.creating.create(phone, wish, deadlineMs);
  }

  checkDelivery(settings: Readonly<Record<string, unknown>>): void {
    this.naming(() => this.kind.checkDelivery?.(settings));
  }

  extensionOf(userId: string): string | undefined {
    return this.directory.extensionOf(userId);
  }

  userOf(extension: string): UserMapping | undefined {
    return this.directory.userOf(extension);
  }

  test(): Promise<Text | undefined> {
    return this.byHand((context) => this.adapter.test(context));
  }

  async loadUsers(): Promise<CrmUser[]> {
    const users = await this.byHand((context) => this.adapter.listUsers(context));
    return users.slice(0, MAX_USERS);
  }

  onState(handler: (state: CrmState) => void): () => void {
    this.stateHandlers.add(handler);
    return () => void this.stateHandlers.delete(handler);
  }

  async close(): Promise<void> {
    this.closed = true;
    const reason = crmError('CRM_CLOSED');
    for (const controller of this.underWay.keys()) controller.abort(reason);
    this.http.close();
    await Promise.allSettled(this.underWay.values());
    this.memory.clear();
    this.stateHandlers.clear();
  }

  private join(key: string, deadlineMs: number): Flight | undefined {
    const flight = this.flights.get(key);
    if (flight === undefined) return undefined;
    this.counts.coalesced += 1;
    flight.until = Math.max(flight.until, this.deps.clock.monotonic() + deadlineMs);
    return flight;
  }

  private start(key: string, phone: PhoneNumber, deadlineMs: number): Flight {
    if (this.flights.size >= MAX_FLIGHTS) throw crmError('CRM_LIMITED', { retryAfterMs: 1000 });
    if (!this.breaker.admit()) throw crmError('CRM_BREAKER_OPEN', { retryAfterMs: this.breaker.retryAfterMs });
    const startedAt = this.deps.clock.monotonic();
    // A turn later than that would bring the answer too late, and waiting for it would look like a slow CRM.
    const deadline = startedAt + deadlineMs / 2;
    const answer = this.withinBound(async (context) => {
      const find = () => this.adapter.findByPhone(phone, { ...context, deadline });
      return bounded(await this.trying(find, context.signal, () => flight.until));
    });
    const flight: Flight = { answer, startedAt, until: startedAt + deadlineMs, late: false };
    this.flights.set(key, flight);
    answer.then(
      (found) => {
        this.flights.delete(key);
        this.memory.put(key, found);
        this.landed(flight, undefined);
      },
      (error: unknown) => {
        this.flights.delete(key);
        this.landed(flight, asCrmError(error));
      },
    );
    return flight;
  }

  /** Waits for a flight as long as this asker can; the flight goes on without him. */
  private wait(flight: Flight, patienceMs: number): Promise<CrmAnswer> {
    const { clock } = this.deps;
    return new Promise((resolve, reject) => {
      const timer = clock.after(patienceMs, () => {
        this.gaveUp(flight);
        reject(crmError('CRM_TIMEOUT', { ms: Math.round(patienceMs) }));
      });
      flight.answer.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  private gaveUp(flight: Flight): void {
    const now = this.deps.clock.monotonic();
    const someoneWaits = now < flight.until - 200;
    if (flight.late || someoneWaits || now - flight.startedAt < SLOW_MS) return;
    flight.late = true;
    this.failed(crmError('CRM_TIMEOUT', { ms: Math.round(now - flight.startedAt) }));
  }

  private landed(flight: Flight, error: TelephonyError | undefined): void {
    // A late flight has already been counted as a failure of the CRM.
    if (flight.late) return;
    if (error === undefined) this.succeeded();
    else this.failed(error);
  }

  private succeeded(): void {
    this.breaker.succeeded();
    this.refusals = 0;
    this.setState({ status: 'ok' });
  }

  private failed(error: TelephonyError): void {
    if (error.code === 'CRM_LIMITED' || error.code === 'CRM_CLOSED') this.breaker.skipped();
    // A CRM that refuses one number is there and knows us.
    else if (error.code === 'CRM_REFUSED') this.breaker.succeeded();
    else this.breaker.failed();
    if (isOurOwn(error)) return;
    this.counts.failures += 1;
    if (error.code === 'CRM_REFUSED') this.refusals += 1;
    const oneNumberOnly = error.code === 'CRM_REFUSED' && this.refusals < REFUSALS_TO_FAIL;
    this.setState(oneNumberOnly ? { status: 'ok' } : { status: 'failing', error });
  }

  /** What an admin asks by a button: never held back by the breaker, and a success ends its pause. */
  private async byHand<T>(ask: (context: CallContext) => Promise<T>): Promise<T> {
    try {
      const result = await this.withinBound((context) =>
        this.trying(
          () => ask(context),
          context.signal,
          () => Infinity,
        ),
      );
      this.succeeded();
      return result;
    } catch (thrown) {
      const error = asCrmError(thrown);
      if (!isOurOwn(error)) this.setState({ status: 'failing', error });
      throw error;
    }
  }

  /** Asks once, and once more after a failure that passes, when the time left until `until()` allows it. */
  private async trying<T>(ask: () => Promise<T>, signal: AbortSignal, until: () => number): Promise<T> {
    try {
      this.counts.requests += 1;
      return await ask();
    } catch (thrown) {
      const timeLeft = until() - this.deps.clock.monotonic();
      if (!isPassing(asCrmError(thrown)) || timeLeft < 2 * RETRY_AFTER_MS) throw thrown;
      await this.pause(RETRY_AFTER_MS, signal);
      this.counts.requests += 1;
      return await ask();
    }
  }

  private pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.deps.clock.after(ms, resolve);
      signal.addEventListener('abort', () => timer.cancel(), { once: true });
    });
  }

  /** Runs `work` until it ends, `ms` are over or the account closes, whether it heeds the signal or not. */
  private withinBound<T>(work: (context: CallContext) => Promise<T>, ms = this.requestMs): Promise<T> {
    const { clock } = this.deps;
    const controller = new AbortController();
    const { signal } = controller;
    if (this.closed) controller.abort(crmError('CRM_CLOSED'));
    const timer = clock.after(ms, () => controller.abort(crmError('CRM_TIMEOUT', { ms })));
    const begun = signal.aborted ? Promise.reject(asError(signal.reason)) : work({ signal });
    const told = begun.catch((thrown: unknown) => {
      throw withLabels(asCrmError(thrown), this.fields);
    });
    const result = untilAborted(told, signal).finally(() => {
      timer.cancel();
      this.underWay.delete(controller);
    });
    this.underWay.set(controller, result);
    return result;
  }

  /** Runs `work`; an error of it calls a field as the dialog does. */
  private naming<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      throw withLabels(asCrmError(thrown), this.fields);
    }
  }

  private setState(state: CrmState): void {
    if (this.closed) return;
    const before = this.state;
    this.state = state;
    const code = (of: CrmState) => (of.status === 'failing' ? of.error.code : of.status);
    if (code(before) === code(state)) return;
    for (const handler of this.stateHandlers) {
      try {
        handler(state);
      } catch (thrown) {
        this.deps.log.warn(`A listener of the CRM state failed: ${asError(thrown).message}`);
      }
    }
  }
}

/** Makes the account; throws `CRM_BAD_SETTINGS` naming the field that is wrong. Asks the CRM nothing yet. */
export function createCrmAccount(options: CrmAccountOptions, deps: CrmAccountDeps): CrmAccount {
  return new Account(options, deps);
}
