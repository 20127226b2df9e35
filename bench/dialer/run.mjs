import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure, start } from '../children.mjs';
import { medianOf } from '../numbers.mjs';

const PBX = new URL('pbx.mjs', import.meta.url);
const WORKER = new URL('worker.mjs', import.meta.url);
const BARE = new URL('bare.mjs', import.meta.url);
const LONG = { withinMs: 15 * 60_000 };

const LINES = 256;
/** Calls for the cost of one: the shorter, the sooner it is measured. */
const SHORT = { ringMs: 100, talkMs: 900 };
const REFUSED = { maxWaiting: 500, perSecond: 1000, orders: 10_000 };

/** One run against a PBX of its own; with what the PBX saw of it. */
async function against({ ringMs, talkMs }, module, argsFor) {
  const pbx = await start(PBX, [ringMs, talkMs]);
  try {
    const result = await measure(module, argsFor(pbx.first), LONG);
    pbx.child.send('what happened?');
    const [seen] = await once(pbx.child, 'message');
    return { ...result, ...seen };
  } finally {
    await pbx.stop();
  }
}

/**
 * How long a line was free from one call to the next, in ms: whichever line it was, the first call to end made room for the next to begin.
 * Of the first calls it counts from the very first.
 */
function gapsOf({ began, ended }) {
  return began.map((at, n) => at - (n < LINES ? began[0] : ended[n - LINES]));
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const taskOf = (task, given) => [task, JSON.stringify(given)];

async function measureLines(folder, { waiting, calls, seconds }, say) {
  const file = join(folder, 'campaign.sqlite');
  say(`dialler: placing ${waiting} orders`);
  const placed = await measure(WORKER, taskOf('place', { file, waiting }), LONG);
  const idle = await against(calls, WORKER, (address) =>
    taskOf('idle', { file: join(folder, 'idle.sqlite'), address }),
  );
  say(`dialler: ${seconds} s of calls of ${(calls.ringMs + calls.talkMs) / 1000} s on ${LINES} lines`);
  const dialled = await against(calls, WORKER, (address) => taskOf('dial', { file, address, ms: seconds * 1000 }));
  const gaps = gapsOf(dialled);
  return {
    lines: LINES,
    callMs: calls.ringMs + calls.talkMs,
    begun: dialled.began.length,
    gap: { ms: mean(gaps), worstMs: Math.max(...gaps) },
    longestMs: dialled.longestMs,
    firstMs: dialled.began[0] - dialled.startedAt,
    memory: { idleMb: idle.mb, mb: Math.max(placed.mb, dialled.mb, dialled.peakMb) },
  };
}

async function measureCost(folder, { orders, rounds }, say) {
  let files = 0;
  const file = () => join(folder, `cost-${(files += 1)}.sqlite`);
  const ours = (play) => [WORKER, (address) => taskOf('cost', { file: file(), address, orders, play })];
  const ways = {
    bare: [BARE, (address) => [JSON.stringify({ address, orders })]],
    kept: [BARE, (address) => [JSON.stringify({ file: file(), address, orders })]],
    playback: ours('playback'),
    dialplan: ours('dialplan'),
  };
  const runs = Object.fromEntries(Object.keys(ways).map((id) => [id, []]));
  for (let round = 0; round < rounds; round += 1) {
    const ids = Object.keys(ways);
    for (const id of round % 2 ? ids.reverse() : ids) {
      say(`dialler, cost of an order, round ${round + 1} of ${rounds}: ${id}`);
      const { began, ended, ...run } = await against(SHORT, ...ways[id]);
      if (began.length !== orders) throw new Error(`${id}: ${began.length} calls of ${orders}`);
      runs[id].push({ ...run, gapMs: mean(gapsOf({ began, ended })) });
    }
  }
  const each = (id) => ({
    cpuMs: medianOf(runs[id], 'cpuMs') / orders,
    waits: medianOf(runs[id], 'waits') / orders,
    bytes: medianOf(runs[id], 'bytes') / orders,
    gapMs: medianOf(runs[id], 'gapMs'),
  });
  return Object.fromEntries(Object.keys(ways).map((id) => [id, each(id)]));
}

/**
 * @param sizes how many orders wait and how long they are dialled, in calls of so many ms; of how many orders the cost is taken, and how
 *   often
 */
export async function measureDialer({ waiting, calls, seconds, orders, rounds }, say) {
  const folder = mkdtempSync(join(tmpdir(), 'telephony-bench-'));
  try {
    const lines = await measureLines(folder, { waiting, calls, seconds }, say);
    const cost = await measureCost(folder, { orders, rounds }, say);
    say(`dialler: ${REFUSED.perSecond} orders a second, of which ${REFUSED.maxWaiting} may wait`);
    const refused = await measure(WORKER, taskOf('refuse', { ...REFUSED, file: join(folder, 'refused.sqlite') }), LONG);
    if (refused.accepted !== REFUSED.maxWaiting || refused.accepted + refused.refused !== REFUSED.orders) {
      throw new Error(`${refused.accepted} taken and ${refused.refused} refused of ${REFUSED.orders}`);
    }
    return { waiting, lines, cost, refused: { ...REFUSED, ...refused } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
