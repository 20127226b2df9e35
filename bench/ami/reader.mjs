/**
 * One reader, one measurement, one process. Arguments: reader, port, `flood` or `output`.
 * Sends its parent what it measured; the login is not part of it.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { readers } from './readers/index.mjs';

async function flood(reader) {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const seen = await reader.flood();
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  return { seen, ms, cpuMs: (user + system) / 1000, rssMb: process.resourceUsage().maxRSS / 1024 };
}

/**
 * How long the event loop was busy with one large answer, in all and at most in one stretch; after the events, so that
 * V8 has compiled what it will compile, as in a Node-RED that has run for a while.
 */
async function output(reader) {
  await reader.flood();
  const pauses = monitorEventLoopDelay({ resolution: 1 });
  pauses.enable();
  const before = performance.eventLoopUtilization();
  const cpu = process.cpuUsage();
  const seen = await reader.output();
  const { user, system } = process.cpuUsage(cpu);
  const { active } = performance.eventLoopUtilization(before);
  await setTimeout(10); // the last pause is seen by the timer after it
  pauses.disable();
  return { seen, busyMs: active, longestMs: pauses.max / 1e6, cpuMs: (user + system) / 1000 };
}

const [id, port, task] = process.argv.slice(2);
const reader = await readers.find((one) => one.id === id).open(Number(port));
process.send(await (task === 'flood' ? flood(reader) : output(reader)), () => process.exit(0));
