import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../lib/clock';
import { TelephonyError } from '../../../lib/errors';
import { silentLog } from '../../../lib/log';
import type { RecordPayload } from '../../../lib/messages/types';
import { shareStore } from '../../../lib/store';
import type { StoreOptions } from '../../../lib/store';
import { storeError } from '../../../lib/store/errors';
import { Keeper, RECORDS } from '../../../lib/store/keeper';
import { Sqlite } from '../../../lib/store/sqlite';
import type { Store, StoreState } from '../../../lib/store/types';
import { WriteQueue } from '../../../lib/store/write-queue';
import { until } from '../../support/wait';
import { entry, record, TempStores } from './support/temp-store';

describe('store: several users of one file', () => {
  let stores: TempStores;
  beforeEach(() => (stores = new TempStores()));
  afterEach(() => stores.clean());

  const options = (file: string, days = 1): StoreOptions => ({
    file,
    clock: systemClock,
    log: silentLog,
    retention: { days, maxBytes: 1024 ** 3 },
  });

  it('share one store by the real path, until the last one leaves', async () => {
    symlinkSync(stores.folder, join(stores.folder, 'link'));
    const one = shareStore(options(stores.file));
    const two = shareStore(options(join(stores.folder, 'link', '..', 'link', 'test.sqlite'), 2));
    assert.equal(one.store, two.store);
    assert.deepEqual([one.hasOtherSettings, two.hasOtherSettings], [false, true]);
    await one.store.outbox.put([entry('a')]);
    await one.release();
    assert.equal(two.store.state.status, 'open');
    await two.release();
    assert.equal(two.store.state.status, 'closed');
    const three = shareStore(options(stores.file));
    assert.notEqual(three.store, two.store);
    assert.equal((await three.store.outbox.count('node1')).waiting, 1);
    await three.release();
  });
});

describe('store: writes of one moment', () => {
  const sql = (): Sqlite => {
    const opened = Sqlite.open(':memory:');
    opened.exec('CREATE TABLE t (x INTEGER UNIQUE)');
    return opened;
  };
  const insert = (x: number) => (db: Sqlite) => db.run('INSERT INTO t VALUES (?)', [x]);
  const rows = (db: Sqlite): unknown[] => db.all('SELECT x FROM t ORDER BY x').map(({ x }) => x);
  const unused = (): TelephonyError => storeError('STORE_IO', { file: 'f', reason: 'test' });

  it('do not take each other down: one that cannot be carried out is refused alone', async () => {
    const db = sql();
    const queue = new WriteQueue('f', () => db, unused);
    const results = await Promise.allSettled([
      queue.add(0, insert(1)),
      queue.add(0, insert(1)),
      queue.add(0, () => {
        throw storeError('STORE_OUTBOX_FULL', { file: 'f', limit: 1 });
      }),
      queue.add(0, insert(2)),
    ]);
    assert.deepEqual(
      results.map((each) => (each.status === 'fulfilled' ? 'ok' : (each.reason as TelephonyError).code)),
      ['ok', 'STORE_FAILED', 'STORE_OUTBOX_FULL', 'ok'],
    );
    assert.deepEqual(rows(db), [1, 2]);
    assert.ok((results[1] as PromiseRejectedResult).reason instanceof TelephonyError);
    db.close();
  });

  it('are all refused when the file fails', async () => {
    const db = sql();
    const fails: unknown[] = [];
    const queue = new WriteQueue(
      'f',
      () => db,
      (thrown) => {
        fails.push(thrown);
        return unused();
      },
    );
    const writes = [queue.add(0, insert(1)), queue.add(0, (each) => (each.close(), insert(2)(each)))];
    for (const write of writes) await assert.rejects(write, { code: 'STORE_IO' });
    assert.equal(fails.length, 1);
  });

  it('wait in bounded memory', async () => {
    const db = sql();
    const queue = new WriteQueue('f', () => db, unused);
    const mib = 1024 * 1024;
    const taken = [queue.add(40 * mib, insert(1)), queue.add(20 * mib, insert(2))];
    await assert.rejects(queue.add(10 * mib, insert(3)), { code: 'STORE_BUSY' });
    await Promise.all(taken);
    await queue.add(60 * mib, insert(4));
    assert.deepEqual(rows(db), [1, 2, 4]);
    db.close();
  });
});

