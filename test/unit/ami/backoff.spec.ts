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

  it('asks every five seconds and gives a silent PBX up five seconds later', () => {
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

  /** Lets seconds pass in each of which an event comes. */
  const talk = (clock: FakeClock, watchdog: Watchdog, seconds: number): void => {
    for (let second = 0; second < seconds; second++) {
      clock.advance(1000);
      watchdog.heard();
    }
  };

  it('asks also while events come: they do not prove that actions are heard', () => {
    const { clock, told, watchdog } = watch();
    talk(clock, watchdog, 5);
    assert.deepEqual(told, ['ping']);
    watchdog.answered();
    talk(clock, watchdog, 5);
    assert.deepEqual(told, ['ping', 'ping']);
  });

  it('gives a PBX that sends events longer to answer, but not for ever', () => {
    const { clock, told, watchdog } = watch();
    talk(clock, watchdog, 5 + 14);
    assert.deepEqual(told, ['ping']);
    talk(clock, watchdog, 1);
    assert.deepEqual(told, ['ping', 'dead']);
  });
});
