import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AttemptResult, OrderOutcome } from '../../../lib/dialer/types';
import { storeError } from '../../../lib/store/errors';
import { FakeLine, FakePbx } from '../../support/fake-line';
import { MemoryOrders, OrderDisk } from '../../support/memory-orders';
import { HOUR, numbered, Office } from './support/office';

/** More of them in the long form: DIALER_RUNS=2000. */
const RUNS = Number(process.env.DIALER_RUNS ?? 60);
const LINES = 3;
const OF_TRUNK_A = 2;
const STEPS = 60;

/** The same sequence for the same seed. */
function dice(seed: number): (sides: number) => number {
  let state = (seed % 2_147_483_646) + 1;
  return (sides) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % sides;
  };
}

const RESULTS: readonly Pick<AttemptResult, 'outcome' | 'reached'>[] = [
  { outcome: 'answered', reached: 'yes' },
  { outcome: 'heard-partly', reached: 'yes' },
  { outcome: 'busy', reached: 'no' },
  { outcome: 'no-answer', reached: 'no' },
  { outcome: 'machine', reached: 'no' },
  { outcome: 'failed', reached: 'unknown' },
];

/** A campaign in which everything goes wrong at any moment. */
class Campaign {
  readonly accepted = new Set<number>();
  readonly told: OrderOutcome[] = [];
  /** Orders that must not be dialled any more: the client was reached, or may have been. */
  private readonly closed = new Map<number, string>();
  readonly pbx = new FakePbx((order) => (order.priority % 2 === 0 ? 'A' : 'B'));
  private readonly disk = new OrderDisk();
  private office: Office;
  private placed = 0;
  private readonly random: (sides: number) => number;

  constructor(seed: number) {
    this.random = dice(seed);
    this.office = this.begin();
  }

  private readonly delay = async (): Promise<void> => {
    for (let rounds = this.random(3); rounds > 0; rounds -= 1) await new Promise((resolve) => setImmediate(resolve));
  };

  private begin(clock?: Office['clock']): Office {
    const office = new Office({
      orders: new MemoryOrders(this.disk, this.delay),
      line: new FakeLine(this.pbx, this.delay),
      settings: { lines: LINES, trunkLines: { A: OF_TRUNK_A }, maxWaiting: 1000 },
      onOutcome: (outcome) => void this.told.push(outcome),
      ...(clock === undefined ? {} : { clock }),
    });
    office.dialer.start();
    return office;
  }

  private place(): void {
    const { office, random } = this;
    this.placed += 1;
    const order = office.autocall(numbered(this.placed), {
      priority: random(10),
      tries: 1 + random(3),
      periodMs: 1000 * (1 + random(10)),
      expiresAt: office.clock.now() + 5000 * (1 + random(60)),
      ...(random(2) === 0 ? { key: `k${random(20)}` } : {}),
    });
    office.dialer.place(order, undefined, ({ orderId }) => void this.accepted.add(orderId)).catch(() => undefined);
  }

  private endOne(): void {
    const { alive } = this.pbx;
    const call = alive[this.random(Math.max(alive.length, 1))];
    const result = RESULTS[this.random(RESULTS.length)];
    if (!call || !result) return;
    const { orderId, channelId } = call.attempt;
    if (result.reached !== 'no') this.closed.set(orderId, channelId);
    this.pbx.end(channelId, { ...result, endedAt: this.office.clock.now() });
  }

  private step(): void {
    const { office, random } = this;
    switch (random(12)) {
      case 0: {
        const { clock } = office.kill();
        this.office = this.begin(clock);
        break;
      }
      case 1:
        void office.dialer.close();
        this.office = this.redeployed();
        break;
      case 2:
        office.line.isReady = !office.line.isReady;
        break;
      case 3:
        office.orders.broken = office.orders.broken ? undefined : storeError('STORE_IO', { file: 'x', reason: 'x' });
        break;
      case 4:
        office.orders.breaksAfter = office.orders.breaksAfter
          ? undefined
          : storeError('STORE_IO', { file: 'x', reason: 'x' });
        break;
      case 5:
        office.dialer.cancel(1 + random(Math.max(this.disk.ids, 1))).catch(() => undefined);
        break;
      case 6:
        office.line.isCut = !office.line.isCut;
        break;
      case 7:
      case 8:
        this.endOne();
        break;
      default:
        this.place();
    }
  }

  /** Only the node was deployed anew: the line is the same. */
  private redeployed(): Office {
    const { line, clock } = this.office;
    const office = new Office({
      orders: new MemoryOrders(this.disk, this.delay),
      line,
      clock,
      settings: { lines: LINES, trunkLines: { A: OF_TRUNK_A }, maxWaiting: 1000 },
      onOutcome: (outcome) => void this.told.push(outcome),
    });
    office.dialer.start();
    return office;
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step += 1) {
      this.step();
      // Now and then hardly anything gets done between two of them, mostly what is under way.
      await this.office.clock.advanceAsync(this.random(4) * 700);
      if (this.random(3) > 0) await this.office.breathe();
    }
    const { office } = this;
    office.orders.broken = undefined;
    office.orders.breaksAfter = undefined;
    office.line.isCut = false;
    office.line.isReady = true;
    await office.pass(10_000);
    for (let round = 0; round < 200 && [...this.disk.rows.values()].some(({ told }) => !told); round += 1) {
      this.endOne();
      await office.pass(5000);
    }
    await office.pass(HOUR);
    const closing = office.dialer.close();
    await office.pass(2000);
    await closing;
  }

  check(): void {
    const { dialled, most } = this.pbx;
    const channels = dialled.map(({ channelId }) => channelId);
    assert.equal(new Set(channels).size, channels.length, 'a try is dialled once');
    for (const [orderId, last] of this.closed) {
      const tries = dialled.filter((attempt) => attempt.orderId === orderId);
      assert.equal(tries.at(-1)?.channelId, last, `order ${orderId} was dialled again after the client was reached`);
    }
    for (const { order, startedAt, orderId } of dialled) {
      assert.ok(startedAt < order.expiresAt, `order ${orderId} was dialled late`);
      const { length } = dialled.filter((attempt) => attempt.orderId === orderId);
      assert.ok(length <= order.tries, `order ${orderId} was dialled ${length} times`);
    }
    assert.ok((most.get('all') ?? 0) <= LINES, `${most.get('all')} at once`);
    assert.ok((most.get('A') ?? 0) <= OF_TRUNK_A, `${most.get('A')} at once over A`);
    for (const id of this.disk.rows.keys()) {
      const outcomes = this.told.filter(({ orderId }) => orderId === id);
      assert.ok(outcomes.length > 0, `order ${id} was forgotten`);
      const different = new Set(outcomes.map(({ eventId, outcome }) => `${eventId} ${outcome}`));
      assert.equal(different.size, 1, `order ${id} was told in several ways`);
    }
    for (const id of this.accepted) assert.ok(this.disk.rows.has(id));
  }
}

describe('dialler, killed between any two steps', function () {
  this.timeout(60_000 + RUNS * 1000);

  it('dials no order twice, forgets none, and keeps its caps', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2_000_000_000 }), async (seed) => {
        const campaign = new Campaign(seed);
        await campaign.run();
        campaign.check();
      }),
      { numRuns: RUNS },
    );
  });
});
