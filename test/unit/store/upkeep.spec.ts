import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { untilNext } from '../../../lib/store/backup';
import type { QueueFact } from '../../../lib/store/types';
import { FakeClock } from '../../support/fake-clock';
import { until } from '../../support/wait';
import { entry, noteOf, record, TempStores } from './support/temp-store';

const DAY = 24 * 60 * 60 * 1000;
const TIDY_EVERY = 10 * 60 * 1000;

describe('store: retention', () => {
  let stores: TempStores;
  beforeEach(() => (stores = new TempStores()));
  afterEach(() => stores.clean());

  it('deletes calls by age, and nothing else', async () => {
    const clock = new FakeClock();
    const store = await stores.ready({ clock, retention: { days: 30, maxBytes: 1024 ** 4 } });
    const startedAt = (daysAgo: number): string => new Date(clock.now() - daysAgo * DAY).toISOString();
    await store.calls.put([
      ...Array.from({ length: 500 }, (_, n) => record(`old${n}`, { startedAt: startedAt(31 + n / 100) })),
      record('young', { startedAt: startedAt(29) }),
    ]);
    await store.outbox.put([entry('waits for long', { acceptedAt: clock.now() - 400 * DAY })]);
    clock.advance(TIDY_EVERY);
    await until(async () => (await store.stats()).calls === 1, 'the old calls to go');
    assert.equal((await store.calls.find({ limit: 10, numbers: ['84951234567'] })).total, 1);
    assert.equal((await store.outbox.count('node1')).waiting, 1);
  });

  it('keeps the statistics of queues as long as the calls', async () => {
    const clock = new FakeClock();
    const store = await stores.ready({ clock, retention: { days: 30, maxBytes: 1024 ** 4 } });
    const fact = (eventId: string, daysAgo: number): QueueFact => ({
      eventId,
      pbx: 'Office',
      kind: 'stay',
      at: clock.now() - daysAgo * DAY,
      outcome: 'answered',
      queue: 'sales',
      seconds: 1,
    });
    await store.queueFacts.put([
      ...Array.from({ length: 500 }, (_, n) => fact(`old${n}`, 31)),
      { ...fact('state', 31), kind: 'state', outcome: 'login', agent: '101' },
      fact('young', 29),
    ]);
    const left = async (kind: 'stay' | 'state') =>
      (await store.queueFacts.read({ kind, from: 0, to: clock.now() + DAY })).rows.length;
    clock.advance(TIDY_EVERY);
    await until(async () => (await left('stay')) === 1 && (await left('state')) === 0, 'the old facts to go');
  });

  it('harms nothing when the clock is set back', async () => {
    const clock = new FakeClock();
    const store = await stores.ready({ clock, retention: { days: 1, maxBytes: 1024 ** 4 } });
    await store.calls.put([record('a', { startedAt: new Date(clock.now()).toISOString() })]);
    clock.jumpWall(-3_600_000);
    await store.memos.set('s', 'k', 'v', 1000);
    clock.advance(TIDY_EVERY);
    await until(async () => (await store.memos.get('s', 'k')) === undefined, 'the memo to expire');
    assert.equal((await store.stats()).calls, 1);
  });

  it('deletes nothing for its age by a clock that has just jumped', async () => {
    const clock = new FakeClock();
    const store = await stores.ready({ clock, retention: { days: 30, maxBytes: 1024 ** 4 } });
    const startedAt = (daysAgo: number): string => new Date(clock.now() - daysAgo * DAY).toISOString();
    await store.calls.put([record('young', { startedAt: startedAt(1) }), record('old', { startedAt: startedAt(31) })]);
    await store.outbox.put([entry('a')]);
    const [delivered] = await store.outbox.waiting('node1', 1);
    await store.outbox.done([delivered!.id]);
    clock.jumpWall(400 * DAY);
    await clock.advanceAsync(TIDY_EVERY);
    clock.jumpWall(-400 * DAY);
    await clock.advanceAsync(DAY - 2 * TIDY_EVERY);
    assert.equal((await store.stats()).calls, 2);
    await until(async () => {
      await clock.advanceAsync(TIDY_EVERY);
      return (await store.stats()).calls === 1;
    }, 'the old call to go when the clock has gone on for a day');
    assert.deepEqual(await store.outbox.put([entry('a')]), { known: ['a'] });
  });

  it('deletes the oldest calls above the size, gives the room back, and never what waits', async () => {
    const clock = new FakeClock();
    const maxBytes = 4 * 1024 * 1024;
    const store = await stores.ready({ clock, retention: { days: 0, maxBytes } });
    const variables = { note: 'x'.repeat(5000) };
    await store.calls.put(
      Array.from({ length: 2000 }, (_, n) =>
        record(`c${n}`, { variables, startedAt: new Date(n * 1000).toISOString() }),
      ),
    );
    await store.outbox.put([entry('waits')]);
    await store.close();
    const before = statSync(stores.file).size;
    await store.open();
    clock.advance(TIDY_EVERY);
    await until(async () => (await store.stats()).calls < 800, 'calls to go');
    const left = (await store.stats()).calls;
    assert.ok(left > 200, `${left}`);
    assert.equal((await store.calls.find({ limit: 1, sort: 'startedAt' })).calls[0]?.callId, `c${2000 - left}`);
    await store.close();
    assert.ok(statSync(stores.file).size < before / 2, `${statSync(stores.file).size} of ${before}`);
    await store.open();
    assert.equal((await store.outbox.count('node1')).waiting, 1);

    // Nothing but what waits: that is told, and kept.
    await store.outbox.put(Array.from({ length: 300 }, (_, n) => entry(`big${n}`, { body: 'x'.repeat(20_000) })));
    clock.advance(TIDY_EVERY);
    await until(() => noteOf(store)?.code === 'STORE_OVER_SIZE', 'the note');
    assert.deepEqual(await store.outbox.count('node1'), { waiting: 301, dead: 0, oldestAt: 1000 });
    const ids = (await store.outbox.waiting('node1', 500)).map(({ id }) => id);
    await store.outbox.done(ids);
    clock.advance(TIDY_EVERY);
    await until(() => noteOf(store) === undefined, 'the note to go');
  });

  it('forgets delivered events after a week', async () => {
    const clock = new FakeClock();
    const { outbox } = await stores.ready({ clock });
    await outbox.put([entry('a'), entry('b')]);
    const [a, b] = await outbox.waiting('node1', 2);
    await outbox.done([a!.id]);
    await clock.advanceAsync(6 * DAY);
    await outbox.done([b!.id]);
    await clock.advanceAsync(DAY);
    await until(async () => {
      // A round that is still under way lets the next one pass.
      clock.advance(TIDY_EVERY);
      return (await outbox.put([entry('a')])).known.length === 0;
    }, 'the event to be forgotten');
    assert.deepEqual(await outbox.put([entry('b')]), { known: ['b'] });
  });
});

