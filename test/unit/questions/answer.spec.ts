import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readAnswer } from '../../../lib/questions/answer';
import type { Contact } from '../../../lib/routing/types';

const entities = [{ type: 'contact', id: '2', name: 'Петров АА' }];
const found: Contact = { found: true, outcome: 'found', name: 'Петров АА', entities, extension: '101', tookMs: 3 };

const route = (...values: unknown[]) => {
  const answer = readAnswer('route', values);
  return answer?.kind === 'route' ? answer.answer : answer;
};

describe('the answer in a message', () => {
  it('is the contact of crm-lookup, with name and extension', () => {
    assert.deepEqual(route(found), {
      found: true,
      name: 'Петров АА',
      extension: '101',
      entityType: 'contact',
      entityId: '2',
      outcome: 'found',
    });
  });

  it('tells where the record is, who is responsible, and where the number is from', () => {
    const region = { country: 'RU', name: 'Москва', timeZone: 'Europe/Moscow' };
    const url = 'https://crm.example/contact/2';
    const owner = { id: '99', name: 'Рита' };
    const contact: Contact = { ...found, created: true, entities: [{ ...entities[0]!, url }], owner, region };
    const { name, ...more } = route(contact) as unknown as Record<string, unknown>;
    assert.deepEqual([name, more.url, more.ownerId, more.ownerName], ['Петров АА', url, '99', 'Рита']);
    assert.deepEqual([more.created, more.region, more.timeZone], [true, 'Москва', 'Europe/Moscow']);
    // A region alone is no client.
    const unknown = route({ found: false, outcome: 'not-found', region, entities: [], tookMs: 1 });
    assert.deepEqual(unknown, { found: false, outcome: 'not-found', region: 'Москва', timeZone: 'Europe/Moscow' });
    assert.deepEqual(route({ url }), { found: true, url });
  });

  it('still tells the name when the responsible person cannot take the call, but never an extension', () => {
    const away: Contact = { ...found, outcome: 'not-available', reason: 'not-registered' };
    assert.deepEqual(route(away), {
      found: true,
      name: 'Петров АА',
      entityType: 'contact',
      entityId: '2',
      outcome: 'not-available',
    });
  });

  it('is nobody when the CRM does not know the number or failed', () => {
    for (const outcome of ['not-found', 'timeout', 'error', 'limited', 'bad-number'] as const) {
      assert.deepEqual(route({ found: false, outcome, entities: [], tookMs: 1 }), { found: false, outcome }, outcome);
    }
  });

  it('may be written by hand, numbers as numbers, each part optional', () => {
    assert.deepEqual(route({ name: ' VIP ', extension: 101 }), { found: true, name: 'VIP', extension: '101' });
    assert.deepEqual(route({ extension: '101' }), { found: true, extension: '101' });
    assert.deepEqual(route({ name: '', extension: null }), { found: false });
    assert.deepEqual(route({ found: false }), { found: false });
    assert.deepEqual(route({ found: false, extension: '101' }), { found: false });
  });

  it('is looked for in the property first, then in the payload', () => {
    assert.deepEqual(route(undefined, { extension: '102' }), { found: true, extension: '102' });
    assert.deepEqual(route(found, { extension: '102' }), route(found));
  });

  it('is not the question itself, nor anything else that lies about in a message', () => {
    assert.equal(route(undefined, { phone: '84951343060', trunk: '1', callId: '1.1', protocol: 'itgrix' }), undefined);
    assert.equal(route('101', 101), undefined);
    assert.equal(route(null, []), undefined);
  });

  it('is code and body for everything but a route', () => {
    assert.deepEqual(readAnswer('test', [undefined, { body: { success: true } }]), {
      kind: 'command',
      code: 200,
      answer: { kind: 'body', body: { success: true } },
    });
    const byHand = (code: number, body: unknown) => ({ kind: 'command', code, answer: { kind: 'body', body } });
    assert.deepEqual(readAnswer('test', [{ code: 503 }]), byHand(503, null));
    assert.deepEqual(readAnswer('test', [{ code: 'ok', body: 1 }]), byHand(500, 1));
    assert.equal(readAnswer('test', [{ name: 'VIP' }]), undefined);
  });

  it('has only a code that ends an HTTP exchange; 500 for every other', () => {
    const codeOf = (code: unknown) => {
      const answer = readAnswer('test', [{ code, body: 1 }]);
      return answer?.kind === 'command' ? answer.code : undefined;
    };
    for (const code of [200, 204, 404, '503', 599]) assert.equal(codeOf(code), Number(code));
    const wrong = [100, 101, 199, 600, 0, -200, 200.5, NaN, 1e400, '', ' ', true, [200], Symbol('200'), 200n, {}];
    for (const code of [...wrong, Object.create(null)]) assert.equal(codeOf(code), 500);
  });

  it('is what originate, call-control and call-history give, as it stands', () => {
    const told = (value: unknown) => readAnswer('make_call', [undefined, value]);
    const order = (fields: object) => ({ kind: 'command', code: 200, answer: { kind: 'order', order: fields } });
    assert.deepEqual(told({ orderId: 7, state: 'queued', pbx: 'office' }), order({ orderId: 7, state: 'queued' }));
    assert.deepEqual(told({ orderId: 7, outcome: 'busy' }), order({ orderId: 7, outcome: 'busy' }));
    const status = { command: 'status', found: true, orderId: 7, state: 'over', result: { outcome: 'machine' } };
    assert.deepEqual(told(status), order({ orderId: 7, state: 'over', outcome: 'machine' }));
    const unknown = { command: 'status', found: false, orderId: 7 };
    assert.deepEqual(told(unknown), { kind: 'failed', code: 'ORDER_UNKNOWN', message: 'There is no such order.' });
    const error = { code: 'DIAL_FORBIDDEN', message: 'Not that one.' };
    assert.deepEqual(told({ outcome: 'refused', error }), { kind: 'failed', ...error });
    assert.deepEqual(told({ ok: false, error }), { kind: 'failed', ...error });
    assert.deepEqual(told({ ok: false }), { kind: 'failed', code: 'UNEXPECTED', message: 'UNEXPECTED' });
    const done = { kind: 'done', done: { held: true } };
    assert.deepEqual(told({ ok: true, held: true }), { kind: 'command', code: 200, answer: done });
    const calls = { kind: 'calls', calls: [], total: 3 };
    assert.deepEqual(told({ calls: [], total: 3, next: 'x' }), { kind: 'command', code: 200, answer: calls });
    // The order itself, on its way through, is no answer.
    assert.equal(told({ user: '1', number: '8', protocol: 'usercrm' }), undefined);
  });

  it('never throws, whatever a flow puts into the message', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), fc.constantFrom('route', 'test'), (first, second, action) => {
        const answer = readAnswer(action, [first, second]);
        if (answer?.kind === 'route') assert.equal(typeof answer.answer.found, 'boolean');
      }),
    );
  });
});
