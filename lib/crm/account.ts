import type { Clock } from '../clock';
import type { TelephonyError, Text } from '../errors';
import type { Log } from '../log';
import { Creating, type Creation } from './creating';
import { Directory } from './directory';
import { asCrmError, crmError, withLabels } from './errors';
import { Health, type CrmState } from './health';
import { createCrmHttp, type ClosableCrmHttp } from './http';
import { createLimiter } from './limiter';
import { Lookups, type AccountLookup } from './lookups';
import { AnswerMemory } from './memory';
import { OrderPoll, type OrderPollHandlers } from './order-poll';
import { Requests } from './requests';
import type {
  CallContext,
  ClientWish,
  CrmAdapter,
  CrmField,
  CrmKind,
  CrmUser,
  DeliverableEvent,
  Delivered,
  DeliveryContext,
  Keep,
  PhoneNumber,
  SecretSlot,
  UserMapping,
} from './types';

export type { CrmState } from './health';
export type { AccountLookup } from './lookups';

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
  /** Where a sign-in is kept; absent: it lasts as long as the account. */
  readonly keep?: Keep;
}

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
   * Tells the CRM of one thing that happened, once. Lookups go before it, up to three for each of its requests; not held back by
   * their breaker.
   * Rejects with a TelephonyError: `CRM_…`, or `RECORDING_…` when the recording is what is wanting.
   */
  deliver(event: DeliverableEvent, how: DeliveryWish): Promise<Delivered>;
  /** Throws `CRM_BAD_SETTINGS` when events cannot be delivered with these choices of `crm-webhook-out`. */
  checkDelivery(settings: Readonly<Record<string, unknown>>): void;
  /** What the dialog says of it, without secrets. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The table extension <-> CRM user: the line that counts of each user. */
  readonly users: readonly UserMapping[];
  /** The extension of a CRM user, and the line of the table for an extension. */
  extensionOf(userId: string): string | undefined;
  userOf(extension: string): UserMapping | undefined;
  /** Proves address and credentials; resolves with a line for the admin, or nothing to add. */
  test(): Promise<Text | undefined>;
  /** The users of the CRM, to fill the table from. */
  loadUsers(): Promise<CrmUser[]>;
  /**
   * Fetches the orders that wait in the CRM, until the poll is closed. `undefined`: none wait there, or not for this account. Before the
   * deliveries, and not held back by the breaker.
   */
  pollOrders(handlers: OrderPollHandlers): OrderPoll | undefined;
  /** Whether {@link pollOrders} has anything to fetch. */
  readonly hasOrders: boolean;
  /** How a person lets the account in; absent: its settings are enough. `finish` settles as {@link test} does. */
  readonly signIn: { readonly page: string; finish(pasted: string): Promise<void> } | undefined;
  /** Calls `handler` at every change of {@link state}. Returns the function that ends it. */
  onState(handler: (state: CrmState) => void): () => void;
  /**
   * Rejects what is under way (`CRM_CLOSED`) and closes every socket and timer; idempotent. A delivery that the CRM is being sent ends
   * behind it, within its time: broken off, it could be there although nobody knows.
   */
  close(): Promise<void>;
}

/** One delivery with all its requests, the upload of a recording included; and all waits for their turns, which say nothing of the CRM. */
const DELIVERY = { workMs: 180_000, turnsMs: 600_000 };
const MAX_USERS = 5000;

class Account implements CrmAccount {
  private readonly kind: CrmKind;
  private readonly clock: Clock;
  private readonly http: ClosableCrmHttp;
  private readonly adapter: CrmAdapter;
  private readonly memory: AnswerMemory;
  private readonly requests: Requests;
  private readonly health: Health;
  private readonly lookups: Lookups;
  private readonly creating: Creating;
  private readonly directory: Directory;
  /** Every field that an error may name. */
  private readonly fields: readonly CrmField[];
  readonly creates: readonly ClientWish['type'][];
  readonly topics: readonly DeliverableEvent['topic'][];
  readonly usualTopics: readonly DeliverableEvent['topic'][];
  readonly settings: CrmAccount['settings'];
  private closed = false;

