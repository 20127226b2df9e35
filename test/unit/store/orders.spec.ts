import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Orders } from '../../../lib/store/orders';
import { migrate, SCHEMA_VERSION } from '../../../lib/store/schema';
import { Sqlite } from '../../../lib/store/sqlite';
import type { NewOrder, OrderTable, StoredOrder } from '../../../lib/store/types';
import { FakeClock } from '../../support/fake-clock';
import { until } from '../../support/wait';
import { entry, TempStores } from './support/temp-store';

const order = (more: Partial<NewOrder> = {}): NewOrder => ({
  queue: 'node1',
  priority: 5,
  queuedAt: 1000,
  notBefore: 1000,
  expiresAt: 9000,
  body: '{}',
  ...more,
});
const many = (count: number, more: (n: number) => Partial<NewOrder> = () => ({})): NewOrder[] =>
  Array.from({ length: count }, (_, n) => order({ body: `${n}`, ...more(n) }));
const idsOf = (orders: readonly { readonly id: number }[]): number[] => orders.map(({ id }) => id);
const put = async (orders: OrderTable, ...list: readonly NewOrder[]): Promise<number[]> =>
  idsOf(await orders.put(list));

describe('store: orders', () => {
  let stores: TempStores;
  beforeEach(() => (stores = new TempStores()));
  afterEach(() => stores.clean());

  /** Changes the closed file behind the back of the store. */
  const inFile = (sql: string): void => {
    const file = Sqlite.open(stores.file);
    file.all('PRAGMA locking_mode = EXCLUSIVE');
    file.exec(sql);
    file.close();
  };

  it('gives back an order as it was put, over a restart', async () => {
    const before = await stores.ready();
    const whole = order({ key: 'k', body: JSON.stringify({ number: '+7495"\\ 🙂\r\n' }) });
    const [{ id, isNew } = { id: 0, isNew: false }] = await before.orders.put([whole]);
    assert.ok(isNew);
    await before.close();
    const { orders } = await stores.ready();
    const expected: StoredOrder = { ...whole, id, state: 'waiting', tries: 0 };
    assert.deepEqual(await orders.get(id), expected);
    assert.deepEqual(await orders.byKey('node1', 'k'), expected);
    assert.deepEqual(await orders.due('node1', 1000, 10), [expected]);
    assert.equal(await orders.get(id + 1), undefined);
    assert.equal(await orders.byKey('node2', 'k'), undefined);
  });

  it('takes an order with a key once in a queue: in one put, in two of one moment, waiting, in the air, over or told', async () => {
    const { orders } = await stores.ready();
    const first = await orders.put([order({ key: 'a' }), order(), order({ key: 'a', body: 'other' }), order()]);
    assert.deepEqual(
      first.map(({ isNew }) => isNew),
      [true, true, false, true],
    );
    const id = first[0]!.id;
    assert.equal(first[2]?.id, id);
    const known = { id, isNew: false };
    const again = () => orders.put([order({ key: 'a' })]).then(([found]) => found);
    assert.deepEqual(await Promise.all([again(), again()]), [known, known]);
    await orders.begin(id, 1);
    assert.deepEqual(await again(), known);
    await orders.finish(id, 'x', 2);
    assert.deepEqual(await again(), known);
    await orders.told([id]);
    assert.deepEqual(await again(), known);
    assert.equal((await orders.put([order({ key: 'a', queue: 'node2' })]))[0]?.isNew, true);
    assert.equal((await orders.get(id))?.body, '{}');
  });

  it('numbers its orders upwards and never twice, not even after the last one is forgotten', async () => {
    const clock = new FakeClock();
    const { orders } = await stores.ready({ clock });
    const ids = await put(orders, ...many(500));
    assert.deepEqual(
      ids,
      [...new Set(ids)].sort((one, other) => one - other),
    );
    const last = ids.at(-1)!;
    await orders.finish(last, 'x', clock.now() - 40 * DAY);
    await orders.told([last]);
    clock.advance(TIDY_EVERY);
    await until(async () => (await orders.get(last)) === undefined, 'the order to be forgotten');
    assert.ok((await put(orders, order()))[0]! > last);
  });

  it('refuses an order that it has no number for, and takes nothing of that put', async () => {
    const before = await stores.ready();
    await before.orders.put([order()]);
    await before.close();
    inFile(`UPDATE sqlite_sequence SET seq = ${2 ** 32 - 3} WHERE name = 'orders'`);
    const { orders, state } = await stores.ready();
    assert.deepEqual(await put(orders, order()), [2 ** 32 - 2]);
    const results = await Promise.allSettled([orders.put(many(2)), orders.setPaused('node1', true)]);
    assert.equal(results[0].status === 'rejected' && (results[0].reason as { code: string }).code, 'STORE_ORDERS_FULL');
    assert.equal(results[1].status, 'fulfilled');
    assert.deepEqual(await put(orders, order()), [2 ** 32 - 1]);
    await assert.rejects(orders.put([order()]), { code: 'STORE_ORDERS_FULL' });
    assert.equal((await orders.get(2 ** 32 - 1))?.id, 2 ** 32 - 1);
    assert.equal((await orders.count('node1')).waiting, 3);
    assert.equal(state.status, 'open');
  });

  it('refuses what it could not give back as it was', async () => {
    const { orders } = await stores.ready();
    const wrong: [Partial<NewOrder>, string][] = [
      [{ body: 'я'.repeat(40_000) }, 'STORE_TOO_LARGE'],
      [{ body: 'a\0b' }, 'STORE_BAD_VALUE'],
      [{ key: '' }, 'STORE_BAD_VALUE'],
      [{ key: 'a\0b' }, 'STORE_BAD_VALUE'],
      [{ key: 'x'.repeat(600) }, 'STORE_BAD_VALUE'],
      [{ queue: '' }, 'STORE_BAD_VALUE'],
      [{ priority: 1.5 }, 'STORE_BAD_VALUE'],
      [{ notBefore: NaN }, 'STORE_BAD_VALUE'],
      [{ expiresAt: Infinity }, 'STORE_BAD_VALUE'],
    ];
    for (const [more, code] of wrong) await assert.rejects(orders.put([order(), order(more)]), { code });
    const [id = 0] = await put(orders, order());
    assert.deepEqual(await orders.count('node1'), { waiting: 1, inAir: 0 });
    await orders.begin(id, 1);
    await assert.rejects(orders.again(id, 1, 'x'.repeat(9000)), { code: 'STORE_TOO_LARGE' });
    await assert.rejects(orders.finish(id, 'x'.repeat(17_000), 1), { code: 'STORE_TOO_LARGE' });
    assert.equal((await orders.get(id))?.state, 'in-air');
  });

  describe('what is due', () => {
    it('comes by priority, then by age, and not before its time', async () => {
      const { orders } = await stores.ready();
      const [low, late, high, second, other] = await put(
        orders,
        order({ priority: 0 }),
        order({ notBefore: 1001 }),
        order({ priority: 9 }),
        order({ notBefore: 500 }),
        order({ queue: 'node2' }),
      );
      assert.deepEqual(idsOf(await orders.due('node1', 1000, 10)), [high, second, low]);
      assert.deepEqual(idsOf(await orders.due('node1', 1001, 10)), [high, late, second, low]);
      assert.deepEqual(idsOf(await orders.due('node1', 1001, 2)), [high, late]);
      assert.deepEqual(idsOf(await orders.due('node1', 1001, 2, new Set([high!, second!]))), [late, low]);
      assert.deepEqual(idsOf(await orders.due('node2', 1000, 10)), [other]);
      assert.deepEqual(await orders.due('node1', 499, 10), []);
    });

    it('is the same as of a plain list, whatever happened to the orders before', async function () {
      this.timeout(60_000);
      const { orders } = await stores.ready();
      const priorities = fc.integer({ min: 0, max: 9 });
      const times = fc.integer({ min: 0, max: 20 });
      let queues = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ priority: priorities, notBefore: times, expiresAt: times }), { maxLength: 12 }),
          fc.array(fc.tuple(fc.nat(11), fc.constantFrom('begin', 'again', 'postpone', 'finish'), times), {
            maxLength: 30,
          }),
          async (added, steps) => {
            const queue = `queue${(queues += 1)}`;
            const ids = await put(orders, ...added.map((each) => order({ queue, ...each })));
            const model = added.map((each, n) => ({ ...each, id: ids[n]!, state: 'waiting', tries: 0 }));
            for (const [n, step, at] of steps) {
              const one = model[n];
              if (!one) continue;
              if (step === 'begin') {
                assert.equal(await orders.begin(one.id, at), one.state === 'waiting');
                if (one.state === 'waiting') Object.assign(one, { state: 'in-air', tries: one.tries + 1 });
              } else if (step === 'again') {
                await orders.again(one.id, at, 'notes');
                if (one.state === 'in-air') Object.assign(one, { state: 'waiting', notBefore: at });
              } else if (step === 'postpone') {
                await orders.postpone(one.id, at);
                if (one.state === 'waiting') one.notBefore = at;
              } else {
                assert.equal(await orders.finish(one.id, 'done', at), one.state !== 'over');
                one.state = 'over';
              }
            }
            const waiting = model.filter(({ state }) => state === 'waiting');
            for (const now of [0, 10, 20]) {
              const due = waiting
                .filter(({ notBefore }) => notBefore <= now)
                .sort((one, other) => other.priority - one.priority || one.id - other.id);
              assert.deepEqual(idsOf(await orders.due(queue, now, 50)), idsOf(due));
              const expired = waiting
                .filter(({ expiresAt }) => expiresAt <= now)
                .sort((one, other) => one.expiresAt - other.expiresAt || one.id - other.id);
              assert.deepEqual(idsOf(await orders.expired(queue, now, 50)), idsOf(expired));
            }
            const moments = waiting.flatMap(({ notBefore, expiresAt }) => [notBefore, expiresAt]);
            assert.equal(await orders.nextAt(queue), moments.length > 0 ? Math.min(...moments) : undefined);
            assert.deepEqual(idsOf(await orders.waiting(queue, 50)), idsOf(waiting));
            const inAir = model.filter(({ state }) => state === 'in-air');
            assert.deepEqual(await orders.count(queue), { waiting: waiting.length, inAir: inAir.length });
            assert.deepEqual(idsOf(await orders.inAir(queue)), idsOf(inAir));
            assert.deepEqual(
              (await orders.inAir(queue)).map(({ tries }) => tries),
              inAir.map(({ tries }) => tries),
            );
            assert.deepEqual(
              idsOf(await orders.untold(queue, 50)),
              idsOf(model.filter(({ state }) => state === 'over')),
            );
          },
        ),
        { numRuns: 60 },
      );
    });

    it('is found among a hundred thousand, by day when all are due and by night when few are', async function () {
      this.timeout(120_000);
      const { orders } = await stores.ready();
      const count = 100_000;
      // Every other one in the morning; the last but nine at once, and with the least priority.
      const added = many(count, (n) => ({
        priority: n % 10,
        notBefore: n >= count - 20 && n % 10 === 0 ? 1000 : n % 2 === 0 ? 8000 : 5000,
      }));
      const ids = await put(orders, ...added);
      assert.equal(new Set(ids).size, count);
      assert.deepEqual(await orders.count('node1'), { waiting: count, inAir: 0 });

      const byNight = await orders.due('node1', 1000, 10);
      assert.deepEqual(idsOf(byNight), [ids[count - 20], ids[count - 10]]);
      assert.equal(await orders.nextAt('node1'), 1000);
      const nines = ids.filter((_, n) => n % 10 === 9);
      assert.deepEqual(idsOf(await orders.due('node1', 5000, 300)), nines.slice(0, 300));
      const taken = new Set(nines.slice(0, 300));
      assert.deepEqual(idsOf(await orders.due('node1', 8000, 300, taken)), nines.slice(300, 600));

      // Page by page, everything once.
      let pages = 0;
      let seen = 0;
      for (let after = 0; ; pages += 1) {
        const page = await orders.waiting('node1', 1000, after);
        if (page.length === 0) break;
        assert.ok(page[0]!.id > after);
        seen += page.length;
        after = page.at(-1)!.id;
      }
      assert.deepEqual([pages, seen], [100, count]);
    });

    it('is looked for without going through all that wait, nor through all that are over', async () => {
      const sql = Sqlite.open(':memory:');
      migrate(sql);
      const plans: string[] = [];
      const explained = new Proxy(sql, {
        get: (_, method: 'all' | 'value') => (text: string, values?: (string | number)[]) => {
          plans.push(...sql.all(`EXPLAIN QUERY PLAN ${text}`, values).map(({ detail }) => String(detail)));
          return sql[method](text, values);
        },
      });
      const read = <T>(work: (sql: Sqlite) => T): Promise<T> => Promise.resolve(work(explained));
      const orders = new Orders({
        file: '',
        read,
        write: (_, work) => read(work),
        count: (_, __, work) => read(work),
        now: () => 0,
      });
      await orders.due('q', 1, 1);
      await orders.expired('q', 1, 1);
      await orders.nextAt('q');
      await orders.untold('q', 1);
      await orders.inAir('q');
      await orders.waiting('q', 1);
      await orders.count('q');
      await orders.byKey('q', 'k');
      sql.close();
      assert.ok(plans.length >= 9, plans.join('\n'));
      assert.deepEqual(
        plans.filter((plan) => /^SCAN (?!\(subquery)/.test(plan)),
        [],
      );
    });
  });

  describe('the life of an order', () => {
    it('counts tries that were dialled, and keeps what was noted of them', async () => {
      const { orders } = await stores.ready();
      const [id = 0] = await put(orders, order());
      assert.equal(await orders.begin(id, 2000), true);
      assert.equal(await orders.begin(id, 2001), false);
      const inAir = await orders.get(id);
      assert.deepEqual([inAir?.state, inAir?.tries, inAir?.startedAt], ['in-air', 1, 2000]);
      assert.deepEqual(await orders.due('node1', 5000, 10), []);
      assert.deepEqual(idsOf(await orders.inAir('node1')), [id]);

      await orders.again(id, 3000, '{"busy":1}');
      const waiting = await orders.get(id);
      assert.deepEqual([waiting?.state, waiting?.tries, waiting?.notes], ['waiting', 1, '{"busy":1}']);
      assert.deepEqual(await orders.due('node1', 2999, 10), []);

      await orders.begin(id, 3000);
      await orders.again(id, 3500, '{"busy":1}', true);
      assert.equal((await orders.get(id))?.tries, 1);
      assert.deepEqual(idsOf(await orders.due('node1', 3500, 10)), [id]);
    });

    it('tells which were dialled since a moment, whatever became of them, the latest first', async () => {
      const { orders } = await stores.ready();
      const ids = await put(orders, ...many(6));
      const [early = 0, inAir = 0, untold = 0, told = 0, again = 0] = ids;
      for (const [index, id] of [early, inAir, untold, told, again].entries()) await orders.begin(id, 2000 + index);
      for (const id of [early, untold, told]) await orders.finish(id, '{}', 3000);
      await orders.told([early, told]);
      await orders.again(again, 4000, '{}');
      assert.deepEqual(idsOf(await orders.begun('node1', 2001, 10)), [again, told, untold, inAir]);
      assert.deepEqual(idsOf(await orders.begun('node1', 2001, 2)), [again, told]);
      assert.deepEqual(await orders.begun('node2', 0, 10), []);
    });

    it('was not begun when nothing was dialled', async () => {
      const { orders } = await stores.ready();
      const [id = 0] = await put(orders, order());
      await orders.begin(id, 2000);
      await orders.again(id, 3000, '', true);
      const found = await orders.get(id);
      assert.deepEqual([found?.tries, found && 'startedAt' in found], [0, false]);
    });

    it('ends once, from waiting or from the air, and is told until it was', async () => {
      const before = await stores.ready();
      const [first = 0, second = 0, third = 0] = await put(before.orders, order(), order(), order());
      await before.orders.begin(first, 2000);
      assert.equal(await before.orders.finish(first, 'one', 3000), true);
      assert.equal(await before.orders.finish(first, 'two', 3001), false);
      assert.equal(await before.orders.begin(first, 4000), false);
      await before.orders.again(first, 4000, 'x');
      await before.orders.postpone(first, 4000);
      assert.equal(await before.orders.finish(second, 'cancelled', 3002), true);
      assert.equal(await before.orders.finish(99, 'x', 1), false);
      await before.orders.told([third, 99]);
      await before.close();

      const { orders } = await stores.ready();
      assert.deepEqual(
        (await orders.untold('node1', 10)).map(({ id, state, outcome, endedAt }) => [id, state, outcome, endedAt]),
        [
          [first, 'over', 'one', 3000],
          [second, 'over', 'cancelled', 3002],
        ],
      );
      assert.deepEqual(idsOf(await orders.untold('node1', 1)), [first]);
      await orders.told([first, second]);
      assert.deepEqual(await orders.untold('node1', 10), []);
      assert.equal((await orders.get(first))?.outcome, 'one');
      assert.deepEqual(idsOf(await orders.due('node1', 9000, 10)), [third]);
    });

    it('can be put off to another time', async () => {
      const { orders } = await stores.ready();
      const [id = 0] = await put(orders, order());
      await orders.postpone(id, 5000);
      assert.deepEqual(await orders.due('node1', 4999, 10), []);
      assert.equal(await orders.nextAt('node1'), 5000);
      assert.deepEqual(idsOf(await orders.due('node1', 5000, 10)), [id]);
      assert.equal((await orders.get(id))?.tries, 0);
    });
  });

  it('takes back what was put and never begun, and nothing else', async () => {
    const { orders } = await stores.ready();
    const [waiting, begun, over] = await put(orders, order({ key: 'k' }), order(), order());
    await orders.begin(begun!, 1);
    await orders.finish(over!, 'cancelled', 1);
    await orders.unput([waiting!, begun!, over!, 99]);
    assert.equal(await orders.get(waiting!), undefined);
    assert.equal((await orders.get(begun!))?.state, 'in-air');
    assert.equal((await orders.get(over!))?.state, 'over');
    assert.equal((await orders.put([order({ key: 'k' })]))[0]?.isNew, true);
  });

  it('moves what waits or is in the air to another queue, but for keys that it knows', async () => {
    const { orders } = await stores.ready();
    const mine = (more: object) => order({ queue: 'from', ...more });
    const [begun, , over] = await put(orders, mine({}), mine({ key: 'a' }), mine({ key: 'b' }), mine({ key: 'known' }));
    await orders.begin(begun!, 1);
    await orders.finish(over!, 'cancelled', 1);
    await orders.put([order({ queue: 'to', key: 'known' })]);
    assert.deepEqual((await orders.queues()).sort(), ['from', 'to']);
    assert.deepEqual(await orders.adopt('to', 'to'), { waiting: 0, inAir: 0 });
    assert.deepEqual(await orders.adopt('from', 'to'), { waiting: 1, inAir: 1 });
    assert.deepEqual(await orders.queues(), ['to']);
    assert.deepEqual(await orders.count('to'), { waiting: 2, inAir: 1 });
    assert.equal((await orders.get(over!))?.queue, 'from');
  });

  it('moves only what is in the air, when asked to', async () => {
    const { orders } = await stores.ready();
    const [begun] = await put(orders, order({ queue: 'from' }), order({ queue: 'from' }));
    await orders.begin(begun!, 1);
    assert.deepEqual(await orders.adopt('from', 'to', true), { waiting: 0, inAir: 1 });
    assert.deepEqual(await orders.count('from'), { waiting: 1, inAir: 0 });
  });

  it('moves what is in the air also when its key is known there: somebody may be on the phone', async () => {
    const { orders } = await stores.ready();
    const [begun] = await put(orders, order({ queue: 'from', key: 'known' }));
    await orders.begin(begun!, 1);
    const [other] = await put(orders, order({ queue: 'to', key: 'known' }));
    assert.deepEqual(await orders.adopt('from', 'to'), { waiting: 0, inAir: 1 });
    assert.deepEqual(idsOf(await orders.inAir('to')), [begun]);
    assert.equal((await orders.get(begun!))?.key, undefined);
    assert.equal((await orders.byKey('to', 'known'))?.id, other);
  });

  it('keeps a queue paused over a restart, and no other', async () => {
    const before = await stores.ready();
    await before.orders.setPaused('node1', true);
    await before.orders.setPaused('node1', true);
    await before.orders.setPaused('node2', true);
    await before.orders.setPaused('node2', false);
    await before.close();
    const { orders } = await stores.ready();
    const queues = ['node1', 'node2', 'node3'];
    assert.deepEqual(
      (await Promise.all(queues.map((queue) => orders.standing(queue)))).map(({ isPaused }) => isPaused),
      [true, false, false],
    );
  });

  it('has a name of its own for as long as the file lives', async () => {
    const before = await stores.ready();
    const name = await before.orders.name;
    assert.match(name, /^[0-9a-f]{8}$/);
    await before.close();
    assert.equal(await (await stores.ready()).orders.name, name);
    assert.notEqual(await (await stores.ready({ file: `${stores.file}-2` })).orders.name, name);
  });

  it('forgets orders 30 days after their end when they were told, and never those that wait or are untold', async () => {
    const clock = new FakeClock();
    const { orders, blocked } = await stores.ready({ clock });
    const now = clock.now();
    await blocked.add(['+74951234567'], now - 4000 * DAY);
    const old = now - 400 * DAY;
    const [waits = 0, flies = 0, untold = 0, told = 0, young = 0] = await put(
      orders,
      ...many(5, (n) => ({ key: `k${n}`, queuedAt: old, notBefore: old, expiresAt: old })),
    );
    await orders.begin(flies, old);
    for (const id of [untold, told]) await orders.finish(id, 'x', now - 30 * DAY);
    await orders.finish(young, 'x', now - 29 * DAY);
    await orders.told([told, young]);
    clock.advance(TIDY_EVERY);
    await until(async () => (await orders.get(told)) === undefined, 'the told order to go');
    assert.equal(await blocked.count(), 1, 'the do-not-call list has no age');
    for (const id of [waits, flies, untold, young]) assert.ok(await orders.get(id), `${id}`);
    const again = await orders.put([order({ key: 'k3' }), order({ key: 'k4' })]);
    assert.deepEqual(
      again.map(({ isNew }) => isNew),
      [true, false],
    );
  });

  it('come to a file of the first schema, and what it held stays', async () => {
    const before = await stores.ready();
    await before.outbox.put([entry('a')]);
    await before.close();
    inFile(`DROP TABLE orders; DROP TABLE paused_queues; DROP TABLE store_name; DROP TABLE blocked_numbers;
            DROP TABLE tally; DROP TABLE resumed_queues; DROP TABLE queue_facts;
            DELETE FROM counts WHERE name = 'blocked'; PRAGMA user_version = 1`);
    const store = await stores.ready();
    assert.equal(SCHEMA_VERSION, 4);
    assert.equal((await store.outbox.count('node1')).waiting, 1);
    assert.equal((await put(store.orders, order())).length, 1);
    assert.equal(await store.blocked.add(['+74951234567'], 1), 1);
  });
});

const DAY = 24 * 60 * 60 * 1000;
const TIDY_EVERY = 10 * 60 * 1000;
