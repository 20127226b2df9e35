import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { canRun } from '../../support/require-or-skip';
import { until } from '../../support/wait';
import { TempStores } from '../store/support/temp-store';
import type { FullDiskWord } from './support/full-disk';

describe('dialler on a full disk', () => {
  it('refuses orders and says why, follows the call in the air, and tells its outcome when there is room', async function () {
    this.timeout(90_000);
    const hasTool = spawnSync('prlimit', ['--version']).status === 0;
    if (!canRun(this, hasTool, 'prlimit (util-linux) is missing')) return;
    const stores = new TempStores();
    const program = [process.execPath, '--require', 'tsx/cjs', join(__dirname, 'support', 'full-disk.ts'), stores.file];
    const limited = ['-c', 'ulimit -S -f 2000; exec "$@"', 'sh', ...program];
    const child = spawn('/bin/sh', limited, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const words: FullDiskWord[] = [];
    child.on('message', (word) => words.push(word as FullDiskWord));
    const has = (wanted: FullDiskWord): boolean =>
      words.some((word) => JSON.stringify(word) === JSON.stringify(wanted));
    try {
      await until(() => has({ word: 'refused', code: 'STORE_FULL' }), 'a refusal', 30_000);
      await until(() => has({ word: 'problem', code: 'STORE_FULL' }), 'the state', 10_000);
      await until(() => has({ word: 'ended' }), 'the end of the call', 10_000);
      assert.ok(!words.some(({ word }) => word === 'outcome'), 'told before it was on disk');
      assert.equal(spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']).status, 0);
      await until(() => has({ word: 'outcome', outcome: 'answered' }), 'the outcome', 30_000);
      await until(() => has({ word: 'taken' }), 'an order after it', 30_000);
      assert.equal(words.filter(({ word }) => word === 'outcome').length, 1);
    } finally {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      await stores.clean();
    }
  });
});
