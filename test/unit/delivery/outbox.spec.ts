import assert from 'node:assert/strict';
import { badAnswer, crmError } from '../../../lib/crm/errors';
import type { DeliverableEvent, Delivered } from '../../../lib/crm/types';
import { Outbox } from '../../../lib/delivery/outbox';
import { retryClass } from '../../../lib/delivery/retry-class';
import type { DeliveryState } from '../../../lib/delivery/types';
import { TelephonyError } from '../../../lib/errors';
import { silentLog } from '../../../lib/log';
import { recordingError } from '../../../lib/recordings/errors';
import { storeError } from '../../../lib/store/errors';
import { FakeClock } from '../../support/fake-clock';
import { MemoryOutbox } from './memory-outbox';

const event = (
  callId: string,
  topic: 'call_ringing' | 'call_answer' | 'call_hangup' = 'call_hangup',
): DeliverableEvent => ({
  topic,
  payload: {
    eventId: `${callId}:${topic}`,
    pbx: 'office',
    callId,
    direction: 'in',
    startedAt: '2026-11-21T10:00:00.000Z',
  },
});
const down = () => crmError('CRM_SERVER_ERROR', { host: 'crm', status: 503 });
const refused = () => crmError('CRM_REFUSED', { host: 'crm', status: 400, words: 'no such thing' });

