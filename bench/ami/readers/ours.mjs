import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

/** The driver as the nodes use it. `who`: `nobody` subscribes, `one` = Hangup only, `all` = every event, read in full. */
export async function openOurs(port, who) {
  const { createAmiClient } = require(join(process.env.BENCH_PACK, 'dist', 'lib', 'ami', 'index.js'));
  const client = createAmiClient({ host: '127.0.0.1', port, username: 'bench', secret: 'bench' });
  await new Promise((resolve, reject) => {
    client.onState((state) => {
      if (state.phase === 'ready') resolve();
      else if (state.error) reject(state.error);
    });
    client.connect();
  });
  let handled = 0;
  if (who === 'one') client.subscribe(['Hangup'], () => (handled += 1));
  if (who === 'all') client.subscribe('*', (event) => (handled += event.toObject() ? 1 : 0));
  return {
    async flood() {
      const before = client.stats.received;
      handled = 0;
      await client.action({ action: 'BenchFlood' }, { timeoutMs: 120_000 });
      return who === 'nobody' ? client.stats.received - before - 1 : handled;
    },
    async output() {
      const answer = await client.action(
        { action: 'Command', headers: { Command: 'core show channels' } },
        { timeoutMs: 120_000 },
      );
      return answer.all('Output').length;
    },
  };
}
