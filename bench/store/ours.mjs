import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const silent = { info: () => {}, warn: () => {}, debug: () => {} };

/** The store as the nodes open it. */
export async function openOurs(file) {
  const lib = join(process.env.BENCH_PACK, 'dist', 'lib');
  const { createStore } = require(join(lib, 'store', 'index.js'));
  const { systemClock: clock } = require(join(lib, 'clock.js'));
  const store = createStore({ file, clock, log: silent, retention: { days: 0, maxBytes: 2 ** 40 } });
  await store.open();
  if (store.state.status !== 'open') throw store.state.error;
  return store;
}

/** The library itself, from where the pack has it. */
export const bareSqlite = () => createRequire(join(process.env.BENCH_PACK, 'package.json'))('node-sqlite3-wasm');
