import assert from 'node:assert/strict';
import { createCrmAccount, type CrmAccount } from '../../../lib/crm/account';
import { crmError } from '../../../lib/crm/errors';
import type { ClientWish, CrmAnswer, CrmEntity, CrmKind, PhoneNumber } from '../../../lib/crm/types';
import { TelephonyError } from '../../../lib/errors';
import { silentLog } from '../../../lib/log';
import { numberingPlan } from '../../../lib/phone';
import { createLookup, type Lookup } from '../../../lib/routing/lookup';
import { FakeClock } from '../../support/fake-clock';

const number: PhoneNumber = { kind: 'phone', e164: '+74951343060', national: '4951343060', country: 'RU' };
const lead: CrmEntity = { type: 'lead', id: '7', name: 'Новый' };
const wish: ClientWish = { type: 'lead', name: 'Новый', ownerId: '3' };

describe('a client made of an unknown number', () => {
  let clock: FakeClock;
  let account: CrmAccount;
  let asked: number;
  let made: { phone: PhoneNumber; wish: ClientWish }[];
  let find: () => Promise<CrmAnswer>;
  let make: () => Promise<CrmEntity>;

  const kind = (more: Partial<CrmKind> = {}): CrmKind => ({
    id: 'test',
    title: { en: 't', ru: 't' },
    fields: [],
    limits: { perSecond: 1000, burst: 1000 },
    creates: ['lead'],
    create: () => ({
      test: () => Promise.resolve(undefined),
      listUsers: () => Promise.resolve([]),
      findByPhone: () => {
        asked += 1;
        return find();
      },
      createClient: (phone, wanted) => {
        made.push({ phone, wish: wanted });
        return make();
      },
    }),
    ...more,
  });

  const open = (more: Partial<CrmKind> = {}, users = [{ extension: '103', userId: '3' }]) => {
    account = createCrmAccount({ kind: kind(more), settings: {}, secrets: {}, users }, { clock, log: silentLog });
    return account;
  };

  /** A route question whose unknown callers become leads of user 3. */
  const routing = (deadlineMs = 2000): Lookup =>
    createLookup({
      account,
      clock,
      deadlineMs,
      plan: numberingPlan({ country: 'RU' }),
      create: { account, type: 'lead', owner: '103', name: () => 'Новый' },
    });

  beforeEach(() => {
    clock = new FakeClock();
    asked = 0;
    made = [];
    find = () => Promise.resolve({ found: false });
    make = () => Promise.resolve(lead);
    open();
  });

  afterEach(async () => {
    await account.close();
    await clock.advanceAsync(0);
    assert.equal(clock.running, 0, 'no timer is left');
  });

  it('is made once, however many ask at the same time, and whoever asks', async () => {
    const [one, other] = [routing(), routing()];
    const phone = '84951343060';
    const results = await Promise.all([one.lookup(phone), one.lookup(`+7 (495) 134-30-60`), other.lookup(phone)]);
    assert.equal(made.length, 1);
    assert.deepEqual(made[0], { phone: number, wish });
    for (const { contact } of results) {
      assert.deepEqual([contact.found, contact.outcome, contact.extension], [true, 'found', '103']);
      assert.deepEqual(contact.entities, [lead]);
      assert.equal(contact.created, true);
    }
    const { contact } = await one.lookup(phone);
    assert.deepEqual([contact.found, contact.created, contact.from, made.length], [true, undefined, 'cache', 1]);
  });

  it('costs no caller more than the deadline: it is made behind the answer, and the next caller finds it', async () => {
    let finish: (entity: CrmEntity) => void = () => undefined;
    make = () => new Promise((resolve) => (finish = resolve));
    const answer = routing(1000).lookup('84951343060');
    await clock.advanceAsync(1000);
    const { contact, error } = await answer;
    assert.deepEqual([contact.found, contact.outcome, contact.tookMs <= 1000], [false, 'not-found', true]);
    assert.deepEqual([contact.error?.code, error?.code], ['CRM_TIMEOUT', 'CRM_TIMEOUT']);

    finish(lead);
    await clock.advanceAsync(0);
    const again = (await routing().lookup('84951343060')).contact;
    assert.deepEqual([again.found, again.entities, made.length], [true, [lead], 1]);
  });

  it('is begun even when the search used up the whole time', async () => {
    let found: (answer: CrmAnswer) => void = () => undefined;
    find = () => new Promise((resolve) => (found = resolve));
    const answer = routing(1000).lookup('84951343060');
    await clock.advanceAsync(940);
    found({ found: false });
    await clock.advanceAsync(0);
    make = () => Promise.resolve(lead);
    await clock.advanceAsync(60);
    await answer;
    assert.equal(made.length, 1);
  });

  it('is looked for once more when "not found" is older than some seconds: a person may have been faster', async () => {
    await account.lookup(number, 1000);
    await clock.advanceAsync(30_000);
    find = () => Promise.resolve({ found: true, name: 'Петров', entities: [] });
    const { contact } = await routing().lookup('84951343060');
    assert.deepEqual(
      [contact.found, contact.name, contact.created, made.length, asked],
      [true, 'Петров', undefined, 0, 2],
    );
  });

  it('is looked for again after a failure, which may hide that it was made', async () => {
    make = () => Promise.reject(crmError('CRM_TIMEOUT', { ms: 10_000 }));
    const failed = await routing().lookup('84951343060');
    assert.deepEqual([failed.contact.outcome, failed.contact.error?.code], ['not-found', 'CRM_TIMEOUT']);
    find = () => Promise.resolve({ found: true, name: 'Новый', entities: [lead] });
    const { contact } = await routing().lookup('84951343060');
    assert.deepEqual([contact.found, contact.created, made.length], [true, undefined, 1]);
  });

  it('what the CRM says to it is told, and the call goes on', async () => {
    make = () => Promise.reject(crmError('CRM_REFUSED', { host: 'crm', status: 400, words: 'phone: valid' }));
    const { contact, error } = await routing().lookup('84951343060');
    assert.deepEqual([contact.found, contact.outcome, contact.error?.code], [false, 'not-found', 'CRM_REFUSED']);
    assert.match(error?.message ?? '', /phone: valid/);
  });

  it('is nobody for a withheld number, an extension, digits that are no number', async () => {
    for (const phone of ['', 'anonymous', '101', '84951', 'x'.repeat(500)]) await routing().lookup(phone);
    assert.equal(made.length, 0);
  });

  it('ends with the account, within the bound of one request', async () => {
    make = () => new Promise(() => undefined);
    const answer = account.create(number, wish, 60_000).catch((error: unknown) => error);
    await clock.advanceAsync(0);
    await account.close();
    const error = await answer;
    assert.ok(error instanceof TelephonyError);
    assert.equal(error.code, 'CRM_CLOSED');
  });

  it('a CRM that cannot make anybody says so', async () => {
    await account.close();
    const idle = () => Promise.resolve(undefined);
    open({
      creates: [],
      create: () => ({ test: idle, listUsers: () => Promise.resolve([]), findByPhone: () => find() }),
    });
    assert.deepEqual(account.creates, []);
    await assert.rejects(account.create(number, wish, 1000), (thrown: TelephonyError) => {
      assert.equal(thrown.code, 'CRM_CANNOT_CREATE');
      assert.match(thrown.textIn('ru'), /не умеет создавать лид /);
      return true;
    });
  });

  it('is not made for more numbers at once than a flood of forged callers deserves', async () => {
    make = () => new Promise(() => undefined);
    const numbers = Array.from({ length: 150 }, (_, index) => String(74950000000 + index));
    const codes = await Promise.all(
      numbers.map(async (digits) => {
        const phone: PhoneNumber = { kind: 'phone', e164: `+${digits}`, national: digits.slice(1), country: 'RU' };
        const wait = account.create(phone, wish, 60_000).catch((error: unknown) => (error as TelephonyError).code);
        return Promise.race([wait, clock.advanceAsync(0).then(() => 'begun')]);
      }),
    );
    assert.equal(codes.filter((code) => code === 'CRM_LIMITED').length, 50);
  });
});
