import type { BegunCall } from '../outbound/types';
import type { StoredOrder } from '../store/types';
import type { Decision, Ending } from './decide';
import { Durable } from './durable';
import { orderError } from './errors';
import type { DialerOptions } from './options';
import { Reporter } from './reports';
import { notesOf, savedOrder } from './saved';
import type { SavedOrder } from './saved';
import { Teller } from './teller';
import type { Order } from './types';

const PAGE = 200;
const MINUTE_MS = 60_000;
/** As many calls as an `ami-config` can let begin in a minute. */
const MAX_BEGUN = 10_000;

/** The calls of the last minute of an order that was dialled in it; where it is not known which of its tries were, all that can have been. */
function callsOf(stored: StoredOrder): BegunCall[] {
  const { id, tries, startedAt = 0 } = stored;
  const order = savedOrder(stored)?.order;
  const most = Math.min(tries, 1 + Math.floor(MINUTE_MS / (order?.periodMs ?? MINUTE_MS)));
  return Array.from({ length: most }, (_, before) => ({ id: `${id}-${tries - before}`, by: order?.by, at: startedAt }));
}

/** The orders of one dialler as they lie on disk, and what the flow is told when they change there. */
export class Ledger {
  readonly durable: Durable;
  readonly teller: Teller;
  reporter: Reporter | undefined;
  /** On disk, not in the air. */
  waiting = 0;
  /** Being put. */
  private coming = 0;

  constructor(
    private readonly options: DialerOptions,
    onStoreChange: () => void,
    private readonly onCount: () => void,
  ) {
    const { orders, queue, clock, log } = options;
    this.durable = new Durable({ clock, log, probe: () => orders.count(queue), onChange: onStoreChange });
    this.teller = new Teller({ ...options, durable: this.durable });
  }

  /** Tells what the last process could not tell; gives what it left in the air. `undefined`: closed before the store could be read. */
  async load(): Promise<{ readonly inAir: readonly StoredOrder[]; readonly isPaused: boolean } | undefined> {
    const { orders, queue, pbx, lang, guard, clock } = this.options;
    const read = await this.durable.persist(async () => {
      const reporter = new Reporter(pbx, await orders.name, lang);
      const { waiting } = await orders.count(queue);
      const isPaused = await orders.isPaused(queue);
      await this.tellUntold();
      guard.remember((await orders.begun(queue, clock.now() - MINUTE_MS, MAX_BEGUN)).flatMap(callsOf));
      const inAir = await orders.inAir(queue);
      return { reporter, waiting, isPaused, inAir };
    });
    if (!read) return undefined;
    ({ reporter: this.reporter, waiting: this.waiting } = read.given);
    return read.given;
  }

  private async tellUntold(): Promise<void> {
    const { orders, queue } = this.options;
    for (;;) {
      const page = await orders.untold(queue, PAGE);
      for (const stored of page) {
        const saved = savedOrder(stored);
        this.teller.outcome(stored.id, Reporter.fromDisk(stored, saved), saved?.reply);
      }
      await this.teller.flush();
      if (page.length < PAGE) return;
    }
  }

  /** Writes an order down. Rejects with `ORDER_TOO_MANY` or `STORE_…`. */
  async put(saved: SavedOrder, now: number, notBefore: number): Promise<StoredOrder & { readonly isNew: boolean }> {
    const { orders, queue, settings } = this.options;
    const { key, priority, expiresAt } = saved.order;
    // Counted in the same breath as it is taken: a thousand at once must not pass the bound together.
    if (this.waiting + this.coming >= settings.maxWaiting) {
      throw orderError('ORDER_TOO_MANY', { limit: settings.maxWaiting });
    }
    const body = JSON.stringify(saved);
    const entry = { queue, priority, queuedAt: now, notBefore, expiresAt, body, ...(key === undefined ? {} : { key }) };
    this.coming += 1;
    try {
      const [put] = await this.durable.once(() => orders.put([entry]));
      const { id, isNew } = put ?? { id: 0, isNew: false };
      if (isNew) this.changeWaiting(1);
      return { ...entry, id, state: 'waiting', tries: 0, isNew };
    } finally {
      this.coming -= 1;
    }
  }

  /** Ends an order and tells the flow. `false`: it was over already, or could not be written before the end. */
  async end(stored: StoredOrder, saved: SavedOrder | undefined, ending: Ending): Promise<boolean> {
    const { reporter } = this;
    const { orders } = this.options;
    if (!reporter) return false;
    const outcome = reporter.outcome(stored, saved?.order, ending);
    const text = Reporter.toDisk(outcome);
    const write = async (): Promise<boolean> => {
      if (await orders.finish(stored.id, text, ending.endedAt)) return true;
      // A write that seemed to fail may have been done all the same.
      return (await orders.get(stored.id))?.outcome === text;
    };
    const isOurs = (await this.durable.persist(write))?.given ?? false;
    if (!isOurs) return false;
    this.changeWaiting(stored.state === 'waiting' ? -1 : 0);
    this.teller.outcome(stored.id, outcome, saved?.reply);
    return true;
  }

  /** waiting -> in-air. Rejects when it is not known whether the store has written it. `undefined`: it is not waiting any more. */
  async begin(stored: StoredOrder, startedAt: number): Promise<StoredOrder | undefined> {
    const isWaiting = await this.durable.once(() => this.options.orders.begin(stored.id, startedAt));
    if (!isWaiting) return undefined;
    this.changeWaiting(-1);
    return { ...stored, state: 'in-air', startedAt, tries: stored.tries + 1 };
  }

  /** in-air -> waiting. */
  async again(stored: StoredOrder, order: Order, decision: Extract<Decision, { kind: 'again' }>): Promise<void> {
    const { at, notes, tryOutcome } = decision;
    const isUncounted = tryOutcome === undefined;
    const write = () => this.options.orders.again(stored.id, at, JSON.stringify(notes), isUncounted);
    if (!(await this.durable.persist(write))) return;
    this.changeWaiting(1);
    if (isUncounted || !this.reporter) return;
    this.teller.progress(this.reporter.progress(stored, order, 'retry', { nextAt: at, tryOutcome }));
  }

  /** waiting, but not before `at`: its window. */
  async postpone(stored: StoredOrder, order: Order, at: number): Promise<void> {
    if (!(await this.durable.persist(() => this.options.orders.postpone(stored.id, at)))) return;
    if (this.reporter) this.teller.progress(this.reporter.progress(stored, order, 'waits', { nextAt: at }));
  }

  /** What was to begin when the store failed goes back to those that wait, if it did begin. */
  async settle(id: number): Promise<void> {
    const { orders, clock } = this.options;
    await this.durable.persist(async () => {
      const stored = await orders.get(id);
      if (stored?.state !== 'in-air') return;
      await orders.again(id, clock.now(), JSON.stringify(notesOf(stored)), true);
    });
  }

  private changeWaiting(by: number): void {
    this.waiting += by;
    this.onCount();
  }
}
