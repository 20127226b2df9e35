import assert from 'node:assert/strict';
import { AmoDouble } from '../../doubles/amocrm';
import { htmlPage } from '../../doubles/support';

type Body = Record<string, unknown> & { _embedded: Record<string, Record<string, unknown>[]> };

describe('the double of amoCRM', () => {
  let amo: AmoDouble;
  let now: number;

  const ask = (path: string, init: RequestInit = {}) =>
    fetch(amo.origin + path, {
      ...init,
      headers: { Authorization: `Bearer ${amo.token}`, 'Content-Type': 'application/json' },
    });
  const post = (path: string, body: unknown) => ask(path, { method: 'POST', body: JSON.stringify(body) });
  const json = async (response: Promise<Response>) => (await (await response).json()) as Body;
  const call = { direction: 'inbound', duration: 83, source: 'Asterisk', phone: '+74951343060', uniq: 'u1' };

  beforeEach(async () => {
    now = 0;
    amo = await new AmoDouble(() => now).start();
  });

  afterEach(() => amo.stop());

  it('refuses a token that has expired with 401 and application/problem+json', async () => {
    amo.tokens.clear();
    const response = await ask('/api/v4/contacts');
    assert.equal(response.status, 401);
    assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
    assert.equal(((await response.json()) as Body).title, 'Unauthorized');
  });

  it('answers 7 requests in a second, the next with 429, who goes on with 403 for a while', async () => {
    const statuses = async (times: number) => {
      const all: number[] = [];
      for (let index = 0; index < times; index += 1) all.push((await ask('/api/v4/users')).status);
      return all;
    };
    assert.deepEqual(await statuses(7), Array(7).fill(204));
    assert.deepEqual(await statuses(6), [429, 429, 429, 429, 429, 403]);
    now = 1400;
    assert.deepEqual(await statuses(1), [403]);
    now = 1500;
    assert.deepEqual(await statuses(1), [204]);
  });

  it('bars an address with code 113, and wants to be paid', async () => {
    amo.barred = true;
    const barred = await ask('/api/v4/users');
    assert.deepEqual([barred.status, ((await barred.json()) as Body).code], [403, 113]);
    amo.barred = false;
    amo.paid = false;
    assert.equal((await ask('/api/v4/users')).status, 402);
  });

  it('answers an empty list with 204 and no body', async () => {
    const response = await ask('/api/v4/contacts?query=4951343060');
    assert.deepEqual([response.status, await response.text()], [204, '']);
  });

  it('finds parts in any field', async () => {
    const id = amo.addClient('contacts', 'Иван', '+7 (495) 134-30-60');
    amo.addClient('contacts', 'Договор 4951343060', '+79066800404');
    const { _embedded } = await json(ask('/api/v4/contacts?query=4951343060'));
    assert.equal(_embedded.contacts?.length, 2);
    assert.equal(_embedded.contacts[1]?.id, id);
  });

  it('writes a call by the last ten digits: to the one lead, else to the client', async () => {
    const lead = amo.add('leads', { name: 'Сделка' });
    const client = amo.addClient('contacts', 'Иван', '84951343060', { _embedded: { leads: [{ id: lead }] } });
    const first = await json(post('/api/v4/calls', [call]));
    assert.deepEqual([first._total_items, first.errors], [1, []]);
    assert.deepEqual([first._embedded.calls?.[0]?.entity_type, first._embedded.calls?.[0]?.entity_id], ['lead', lead]);
    amo.add('contacts', { name: 'Иван', _embedded: {} });
    Object.assign(amo.all('contacts')[0] ?? {}, { _embedded: { leads: [{ id: lead }, { id: lead + 1 }] } });
    const second = await json(post('/api/v4/calls', [call]));
    assert.equal(second._embedded.calls?.[0]?.entity_id, client);
    assert.equal(amo.notes.length, 2);
    const notes = await json(ask(`/api/v4/leads/${lead}/notes?filter[note_type][]=call_in`));
    assert.equal((notes._embedded.notes?.[0]?.params as { uniq: string }).uniq, 'u1');
  });

  it('may take the same uniq once, when told to', async () => {
    amo.addClient('contacts', 'Иван', '+74951343060');
    amo.sameUniq = 'once';
    const first = await json(post('/api/v4/calls', [call]));
    const second = await json(post('/api/v4/calls', [call]));
    assert.equal(first._embedded.calls?.[0]?.id, second._embedded.calls?.[0]?.id);
    assert.equal(amo.notes.length, 1);
  });

  it('refuses a call of an unknown number with 400 and an error of its own, or under 200', async () => {
    const refused = await post('/api/v4/calls', [call]);
    const body = (await refused.json()) as Body & { errors: { title: string }[] };
    assert.deepEqual([refused.status, body._total_items, body.errors[0]?.title], [400, 0, 'Entity not found']);
    amo.itemErrorsUnder200 = true;
    assert.equal((await post('/api/v4/calls', [call])).status, 200);
  });

  it('refuses null and what is missing by the field', async () => {
    for (const [wrong, path] of [
      [{ ...call, link: null }, 'link'],
      [{ ...call, source: undefined }, 'source'],
      [{ ...call, responsible_user_id: 99_999_999 }, 'responsible_user_id'],
    ] as const) {
      const response = await post('/api/v4/calls', [wrong]);
      assert.equal(response.status, 400);
      assert.match(await response.text(), new RegExp(`"path":"${path}"`));
    }
  });

  it('answers leads/complex with a bare list, other records with _embedded', async () => {
    const contacts = [{ name: 'Иван' }];
    const complex = await json(post('/api/v4/leads/complex', [{ name: 'Сделка', _embedded: { contacts } }]));
    assert.ok(Array.isArray(complex));
    const made = await json(post('/api/v4/contacts', [{ name: 'Иван', request_id: 'x' }]));
    assert.equal(made._embedded.contacts?.[0]?.request_id, 'x');
  });

  it('keeps incoming leads apart from contacts, and shows cards', async () => {
    const metadata = { uniq: 'u1', phone: '+74951343060', called_at: 1 };
    await post('/api/v4/leads/unsorted/sip', [{ source_uid: 'a', source_name: 'A', metadata }]);
    assert.equal(amo.all('contacts').length, 0);
    const { _embedded } = await json(ask('/api/v4/leads/unsorted'));
    assert.deepEqual(_embedded.unsorted?.[0]?.metadata, metadata);
    await post('/api/v2/events/', { add: [{ type: 'phone_call', phone_number: '+74951343060', users: [3] }] });
    assert.deepEqual(amo.cards, [{ type: 'phone_call', phone_number: '+74951343060', users: [3] }]);
  });

  it('may answer with a web page', async () => {
    amo.server.fail(htmlPage);
    assert.match(await (await ask('/api/v4/users')).text(), /^<html>/);
  });
});
