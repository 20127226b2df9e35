import type { TelephonyError, Text } from '../errors';
import type { CallResult, Direction, RecordPayload } from '../messages/types';

/**
 * The database behind outbox, history and live calls. Every method is asynchronous, so that a shared PostgreSQL can stand behind the
 * same interface; rejects with a TelephonyError `STORE_…`. A write resolves when it is on disk; writes of one tick share a transaction.
 */
export interface Store {
  readonly state: StoreState;
  readonly outbox: OutboxTable;
  readonly memos: MemoTable;
  readonly calls: CallTable;
  readonly queueFacts: QueueFactTable;
  readonly live: LiveCallTable;
  readonly orders: OrderTable;
  readonly blocked: BlockedNumbers;
  /** Calls `handler` at every change of {@link state}. Returns the function that ends it. */
  onState(handler: (state: StoreState) => void): () => void;
  /**
   * Opens the file and moves the schema on; after an unclean end checks the integrity of a file of up to 32 MiB. Idempotent;
   * resolves also when it failed: see {@link state}.
   */
  open(): Promise<void>;
  /**
   * Writes a consistent copy while running; resolves with its path. Never over an existing file, and only below the folder of the
   * store; without a name into `backups/`, named by the time.
   */
  backup(file?: string): Promise<string>;
  stats(): Promise<StoreStats>;
  /** Waits for the writes under way, at most 1.5 s. */
  close(): Promise<void>;
}

/** `failed`: nothing can be kept (full disk, broken or locked file); it is tried again by itself every five seconds. */
export type StoreState =
  | { readonly status: 'closed' }
  | { readonly status: 'open'; readonly note?: TelephonyError }
  | { readonly status: 'failed'; readonly error: TelephonyError };

/** Bytes on disk, and rows: calls of the history, events that wait for delivery or were given up. */
export interface StoreStats {
  readonly bytes: number;
  readonly calls: number;
  readonly waiting: number;
  readonly dead: number;
  /** Orders of all diallers that wait or are being dialled. */
  readonly orders: number;
}

/** What is to be delivered. */
export interface OutboxEntry {
  /** Who delivers it: the id of the node. */
  readonly queue: string;
  /** One of each in a queue: the second is taken for the first. */
  readonly eventId: string;
  /** What belongs together and keeps its order: the callId. */
  readonly orderKey: string;
  /** Wall-clock ms. */
  readonly acceptedAt: number;
  /** What is sent, as JSON: a payload of at most MAX_PAYLOAD_BYTES, and its topic. */
  readonly body: string;
}

/** An entry on disk, and what became of it so far. */
export interface OutboxItem extends OutboxEntry {
  /** Grows in the order of acceptance. */
  readonly id: number;
  readonly attempts: number;
  /** Wall-clock ms before which it is not tried. */
  readonly notBefore: number;
  readonly lastError?: StoredError;
}

/** An error as it lies on disk: of the last try. */
export interface StoredError {
  readonly code: string;
  /** In every language, since nobody knows who will read it; holds what the CRM said. */
  readonly text: Text;
  /** Wall-clock ms. */
  readonly at: number;
}

/** What was given up: it stays until a person revives or drops it. */
export interface DeadItem extends OutboxItem {
  /** Wall-clock ms. */
  readonly diedAt: number;
}

/** What is to be delivered, over restarts. A queue is everything of one node; ids that are not there, or not of that state, are left out. */
export interface OutboxTable {
  /** Resolves when all are on disk, with the eventIds that were there already (waiting, delivered lately, or dead). */
  put(entries: readonly OutboxEntry[]): Promise<{ readonly known: readonly string[] }>;
  /** The first waiting items of a queue after `afterId`, in order, whatever their `notBefore`. */
  waiting(queue: string, limit: number, afterId?: number): Promise<OutboxItem[]>;
  /** Delivered: forgotten, but its eventId is remembered for a week. */
  done(ids: readonly number[]): Promise<void>;
  /** A try failed: counted, and not tried before `notBefore` (wall-clock ms). */
  failed(id: number, error: StoredError, notBefore: number): Promise<void>;
  /** The last try failed: it is dead from now on. */
  giveUp(id: number, error: StoredError): Promise<void>;
  /** The first dead items of a queue after `afterId`, in order. */
  dead(queue: string, limit: number, afterId?: number): Promise<DeadItem[]>;
  /** Puts dead items (all of the queue without `ids`) back, tries and age begun anew; resolves with how many. */
  revive(queue: string, ids?: readonly number[]): Promise<number>;
  /** Forgets dead items (all of the queue without `ids`), but for their eventIds; resolves with how many. */
  drop(queue: string, ids?: readonly number[]): Promise<number>;
  /** `oldestAt`: wall-clock ms when the first that waits was accepted. */
  count(queue: string): Promise<{ readonly waiting: number; readonly dead: number; readonly oldestAt?: number }>;
  /** The queues that hold something, waiting or dead. */
  queues(): Promise<string[]>;
  /**
   * Moves what waits and what is dead in `from` to the queue `to`, in its order; tries and age of what waits begin anew. What `to`
   * knows already is forgotten instead. Resolves with how many were moved.
   */
  adopt(from: string, to: string): Promise<number>;
}

