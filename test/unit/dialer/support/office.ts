import { Dialer } from '../../../../lib/dialer/dialer';
import type { DialerOptions, DialerState } from '../../../../lib/dialer/options';
import type {
  AttemptResult,
  AutocallOrder,
  ClickOrder,
  DialerSettings,
  OrderOutcome,
  OrderProgress,
} from '../../../../lib/dialer/types';
import type { Log } from '../../../../lib/log';
import type { DialGuard } from '../../../../lib/outbound/types';
import { numberingPlan } from '../../../../lib/phone';
import { FakeClock } from '../../../support/fake-clock';
import { FakeLine } from '../../../support/fake-line';
import { MemoryBlocked, MemoryOrders } from '../../../support/memory-orders';

export const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Nothing is forbidden and nothing is capped. */
export const openGuard: DialGuard = {
  objection: () => undefined,
  take: () => ({ free: true }),
  remember: () => undefined,
};

/** Windows by the UTC hour alone, whatever the zones: `from` and `to` in minutes. */
const utcOpenings: DialerOptions['openings'] = {
  isOpen: (windows, _zones, now) => {
    const minute = Math.floor((now % DAY) / 60_000);
    return windows.some(({ from, to }) => minute >= from && minute < to);
  },
  nextOpening(windows, zones, now, until) {
    for (let at = now; at < until; at = (Math.floor(at / 60_000) + 1) * 60_000) {
      if (utcOpenings.isOpen(windows, zones, at)) return at;
    }
    return undefined;
  },
  nextClosing(windows, zones, now, until) {
    let at = now;
    while (at < until && utcOpenings.isOpen(windows, zones, at)) at = (Math.floor(at / 60_000) + 1) * 60_000;
    return Math.min(at, until);
  },
};

/** One dialler over a disk and a PBX that may be those of an earlier one. */
export class Office {
  readonly clock: FakeClock;
  readonly orders: MemoryOrders;
  readonly line: FakeLine;
  readonly dialer: Dialer;
  readonly progress: OrderProgress[] = [];
  readonly outcomes: OrderOutcome[] = [];
  readonly replies: unknown[] = [];
  readonly states: DialerState[] = [];
  readonly warnings: string[] = [];

  constructor(
    more: Partial<Omit<DialerOptions, 'settings' | 'orders' | 'line' | 'clock'>> & {
      readonly settings?: Partial<DialerSettings>;
      readonly orders?: MemoryOrders;
      readonly line?: FakeLine;
      readonly clock?: FakeClock;
    } = {},
  ) {
    this.clock = more.clock ?? new FakeClock(Date.UTC(2026, 0, 5, 10));
    this.orders = more.orders ?? new MemoryOrders();
    this.line = more.line ?? new FakeLine();
    const log: Log = {
      info: () => undefined,
      debug: () => undefined,
      warn: (what) => void this.warnings.push(typeof what === 'string' ? what : what.code),
    };
    this.dialer = new Dialer({
      queue: 'node',
      mode: 'autocall',
      pbx: 'office',
      blocked: new MemoryBlocked(this.orders.disk),
      guard: openGuard,
      plan: numberingPlan({ country: 'RU' }),
      openings: utcOpenings,
      log,
      lang: 'en',
      onProgress: (told) => void this.progress.push(told),
      onOutcome: (told, reply) => {
        this.outcomes.push(told);
        this.replies.push(reply);
      },
      onState: (state) => void this.states.push(state),
      ...more,
      orders: this.orders,
      line: this.line,
      clock: this.clock,
      settings: { lines: 2, trunkLines: {}, windows: [], maxWaiting: 1000, ...more.settings },
    });
  }

  async start(): Promise<this> {
    this.dialer.start();
    await this.breathe();
    return this;
  }

  /** Ends as a process that is killed does: what it began is not finished, and the next one has its disk and its clock. */
  kill(): { readonly orders: MemoryOrders; readonly clock: FakeClock } {
    this.orders.isKilled = true;
    this.line.isAlive = false;
    return { orders: new MemoryOrders(this.orders.disk), clock: this.clock };
  }

  /** Lets everything happen that needs no time. */
  breathe(): Promise<void> {
    return this.pass(0);
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advanceAsync(ms);
    for (let round = 0; round < 6; round += 1) await this.clock.advanceAsync(0);
  }

  async place(order: AutocallOrder | ClickOrder, reply?: unknown): Promise<OrderProgress> {
    const told: OrderProgress[] = [];
    await this.dialer.place(order, reply, (first) => void told.push(first));
    const [first] = told;
    if (!first || told.length > 1) throw new Error(`told ${told.length} times`);
    return first;
  }

  autocall(number: string, more: Partial<AutocallOrder> = {}): AutocallOrder {
    return {
      mode: 'autocall',
      number,
      e164: number,
      files: ['hello'],
      detectMachine: false,
      triesOf: {},
      timeZones: ['UTC'],
      expiresAt: this.clock.now() + HOUR,
      priority: 5,
      tries: 1,
      periodMs: 10_000,
      variables: {},
      ...more,
    };
  }

  click(number: string, more: Partial<ClickOrder> = {}): ClickOrder {
    const expiresAt = this.clock.now() + 30_000;
    const base = { priority: 5, tries: 1, periodMs: 5000, variables: {}, expiresAt };
    return { mode: 'click', extension: '101', number, e164: number, ...base, ...more };
  }

  /** The numbers whose tries have reached the PBX, in order. */
  get dialled(): string[] {
    return this.line.pbx.dialled.map(({ order }) => (order.mode === 'plain' ? order.channel : order.number));
  }

  /** Ends the call that is alive at a number. */
  async end(number: string, result: Partial<AttemptResult>): Promise<void> {
    const call = this.line.pbx.alive.find(
      ({ attempt }) => 'number' in attempt.order && attempt.order.number === number,
    );
    if (!call) throw new Error(`no call to ${number}`);
    const whole: AttemptResult = { outcome: 'answered', reached: 'yes', endedAt: this.clock.now(), ...result };
    this.line.pbx.end(call.attempt.channelId, whole);
    await this.breathe();
  }

  channelOf(number: string): string {
    return this.line.pbx.dialled.findLast(({ order }) => 'number' in order && order.number === number)?.channelId ?? '';
  }
}

/** `+7495000` and four digits. */
export const numbered = (index: number): string => `+7495000${String(index).padStart(4, '0')}`;
