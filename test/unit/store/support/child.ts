import { systemClock } from '../../../../lib/clock';
import { silentLog } from '../../../../lib/log';
import { createStore } from '../../../../lib/store';
import type { StoreState } from '../../../../lib/store/types';
import { record } from './temp-store';

/** A process that the tests kill or starve. `group`: so many entries of one put that is on disk now. */
export type ChildMessage =
  | { readonly type: 'state'; readonly status: StoreState['status']; readonly code?: string }
  | { readonly type: 'kept'; readonly group: number }
  | { readonly type: 'refused'; readonly code: string };

export const GROUP = 20;

const send = (message: ChildMessage): void => void process.send?.(message);

async function main(file: string): Promise<void> {
  const store = createStore({ file, clock: systemClock, log: silentLog, retention: { days: 0, maxBytes: 1024 ** 4 } });
  const tell = (state: StoreState): void =>
    send({ type: 'state', status: state.status, ...(state.status === 'failed' ? { code: state.error.code } : {}) });
  store.onState(tell);
  await store.open();
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

if (require.main === module) void main(process.argv[2] ?? '');
