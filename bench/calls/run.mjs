import { measure } from '../children.mjs';
import { medianOf, rotated } from '../numbers.mjs';

const WORKER = new URL('worker.mjs', import.meta.url);
const LONG = { withinMs: 15 * 60_000 };

/**
 * What an event costs, and a live call holds, at each of these numbers of live calls; the bare parse reads the same events.
 * @param live the smallest first
 */
export async function measureCalls({ live, events, rounds }, say) {
  const tasks = [['bare', live[0]], ...live.map((count) => ['tracked', count])];
  const runs = new Map(tasks.map((task) => [task, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const task of rotated(tasks, round)) {
      say(`calls, round ${round + 1} of ${rounds}: ${task[0]}, ${task[1]} live`);
      runs.get(task).push(await measure(WORKER, [...task, events], LONG));
    }
  }
  const microseconds = (results) => (medianOf(results, 'cpuMs') * 1000) / results[0].events;
  const [bare, ...tracked] = [...runs].map(([[, count], results]) => ({
    live: count,
    microseconds: microseconds(results),
    bytesPerCall: medianOf(results, 'bytesPerCall'),
  }));
  return { bare: bare.microseconds, tracked };
}