/** Small durable facts that a delivery needs later: e.g. which CALL_ID the CRM gave for a call. */
export interface MemoTable {
  get(scope: string, key: string): Promise<string | undefined>;
  /** `value` at most 8 KiB; forgotten after `keepMs`. */
  set(scope: string, key: string, value: string, keepMs: number): Promise<void>;
}

/** Which calls are wanted, and in which order: all conditions together, any of the values of one. */
export interface CallQuery {
  /** Wall-clock ms of `startedAt`, both inclusive. */
  readonly from?: number;
  readonly to?: number;
  /** Any of these took part: digits, compared by their last ten (extensions whole). */
  readonly numbers?: readonly string[];
  readonly extensions?: readonly string[];
  readonly directions?: readonly Direction[];
  readonly results?: readonly CallResult[];
  readonly queues?: readonly string[];
  readonly pbx?: string;
  readonly callId?: string;
  readonly sort?: 'startedAt' | '-startedAt';
  readonly limit: number;
  readonly offset?: number;
  /** Of the page before: pages stay stable while calls come in. Instead of `offset`. */
  readonly after?: string;
}

/** One page of an answer. */
export interface CallPage {
  readonly calls: readonly RecordPayload[];
  /** All that fit, counted up to 10 000 (`totalIsMore` beyond). */
  readonly total: number;
  readonly totalIsMore?: true;
  /** Hand it to the next question as `after`; absent on the last page. */
  readonly next?: string;
}

/** The history: records of calls that are over. */
export interface CallTable {
  /** The second record of one call replaces the first. */
  put(records: readonly RecordPayload[]): Promise<void>;
  /** A page of those that fit, never more than `limit`. */
  find(query: CallQuery): Promise<CallPage>;
  /** The next incoming calls in which nobody talked with the client, oldest first, 20 at most, each with the first talk since, or at that time. */
  unanswered(query: UnansweredQuery, after?: Place): Promise<Slice<UnansweredCall>>;
}

/** Where a walk through rows goes on: behind the row of this id, among those of this moment (wall-clock ms). */
export interface Place {
  readonly at: number;
  readonly id: number;
}

/** A part of an answer that takes many looks. */
export interface Slice<T> {
  /** May be none though more follow. */
  readonly rows: readonly T[];
  /** Absent: that was all. */
  readonly next?: Place;
}

/** Wall-clock ms of `startedAt`: `from` inclusive, `to` not. */
export interface UnansweredQuery {
  readonly from: number;
  readonly to: number;
  readonly queues?: readonly string[];
  readonly pbx?: string;
}

export interface UnansweredCall {
  readonly call: RecordPayload;
  /** The same in all calls of one client, however his number was written; absent: it is not known. */
  readonly client?: string;
  /**
   * The first call, in or out, in which one of ours talked with this client later or was still talking; absent: there is none, or the client
   * is not known.
   */
  readonly talk?: RecordPayload;
}

/** What a fact is about; their places make up the number in the file: only ever add to the end. */
export const QUEUE_FACT_KINDS = ['stay', 'ring', 'talk', 'dialout', 'state'] as const;
export type QueueFactKind = (typeof QUEUE_FACT_KINDS)[number];

/** As with {@link QUEUE_FACT_KINDS}. */
export const QUEUE_OUTCOMES = [
  'other',
  'answered',
  'abandoned',
  'timeout',
  'no-answer',
  'busy',
  'declined',
  'answered-elsewhere',
  'login',
  'logout',
  'paused',
  'unpaused',
] as const;
export type QueueOutcome = (typeof QUEUE_OUTCOMES)[number];

