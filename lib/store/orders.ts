import type { Access } from './access';
import { chunks } from './access';
import { storeError } from './errors';
import type { Row, Sqlite } from './sqlite';
import { checkBytes, checkMs, checkText } from './values';
import { forgiveLoss, lossOf } from './tally';
import type { NewOrder, OrderState, OrderTable, QueueStanding, StoredOrder } from './types';

const MAX_BODY = 64 * 1024;
const MAX_NOTES = 8 * 1024;
const MAX_OUTCOME = 16 * 1024;
/** Alterisk gives an AutoCallID 32 bits. */
const MAX_ID = 2 ** 32 - 1;
const CHUNK = 100;
/**
 * When at most so many orders are due, they are found by time and sorted; when more are, enough of them come early in the order of
 * dialling. Each of the two ways alone goes through all orders at some hour: at night nothing is due, in the morning everything.
 */
const FEW_DUE = 5000;

const WAITING = 0;
const IN_AIR = 1;
const UNTOLD = 2;
const TOLD = 3;
const STATES: readonly OrderState[] = ['waiting', 'in-air', 'over', 'over'];

const DUE = `queue = ? AND state = ${WAITING} AND not_before <= ?`;

/** SQLite uses a partial index only where it reads its condition. */
const inState = (state: number): string => `queue = ? AND state = ${state} AND state < ${TOLD}`;

function orderOf(row: Row): StoredOrder {
  const { key, started_at, ended_at, notes, outcome } = row;
  return {
    id: Number(row.id),
    queue: String(row.queue),
    priority: Number(row.priority),
    queuedAt: Number(row.queued_at),
    notBefore: Number(row.not_before),
    expiresAt: Number(row.expires_at),
    state: STATES[Number(row.state)] ?? 'over',
    tries: Number(row.tries),
    body: String(row.body),
    ...(typeof key === 'string' && { key }),
    ...(typeof notes === 'string' && { notes }),
    ...(typeof outcome === 'string' && { outcome }),
    ...(typeof started_at === 'number' && { startedAt: started_at }),
    ...(typeof ended_at === 'number' && { endedAt: ended_at }),
  };
}

function checkOrder(order: NewOrder): void {
  checkText('queue', order.queue);
  if (order.key !== undefined) checkText('key', order.key);
  if (!Number.isInteger(order.priority)) throw storeError('STORE_BAD_VALUE', { what: 'priority' });
  checkMs('queuedAt', order.queuedAt);
  checkMs('notBefore', order.notBefore);
  checkMs('expiresAt', order.expiresAt);
  checkBytes('order', order.body, MAX_BODY);
}

export class Orders implements OrderTable {
  constructor(private readonly access: Access) {}

  get name(): Promise<string> {
    return this.access.read((sql) => String(sql.value('SELECT name FROM store_name')));
  }

  async put(orders: readonly NewOrder[]): Promise<readonly { readonly id: number; readonly isNew: boolean }[]> {
    for (const order of orders) checkOrder(order);
    const parts = chunks(orders, CHUNK).map((part) =>
      this.access.count(
        part.length,
        part.reduce((sum, { body }) => sum + body.length, 0),
        (sql) => part.map((order) => this.putOne(sql, order)),
      ),
    );
    return (await Promise.all(parts)).flat();
  }

  private putOne(sql: Sqlite, order: NewOrder): { readonly id: number; readonly isNew: boolean } {
    const { queue, key, priority, queuedAt, notBefore, expiresAt, body } = order;
    const [added] = sql.all(
      `INSERT INTO orders (queue, key, priority, queued_at, not_before, expires_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (queue, key) WHERE key IS NOT NULL DO NOTHING RETURNING id`,
      [queue, key ?? null, priority, queuedAt, notBefore, expiresAt, body],
    );
    if (!added) {
      const known = sql.value('SELECT id FROM orders WHERE queue = ? AND key = ?', [queue, key ?? null]);
      return { id: Number(known), isNew: false };
    }
    const id = Number(added.id);
    if (id > MAX_ID) throw storeError('STORE_ORDERS_FULL', { file: this.access.file, limit: MAX_ID });
    return { id, isNew: true };
  }

  due(queue: string, now: number, limit: number, except: ReadonlySet<number> = new Set()): Promise<StoredOrder[]> {
    return this.access.read((sql) => {
      const few = sql.value(
        `SELECT count(*) <= ${FEW_DUE} FROM (SELECT 1 FROM orders INDEXED BY orders_timed WHERE ${DUE} LIMIT ${FEW_DUE + 1})`,
        [queue, now],
      );
      const index = few === 1 ? 'orders_timed' : 'orders_ranked';
      return sql
        .all(`SELECT id FROM orders INDEXED BY ${index} WHERE ${DUE} ORDER BY priority DESC, id LIMIT ?`, [
          queue,
          now,
          limit + except.size,
        ])
        .map((row) => Number(row.id))
        .filter((id) => !except.has(id))
        .slice(0, limit)
        .flatMap((id) => byId(sql, id) ?? []);
    });
  }

