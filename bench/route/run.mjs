import { measure, start } from '../children.mjs';
import { medianOf, percentile, rotated } from '../numbers.mjs';
import { realNodeRed } from '../pack.mjs';
import { cpuSeconds } from './cpu.mjs';
import { WITHOUT_COURTESY_LIMIT, flowFor } from './flow.mjs';

const CRM = new URL('crm.mjs', import.meta.url);
const BARE = new URL('bare.mjs', import.meta.url);
const LOAD = new URL('load.mjs', import.meta.url);
const RATE = 200;
const CLIENTS = 50;

/** The built pack, installed from its tarball into a real Node-RED, and the hand-written server, both with the same CRM. */
async function withServers(userDir, use) {
  const stops = [];
  try {
    const crm = await start(CRM);
    stops.push(crm.stop);
    const crmUrl = `http://127.0.0.1:${crm.first.port}/`;
    const bare = await start(BARE, [crmUrl]);
    stops.push(bare.stop);
    const flows = flowFor(crmUrl);
    const nodeRed = await realNodeRed.startNodeRed({ userDir, flows, settings: WITHOUT_COURTESY_LIMIT });
    stops.push(() => nodeRed.stop());
    return await use(
      { url: `http://127.0.0.1:${bare.first.port}`, pid: bare.child.pid },
      { url: nodeRed.url, pid: nodeRed.pid },
    );
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

let nextNumber = 0;
async function open(url, seconds) {
  const from = nextNumber;
  nextNumber += RATE * seconds;
  const { latencies, answered, late } = await measure(LOAD, ['open', url, RATE, seconds, from]);
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), answered, late };
}

const closed = (url, seconds) => measure(LOAD, ['closed', url, CLIENTS, seconds]);

/** Every server in turn, in another order each round; the medians of the rounds. */
async function inTurn(servers, rounds, once) {
  const results = new Map(servers.map(({ id }) => [id, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { id, url, pid } of rotated(servers, round)) {
      const before = cpuSeconds(pid);
      const result = await once(url);
      results.get(id).push({ ...result, cpuPer100k: ((cpuSeconds(pid) - before) / result.answered) * 100_000 });
    }
  }
  const summary = (runs) => ({
    ...Object.fromEntries(Object.keys(runs[0]).map((key) => [key, medianOf(runs, key)])),
    late: runs.reduce((sum, run) => sum + run.late, 0),
  });
  return Object.fromEntries([...results].map(([id, runs]) => [id, summary(runs)]));
}

export function measureRoute(userDir, { rounds, seconds }, say) {
  return withServers(userDir, async (bare, nodeRed) => {
    const asking = [
      { id: 'bare', url: `${bare.url}/forward`, pid: bare.pid },
      { id: 'ours', url: `${nodeRed.url}/forward`, pid: nodeRed.pid },
    ];
    const askingOnce = [...asking, { id: 'core', url: `${nodeRed.url}/core-ask`, pid: nodeRed.pid }];
    say('warming the route servers up');
    for (const { url } of askingOnce) await open(url, seconds);
    say(`${RATE} route questions a second, each about another number`);
    const fresh = await inTurn(askingOnce, rounds, (url) => open(url, seconds));

    const busy = [
      ...asking,
      { id: 'bare-cached', url: `${bare.url}/cached`, pid: bare.pid },
      { id: 'core', url: `${nodeRed.url}/core`, pid: nodeRed.pid },
    ];
    say(`${CLIENTS} clients asking about one number as fast as they are answered`);
    for (const { url } of busy) await closed(url, 1);
    const same = await inTurn(busy, rounds, (url) => closed(url, seconds));
    return { rate: RATE, clients: CLIENTS, fresh, same };
  });
}
