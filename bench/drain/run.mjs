import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure } from '../children.mjs';
import { portals } from './portals.mjs';

const WORKER = new URL('worker.mjs', import.meta.url);
const LONG = { withinMs: 15 * 60_000 };

/** How long it takes until every call of a busy minute is in the CRM. The time jumps over the waits: one run each tells all. */
export async function measureDrain({ calls }, say) {
  const folder = mkdtempSync(join(tmpdir(), 'telephony-bench-'));
  try {
    const crms = [];
    for (const [id, { title }] of Object.entries(portals)) {
      say(`${calls} calls of a minute into ${title}`);
      crms.push({ title, ...(await measure(WORKER, [id, calls, join(folder, `${id}.sqlite`)], LONG)) });
    }
    return { calls, crms };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
