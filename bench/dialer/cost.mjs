import fs from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const REST_MS = 250;

/** What the process holds once it has come to rest: heap, SQLite's pages, code. V8 gives back what it freed some time after. */
export async function residentMb() {
  for (let last = Infinity; ;) {
    collectGarbage();
    await setTimeout(REST_MS);
    const rss = process.memoryUsage.rss();
    if (rss > last * 0.99) return Math.min(rss, last) / 1e6;
    last = rss;
  }
}

const disk = { waits: 0, bytes: 0 };
const { fsyncSync, writeSync } = fs;
fs.fsyncSync = (...args) => {
  disk.waits += 1;
  return fsyncSync(...args);
};
fs.writeSync = (...args) => {
  const written = writeSync(...args);
  disk.bytes += written;
  return written;
};

/** From now on: processor time, waits for the disk and bytes written. To be loaded before SQLite is. */
export function startMeter() {
  const cpu = process.cpuUsage();
  const { waits, bytes } = disk;
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { cpuMs: (user + system) / 1000, waits: disk.waits - waits, bytes: disk.bytes - bytes };
  };
}
