/** A process that dials from a real store, on a disk that becomes full: `full-disk.ts <file>`. Its lines tell what happens. */
import { systemClock } from '../../../../lib/clock';
import type { TelephonyError } from '../../../../lib/errors';
import { createStore } from '../../../../lib/store';
import { silentLog } from '../../../../lib/log';
import { Dialer } from '../../../../lib/dialer/dialer';
import { numberingPlan } from '../../../../lib/phone';
import { FakeLine } from '../../../support/fake-line';
import { numbered, openGuard } from './office';

/** `begun`: its call is in the air. `refused`: an order was not taken. `ended`: the call is over on the PBX. */
export type FullDiskWord =
  | { readonly word: 'begun' | 'ended' | 'taken' }
  | { readonly word: 'refused' | 'problem'; readonly code: string | undefined }
  | { readonly word: 'outcome'; readonly outcome: string };

const tell = (word: FullDiskWord): void => void process.send?.(word);

async function main(file: string): Promise<void> {
  const store = createStore({ file, clock: systemClock, log: silentLog, retention: { days: 0, maxBytes: 1024 ** 4 } });
  await store.open();
  const line = new FakeLine();
  const dialer = new Dialer({
    queue: 'node',
    mode: 'click',
    pbx: 'office',
    orders: store.orders,
    blocked: store.blocked,
    line,
    guard: openGuard,
    plan: numberingPlan({ country: 'RU' }),
    settings: { lines: 1, trunkLines: {}, windows: [], maxWaiting: 100_000 },
    openings: {
      isOpen: () => true,
      nextOpening: (_windows, _zones, now) => now,
      nextClosing: (_windows, _zones, _now, until) => until,
    },
    clock: systemClock,
    log: silentLog,
    lang: 'en',
    onProgress: () => undefined,
    onOutcome: ({ outcome }) => tell({ word: 'outcome', outcome }),
    onState: ({ problem }) => tell({ word: 'problem', code: problem?.code }),
  });
  dialer.start();
  const place = (index: number): Promise<void> => {
    const expiresAt = Date.now() + 600_000;
    const base = { priority: 5, tries: 1, periodMs: 5000, variables: {}, expiresAt, data: 'x'.repeat(8000) };
    const number = numbered(index);
    return dialer.place({ mode: 'click', extension: '101', number, e164: number, ...base }, undefined, () => undefined);
  };
  await place(0);
  while (line.pbx.alive.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  tell({ word: 'begun' });
  let isFull = false;
  for (let index = 1; ; index += 1) {
    try {
      await place(index);
      if (isFull) {
        tell({ word: 'taken' });
        return;
      }
    } catch (thrown) {
      tell({ word: 'refused', code: (thrown as TelephonyError).code });
      const [call] = line.pbx.alive;
      if (!isFull && call) {
        line.pbx.end(call.attempt.channelId, { outcome: 'answered', reached: 'yes', endedAt: Date.now() });
        tell({ word: 'ended' });
      }
      isFull = true;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

if (require.main === module) void main(process.argv[2] ?? '');
