import assert from 'node:assert/strict';
import { badValue } from '../../../lib/ami/errors';
import { orderError } from '../../../lib/dialer/errors';
import type { BegunCall } from '../../../lib/outbound/types';
import { storeError } from '../../../lib/store/errors';
import { FakeLine, FakePbx, lineError } from '../../support/fake-line';
import { MemoryBlocked, MemoryOrders } from '../../support/memory-orders';
import { HOUR, numbered, Office, openGuard } from './support/office';

const ONE = '+74951234567';
const TWO = '+74951234568';
const turnOfEventLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const code = (expected: string) => (thrown: unknown) => (thrown as { code?: string }).code === expected;

describe('dialler', () => {
  let office: Office;
  let others: Office[] = [];
  const opened = (more: ConstructorParameters<typeof Office>[0] = {}): Promise<Office> => {
    const another = new Office(more);
    others.push(another);
    return another.start();
  };
  beforeEach(async () => (office = await opened()));
  afterEach(async () => {
    const closing = others.map((one) => one.dialer.close());
    for (const one of others) await one.pass(2000);
    await Promise.all(closing);
    for (const { clock, warnings } of others) {
      assert.equal(clock.running, 0, 'timers left');
      assert.ok(!warnings.includes('ORDER_FAULT'));
    }
    others = [];
  });

  describe('one order', () => {
    it('is told as queued, dialled, and told once how it ended', async () => {
      const first = await office.place(office.autocall(ONE, { data: { deal: 7 } }));
      assert.equal(first.state, 'queued');
      assert.equal(first.orderId, 1);
      await office.breathe();
      assert.deepEqual(office.dialled, [ONE]);
      assert.equal(office.channelOf(ONE), 'tcrm-abcd1234-1-1');
      office.line.pbx.phase('tcrm-abcd1234-1-1', 'ringing');
      await office.pass(20_000);
      await office.end(ONE, { outcome: 'confirmed', heard: 1, callId: '1.1', answeredAt: office.clock.now() });
      assert.deepEqual(
        office.progress.map(({ state }) => state),
        ['ringing'],
      );
      const [outcome] = office.outcomes;
      assert.equal(office.outcomes.length, 1);
      assert.deepEqual(
        { ...outcome, startedAt: undefined, endedAt: undefined, answeredAt: undefined, queuedAt: undefined },
        {
          eventId: 'tcrm-abcd1234-1-outcome',
          orderId: 1,
          outcome: 'confirmed',
          pbx: 'office',
          mode: 'autocall',
          number: ONE,
          e164: ONE,
          tries: 1,
          callId: '1.1',
          heard: 1,
          of: 1,
          data: { deal: 7 },
          startedAt: undefined,
          endedAt: undefined,
          answeredAt: undefined,
          queuedAt: undefined,
        },
      );
      await office.pass(HOUR);
      assert.equal(office.outcomes.length, 1);
      assert.deepEqual(
        [...office.orders.disk.rows.values()].map(({ told }) => told),
        [true],
      );
    });

    it('is the first one with its key, however often it is ordered', async () => {
      const orders = await Promise.all([1, 2, 3].map(() => office.place(office.autocall(ONE, { key: 'deal 7' }))));
      const again = await office.place(office.autocall(TWO, { key: 'deal 7' }));
      assert.deepEqual([...new Set([...orders, again].map(({ orderId }) => orderId))], [1]);
      assert.equal([...orders, again].filter(({ isKnown }) => isKnown).length, 3);
      assert.equal(again.number, ONE);
      await office.breathe();
      assert.deepEqual(office.dialled, [ONE]);
      assert.deepEqual(
        [...orders, again].map(({ result }) => result),
        [undefined, undefined, undefined, undefined],
      );
    });

    it('tells what has become of it when it is ordered again', async () => {
      await office.place(office.autocall(ONE, { key: 'deal 7' }));
      await office.pass(HOUR);
      const { state, isKnown, result } = await office.place(office.autocall(ONE, { key: 'deal 7' }));
      assert.deepEqual([state, isKnown, result?.outcome], ['queued', true, office.outcomes[0]?.outcome]);
      assert.deepEqual(result, office.outcomes[0]);
    });

    it('hands back with its outcome who waits for it, over a restart too', async () => {
      await office.place(office.autocall(ONE), { id: 'question' });
      await office.breathe();
      await office.dialer.close();
      const next = await opened({ orders: office.orders, line: office.line, clock: office.clock });
      await next.end(ONE, {});
      assert.deepEqual(next.replies, [{ id: 'question' }]);
      assert.deepEqual(office.outcomes, []);
    });
  });

  it('tells the rules for dialling which calls of the last minute an earlier process began', async () => {
    await office.place(office.autocall(ONE, { by: 'deal desk' }));
    await office.place(office.autocall(TWO));
    await office.breathe();
    const begunAt = office.clock.now();
    await office.end(ONE, {});
    await office.dialer.close();
    const told: BegunCall[] = [];
    const guard = { ...openGuard, remember: (calls: readonly BegunCall[]) => void told.push(...calls) };
    await office.pass(59_000);
    await opened({ orders: office.orders, line: office.line, clock: office.clock, guard });
    const byId = told.sort((one, other) => (one.id < other.id ? -1 : 1));
    assert.deepEqual(byId, [
      { id: '1-1', by: 'deal desk', at: begunAt },
      { id: '2-1', by: undefined, at: begunAt },
    ]);
    await office.pass(2000);
    told.length = 0;
    await opened({ orders: office.orders, line: office.line, clock: office.clock, guard });
    assert.deepEqual(told, []);
  });

  describe('tries', () => {
    it('are made again after their period, as long as the budget lasts, and the cause stands in the outcome', async () => {
      await office.place(office.autocall(ONE, { tries: 3 }));
      await office.breathe();
      for (const count of [1, 2]) {
        await office.end(ONE, { outcome: 'busy', reached: 'no', cause: { code: 17, text: 'User busy' } });
        assert.equal(office.progress.at(-1)?.state, 'retry');
        assert.equal(office.progress.at(-1)?.tryOutcome, 'busy');
        await office.pass(9_000);
        assert.equal(office.dialled.length, count, 'not before its period is over');
        await office.pass(1_100);
        assert.equal(office.dialled.length, count + 1);
      }
      await office.end(ONE, { outcome: 'no-answer', reached: 'no' });
      assert.deepEqual(
        office.outcomes.map(({ outcome, tries, cause }) => ({ outcome, tries, cause })),
        [{ outcome: 'no-answer', tries: 3, cause: { code: 17, text: 'User busy' } }],
      );
    });

    it('of one kind of failure end with its own share', async () => {
      await office.place(office.autocall(ONE, { tries: 9, triesOf: { machine: 1, busy: 2 } }));
      await office.breathe();
      await office.end(ONE, { outcome: 'busy', reached: 'no' });
      await office.pass(11_000);
      await office.end(ONE, { outcome: 'machine', reached: 'no' });
      assert.deepEqual(
        office.outcomes.map(({ outcome }) => outcome),
        ['machine'],
      );
    });

    it('are never made again when nobody can know whether the client was reached', async () => {
      await office.place(office.autocall(ONE, { tries: 9 }));
      await office.breathe();
      await office.end(ONE, { outcome: 'failed', reached: 'unknown', error: lineError('LINE_UNKNOWN') });
      await office.pass(HOUR);
      assert.equal(office.dialled.length, 1);
      assert.equal(office.outcomes[0]?.error?.code, 'LINE_UNKNOWN');
    });

    it('are never made again for what no line can carry', async () => {
      await office.place(office.autocall(ONE, { tries: 9 }));
      await office.breathe();
      await office.end(ONE, { outcome: 'failed', reached: 'no', error: badValue('Originate', 'CallerID', 'control') });
      await office.pass(HOUR);
      assert.equal(office.dialled.length, 1);
      assert.equal(office.outcomes[0]?.error?.code, 'AMI_BAD_VALUE');
    });

    it('of a click are made again for a busy client, not for a colleague who declined', async () => {
      await office.place(office.click(ONE, { tries: 2 }));
      await office.place(office.click(TWO, { tries: 2, extension: '102' }));
      await office.breathe();
      office.line.pbx.phase(office.channelOf(ONE), 'agent-answered');
      await office.end(ONE, { outcome: 'busy', reached: 'no' });
      await office.end(TWO, { outcome: 'busy', reached: 'no' });
      await office.pass(6000);
      assert.deepEqual(office.dialled, [ONE, TWO, ONE]);
      assert.deepEqual(
        office.outcomes.map(({ number }) => number),
        [TWO],
      );
    });

    it('that never reached the PBX do not count, and are spaced out', async () => {
      await office.place(office.autocall(ONE));
      office.line.isCut = true;
      await office.pass(20_000);
      office.line.isCut = false;
      await office.pass(20_000);
      assert.deepEqual(office.dialled, [ONE]);
      await office.end(ONE, {});
      assert.equal(office.outcomes[0]?.tries, 1);
    });
  });

  describe('time', () => {
    it('runs out: what is not dialled until then never is', async () => {
      office.line.isReady = false;
      await office.place(office.click(ONE));
      await office.pass(31_000);
      assert.deepEqual(
        office.outcomes.map(({ outcome, error, tries }) => [outcome, error?.code, tries]),
        [['expired', 'ORDER_EXPIRED_NO_LINK', 0]],
      );
      office.line.isReady = true;
      await office.pass(HOUR);
      assert.deepEqual(office.dialled, []);
    });

    it('runs out while the disk is slow: the beginning that it notes too late is none', async () => {
      const stuck: (() => void)[] = [];
      let isSlow = false;
      const orders = new MemoryOrders(undefined, () =>
        isSlow ? new Promise((resolve) => stuck.push(resolve)) : Promise.resolve(),
      );
      const slow = await opened({ orders });
      await slow.place(slow.click(ONE));
      isSlow = true;
      await slow.breathe();
      slow.clock.advance(40_000);
      isSlow = false;
      for (const release of stuck) release();
      await slow.breathe();
      // Either it was begun before the disk stood still, or it is not dialled at all.
      for (const { startedAt } of slow.line.pbx.dialled) assert.ok(startedAt < slow.clock.now() - 30_000);
      await slow.pass(1000);
      assert.equal(slow.dialled.length + slow.outcomes.length, 1);
    });

    it('is the client’s own: orders wait for their window, and say until when', async () => {
      const day = await opened({ settings: { windows: [{ days: [1, 2, 3, 4, 5, 6, 7], from: 660, to: 720 }] } });
      const first = await day.place(day.autocall(ONE, { expiresAt: day.clock.now() + 2 * HOUR }));
      assert.equal(first.nextAt, '2026-01-05T11:00:00.000Z');
      await day.pass(HOUR - 1000);
      assert.deepEqual(day.dialled, []);
      await day.pass(2000);
      assert.deepEqual(day.dialled, [ONE]);
      await assert.rejects(day.place(day.autocall(TWO, { expiresAt: day.clock.now() })), code('ORDER_NO_WINDOW'));
      const [, line] = [day.place(day.autocall(TWO, { expiresAt: day.clock.now() + 48 * HOUR })), day.line];
      await day.breathe();
      assert.equal(line.pbx.dialled.length, 2);
      // The next try would come after the window has closed: tomorrow.
      await day.pass(59 * 60_000);
      await day.end(TWO, { outcome: 'answered' });
    });

    it('moves a retry into the next window, or ends the order with how the try ended', async () => {
      const windows = [{ days: [1, 2, 3, 4, 5, 6, 7], from: 600, to: 630 }];
      const day = await opened({ settings: { windows } });
      const base = { tries: 2, periodMs: 40 * 60_000 };
      await day.place(day.autocall(ONE, { ...base, expiresAt: day.clock.now() + 26 * HOUR }));
      await day.place(day.autocall(TWO, { ...base, expiresAt: day.clock.now() + 2 * HOUR }));
      await day.breathe();
      await day.end(ONE, { outcome: 'busy', reached: 'no' });
      await day.end(TWO, { outcome: 'busy', reached: 'no' });
      assert.equal(day.progress.at(-1)?.nextAt, '2026-01-06T10:00:00.000Z');
      assert.deepEqual(
        day.outcomes.map(({ number, outcome }) => [number, outcome]),
        [[TWO, 'busy']],
      );
    });
  });

  describe('lines', () => {
    it('are never more than there are, and one that is free is filled at once', async () => {
      for (let n = 0; n < 5; n += 1) await office.place(office.autocall(numbered(n)));
      await office.breathe();
      assert.equal(office.dialled.length, 2);
      await office.end(numbered(0), {});
      assert.deepEqual(office.dialled, [0, 1, 2].map(numbered));
    });

    it('are filled by the hundred in several turns of the event loop, so that whatever else runs has its turn', async () => {
      const many = await opened({ settings: { lines: 256 } });
      many.line.isReady = false;
      for (let n = 0; n < 300; n += 1) await many.place(many.autocall(numbered(n)));
      many.line.isReady = true;
      await turnOfEventLoop();
      assert.ok(many.dialled.length <= 64, `${many.dialled.length} at once`);
      while (many.dialled.length < 256) await many.breathe();
      await many.breathe();
      assert.deepEqual(
        many.dialled,
        Array.from({ length: 256 }, (_, n) => numbered(n)),
      );
    });

    it('of a full trunk do not keep orders for another waiting, however many stand before them', async () => {
      const pbx = new FakePbx((order) => (order.priority === 5 ? 'A' : 'B'));
      const two = await opened({ settings: { lines: 4, trunkLines: { A: 1 } }, line: new FakeLine(pbx) });
      two.line.isReady = false;
      for (let n = 0; n < 200; n += 1) await two.place(two.autocall(numbered(n)));
      for (let n = 200; n < 203; n += 1) await two.place(two.autocall(numbered(n), { priority: 4 }));
      two.line.isReady = true;
      await two.pass(3000);
      assert.deepEqual(two.dialled, [0, 200, 201, 202].map(numbered));
      for (let n = 0; n < 100; n += 1) {
        await two.end(numbered(n), {});
        assert.equal(two.dialled.at(-1), numbered(n + 1), 'the trunk is filled at once, in order');
      }
      assert.equal(pbx.most.get('A'), 1);
    });

    it('go to the highest priority first, then to the oldest, whether in memory or on disk', async () => {
      office.line.isReady = false;
      for (let n = 0; n < 100; n += 1) await office.place(office.autocall(numbered(n), { priority: n % 10 }));
      office.line.isReady = true;
      await office.breathe();
      while (office.line.pbx.alive.length > 0) {
        const [call] = office.line.pbx.alive;
        await office.end((call?.attempt.order as { number: string }).number, {});
      }
      const priorities = office.line.pbx.dialled.map(({ order }) => order.priority);
      assert.equal(priorities.length, 100);
      assert.deepEqual(
        priorities,
        [...priorities].sort((one, other) => other - one),
      );
    });

    it('go to those that have waited on disk for longer, however many new orders keep coming', async () => {
      for (let n = 0; n < 60; n += 1) await office.place(office.autocall(numbered(n)));
      for (let n = 60; n < 120; n += 1) {
        await office.place(office.autocall(numbered(n)));
        await office.end(numbered(n - 60), {});
      }
      assert.deepEqual(
        office.dialled,
        Array.from({ length: 62 }, (_, n) => numbered(n)),
      );
    });

    it('wait for the cap on calls: of one caller only his own', async () => {
      let isCapped = true;
      const capped = await opened({
        guard: {
          ...openGuard,
          take: (by) =>
            by === '101' && isCapped
              ? { free: false, at: capped.clock.now() + 30_000, error: orderError('ORDER_BAD') }
              : { free: true },
        },
      });
      await capped.place(capped.autocall(ONE, { by: '101' }));
      await capped.place(capped.autocall(TWO, { by: '102' }));
      await capped.breathe();
      assert.deepEqual(capped.dialled, [TWO]);
      isCapped = false;
      await capped.pass(29_000);
      assert.deepEqual(capped.dialled, [TWO]);
      await capped.pass(1100);
      assert.deepEqual(capped.dialled, [TWO, ONE]);
    });
  });

  describe('refuses', () => {
    it('what the rules, the line or the do-not-call list forbid: nothing is put', async () => {
      office.line.refusal = () => lineError('LINE_NO_TRUNK');
      await assert.rejects(office.place(office.autocall(ONE)), code('LINE_NO_TRUNK'));
      office.line.refusal = undefined;
      const guard = { ...openGuard, objection: () => lineError('DIAL_FORBIDDEN') };
      const strict = await opened({ guard });
      await assert.rejects(strict.place(strict.autocall(ONE)), code('DIAL_FORBIDDEN'));
      await new MemoryBlocked(office.orders.disk).add([ONE], 0);
      await assert.rejects(office.place(office.autocall(ONE)), code('ORDER_BLOCKED'));
      assert.equal(office.orders.disk.rows.size, 0);
    });

    it('what has come onto the list while it waited', async () => {
      office.line.isReady = false;
      await office.place(office.autocall(ONE));
      await new MemoryBlocked(office.orders.disk).add([ONE], 0);
      office.line.isReady = true;
      await office.breathe();
      assert.deepEqual(
        office.outcomes.map(({ outcome, error }) => [outcome, error?.code]),
        [['refused', 'ORDER_BLOCKED']],
      );
      assert.deepEqual(office.dialled, []);
    });

    it('one order beyond the bound, of a thousand at once too, but no key that it knows', async () => {
      const small = await opened({ settings: { maxWaiting: 10, lines: 1 } });
      small.line.isReady = false;
      const placing = Array.from({ length: 1000 }, (_, n) =>
        small.place(small.autocall(numbered(n), { key: String(n) })).then(
          () => 'taken',
          (thrown: unknown) => (thrown as { code: string }).code,
        ),
      );
      const answers = await Promise.all(placing);
      assert.equal(answers.filter((one) => one === 'taken').length, 10);
      assert.equal(answers.filter((one) => one === 'ORDER_TOO_MANY').length, 990);
      assert.equal((await small.place(small.autocall(numbered(0), { key: '0' }))).isKnown, true);
    });

    it('in words, each of ten thousand orders that come at 1000 a second beyond the bound; none that it took is lost', async () => {
      const flooded = await opened({ settings: { maxWaiting: 500, lines: 20 } });
      const told = new Map<number, string[]>();
      const place = async (n: number): Promise<void> => {
        const answers: string[] = [];
        told.set(n, answers);
        const order = flooded.autocall(numbered(n), { key: String(n), expiresAt: flooded.clock.now() + HOUR });
        await flooded.dialer
          .place(order, undefined, ({ state }) => void answers.push(state))
          .catch((thrown: unknown) => void answers.push((thrown as { code: string }).code));
      };
      let placing: Promise<void>[] = [];
      for (let n = 0; n < 10_000; n += 1) {
        placing.push(place(n));
        if (n % 100 < 99) continue;
        await flooded.clock.advanceAsync(100);
        await Promise.all(placing);
        placing = [];
        const [call] = flooded.line.pbx.alive;
        if (call && 'number' in call.attempt.order) await flooded.end(call.attempt.order.number, {});
      }
      const answers = [...told.values()].flat();
      assert.equal(answers.length, 10_000);
      const taken = [...told].filter(([, [answer]]) => answer === 'queued').map(([n]) => numbered(n));
      assert.equal(answers.filter((answer) => answer === 'ORDER_TOO_MANY').length, 10_000 - taken.length);
      assert.ok(taken.length >= 500, `${taken.length} taken`);

      while (flooded.line.pbx.alive.length > 0) {
        for (const { attempt } of [...flooded.line.pbx.alive]) {
          if ('number' in attempt.order) await flooded.end(attempt.order.number, {});
        }
      }
      assert.deepEqual(flooded.dialled, taken);
      assert.deepEqual(flooded.outcomes.map(({ number }) => number).sort(), taken.sort());
    });
  });

  describe('orders of a person', () => {
    it('pause and go on, over a restart', async () => {
      await office.dialer.setPaused(true);
      await office.place(office.autocall(ONE));
      await office.pass(5000);
      assert.deepEqual(office.dialled, []);
      await office.dialer.close();
      const next = await opened({ orders: office.orders, line: office.line, clock: office.clock });
      await next.pass(5000);
      assert.deepEqual(next.dialled, []);
      assert.equal((await next.dialer.counts()).isPaused, true);
      await next.dialer.setPaused(false);
      await next.breathe();
      assert.deepEqual(next.dialled, [ONE]);
    });

    it('cancel: what waits is not dialled, what rings is hung up, what is over stays as it was', async () => {
      for (let n = 0; n < 4; n += 1) await office.place(office.autocall(numbered(n), { tries: 5 }));
      await office.breathe();
      assert.equal(await office.dialer.cancel(4), true);
      assert.equal(await office.dialer.cancel(1), true);
      await office.breathe();
      assert.equal(await office.dialer.cancel(1), false);
      assert.equal(await office.dialer.cancel(99), false);
      assert.deepEqual(
        office.outcomes.map(({ orderId, outcome, tries }) => [orderId, outcome, tries]),
        [
          [4, 'cancelled', 0],
          [1, 'cancelled', 1],
        ],
      );
      assert.equal(await office.dialer.cancelAll(), 2);
      await office.pass(HOUR);
      assert.equal(office.outcomes.length, 4);
      assert.ok(!office.dialled.includes(numbered(3)));
    });

    it('ask what has become of one, by number or key', async () => {
      await office.place(office.autocall(ONE, { key: 'a' }));
      await office.breathe();
      office.line.pbx.phase(office.channelOf(ONE), 'ringing');
      assert.deepEqual(
        { ...(await office.dialer.status('a')), queuedAt: '', expiresAt: '' },
        { orderId: 1, key: 'a', state: 'in-air', phase: 'ringing', tries: 1, queuedAt: '', expiresAt: '' },
      );
      await office.end(ONE, { outcome: 'answered' });
      assert.equal((await office.dialer.status(1))?.result?.outcome, 'answered');
      assert.equal(await office.dialer.status('b'), undefined);
    });

    it('see how many wait', async () => {
      for (let n = 0; n < 5; n += 1) await office.place(office.autocall(numbered(n)));
      await office.pass(1000);
      assert.deepEqual(office.states.at(-1), { waiting: 3, inAir: 2, isPaused: false });
      await office.end(numbered(0), {});
      await office.pass(1000);
      assert.deepEqual(office.states.at(-1), { waiting: 2, inAir: 2, isPaused: false });
    });
  });

  describe('after a restart', () => {
    it('follows what is still in the air, and dials nothing before that is known', async () => {
      await office.place(office.autocall(ONE));
      await office.breathe();
      const left = office.kill();
      // A new process: another line to the same PBX, which is not up yet.
      const line = new FakeLine(office.line.pbx);
      line.isReady = false;
      const next = await opened({ ...left, line, settings: { lines: 1 } });
      const second = next.place(next.autocall(TWO));
      await next.pass(60_000);
      await second;
      line.isReady = true;
      await next.pass(2000);
      assert.deepEqual(next.dialled, [ONE], 'its line is taken');
      await next.end(ONE, { outcome: 'confirmed' });
      assert.deepEqual(
        next.outcomes.map(({ outcome }) => outcome),
        ['confirmed'],
      );
      assert.deepEqual(next.dialled, [ONE, TWO]);
    });

    it('does not dial again what is gone: the outcome says that nobody knows', async () => {
      await office.place(office.autocall(ONE, { tries: 9 }));
      await office.breathe();
      const next = await opened({ ...office.kill(), line: new FakeLine() });
      await next.pass(HOUR);
      assert.deepEqual(
        next.outcomes.map(({ outcome, error }) => [outcome, error?.code]),
        [['failed', 'LINE_UNKNOWN']],
      );
      assert.deepEqual(next.dialled, []);
    });

    it('hears how a call ended that ended while only its node was deployed anew', async () => {
      await office.place(office.autocall(ONE));
      await office.breathe();
      await office.dialer.close();
      office.line.pbx.end(office.channelOf(ONE), { outcome: 'confirmed', reached: 'yes', endedAt: 1 });
      const next = await opened({ orders: office.orders, line: office.line, clock: office.clock });
      assert.deepEqual(
        next.outcomes.map(({ outcome }) => outcome),
        ['confirmed'],
      );
      assert.deepEqual(office.outcomes, []);
    });

    it('tells first what could not be told, and tells it with the same eventId', async () => {
      await office.place(office.autocall(ONE));
      await office.breathe();
      await office.end(ONE, {});
      // Killed before it was noted that the flow has heard it.
      const next = await opened(office.kill());
      assert.equal(next.outcomes[0]?.eventId, office.outcomes[0]?.eventId);
      await next.pass(1000);
      assert.ok([...office.orders.disk.rows.values()].every(({ told }) => told));
    });
  });

  describe('when the store is not what it was', () => {
    it('restored from a copy: dials nothing, not even clicks, until it is resumed, and says so', async () => {
      const orders = new MemoryOrders();
      orders.disk.loss = 'restored';
      const held = await opened({ orders });
      await held.place(held.click(ONE));
      await held.place(held.autocall(TWO));
      await held.pass(60_000);
      assert.deepEqual(held.dialled, []);
      assert.equal(held.outcomes[0]?.error?.code, 'ORDER_EXPIRED_PAUSED');
      assert.deepEqual(held.warnings, ['ORDERS_HELD_RESTORED']);
      assert.deepEqual(held.states.at(-1), {
        waiting: 1,
        inAir: 0,
        isPaused: true,
        loss: 'restored',
        nextAt: Date.UTC(2026, 0, 5, 10),
      });
      await held.dialer.setPaused(false);
      await held.breathe();
      assert.deepEqual(held.dialled, [TWO]);
      const next = await opened(held.kill());
      assert.equal((await next.dialer.counts()).loss, undefined);
    });

    it('begun anew, without the do-not-call list: makes no autocalls, and goes on with clicks', async () => {
      for (const mode of ['autocall', 'click'] as const) {
        const orders = new MemoryOrders();
        orders.disk.loss = 'begun-anew';
        const one = await opened({ orders, mode });
        await one.place(mode === 'click' ? one.click(ONE) : one.autocall(ONE));
        await one.pass(1000);
        assert.deepEqual(one.dialled, mode === 'click' ? [ONE] : []);
        assert.deepEqual(one.warnings, mode === 'click' ? [] : ['ORDERS_HELD_ANEW']);
      }
    });

    it('is noticed while it dials, before the next try, though the file changed behind its back', async () => {
      for (const number of [ONE, TWO, numbered(3)]) await office.place(office.autocall(number));
      await office.breathe();
      assert.deepEqual(office.dialled, [ONE, TWO]);
      office.orders.disk.loss = 'begun-anew';
      office.orders.disk.rows.clear();
      await office.place(office.autocall(numbered(4)));
      await office.end(ONE, { outcome: 'confirmed' });
      await office.pass(10_000);
      assert.deepEqual(office.dialled, [ONE, TWO]);
      assert.deepEqual(
        office.outcomes.map(({ outcome }) => outcome),
        ['confirmed'],
        'what was in the air is told, though the file does not know it',
      );
      await office.dialer.setPaused(false);
      await office.pass(1000);
      assert.deepEqual(office.dialled, [ONE, TWO, numbered(4)]);
    });
  });

  describe('orders of a node that is gone', () => {
    const left = async (): Promise<Office> => {
      const gone = await opened({ queue: 'gone' });
      for (const number of [ONE, TWO, numbered(3)]) await gone.place(gone.autocall(number));
      await gone.breathe();
      gone.kill();
      const line = new FakeLine(gone.line.pbx);
      return opened({ orders: new MemoryOrders(gone.orders.disk), line, clock: gone.clock });
    };

    it('are left alone until they are taken over; what was in the air is followed to its end', async () => {
      const mine = await left();
      await mine.pass(10_000);
      assert.deepEqual(mine.dialled, [ONE, TWO]);
      assert.deepEqual(await mine.orders.queues(), ['gone']);
      assert.equal(await mine.dialer.adopt(['gone']), 3);
      await mine.breathe();
      await mine.end(ONE, { outcome: 'confirmed' });
      await mine.pass(1000);
      assert.deepEqual(mine.dialled, [ONE, TWO, numbered(3)]);
      assert.deepEqual(
        mine.outcomes.map(({ outcome }) => outcome),
        ['confirmed'],
      );
    });

    it('are left alone by a node of another kind', async () => {
      const gone = await opened({ queue: 'gone' });
      await gone.place(gone.autocall(ONE));
      gone.kill();
      const clicks = await opened({ orders: new MemoryOrders(gone.orders.disk), clock: gone.clock, mode: 'click' });
      assert.equal(await clicks.dialer.adopt(['gone']), 0);
      await clicks.pass(10_000);
      assert.deepEqual(clicks.dialled, []);
      assert.deepEqual(await clicks.orders.queues(), ['gone']);
    });

    it('stay paused, when their node was', async () => {
      const gone = await opened({ queue: 'gone' });
      await gone.dialer.setPaused(true);
      await gone.place(gone.autocall(ONE));
      gone.kill();
      const mine = await opened({ orders: new MemoryOrders(gone.orders.disk), clock: gone.clock });
      assert.equal(await mine.dialer.adopt(['gone']), 1);
      await mine.pass(10_000);
      assert.deepEqual(mine.dialled, []);
      await mine.dialer.setPaused(false);
      await mine.pass(1000);
      assert.deepEqual(mine.dialled, [ONE]);
    });

    it('are cancelled without being dialled', async () => {
      const mine = await left();
      assert.equal(await mine.dialer.cancelOf(['gone']), 1);
      await mine.end(ONE, {});
      await mine.end(TWO, {});
      await mine.pass(1000);
      assert.deepEqual(mine.dialled, [ONE, TWO]);
      assert.deepEqual(
        mine.outcomes.map(({ outcome }) => outcome),
        ['cancelled', 'answered', 'answered'],
      );
      assert.deepEqual(await mine.dialer.counts(), { waiting: 0, inAir: 0, isPaused: false });
    });

    it('are followed to their end when others cannot be cancelled, which stay where they are', async () => {
      const mine = await left();
      const refused = storeError('STORE_TOO_LARGE', { limit: 1 });
      const finish = mine.orders.finish.bind(mine.orders);
      mine.orders.finish = () => Promise.reject(refused);
      assert.equal(await mine.dialer.cancelOf(['gone']), 0);
      mine.orders.finish = finish;
      await mine.end(ONE, { outcome: 'confirmed' });
      await mine.end(TWO, {});
      await mine.pass(10_000);
      assert.deepEqual(
        mine.outcomes.map(({ outcome }) => outcome),
        ['confirmed', 'answered'],
      );
      assert.deepEqual(mine.dialled, [ONE, TWO]);
      assert.deepEqual(await mine.orders.queues(), ['gone']);
    });
  });

  describe('while the store fails', () => {
    const broken = storeError('STORE_IO', { file: 'x', reason: 'x' });

    it('dials nothing and takes nothing; what ended meanwhile is written when it works again', async () => {
      await office.place(office.autocall(ONE));
      await office.place(office.autocall(TWO));
      await office.place(office.autocall(numbered(3)));
      await office.breathe();
      office.orders.broken = broken;
      await assert.rejects(office.place(office.autocall(numbered(4))), code('STORE_IO'));
      await office.end(ONE, { outcome: 'confirmed' });
      await office.pass(10_000);
      assert.equal(office.states.at(-1)?.problem?.code, 'STORE_IO');
      assert.equal(office.dialled.length, 2);
      assert.deepEqual(office.outcomes, []);
      office.orders.broken = undefined;
      await office.pass(3000);
      assert.deepEqual(
        office.outcomes.map(({ outcome }) => outcome),
        ['confirmed'],
      );
      assert.equal(office.dialled.length, 3);
    });

    it('neither loses nor doubles what it wrote although it said it failed', async () => {
      office.line.isReady = false;
      await office.place(office.autocall(ONE));
      await office.pass(1000);
      office.orders.breaksAfter = broken;
      office.line.isReady = true;
      await office.pass(5000);
      office.orders.breaksAfter = undefined;
      await office.pass(5000);
      assert.deepEqual(office.dialled, [ONE]);
      office.orders.breaksAfter = broken;
      await office.end(ONE, {});
      await office.pass(5000);
      office.orders.breaksAfter = undefined;
      await office.pass(5000);
      assert.equal(office.outcomes.length, 1);
      assert.equal(office.outcomes[0]?.tries, 1);
    });

    it('never dials what it refused, though the store kept it: it is taken back, and can be ordered again', async () => {
      const { orders } = office;
      const put = orders.put.bind(orders);
      orders.put = async (list) => {
        await put(list);
        throw broken;
      };
      for (const order of [office.autocall(ONE, { key: 'k' }), office.autocall(TWO), office.click(numbered(3))]) {
        await assert.rejects(office.place(order), code('STORE_IO'));
        assert.equal(orders.disk.rows.size, 1);
        orders.broken = broken;
        await office.pass(10_000);
        orders.broken = undefined;
        await office.pass(3000);
        assert.equal(orders.disk.rows.size, 0);
      }
      assert.deepEqual(office.dialled, []);
      assert.deepEqual(office.outcomes, []);
      orders.put = put;
      assert.equal((await office.place(office.autocall(ONE, { key: 'k' }))).isKnown, undefined);
      await office.breathe();
      assert.deepEqual(office.dialled, [ONE]);
    });

    it('does not promise a second asker what it refused to the first', async () => {
      const { orders } = office;
      const put = orders.put.bind(orders);
      orders.put = async (list) => {
        orders.put = put;
        await put(list);
        throw broken;
      };
      const twice = [1, 2].map(() => office.place(office.autocall(ONE, { key: 'k' })));
      const told = await Promise.allSettled(twice);
      assert.deepEqual(
        told.map(({ status }) => status),
        ['rejected', 'rejected'],
      );
      await assert.rejects(
        office.dialer.repeat('k', () => undefined),
        code('STORE_IO'),
      );
      await office.pass(3000);
      assert.equal(orders.disk.rows.size, 0);
      assert.equal(await office.dialer.repeat('k', () => undefined), false);
    });

    it('opens late: what came meanwhile waits for it, five seconds at most', async () => {
      const orders = new MemoryOrders();
      orders.broken = broken;
      const late = await opened({ orders });
      await assert.rejects(late.place(late.autocall(ONE)), code('STORE_IO'));
      orders.broken = undefined;
      await late.pass(3000);
      await late.place(late.autocall(ONE));
      await late.breathe();
      assert.deepEqual(late.dialled, [ONE]);
    });
  });
});
