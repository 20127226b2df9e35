import assert from 'node:assert/strict';
import type { Access } from '../../../lib/store/access';
import { OutboxRows } from '../../../lib/store/outbox';
import { Sqlite } from '../../../lib/store/sqlite';
import { FakeClock } from '../../support/fake-clock';
import { entry, TempStores } from './support/temp-store';

const failure = (text: string) => ({ code: 'CRM_REFUSED', text: { en: text, ru: text }, at: 5 });
const idsOf = (items: readonly { readonly eventId: string }[]) => items.map(({ eventId }) => eventId);

describe('store: outbox', () => {
  let stores: TempStores;
  beforeEach(() => (stores = new TempStores()));
  afterEach(() => stores.clean());

  it('gives back what waits, in the order of acceptance, page by page', async () => {
    const { outbox } = await stores.ready();
    await outbox.put([entry('a'), entry('b', { orderKey: 'call2' })]);
    await Promise.all([outbox.put([entry('c')]), outbox.put([entry('x', { queue: 'node2' })])]);
    const first = await outbox.waiting('node1', 2);
    assert.deepEqual(idsOf(first), ['a', 'b']);
    assert.deepEqual(first[1], {
      ...entry('b', { orderKey: 'call2' }),
      id: first[1]!.id,
      attempts: 0,
      notBefore: 0,
    });
    assert.deepEqual(idsOf(await outbox.waiting('node1', 2, first[1].id)), ['c']);
    assert.deepEqual(idsOf(await outbox.waiting('node2', 10)), ['x']);
  });

  it('keeps the order when the clock is set back', async () => {
    const clock = new FakeClock();
    const { outbox } = await stores.ready({ clock });
    await outbox.put([entry('a', { acceptedAt: clock.now() })]);
    clock.jumpWall(-3_600_000);
    await outbox.put([entry('b', { acceptedAt: clock.now() })]);
    assert.deepEqual(idsOf(await outbox.waiting('node1', 10)), ['a', 'b']);
  });

  it('takes an event once, whether it waits, was delivered, was given up or was dropped', async () => {
    const { outbox } = await stores.ready();
    const all = ['waits', 'delivered', 'dead', 'dropped'].map((id) => entry(id));
    assert.deepEqual(await outbox.put([...all, entry('waits')]), { known: ['waits'] });
    const [, delivered, dead, dropped] = await outbox.waiting('node1', 10);
    await outbox.done([delivered!.id]);
    await outbox.giveUp(dropped!.id, failure('no'));
    await outbox.drop('node1');
    await outbox.giveUp(dead!.id, failure('no'));
    assert.deepEqual([...(await outbox.put(all)).known].sort(), ['dead', 'delivered', 'dropped', 'waits']);
    // Another node delivers the same event too.
    assert.deepEqual(await outbox.put([entry('waits', { queue: 'node2' })]), { known: [] });
    assert.deepEqual(idsOf(await outbox.waiting('node1', 10)), ['waits']);
  });

  it('knows a delivered event after a restart', async () => {
    const before = await stores.ready();
    await before.outbox.put([entry('a')]);
    await before.outbox.done([(await before.outbox.waiting('node1', 1))[0]!.id]);
    await before.close();
    const { outbox } = await stores.ready();
    assert.deepEqual(await outbox.put([entry('a')]), { known: ['a'] });
  });

  it('counts tries and keeps the last error', async () => {
    const { outbox } = await stores.ready();
    await outbox.put([entry('a')]);
    const [{ id } = { id: 0 }] = await outbox.waiting('node1', 1);
    await outbox.failed(id, failure('first'), 100);
    await outbox.failed(id, failure('second'), 200);
    const [item] = await outbox.waiting('node1', 1);
    assert.deepEqual([item?.attempts, item?.notBefore, item?.lastError], [2, 200, failure('second')]);
  });

  it('reads what an older version kept of an error: English alone', async () => {
    const before = await stores.ready();
    await before.outbox.put([entry('a')]);
    await before.outbox.giveUp((await before.outbox.waiting('node1', 1))[0]!.id, failure('new'));
    await before.close();
    const sql = Sqlite.open(stores.file);
    sql.value('PRAGMA locking_mode = EXCLUSIVE');
    sql.run('UPDATE outbox SET error = ?', [JSON.stringify({ code: 'CRM_REFUSED', text: 'no such client', at: 5 })]);
    sql.close();
    const { outbox } = await stores.ready();
    assert.deepEqual((await outbox.dead('node1', 1))[0]?.lastError, failure('no such client'));
  });

  it('gives up, revives with age and tries begun anew, and drops', async () => {
    const clock = new FakeClock();
    const { outbox } = await stores.ready({ clock });
    await outbox.put(['a', 'b', 'c', 'd'].map((id) => entry(id)));
    const ids = (await outbox.waiting('node1', 10)).map(({ id }) => id);
    for (const id of ids.slice(0, 3)) await outbox.giveUp(id, failure('no'));
    assert.deepEqual(await outbox.count('node1'), { waiting: 1, dead: 3, oldestAt: 1000 });
    const [dead] = await outbox.dead('node1', 1);
    assert.deepEqual(
      [dead?.eventId, dead?.attempts, dead?.diedAt, dead?.lastError],
      ['a', 1, clock.now(), failure('no')],
    );
    assert.equal(await outbox.revive('node1', [ids[1]!, ids[3]!, 999]), 1);
    const [revived] = await outbox.waiting('node1', 1);
    assert.deepEqual([revived?.eventId, revived?.attempts, revived?.acceptedAt], ['b', 0, clock.now()]);
    assert.equal(revived?.lastError, undefined);
    assert.equal(await outbox.drop('node1', [ids[0]!]), 1);
    assert.equal(await outbox.revive('node1'), 1);
    assert.deepEqual(idsOf(await outbox.waiting('node1', 10)), ['b', 'c', 'd']);
    assert.equal((await outbox.count('node1')).dead, 0);
  });

  it('revives thousands without holding the loop', async () => {
    const { outbox } = await stores.ready();
    await outbox.put(Array.from({ length: 2000 }, (_, n) => entry(`e${n}`)));
    const items = await outbox.waiting('node1', 2000);
    await Promise.all(items.map(({ id }) => outbox.giveUp(id, failure('no'))));
    assert.equal(await outbox.revive('node1'), 2000);
    assert.deepEqual(await outbox.count('node1'), {
      waiting: 2000,
      dead: 0,
      oldestAt: (await outbox.waiting('node1', 1))[0]?.acceptedAt ?? 0,
    });
  });

  it('names the queues that hold something', async () => {
    const { outbox } = await stores.ready();
    assert.deepEqual(await outbox.queues(), []);
    await outbox.put(['waits', 'dead', 'both', 'empty'].map((queue) => entry('a', { queue })));
    await outbox.put([entry('b', { queue: 'both' })]);
    const first = async (queue: string) => (await outbox.waiting(queue, 1))[0]!.id;
    await outbox.done([await first('empty')]);
    for (const queue of ['dead', 'both']) await outbox.giveUp(await first(queue), failure('no'));
    assert.deepEqual((await outbox.queues()).sort(), ['both', 'dead', 'waits']);
  });

  it('moves a queue to another: in its order, age and tries of what waits begun anew, what is dead left dead', async () => {
    const clock = new FakeClock();
    const { outbox } = await stores.ready({ clock });
    await outbox.put(['a', 'b', 'c'].map((id) => entry(id, { queue: 'gone' })));
    await outbox.put([entry('d'), entry('x', { queue: 'node2' })]);
    const [a, b] = await outbox.waiting('gone', 10);
    await outbox.failed(a!.id, failure('later'), 1e15);
    await outbox.giveUp(b!.id, failure('no'));
    assert.equal(await outbox.adopt('gone', 'node1'), 3);
    const waiting = await outbox.waiting('node1', 10);
    assert.deepEqual(idsOf(waiting), ['a', 'c', 'd']);
    assert.deepEqual(
      [waiting[0]?.attempts, waiting[0]?.notBefore, waiting[0]?.acceptedAt, waiting[0]?.lastError],
      [0, 0, clock.now(), undefined],
    );
    const [dead] = await outbox.dead('node1', 10);
    assert.deepEqual([dead?.eventId, dead?.attempts, dead?.lastError], ['b', 1, failure('no')]);
    assert.deepEqual((await outbox.queues()).sort(), ['node1', 'node2']);
    assert.equal(await outbox.adopt('gone', 'node1'), 0);
    assert.equal(await outbox.adopt('node1', 'node1'), 0);
  });

  it('moves no event that the other queue knows, be it waiting, dead or delivered', async () => {
    const { outbox } = await stores.ready();
    const all = ['waiting', 'dead', 'delivered', 'new'];
    await outbox.put(all.map((id) => entry(id, { queue: 'gone', body: '{"from":"gone"}' })));
    await outbox.put(all.slice(0, 3).map((id) => entry(id)));
    const [, dead, delivered] = await outbox.waiting('node1', 10);
    await outbox.giveUp(dead!.id, failure('no'));
    await outbox.done([delivered!.id]);
    assert.equal(await outbox.adopt('gone', 'node1'), 1);
    assert.deepEqual(await outbox.count('gone'), { waiting: 0, dead: 0 });
    assert.deepEqual(
      (await outbox.waiting('node1', 10)).map(({ eventId, body }) => [eventId, body]),
      [
        ['new', '{"from":"gone"}'],
        ['waiting', '{"eventId":"waiting"}'],
      ],
    );
    assert.deepEqual(idsOf(await outbox.dead('node1', 10)), ['dead']);
  });

  it('moves thousands, and counts those that it forgot', async () => {
    const { outbox } = await stores.ready();
    const access = (outbox as unknown as { readonly access: Access }).access;
    const small = new OutboxRows(access, 2000);
    await small.put(Array.from({ length: 1000 }, (_, n) => entry(`e${n}`, { queue: 'gone' })));
    await small.put(Array.from({ length: 1000 }, (_, n) => entry(`e${n}`)));
    await assert.rejects(small.put([entry('more')]), { code: 'STORE_OUTBOX_FULL' });
    assert.equal(await small.adopt('gone', 'node1'), 0);
    await small.put(Array.from({ length: 1000 }, (_, n) => entry(`more${n}`, { queue: 'gone' })));
    await assert.rejects(small.put([entry('more')]), { code: 'STORE_OUTBOX_FULL' });
    assert.equal(await small.adopt('gone', 'node1'), 1000);
    assert.equal((await small.count('node1')).waiting, 2000);
  });

  it('refuses what it could not give back as it was', async () => {
    const { outbox } = await stores.ready();
    await assert.rejects(outbox.put([entry('a'), entry('b', { body: 'я'.repeat(140_000) })]), {
      code: 'STORE_TOO_LARGE',
    });
    await assert.rejects(outbox.put([entry('a\0b')]), { code: 'STORE_BAD_VALUE' });
    await assert.rejects(outbox.put([entry('')]), { code: 'STORE_BAD_VALUE' });
    assert.deepEqual(await outbox.waiting('node1', 10), []);
    const body = JSON.stringify({ text: 'Ж"\\\u0000 🙂 \r\n' });
    await outbox.put([entry('odd', { body })]);
    assert.equal((await outbox.waiting('node1', 1))[0]?.body, body);
  });
});
