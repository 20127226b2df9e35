import { systemClock } from '../../../../lib/clock';
import { silentLog } from '../../../../lib/log';
import { createStore } from '../../../../lib/store';
import type { Store, StoredOrder, StoreState } from '../../../../lib/store/types';
import { record } from './temp-store';

/**
 * A process that the tests kill or starve. `group`: so many entries of one put that is on disk now. `step`: so far the life of an order has
 * come on disk, see {@link stepOf}.
 */
export type ChildMessage =
  | { readonly type: 'state'; readonly status: StoreState['status']; readonly code?: string }
  | { readonly type: 'kept'; readonly group: number }
  | { readonly type: 'step'; readonly id: number; readonly step: number }
  | { readonly type: 'refused'; readonly code: string };

export const GROUP = 20;

const send = (message: ChildMessage): void => void process.send?.(message);

async function main(file: string): Promise<void> {
  const store = createStore({ file, clock: systemClock, log: silentLog, retention: { days: 0, maxBytes: 1024 ** 4 } });
  const tell = (state: StoreState): void =>
    send({ type: 'state', status: state.status, ...(state.status === 'failed' ? { code: state.error.code } : {}) });
  store.onState(tell);
  await store.open();
  if (process.argv[3] === 'dial')
    await Promise.all([1, 2, 3, 4].map((worker) => dial(store, `${process.argv[4]}-${worker}`)));
  if (process.argv[3] !== 'write') return;
  let group = Number(process.argv[4]);
  // Several at a time, so that a kill comes in the middle of one.
  const work = async (): Promise<void> => {
    for (;;) {
      const mine = group++;
      const entries = Array.from({ length: GROUP }, (_, n) => ({
        queue: 'q',
        eventId: `${mine}-${n}`,
        orderKey: `${mine}`,
        acceptedAt: Date.now(),
        body: 'x'.repeat(2000),
      }));
      try {
        await Promise.all([
          store.outbox.put(entries),
          store.calls.put([record(`${mine}`, { queue: { id: `q${mine % 7}` } })]),
        ]);
        send({ type: 'kept', group: mine });
      } catch (thrown) {
        send({ type: 'refused', code: (thrown as { readonly code: string }).code });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  };
  await Promise.all([work(), work(), work(), work()]);
}

/** The life of an order in steps, from {@link StoredOrder}: 0 put, 1 begun, 2 waiting again, 3 begun again, 4 over, 5 told. */
export function stepOf({ state, tries }: Pick<StoredOrder, 'state' | 'tries'>, isUntold: boolean): number {
  if (state === 'over') return isUntold ? 4 : 5;
  return state === 'waiting' ? tries * 2 : tries * 2 - 1;
}

/** One order after the other, each through its whole life, keys by their number. */
async function dial(store: Store, worker: string): Promise<void> {
  const { orders } = store;
  const times = { queuedAt: 1, notBefore: 1, expiresAt: 1_000_000 };
  for (let n = 0; ; n += 1) {
    const key = `${worker}-${n}`;
    const [{ id } = { id: 0 }] = await orders.put([{ queue: 'q', key, priority: 5, ...times, body: key }]);
    const steps = [
      () => orders.begin(id, 2),
      () => orders.again(id, 3, 'busy'),
      () => orders.begin(id, 4),
      () => orders.finish(id, 'answered', 5),
      () => orders.told([id]),
    ];
    send({ type: 'step', id, step: 0 });
    for (const [before, step] of steps.entries()) {
      await step();
      send({ type: 'step', id, step: before + 1 });
    }
  }
}

if (require.main === module) void main(process.argv[2] ?? '');
