import type { Text } from '../errors';
import { MAX_PAYLOAD_BYTES } from '../messages/parse';
import type { Access } from './access';
import { chunks } from './access';
import { storeError } from './errors';
import type { Row, Sqlite } from './sqlite';
import { checkBytes, checkText } from './values';
import type { DeadItem, OutboxEntry, OutboxItem, OutboxTable, StoredError } from './types';

/** A payload, and what says what it is. */
const MAX_BODY = MAX_PAYLOAD_BYTES + 1024;
/** Waiting and dead together: what is there must not be dropped, so no more is taken. */
const MAX_ENTRIES = 1_000_000;
const CHUNK = 250;
const MAX_ERROR_TEXT = 2000;

const WAITING = 0;
const DEAD = 1;
const DELIVERED = 2;

/** Takes the time first. */
const BEGIN_ANEW = `UPDATE outbox SET state = ${WAITING}, attempts = 0, not_before = 0, error = NULL, accepted_at = ?`;

const errorJson = ({ code, text, at }: StoredError): string =>
  JSON.stringify({
    code,
    text: { en: text.en.slice(0, MAX_ERROR_TEXT), ru: text.ru.slice(0, MAX_ERROR_TEXT) },
    at,
  });

function errorOf(json: string): StoredError {
  const { text, ...rest } = JSON.parse(json) as Omit<StoredError, 'text'> & { readonly text: Text | string };
  // Older files hold the English text alone.
  return { ...rest, text: typeof text === 'string' ? { en: text, ru: text } : text };
}

function itemOf(row: Row): OutboxItem {
  return {
    id: Number(row.id),
    queue: String(row.queue),
    eventId: String(row.event_id),
    orderKey: String(row.order_key),
    acceptedAt: Number(row.accepted_at),
    attempts: Number(row.attempts),
    notBefore: Number(row.not_before),
    body: String(row.body),
    ...(row.error === null ? {} : { lastError: errorOf(String(row.error)) }),
  };
}

function checkEntry(entry: OutboxEntry): void {
  checkText('queue', entry.queue);
  checkText('eventId', entry.eventId);
  checkText('orderKey', entry.orderKey);
  if (!Number.isFinite(entry.acceptedAt)) throw storeError('STORE_BAD_VALUE', { what: 'acceptedAt' });
  checkBytes('body', entry.body, MAX_BODY);
}

/** The rows of what is to be delivered, of all queues of one file; at most a million wait or are dead. */
export class OutboxRows implements OutboxTable {
  /** How many are held in the file that is open; counted once, and after each commit by what it changed. */
  private held: { readonly in: Sqlite; count: number } | undefined;

  constructor(
    private readonly access: Access,
    private readonly limit = MAX_ENTRIES,
  ) {}

  async put(entries: readonly OutboxEntry[]): Promise<{ readonly known: readonly string[] }> {
    for (const entry of entries) checkEntry(entry);
    const known = await Promise.all(chunks(entries, CHUNK).map((part) => this.putChunk(part)));
    return { known: known.flat() };
  }

  private async putChunk(entries: readonly OutboxEntry[]): Promise<string[]> {
    const bytes = entries.reduce((sum, entry) => sum + entry.body.length, 0);
    const result = await this.access.write(bytes, (sql) => {
      if (this.heldIn(sql) + entries.length > this.limit) {
        throw storeError('STORE_OUTBOX_FULL', { file: this.access.file, limit: this.limit });
      }
      const known: string[] = [];
      const now = this.access.now();
      for (const { queue, eventId, orderKey, acceptedAt, body } of entries) {
        const added = sql.run(
          `INSERT OR IGNORE INTO outbox (queue, event_id, order_key, accepted_at, changed_at, body) VALUES (?, ?, ?, ?, ?, ?)`,
          [queue, eventId, orderKey, acceptedAt, now, body],
        );
        if (added === 0) known.push(eventId);
      }
      return known;
    });
    this.changeHeld(entries.length - result.length);
    return result;
  }

  private heldIn(sql: Sqlite): number {
    if (this.held?.in !== sql) {
      const count = Number(sql.value(`SELECT count(*) FROM outbox WHERE state IN (${WAITING}, ${DEAD})`));
      this.held = { in: sql, count };
    }
    return this.held.count;
  }

  private changeHeld(by: number): void {
    if (this.held) this.held.count += by;
  }

  waiting(queue: string, limit: number, afterId = 0): Promise<OutboxItem[]> {
    return this.access.read((sql) =>
      sql
        .all(`SELECT * FROM outbox WHERE queue = ? AND state = ${WAITING} AND id > ? ORDER BY id LIMIT ?`, [
          queue,
          afterId,
          limit,
        ])
        .map(itemOf),
    );
  }

  async done(ids: readonly number[]): Promise<void> {
    await this.forget(ids, WAITING);
  }

  async failed(id: number, error: StoredError, notBefore: number): Promise<void> {
    await this.access.write(0, (sql) =>
      sql.run(
        `UPDATE outbox SET attempts = attempts + 1, not_before = ?, error = ? WHERE id = ? AND state = ${WAITING}`,
        [notBefore, errorJson(error), id],
      ),
    );
  }