describe('store: records of a PBX', () => {
  /** A store whose state and answers the test decides. */
  const fake = () => {
    const kept: string[] = [];
    const handlers: ((state: StoreState) => void)[] = [];
    const failed: StoreState = { status: 'failed', error: storeError('STORE_FULL', { file: 'f', reason: 'x' }) };
    const self = {
      state: { status: 'open' } as StoreState,
      calls: {
        put: (records: readonly RecordPayload[]): Promise<void> => {
          if (self.state.status === 'failed') return Promise.reject(self.state.error);
          const bad = records.find(({ callId }) => callId.startsWith('bad'));
          if (bad?.callId === 'bad code') return Promise.reject(new TypeError('a mistake of ours'));
          if (bad) return Promise.reject(storeError('STORE_BAD_VALUE', { what: 'callId' }));
          kept.push(...records.map(({ callId }) => callId));
          return Promise.resolve();
        },
      },
      onState: (handler: (state: StoreState) => void) => {
        handlers.push(handler);
        return () => undefined;
      },
    };
    const become = (state: StoreState): void => {
      self.state = state;
      for (const handler of handlers) handler(state);
    };
    return { store: self as unknown as Store, kept, become, failed };
  };

  it('are held while the store cannot take them, and one that is wrong stops no other', async () => {
    const { store, kept, become, failed } = fake();
    const told: string[] = [];
    const keeper = new Keeper(store, RECORDS, (error) => void told.push(error.code));
    keeper.keep(record('1'));
    await until(() => kept.length === 1, 'the first');
    become(failed);
    for (const id of ['2', 'bad', 'bad code', '3']) keeper.keep(record(id));
    become({ status: 'open' });
    await until(() => kept.length === 3, 'those that were held');
    assert.deepEqual(
      [kept, told],
      [
        ['1', '2', '3'],
        ['STORE_BAD_VALUE', 'STORE_BAD_VALUE'],
      ],
    );
    keeper.keep(record('4'));
    await keeper.close();
    assert.deepEqual(kept, ['1', '2', '3', '4']);
  });

  it('are on disk when it is closed, each written once, also those that come during a write', async () => {
    const { store, kept } = fake();
    const put = store.calls.put.bind(store.calls);
    const writes: (() => void)[] = [];
    store.calls.put = async (records) => {
      await new Promise<void>((resolve) => writes.push(resolve));
      await put(records);
    };
    const keeper = new Keeper(store, RECORDS, () => undefined);
    keeper.keep(record('1'));
    keeper.keep(record('2'));
    let isClosed = false;
    const closing = keeper.close().then(() => (isClosed = true));
    for (const n of [1, 2]) {
      await until(() => writes.length === n, 'the write');
      await new Promise(setImmediate);
      assert.equal(isClosed, false);
      writes[n - 1]?.();
    }
    await closing;
    assert.deepEqual([kept, writes.length], [['1', '2'], 2]);
  });

  it('are reported as lost when the store cannot take them to the end', async () => {
    const { store, become, failed } = fake();
    const told: TelephonyError[] = [];
    const keeper = new Keeper(store, RECORDS, (error) => void told.push(error));
    become(failed);
    keeper.keep(record('1'));
    keeper.keep(record('2'));
    await keeper.close();
    assert.deepEqual([told.length, told[0]?.code], [1, 'STORE_RECORDS_LOST']);
    assert.match(told[0]?.message ?? '', /^2 records of calls are missing/);
  });

  it('are held up to a bound, the newest', async () => {
    const { store, kept, become, failed } = fake();
    const told: string[] = [];
    const keeper = new Keeper(store, RECORDS, ({ code, params }) => void told.push(`${code} ${params.count}`));
    become(failed);
    for (let n = 0; n < 5010; n += 1) keeper.keep(record(String(n)));
    become({ status: 'open' });
    await until(() => kept.length >= 5000, 'those that were held');
    await keeper.close();
    assert.deepEqual([kept[0], told], ['10', ['STORE_RECORDS_LOST 10']]);
  });
});
