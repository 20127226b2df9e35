import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createLimiter } from '../../../lib/crm/limiter';
import { TelephonyError } from '../../../lib/errors';
import { FakeClock } from '../../support/fake-clock';

const patient = () => ({ signal: new AbortController().signal });

/** `go`, or the code of the error. */
const result = (promise: Promise<void>): Promise<string> =>
  promise.then(
    () => 'go',
    (error: unknown) => (error instanceof TelephonyError ? error.code : String(error)),
  );

describe('rate limit of a CRM account', () => {
  it('lets a burst go at once and then as many a second as allowed, first come first served', async () => {
    const clock = new FakeClock();
    const limiter = createLimiter({ perSecond: 2, burst: 3 }, clock);
    const went: string[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      void limiter.take(patient()).then(() => went.push(`${name}@${clock.monotonic()}`));
    }
    await clock.advanceAsync(5000);
    assert.deepEqual(went, ['a@0', 'b@0', 'c@0', 'd@500', 'e@1000', 'f@1500']);
    assert.equal(clock.running, 0);
  });

  it('refuses at once, without waiting, whose turn comes after the deadline', async () => {
    const clock = new FakeClock();
    const limiter = createLimiter({ perSecond: 1, burst: 1 }, clock);
    const deadline = 1500;
    const results = [1, 2, 3].map(() => result(limiter.take({ ...patient(), deadline })));
    assert.equal(await results[0], 'go');
    assert.equal(await results[2], 'CRM_LIMITED');
    assert.equal(limiter.waiting, 1);
    await clock.advanceAsync(1000);
    assert.equal(await results[1], 'go');
  });

  it('refuses when too many wait', async () => {
    const limiter = createLimiter({ perSecond: 1, burst: 1, maxWaiting: 2 }, new FakeClock());
    const results = [1, 2, 3, 4].map(() => result(limiter.take(patient())));
    assert.equal(await results[3], 'CRM_LIMITED');
    assert.equal(limiter.waiting, 2);
  });

  it('gives the place of one who left to the next', async () => {
    const clock = new FakeClock();
    const limiter = createLimiter({ perSecond: 1, burst: 1 }, clock);
    await limiter.take(patient());
    const leaver = new AbortController();
    const left = result(limiter.take({ signal: leaver.signal }));
    const next = result(limiter.take(patient()));
    leaver.abort(new TelephonyError('CRM_CLOSED', { en: '', ru: '' }));
    assert.equal(await left, 'CRM_CLOSED');
    await clock.advanceAsync(1000);
    assert.equal(await next, 'go');
    assert.equal(limiter.waiting, 0);
    assert.equal(clock.running, 0);
  });

  it('a pause that the CRM asks for holds all back and refuses now who cannot wait', async () => {
    const clock = new FakeClock();
    const limiter = createLimiter({ perSecond: 1, burst: 1 }, clock);
    await limiter.take(patient());
    const hurried = result(limiter.take({ ...patient(), deadline: 2000 }));
    const lasting = result(limiter.take({ ...patient(), deadline: 9000 }));
    limiter.hold(5000);
    assert.equal(await hurried, 'CRM_LIMITED');
    assert.equal(await result(limiter.take({ ...patient(), deadline: 4000 })), 'CRM_LIMITED');
    await clock.advanceAsync(4999);
    assert.equal(limiter.waiting, 1);
    await clock.advanceAsync(1);
    assert.equal(await lasting, 'go');
  });

  it('lets who is in a hurry go before the background, which has each fourth turn', async () => {
    const clock = new FakeClock();
    const limiter = createLimiter({ perSecond: 1, burst: 1 }, clock);
    await limiter.take(patient());
    const went: string[] = [];
    const take = (name: string, background = false) =>
      void limiter.take({ ...patient(), background }).then(() => went.push(name));
    for (const name of ['A', 'B']) take(name, true);
    for (let n = 1; n <= 9; n += 1) take(String(n));
    await clock.advanceAsync(11_000);
    assert.equal(went.join(''), '123A456B789');
  });

  it('keeps nobody in the background waiting for ever, however many are in a hurry', async () => {
    const clock = new FakeClock();
    const limiter = createLimiter({ perSecond: 2, burst: 1 }, clock);
    let hurried = 0;
    let delivered = 0;
    const delivery = (): void =>
      void limiter.take({ ...patient(), background: true }).then(() => {
        delivered += 1;
        delivery();
      });
    delivery();
    // Three lookups a second, of which none waits longer than for a second.
    for (let n = 0; n < 300; n += 1) {
      const deadline = clock.monotonic() + 1000;
      limiter.take({ ...patient(), deadline }).then(
        () => (hurried += 1),
        () => undefined,
      );
      await clock.advanceAsync(333);
    }
    assert.ok(delivered >= 48 && delivered <= 52, `${delivered} of 200 turns`);
    assert.ok(hurried >= 145, `${hurried} of 200 turns`);
  });

  it('pushes nobody back who has been given his place', async () => {
    const clock = new FakeClock();
    const limiter = createLimiter({ perSecond: 1, burst: 1 }, clock);
    await limiter.take(patient());
    const deadline = 3000;
    const results = [1, 2, 3].map(() => result(limiter.take({ ...patient(), deadline })));
    for (let n = 0; n < 5; n += 1) void limiter.take({ ...patient(), background: true });
    await clock.advanceAsync(3000);
    assert.deepEqual(await Promise.all(results), ['go', 'go', 'go']);
  });

  it('never lets more go than burst + perSecond x time, in any stretch of time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ perSecond: fc.integer({ min: 1, max: 20 }), burst: fc.integer({ min: 1, max: 10 }) }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 700 }), fc.integer({ min: 1, max: 8 })), { maxLength: 15 }),
        async (limits, arrivals) => {
          const clock = new FakeClock();
          const limiter = createLimiter(limits, clock);
          const went: number[] = [];
          let asked = 0;
          for (const [pause, howMany] of arrivals) {
            await clock.advanceAsync(pause);
            for (let i = 0; i < howMany; i += 1) {
              asked += 1;
              void limiter.take(patient()).then(() => went.push(clock.monotonic()));
            }
          }
          await clock.advanceAsync(200_000);
          assert.equal(went.length, asked);
          for (let from = 0; from < went.length; from += 1) {
            for (let to = from; to < went.length; to += 1) {
              const seconds = ((went[to] ?? 0) - (went[from] ?? 0)) / 1000;
              assert.ok(to - from + 1 <= limits.burst + limits.perSecond * seconds + 0.01);
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
