/** One measurement, one process. Arguments: task, what it takes as JSON. Sends its parent what it measured. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { residentMb, startMeter } from './cost.mjs';
import { percentile } from '../numbers.mjs';
import { openOffice } from './office.mjs';
import { BATCH } from './orders.mjs';

const [task, json] = process.argv.slice(2);
const given = JSON.parse(json);

async function placeAll(office, count) {
  for (let at = 0; at < count; at += BATCH) {
    await Promise.all(Array.from({ length: Math.min(BATCH, count - at) }, (_, n) => office.place(at + n)));
  }
}

/** A campaign comes while the PBX is away. */
async function place({ file, waiting }) {
  const office = await openOffice({ file });
  office.dialer.start();
  await placeAll(office, waiting);
  const mb = await residentMb();
  const counts = await office.dialer.counts();
  if (counts.waiting !== waiting) throw new Error(`${counts.waiting} of ${waiting} wait`);
  await office.close();
  return { mb };
}

/** The same process with nothing to do. */
async function idle({ file, address }) {
  const office = await openOffice({ file, address });
  office.pbx.open();
  office.dialer.start();
  await setTimeout(1500);
  return { mb: await residentMb() };
}

/** What a process does once: loading, compiling, the first look into the file. */
const BEGIN_MS = 2000;

/** Dials what waits, for so long. */
async function dial({ file, address, ms }) {
  const office = await openOffice({ file, address });
  const loop = monitorEventLoopDelay({ resolution: 5 });
  let peakMb = 0;
  setInterval(() => (peakMb = Math.max(peakMb, process.memoryUsage.rss() / 1e6)), 100);
  office.pbx.open();
  office.dialer.start();
  await setTimeout(BEGIN_MS);
  loop.enable();
  await setTimeout(ms - BEGIN_MS);
  loop.disable();
  return { startedAt: performance.timeOrigin, longestMs: loop.max / 1e6, peakMb, mb: await residentMb() };
}

/** The whole way of so many orders: placed, dialled, over, told. */
async function cost({ file, address, orders, play }) {
  const outcomes = [];
  let done;
  const all = new Promise((resolve) => (done = resolve));
  const onOutcome = ({ outcome }) => {
    outcomes.push(outcome);
    if (outcomes.length === orders) done();
  };
  const office = await openOffice({ file, address, play, onOutcome });
  office.pbx.open();
  office.dialer.start();
  await setTimeout(500);
  const stop = startMeter();
  await placeAll(office, orders);
  await all;
  await office.close();
  const bad = outcomes.find((outcome) => outcome !== 'answered');
  if (bad) throw new Error(`one ended with ${bad}`);
  return stop();
}

/** More orders than may wait, so many a second: each is answered. */
async function refuse({ file, maxWaiting, perSecond, orders }) {
  const office = await openOffice({ file, settings: { maxWaiting } });
  office.dialer.start();
  await setTimeout(500);
  const answers = { accepted: 0, refused: 0, other: 0 };
  const took = [];
  const order = async (n) => {
    try {
      const first = await office.place(n);
      answers[first.state === 'queued' ? 'accepted' : 'other'] += 1;
    } catch (thrown) {
      answers[thrown.code === 'ORDER_TOO_MANY' ? 'refused' : 'other'] += 1;
    }
    // From when it was due: what stalls cannot hide those that queue up meanwhile.
    took.push(performance.now() - begun - (n / perSecond) * 1000);
  };
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  const stop = startMeter();
  const begun = performance.now();
  const placed = [];
  while (placed.length < orders) {
    const due = Math.min(Math.floor(((performance.now() - begun) / 1000) * perSecond), orders, placed.length + 10);
    while (placed.length < due) placed.push(order(placed.length));
    await setTimeout(1);
  }
  await Promise.all(placed);
  loop.disable();
  const { cpuMs } = stop();
  await office.close();
  return { ...answers, cpuMs, p99: percentile(took, 0.99), longestMs: loop.max / 1e6 };
}

const tasks = { place, idle, dial, cost, refuse };
process.send(await tasks[task](given), () => process.exit(0));
