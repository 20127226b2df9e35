import { measure, start } from '../children.mjs';
import { medianOf, rotated } from '../numbers.mjs';
import { readers } from './readers/index.mjs';

const SERVER = new URL('server.mjs', import.meta.url);
const READER = new URL('reader.mjs', import.meta.url);
/** The peer whose cost of one large answer is told beside ours: it grows with the square of the size, so it is bounded. */
const OUTPUT_PEER = { id: 'asterisk-manager', withinMs: 60_000 };

/** All readers on the same events, `rounds` times, in another order each time. */
async function floods(port, events, hangups, rounds, say) {
  const results = new Map(readers.map((reader) => [reader, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const reader of rotated(readers, round)) {
      say(`AMI events, round ${round + 1} of ${rounds}: ${reader.title}`);
      const result = await measure(READER, [reader.id, port, 'flood']);
      const expected = reader.sees === 'hangups' ? hangups : events;
      if (result.seen !== expected) throw new Error(`${reader.title} saw ${result.seen} of ${expected} events`);
      results.get(reader).push(result);
    }
  }
  return [...results].map(([{ id, title, ours = false }, runs]) => ({
    id,
    title,
    ours,
    perSecond: events / (medianOf(runs, 'ms') / 1000),
    cpuPer100k: (medianOf(runs, 'cpuMs') / 1000 / events) * 100_000,
    rssMb: Math.max(...runs.map((run) => run.rssMb)),
  }));
}

async function outputOfOurs(port, lines, rounds) {
  const runs = [];
  for (let round = 0; round < rounds; round += 1) {
    const result = await measure(READER, ['ours-all', port, 'output']);
    if (result.seen !== lines) throw new Error(`this pack read ${result.seen} of ${lines} lines`);
    runs.push(result);
  }
  return Object.fromEntries(['busyMs', 'longestMs', 'cpuMs'].map((key) => [key, medianOf(runs, key)]));
}

async function outputOfPeer(port) {
  try {
    return await measure(READER, [OUTPUT_PEER.id, port, 'output'], { withinMs: OUTPUT_PEER.withinMs });
  } catch (error) {
    if (!error.late) throw error;
    return { busyMs: OUTPUT_PEER.withinMs, atLeast: true };
  }
}

export async function measureAmi({ events, lines, rounds }, say) {
  const server = await start(SERVER, [events, lines]);
  try {
    const { port, ...corpus } = server.first;
    const flood = await floods(port, events, corpus.hangups, rounds, say);
    say(`one answer of ${lines} lines`);
    const output = { lines, ours: await outputOfOurs(port, lines, rounds), peer: await outputOfPeer(port) };
    return { corpus, events, flood, output };
  } finally {
    await server.stop();
  }
}