  expired(queue: string, now: number, limit: number): Promise<StoredOrder[]> {
    return this.select(`queue = ? AND state = ${WAITING} AND expires_at <= ? ORDER BY expires_at, id LIMIT ?`, [
      queue,
      now,
      limit,
    ]);
  }

  nextAt(queue: string): Promise<number | undefined> {
    return this.access.read((sql) => {
      const first = (column: string, index: string): number[] =>
        sql
          .all(
            `SELECT ${column} AS at FROM orders INDEXED BY ${index} WHERE queue = ? AND state = ${WAITING} ORDER BY ${column} LIMIT 1`,
            [queue],
          )
          .map((row) => Number(row.at));
      const [at] = [...first('not_before', 'orders_timed'), ...first('expires_at', 'orders_expiring')].sort(
        (one, other) => one - other,
      );
      return at;
    });
  }

  async begin(id: number, startedAt: number): Promise<boolean> {
    checkMs('startedAt', startedAt);
    return this.changeCounted(
      `state = ${IN_AIR}, tries = tries + 1, started_at = ? WHERE id = ? AND state = ${WAITING}`,
      [startedAt, id],
    );
  }

  async again(id: number, notBefore: number, notes: string, uncounted = false): Promise<void> {
    checkMs('notBefore', notBefore);
    checkBytes('notes', notes, MAX_NOTES);
    const uncount = uncounted ? ', tries = tries - 1, started_at = iif(tries > 1, started_at, NULL)' : '';
    await this.change(`state = ${WAITING}, not_before = ?, notes = ?${uncount} WHERE id = ? AND state = ${IN_AIR}`, [
      notBefore,
      notes,
      id,
    ]);
  }

  async unput(ids: readonly number[]): Promise<void> {
    const parts = chunks(ids, CHUNK).map((part) =>
      this.access.write(0, (sql) => {
        for (const id of part) sql.run(`DELETE FROM orders WHERE id = ? AND state = ${WAITING} AND tries = 0`, [id]);
      }),
    );
    await Promise.all(parts);
  }

  async postpone(id: number, notBefore: number): Promise<void> {
    checkMs('notBefore', notBefore);
    await this.change(`not_before = ? WHERE id = ? AND state = ${WAITING}`, [notBefore, id]);
  }

  async finish(id: number, outcome: string, endedAt: number): Promise<boolean> {
    checkMs('endedAt', endedAt);
    checkBytes('outcome', outcome, MAX_OUTCOME);
    return this.changeCounted(`state = ${UNTOLD}, outcome = ?, ended_at = ? WHERE id = ? AND state < ${UNTOLD}`, [
      outcome,
      endedAt,
      id,
    ]);
  }

  async told(ids: readonly number[]): Promise<void> {
    const parts = chunks(ids, CHUNK).map((part) =>
      this.access.write(0, (sql) => {
        for (const id of part) sql.run(`UPDATE orders SET state = ${TOLD} WHERE id = ? AND state = ${UNTOLD}`, [id]);
      }),
    );
    await Promise.all(parts);
  }

  untold(queue: string, limit: number): Promise<StoredOrder[]> {
    return this.select(`${inState(UNTOLD)} ORDER BY id LIMIT ?`, [queue, limit]);
  }

  inAir(queue: string): Promise<StoredOrder[]> {
    return this.select(`${inState(IN_AIR)} ORDER BY id`, [queue]);
  }

  waiting(queue: string, limit: number, afterId = 0): Promise<StoredOrder[]> {
    return this.select(`${inState(WAITING)} AND id > ? ORDER BY id LIMIT ?`, [queue, afterId, limit]);
  }

  begun(queue: string, since: number, limit: number): Promise<StoredOrder[]> {
    // What began since then has not ended before, and is not due before: so each state has an index that spares the rest.
    const states = [
      [inState(IN_AIR)],
      [inState(UNTOLD)],
      [`queue = ? AND state = ${TOLD} AND ended_at >= ?`, since],
      [`queue = ? AND state = ${WAITING} AND not_before >= ?`, since],
    ] as const;
    return this.access.read((sql) =>
      states
        .flatMap(([where, ...more]) =>
          sql.all(`SELECT * FROM orders WHERE ${where} AND started_at >= ? ORDER BY started_at DESC LIMIT ?`, [
            queue,
            ...more,
            since,
            limit,
          ]),
        )
        .map(orderOf)
        .sort((one, other) => (other.startedAt ?? 0) - (one.startedAt ?? 0))
        .slice(0, limit),
    );
  }

