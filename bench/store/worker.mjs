/** One measurement, one process. Arguments: task, file, and what the task takes. Sends its parent what it measured. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { median } from '../numbers.mjs';
import { call, extensionOf, numberOf, queueOf, startOf } from './calls.mjs';
import { entry } from './entries.mjs';
import { bareSqlite, openOurs } from './ours.mjs';

const [task, file, ...sizes] = process.argv.slice(2);
const [count, batch] = sizes.map(Number);

/** Each entry by a put of its own, `batch` of them in one turn of the event loop, as a burst of calls comes. */
async function acceptOurs() {
  const store = await openOurs(file);
  const started = performance.now();
  for (let at = 0; at < count; at += batch) {
    await Promise.all(Array.from({ length: batch }, (_, n) => store.outbox.put([entry(at + n)])));
  }
  const ms = performance.now() - started;
  await store.close();
  return { ms };
}

/** The least that keeps the same: one table, the same indexes, one transaction for each batch, each on disk. */
async function acceptBare() {
  const { Database } = bareSqlite();
  const db = new Database(file);
  db.all('PRAGMA locking_mode = EXCLUSIVE');
  db.all('PRAGMA journal_mode = WAL');
  db.exec(`PRAGMA synchronous = FULL;
    CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT, event_id TEXT, order_key TEXT, accepted_at INTEGER,
      state INTEGER DEFAULT 0, body TEXT);
    CREATE UNIQUE INDEX outbox_event ON outbox (queue, event_id);
    CREATE INDEX outbox_waiting ON outbox (queue, id) WHERE state = 0;`);
  const insert = db.prepare(
    'INSERT INTO outbox (queue, event_id, order_key, accepted_at, body) VALUES (?, ?, ?, ?, ?)',
  );
  const started = performance.now();
  for (let at = 0; at < count; at += batch) {
    db.exec('BEGIN');
    for (let n = at; n < at + batch; n += 1) {
      const { queue, eventId, orderKey, acceptedAt, body } = entry(n);
      insert.run([queue, eventId, orderKey, acceptedAt, body]);
    }
    db.exec('COMMIT');
  }
  const ms = performance.now() - started;
  insert.finalize();
  db.close();
  return { ms };
}

async function fillOutbox() {
  const store = await openOurs(file);
  await store.outbox.put(Array.from({ length: count }, (_, n) => entry(n)));
  await store.close();
  return {};
}

/** From nothing to the first page of what waits: the library is loaded in it too. */
async function start() {
  const started = performance.now();
  const store = await openOurs(file);
  const page = await store.outbox.waiting('node1', 100);
  const { waiting } = await store.outbox.count('node1');
  const ms = performance.now() - started;
  if (page.length !== 100 || waiting !== count) throw new Error(`${waiting} of ${count} wait`);
  await store.close();
  return { ms };
}

async function fillCalls() {
  const store = await openOurs(file);
  const started = performance.now();
  for (let at = 0; at < count; at += 2000) {
    await store.calls.put(Array.from({ length: Math.min(2000, count - at) }, (_, n) => call(at + n, count)));
  }
  const ms = performance.now() - started;
  const { bytes } = await store.stats();
  await store.close();
  return { ms, bytes };
}

const questions = {
  'no filter': () => ({}),
  'a month': (n) => ({ from: startOf(n, count), to: startOf(n + count / 12, count) }),
  'a number': (n) => ({ numbers: [numberOf(n)] }),
  'ten numbers': (n) => ({ numbers: Array.from({ length: 10 }, (_, more) => numberOf(n + more)) }),
  'an extension': (n) => ({ extensions: [extensionOf(n)] }),
  'a direction': () => ({ directions: ['internal'] }),
  'a result': () => ({ results: ['missed'] }),
  'a rare result': () => ({ results: ['voicemail'] }),
  'a queue': (n) => ({ queues: [queueOf(n)] }),
  'a queue, abandoned': (n) => ({ queues: [queueOf(n)], results: ['abandoned'] }),
  'a PBX': () => ({ pbx: 'Branch' }),
  'an extension, missed': (n) => ({ extensions: [extensionOf(n)], results: ['missed'] }),
};

const ROUNDS = 8;

/** Each question several times, elsewhere each time; the longest stretch in which nothing else had its turn is told too. */
async function history() {
  const store = await openOurs(file);
  // V8 has compiled what it will compile, as in a Node-RED that has run for a while.
  for (let n = 0; n < 20; n += 1) await store.calls.find({ limit: 50 });
  const rows = [];
  for (const [title, question] of Object.entries(questions)) {
    const pauses = monitorEventLoopDelay({ resolution: 1 });
    const times = [];
    pauses.enable();
    for (let round = 0; round < ROUNDS; round += 1) {
      const started = performance.now();
      const page = await store.calls.find({ limit: 50, ...question(Math.floor((round / ROUNDS) * count)) });
      times.push(performance.now() - started);
      if (page.calls.length === 0) throw new Error(`nothing found: ${title}`);
      await setTimeout(5);
    }
    pauses.disable();
    rows.push({ title, ms: median(times), worstMs: Math.max(...times), longestMs: pauses.max / 1e6 });
  }
  await store.close();
  return { rows };
}

const tasks = { acceptOurs, acceptBare, fillOutbox, start, fillCalls, history };
process.send(await tasks[task](), () => process.exit(0));
