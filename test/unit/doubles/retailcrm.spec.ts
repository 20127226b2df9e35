import assert from 'node:assert/strict';
import { RetailDouble } from '../../doubles/retailcrm';

describe('the double of retailCRM', () => {
  let retail: RetailDouble;

  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${retail.origin}/api/${path}`, { headers: { 'X-API-KEY': retail.key }, ...init });
  const post = (path: string, form: Record<string, unknown>) => {
    const fields = Object.entries(form).map(([name, value]) => [name, JSON.stringify(value)]);
    return ask(`v5/${path}`, { method: 'POST', body: new URLSearchParams(fields) });
  };
  const call = (more: object = {}) => ({
    date: '2026-11-20 22:00:00',
    type: 'in',
    phone: '88005553125',
    userId: 1,
    result: 'answered',
    duration: 60,
    durationWaiting: 10,
    externalId: 'one',
    ...more,
  });

  beforeEach(async () => {
    retail = await new RetailDouble().start();
    retail.addUser({ id: 1, firstName: 'John', lastName: 'Doe', email: 'test@example.com', code: '12' });
  });

  afterEach(() => retail.stop());

  it('refuses a request without a key and one with a wrong key', async () => {
    for (const [headers, errorMsg] of [
      [{}, '"apiKey" is missing.'],
      [{ 'X-API-KEY': 'wrong' }, 'Wrong "apiKey" value.'],
    ] as const) {
      const response = await ask('credentials', { headers });
      assert.equal(response.status, 403);
      assert.deepEqual(await response.json(), { success: false, errorMsg });
    }
  });

  it('names the manager with his extension, the customer and links', async () => {
    retail.addCustomer({ id: 7, firstName: 'Иван', phones: [{ number: '8 (800) 555-31-25' }], managerId: 1 });
    const response = await ask('v5/telephony/manager?phone=%2B78005553125&details=1&ignoreStatus=1');
    assert.deepEqual(await response.json(), {
      success: true,
      manager: { id: 1, firstName: 'John', lastName: 'Doe', email: 'test@example.com', code: '12' },
      customer: { id: 7, firstName: 'Иван', phones: [{ number: '8 (800) 555-31-25' }] },
      links: {
        newOrderLink: `${retail.origin}/orders/add?phone=%2B78005553125`,
        customerLink: `${retail.origin}/customers/7`,
      },
    });
    const unknown = (await (await ask('v5/telephony/manager?phone=5550001&details=1')).json()) as object;
    assert.deepEqual(Object.keys(unknown), ['success', 'links']);
  });

  it('takes calls once for each externalId, and tells duplicates', async () => {
    const first = await post('telephony/calls/upload', { calls: [call()] });
    assert.deepEqual(await first.json(), { success: true, processedCallsCount: 1, duplicateCalls: [] });
    const second = await post('telephony/calls/upload', { calls: [call(), call({ externalId: 'two' })] });
    assert.deepEqual(await second.json(), { success: true, processedCallsCount: 1, duplicateCalls: ['one'] });
    assert.equal(retail.calls.length, 2);
  });

  it('refuses what is no call, with the shape of its errors', async () => {
    for (const wrong of [
      { result: 'missed' },
      { date: '2026-11-20T22:00:00Z' },
      { userId: 99 },
      { type: 'internal' },
    ]) {
      const response = await post('telephony/calls/upload', { calls: [call(wrong)] });
      assert.equal(response.status, 400);
      const body = (await response.json()) as Record<string, unknown>;
      assert.deepEqual([body.success, body.errorMsg], [false, 'Errors in the entity format']);
    }
    assert.equal((await post('telephony/calls/upload', {})).status, 400);
    assert.equal(retail.calls.length, 0);
  });

  it('takes events and tells whom it does not know', async () => {
    const response = await post('telephony/call/event', { event: { phone: '1', type: 'in', codes: ['12', '13'] } });
    assert.deepEqual(await response.json(), { success: true, notExistCodes: ['13'], notExistUsers: [] });
    assert.equal((await post('telephony/call/event', { event: { phone: '1', type: 'hangup' } })).status, 400);
  });

  it('wants a shop for a new customer when there are several', async () => {
    assert.equal((await post('customers/create', { customer: { firstName: 'x' } })).status, 201);
    retail.sites = ['main', 'other'];
    assert.equal((await post('customers/create', { customer: { firstName: 'x' } })).status, 400);
  });

  it('answers 503 above its limit', async () => {
    let now = 0;
    retail.now = () => now;
    retail.perSecond = 2;
    const statuses = [];
    for (let index = 0; index < 3; index += 1) statuses.push((await ask('credentials')).status);
    assert.deepEqual(statuses, [200, 200, 503]);
    now += 1000;
    assert.equal((await ask('credentials')).status, 200);
  });

  it('lists users by pages of 20, 50 or 100, without their extensions', async () => {
    for (let index = 0; index < 24; index += 1) retail.addUser({ firstName: `u${index}` });
    const page = (await (await ask('v5/users?limit=20&page=2')).json()) as { users: object[]; pagination: object };
    assert.equal(page.users.length, 5);
    assert.deepEqual(page.pagination, { limit: 20, totalCount: 25, currentPage: 2, totalPageCount: 2 });
    assert.equal((await ask('v5/users?limit=30')).status, 400);
  });
});
