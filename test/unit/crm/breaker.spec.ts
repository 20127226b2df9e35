import assert from 'node:assert/strict';
import { createBreaker, type Breaker } from '../../../lib/crm/breaker';
import { FakeClock } from '../../support/fake-clock';

describe('circuit breaker of a CRM account', () => {
  let clock: FakeClock;
  let breaker: Breaker;

  const failTimes = (times: number) => {
    for (let i = 0; i < times; i += 1) breaker.failed();
  };

  beforeEach(() => {
    clock = new FakeClock();
    breaker = createBreaker(clock);
  });

  it('opens after five failures in a row, not after five with a success between them', () => {
    failTimes(4);
    breaker.succeeded();
    failTimes(4);
    assert.equal(breaker.admit(), true);
    failTimes(1);
    assert.equal(breaker.state, 'open');
    assert.equal(breaker.admit(), false);
    assert.equal(breaker.retryAfterMs, 10_000);
  });

  it('lets one question try after the pause, and closes when it succeeds', () => {
    failTimes(5);
    clock.advance(10_000);
    assert.equal(breaker.state, 'half-open');
    assert.equal(breaker.admit(), true);
    assert.equal(breaker.admit(), false);
    breaker.succeeded();
    assert.equal(breaker.state, 'closed');
    assert.equal(breaker.admit() && breaker.admit(), true);
  });

  it('doubles the pause up to a minute while the tries fail, and begins anew after a success', () => {
    failTimes(5);
    const pauses: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      pauses.push(breaker.retryAfterMs);
      clock.advance(breaker.retryAfterMs);
      assert.equal(breaker.admit(), true);
      breaker.failed();
    }
    assert.deepEqual(pauses, [10_000, 20_000, 40_000, 60_000, 60_000]);
    clock.advance(60_000);
    breaker.admit();
    breaker.succeeded();
    failTimes(5);
    assert.equal(breaker.retryAfterMs, 10_000);
  });

  it('failures of questions sent before it opened do not lengthen the pause', () => {
    failTimes(5);
    clock.advance(1000);
    failTimes(20);
    assert.equal(breaker.retryAfterMs, 9000);
  });

  it('a try that was never sent leaves the place to another', () => {
    failTimes(5);
    clock.advance(10_000);
    assert.equal(breaker.admit(), true);
    breaker.skipped();
    assert.equal(breaker.admit(), true);
  });
});
