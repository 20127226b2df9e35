import { join } from 'node:path';
import { require as requireTs } from 'tsx/cjs/api';

/** How the tests start a Node-RED of its own process with the pack installed from its tarball. */
export const realNodeRed = requireTs('../test/support/real-node-red.ts', import.meta.url);

/**
 * Packs the pack and installs it, once for the whole run: everything measures the same build, and a build that somebody
 * starts meanwhile does not take it away. The readers find it by BENCH_PACK.
 */
export async function installPack() {
  const userDir = await realNodeRed.userDirWithPack();
  process.env.BENCH_PACK = join(userDir, 'node_modules', '@telephony-crm', 'node-red-asterisk');
  return { userDir, remove: () => realNodeRed.removeFolder(userDir) };
}