  get(id: number): Promise<StoredOrder | undefined> {
    return this.access.read((sql) => byId(sql, id));
  }

  async byKey(queue: string, key: string): Promise<StoredOrder | undefined> {
    const [order] = await this.select('queue = ? AND key = ?', [queue, key]);
    return order;
  }

  count(queue: string): Promise<{ readonly waiting: number; readonly inAir: number }> {
    return this.access.read((sql) => {
      const count = (state: number): number =>
        Number(sql.value(`SELECT count(*) FROM orders WHERE ${inState(state)}`, [queue]));
      return { waiting: count(WAITING), inAir: count(IN_AIR) };
    });
  }

  async setPaused(queue: string, paused: boolean): Promise<void> {
    checkText('queue', queue);
    await this.access.count(1, 0, (sql) => {
      if (paused) sql.run('INSERT OR IGNORE INTO paused_queues (queue) VALUES (?)', [queue]);
      else {
        sql.run('DELETE FROM paused_queues WHERE queue = ?', [queue]);
        forgiveLoss(sql, queue);
      }
    });
  }

  standing(queue: string): Promise<QueueStanding> {
    return this.access.read((sql) => {
      const loss = lossOf(sql, queue);
      return {
        isPaused: sql.all('SELECT 1 FROM paused_queues WHERE queue = ?', [queue]).length > 0,
        ...(loss && { loss }),
      };
    });
  }

  queues(): Promise<string[]> {
    return this.access.read((sql) =>
      sql
        .all(`SELECT DISTINCT queue FROM orders INDEXED BY orders_open WHERE state < ${UNTOLD} AND state < ${TOLD}`)
        .map((row) => String(row.queue)),
    );
  }

  async adopt(
    from: string,
    to: string,
    onlyInAir = false,
  ): Promise<{ readonly waiting: number; readonly inAir: number }> {
    checkText('queue', to);
    // Nothing would ever leave the queue.
    if (from === to) return { waiting: 0, inAir: 0 };
    const waiting = onlyInAir ? 0 : await this.adoptAll(WAITING, from, to);
    return { waiting, inAir: await this.adoptAll(IN_AIR, from, to) };
  }

  private async adoptAll(state: number, from: string, to: string): Promise<number> {
    let moved = 0;
    for (;;) {
      const part = await this.access.count(1, 0, (sql) => adoptChunk(sql, state, from, to));
      if (part.found === 0) return moved;
      moved += part.moved;
    }
  }

  private select(where: string, values: readonly (string | number)[]): Promise<StoredOrder[]> {
    return this.access.read((sql) => sql.all(`SELECT * FROM orders WHERE ${where}`, values).map(orderOf));
  }

  /** @returns whether there was such an order in such a state */
  private change(assignments: string, values: readonly (string | number)[]): Promise<boolean> {
    return this.access.write(0, (sql) => sql.run(`UPDATE orders SET ${assignments}`, values) > 0);
  }

  private changeCounted(assignments: string, values: readonly (string | number)[]): Promise<boolean> {
    return this.access.count(1, 0, (sql) => sql.run(`UPDATE orders SET ${assignments}`, values) > 0);
  }
}

/** The ids stay as they are, and with them the order. */
function adoptChunk(sql: Sqlite, state: number, from: string, to: string): { found: number; moved: number } {
  const rows = sql.all(`SELECT id FROM orders WHERE ${inState(state)} ORDER BY id LIMIT ${CHUNK}`, [from]);
  let moved = 0;
  for (const { id = null } of rows) {
    if (sql.run('UPDATE OR IGNORE orders SET queue = ? WHERE id = ?', [to, id]) > 0) moved += 1;
    // Somebody may be on the phone: it is followed to its outcome, without the key that is another order's there.
    else if (state === IN_AIR) moved += sql.run('UPDATE orders SET queue = ?, key = NULL WHERE id = ?', [to, id]);
    else sql.run('DELETE FROM orders WHERE id = ?', [id]);
  }
  return { found: rows.length, moved };
}

function byId(sql: Sqlite, id: number): StoredOrder | undefined {
  const [row] = sql.all('SELECT * FROM orders WHERE id = ?', [id]);
  return row && orderOf(row);
}

/** How many wait or are in the air, of all queues. */
export const openOrders = (sql: Sqlite): number =>
  Number(sql.value(`SELECT count(*) FROM orders INDEXED BY orders_open WHERE state < ${UNTOLD} AND state < ${TOLD}`));
