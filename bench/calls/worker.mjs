/** One measurement, one process. Arguments: task, calls that are live all the time, events to measure. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parse } from '../ami/readers/bare.mjs';
import { median } from '../numbers.mjs';
import { callCopies } from './corpus.mjs';

const require = createRequire(import.meta.url);
const fromPack = (...path) => require(join(process.env.BENCH_PACK, 'dist', 'lib', ...path));
const { TextMessage } = fromPack('ami', 'message.js');
const { createCallTracker } = fromPack('calls', 'index.js');
const { numberingPlan } = fromPack('phone', 'index.js');
const { CALL_EVENTS } = fromPack('calls', 'events.js');

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const [task, ...sizes] = process.argv.slice(2);
const [live, wanted] = sizes.map(Number);
const calls = callCopies(CALL_EVENTS);

/** How long a call lasts, in seconds: with so many live, so many begin and end each second. */
const LASTS = 180;
/** An old call ends so long before a new one begins, in seconds: never are there more than `live`. */
const GAP = 2;
const SAVED_EVERY_MS = 250;
const FIRST_AT = 1_795_300_000;
const startOf = (n) => FIRST_AT + (n / live) * LASTS;

/** The tracker as the nodes use it: woken when it wants to be, asked for its changes as often as they go to disk. */
class Fed {
  tracker = createCallTracker({
    pbx: 'office',
    plan: { numbers: numberingPlan({ country: 'RU' }), trunks: [], trunkContexts: [] },
  });
  records = 0;
  now = 0;
  savedAt = 0;

  take({ at, bytes }) {
    const text = bytes.toString();
    this.now = Math.max(this.now, at);
    this.count(this.tracker.apply(new TextMessage('event', nameOf(text), text), this.now));
    if (this.now >= this.tracker.wakeAt) this.count(this.tracker.tick(this.now));
    if (this.now < this.savedAt + SAVED_EVERY_MS) return;
    this.savedAt = this.now;
    this.tracker.takeChanges();
  }

  count(messages) {
    for (const { topic } of messages) if (topic === 'call_record') this.records += 1;
  }
}

const nameOf = (text) => text.slice('Event: '.length, text.indexOf('\r\n'));

/** One call after the other ends and another begins: as many as it takes for so many events. */
function turnover(firstNew) {
  const count = Math.ceil(wanted / calls.events);
  const events = Array.from({ length: count }, (_, turn) => [
    ...calls.end(firstNew - live + turn, startOf(firstNew + turn) - GAP),
    ...calls.begin(firstNew + turn, startOf(firstNew + turn)),
  ]).flat();
  return { count, events: events.sort((one, other) => one.at - other.at) };
}

/** Nothing here waits: what the processor worked is what it takes, whoever else shares the core. */
function cpuOf(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function heap() {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Measured several times where few calls are live: they are lost in what V8 itself does meanwhile. */
const LOADS = Math.max(1, Math.min(15, Math.floor(500 / live)));

function tracked() {
  const fed = new Fed();
  const bytes = [];
  let next = 0;
  const endAll = (at) => {
    for (let n = next - live; n < next; n += 1) for (const event of calls.end(n, at)) fed.take(event);
    fed.now += 60_000;
    while (fed.tracker.wakeAt !== undefined) fed.count(fed.tracker.tick(fed.tracker.wakeAt));
    fed.tracker.takeChanges();
  };
  const beginAll = () => {
    for (const until = next + live; next < until; next += 1)
      for (const event of calls.begin(next, startOf(next))) fed.take(event);
    fed.tracker.takeChanges();
  };
  // What V8 compiles and remembers is not of these calls.
  for (let n = 0; n < 300; n += 1)
    for (const event of [...calls.begin(n, FIRST_AT - 9000 + n * 20), ...calls.end(n, FIRST_AT - 8990 + n * 20)])
      fed.take(event);
  next = 300;
  for (let load = 0; load < LOADS; load += 1) {
    if (load > 0) endAll(startOf(next));
    const before = heap();
    beginAll();
    bytes.push((heap() - before) / live);
  }
  const { liveCalls } = fed.tracker.stats;
  if (liveCalls !== live) throw new Error(`${liveCalls} of ${live} calls are live`);

  const { count, events } = turnover(next);
  const told = fed.records;
  const cpuMs = cpuOf(() => {
    for (const event of events) fed.take(event);
  });
  fed.count(fed.tracker.tick(fed.now + 10_000));
  if (fed.records - told !== count) throw new Error(`${fed.records - told} records of ${count} calls`);
  if (fed.tracker.stats.overBound > 0) throw new Error('calls were left out');
  return { cpuMs, events: events.length, bytesPerCall: median(bytes) };
}

/** The least that reads the same events: each header of each into an object; no call is followed. */
function bare() {
  const { events } = turnover(live);
  let headers = 0;
  const cpuMs = cpuOf(() => {
    for (const { bytes } of events) headers += parse(bytes.toString()).Event === undefined ? 0 : 1;
  });
  if (headers !== events.length) throw new Error(`${headers} of ${events.length} events read`);
  return { cpuMs, events: events.length };
}

process.send(task === 'bare' ? bare() : tracked(), () => process.exit(0));
