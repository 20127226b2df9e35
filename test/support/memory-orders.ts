import type {
  BlockedNumbers,
  NewOrder,
  OrderState,
  OrderTable,
  QueueStanding,
  StoredOrder,
  StoreLoss,
} from '../../lib/store/types';

type Row = { -readonly [Key in keyof StoredOrder]: StoredOrder[Key] } & { told: boolean };

/** What survives when the process is killed: the orders and the do-not-call list. */
export class OrderDisk {
  readonly rows = new Map<number, Row>();
  readonly paused = new Set<string>();
  loss: StoreLoss | undefined;
  readonly resumed = new Set<string>();
  readonly blocked = new Map<string, { readonly at: number; readonly reason?: string }>();
  ids = 0;
}

/** How long an operation takes before and after it is done; a process that was killed waits for ever in one of them. */
export type Delay = () => Promise<void>;

const at = (row: Row): StoredOrder => ({ ...row });

const inOrder = (one: StoredOrder, other: StoredOrder): number => other.priority - one.priority || one.id - other.id;

/** The orders of a store without a disk. It keeps the promises of the table, and can be told to fail. */
export class MemoryOrders implements OrderTable {
  readonly name = Promise.resolve('abcd1234');
  broken: Error | undefined;
  /** Fails after the work is done: the writer cannot know. */
  breaksAfter: Error | undefined;
  /** The process was killed: whatever it has begun, it never hears of it. */
  isKilled = false;

  constructor(
    readonly disk = new OrderDisk(),
    private readonly delay: Delay = () => Promise.resolve(),
  ) {}

  private async do<T>(work: () => T): Promise<T> {
    await this.delay();
    if (this.isKilled) await new Promise(() => undefined);
    if (this.broken) throw this.broken;
    const result = work();
    if (this.breaksAfter) throw this.breaksAfter;
    await this.delay();
    if (this.isKilled) await new Promise(() => undefined);
    return result;
  }

  private of(queue: string, state: OrderState): Row[] {
    return [...this.disk.rows.values()].filter((row) => row.queue === queue && row.state === state);
  }

