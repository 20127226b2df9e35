import assert from 'node:assert/strict';
import { Backoff } from '../../../lib/ami/backoff';
import { Watchdog } from '../../../lib/ami/watchdog';
import { FakeClock } from '../../support/fake-clock';

describe('AMI reconnects', () => {
  it('come within a second at first and within a minute always, whatever the dice show', () => {
    for (const dice of [0, 0.3, 0.999]) {
      const backoff = new Backoff(() => dice);
      const waits = Array.from({ length: 50 }, () => backoff.next(false, 0));
      assert.ok(waits[0]! <= 1000);
      assert.ok(waits.every((ms) => ms >= 50 && ms <= 60_000));
    }
  });

  it('spread over the whole time that they may take, so that many clients do not come at once', () => {
    const backoff = new Backoff(Math.random);
    for (let n = 0; n < 20; n++) backoff.next(false, 0);
    const waits = Array.from({ length: 1000 }, () => backoff.next(false, 0));
    assert.ok(Math.min(...waits) < 10_000 && Math.max(...waits) > 50_000);
  });

  it('come once a minute after a refusal, and a refusal does not make them slower afterwards', () => {
    const backoff = new Backoff(() => 1);
    assert.equal(backoff.next(true, 0), 60_000);
    assert.equal(backoff.next(true, 0), 60_000);
    assert.equal(backoff.next(false, 0), 1000);
  });
});

describe('AMI watchdog', () => {
  const watch = (): { clock: FakeClock; told: string[]; watchdog: Watchdog } => {
    const clock = new FakeClock();
    const told: string[] = [];
    const watchdog = new Watchdog(
      clock,
      () => told.push('ping'),
      () => {
        told.push('dead');
        watchdog.stop();
      },
    );
    return { clock, told, watchdog };
  };

  it('asks after five seconds of silence and gives up five seconds later', () => {
    const { clock, told } = watch();
    clock.advance(4999);
    assert.deepEqual(told, []);
    clock.advance(1);
    assert.deepEqual(told, ['ping']);
    clock.advance(4999);
    assert.deepEqual(told, ['ping']);
    clock.advance(1);
    assert.deepEqual(told, ['ping', 'dead']);
    assert.equal(clock.running, 0);
  });

  it('does not ask while it hears something', () => {
    const { clock, told, watchdog } = watch();
    for (let second = 0; second < 60; second++) {
      watchdog.heard();
      clock.advance(1000);
    }
    assert.deepEqual(told, []);
  });

  it('takes only the answer for an answer: events may come though the PBX does nothing it is asked', () => {
    const { clock, told, watchdog } = watch();
    clock.advance(5000);
    for (let second = 0; second < 5; second++) {
      watchdog.heard();
      clock.advance(1000);
    }
    assert.deepEqual(told, ['ping', 'dead']);
  });
});
