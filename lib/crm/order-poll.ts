import type { Clock, Timer } from '../clock';
import type { TelephonyError } from '../errors';
import { asCrmError } from './errors';
import type { CallContext, OrderQueue, WaitingOrder } from './types';

const INTERVAL_MS = 2000;
const LONGEST_PAUSE_MS = 60_000;
/** How long one request may wait for its turn. */
const TURN_MS = 10_000;
/** Orders that are fetched and not confirmed yet; at the bound the others wait in the CRM. */
const MAX_OPEN = 50;
/** After so many rounds it is looked for orders whose answer was lost on the way to somebody else. */
const ROUNDS_TO_LOOK = 15;

export interface OrderPollHandlers {
  /**
   * A fresh order, `ageMs` old. Resolves when it need not be kept in the CRM any more; after a crash before that it comes again. Must
   * not reject.
   */
  readonly onOrder: (order: WaitingOrder, ageMs: number) => Promise<void>;
  /** An order that was too old to carry out. */
  readonly onExpired: (order: WaitingOrder) => void;
  /** The polling began to fail, fails in another way, or (`undefined`) works. */
  readonly onState: (error: TelephonyError | undefined) => void;
}

interface Open {
  readonly order: WaitingOrder;
  /** What is left to do in the CRM. */
  todo: 'wait' | 'refuse' | 'confirm';
}

/**
 * Fetches the orders of a CRM every two seconds, one request at a time, before the deliveries; ever more rarely, up to once a minute,
 * while the CRM does not answer. At least once: an order is confirmed only after it was taken.
 */
export class OrderPoll {
  private readonly ended = new AbortController();
  private readonly open = new Map<string, Open>();
  private timer: Timer | undefined;
  private isBound = false;
  private rounds = 0;
  private pauseMs = INTERVAL_MS;
  /** When the queue was last seen empty of what is older; monotonic. */
  private seenAt: number | undefined;
  private code: string | undefined = '';

  constructor(
    private readonly queue: OrderQueue,
    private readonly clock: Clock,
    private readonly handlers: OrderPollHandlers,
  ) {
    this.timer = clock.after(0, () => void this.run());
  }

  /** No handler is called any more. What was not confirmed is fetched by the next poll. */
  close(): void {
    this.timer?.cancel();
    this.ended.abort();
  }

  private async run(): Promise<void> {
    let error: TelephonyError | undefined;
    try {
      await this.round();
    } catch (thrown) {
      error = asCrmError(thrown);
    }
    if (this.ended.signal.aborted) return;
    this.pauseMs = error ? Math.min(this.pauseMs * 2, LONGEST_PAUSE_MS) : INTERVAL_MS;
    this.timer = this.clock.after(this.pauseMs, () => void this.run());
    if (this.code === error?.code) return;
    this.code = error?.code;
    this.handlers.onState(error);
  }

  private async round(): Promise<void> {
    const { queue } = this;
    if (!this.isBound) await queue.open(this.context());
    this.isBound = true;
    const isFirst = this.rounds === 0;
    if (this.rounds % ROUNDS_TO_LOOK === 0) {
      for (const order of await queue.left(this.context())) this.take(order, isFirst);
    }
    this.rounds += 1;
    await this.fetch(MAX_OPEN - this.open.size);
    // Last, so that what cannot be settled keeps no new order waiting.
    await this.settle();
  }

  private async fetch(room: number): Promise<void> {
    if (room <= 0) return;
    const askedAt = this.clock.monotonic();
    try {
      for (const order of await this.queue.fetch(room, this.context())) this.take(order, false);
      this.seenAt = askedAt;
    } catch (thrown) {
      // It may have fetched orders whose list did not reach us.
      this.rounds = ROUNDS_TO_LOOK;
      throw thrown;
    }
  }

  /** `mayBeTaken`: perhaps a flow has it already, so that its call must not be ended here. */
  private take(order: WaitingOrder, mayBeTaken: boolean): void {
    if (this.ended.signal.aborted || this.open.has(order.id)) return;
    // One that does not tell its time came after the queue was last looked at.
    const ageMs = order.ageMs ?? (this.seenAt === undefined ? Infinity : this.clock.monotonic() - this.seenAt);
    const one: Open = { order, todo: 'wait' };
    this.open.set(order.id, one);
    if (ageMs >= order.goodForMs) {
      one.todo = mayBeTaken ? 'confirm' : 'refuse';
      if (order.goodForMs > 0) this.handlers.onExpired(order);
      return;
    }
    void this.handlers.onOrder(order, ageMs).then(() => (one.todo = 'confirm'));
  }

  private async settle(): Promise<void> {
    for (const one of this.open.values()) {
      if (one.todo !== 'refuse') continue;
      await this.queue.refuse(one.order, this.context());
      one.todo = 'confirm';
    }
    const done = [...this.open.values()].filter(({ todo }) => todo === 'confirm').map(({ order }) => order);
    if (done.length === 0) return;
    await this.queue.confirm(done, this.context());
    for (const { id } of done) this.open.delete(id);
  }

  private context(): CallContext {
    return { signal: this.ended.signal, deadline: this.clock.monotonic() + TURN_MS };
  }
}
