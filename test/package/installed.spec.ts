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

  it('runs every example side by side right after import and deploy, and logs no error', async () => {
    const folder = join(repository, 'examples');
    const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    const nodes = texts.flatMap((text) => JSON.parse(text) as { readonly id: string; readonly type: string }[]);
    // Those made for one CRM wait for its address and key, and say so.
    const ready = nodes.filter(({ id }) =>
      texts.some((text, at) => text.includes(id) && !(names[at] ?? '').includes('-cdr-export-')),
    );
    const before = nodeRed.log().length;
    await nodeRed.deploy(
      ready.map((node) =>
        node.type === 'tab' ? { ...node, credentials: { ORDER_KEY: 'a-key-of-16-or-more' } } : node,
      ),
    );
    const order = (key: string, body: object) =>
      fetch(`${nodeRed.url}/autocalls`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
        body: JSON.stringify(body),
      });
    const ride = { number: '89060000005', key: 'ride 17', files: ['hello-world'] };
    await until(async () => (await order('another-key-of-16', ride)).status === 401, 'the address of orders');
    const first = await order('a-key-of-16-or-more', ride);
    assert.equal(first.status, 202);
    const told = (await first.json()) as { orderId: number };
    assert.deepEqual(told, { orderId: told.orderId, key: 'ride 17', state: 'queued' });
    const again = (await (await order('a-key-of-16-or-more', ride)).json()) as { orderId: number };
    assert.equal(again.orderId, told.orderId, 'the second order is the first');
    assert.equal((await order('a-key-of-16-or-more', { ...ride, number: '112', key: 'ride 18' })).status, 422);
    assert.equal((await order('a-key-of-16-or-more', { command: 'cancel', all: true })).status, 422);
    const state = async (id: unknown, key = 'a-key-of-16-or-more') => {
      const headers = { authorization: `Bearer ${key}` };
      const response = await fetch(`${nodeRed.url}/autocalls/${String(id)}`, { headers });
      return { status: response.status, ...((await response.json()) as { state?: string; outcome?: string }) };
    };
    await until(async () => (await state(told.orderId)).state === 'over', 'the end of the order', 30_000);
    assert.equal((await state(told.orderId)).outcome, 'confirmed');
    assert.deepEqual(
      [(await state(4_000_000)).status, (await state('x')).status, (await state(told.orderId, '')).status],
      [404, 400, 401],
    );
    assert.doesNotMatch(nodeRed.log().slice(before), /\[error\]/);
  });

  it('offers its examples in the import menu', async () => {
    // A name alone is a folder.
    const offered = await nodeRed.admin<(string | { fn: string })[]>('GET', `library/examples/flows/${packName}`);
    const names = offered.map((each) => (typeof each === 'string' ? `${each}/` : each.fn));
    assert.ok(names.includes('01-routing-to-responsible'), names.join());
    assert.deepEqual(
      names.filter((name) => name.endsWith('/')),
      [],
    );
  });

  it('stops cleanly within a few seconds', async () => {
    assert.equal(await nodeRed.stop(), 0, nodeRed.log());
  });
});
