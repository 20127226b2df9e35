import type { Access } from './access';
import { chunks } from './access';
import { storeError } from './errors';
import type { Row, Sqlite } from './sqlite';
import type { KeptFact, Place, QueueFact, QueueFactKind, QueueFactQuery, QueueFactTable, Slice } from './types';
import { QUEUE_FACT_KINDS, QUEUE_OUTCOMES } from './types';
import { checkMs, checkText } from './values';

const CHUNK = 200;
/** Rows of one look: it holds the event loop for about a millisecond, and some 20 when it is the first of a process. */
const SLICE = 200;
/** About what a fact takes while it waits for the disk. */
const BYTES = 200;

/** The facts of queues and agents: one row for each, in the order of time of its kind. */
export class QueueFacts implements QueueFactTable {
  constructor(private readonly access: Access) {}

  async put(facts: readonly QueueFact[]): Promise<void> {
    facts.forEach(check);
    await Promise.all(
      chunks(facts, CHUNK).map((part) =>
        this.access.write(part.length * BYTES, (sql) => part.forEach((fact) => insert(sql, fact))),
      ),
    );
  }

  read({ kind, from, to }: QueueFactQuery, after: Place = { at: from, id: -1 }): Promise<Slice<KeptFact>> {
    return this.access.read((sql) => {
      const rows = sql.all(
        `SELECT id, pbx, at, outcome, queue, agent, agent_name, seconds, wait FROM queue_facts WHERE kind = ? AND at < ? AND (at, id) > (?, ?) ORDER BY at, id LIMIT ${SLICE}`,
        [QUEUE_FACT_KINDS.indexOf(kind), to, after.at, after.id],
      );
      const last = rows.length === SLICE ? rows.at(-1) : undefined;
      return {
        rows: rows.map((row) => factOf(kind, row)),
        ...(last ? { next: { at: Number(last.at), id: Number(last.id) } } : {}),
      };
    });
  }
}

/** A fact may come from a flow. */
function check({ eventId, pbx, kind, at, outcome, queue, agent, agentName, seconds, wait }: QueueFact): void {
  checkText('eventId', eventId);
  checkText('pbx', pbx);
  checkMs('at', at);
  checkMs('seconds', seconds);
  if (wait !== undefined) checkMs('waitSeconds', wait);
  if (!QUEUE_FACT_KINDS.includes(kind) || !QUEUE_OUTCOMES.includes(outcome)) {
    throw storeError('STORE_BAD_VALUE', { what: 'topic' });
  }
  const texts: Readonly<Record<string, string | undefined>> = { queue, agent, agentName };
  for (const [name, text] of Object.entries(texts)) if (text !== undefined) checkText(name, text);
}

function insert(sql: Sqlite, fact: QueueFact): void {
  const { eventId, pbx, kind, at, outcome, queue, agent, agentName, seconds, wait } = fact;
  sql.run(
    `INSERT OR IGNORE INTO queue_facts (event_id, pbx, kind, at, outcome, queue, agent, agent_name, seconds, wait)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      eventId,
      pbx,
      QUEUE_FACT_KINDS.indexOf(kind),
      at,
      QUEUE_OUTCOMES.indexOf(outcome),
      queue ?? null,
      agent ?? null,
      agentName ?? null,
      seconds,
      wait ?? null,
    ],
  );
}

function factOf(kind: QueueFactKind, row: Row): KeptFact {
  return {
    kind,
    pbx: String(row.pbx),
    at: Number(row.at),
    outcome: QUEUE_OUTCOMES[Number(row.outcome)] ?? 'other',
    seconds: Number(row.seconds),
    ...(row.queue === null ? {} : { queue: String(row.queue) }),
    ...(row.agent === null ? {} : { agent: String(row.agent) }),
    ...(row.agent_name === null ? {} : { agentName: String(row.agent_name) }),
    ...(row.wait === null ? {} : { wait: Number(row.wait) }),
  };
}

/** Deletes facts of before `before` (wall-clock ms), about `limit` of each kind at most; gives how many. */
export function deleteOldFacts(sql: Sqlite, limit: number, before: number): number {
  // By kinds, because that is how they are in order.
  return QUEUE_FACT_KINDS.reduce(
    (sum, _name, kind) =>
      sum +
      sql.run(
        'DELETE FROM queue_facts WHERE id IN (SELECT id FROM queue_facts WHERE kind = ? AND at < ? ORDER BY at, id LIMIT ?)',
        [kind, before, limit],
      ),
    0,
  );
}
