/**
 * `npm run bench`: this pack, its peers and the bare limit side by side in one run, as one table of ratios.
 * BENCH_QUICK=1 proves in a minute or two that it runs: a tenth of the events, one round, docs/benchmarks.md untouched.
 */
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, run, say } from '../scripts/setup.mjs';

const quick = process.env.BENCH_QUICK === '1';
const size = quick
  ? {
      ami: { events: 20_000, lines: 8_000, rounds: 1 },
      route: { rounds: 1, seconds: 2 },
      calls: { live: [1, 100, 1000], events: 10_000, rounds: 1 },
      store: { entries: 10_000, waiting: 10_000, calls: 20_000, rounds: 1 },
      orders: { waiting: 10_000, rounds: 1 },
      dialer: { waiting: 10_000, calls: { ringMs: 200, talkMs: 1800 }, seconds: 8, orders: 600, rounds: 1 },
      drain: { calls: 200 },
    }
  : {
      ami: { events: 200_000, lines: 80_000, rounds: 3 },
      route: { rounds: 6, seconds: 5 },
      calls: { live: [1, 100, 10_000], events: 100_000, rounds: 3 },
      store: { entries: 100_000, waiting: 100_000, calls: 1_000_000, rounds: 3 },
      orders: { waiting: 100_000, rounds: 3 },
      dialer: { waiting: 100_000, calls: { ringMs: 1000, talkMs: 19_000 }, seconds: 65, orders: 3000, rounds: 3 },
      drain: { calls: 500 },
    };

function ensurePeersInstalled() {
  const stamp = new URL('node_modules/.package-lock.json', import.meta.url);
  const lock = new URL('package-lock.json', import.meta.url);
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(lock).mtimeMs) return;
  say('installing what the pack is compared with into bench/ (npm ci) …');
  run('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    shell: process.platform === 'win32',
  });
}

ensureInstalled();
ensurePeersInstalled();

// Not before the dependencies are there.
const { installPack } = await import('./pack.mjs');
const { measureAmi } = await import('./ami/run.mjs');
const { measureCalls } = await import('./calls/run.mjs');
const { measureDialer } = await import('./dialer/run.mjs');
const { measureDrain } = await import('./drain/run.mjs');
const { measureOrders } = await import('./orders/run.mjs');
const { measureRoute } = await import('./route/run.mjs');
const { measureStore } = await import('./store/run.mjs');
const { report } = await import('./report.mjs');
const { machine, writeToDocs } = await import('./docs.mjs');

const where = machine();
say('building, packing and installing the nodes');
const pack = await installPack();
try {
  const ami = await measureAmi(size.ami, say);
  const calls = await measureCalls(size.calls, say);
  const route = await measureRoute(pack.userDir, size.route, say);
  const store = await measureStore(size.store, say);
  const orders = await measureOrders(size.orders, say);
  const dialer = await measureDialer(size.dialer, say);
  const drain = await measureDrain(size.drain, say);
  const { text, missed } = report({ ami, calls, route, store, orders, dialer, drain });
  say(where);
  process.stdout.write(`\n${text}\n\n`);
  say(missed.length === 0 ? 'all goals met' : `goals missed: ${missed.join('; ')}`);
  if (quick) say('quick run: a tenth of the events, one round; these numbers are not for comparing');
  else {
    writeToDocs(text, missed, where);
    say('written to docs/benchmarks.md');
  }
} finally {
  await pack.remove();
}
