import type { Place, KeptFact, QueueFactKind, Slice, Store } from '../store/types';

/** What a walk through the store goes along. */
type Read<T> = (after: Place | undefined) => Promise<Slice<T>>;

/** All rows, slice by slice: in between the event loop has its turn. */
export async function* walk<T>(read: Read<T>): AsyncGenerator<T> {
  let after: Place | undefined;
  do {
    const { rows, next } = await read(after);
    yield* rows;
    after = next;
    await new Promise((resolve) => setImmediate(resolve));
  } while (after !== undefined);
}

/** The facts of one kind, in the order of time. */
export const factsOf = (store: Store, kind: QueueFactKind, from: number, to: number): AsyncGenerator<KeptFact> =>
  walk((after) => store.queueFacts.read({ kind, from, to }, after));
