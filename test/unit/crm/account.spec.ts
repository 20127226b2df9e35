import assert from 'node:assert/strict';
import { createCrmAccount, type CrmAccount, type CrmAccountOptions, type CrmState } from '../../../lib/crm/account';
import { crmError, unreachableError } from '../../../lib/crm/errors';
import type {
  CallContext,
  CrmAdapter,
  CrmAnswer,
  CrmKind,
  DeliverableEvent,
  PhoneNumber,
} from '../../../lib/crm/types';
import { TelephonyError } from '../../../lib/errors';
import { silentLog } from '../../../lib/log';
import { FakeClock } from '../../support/fake-clock';

const phone = (last: number): PhoneNumber => ({
  kind: 'phone',
  e164: `+749500000${10 + last}`,
  national: `49500000${10 + last}`,
});

const answer: CrmAnswer = { found: true, name: 'Петров', entities: [] };

const never = <T>() => new Promise<T>(() => undefined);

describe('CRM account', () => {
  let clock: FakeClock;
  let account: CrmAccount;
  let asked: { phone: PhoneNumber; context: CallContext }[];
  /** What the CRM does with the next questions. */
  let find: (phone: PhoneNumber) => Promise<CrmAnswer>;

  function open(options: Partial<CrmAccountOptions> = {}, adapter: Partial<CrmAdapter> = {}): CrmAccount {
    const kind: CrmKind = {
      id: 'fake',
      title: { en: '', ru: '' },
      fields: [],
      topics: [{ topic: 'call_record', byDefault: true }],
      limits: { perSecond: 1000, burst: 1000 },
      create: () => ({
        test: () => Promise.resolve(undefined),
        listUsers: () => Promise.resolve([]),
        findByPhone: (number, context) => {
          asked.push({ phone: number, context });
          return find(number);
        },
        ...adapter,
      }),
    };
    account = createCrmAccount({ kind, settings: {}, secrets: {}, ...options }, { clock, log: silentLog });
    return account;
  }

  /** `crm: Петров`, `cache: -`, or the code of the error. */
  const told = (promise: ReturnType<CrmAccount['lookup']>): Promise<string> =>
    promise.then(
      (value) => `${value.from}: ${value.answer.found ? value.answer.name : '-'}`,
      (error: unknown) => (error instanceof TelephonyError ? error.code : String(error)),
    );

  /** A question, and all the time up to its deadline. */
  async function ask(number = phone(1), deadlineMs = 2000): Promise<string> {
    const result = told(account.lookup(number, deadlineMs));
    await clock.advanceAsync(deadlineMs);
    return result;
  }

  const fails = (error: Error) => () => Promise.reject(error);
  const down = () => unreachableError('refused', { host: 'crm' });

  beforeEach(() => {
    clock = new FakeClock();
    asked = [];
    find = () => Promise.resolve(answer);
    open();
  });

  afterEach(async () => {
    await account.close();
    assert.equal(clock.running, 0, 'no timer is left');
  });

  describe('memory', () => {
    it('answers from memory for five minutes, "not found" for one', async () => {
      assert.equal(await ask(), 'crm: Петров');
      clock.advance(290_000);
      assert.equal(await ask(), 'cache: Петров');
      clock.advance(10_000);
      assert.equal(await ask(), 'crm: Петров');

      find = () => Promise.resolve({ found: false });
      assert.equal(await ask(phone(2)), 'crm: -');
      assert.equal(await ask(phone(2)), 'cache: -');
      clock.advance(60_000);
      find = () => Promise.resolve(answer);
      assert.equal(await ask(phone(2)), 'crm: Петров');
    });

    it('gives a client of yesterday when the CRM fails, at once', async () => {
      await ask();
      clock.advance(23 * 3_600_000);
      find = fails(down());
      assert.equal(await told(account.lookup(phone(1), 2000)), 'stale: Петров');
      assert.equal(account.stats.fromStale, 1);
    });

    it('gives a client of yesterday shortly before the deadline when the CRM is late', async () => {
      await ask();
      clock.advance(3_600_000);
      find = never;
      const result = told(account.lookup(phone(1), 2000));
      await clock.advanceAsync(1850);
      assert.equal(await Promise.race([result, Promise.resolve('nothing yet')]), 'stale: Петров');
    });

    it('forgets a client after a day, and never gives an old "not found"', async () => {
      await ask();
      find = () => Promise.resolve({ found: false });
      await ask(phone(2));
      find = fails(down());
      clock.advance(3_600_000);
      assert.equal(await ask(phone(2)), 'CRM_UNREACHABLE');
      clock.advance(24 * 3_600_000);
      assert.equal(await ask(phone(1)), 'CRM_UNREACHABLE');
    });

    it('remembers an answer that came too late for its asker', async () => {
      let answerNow: (answer: CrmAnswer) => void = () => undefined;
      find = () => new Promise((resolve) => (answerNow = resolve));
      assert.equal(await ask(), 'CRM_TIMEOUT');
      await clock.advanceAsync(3000);
      answerNow(answer);
      await clock.advanceAsync(0);
      assert.equal(await ask(), 'cache: Петров');
      assert.equal(asked.length, 1);
    });

    it('cuts what a CRM says to a bearable size', async () => {
      const long = 'x'.repeat(100_000);
      const entity = { type: long, id: long, name: long, ownerId: long, url: long };
      find = () =>
        Promise.resolve({
          found: true,
          name: long,
          entities: Array.from({ length: 1000 }, () => entity),
          owner: { id: long, name: long, extension: long },
        });
      const { answer: cut } = await account.lookup(phone(1), 2000);
      assert.ok(JSON.stringify(cut).length < 20_000);
    });
  });

  it('asks once for 200 simultaneous questions about one number', async () => {
    let answerNow: (answer: CrmAnswer) => void = () => undefined;
    find = () => new Promise((resolve) => (answerNow = resolve));
    const results = Array.from({ length: 200 }, () => told(account.lookup(phone(1), 2000)));
    answerNow(answer);
    assert.deepEqual(new Set(await Promise.all(results)), new Set(['crm: Петров']));
    assert.equal(asked.length, 1);
    assert.equal(account.stats.coalesced, 199);
  });

  it('lets a question wait for its turn at most half of its time, so that the CRM has the other half', async () => {
    await account.lookup(phone(1), 2000);
    assert.equal(asked[0]?.context.deadline, 1000);
  });

  it('one impatient asker takes nothing from the others', async () => {
    let answerNow: (answer: CrmAnswer) => void = () => undefined;
    find = () => new Promise((resolve) => (answerNow = resolve));
    const hurried = told(account.lookup(phone(1), 100));
    const patient = told(account.lookup(phone(1), 5000));
    await clock.advanceAsync(100);
    assert.equal(await hurried, 'CRM_TIMEOUT');
    await clock.advanceAsync(3000);
    answerNow(answer);
    assert.equal(await patient, 'crm: Петров');
  });

  describe('a delivery', () => {
    /** One that needs a turn, and then so many ms of the CRM. */
    const deliverAfter = (turn: Promise<void>, workMs: number) => {
      open(
        {},
        {
          deliver: async (_event, { waiting }) => {
            await (waiting?.(turn) ?? turn);
            await new Promise<void>((resolve) => clock.after(workMs, resolve));
            return { status: 'delivered', answer: 'ok' };
          },
        },
      );
      const event = { topic: 'call_record', payload: { eventId: 'e' } } as DeliverableEvent;
      const memo = { get: () => Promise.resolve(undefined), set: () => Promise.resolve() };
      return account.deliver(event, { settings: {}, memo, attempt: 1 }).then(
        ({ status }) => status,
        (error: unknown) => (error instanceof TelephonyError ? error.code : String(error)),
      );
    };

    it('has all its time after it has waited for its turn', async () => {
      const result = deliverAfter(new Promise((resolve) => clock.after(500_000, resolve)), 170_000);
      await clock.advanceAsync(670_000);
      assert.equal(await result, 'delivered');
    });

    it('that never gets its turn waits for later, and is no word against the CRM', async () => {
      const result = deliverAfter(never(), 0);
      await clock.advanceAsync(600_000);
      assert.equal(await result, 'CRM_LIMITED');
      assert.equal(account.state.status, 'idle');
    });

    it('ends when the CRM is slow', async () => {
      const result = deliverAfter(new Promise((resolve) => clock.after(1000, resolve)), 190_000);
      await clock.advanceAsync(181_000);
      assert.equal(await result, 'CRM_TIMEOUT');
      assert.equal(account.state.status, 'failing');
      await clock.advanceAsync(10_000);
    });
  });

  it('ends a question of its own after ten seconds, whether the adapter heeds the signal or not', async () => {
    find = never;
    await ask();
    assert.equal(account.stats.inFlight, 1);
    await clock.advanceAsync(8000);
    assert.equal(account.stats.inFlight, 0);
    assert.equal(asked[0]?.context.signal.aborted, true);
  });

  it('refuses more numbers at once than it can keep', async () => {
    find = never;
    const results = Array.from({ length: 501 }, (_, i) =>
      told(account.lookup({ kind: 'raw', digits: `${1000 + i}` }, 50)),
    );
    assert.equal(await results[500], 'CRM_LIMITED');
    assert.equal(asked.length, 500);
    await clock.advanceAsync(50);
    assert.equal(await results[0], 'CRM_TIMEOUT');
  });

  describe('second try', () => {
    const passing: readonly (readonly [string, () => TelephonyError])[] = [
      ['a broken connection', () => unreachableError('reset', { host: 'crm' })],
      ['502', () => crmError('CRM_SERVER_ERROR', { status: 502 })],
      ['503', () => crmError('CRM_SERVER_ERROR', { status: 503 })],
      ['504', () => crmError('CRM_SERVER_ERROR', { status: 504 })],
    ];
    for (const [name, error] of passing) {
      it(`follows ${name} quickly, once`, async () => {
        find = () => (asked.length === 1 ? Promise.reject(error()) : Promise.resolve(answer));
        assert.equal(await ask(), 'crm: Петров');
        assert.equal(asked.length, 2);
        find = fails(error());
        await ask(phone(2));
        assert.equal(asked.length, 4);
      });
    }

    it('does not follow when the time left is too short, nor a 500, nor a refused key', async () => {
      find = fails(unreachableError('reset', { host: 'crm' }));
      await ask(phone(1), 150);
      assert.equal(asked.length, 1);
      find = fails(crmError('CRM_SERVER_ERROR', { status: 500 }));
      await ask(phone(2));
      find = fails(crmError('CRM_UNAUTHORIZED', { status: 401 }));
      await ask(phone(3));
      assert.equal(asked.length, 3);
    });
  });

  describe('breaker', () => {
    const failures: readonly (readonly [string, () => Promise<CrmAnswer>])[] = [
      ['refused connections', fails(down())],
      ['refused keys', fails(crmError('CRM_UNAUTHORIZED', { status: 401 }))],
      ['no answers', never],
    ];
    for (const [name, failure] of failures) {
      it(`leaves the CRM alone after five times ${name}, then tries once`, async () => {
        find = failure;
        for (let i = 1; i <= 5; i += 1) assert.notEqual(await ask(phone(i)), 'CRM_BREAKER_OPEN');
        assert.equal(await told(account.lookup(phone(6), 2000)), 'CRM_BREAKER_OPEN');
        assert.equal(asked.length, 5);
        assert.equal(account.stats.breaker, 'open');

        find = () => Promise.resolve(answer);
        clock.advance(10_000);
        assert.equal(await ask(phone(7)), 'crm: Петров');
        assert.equal(account.stats.breaker, 'closed');
      });
    }

    const harmless: readonly (readonly [string, () => Promise<CrmAnswer>])[] = [
      ['unknown numbers', () => Promise.resolve({ found: false })],
      ['refused numbers', fails(crmError('CRM_REFUSED', { status: 400 }))],
      ['limits of the CRM', fails(crmError('CRM_LIMITED', { status: 429, retryAfterMs: 1 }))],
    ];
    for (const [name, outcome] of harmless) {
      it(`is not opened by ${name}`, async () => {
        find = outcome;
        for (let i = 1; i <= 20; i += 1) await ask(phone(i));
        assert.equal(asked.length, 20);
        assert.equal(account.stats.breaker, 'closed');
      });
    }

    it('is not opened by impatient askers of a CRM that is fast enough for others', async () => {
      find = () => new Promise((resolve) => clock.after(300, () => resolve(answer)));
      for (let i = 1; i <= 10; i += 1) {
        assert.equal(await ask(phone(i), 100), 'CRM_TIMEOUT');
        await clock.advanceAsync(300);
      }
      assert.equal(account.stats.breaker, 'closed');
    });

    it('is opened by a CRM that answers everything, but always too late', async () => {
      find = () => new Promise((resolve) => clock.after(3000, () => resolve(answer)));
      for (let i = 1; i <= 5; i += 1) {
        assert.equal(await ask(phone(i)), 'CRM_TIMEOUT');
        await clock.advanceAsync(1000);
      }
      assert.equal(account.stats.breaker, 'open');
      assert.deepEqual(account.state.status, 'failing');
    });

    it('closes when the admin proves by a test that the CRM works', async () => {
      find = fails(down());
      for (let i = 1; i <= 5; i += 1) await ask(phone(i));
      await account.test();
      assert.equal(account.stats.breaker, 'closed');
    });
  });

  describe('state', () => {
    it('tells each change once, with the error, and comes back to ok', async () => {
      const states: string[] = [];
      const end = account.onState((state: CrmState) =>
        states.push(state.status === 'failing' ? state.error.code : state.status),
      );
      assert.equal(account.state.status, 'idle');
      await ask(phone(1));
      await ask(phone(2));
      find = fails(down());
      await ask(phone(3));
      await ask(phone(4));
      find = fails(crmError('CRM_UNAUTHORIZED', { status: 401 }));
      await ask(phone(5));
      find = () => Promise.resolve(answer);
      await ask(phone(6));
      end();
      find = fails(down());
      await ask(phone(7));
      assert.deepEqual(states, ['ok', 'CRM_UNREACHABLE', 'CRM_UNAUTHORIZED', 'ok']);
    });

    it('is not changed by our own limit', async () => {
      await ask(phone(1));
      find = fails(crmError('CRM_LIMITED', { retryAfterMs: 1 }));
      assert.equal(await ask(phone(2)), 'CRM_LIMITED');
      assert.equal(account.state.status, 'ok');
    });

    it('survives a listener that throws', async () => {
      account.onState(() => {
        throw new Error('listener');
      });
      assert.equal(await ask(), 'crm: Петров');
    });
  });

  it('tells a fault of an adapter without its text, which may hold anything', async () => {
    find = fails(new TypeError('cannot read https://crm/secret'));
    const error = await account.lookup(phone(1), 2000).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof TelephonyError);
    assert.equal(error.code, 'CRM_FAULT');
    assert.doesNotMatch(`${error.message} ${error.textIn('ru')}`, /secret/);
  });

  it('knows both directions of the table; the first line counts, half lines do not', () => {
    open({
      users: [
        { extension: ' 101 ', userId: 'a', name: 'Анна' },
        { extension: '102', userId: 'a' },
        { extension: '101', userId: 'b' },
        { extension: '', userId: 'c' },
      ],
    });
    assert.equal(account.extensionOf('a'), '101');
    assert.equal(account.extensionOf('b'), '101');
    assert.equal(account.extensionOf('c'), undefined);
    assert.deepEqual(account.userOf('101'), { extension: '101', userId: 'a', name: 'Анна' });
    assert.equal(account.userOf('102')?.userId, 'a');
    assert.equal(account.extensionOf('constructor'), undefined);
  });

  it('is not in trouble because the CRM refuses one number, but when it refuses one after the other', async () => {
    await ask(phone(1));
    find = fails(crmError('CRM_REFUSED', { status: 400 }));
    await ask(phone(2));
    assert.equal(account.state.status, 'ok');
    find = () => Promise.resolve(answer);
    await ask(phone(3));
    find = fails(crmError('CRM_REFUSED', { status: 400 }));
    for (const last of [4, 5]) await ask(phone(last));
    assert.equal(account.state.status, 'ok');
    await ask(phone(6));
    assert.equal(account.state.status, 'failing');
  });

  it('close settles everything under way and refuses what comes later', async () => {
    find = never;
    open({}, { test: never, listUsers: never });
    const waiting = [account.lookup(phone(1), 60_000), account.test(), account.loadUsers()].map((one) =>
      (one as Promise<unknown>).then(
        () => 'resolved',
        (error: unknown) => (error as TelephonyError).code,
      ),
    );
    await account.close();
    assert.deepEqual(await Promise.all(waiting), ['CRM_CLOSED', 'CRM_CLOSED', 'CRM_CLOSED']);
    assert.equal(await told(account.lookup(phone(1), 2000)), 'CRM_CLOSED');
    await account.close();
  });
});
