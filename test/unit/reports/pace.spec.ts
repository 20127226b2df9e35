import assert from 'node:assert/strict';
import { makeReport } from '../../../lib/reports/report';
import { reportQuery, usualReport } from '../../../lib/reports/request';
import type { Report } from '../../../lib/reports/types';
import type { QueueFact, Slice, Store } from '../../../lib/store/types';
import { until } from '../../support/wait';
import { record, TempStores } from '../store/support/temp-store';

const HOUR = 60 * 60 * 1000;
const BEGIN = Date.UTC(2026, 0, 1);
const END = BEGIN + 60 * 24 * HOUR;
const USUAL = usualReport({ timeZone: 'Europe/Moscow' });
/** The most that one look may give, so that it and what is counted of it hold the event loop for some milliseconds. */
const MOST_FACTS = 200;
const MOST_CALLS = 20;

const fact = (n: number, more: Partial<QueueFact> = {}): QueueFact => ({
  eventId: `e${n}`,
  pbx: 'Office',
  kind: 'stay',
  at: BEGIN + n * 1000,
  outcome: 'answered',
  queue: `queue${n % 7}`,
  seconds: n % 90,
  ...more,
});
const ask = (store: Store, report: string, more: object = {}): Promise<Report> =>
  makeReport(store, reportQuery({ report, from: BEGIN, to: END, ...more }, USUAL, END), END);

/** Counts the turns of the event loop. */
class TurnCounter {
  turn = 0;
  private next = setImmediate(() => this.tick());

  stop(): void {
    clearImmediate(this.next);
  }

  private tick(): void {
    this.turn += 1;
    this.next = setImmediate(() => this.tick());
  }
}

describe('reports of much', () => {
  let stores: TempStores;
  let store: Store;
  let turns: TurnCounter;
  /** In which turn each look into the store was, and how much it gave. */
  let looks: { readonly turn: number; readonly rows: number }[];
  /** The store, with its looks noted. */
  let watched: Store;
  beforeEach(async () => {
    stores = new TempStores();
    store = await stores.ready();
    turns = new TurnCounter();
    looks = [];
    const noted = async <T>(look: Promise<Slice<T>>): Promise<Slice<T>> => {
      const { turn } = turns;
      const slice = await look;
      looks.push({ turn, rows: slice.rows.length });
      return slice;
    };
    watched = {
      queueFacts: { read: (query, after) => noted(store.queueFacts.read(query, after)) },
      calls: { unanswered: (query, after) => noted(store.calls.unanswered(query, after)) },
    } as Pick<Store, 'queueFacts' | 'calls'> as Store;
  });
  afterEach(async () => {
    turns.stop();
    await stores.clean();
  });

  const assertOneLookATurn = (most: number): void => {
    assert.ok(looks.every(({ rows }) => rows <= most));
    assert.equal(new Set(looks.map(({ turn }) => turn)).size, looks.length, 'each look in a turn of its own');
  };

  it('go through the facts in small looks, each in a turn of the event loop of its own', async () => {
    const rings = Array.from({ length: 1200 }, (_, n) => fact(n, { kind: 'ring', agent: `10${n % 9}` }));
    await store.queueFacts.put([...Array.from({ length: 2100 }, (_, n) => fact(n + 5000)), ...rings]);
    assert.equal((await ask(watched, 'queues', { by: 'hour' })).total.offered, 2100);
    assert.equal((await ask(watched, 'agents', { by: 'day' })).total.offered, 1200);
    assert.ok(looks.length >= Math.ceil(2100 / MOST_FACTS) + Math.ceil(1200 / MOST_FACTS));
    assertOneLookATurn(MOST_FACTS);
  });

  it('made at the same time take turns: together they hold the event loop no longer than one', async () => {
    await store.queueFacts.put(Array.from({ length: 1600 }, (_, n) => fact(n)));
    const made = await Promise.all(Array.from({ length: 7 }, () => ask(watched, 'queues')));
    assert.ok(made.every(({ total }) => total.offered === 1600));
    assertOneLookATurn(MOST_FACTS);
  });

  it('of missed calls look for few clients at a time', async () => {
    const startedAt = new Date(BEGIN + HOUR).toISOString();
    await store.calls.put(
      Array.from({ length: 90 }, (_, n) =>
        record(`m${n}`, { startedAt, result: 'missed', talked: [], client: { number: `8916${1_000_000 + n}` } }),
      ),
    );
    assert.equal((await ask(watched, 'missed')).rows.length, 90);
    assertOneLookATurn(MOST_CALLS);
  });

  it('let the others have their turn while they count agents who never log out', async () => {
    await store.queueFacts.put(
      Array.from({ length: 100 }, (_, n) =>
        fact(0, { eventId: `login${n}`, kind: 'state', outcome: 'login', agent: String(100 + n) }),
      ),
    );
    await assert.rejects(ask(watched, 'agents', { by: 'hour' }), { code: 'REPORT_TOO_LARGE' });
    const since = turns.turn - (looks.at(-1)?.turn ?? 0);
    assert.ok(since >= 20_000 / 500 - 1, `20 000 hours were counted in ${since} turns`);
  });

  it('are made a few at once; the others wait, and those that are too many are refused', async () => {
    let reading = 0;
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const stuck = {
      queueFacts: {
        read: async (): Promise<Slice<never>> => {
          reading += 1;
          await released;
          return { rows: [] };
        },
      },
    } as unknown as Store;
    const asked = Array.from({ length: 104 }, () => ask(stuck, 'queues'));
    await assert.rejects(ask(stuck, 'queues'), { code: 'REPORTS_BUSY' });
    await until(() => reading === 4, 'four reports are being made');
    release();
    assert.equal((await Promise.all(asked)).length, 104);
    assert.equal((await ask(stuck, 'queues')).rows.length, 0, 'and then there is room again');
  });
});
