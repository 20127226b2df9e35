import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import storeConfig from '../../nodes/store-config';
import type { StoreConfigNode } from '../../nodes/runtime/config-nodes';
import { storeStatus } from '../../nodes/runtime/store-status';
import { until } from '../support/wait';
import { tab } from './support/route-flow';
import { admin, deploy, load, logLines, node, unload } from './support/runtime';
import { storeNode, UserDir } from './support/store-flow';

const STATUS = '@telephony-crm/node-red-asterisk/store-config:store-config.status';

interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown> & { readonly error?: { readonly code: string; readonly message: string } };
}

describe('store-config', () => {
  let user: UserDir;
  beforeEach(() => (user = new UserDir()));
  afterEach(async () => {
    await unload();
    user.remove();
  });

  const start = (...nodes: ReturnType<typeof storeNode>[]) => load([user.init, storeConfig], [tab, ...nodes]);
  const config = (id = 'store') => node(id) as StoreConfigNode;
  const ready = (id = 'store') => until(() => config(id).store?.state.status === 'open', 'the store to open');
  const press = async (what: 'state' | 'backup', lang = 'en', id = 'store'): Promise<Reply> => {
    const asking = admin().post(`/telephony-crm/store-config/${id}/${what}`).set('Content-Type', 'application/json');
    return await asking.send({ lang });
  };
  const put = (eventId: string, id = 'store') =>
    config(id).store?.outbox.put([{ queue: 'q', eventId, orderKey: 'c', acceptedAt: 1, body: '{}' }]);

  it('opens its file in the user directory, and nowhere else', async () => {
    await start(storeNode());
    await ready();
    await put('a');
    assert.ok(existsSync(join(user.path, 'telephony-crm', 'telephony-crm.sqlite')));
    for (const file of ['../out.sqlite', '/tmp/out.sqlite', 'a/b.sqlite', '..', '.hidden', 'a\0b']) {
      await deploy([tab, storeNode({ file })]);
      assert.equal((config().problem as { code?: string } | undefined)?.code, 'STORE_BAD_SETTINGS', file);
      assert.equal(config().store, undefined);
    }
  });

  it('lives on with the problem when its settings are wrong, and says which', async () => {
    for (const [more, word] of [
      [{ days: '-1' }, /Keep calls/],
      [{ maxSize: 'much' }, /Largest size/],
      [{ backup: true, backupAt: '25:00' }, /Backup at/],
      [{ backup: true, backupKeep: '0' }, /Copies/],
      [{ file: '${NO_SUCH_VARIABLE}' }, /NO_SUCH_VARIABLE is not set/],
    ] as const) {
      await start(storeNode(more));
      assert.match(config().problem?.message ?? '', word);
      assert.match(logLines('store').at(-1)?.text ?? '', word);
      await unload();
    }
  });

  it('keeps what was accepted over a deploy', async () => {
    await start(storeNode());
    await ready();
    await put('a');
    await deploy([tab, storeNode({ days: '30' })]);
    await ready();
    assert.deepEqual(await put('a'), { known: ['a'] });
    assert.deepEqual(
      readdirSync(join(user.path, 'telephony-crm')).filter((name) => name.includes('broken')),
      [],
    );
  });

  it('shares one file among several, and says when their settings differ', async () => {
    await start(storeNode(), storeNode({ id: 'other', days: '30' }));
    await ready();
    assert.equal(config().store, config('other').store);
    assert.match(logLines('other').at(-1)?.text ?? '', /other settings/);
    await deploy([tab, storeNode({ id: 'other', days: '30' })]);
    await ready('other');
    await put('a', 'other');
  });

  it('shows its state, and makes a copy, by the buttons', async () => {
    await start(storeNode());
    await ready();
    await put('a');
    const { body } = await press('state');
    assert.deepEqual([body.calls, body.waiting, body.dead, typeof body.bytes], [0, 1, 0, 'number']);
    const made = await press('backup');
    assert.equal(made.status, 200);
    const file = String(made.body.file);
    assert.ok(file.startsWith(join(user.path, 'telephony-crm', 'backups')) && existsSync(file), file);
    for (const folder of ['.', 'backups']) {
      assert.equal(
        statSync(join(user.path, 'telephony-crm', folder)).mode & 0o077,
        0,
        `others may look into ${folder}`,
      );
    }
  });

  it('goes on with the next deploy after its file was taken away', async () => {
    await start(storeNode());
    await ready();
    await put('a');
    rmSync(join(user.path, 'telephony-crm', 'telephony-crm.sqlite'));
    await assert.rejects(async () => put('b'), { code: 'STORE_REPLACED' });
    assert.equal(storeStatus(config()).text, `${STATUS}.replaced`);
    assert.match(logLines('store').at(-1)?.text ?? '', /deleted, emptied or replaced .* restart the flows/);
    assert.match((await press('state', 'ru')).body.error?.message ?? '', /перезапустите потоки/);
    await deploy([tab, storeNode({ days: '30' })]);
    await ready();
    assert.deepEqual(await put('b'), { known: [] });
  });

  it('tells by the buttons why the store does not work, in the reader’s language', async () => {
    writeFileSync(join(user.path, 'telephony-crm'), 'a file in the place of the folder');
    await start(storeNode());
    await until(() => config().store?.state.status === 'failed', 'the store to fail');
    const told = await press('state', 'ru');
    assert.deepEqual([told.status, told.body.error?.code], [400, 'STORE_UNWRITABLE']);
    assert.match(told.body.error?.message ?? '', /нельзя писать/);
    assert.equal((await press('backup')).body.error?.code, 'STORE_UNWRITABLE');
    assert.equal((await press('state', 'en', 'nobody')).body.error?.code, 'STORE_NOT_DEPLOYED');
    assert.equal(logLines('store').filter(({ level }) => level === 'warn').length, 1);
  });
});