/**
 * Something in the life of a queue that is over, known from one event of it: a stay of a call in the line, the ringing of an agent, a
 * conversation of one, a call that one of them made; or a change of an agent's state.
 */
export interface QueueFact {
  readonly eventId: string;
  readonly pbx: string;
  readonly kind: QueueFactKind;
  /** Wall-clock ms when it began. */
  readonly at: number;
  readonly outcome: QueueOutcome;
  readonly queue?: string;
  /** Extension of the agent. */
  readonly agent?: string;
  readonly agentName?: string;
  /** How long it was; 0 of a state. */
  readonly seconds: number;
  /** How long the caller had waited in the line when the agent answered. */
  readonly wait?: number;
}

/** What a question gives back of a fact. */
export type KeptFact = Omit<QueueFact, 'eventId'>;

/** Wall-clock ms: `from` inclusive, `to` not. */
export interface QueueFactQuery {
  readonly kind: QueueFactKind;
  readonly from: number;
  readonly to: number;
}

/** What the statistics of queues and agents are made of; kept as long as calls. */
export interface QueueFactTable {
  /** What comes with an eventId that its PBX has used already is left out. */
  put(facts: readonly QueueFact[]): Promise<void>;
  /** The next facts in the order of time, 1000 at most. */
  read(query: QueueFactQuery, after?: Place): Promise<Slice<KeptFact>>;
}

/** A call that is not over, as text that only its tracker reads. */
export interface LiveCall {
  readonly callId: string;
  readonly state: string;
}

/** A call that the store refuses for itself: the others of the same write are kept. */
export interface UnkeptCall {
  readonly callId: string;
  /** `STORE_TOO_LARGE` or `STORE_BAD_VALUE`. */
  readonly error: TelephonyError;
}

/** Calls that are not over: taken up again after a restart of this process. `key` says whose they are: the id of an `ami-config`. */
export interface LiveCallTable {
  /** Resolves with those of `changed` that cannot be kept; what the file holds of them stays as it was. */
  save(key: string, changed: readonly LiveCall[], forgotten: readonly string[]): Promise<readonly UnkeptCall[]>;
  /** What was saved last and not forgotten; 20 000 calls at most. */
  load(key: string): Promise<(LiveCall & { readonly savedAt: number })[]>;
}

/** An order as it is put; `body` is its JSON, at most 64 KiB. */
export interface NewOrder {
  /** Who dials it: the id of the node. */
  readonly queue: string;
  /** One of each in a queue, for as long as the first is remembered: 30 days after its end, but only the last 500 000. */
  readonly key?: string;
  readonly priority: number;
  /** Wall-clock ms. */
  readonly queuedAt: number;
  readonly notBefore: number;
  readonly expiresAt: number;
  readonly body: string;
}

/** `over`: it has its outcome. */
export type OrderState = 'waiting' | 'in-air' | 'over';

export interface StoredOrder extends NewOrder {
  /** AutoCallID: grows, never given twice in the life of the store, at most 2^32-1. */
  readonly id: number;
  readonly state: OrderState;
  /** Tries begun. */
  readonly tries: number;
  /** What the dialler noted of the tries so far, as JSON; at most 8 KiB. */
  readonly notes?: string;
  /** Of the try in the air, or the last one. */
  readonly startedAt?: number;
  /** As JSON; at most 16 KiB. */
  readonly outcome?: string;
  readonly endedAt?: number;
}

/**
 * What is missing in the file, compared with the one that was used last: `restored`: what was done since a copy was made; `begun-anew`: all
 * of it, the file was set aside as broken, or was gone.
 */
export type StoreLoss = 'restored' | 'begun-anew';

/** What a dialler must know before it dials. */
export interface QueueStanding {
  /** See {@link OrderTable.setPaused}. */
  readonly isPaused: boolean;
  /** Found, and the queue not resumed since. */
  readonly loss?: StoreLoss;
}