describe('store: backups', () => {
  let stores: TempStores;
  beforeEach(() => (stores = new TempStores()));
  afterEach(() => stores.clean());

  it('are whole copies made while others write', async () => {
    const store = await stores.ready();
    await store.outbox.put(Array.from({ length: 3000 }, (_, n) => entry(`e${n}`, { body: 'x'.repeat(2000) })));
    const copying = { isOver: false };
    const writing = (async () => {
      let n = 0;
      while (!copying.isOver) await store.outbox.put([entry(`during${n++}`)]);
      return n;
    })();
    const path = await store.backup('backups/copy.sqlite');
    copying.isOver = true;
    const during = await writing;
    assert.equal((await store.outbox.count('node1')).waiting, 3000 + during);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const copy = await stores.ready({ file: path });
    const { waiting } = await copy.outbox.count('node1');
    assert.ok(waiting >= 3000 && waiting <= 3000 + during, `${waiting}`);
    assert.equal(noteOf(copy), undefined);
  });

  it('never go over an existing file, nor out of the folder', async () => {
    const store = await stores.ready();
    writeFileSync(join(stores.folder, 'mine.sqlite'), 'mine');
    await assert.rejects(store.backup('mine.sqlite'), { code: 'STORE_BACKUP_EXISTS' });
    await assert.rejects(store.backup('../out.sqlite'), { code: 'STORE_BAD_PATH' });
    await assert.rejects(store.backup('/tmp/out.sqlite'), { code: 'STORE_BAD_PATH' });
    symlinkSync('/tmp', join(stores.folder, 'link'));
    await assert.rejects(store.backup('link/out.sqlite'), { code: 'STORE_BAD_PATH' });
    await assert.rejects(store.backup('mine.sqlite/x'), { code: 'STORE_BACKUP_FAILED' });
    const [one, two] = await Promise.allSettled([store.backup('a.sqlite'), store.backup('a.sqlite')]);
    assert.deepEqual([one.status, two.status], ['fulfilled', 'rejected']);
    assert.deepEqual(
      readdirSync(stores.folder).filter((name) => name.endsWith('.part')),
      [],
    );
  });

  it('are made every day, and the last ones are kept', async () => {
    const clock = new FakeClock(new Date(2026, 0, 10, 2, 0).getTime());
    const folder = join(stores.folder, 'backups');
    mkdirSync(folder);
    writeFileSync(join(folder, 'test-mine.sqlite'), 'not of the plan');
    const store = await stores.ready({ clock, backup: { at: '03:30', keep: 2 } });
    for (let day = 10; day <= 13; day += 1) {
      clock.advance(day === 10 ? 90 * 60 * 1000 : DAY);
      await until(() => existsSync(join(folder, `test-2026-01-${day}T03-30-00.sqlite`)), `the copy of day ${day}`);
    }
    const expected = ['test-2026-01-12T03-30-00.sqlite', 'test-2026-01-13T03-30-00.sqlite', 'test-mine.sqlite'];
    await until(() => readdirSync(folder).length === 3, 'the old ones to go');
    assert.deepEqual(readdirSync(folder).sort(), expected);
    await store.close();
    assert.equal(clock.running, 0);
  });

  it('know the next time of the day', () => {
    const at = (hours: number, minutes: number): number => new Date(2026, 5, 10, hours, minutes).getTime();
    assert.equal(untilNext('03:30', at(3, 0)), 30 * 60 * 1000);
    assert.equal(untilNext('03:30', at(3, 30)), DAY);
    assert.equal(untilNext('3:30', at(4, 30)), 23 * 60 * 60 * 1000);
  });
});
