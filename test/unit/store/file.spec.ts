import assert from 'node:assert/strict';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { SCHEMA_VERSION } from '../../../lib/store/schema';
import { Sqlite } from '../../../lib/store/sqlite';
import { FakeClock } from '../../support/fake-clock';
import { until } from '../../support/wait';
import { entry, errorOf, noteOf, record, TempStores } from './support/temp-store';

describe('store: the file', () => {
  let stores: TempStores;
  beforeEach(() => (stores = new TempStores()));
  afterEach(() => stores.clean());

  const filled = async (entries = 500): Promise<void> => {
    const store = await stores.ready();
    await store.outbox.put(Array.from({ length: entries }, (_, n) => entry(`e${n}`, { body: 'x'.repeat(1000) })));
    await store.close();
  };
  const aside = (): string[] => readdirSync(stores.folder).filter((name) => name.includes('.broken-'));

  /** A store that works, although its file was damaged, and says so. */
  const beginsAnew = async (): Promise<void> => {
    const store = stores.create({ clock: new FakeClock() });
    await store.open();
    assert.deepEqual([store.state.status, noteOf(store)?.code], ['open', 'STORE_WAS_BROKEN']);
    const [name] = aside();
    assert.equal(name, 'test.sqlite.broken-2026-01-01T00-00-00-000Z');
    const text = noteOf(store)?.message ?? '';
    assert.ok(text.includes(`"${stores.file}"`) && text.includes(join(stores.folder, name)), text);
    await store.outbox.put([entry('new')]);
    assert.deepEqual(await store.outbox.count('node1'), { waiting: 1, dead: 0, oldestAt: 1000 });
    assert.deepEqual(stores.log, ['STORE_WAS_BROKEN']);
  };

  it('is made with its folders, and opened again', async () => {
    const file = join(stores.folder, 'a', 'b', 'c.sqlite');
    const store = await stores.ready({ file });
    await store.outbox.put([entry('a')]);
    assert.equal((await store.stats()).waiting, 1);
    await store.close();
    await store.open();
    assert.equal((await store.outbox.count('node1')).waiting, 1);
    await store.open();
  });

  it('full of something else is set aside with both names told', async () => {
    writeFileSync(stores.file, 'This is no database. '.repeat(1000));
    await beginsAnew();
    assert.match(readFileSync(join(stores.folder, aside()[0]!), 'utf8'), /^This is no database/);
  });

  it('torn off in the middle is set aside', async () => {
    await filled();
    truncateSync(stores.file, Math.floor(statSync(stores.file).size / 2));
    await beginsAnew();
  });

  it('cut to nothing while its log is still there is set aside, log and all', async () => {
    await filled();
    truncateSync(stores.file, 0);
    writeFileSync(`${stores.file}-wal`, 'log');
    await beginsAnew();
    assert.equal(aside().length, 2);
  });

  it('damaged inside is found by the check after a crash', async () => {
    await filled();
    const bytes = readFileSync(stores.file);
    bytes.fill(0x5a, 4096 * 60, bytes.length - 4096 * 3);
    writeFileSync(stores.file, bytes);
    writeFileSync(`${stores.file}.owner`, 'torn by the crash');
    await beginsAnew();
  });

  it('damaged inside is set aside when a read meets the damage, once in an hour', async () => {
    const clock = new FakeClock();
    const damage = async (): Promise<void> => {
      await filled();
      const bytes = readFileSync(stores.file);
      // Behind the schema: damage in that is met already when the file is opened.
      bytes.fill(0x5a, 4096 * 64, bytes.length - 4096 * 3);
      writeFileSync(stores.file, bytes);
    };
    await damage();
    const store = await stores.ready({ clock });
    await assert.rejects(store.outbox.waiting('node1', 500), { code: 'STORE_BROKEN' });
    assert.equal(errorOf(store)?.code, 'STORE_BROKEN');
    await clock.advanceAsync(5000);
    await until(() => store.state.status === 'open', 'the store to be begun anew');
    assert.equal(noteOf(store)?.code, 'STORE_WAS_BROKEN');
    assert.deepEqual(await store.outbox.waiting('node1', 500), []);
    assert.equal(aside().length, 1);

    await store.close();
    await damage();
    await store.open();
    await assert.rejects(store.outbox.waiting('node1', 500), { code: 'STORE_BROKEN' });
    await clock.advanceAsync(60_000);
    assert.equal(errorOf(store)?.code, 'STORE_BROKEN');
    assert.equal(aside().length, 1);
    await clock.advanceAsync(60 * 60_000);
    await until(() => store.state.status === 'open', 'the store to be begun anew again');
    assert.equal(aside().length, 2);
  });

  it('of a newer version is left as it is, byte by byte', async () => {
    await filled(10);
    const sql = Sqlite.open(stores.file);
    sql.all('PRAGMA locking_mode = EXCLUSIVE');
    sql.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 3}`);
    sql.close();
    const before = readFileSync(stores.file);
    const store = stores.create();
    await store.open();
    assert.equal(errorOf(store)?.code, 'STORE_NEWER');
    assert.match(
      errorOf(store)?.message ?? '',
      new RegExp(`schema ${SCHEMA_VERSION + 3}, this one knows up to ${SCHEMA_VERSION}`),
    );
    await store.close();
    assert.deepEqual(readFileSync(stores.file), before);
    assert.deepEqual(readdirSync(stores.folder), ['test.sqlite']);
  });

  it('of another program is left as it is', async () => {
    for (const version of [0, 7]) {
      const file = join(stores.folder, `other-${version}.sqlite`);
      const sql = Sqlite.open(file);
      sql.exec(`CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1); PRAGMA user_version = ${version}`);
      sql.close();
      const store = stores.create({ file });
      await store.open();
      assert.equal(errorOf(store)?.code, 'STORE_NOT_OURS');
      await store.close();
      const again = Sqlite.open(file);
      assert.equal(again.value('SELECT count(*) FROM theirs'), 1);
      assert.equal(again.value('PRAGMA journal_mode'), 'delete');
      again.close();
    }
  });

  it('in a folder that cannot be written is a clear error, and opens when it can be', async () => {
    writeFileSync(join(stores.folder, 'folder'), 'a file');
    const clock = new FakeClock();
    const store = stores.create({ file: join(stores.folder, 'folder', 'x.sqlite'), clock });
    await store.open();
    assert.equal(errorOf(store)?.code, 'STORE_UNWRITABLE');
    await assert.rejects(store.calls.put([record('1')]), { code: 'STORE_UNWRITABLE' });
    await assert.rejects(store.stats(), { code: 'STORE_UNWRITABLE' });
    await assert.rejects(store.backup('x.sqlite'), { code: /^STORE_/ });
    rmSync(join(stores.folder, 'folder'));
    mkdirSync(join(stores.folder, 'folder'));
    await clock.advanceAsync(5000);
    await until(() => store.state.status === 'open', 'the store to open by itself');
    assert.deepEqual(stores.log, ['STORE_UNWRITABLE']);
  });

  describe('that is taken away while it is in use', () => {
    const ways: Readonly<Record<string, { readonly take: (copy: string) => void; readonly left: number }>> = {
      deleted: { take: () => rmSync(stores.file), left: 0 },
      'deleted with its log': {
        take: () => [stores.file, `${stores.file}-wal`].forEach((path) => rmSync(path)),
        left: 0,
      },
      emptied: { take: () => truncateSync(stores.file), left: 0 },
      'replaced by a copy': { take: (copy) => renameSync(copy, stores.file), left: 1 },
      'moved with its folder': { take: () => renameSync(stores.folder, `${stores.folder}-moved`), left: 0 },
    };
    afterEach(() => rmSync(`${stores.folder}-moved`, { recursive: true, force: true }));

    for (const [way, { take, left }] of Object.entries(ways)) {
      it(`(${way}) tells it within seconds, though nobody asks for anything`, async () => {
        const clock = new FakeClock();
        const store = await stores.ready({ clock });
        const copy = await store.backup();
        clock.advance(5000);
        assert.equal(store.state.status, 'open');
        take(copy);
        clock.advance(5000);
        assert.equal(errorOf(store)?.code, 'STORE_REPLACED');
        await store.close();
        assert.equal(clock.running, 0);
      });

      it(`(${way}) takes nothing more, says why, and works when it is opened anew`, async () => {
        const clock = new FakeClock();
        const store = await stores.ready({ clock });
        await store.outbox.put([entry('in the copy')]);
        const copy = await store.backup();
        await store.outbox.put([entry('later')]);

        take(copy);
        await assert.rejects(store.outbox.put([entry('lost?')]), { code: 'STORE_REPLACED' });
        await assert.rejects(store.outbox.count('node1'), { code: 'STORE_REPLACED' });
        assert.equal(errorOf(store)?.code, 'STORE_REPLACED');
        // Whoever puts another file there is not to be overtaken.
        await clock.advanceAsync(60_000);
        assert.equal(errorOf(store)?.code, 'STORE_REPLACED');
        assert.deepEqual(stores.log, ['STORE_REPLACED']);

        await store.close();
        const next = await stores.ready();
        assert.equal((await next.outbox.count('node1')).waiting, left);
        await next.outbox.put([entry('new')]);
        await next.close();
        assert.equal((await (await stores.ready()).outbox.count('node1')).waiting, left + 1);
      });
    }
  });

  it('tells each change of the state once', async () => {
    const store = stores.create();
    const told: string[] = [];
    const end = store.onState(({ status }) => void told.push(status));
    await store.open();
    await store.open();
    await store.close();
    await store.close();
    end();
    await store.open();
    assert.deepEqual(told, ['open', 'closed']);
  });

  it('keeps its log small, however much is written', async () => {
    const store = await stores.ready();
    for (let round = 0; round < 20; round += 1) {
      await store.outbox.put(Array.from({ length: 250 }, (_, n) => entry(`${round}-${n}`, { body: 'x'.repeat(4000) })));
    }
    assert.ok((await store.stats()).bytes > 20e6);
    assert.ok(statSync(`${stores.file}-wal`).size < 17 * 1024 * 1024, `${statSync(`${stores.file}-wal`).size}`);
  });
});
