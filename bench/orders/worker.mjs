/** One measurement, one process. Arguments: task, file, and what the task takes. Sends its parent what it measured. */
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { median } from '../numbers.mjs';
import { bareSqlite, openOurs } from '../store/ours.mjs';
import { MORNING, NOW, order } from './order.mjs';

const [task, file, ...sizes] = process.argv.slice(2);
const [count, batch] = sizes.map(Number);

/** Each order by a put of its own, `batch` of them in one turn of the event loop. */
async function putOurs() {
  const store = await openOurs(file);
  const started = performance.now();
  for (let at = 0; at < count; at += batch) {
    await Promise.all(Array.from({ length: batch }, (_, n) => store.orders.put([order(at + n, count)])));
  }
  const ms = performance.now() - started;
  const { waiting } = await store.orders.count('node1');
  if (waiting !== count) throw new Error(`${waiting} of ${count} wait`);
  await store.close();
  return { ms };
}

/** The least that keeps the same and finds it again: one table, the same indexes, one transaction for each batch, each on disk. */
async function putBare() {
  const { Database } = bareSqlite();
  const db = new Database(file);
  db.all('PRAGMA locking_mode = EXCLUSIVE');
  db.all('PRAGMA journal_mode = WAL');
  db.exec(`PRAGMA synchronous = FULL;
    CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT, key TEXT, priority INTEGER, queued_at INTEGER,
      not_before INTEGER, expires_at INTEGER, state INTEGER DEFAULT 0, body TEXT);
    CREATE UNIQUE INDEX orders_key ON orders (queue, key) WHERE key IS NOT NULL;
    CREATE INDEX orders_open ON orders (queue, state, id) WHERE state < 3;
    CREATE INDEX orders_ranked ON orders (queue, priority DESC, id, not_before) WHERE state = 0;
    CREATE INDEX orders_timed ON orders (queue, not_before, priority, id) WHERE state = 0;
    CREATE INDEX orders_expiring ON orders (queue, expires_at, id) WHERE state = 0;`);
  const insert = db.prepare(
    `INSERT INTO orders (queue, key, priority, queued_at, not_before, expires_at, body) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`,
  );
  const started = performance.now();
  for (let at = 0; at < count; at += batch) {
    db.exec('BEGIN');
    for (let n = at; n < at + batch; n += 1) {
      const { queue, key, priority, queuedAt, notBefore, expiresAt, body } = order(n, count);
      insert.all([queue, key, priority, queuedAt, notBefore, expiresAt, body]);
    }
    db.exec('COMMIT');
  }
  const ms = performance.now() - started;
  insert.finalize();
  db.close();
  return { ms };
}

const moments = [
  ['none is due', NOW - 1, 0],
  ['half are due, all behind those that are not', NOW, 1],
  ['all are due', MORNING, 1],
];
const ROUNDS = 20;

/** The next order for a line that has become free. */
async function due() {
  const store = await openOurs(file);
  const rows = [];
  for (const [title, now, expected] of moments) {
    const times = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const started = performance.now();
      const found = await store.orders.due('node1', now, 1);
      times.push(performance.now() - started);
      if (found.length !== expected) throw new Error(`${found.length} found: ${title}`);
      await setTimeout(2);
    }
    rows.push({ title, ms: median(times), worstMs: Math.max(...times) });
  }
  await store.close();
  return { rows };
}

const tasks = { putOurs, putBare, due };
process.send(await tasks[task](), () => process.exit(0));
