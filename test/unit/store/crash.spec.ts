import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, linkSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '../../support/fake-clock';
import { canRun } from '../../support/require-or-skip';
import { until } from '../../support/wait';
import { GROUP, stepOf } from './support/child';
import { StoreProcess } from './support/processes';
import { entry, errorOf, TempStores } from './support/temp-store';

describe('store: processes that end badly', () => {
  let stores: TempStores;
  const running: StoreProcess[] = [];
  const start = (...args: Parameters<typeof StoreProcess.start>): StoreProcess => {
    const child = StoreProcess.start(...args);
    running.push(child);
    return child;
  };
  beforeEach(() => (stores = new TempStores()));
  afterEach(async () => {
    await Promise.all(running.splice(0).map((child) => child.kill()));
    await stores.clean();
  });

  it('has everything that was accepted, and nothing by halves, after kill -9 in the middle of writing', async function () {
    this.timeout(120_000);
    let first = 0;
    const accepted = new Set<number>();
    for (let round = 0; round < 5; round += 1) {
      const child = start([stores.file, 'write', first]);
      const enough = 5 + Math.floor(Math.random() * 200);
      await child.waitFor(`${enough} groups`, () => child.kept.length >= enough);
      await child.kill();
      for (const group of child.kept) accepted.add(group);
      first = Math.max(...accepted) + 1000;

      const store = await stores.ready();
      const groups = new Map<string, number>();
      let after = 0;
      for (;;) {
        const items = await store.outbox.waiting('q', 1000, after);
        if (items.length === 0) break;
        for (const { orderKey } of items) groups.set(orderKey, (groups.get(orderKey) ?? 0) + 1);
        after = items.at(-1)!.id;
      }
      assert.deepEqual(
        [...groups].filter(([, size]) => size !== GROUP),
        [],
        'groups by halves',
      );
      assert.deepEqual(
        [...accepted].filter((group) => !groups.has(String(group))),
        [],
        'accepted and lost',
      );
      for (const group of child.kept.slice(-3)) {
        assert.equal((await store.calls.find({ limit: 1, callId: String(group) })).total, 1);
      }
      assert.equal(store.state.status === 'open' && store.state.note, undefined);
      await store.close();
    }
  });

  it('has every order where it was said to be, begun or not, and gives no number twice, after kill -9', async function () {
    this.timeout(120_000);
    let highest = 0;
    for (let round = 0; round < 4; round += 1) {
      const child = start([stores.file, 'dial', round]);
      const enough = 5 + Math.floor(Math.random() * 100);
      await child.waitFor(`${enough} orders`, () => child.steps.size >= enough);
      await child.kill();
      const steps = child.steps;
      assert.ok(Math.min(...steps.keys()) > highest, 'a number given before');
      highest = Math.max(...steps.keys());

      const store = await stores.ready();
      const untold = new Set((await store.orders.untold('q', 1000)).map(({ id }) => id));
      for (const [id, said] of steps) {
        const found = await store.orders.get(id);
        assert.ok(found, `order ${id} was accepted and is lost`);
        const step = stepOf(found, untold.has(id));
        // The kill came between the disk and the word of it.
        assert.ok(
          step === said || step === said + 1,
          `order ${id}: step ${said} was said, step ${step} is in the file`,
        );
        assert.deepEqual(await store.orders.put([found]), [{ id, isNew: false }]);
      }
      assert.ok((await store.orders.inAir('q')).length <= 4 * (round + 1), 'more in the air than were dialled at once');
      await store.close();
    }
  });

  it('tells a second process who has the file, and lets it in when that one ends', async function () {
    this.timeout(60_000);
    const child = start([stores.file, 'hold']);
    await child.waitFor('the store of the other process', (messages) => messages.length > 0);
    const clock = new FakeClock();
    const store = stores.create({ clock });
    await store.open();
    assert.equal(errorOf(store)?.code, 'STORE_LOCKED');
    assert.match(errorOf(store)?.message ?? '', new RegExp(`process ${child.pid} on ${hostname()}`));
    await assert.rejects(store.outbox.put([entry('a')]), { code: 'STORE_LOCKED' });

    // One that stands still is not gone.
    child.signal('SIGSTOP');
    await clock.advanceAsync(5000);
    // What is done and looked at now and then, and the next try.
    await until(() => clock.running === 3, 'the next try');
    assert.equal(errorOf(store)?.code, 'STORE_LOCKED');

    await child.kill();
    assert.ok(existsSync(`${stores.file}.lock`), 'the lock of the library outlives its process');
    await clock.advanceAsync(5000);
    await until(() => store.state.status === 'open', 'the store to open by itself');
    await store.outbox.put([entry('a')]);
    assert.deepEqual(stores.log, ['STORE_LOCKED']);
  });

  it('refuses a second store in the same process too', async () => {
    await stores.ready();
    const second = stores.create();
    await second.open();
    assert.match(errorOf(second)?.message ?? '', new RegExp(`process ${process.pid} `));
  });

  it('stops when the disk is full, and goes on by itself when there is room again', async function () {
    this.timeout(60_000);
    const hasTool = spawnSync('prlimit', ['--version']).status === 0;
    if (!canRun(this, hasTool, 'prlimit (util-linux) is missing')) return;
    const child = start([stores.file, 'write', 0], 2000);
    const isFull = { type: 'state', status: 'failed', code: 'STORE_FULL' };
    await child.waitFor('STORE_FULL', (messages) =>
      messages.some((each) => JSON.stringify(each) === JSON.stringify(isFull)),
    );
    await child.waitFor('a refused write', (messages) =>
      messages.some((each) => each.type === 'refused' && each.code === 'STORE_FULL'),
    );
    const before = child.kept.length;
    assert.ok(before > 0);
    assert.equal(spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']).status, 0);
    await child.waitFor('writes after it', () => child.kept.length > before + 10);
    await child.kill();
    const store = await stores.ready();
    const all = await store.outbox.count('q');
    assert.ok(all.waiting >= child.kept.length * GROUP, `${all.waiting} of ${child.kept.length * GROUP}`);
  });

  describe('an owner record that was left', () => {
    const left = (more: object): string =>
      JSON.stringify({
        pid: 1,
        started: 'x',
        host: hostname(),
        boot: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
        pids: '',
        nonce: 'n',
        ...more,
      });
    const openWith = async (text: string) => {
      writeFileSync(`${stores.file}.owner`, text);
      const store = stores.create();
      await store.open();
      return store;
    };
    before(function () {
      canRun(this, process.platform === 'linux', 'the boot id is that of Linux');
    });

    it('by a machine that was started anew since, or torn, is no obstacle', async () => {
      for (const text of ['', '{"pid":', left({ boot: 'before' })]) {
        const store = await openWith(text);
        assert.equal(store.state.status, 'open', text);
        await store.close();
      }
    });

    it('by another machine keeps the store closed and names the file to delete', async () => {
      const store = await openWith(left({ boot: 'other', host: 'elsewhere' }));
      assert.equal(errorOf(store)?.code, 'STORE_FOREIGN_OWNER');
      assert.ok(errorOf(store)?.message.includes(`${stores.file}.owner`));
      assert.equal(existsSync(stores.file), false);
    });

    it('by a container that cannot be looked into keeps it closed too', async () => {
      assert.equal(errorOf(await openWith(left({ pids: 'pid:[1]' })))?.code, 'STORE_FOREIGN_OWNER');
    });

    it('by a process whose pid another one has now is no obstacle', async () => {
      const { pids } = JSON.parse(await ownRecord(stores)) as { readonly pids: string };
      const store = await openWith(left({ pids, pid: process.ppid, started: '1' }));
      assert.equal(store.state.status, 'open');
    });

    it('by this very process, which could not delete it, is no obstacle', async () => {
      const own = JSON.parse(await ownRecord(stores)) as object;
      const store = await openWith(left({ ...own, nonce: 'of a store that is closed' }));
      assert.equal(store.state.status, 'open');
    });
  });

  it('stays open when the rights of its files change, or a snapshot links them', async () => {
    const store = await stores.ready();
    const record = `${stores.file}.owner`;
    for (const touch of [() => chmodSync(record, 0o640), () => linkSync(record, join(stores.folder, 'snapshot'))]) {
      const before = statSync(record).ctimeMs;
      await until(() => {
        touch();
        rmSync(join(stores.folder, 'snapshot'), { force: true });
        return statSync(record).ctimeMs !== before;
      }, 'another time of change');
      await store.outbox.put([entry(`e${before}`)]);
    }
    assert.equal(store.state.status, 'open');
    await store.close();
    assert.equal(existsSync(record), false);
  });

  it('writes nothing more when its record was taken away', async () => {
    const store = await stores.ready();
    await store.outbox.put([entry('a')]);
    rmSync(`${stores.file}.owner`);
    await assert.rejects(store.outbox.put([entry('b')]), { code: 'STORE_TAKEN' });
    assert.equal(errorOf(store)?.code, 'STORE_TAKEN');
  });

  it('leaves nothing but the file behind when it is closed, with all that was asked for in it', async () => {
    const store = await stores.ready();
    const puts = Promise.all(Array.from({ length: 3000 }, (_, n) => store.outbox.put([entry(`e${n}`)])));
    await new Promise((resolve) => setImmediate(resolve));
    await store.close();
    await puts;
    assert.deepEqual(readdirSync(stores.folder), ['test.sqlite']);
    assert.equal(statSync(stores.file).mode & 0o777, 0o600);
    await assert.rejects(store.outbox.put([entry('late')]), { code: 'STORE_CLOSED' });
    assert.equal((await (await stores.ready()).outbox.count('node1')).waiting, 3000);
  });
});

async function ownRecord(stores: TempStores): Promise<string> {
  const store = await stores.ready();
  const text = readFileSync(`${stores.file}.owner`, 'utf8');
  await store.close();
  return text;
}
