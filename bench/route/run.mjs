import { measure, start } from '../children.mjs';
import { median, medianOf, percentile, rotated } from '../numbers.mjs';
import { realNodeRed } from '../pack.mjs';
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
    return await use({ bare: `http://127.0.0.1:${bare.first.port}`, nodeRed: nodeRed.url });
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

let nextNumber = 0;
async function open(url, seconds) {
  const from = nextNumber;
  nextNumber += RATE * seconds;
  const { latencies } = await measure(LOAD, ['open', url, RATE, seconds, from]);
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}

/** Every address in turn, in another order each round; the medians of the rounds. */
async function inTurn(addresses, rounds, once) {
  const results = new Map(addresses.map((one) => [one, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const one of rotated(addresses, round)) results.get(one).push(await once(one.url));
  }
  return results;
}

export function measureRoute(userDir, { rounds, seconds }, say) {
  return withServers(userDir, async ({ bare, nodeRed }) => {
    const asking = [
      { id: 'bare', url: `${bare}/forward` },
      { id: 'ours', url: `${nodeRed}/forward` },
    ];
    say('warming both route servers up');
    for (const { url } of asking) await open(url, Math.min(seconds, 3));
    say(`${RATE} route questions a second, each about another number`);
    const fresh = await inTurn(asking, rounds, (url) => open(url, seconds));

    const busy = [...asking, { id: 'bare-cached', url: `${bare}/cached` }, { id: 'core', url: `${nodeRed}/core` }];
    say(`${CLIENTS} clients asking about one number as fast as they are answered`);
    for (const { url } of busy) await measure(LOAD, ['closed', url, CLIENTS, 1]);
    const same = await inTurn(busy, rounds, (url) => measure(LOAD, ['closed', url, CLIENTS, seconds]));

    return {
      rate: RATE,
      clients: CLIENTS,
      fresh: byId(fresh, (runs) => ({ p50: medianOf(runs, 'p50'), p99: medianOf(runs, 'p99') })),
      same: byId(same, (runs) => median(runs.map((run) => run.perSecond))),
    };
  });
}

const byId = (results, summary) => Object.fromEntries([...results].map(([{ id }, runs]) => [id, summary(runs)]));