  async giveUp(id: number, error: StoredError): Promise<void> {
    await this.access.write(0, (sql) =>
      sql.run(
        `UPDATE outbox SET state = ${DEAD}, attempts = attempts + 1, error = ?, changed_at = ? WHERE id = ? AND state = ${WAITING}`,
        [errorJson(error), this.access.now(), id],
      ),
    );
  }

  dead(queue: string, limit: number, afterId = 0): Promise<DeadItem[]> {
    return this.access.read((sql) =>
      sql
        .all(`SELECT * FROM outbox WHERE queue = ? AND state = ${DEAD} AND id > ? ORDER BY id LIMIT ?`, [
          queue,
          afterId,
          limit,
        ])
        .map((row) => ({ ...itemOf(row), diedAt: Number(row.changed_at) })),
    );
  }

  async revive(queue: string, ids?: readonly number[]): Promise<number> {
    const revive = (sql: Sqlite, id: number): number =>
      sql.run(`${BEGIN_ANEW} WHERE id = ? AND state = ${DEAD}`, [this.access.now(), id]);
    return this.ofDead(queue, ids, (part) =>
      this.access.write(0, (sql) => part.reduce((sum, id) => sum + revive(sql, id), 0)),
    );
  }

  /** Their eventIds are remembered as if they had been delivered: a replay does not bring them back. */
  drop(queue: string, ids?: readonly number[]): Promise<number> {
    return this.ofDead(queue, ids, (part) => this.forget(part, DEAD));
  }

  count(queue: string): Promise<{ readonly waiting: number; readonly dead: number; readonly oldestAt?: number }> {
    return this.access.read((sql) => {
      const count = (state: number): number =>
        Number(sql.value(`SELECT count(*) FROM outbox WHERE queue = ? AND state = ${state}`, [queue]));
      const oldestAt = sql.value(
        `SELECT accepted_at FROM outbox WHERE queue = ? AND state = ${WAITING} ORDER BY id LIMIT 1`,
        [queue],
      );
      return {
        waiting: count(WAITING),
        dead: count(DEAD),
        ...(typeof oldestAt === 'number' ? { oldestAt } : {}),
      };
    });
  }

  queues(): Promise<string[]> {
    const of = (state: number): string => `SELECT DISTINCT queue FROM outbox WHERE state = ${state}`;
    return this.access.read((sql) => sql.all(`${of(WAITING)} UNION ${of(DEAD)}`).map((row) => String(row.queue)));
  }

  async adopt(from: string, to: string): Promise<number> {
    checkText('queue', to);
    // Nothing would ever leave the queue.
    if (from === to) return 0;
    let moved = 0;
    // One state after the other: each has an index of its own.
    for (const state of [WAITING, DEAD]) {
      for (;;) {
        const part = await this.access.write(0, (sql) => this.adoptChunk(sql, state, from, to));
        if (part.found === 0) break;
        moved += part.moved;
        this.changeHeld(part.moved - part.found);
      }
    }
    return moved;
  }

  /** The ids stay as they are, and with them the order. */
  private adoptChunk(sql: Sqlite, state: number, from: string, to: string): { found: number; moved: number } {
    const rows = sql.all(`SELECT id FROM outbox WHERE queue = ? AND state = ${state} ORDER BY id LIMIT ${CHUNK}`, [
      from,
    ]);
    const now = this.access.now();
    let moved = 0;
    for (const { id = null } of rows) {
      if (sql.run(`UPDATE OR IGNORE outbox SET queue = ? WHERE id = ?`, [to, id]) === 0) {
        sql.run(`DELETE FROM outbox WHERE id = ?`, [id]);
        continue;
      }
      moved += 1;
      if (state === WAITING) sql.run(`${BEGIN_ANEW} WHERE id = ? AND state = ${WAITING}`, [now, id]);
    }
    return { found: rows.length, moved };
  }

  private async forget(ids: readonly number[], from: number): Promise<number> {
    const counts = chunks(ids, CHUNK).map((part) =>
      this.access.write(0, (sql) => {
        const now = this.access.now();
        let changed = 0;
        for (const id of part) {
          changed += sql.run(
            `UPDATE outbox SET state = ${DELIVERED}, changed_at = ?, body = '', error = NULL WHERE id = ? AND state = ${from}`,
            [now, id],
          );
        }
        return changed;
      }),
    );
    const forgotten = (await Promise.all(counts)).reduce((sum, changed) => sum + changed, 0);
    this.changeHeld(-forgotten);
    return forgotten;
  }

  /** Runs `change` over the dead items of a queue, all that were there at the beginning without `ids`. */
  private async ofDead(
    queue: string,
    ids: readonly number[] | undefined,
    change: (ids: readonly number[]) => Promise<number>,
  ): Promise<number> {
    let changed = 0;
    let after = 0;
    const wanted = ids && new Set(ids);
    for (;;) {
      const rows = await this.access.read((sql) =>
        sql.all(`SELECT id FROM outbox WHERE queue = ? AND state = ${DEAD} AND id > ? ORDER BY id LIMIT ${CHUNK}`, [
          queue,
          after,
        ]),
      );
      const found = rows.map((row) => Number(row.id));
      if (found.length === 0) return changed;
      after = found.at(-1) ?? after;
      const part = wanted ? found.filter((id) => wanted.has(id)) : found;
      if (part.length > 0) changed += await change(part);
    }
  }
}
