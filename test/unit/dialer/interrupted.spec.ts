import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { PlainOrder } from '../../../lib/dialer/types';
import { storeError } from '../../../lib/store/errors';
import type { OrderTable } from '../../../lib/store/types';
import { FakeLine } from '../../support/fake-line';
import { MemoryOrders } from '../../support/memory-orders';
import { HOUR, numbered, Office } from './support/office';

const ONE = '+74951234567';
const broken = storeError('STORE_IO', { file: 'x', reason: 'x' });

/** The next call of a method stands still, before or after it has done its work, until it is let go; with `error` it then fails. */
function hold(orders: MemoryOrders, name: keyof OrderTable, when: 'before' | 'after', error?: Error) {
  const real = (orders[name] as (...given: unknown[]) => Promise<unknown>).bind(orders);
  const gate = { isReached: false, letGo: (): void => undefined };
  const open = new Promise<void>((resolve) => (gate.letGo = resolve));
  const held = async (...given: unknown[]): Promise<unknown> => {
    Object.assign(orders, { [name]: real });
    gate.isReached = true;
    if (when === 'before') await open;
    if (when === 'before' && error) throw error;
    const result = await real(...given);
    if (when === 'after') await open;
    if (error) throw error;
    return result;
  };
  Object.assign(orders, { [name]: held });
  return gate;
}