describe('the outbox', () => {
  /** Another one for each test: what one leaves behind is no matter of the next. */
  let queue = 0;
  let table: MemoryOutbox;
  let clock: FakeClock;
  let outbox: Outbox;
  let tried: string[];
  let delivered: string[];
  let givenUp: string[];
  let states: DeliveryState[];
  let crm: (event: DeliverableEvent) => Promise<void> | void;

  const open = (): Outbox =>
    (outbox = new Outbox({
      queue: `q${queue}`,
      table,
      clock,
      log: silentLog,
      giveUpMs: 7 * 86_400_000,
      deliver: async (one): Promise<Delivered> => {
        tried.push(one.payload.eventId);
        await crm(one);
        return { status: 'delivered', answer: 'ok' };
      },
      onDelivered: ({ payload }) => delivered.push(payload.eventId),
      onGivenUp: ({ payload }, error) => givenUp.push(`${payload.eventId} ${error.code}`),
      onState: (state) => states.push(state),
      random: () => 0.5,
    }));
  /** Lets everything run that is due, for so many ms. */
  const run = async (ms = 0): Promise<void> => {
    for (let left = ms; left >= 0; left -= 500) {
      await clock.advanceAsync(Math.min(left, 500));
      for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  beforeEach(() => {
    queue += 1;
    table = new MemoryOutbox();
    clock = new FakeClock();
    tried = [];
    delivered = [];
    givenUp = [];
    states = [];
    crm = () => undefined;
    open().start();
  });
  afterEach(async () => {
    const closed = outbox.close();
    await clock.advanceAsync(2000);
    await closed;
  });

  it('delivers what was accepted, once', async () => {
    await outbox.accept(event('1'));
    await outbox.accept(event('1'));
    await run(1000);
    assert.deepEqual(delivered, ['1:call_hangup']);
    await outbox.accept(event('1'));
    await run(1000);
    assert.deepEqual(tried, ['1:call_hangup'], 'what was delivered lately is known');
    assert.deepEqual(states.at(-1), { waiting: 0, dead: 0 });
  });

  it('keeps the order of one call, and lets others pass', async () => {
    const free: (() => void)[] = [];
    crm = ({ payload }) =>
      'callId' in payload && payload.callId === '1' ? new Promise((go) => free.push(go)) : undefined;
    for (const topic of ['call_ringing', 'call_answer', 'call_hangup'] as const) await outbox.accept(event('1', topic));
    await outbox.accept(event('2'));
    await run();
    assert.deepEqual(tried, ['1:call_ringing', '2:call_hangup']);
    for (const next of ['1:call_answer', '1:call_hangup']) {
      free.shift()?.();
      await run();
      assert.equal(tried.at(-1), next);
    }
    free.shift()?.();
  });

  it('runs ten deliveries at once at most', async () => {
    let open = 0;
    let most = 0;
    crm = async () => {
      most = Math.max(most, (open += 1));
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
    };
    for (let call = 0; call < 50; call += 1) await outbox.accept(event(String(call)));
    await run(2000);
    assert.equal(delivered.length, 50);
    assert.equal(most, 10);
  });

  it('leaves a CRM that is down alone, but for one try at a time, and delivers all in order when it is back', async () => {
    crm = () => Promise.reject(down());
    for (let call = 0; call < 100; call += 1) await outbox.accept(event(String(call)));
    await run(60_000);
    assert.ok(tried.length >= 4 && tried.length <= 20, `${tried.length} tries in a minute for a hundred messages`);
    assert.equal(states.at(-1)?.problem?.code, 'CRM_SERVER_ERROR');
    assert.equal(states.at(-1)?.waiting, 100);
    assert.ok((states.at(-1)?.retryAt ?? 0) > 0);
    crm = () => undefined;
    await run(310_000);
    assert.equal(delivered.length, 100);
    assert.equal(states.at(-1)?.problem, undefined);
  });

  it('forgets none of those that failed while others went through', async () => {
    const answers: (() => void)[] = [];
    let tries = 0;
    crm = () => ((tries += 1) <= 5 ? Promise.reject(down()) : new Promise((answer) => answers.push(answer)));
    await outbox.close();
    for (let call = 0; call < 10; call += 1) {
      const { topic, payload } = event(String(call));
      const body = JSON.stringify({ topic, payload });
      await table.put([
        { queue: 'q', eventId: payload.eventId, orderKey: `call ${call}`, acceptedAt: clock.now(), body },
      ]);
    }
    clock.advance(1000);
    open().start();
    await run();
    assert.equal(tried.length, 10);
    crm = () => undefined;
    for (const answer of answers) answer();
    await run(10_000);
    assert.equal(new Set(delivered).size, 10);
    assert.equal(delivered.length, 10);
  });

  it('does not let one poisoned message hold up the others', async () => {
    crm = ({ payload }) => (payload.eventId.startsWith('poison') ? Promise.reject(down()) : undefined);
    await outbox.accept(event('poison'));
    await outbox.accept(event('poison', 'call_answer'));
    for (let call = 0; call < 30; call += 1) await outbox.accept(event(String(call)));
    await run(60_000);
    assert.equal(delivered.length, 30);
    assert.ok(!tried.includes('poison:call_answer'), 'its own call waits for it');
  });

  it('gives up at once what the CRM will never take, and goes on with the call', async () => {
    crm = ({ topic }) => (topic === 'call_answer' ? Promise.reject(refused()) : undefined);
    for (const topic of ['call_ringing', 'call_answer', 'call_hangup'] as const) await outbox.accept(event('1', topic));
    await run(1000);
    assert.deepEqual(delivered, ['1:call_ringing', '1:call_hangup']);
    assert.deepEqual(givenUp, ['1:call_answer CRM_REFUSED']);
    assert.match((await outbox.dead(10))[0]?.lastError?.text.en ?? '', /no such thing/);
    crm = () => undefined;
    assert.equal(await outbox.retry(), 1);
    await run(1000);
    assert.equal(delivered.at(-1), '1:call_answer');
    assert.deepEqual(states.at(-1), { waiting: 0, dead: 0 });
  });

  it('waits as long as the CRM asks, for that message alone', async () => {
    crm = ({ payload }) =>
      payload.eventId.startsWith('1:') && tried.length < 3
        ? Promise.reject(crmError('CRM_LIMITED', { status: 429, retryAfterMs: 30_000 }))
        : undefined;
    await outbox.accept(event('1'));
    await outbox.accept(event('2'));
    await run(29_000);
    assert.deepEqual(tried, ['1:call_hangup', '2:call_hangup']);
    await run(3000);
    assert.deepEqual(delivered, ['2:call_hangup', '1:call_hangup']);
  });

  it('tries again while a recording is being written', async () => {
    let ready = false;
    crm = () => (ready ? undefined : Promise.reject(recordingError('RECORDING_NOT_READY', { file: 'a.wav' })));
    await outbox.accept(event('1'));
    await run(5000);
    ready = true;
    await run(10_000);
    assert.deepEqual(delivered, ['1:call_hangup']);
  });

  it('does not blame the event for a store that fails', async () => {
    const full = storeError('STORE_FULL', { file: 'store.sqlite', reason: 'ENOSPC' });
    crm = () => (tried.length < 2 ? Promise.reject(full) : undefined);
    await outbox.accept(event('1'));
    await run(5000);
    assert.deepEqual([delivered, givenUp], [['1:call_hangup'], []]);
  });

  it('tries every code of the store again, but for what this one event can never be', () => {
    const file = 'store.sqlite';
    const codes = ['STORE_BUSY', 'STORE_CLOSED', 'STORE_LOCKED', 'STORE_IO', 'STORE_FAILED', 'STORE_TAKEN'] as const;
    for (const code of codes) assert.equal(retryClass(storeError(code, { file }), 1), 'later', code);
    for (const code of ['STORE_TOO_LARGE', 'STORE_BAD_VALUE'] as const) {
      assert.equal(retryClass(storeError(code, { what: 'memo' }), 1), 'never', code);
    }
  });

  it('does not take a store that fails for the word of a CRM that is down', async () => {
    const storeFails = storeError('STORE_BUSY', { file: 'store.sqlite', mib: 64 });
    crm = () => Promise.reject(tried.length % 2 === 1 ? down() : storeFails);
    for (let call = 0; call < 50; call += 1) await outbox.accept(event(String(call)));
    await run(60_000);
    assert.ok(tried.length <= 60, `${tried.length} tries in a minute`);
    assert.equal(states.at(-1)?.problem?.code, 'CRM_SERVER_ERROR');
  });

  it('does not take our own limit for a CRM that is back', async () => {
    crm = () => Promise.reject(down());
    await outbox.accept(event('1'));
    await run(1000);
    crm = () => Promise.reject(crmError('CRM_LIMITED', { retryAfterMs: 1000 }));
    await run(2000);
    assert.equal(states.at(-1)?.problem?.code, 'CRM_SERVER_ERROR');
  });

  it('waits where the address of the CRM is wrong, and delivers when it is right', async () => {
    crm = () => Promise.reject(crmError('CRM_NOT_FOUND', { host: 'crm', status: 404 }));
    await outbox.accept(event('1'));
    await run(3_600_000);
    assert.deepEqual(givenUp, []);
    assert.equal(states.at(-1)?.problem?.code, 'CRM_NOT_FOUND');
    crm = () => undefined;
    await run(310_000);
    assert.deepEqual(delivered, ['1:call_hangup']);
  });

  it('asks a CRM that answers nonsense for half an hour, not for days: it may have taken the event', async () => {
    crm = () => Promise.reject(badAnswer({ en: 'it has no id.', ru: 'в нём нет id.' }));
    await outbox.accept(event('1'));
    await run(600_000);
    assert.deepEqual(givenUp, []);
    await run(3_000_000);
    assert.deepEqual(givenUp, ['1:call_hangup CRM_BAD_ANSWER']);
    assert.equal(tried.length, 12);
  });

  it('gives up what is too old, and says why it could not be delivered', async () => {
    crm = () => Promise.reject(down());
    await outbox.accept(event('1'));
    await run(1000);
    clock.advance(8 * 86_400_000);
    await run(400_000);
    assert.deepEqual(givenUp, ['1:call_hangup DELIVERY_TOO_OLD']);
  });

  it('does not give up what was accepted while the clock was wrong', async () => {
    const days = 86_400_000;
    clock.jumpWall(-20_000 * days);
    crm = () => Promise.reject(down());
    await outbox.accept(event('1'));
    await run(1000);
    clock.jumpWall(20_000 * days);
    await run(2 * 3_600_000);
    assert.deepEqual(givenUp, []);
    clock.advance(7 * days);
    await run(400_000);
    assert.deepEqual(givenUp, ['1:call_hangup DELIVERY_TOO_OLD'], 'after as long as it may wait');
  });

  it('tries for an hour what a process before it accepted long ago: its clock may have been wrong', async () => {
    await outbox.close();
    crm = () => Promise.reject(down());
    await table.put([{ queue: 'q', eventId: '1', orderKey: '1', acceptedAt: 0, body: JSON.stringify(event('1')) }]);
    open().start();
    await run(3_500_000);
    assert.deepEqual(givenUp, []);
    await run(800_000);
    assert.deepEqual(givenUp, ['1:call_hangup DELIVERY_TOO_OLD']);
  });

  it('delivers what was tried again before what its call was being tried with meanwhile', async () => {
    crm = () => Promise.reject(refused());
    await outbox.accept(event('1', 'call_ringing'));
    await run();
    let refuse: ((error: TelephonyError) => void) | undefined;
    crm = () => new Promise((_, reject) => (refuse = reject));
    await outbox.accept(event('1', 'call_hangup'));
    await run();
    await outbox.retry();
    await run();
    crm = () => undefined;
    refuse?.(crmError('CRM_LIMITED', { host: 'crm', retryAfterMs: 0 }));
    await run(5000);
    assert.deepEqual(delivered, ['1:call_ringing', '1:call_hangup']);
  });

  it('notes down what the CRM took while it was being closed', async () => {
    let take: (() => void) | undefined;
    crm = () => new Promise((resolve) => (take = resolve));
    await outbox.accept(event('1'));
    await run();
    const closed = outbox.close();
    take?.();
    await closed;
    assert.deepEqual(table.delivered, ['1:call_hangup']);
  });

  it('is not held up by a clock that was set back', async () => {
    crm = () => (tried.length < 2 ? Promise.reject(down()) : undefined);
    await outbox.accept(event('1'));
    await run();
    clock.jumpWall(-3_600_000);
    await run(5000);
    assert.deepEqual(delivered, ['1:call_hangup']);
  });

  it('goes on at once after a restart: what was wrong may have been put right', async () => {
    crm = () => Promise.reject(down());
    for (let call = 0; call < 5; call += 1) await outbox.accept(event(String(call)));
    await run(300_000);
    await outbox.close();
    crm = () => undefined;
    open().start();
    await run();
    assert.equal(delivered.length, 5);
  });

  describe('is deployed again while a slow CRM is being told of a call', () => {
    let answers: { good: () => void; bad: (error: Error) => void }[];
    beforeEach(async () => {
      answers = [];
      crm = () => new Promise((good, bad) => answers.push({ good, bad }));
      await outbox.accept(event('1'));
      await run();
    });
    const close = async (): Promise<void> => {
      const closed = outbox.close();
      await run(2000);
      await closed;
    };

    it('and the answer comes while it waits: the call is not told again', async () => {
      const closed = outbox.close();
      answers[0]?.good();
      await run();
      await closed;
      open().start();
      await run(10_000);
      assert.deepEqual([tried.length, delivered.length, table.items.length], [1, 1, 0]);
    });

    it('and the answer comes before the next one starts: the call is not told again', async () => {
      await close();
      answers[0]?.good();
      await run();
      open().start();
      await run(10_000);
      assert.deepEqual([tried.length, table.items.length], [1, 0]);
    });

    it('and the answer comes later still: the call is not told again, and the flow hears of it once', async () => {
      await close();
      open().start();
      await outbox.accept(event('2'));
      await run(5000);
      assert.deepEqual(tried, ['1:call_hangup', '2:call_hangup'], 'another call goes meanwhile');
      // And once more, through three outboxes.
      await close();
      open().start();
      await run(5000);
      for (const { good } of answers) good();
      await run(10_000);
      assert.deepEqual(tried, ['1:call_hangup', '2:call_hangup']);
      assert.deepEqual([...delivered].sort(), ['1:call_hangup', '2:call_hangup']);
      assert.deepEqual([table.items.length, table.delivered.length], [0, 2]);
    });

    it('and has another store handle: what is delivered is noted down there', async () => {
      const before = table;
      await close();
      before.broken = storeError('STORE_CLOSED', { file: 'x' });
      table = new MemoryOutbox();
      table.items.push(...before.items);
      open().start();
      answers[0]?.good();
      await run(10_000);
      assert.deepEqual([tried.length, delivered.length, table.items.length], [1, 1, 0]);
    });

    it('and the try fails: it is made again, as after any failure', async () => {
      await close();
      open().start();
      await run();
      answers[0]?.bad(crmError('CRM_LIMITED', { retryAfterMs: 60_000 }));
      await run(50_000);
      assert.equal(tried.length, 1);
      await run(20_000);
      assert.equal(tried.length, 2);
      answers[1]?.good();
      await run();
      assert.deepEqual([delivered.length, table.items.length], [1, 0]);
    });

    it('and the connection to the CRM ends: it is made again at once', async () => {
      await close();
      open().start();
      await run();
      answers[0]?.bad(crmError('CRM_CLOSED'));
      await run();
      assert.equal(tried.length, 2);
      answers[1]?.good();
      await run();
      assert.deepEqual([delivered.length, table.items.length], [1, 0]);
    });
  });

  it('tells whoever sends when the store cannot keep it, and goes on when it can', async () => {
    table.broken = new Error('disk full');
    await assert.rejects(outbox.accept(event('1')), /disk full/);
    assert.equal(states.at(-1)?.problem?.code, 'DELIVERY_FAULT', 'the status tells of it');
    table.broken = undefined;
    await outbox.accept(event('1'));
    await run(1000);
    assert.deepEqual(delivered, ['1:call_hangup']);
  });

  it('does not deliver again what the store could not note down as delivered', async () => {
    crm = () => {
      table.broken = new Error('disk full');
    };
    await outbox.accept(event('1'));
    await run(20_000);
    assert.deepEqual(tried, ['1:call_hangup']);
    assert.ok(states.at(-1)?.problem instanceof TelephonyError);
    table.broken = undefined;
    await run(10_000);
    assert.equal(table.items.length, 0);
    assert.equal(states.at(-1)?.problem, undefined);
  });

  /** A process that finds so many calls waiting. */
  const openWith = async (count: number): Promise<Outbox> => {
    await outbox.close();
    for (let id = 1; id <= count; id += 1) {
      const body = JSON.stringify(event(String(id)));
      table.items.push({
        queue: 'q',
        eventId: String(id),
        orderKey: String(id),
        acceptedAt: clock.now(),
        body,
        id,
        attempts: 0,
        notBefore: 0,
        dead: false,
      });
    }
    return open();
  };

  it('begins at once with a hundred thousand waiting, and keeps a small part of them in memory', async () => {
    const fresh = await openWith(100_000);
    let begun = 0;
    crm = () => new Promise(() => (begun += 1));
    fresh.start();
    await run();
    assert.equal(begun, 10);
  });

  it('looks for thousands that wait each for its time now and then, not all the time', async () => {
    const fresh = await openWith(3000);
    const waiting = table.waiting.bind(table);
    let reads = 0;
    table.waiting = (...args) => {
      reads += 1;
      return waiting(...args);
    };
    crm = () => Promise.reject(crmError('CRM_LIMITED', { retryAfterMs: 60_000 + 10 * tried.length }));
    fresh.start();
    await run(20_000);
    assert.equal(tried.length, 3000, 'each once');
    assert.ok(reads <= 40, `${reads} reads of all that waits`);
    crm = () => undefined;
    await run(120_000);
    assert.equal(delivered.length, 3000);
    assert.ok(reads < 4000, `${reads} reads until all were delivered`);
  });
});
