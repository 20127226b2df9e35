import type { Place, KeptFact, QueueFactKind, Slice, Store } from '../store/types';
import type { ReportQuery } from './types';

/** Rows that are made, or written, at once: some milliseconds. */
const ROWS_AT_ONCE = 500;

const othersTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What `make` makes of each, slice by slice: in between the event loop has its turn. */
export async function mapSlowly<From, To>(all: readonly From[], make: (one: From) => To): Promise<To[]> {
  const made: To[] = [];
  for (const one of all) {
    made.push(make(one));
    if (made.length % ROWS_AT_ONCE === 0) await othersTurn();
  }
  return made;
}

/** What a walk through the store goes along. */
type Read<T> = (after: Place | undefined) => Promise<Slice<T>>;

/** All rows, slice by slice: in between the event loop has its turn. */
export async function* walk<T>(read: Read<T>): AsyncGenerator<T> {
  let after: Place | undefined;
  do {
    const { rows, next } = await read(after);
    yield* rows;
    after = next;
    await othersTurn();
  } while (after !== undefined);
}

/** The facts of one kind that a report is asked about, in the order of time. */
export async function* factsOf(
  store: Store,
  kind: QueueFactKind,
  { from, to, pbx }: Pick<ReportQuery, 'from' | 'to' | 'pbx'>,
): AsyncGenerator<KeptFact> {
  for await (const fact of walk((after) => store.queueFacts.read({ kind, from, to }, after)))
    if (pbx === undefined || fact.pbx === pbx) yield fact;
}