describe('dialler, interrupted while it writes', () => {
  let office: Office;
  let all: Office[] = [];
  const opened = (more: ConstructorParameters<typeof Office>[0] = {}): Promise<Office> => {
    const another = new Office(more);
    all.push(another);
    return another.start();
  };
  beforeEach(async () => (office = await opened()));
  afterEach(async () => {
    const closing = all.map(({ dialer }) => dialer.close());
    for (const one of all) await one.pass(2000);
    await Promise.all(closing);
    for (const { clock, warnings } of all) {
      assert.equal(clock.running, 0, 'timers left');
      assert.ok(!warnings.includes('ORDER_FAULT'));
    }
    all = [];
  });
  const ends = (one = office) => one.outcomes.map(({ outcome }) => outcome);
  /** What the dialler counts is what there is. */
  const counts = async (one = office) => {
    await one.pass(1000);
    const { waiting, inAir } = one.states.at(-1) ?? { waiting: -1, inAir: -1 };
    assert.deepEqual({ waiting, inAir }, await one.orders.count('node'));
    return { waiting, inAir };
  };

  describe('cancel', () => {
    /** Cancels while something stands still; whether that was confirmed. */
    async function cancelAt(gate: { isReached: boolean; letGo: () => void }, all = false): Promise<boolean> {
      assert.ok(gate.isReached);
      const cancelling = all ? office.dialer.cancelAll().then((count) => count === 1) : office.dialer.cancel(1);
      await office.breathe();
      gate.letGo();
      await office.breathe();
      return cancelling;
    }

    for (const when of ['before', 'after'] as const) {
      for (const isAll of [false, true]) {
        const title = `${isAll ? 'of all ' : ''}${when} that is written`;
        it(`while its retry is being written, ${title}: it is not dialled again`, async () => {
          await office.place(office.autocall(ONE, { tries: 5 }));
          await office.breathe();
          const gate = hold(office.orders, 'again', when);
          await office.end(ONE, { outcome: 'busy', reached: 'no' });
          assert.equal(await cancelAt(gate, isAll), true);
          await office.pass(HOUR);
          assert.deepEqual([office.dialled, ends()], [[ONE], ['cancelled']]);
          assert.deepEqual(await counts(), { waiting: 0, inAir: 0 });
        });

        it(`while its beginning is being written, ${title}: it is not dialled`, async () => {
          office.line.isReady = false;
          await office.place(office.autocall(ONE, { tries: 5 }));
          const gate = hold(office.orders, 'begin', when);
          office.line.isReady = true;
          await office.breathe();
          assert.equal(await cancelAt(gate, isAll), true);
          await office.pass(HOUR);
          assert.deepEqual([office.dialled, ends()], [[], ['cancelled']]);
          assert.deepEqual(await counts(), { waiting: 0, inAir: 0 });
        });
      }

      it(`while its window is being written, ${when} that is written: it is not dialled`, async () => {
        const windows = [{ days: [1, 2, 3, 4, 5, 6, 7], from: 600, to: 660 }];
        office = await opened({ settings: { windows } });
        office.line.isReady = false;
        await office.place(office.autocall(ONE, { expiresAt: office.clock.now() + 48 * HOUR }));
        await office.pass(2 * HOUR);
        const gate = hold(office.orders, 'postpone', when);
        office.line.isReady = true;
        await office.breathe();
        assert.equal(await cancelAt(gate), true);
        await office.pass(48 * HOUR);
        assert.deepEqual([office.dialled, ends()], [[], ['cancelled']]);
      });

      it(`while its outcome is being written, ${when} that is written: it is over`, async () => {
        await office.place(office.autocall(ONE));
        await office.breathe();
        const gate = hold(office.orders, 'finish', when);
        await office.end(ONE, { outcome: 'answered' });
        assert.equal(await cancelAt(gate), false);
        assert.deepEqual(ends(), ['answered']);
      });

      it(`is not confirmed when the store fails at the beginning, ${when} it was written, and it is not dialled`, async () => {
        office.line.isReady = false;
        await office.place(office.autocall(ONE, { tries: 5 }));
        const gate = hold(office.orders, 'begin', when, broken);
        office.line.isReady = true;
        await office.breathe();
        const cancelling = assert.rejects(office.dialer.cancel(1), { code: 'STORE_IO' });
        await office.breathe();
        gate.letGo();
        await cancelling;
        await office.pass(HOUR);
        assert.deepEqual([office.dialled, ends()], [[], ['cancelled']]);
        assert.deepEqual(await counts(), { waiting: 0, inAir: 0 });
      });
    }

    it('while the PBX is away after a restart: the call is hung up when it is found', async () => {
      await office.place(office.autocall(ONE, { tries: 5 }));
      await office.breathe();
      const line = new FakeLine(office.line.pbx);
      line.isReady = false;
      const next = await opened({ ...office.kill(), line });
      let isKnown = false;
      const cancel = line.cancel.bind(line);
      const takeUp = line.takeUp.bind(line);
      line.takeUp = (...given) => {
        isKnown = true;
        return takeUp(...given);
      };
      line.cancel = (id) => {
        if (isKnown) cancel(id);
      };
      assert.equal(await next.dialer.cancel(1), true);
      line.isReady = true;
      await next.pass(HOUR);
      assert.deepEqual([next.dialled, ends(next)], [[ONE], ['cancelled']]);
    });

    it('of all begins nothing on the lines that become free', async () => {
      for (let n = 0; n < 40; n += 1) await office.place(office.autocall(numbered(n), { tries: 3 }));
      await office.breathe();
      assert.equal(await office.dialer.cancelAll(), 40);
      await office.pass(HOUR);
      assert.deepEqual(office.dialled, [0, 1].map(numbered));
      assert.deepEqual(ends(), Array<string>(40).fill('cancelled'));
      assert.deepEqual(await counts(), { waiting: 0, inAir: 0 });
    });

    it('twice at once is confirmed once', async () => {
      office.line.isReady = false;
      await office.place(office.autocall(ONE));
      const answers = await Promise.all([office.dialer.cancel(1), office.dialer.cancel(1)]);
      assert.deepEqual(answers.sort(), [false, true]);
      assert.deepEqual(ends(), ['cancelled']);
    });
  });

  describe('counts', () => {
    for (const fault of ['broken', 'breaksAfter'] as const) {
      it(`what waits, when the store fails at the beginning (${fault})`, async () => {
        office.line.isReady = false;
        await office.place(office.autocall(ONE));
        await office.pass(1000);
        office.orders[fault] = broken;
        office.line.isReady = true;
        await office.pass(5000);
        assert.equal(office.states.at(-1)?.waiting, 1);
        office.orders[fault] = undefined;
        await office.pass(5000);
        assert.deepEqual(await counts(), { waiting: 0, inAir: 1 });
        await office.end(ONE, { outcome: 'answered' });
        assert.deepEqual(await counts(), { waiting: 0, inAir: 0 });
      });

      it(`what waits, when the store fails at a retry and at an end (${fault})`, async () => {
        await office.place(office.autocall(ONE, { tries: 2 }));
        await office.breathe();
        for (const outcome of ['busy', 'answered'] as const) {
          office.orders[fault] = broken;
          await office.end(ONE, { outcome, reached: outcome === 'busy' ? 'no' : 'yes' });
          await office.pass(5000);
          office.orders[fault] = undefined;
          await office.pass(3000);
          await counts();
          await office.pass(15_000);
        }
        assert.deepEqual(await counts(), { waiting: 0, inAir: 0 });
        assert.deepEqual([office.dialled, ends()], [[ONE, ONE], ['answered']]);
      });
    }

    it('what is taken over, however much is ordered meanwhile', async () => {
      const gone = await opened({ queue: 'gone' });
      for (let n = 0; n < 5; n += 1) await gone.place(gone.autocall(numbered(n)));
      gone.kill();
      const orders = new MemoryOrders(gone.orders.disk, () => new Promise((resolve) => setImmediate(resolve)));
      const mine = await opened({ orders, line: new FakeLine(gone.line.pbx), clock: gone.clock });
      await mine.pass(1000);
      const placing = [5, 6, 7, 8].map((n) => mine.place(mine.autocall(numbered(n))));
      await Promise.all([...placing, mine.dialer.adopt(['gone'])]);
      await counts(mine);
    });

    it('not what the file does not know any more', async () => {
      office.line.isReady = false;
      for (let n = 0; n < 5; n += 1) await office.place(office.autocall(numbered(n)));
      office.orders.disk.rows.clear();
      office.orders.disk.loss = 'begun-anew';
      Object.assign(office.orders, { name: Promise.resolve('other123') });
      office.line.isReady = true;
      await office.pass(5000);
      assert.deepEqual(await counts(), { waiting: 0, inAir: 0 });
    });
  });

  describe('the wall clock', () => {
    const JUMPS = [-HOUR, HOUR, 24 * HOUR, -24 * HOUR];

    it('set back does not let a click be dialled late', async () => {
      office.line.isReady = false;
      await office.place(office.click(ONE));
      await office.pass(10_000);
      office.clock.jumpWall(-HOUR);
      await office.pass(21_000);
      assert.deepEqual(ends(), ['expired']);
      office.line.isReady = true;
      await office.pass(2 * HOUR);
      assert.deepEqual(office.dialled, []);
    });

    it('set back lets what is ordered afterwards live as long as it is to', async () => {
      office.clock.jumpWall(-HOUR);
      office.line.isReady = false;
      await office.place(office.click(ONE));
      await office.pass(20_000);
      office.line.isReady = true;
      await office.breathe();
      assert.deepEqual(office.dialled, [ONE]);
    });

    it('set forward and back again takes no time from an order', async () => {
      office.line.isReady = false;
      await office.place(office.autocall(ONE, { expiresAt: office.clock.now() + 30 * HOUR }));
      office.clock.jumpWall(24 * HOUR);
      await office.pass(120_000);
      office.clock.jumpWall(-24 * HOUR);
      await office.pass(29 * HOUR);
      office.line.isReady = true;
      await office.breathe();
      assert.deepEqual(office.dialled, [ONE]);
    });

    it('jumps between any two steps: no order is dialled when it has waited for longer than it was to', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ wait: fc.nat(25_000), jump: fc.constantFrom(0, ...JUMPS), slow: fc.boolean() }), {
            minLength: 1,
            maxLength: 6,
          }),
          async (steps) => {
            let isSlow = false;
            const stuck: (() => void)[] = [];
            const orders = new MemoryOrders(undefined, () =>
              isSlow ? new Promise((resolve) => stuck.push(resolve)) : Promise.resolve(),
            );
            const one = await new Office({ orders }).start();
            one.line.isReady = false;
            await one.place(one.click(ONE, { tries: 3 }));
            const placedAt = one.clock.monotonic();
            let dialledAt: number | undefined;
            one.line.dial = () => {
              dialledAt ??= one.clock.monotonic();
              return new Promise(() => undefined);
            };
            for (const { wait, jump, slow } of steps) {
              await one.pass(wait);
              isSlow = slow;
              one.line.isReady = true;
              await one.breathe();
              one.clock.jumpWall(jump);
              isSlow = false;
              for (const release of stuck.splice(0)) release();
              await one.breathe();
              one.line.isReady = false;
            }
            const waited = (dialledAt ?? placedAt) - placedAt;
            assert.ok(waited < 30_000, `dialled after ${waited} ms`);
            await one.pass(65_000);
            assert.ok(dialledAt !== undefined || ends(one).join() === 'expired', 'forgotten');
            const closing = one.dialer.close();
            await one.pass(2000);
            await closing;
          },
        ),
        { numRuns: 60 },
      );
    });

    it('set forward while the beginning is written: outside its window nobody is called', async () => {
      const windows = [{ days: [1, 2, 3, 4, 5, 6, 7], from: 600, to: 720 }];
      office = await opened({ settings: { windows } });
      office.line.isReady = false;
      await office.place(office.autocall(ONE, { expiresAt: office.clock.now() + 48 * HOUR }));
      const gate = hold(office.orders, 'begin', 'after');
      office.line.isReady = true;
      await office.breathe();
      assert.ok(gate.isReached);
      office.clock.jumpWall(5 * HOUR);
      gate.letGo();
      await office.pass(HOUR);
      assert.deepEqual(office.dialled, []);
      await office.pass(20 * HOUR);
      assert.deepEqual(office.dialled, [ONE]);
    });

    it('set back does not keep a gate shut that a cap has shut', async () => {
      let takes = 0;
      const guard = {
        objection: () => undefined,
        take: () =>
          (takes += 1) === 1
            ? ({ free: false, at: office.clock.now() + 30_000, error: broken } as const)
            : ({ free: true } as const),
        remember: () => undefined,
      };
      office = await opened({ guard });
      await office.place(office.autocall(ONE));
      await office.breathe();
      office.clock.jumpWall(-HOUR);
      await office.pass(62_000);
      assert.deepEqual(office.dialled, [ONE]);
    });
  });

  describe('pause', () => {
    for (const when of ['before', 'after'] as const) {
      it(`while a beginning is being written, ${when} that is written: it waits`, async () => {
        office.line.isReady = false;
        await office.place(office.autocall(ONE));
        const gate = hold(office.orders, 'begin', when);
        office.line.isReady = true;
        await office.breathe();
        const pausing = office.dialer.setPaused(true);
        gate.letGo();
        await pausing;
        await office.pass(60_000);
        assert.deepEqual(office.dialled, []);
        assert.deepEqual(await counts(), { waiting: 1, inAir: 0 });
        await office.dialer.setPaused(false);
        await office.pass(2000);
        assert.deepEqual(office.dialled, [ONE]);
      });
    }

    it('goes on when it cannot be written that it is over', async () => {
      await office.dialer.setPaused(true);
      await office.place(office.autocall(ONE));
      office.orders.broken = broken;
      await assert.rejects(office.dialer.setPaused(false), { code: 'STORE_IO' });
      office.orders.broken = undefined;
      await office.pass(60_000);
      assert.deepEqual(office.dialled, []);
    });
  });

  it('takes an order whose queueing cannot be told all the same: it has no second answer', async () => {
    await office.dialer.place(office.autocall(ONE), undefined, () => {
      throw new Error('the flow');
    });
    await office.breathe();
    assert.deepEqual(office.dialled, [ONE]);
  });

  it('ends an order that another version wrote in another form, waiting or in the air, and dials the others', async () => {
    const first = office.autocall(numbered(1));
    const orders = new MemoryOrders();
    const body = JSON.stringify({ order: { mode: 'plain' } satisfies Partial<PlainOrder> });
    const at = { queue: 'node', queuedAt: 0, notBefore: 0, expiresAt: first.expiresAt, priority: 9, body };
    await orders.put([at, at]);
    await orders.begin(1, 1);
    const line = new FakeLine();
    const trunkOf = line.trunkOf.bind(line);
    line.trunkOf = (order) => (order.mode === 'plain' ? order.channel.slice(1) : trunkOf(order));
    const one = await opened({ orders, line });
    await one.place(first);
    await one.pass(1000);
    assert.deepEqual(one.dialled, [numbered(1)]);
    assert.deepEqual(
      one.outcomes.map(({ orderId, error }) => [orderId, error?.code]),
      [
        [1, 'ORDER_NOT_READABLE'],
        [2, 'ORDER_NOT_READABLE'],
      ],
    );
  });

  it('ends whatever is no whole order, waiting or in the air, and dials the others', async () => {
    const whole = office.autocall(ONE);
    const bodies = [
      '',
      'null',
      '{}',
      ...[{ mode: 'sms' }, { mode: 'autocall', number: ONE, e164: ONE }].map((order) => JSON.stringify({ order })),
      ...Object.keys(whole).map((name) => JSON.stringify({ order: { ...whole, [name]: undefined } })),
      ...[{ timeZones: ['Asia/Nowhere'] }, { triesOf: { busy: '1' } }, { variables: [] }, { callerId: 'x' }].map(
        (wrong) => JSON.stringify({ order: { ...whole, ...wrong } }),
      ),
    ];
    const windows = [{ days: [1, 2, 3, 4, 5, 6, 7], from: 0, to: 1440 }];
    for (const isInAir of [false, true]) {
      const orders = new MemoryOrders();
      const at = { queue: 'node', queuedAt: 0, notBefore: 0, expiresAt: whole.expiresAt, priority: 9 };
      const put = await orders.put(bodies.map((body) => ({ ...at, body })));
      if (isInAir) for (const { id } of put) await orders.begin(id, 1);
      const one = await opened({ orders, settings: { windows } });
      await one.place(one.autocall(numbered(1)));
      await one.pass(2000);
      assert.deepEqual(one.dialled, [numbered(1)]);
      assert.deepEqual(new Set(one.outcomes.map(({ error }) => error?.code)), new Set(['ORDER_NOT_READABLE']));
      assert.equal(one.outcomes.length, bodies.length);
      assert.deepEqual(await counts(one), { waiting: 0, inAir: 1 });
    }
  });

  it('dials nothing after its window, however long the PBX stands still', async () => {
    const windows = [{ days: [1, 2, 3, 4, 5, 6, 7], from: 600, to: 630 }];
    const one = await opened({ settings: { windows } });
    await one.place(one.autocall(ONE));
    await one.place(one.autocall(numbered(1), { expiresAt: one.clock.now() + 60_000 }));
    await one.breathe();
    const { orders, clock } = one.kill();
    const closes = clock.now() + 30 * 60_000;
    const before = one.line.pbx.dialled.map(({ dialBefore }) => dialBefore - clock.now());
    assert.deepEqual(before, [30 * 60_000, 60_000]);
    // The next process takes it up after the window has closed.
    clock.jumpWall(HOUR / 2 + 60_000);
    const line = new FakeLine();
    const taken: number[] = [];
    line.takeUp = (attempts) => Promise.resolve(void taken.push(...attempts.map(({ dialBefore }) => dialBefore)));
    await opened({ orders, clock, line, settings: { windows } });
    assert.equal(taken[0], closes);
  });

  it('tells nothing any more once it is closed; the next one does', async () => {
    await office.place(office.autocall(ONE));
    await office.breathe();
    const gate = hold(office.orders, 'finish', 'before');
    await office.end(ONE, { outcome: 'answered' });
    assert.ok(gate.isReached);
    const closing = office.dialer.close();
    await office.pass(2000);
    await closing;
    gate.letGo();
    await office.pass(1000);
    assert.deepEqual(ends(), []);
    const next = await opened({ orders: office.orders, line: office.line, clock: office.clock });
    assert.deepEqual(ends(next), ['answered']);
  });
});
