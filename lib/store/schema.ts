import type { Sqlite } from './sqlite';

/** "TCRM" in the header of the file: tells our files from those of other programs. */
export const APPLICATION_ID = 0x5443524d;

/**
 * Numbered steps of the schema: never changed once released, only added to. All ids grow in the order of acceptance, and
 * they, not the clock, decide the order.
 */
const MIGRATIONS: readonly string[] = [
  `
  -- state: 0 waiting, 1 dead, 2 delivered (kept without its body, so that a replay is known)
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    event_id TEXT NOT NULL,
    order_key TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,
    changed_at INTEGER NOT NULL,
    error TEXT,
    body TEXT NOT NULL
  );
  CREATE UNIQUE INDEX outbox_event ON outbox (queue, event_id);
  CREATE INDEX outbox_waiting ON outbox (queue, id) WHERE state = 0;
  CREATE INDEX outbox_dead ON outbox (queue, id) WHERE state = 1;
  CREATE INDEX outbox_delivered ON outbox (changed_at) WHERE state = 2;

  CREATE TABLE memos (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
  ) WITHOUT ROWID;
  CREATE INDEX memos_until ON memos (until);

  -- kind: direction and result as one small number; participants: what stands of this call in the table of that name, as JSON
  CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    call_id TEXT NOT NULL,
    pbx TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    queue TEXT,
    participants TEXT NOT NULL,
    body TEXT NOT NULL
  );
  CREATE UNIQUE INDEX calls_call ON calls (call_id, pbx);
  -- each in the order of pages, so that a page of a question costs no sorting
  CREATE INDEX calls_started ON calls (started_at, id, kind);
  CREATE INDEX calls_kind ON calls (kind, started_at, id);
  CREATE INDEX calls_queue ON calls (queue, started_at, id, kind) WHERE queue IS NOT NULL;
  CREATE INDEX calls_pbx ON calls (pbx, started_at, id, kind);
  CREATE TABLE participants (
    value TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    PRIMARY KEY (value, started_at, id)
  ) WITHOUT ROWID;

  CREATE TABLE live_calls (
    pbx TEXT NOT NULL,
    call_id TEXT NOT NULL,
    state TEXT NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (pbx, call_id)
  ) WITHOUT ROWID;

  -- counted as they come and go: counting a million rows takes too long
  CREATE TABLE counts (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO counts VALUES ('calls', 0);
  `,
  `
  -- state: 0 waiting, 1 in the air, 2 over and not told, 3 over and told
  CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    key TEXT,
    priority INTEGER NOT NULL,
    queued_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    started_at INTEGER,
    ended_at INTEGER,
    notes TEXT,
    outcome TEXT,
    body TEXT NOT NULL
  );
  CREATE UNIQUE INDEX orders_key ON orders (queue, key) WHERE key IS NOT NULL;
  CREATE INDEX orders_open ON orders (queue, state, id) WHERE state < 3;
  -- two ways to what is due: in the order of dialling, and by time; see orders.ts
  CREATE INDEX orders_ranked ON orders (queue, priority DESC, id, not_before) WHERE state = 0;
  CREATE INDEX orders_timed ON orders (queue, not_before, priority, id) WHERE state = 0;
  CREATE INDEX orders_expiring ON orders (queue, expires_at, id) WHERE state = 0;
  CREATE INDEX orders_told ON orders (ended_at) WHERE state = 3;
  CREATE TABLE paused_queues (queue TEXT PRIMARY KEY) WITHOUT ROWID;
  -- tells the ChannelIds of this store from those of others
  CREATE TABLE store_name (name TEXT NOT NULL);
  INSERT INTO store_name VALUES (lower(hex(randomblob(4))));

  CREATE TABLE blocked_numbers (
    number TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    reason TEXT
  ) WITHOUT ROWID;
  INSERT INTO counts VALUES ('blocked', 0);
  `,
  `
  -- done: changes of orders and of the do-not-call list, see tally.ts; loss: what was found missing, when done was lost_at
  CREATE TABLE tally (done INTEGER NOT NULL, loss TEXT, lost_at INTEGER NOT NULL DEFAULT 0);
  INSERT INTO tally (done) SELECT
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'orders'), 0) + (SELECT n FROM counts WHERE name = 'blocked');
  -- resumed_at: the lost_at that somebody has seen
  CREATE TABLE resumed_queues (queue TEXT PRIMARY KEY, resumed_at INTEGER NOT NULL) WITHOUT ROWID;
  `,
  `
  -- what the statistics of queues need: kind and outcome as small numbers, see queue-facts.ts
  CREATE TABLE queue_facts (
    id INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL,
    pbx TEXT NOT NULL,
    kind INTEGER NOT NULL,
    at INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    queue TEXT,
    agent TEXT,
    agent_name TEXT,
    seconds INTEGER NOT NULL,
    wait INTEGER
  );
  CREATE UNIQUE INDEX queue_facts_event ON queue_facts (event_id, pbx);
  CREATE INDEX queue_facts_time ON queue_facts (kind, at, id);
  `,
];

/** Of the files that this version writes; it reads all older ones. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Moves the schema on, one transaction a step: a crash in between leaves whole steps. */
export function migrate(sql: Sqlite): void {
  for (let version = Number(sql.value('PRAGMA user_version')); version < SCHEMA_VERSION; version += 1) {
    sql.exec(
      `BEGIN IMMEDIATE; ${MIGRATIONS[version] ?? ''};
       PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version + 1}; COMMIT`,
    );
  }
}

type Counted = 'calls' | 'blocked';

/** Adds to the number of rows, inside the transaction that changes them. */
export function addRows(sql: Sqlite, counted: Counted, rows: number): void {
  if (rows !== 0) sql.run('UPDATE counts SET n = n + ? WHERE name = ?', [rows, counted]);
}

/** How many there are. Read from a counter: to count the rows SQLite would read a whole index. */
export const rowsIn = (sql: Sqlite, counted: Counted): number =>
  Number(sql.value('SELECT n FROM counts WHERE name = ?', [counted]));
