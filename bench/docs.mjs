import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';

const PAGE = new URL('../docs/benchmarks.md', import.meta.url);
const BEGIN = '<!-- written by npm run bench: begin -->';
const END = '<!-- written by npm run bench: end -->';

/** What the numbers belong to. Call it before the run: the load is what others put on the machine. */
export function machine() {
  const cores = cpus();
  const load = loadavg()[0].toFixed(1);
  return `${cores[0].model}, ${cores.length} cores, Node ${process.versions.node}, load before the run ${load}`;
}

/** Puts the table of this run between the markers of docs/benchmarks.md; the words around them stay. */
export function writeToDocs(text, missed, where) {
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest.split(END)[1];
  const goals = missed.length === 0 ? 'All goals met in this run.' : `Missed in this run: ${missed.join('; ')}.`;
  const date = new Date().toISOString().slice(0, 10);
  const block = [BEGIN, '', `${date}, ${where}.`, '', text, '', goals, '', END].join('\n');
  writeFileSync(PAGE, before + block + after);
}
