import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure } from '../children.mjs';
import { medianOf } from '../numbers.mjs';

const WORKER = new URL('worker.mjs', import.meta.url);
/** Orders that come in one turn of the event loop: few, and a campaign. */
const BATCHES = [10, 200];
const LONG = { withinMs: 15 * 60_000 };

/** @param sizes orders that wait, rounds */
export async function measureOrders({ waiting, rounds }, say) {
  const folder = mkdtempSync(join(tmpdir(), 'telephony-bench-'));
  let files = 0;
  const fresh = () => join(folder, `${(files += 1)}.sqlite`);
  try {
    const put = [];
    let full;
    for (const batch of BATCHES) {
      const runs = { putBare: [], putOurs: [] };
      for (let round = 0; round < rounds; round += 1) {
        for (const task of round % 2 ? ['putOurs', 'putBare'] : ['putBare', 'putOurs']) {
          say(`orders, round ${round + 1} of ${rounds}: ${task}, ${batch} at a time`);
          const file = fresh();
          runs[task].push(await measure(WORKER, [task, file, waiting, batch], LONG));
          if (task === 'putOurs') full = file;
        }
      }
      const microseconds = (task) => (medianOf(runs[task], 'ms') * 1000) / waiting;
      put.push({ batch, bare: microseconds('putBare'), ours: microseconds('putOurs') });
    }

    const { rows } = await measure(WORKER, ['due', full, waiting]);
    return { waiting, put, rows };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
