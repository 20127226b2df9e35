import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFolder, repository, startNodeRed, userDirWithPack } from '../support/real-node-red';
import type { RealNodeRed } from '../support/real-node-red';
import { until } from '../support/wait';

interface NodeSet {
  readonly id: string;
  readonly module: string;
  readonly types: string[];
  readonly enabled: boolean;
  readonly err?: unknown;
}

const packName = '@telephony-crm/node-red-asterisk';

describe('the pack, installed from its tarball into a real Node-RED', () => {
  let nodeRed: RealNodeRed;

  before(async () => {
    nodeRed = await startNodeRed({ userDir: await userDirWithPack(), flows: [] });
  });

  after(async () => {
    await nodeRed.stop();
    await removeFolder(nodeRed.userDir);
  });

  it('loads every node without an error', async () => {
    const sets = (await nodeRed.admin<NodeSet[]>('GET', 'nodes')).filter((set) => set.module === packName);
    const manifest = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as {
      'node-red': { nodes: Record<string, string> };
    };
    assert.deepEqual(sets.flatMap((set) => set.types).sort(), Object.keys(manifest['node-red'].nodes).sort());
    for (const set of sets) assert.equal(set.err, undefined, `${set.id}: ${String(set.err)}`);
  });

  it('serves the words of every node in English and Russian', async () => {
    for (const lang of ['en-US', 'ru']) {
      const catalogues = await nodeRed.admin<Record<string, Record<string, unknown>>>(
        'GET',
        `locales/nodes?lng=${lang}`,
      );
      for (const [set, words] of Object.entries(catalogues)) {
        if (!set.startsWith(packName)) continue;
        const type = set.slice(packName.length + 1);
        assert.equal((words[type] as { language?: string }).language, lang === 'ru' ? 'ru' : 'en', set);
      }
    }
  });

  it('serves every icon it names', async () => {
    for (const icon of await readdir(join(repository, 'icons'))) {
      const response = await fetch(`${nodeRed.url}/icons/${packName}/${icon}`);
      assert.equal(response.status, 200, icon);
      assert.match(response.headers.get('content-type') ?? '', /svg/);
    }
  });

  it('routes a call in the first example right after import and deploy', async () => {
    const flows = JSON.parse(
      await readFile(join(repository, 'examples', '01-routing-to-responsible.json'), 'utf8'),
    ) as unknown;
    await nodeRed.deploy(flows);
    const question = (phone: string) => `${nodeRed.url}/forward?phone=${phone}&trunk=74951000101&callid=1.1`;
    const ask = async (phone: string) => (await fetch(question(phone))).text();
    // The Admin API answers before the flows have started; the phones of the simulator register a moment later.
    await until(async () => (await ask('84951343060')).endsWith('number=101'), 'the example to route');
    assert.deepEqual(Object.fromEntries(new URLSearchParams(await ask('84951343060'))), {
      name: 'Петров АА',
      number: '101',
    });
    assert.deepEqual(Object.fromEntries(new URLSearchParams(await ask('anonymous'))), { name: '', number: '' });
  });

  it('offers its examples in the import menu', async () => {
    const offered = await nodeRed.admin<unknown>('GET', `library/examples/flows/${packName}`);
    assert.ok(JSON.stringify(offered).includes('01-routing-to-responsible'), JSON.stringify(offered));
  });

  it('stops cleanly within a few seconds', async () => {
    assert.equal(await nodeRed.stop(), 0, nodeRed.log());
  });
});
