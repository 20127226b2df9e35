import fs from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

/** What the process holds once it has come to rest: heap, SQLite's pages, code. */
export function residentMb() {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage.rss() / 1e6;
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
