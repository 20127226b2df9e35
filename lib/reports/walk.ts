import type { Place, KeptFact, QueueFactKind, Slice, Store } from '../store/types';
import type { ReportQuery } from './types';

/** Rows that are made, or written, at once: some milliseconds. */
const ROWS_AT_ONCE = 20;

let line: Promise<void> = Promise.resolve();

/**
 * Resolves in a turn of the event loop of its own. All reports stand in one line, so a turn has to bear one step of one report, however many
 * are made at the same time.
 */
export const ownTurn = (): Promise<void> => (line = line.then(() => new Promise((resolve) => setImmediate(resolve))));

/** What `make` makes of each, some in a turn of the event loop. */
export async function mapSlowly<From, To>(all: readonly From[], make: (one: From) => To): Promise<To[]> {
  const made: To[] = [];
  for (const one of all) {
    if (made.length % ROWS_AT_ONCE === 0) await ownTurn();
    made.push(make(one));
  }
  return made;
}

/** What a walk through the store goes along. */
type Read<T> = (after: Place | undefined) => Promise<Slice<T>>;

/** All rows, a slice in a turn of the event loop. */
export async function* walk<T>(read: Read<T>): AsyncGenerator<readonly T[]> {
  let after: Place | undefined;
  do {
    await ownTurn();
    const { rows, next } = await read(after);
    yield rows;
    after = next;
  } while (after !== undefined);
}

/** The facts of one kind that a report is asked about, in the order of time, a slice in a turn of the event loop. */
export async function* factsOf(
  store: Store,
  kind: QueueFactKind,
  { from, to, pbx }: Pick<ReportQuery, 'from' | 'to' | 'pbx'>,
): AsyncGenerator<readonly KeptFact[]> {
  for await (const facts of walk((after) => store.queueFacts.read({ kind, from, to }, after)))
    yield pbx === undefined ? facts : facts.filter((fact) => fact.pbx === pbx);
}