  constructor(options: CrmAccountOptions, { clock, log, keep }: CrmAccountDeps) {
    const { kind, foundMs = 300_000, notFoundMs = 60_000, requestMs = 10_000 } = options;
    const limiter = createLimiter(options.limits ?? kind.limits, clock);
    const ca = options.ca === undefined ? {} : { ca: options.ca };
    const secrets = Object.values(options.secrets);
    this.http = createCrmHttp({ clock, limiter, timeoutMs: requestMs, secrets, ...ca });
    this.kind = kind;
    this.settings = options.settings;
    this.clock = clock;
    this.fields = [...kind.fields, ...(kind.deliveryFields ?? [])];
    this.creates = kind.creates ?? [];
    const { topics = [] } = kind;
    this.topics = topics.map(({ topic }) => topic);
    this.usualTopics = topics.filter(({ byDefault }) => byDefault).map(({ topic }) => topic);
    this.adapter = this.naming(() => kind.create(options.settings, options.secrets, this.http, keep));
    this.requests = new Requests({ clock, usualMs: requestMs, fields: this.fields });
    this.health = new Health(clock, log);
    this.memory = new AnswerMemory({ foundMs, notFoundMs, clock });
    const { adapter, health, memory, requests } = this;
    this.lookups = new Lookups({ clock, memory, adapter, health, requests });
    this.creating = new Creating({ clock, memory, adapter, run: (work) => requests.within(work) });
    this.directory = new Directory(options.users ?? []);
  }

  get state(): CrmState {
    return this.health.state;
  }

  get stats(): CrmStats {
    return {
      ...this.lookups.counts,
      requests: this.requests.asked,
      failures: this.health.failures,
      breaker: this.health.breakerState,
      inFlight: this.lookups.inFlight,
      cached: this.memory.size,
    };
  }

  async lookup(phone: PhoneNumber, deadlineMs: number): Promise<AccountLookup> {
    if (this.closed) throw crmError('CRM_CLOSED');
    return this.lookups.lookup(phone, deadlineMs);
  }

  create(phone: PhoneNumber, wish: ClientWish, deadlineMs: number): Promise<Creation> {
    return this.creating.create(phone, wish, deadlineMs);
  }

  async deliver(event: DeliverableEvent, how: DeliveryWish): Promise<Delivered> {
    const { adapter, health } = this;
    const userOf = (extension: string) => this.directory.userOf(extension);
    if (!this.topics.includes(event.topic)) return { status: 'skipped' };
    try {
      const delivered = await this.requests.within(async (context) => {
        const whole = { ...how, ...context, userOf, background: true };
        return (await adapter.deliver?.(event, whole)) ?? { status: 'skipped' as const };
      }, DELIVERY);
      if (delivered.status === 'delivered') health.delivered();
      return delivered;
    } catch (thrown) {
      const error = asCrmError(thrown);
      health.deliveryFailed(error);
      throw error;
    }
  }

  checkDelivery(settings: Readonly<Record<string, unknown>>): void {
    this.naming(() => this.kind.checkDelivery?.(settings));
  }

  get users(): readonly UserMapping[] {
    return this.directory.lines;
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

  get hasOrders(): boolean {
    return this.adapter.orders !== undefined;
  }

  pollOrders(handlers: OrderPollHandlers): OrderPoll | undefined {
    const { adapter, health } = this;
    if (adapter.orders === undefined) return undefined;
    const onState = (error: TelephonyError | undefined): void => {
      if (error) health.deliveryFailed(error);
      else health.delivered();
      handlers.onState(error);
    };
    return new OrderPoll(adapter.orders, this.clock, { ...handlers, onState });
  }

  get signIn(): CrmAccount['signIn'] {
    const { signIn } = this.adapter;
    if (signIn === undefined) return undefined;
    return { page: signIn.page, finish: (pasted) => this.byHand((context) => signIn.finish(pasted, context)) };
  }

  onState(handler: (state: CrmState) => void): () => void {
    return this.health.onState(handler);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.health.close();
    const ended = this.requests.close();
    this.http.close();
    await ended;
    this.memory.clear();
  }

  /** What an admin asks by a button: never held back by the breaker, and a success ends its pause. */
  private async byHand<T>(ask: (context: CallContext) => Promise<T>): Promise<T> {
    const { health, requests } = this;
    try {
      const result = await requests.within((context) => requests.trying(() => ask(context), context.signal));
      health.succeeded();
      return result;
    } catch (thrown) {
      const error = asCrmError(thrown);
      health.questionFailed(error);
      throw error;
    }
  }

  /** Runs `work`; an error of it calls a field as the dialog does. */
  private naming<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      throw withLabels(asCrmError(thrown), this.fields);
    }
  }
}

/** Makes the account; throws `CRM_BAD_SETTINGS` naming the field that is wrong. Asks the CRM nothing yet. */
export function createCrmAccount(options: CrmAccountOptions, deps: CrmAccountDeps): CrmAccount {
  return new Account(options, deps);
}
