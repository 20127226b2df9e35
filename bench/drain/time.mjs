import { subscribe } from 'node:diagnostics_channel';
import { setImmediate } from 'node:timers/promises';
import { require as requireTs } from 'tsx/cjs/api';

const { FakeClock } = requireTs('../../test/support/fake-clock.ts', import.meta.url);

/** Turns of the event loop in which nothing may be under way before the time moves on. */
const QUIET_TURNS = 3;

/**
 * A time that stands still as long as anything is being worked at, and then jumps to the next moment at which somebody wants to be
 * woken: hours of waiting pass at once, and what is measured is the waiting alone. Requests over HTTP are seen by themselves; other
 * work is told to {@link during}.
 */
export class JumpingTime {
  clock = new FakeClock();
  underWay = 0;

  constructor() {
    subscribe('http.client.request.start', ({ request }) => {
      this.underWay += 1;
      request.once('close', () => (this.underWay -= 1));
    });
  }

  /** The same object; the time stands still while one of its methods is at work. */
  during(object) {
    const get = (target, name) => {
      const value = target[name];
      return typeof value === 'function' ? (...args) => this.standStill(value.apply(target, args)) : value;
    };
    return new Proxy(object, { get });
  }

  /** Lets a server take `ms` of this time for each answer. */
  delay(server, ms) {
    server.send = (answer) => {
      this.underWay -= 1;
      this.clock.after(ms, () => {
        this.underWay += 1;
        answer();
      });
    };
  }

  /** Lets the time run until `isDone()`. */
  async run(isDone) {
    while (!isDone()) {
      await this.quiet();
      const { next } = this.clock;
      if (next === undefined) throw new Error('nothing is left to wait for');
      this.clock.advance(next);
    }
  }

  async quiet() {
    for (let turns = 0; turns < QUIET_TURNS; turns += 1) {
      if (this.underWay > 0) turns = -1;
      await setImmediate();
    }
  }

  standStill(work) {
    this.underWay += 1;
    return Promise.resolve(work).finally(() => (this.underWay -= 1));
  }
}