/** The orders of the diallers. Like all of the store: a write resolves when it is on disk, writes of one tick share a transaction. */
export interface OrderTable {
  /**
   * In the order given; `isNew: false`: the key was known, nothing was put. Up to 100 orders are put whole or not at all, more in parts of
   * 100. Rejects with `STORE_ORDERS_FULL` after 2^32-1 orders.
   */
  put(orders: readonly NewOrder[]): Promise<readonly { readonly id: number; readonly isNew: boolean }[]>;
  /**
   * Waiting orders with `notBefore` up to `now`, expired ones too: highest priority first, then the oldest. `except`: ids that the caller
   * has already. Costs under a millisecond, and about 20 ms where thousands stand behind 100 000 that are not due yet.
   */
  due(queue: string, now: number, limit: number, except?: ReadonlySet<number>): Promise<StoredOrder[]>;
  /** Waiting orders whose time is over at `now`, oldest first. */
  expired(queue: string, now: number, limit: number): Promise<StoredOrder[]>;
  /** When the next waiting order becomes due or expires: in the past, when one has. */
  nextAt(queue: string): Promise<number | undefined>;
  /** waiting -> in-air, one more try. Before anything is dialled. `false`: it is not waiting any more. */
  begin(id: number, startedAt: number): Promise<boolean>;
  /** in-air -> waiting. `uncounted`: nothing was dialled, the try does not count. */
  again(id: number, notBefore: number, notes: string, uncounted?: boolean): Promise<void>;
  /** Takes back orders whose put was told as failed, though it was done: those that wait and were never begun. */
  unput(ids: readonly number[]): Promise<void>;
  /** waiting (moved to another time: its window) stays waiting. */
  postpone(id: number, notBefore: number): Promise<void>;
  /** -> over, untold until {@link told}. `false`: it was over already. */
  finish(id: number, outcome: string, endedAt: number): Promise<boolean>;
  /** The outcome was handed to the flow. */
  told(ids: readonly number[]): Promise<void>;
  /** Over, but not told: after a restart they are told first. */
  untold(queue: string, limit: number): Promise<StoredOrder[]>;
  inAir(queue: string): Promise<StoredOrder[]>;
  /** Those whose last try began at or after `since`, the latest first, whatever became of them. Goes through all that wait: once, at the start. */
  begun(queue: string, since: number, limit: number): Promise<StoredOrder[]>;
  get(id: number): Promise<StoredOrder | undefined>;
  byKey(queue: string, key: string): Promise<StoredOrder | undefined>;
  /** Waiting orders, oldest first: for "cancel all". */
  waiting(queue: string, limit: number, afterId?: number): Promise<StoredOrder[]>;
  /** The queues in which something waits or is in the air. */
  queues(): Promise<string[]>;
  /**
   * Moves what waits or is in the air in `from` to the queue `to`. Of what `to` knows already by its key, what waits is forgotten instead, and
   * what is in the air loses its key. `onlyInAir`: what waits stays where it is. Resolves with how many were moved.
   */
  adopt(from: string, to: string, onlyInAir?: boolean): Promise<{ readonly waiting: number; readonly inAir: number }>;
  /** Goes through them: 10 ms for 100 000. */
  count(queue: string): Promise<{ readonly waiting: number; readonly inAir: number }>;
  /** Over restarts. `false` ends its {@link QueueStanding.loss} too: whoever resumes a queue has seen it. */
  setPaused(queue: string, paused: boolean): Promise<void>;
  /** Cheap: to be asked before each try. */
  standing(queue: string): Promise<QueueStanding>;
  /** Names this store in ChannelIds: 8 characters, made for a file, and anew when it was found restored; copies have the same. */
  readonly name: Promise<string>;
}

/** The do-not-call list, one for the whole store. Numbers are E.164 with plus. */
export interface BlockedNumbers {
  /**
   * Resolves with how many were not on the list; those that were keep their time and reason. Rejects with `STORE_BAD_VALUE` for a number in
   * another form, and with `STORE_BLOCKED_FULL` at a million.
   */
  add(numbers: readonly string[], at: number, reason?: string): Promise<number>;
  /** Resolves with how many were on the list. */
  remove(numbers: readonly string[]): Promise<number>;
  /** Those of the given that are on the list. */
  among(numbers: readonly string[]): Promise<ReadonlySet<string>>;
  /** In the order of the numbers, those after `after`. */
  list(
    limit: number,
    after?: string,
  ): Promise<{ readonly number: string; readonly at: number; readonly reason?: string }[]>;
  count(): Promise<number>;
}