  put(orders: readonly NewOrder[]) {
    return this.do(() =>
      orders.map((order) => {
        const known = order.key === undefined ? undefined : this.keyed(order.queue, order.key);
        if (known) return { id: known.id, isNew: false };
        this.disk.ids += 1;
        const { ids: id } = this.disk;
        this.disk.rows.set(id, { ...order, id, state: 'waiting', tries: 0, told: false });
        return { id, isNew: true };
      }),
    );
  }
  due(queue: string, now: number, limit: number, except: ReadonlySet<number> = new Set()): Promise<StoredOrder[]> {
    return this.do(() =>
      this.of(queue, 'waiting')
        .filter(({ id, notBefore }) => notBefore <= now && !except.has(id))
        .sort(inOrder)
        .slice(0, limit)
        .map(at),
    );
  }
  expired(queue: string, now: number, limit: number): Promise<StoredOrder[]> {
    return this.do(() =>
      this.of(queue, 'waiting')
        .filter(({ expiresAt }) => expiresAt <= now)
        .slice(0, limit)
        .map(at),
    );
  }
  nextAt(queue: string): Promise<number | undefined> {
    return this.do(() => {
      const moments = this.of(queue, 'waiting').map(({ notBefore, expiresAt }) => Math.min(notBefore, expiresAt));
      return moments.length === 0 ? undefined : Math.min(...moments);
    });
  }
  begin(id: number, startedAt: number): Promise<boolean> {
    return this.do(() => {
      const row = this.disk.rows.get(id);
      if (row?.state !== 'waiting') return false;
      Object.assign(row, { state: 'in-air', startedAt, tries: row.tries + 1 });
      return true;
    });
  }
  again(id: number, notBefore: number, notes: string, uncounted = false): Promise<void> {
    return this.do(() => {
      const row = this.disk.rows.get(id);
      if (row?.state !== 'in-air') return;
      Object.assign(row, { state: 'waiting', notBefore, notes, tries: row.tries - (uncounted ? 1 : 0) });
    });
  }
  postpone(id: number, notBefore: number): Promise<void> {
    return this.do(() => {
      const row = this.disk.rows.get(id);
      if (row?.state === 'waiting') row.notBefore = notBefore;
    });
  }
  finish(id: number, outcome: string, endedAt: number): Promise<boolean> {
    return this.do(() => {
      const row = this.disk.rows.get(id);
      if (!row || row.state === 'over') return false;
      Object.assign(row, { state: 'over', outcome, endedAt });
      return true;
    });
  }
  told(ids: readonly number[]): Promise<void> {
    return this.do(() => {
      for (const id of ids) {
        const row = this.disk.rows.get(id);
        if (row) row.told = true;
      }
    });
  }
  untold(queue: string, limit: number): Promise<StoredOrder[]> {
    return this.do(() =>
      this.of(queue, 'over')
        .filter(({ told }) => !told)
        .slice(0, limit)
        .map(at),
    );
  }
  inAir(queue: string): Promise<StoredOrder[]> {
    return this.do(() => this.of(queue, 'in-air').map(at));
  }
  begun(queue: string, since: number, limit: number): Promise<StoredOrder[]> {
    return this.do(() =>
      [...this.disk.rows.values()]
        .filter((row) => row.queue === queue && (row.startedAt ?? 0) >= since)
        .sort((one, other) => (other.startedAt ?? 0) - (one.startedAt ?? 0))
        .slice(0, limit)
        .map(at),
    );
  }
  get(id: number): Promise<StoredOrder | undefined> {
    return this.do(() => {
      const row = this.disk.rows.get(id);
      return row && at(row);
    });
  }
  byKey(queue: string, key: string): Promise<StoredOrder | undefined> {
    return this.do(() => {
      const row = this.keyed(queue, key);
      return row && at(row);
    });
  }
  waiting(queue: string, limit: number, afterId = 0): Promise<StoredOrder[]> {
    return this.do(() =>
      this.of(queue, 'waiting')
        .filter(({ id }) => id > afterId)
        .slice(0, limit)
        .map(at),
    );
  }
  count(queue: string): Promise<{ readonly waiting: number; readonly inAir: number }> {
    return this.do(() => ({ waiting: this.of(queue, 'waiting').length, inAir: this.of(queue, 'in-air').length }));
  }
  setPaused(queue: string, paused: boolean): Promise<void> {
    return this.do(() => {
      if (paused) this.disk.paused.add(queue);
      else {
        this.disk.paused.delete(queue);
        this.disk.resumed.add(queue);
      }
    });
  }
  standing(queue: string): Promise<QueueStanding> {
    return this.do(() => {
      const { loss, paused, resumed } = this.disk;
      const isSeen = loss === undefined || resumed.has(queue);
      return { isPaused: paused.has(queue), ...(isSeen ? {} : { loss }) };
    });
  }
  unput(ids: readonly number[]): Promise<void> {
    return this.do(() => ids.forEach((id) => this.disk.rows.delete(id)));
  }
  queues(): Promise<string[]> {
    const open = [...this.disk.rows.values()].filter(({ state }) => state !== 'over');
    return this.do(() => [...new Set(open.map(({ queue }) => queue))]);
  }
  adopt(from: string, to: string, onlyInAir = false): Promise<{ readonly waiting: number; readonly inAir: number }> {
    return this.do(() => {
      const [waiting, inAir] = [onlyInAir ? [] : this.of(from, 'waiting'), this.of(from, 'in-air')];
      const isKnown = ({ key }: Row): boolean => key !== undefined && this.keyed(to, key) !== undefined;
      const [forgotten, keyless] = [waiting.filter(isKnown), inAir.filter(isKnown)];
      for (const { id } of forgotten) this.disk.rows.delete(id);
      for (const row of keyless) delete row.key;
      for (const row of [...waiting, ...inAir]) row.queue = to;
      return { waiting: waiting.length - forgotten.length, inAir: inAir.length };
    });
  }

  private keyed(queue: string, key: string): Row | undefined {
    return [...this.disk.rows.values()].find((row) => row.queue === queue && row.key === key);
  }
}

export class MemoryBlocked implements BlockedNumbers {
  constructor(private readonly disk = new OrderDisk()) {}

  add(numbers: readonly string[], when: number, reason?: string): Promise<number> {
    const fresh = numbers.filter((number) => !this.disk.blocked.has(number));
    for (const number of fresh) {
      this.disk.blocked.set(number, { at: when, ...(reason === undefined ? {} : { reason }) });
    }
    return Promise.resolve(fresh.length);
  }
  remove(numbers: readonly string[]): Promise<number> {
    return Promise.resolve(numbers.filter((number) => this.disk.blocked.delete(number)).length);
  }
  among(numbers: readonly string[]): Promise<ReadonlySet<string>> {
    return Promise.resolve(new Set(numbers.filter((number) => this.disk.blocked.has(number))));
  }
  list(limit: number, after = '') {
    const all = [...this.disk.blocked].map(([number, entry]) => ({ number, ...entry }));
    const sorted = all.sort((one, other) => (one.number < other.number ? -1 : 1));
    return Promise.resolve(sorted.filter(({ number }) => number > after).slice(0, limit));
  }
  count(): Promise<number> {
    return Promise.resolve(this.disk.blocked.size);
  }
}
