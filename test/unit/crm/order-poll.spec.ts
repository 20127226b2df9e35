import assert from 'node:assert/strict';
import { crmError } from '../../../lib/crm/errors';
import { OrderPoll } from '../../../lib/crm/order-poll';
import type { OrderQueue, WaitingOrder } from '../../../lib/crm/types';
import { FakeClock } from '../../support/fake-clock';

const order = (id: string, ageMs = 1000, goodForMs = 30_000): WaitingOrder => ({
  id,
  event: 'CLICK',
  data: {},
  goodForMs,
  batch: 'p1',
  ageMs,
});
const unknownAge = (id: string): WaitingOrder => ({ id, event: 'CLICK', data: {}, goodForMs: 30_000, batch: 'p1' });

/** A CRM that keeps a diary. */
class Queue implements OrderQueue {
  readonly diary: string[] = [];
  waiting: WaitingOrder[] = [];
  fetched: WaitingOrder[] = [];
  fails: string | undefined;
  hangs = false;
  limit = 0;

  private async note(what: string, ...ids: string[]): Promise<void> {
    this.diary.push([what, ...ids].join(' '));
    if (this.hangs) await new Promise(() => undefined);
    await Promise.resolve();
    if (this.fails === what) throw crmError('CRM_SERVER_ERROR', { host: 'x', status: 500 });
  }

  open(): Promise<void> {
    return this.note('open');
  }

  async left(): Promise<WaitingOrder[]> {
    await this.note('left');
    return [...this.fetched];
  }

  async fetch(limit: number): Promise<WaitingOrder[]> {
    this.limit = limit;
    const some = this.waiting.splice(0, limit);
    this.fetched.push(...some);
    await this.note('fetch');
    return some;
  }

  async confirm(orders: readonly WaitingOrder[]): Promise<void> {
    await this.note('confirm', ...orders.map(({ id }) => id));
    this.fetched = this.fetched.filter((one) => !orders.includes(one));
  }

  refuse({ id }: WaitingOrder): Promise<void> {
    return this.note('refuse', id);
  }
}

describe('polling a CRM for orders', () => {
  let clock: FakeClock;
  let queue: Queue;
  let poll: OrderPoll;
  let ordered: string[];
  let expired: string[];
  let states: (string | undefined)[];
  let take: (() => void)[];

  const start = () => {
    poll = new OrderPoll(queue, clock, {
      onOrder: ({ id }, ageMs) => {
        ordered.push(`${id} ${ageMs}`);
        return new Promise((resolve) => take.push(resolve));
      },
      onExpired: ({ id }) => void expired.push(id),
      onState: (error) => void states.push(error?.code),
    });
  };

  beforeEach(() => {
    clock = new FakeClock();
    queue = new Queue();
    ordered = [];
    expired = [];
    states = [];
    take = [];
  });

  afterEach(() => {
    poll.close();
    assert.equal(clock.running, 0, 'nothing is left behind');
  });

  it('asks every two seconds, and confirms an order only after it was taken', async () => {
    queue.waiting = [order('1')];
    start();
    await clock.advanceAsync(4000);
    assert.deepEqual(queue.diary, ['open', 'left', 'fetch', 'fetch', 'fetch']);
    assert.deepEqual(ordered, ['1 1000']);
    take[0]?.();
    await clock.advanceAsync(2000);
    assert.equal(queue.diary.at(-1), 'confirm 1');
    await clock.advanceAsync(2000);
    assert.equal(queue.diary.at(-1), 'fetch');
    assert.deepEqual(states, [undefined]);
  });

  it('carries nothing out late: it is refused in the CRM and confirmed at once', async () => {
    queue.waiting = [order('1', 30_000), order('2', 29_000), order('3', 0, 0)];
    start();
    await clock.advanceAsync(0);
    assert.deepEqual(ordered, ['2 29000']);
    assert.deepEqual(expired, ['1'], 'what is no order of ours did not expire');
    assert.deepEqual(queue.diary.slice(-3), ['refuse 1', 'refuse 3', 'confirm 1 3']);
  });

  it('takes an order of unknown age for as old as the last look at the queue', async () => {
    queue.waiting = [unknownAge('1')];
    start();
    await clock.advanceAsync(0);
    assert.deepEqual([ordered, expired], [[], ['1']]);
    queue.waiting = [unknownAge('2')];
    await clock.advanceAsync(2000);
    assert.deepEqual(ordered, ['2 2000']);
  });

  it('hears again of what another process had fetched, and never ends a call that this one may have begun', async () => {
    queue.fetched = [order('1'), order('2', 40_000)];
    start();
    await clock.advanceAsync(0);
    assert.deepEqual([ordered, expired], [['1 1000'], ['2']]);
    assert.ok(!queue.diary.some((line) => line.startsWith('refuse')));
    assert.equal(queue.diary.at(-1), 'confirm 2');
  });

  it('finds orders whose list was lost on the way, once each', async () => {
    start();
    await clock.advanceAsync(0);
    queue.waiting = [order('1')];
    queue.fails = 'fetch';
    await clock.advanceAsync(2000);
    queue.fails = undefined;
    assert.deepEqual(ordered, []);
    await clock.advanceAsync(10_000);
    assert.deepEqual(ordered, ['1 1000']);
    await clock.advanceAsync(60_000);
    assert.deepEqual(ordered, ['1 1000'], 'what is known is not ordered twice');
  });

  it('asks ever more rarely while the CRM is away, says so once, and is back at once', async () => {
    queue.fails = 'open';
    start();
    await clock.advanceAsync(10 * 60_000);
    assert.ok(queue.diary.length < 16, `${queue.diary.length} requests in ten minutes`);
    assert.deepEqual(states, ['CRM_SERVER_ERROR']);
    queue.fails = undefined;
    await clock.advanceAsync(60_000);
    const before = queue.diary.length;
    await clock.advanceAsync(4000);
    assert.equal(queue.diary.length, before + 2);
    assert.deepEqual(states, ['CRM_SERVER_ERROR', undefined]);
  });

  it('does not let what cannot be confirmed or refused keep others waiting', async () => {
    queue.fails = 'refuse';
    queue.waiting = [order('1', 99_000)];
    start();
    await clock.advanceAsync(0);
    queue.waiting = [order('2')];
    await clock.advanceAsync(4000);
    assert.deepEqual(ordered, ['2 1000']);
    queue.fails = undefined;
    await clock.advanceAsync(60_000);
    assert.ok(queue.diary.includes('confirm 1'));
  });

  it('leaves in the CRM what is more than fifty at once', async () => {
    queue.waiting = Array.from({ length: 70 }, (_, at) => order(String(at)));
    start();
    await clock.advanceAsync(10_000);
    assert.deepEqual([ordered.length, queue.waiting.length], [50, 20]);
    for (const one of take) one();
    await clock.advanceAsync(4000);
    assert.equal(ordered.length, 70);
  });

  it('ends at once, whatever it waits for', async () => {
    queue.hangs = true;
    start();
    await clock.advanceAsync(0);
    poll.close();
    await clock.advanceAsync(120_000);
    assert.deepEqual(states, []);
  });
});
