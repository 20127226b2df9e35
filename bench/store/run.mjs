import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure } from '../children.mjs';
import { medianOf } from '../numbers.mjs';

const WORKER = new URL('worker.mjs', import.meta.url);
/** Entries that come in one turn of the event loop: few, and a burst. */
const BATCHES = [10, 200];
const LONG = { withinMs: 30 * 60_000 };

/** @param sizes entries to accept, calls to search, rounds */
export async function measureStore({ entries, waiting, calls, rounds }, say) {
  const folder = mkdtempSync(join(tmpdir(), 'telephony-bench-'));
  let files = 0;
  const fresh = () => join(folder, `${(files += 1)}.sqlite`);
  try {
    const accept = [];
    for (const batch of BATCHES) {
      const runs = { acceptBare: [], acceptOurs: [] };
      for (let round = 0; round < rounds; round += 1) {
        for (const task of round % 2 ? ['acceptOurs', 'acceptBare'] : ['acceptBare', 'acceptOurs']) {
          say(`store, round ${round + 1} of ${rounds}: ${task}, ${batch} at a time`);
          runs[task].push(await measure(WORKER, [task, fresh(), entries, batch]));
        }
      }
      const perSecond = (task) => entries / (medianOf(runs[task], 'ms') / 1000);
      accept.push({ batch, bare: perSecond('acceptBare'), ours: perSecond('acceptOurs') });
    }

    say(`store: start with ${waiting} waiting`);
    const full = fresh();
    await measure(WORKER, ['fillOutbox', full, waiting]);
    const starts = [];
    for (let round = 0; round < Math.max(rounds, 2); round += 1)
      starts.push(await measure(WORKER, ['start', full, waiting]));

    say(`store: pages out of ${calls} calls`);
    const history = fresh();
    const fill = await measure(WORKER, ['fillCalls', history, calls], LONG);
    const { rows } = await measure(WORKER, ['history', history, calls], LONG);
    return {
      accept,
      start: { waiting, ms: medianOf(starts, 'ms') },
      history: { calls, bytes: fill.bytes, putPerSecond: calls / (fill.ms / 1000), rows },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
