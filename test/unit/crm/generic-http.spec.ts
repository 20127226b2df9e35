import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createCrmAccount, type CrmAccount } from '../../../lib/crm/account';
import { crmKind } from '../../../lib/crm/kinds';
import { compileTemplate } from '../../../lib/crm/template';
import type { PhoneNumber, SecretSlot } from '../../../lib/crm/types';
import { systemClock } from '../../../lib/clock';
import { TelephonyError } from '../../../lib/errors';
import { silentLog } from '../../../lib/log';
import { FakeCrm, json, text, type Behaviour } from '../../support/fake-crm';

type Secrets = Partial<Record<SecretSlot, string>>;

const number: PhoneNumber = { kind: 'phone', e164: '+74951343060', national: '4951343060', country: 'RU' };

const client = { data: { items: [{ name: 'Петров', id: 5, manager: { id: 7, name: 'Анна', ext: 101 } }] } };

const fields = {
  name: 'data.items[0].name',
  ownerId: 'data.items[0].manager.id',
  ownerName: 'data.items[0].manager.name',
  extension: 'data.items[0].manager.ext',
  entityId: 'data.items[0].id',
  entityUrl: '"https://crm.example/c/" & data.items[0].id',
};

describe('any CRM over HTTP', () => {
  let crm: FakeCrm | undefined;
  let account: CrmAccount | undefined;

  function make(settings: Record<string, unknown>, secrets: Secrets = {}): CrmAccount {
    return createCrmAccount(
      { kind: crmKind('generic-http'), settings, secrets },
      { clock: systemClock, log: silentLog },
    );
  }

  /** An account whose addresses begin with `/`, at a CRM that behaves like this. */
  async function open(
    behave: Behaviour,
    settings: Record<string, unknown>,
    secrets: Secrets = {},
  ): Promise<CrmAccount> {
    crm = await new FakeCrm(behave).start();
    const { origin } = crm;
    const full = Object.entries(settings).map(([name, value]) => [
      name,
      name.endsWith('rl') && typeof value === 'string' && value.startsWith('/') ? origin + value : value,
    ]);
    account = make(Object.fromEntries(full) as Record<string, unknown>, secrets);
    return account;
  }

  const lookup = async (phone = number) => (await account!.lookup(phone, 15_000)).answer;

  const seen = (index = 0) => crm!.requests[index]!;

  afterEach(async () => {
    await account?.close();
    await crm?.stop();
    account = crm = undefined;
  });

  it('fills the address and reads the answer by paths and JSONata', async () => {
    await open(json(client), { url: '/find?p={{e164}}&d={{digits}}&n={{national}}&all={{ variants }}', ...fields });
    assert.deepEqual(await lookup(), {
      found: true,
      name: 'Петров',
      entities: [{ type: 'contact', id: '5', name: 'Петров', ownerId: '7', url: 'https://crm.example/c/5' }],
      owner: { id: '7', name: 'Анна', extension: '101' },
    });
    const all = '%2B74951343060,74951343060,84951343060,4951343060';
    assert.equal(seen().url, `/find?p=%2B74951343060&d=74951343060&n=4951343060&all=${all}`);
    assert.equal(seen().method, 'GET');
  });

  it('fills a JSON body: texts in quotes, the variants as a list', async () => {
    const body = '{"filter": {"phone": "{{e164}}", "any": {{variants}}, "n": {{digits}}}}';
    await open(json(client), { method: 'POST', url: '/find', bodyType: 'json', body, ...fields });
    await lookup();
    assert.deepEqual(JSON.parse(seen().body), {
      filter: {
        phone: '+74951343060',
        any: ['+74951343060', '74951343060', '84951343060', '4951343060'],
        n: 74951343060,
      },
    });
    assert.equal(seen().headers['content-type'], 'application/json');
  });

  it('fills a form and a text', async () => {
    await open(json(client), { method: 'PUT', url: '/f', bodyType: 'form', body: 'phone={{e164}}&x=1', ...fields });
    await lookup();
    assert.equal(seen().body, 'phone=%2B74951343060&x=1');
    assert.equal(seen().headers['content-type'], 'application/x-www-form-urlencoded');
    await account?.close();
    await crm?.stop();
    const headers = [{ name: 'Content-Type', value: 'text/xml' }];
    await open(json(client), {
      method: 'POST',
      url: '/f',
      bodyType: 'raw',
      body: '<p>{{e164}}</p>',
      headers,
      ...fields,
    });
    await lookup();
    assert.equal(seen().body, '<p>+74951343060</p>');
    assert.equal(seen().headers['content-type'], 'text/xml');
  });

  describe('access', () => {
    const cases: readonly (readonly [string, Record<string, unknown>, Secrets, string, string])[] = [
      ['basic', {}, { user: 'üser', password: 'p:w' }, 'authorization', 'Basic w7xzZXI6cDp3'],
      ['bearer', {}, { token: 'abc' }, 'authorization', 'Bearer abc'],
      ['header', { authHeader: 'X-API-Key' }, { token: 'abc' }, 'x-api-key', 'abc'],
    ];
    for (const [auth, settings, secrets, name, value] of cases) {
      it(`${auth} is sent`, async () => {
        await open(json(client), { url: '/', auth, ...settings, ...fields }, secrets);
        await lookup();
        assert.equal(seen().headers[name], value);
      });
    }

    it('a key in the address comes from the credentials, encoded', async () => {
      await open(json(client), { url: '/?key={{token}}', auth: 'placeholder', ...fields }, { token: 'a&b=c' });
      await lookup();
      assert.equal(seen().url, '/?key=a%26b%3Dc');
    });

    it('headers of the table are sent', async () => {
      const headers = [
        { name: 'X-Tenant', value: '42' },
        { name: '', value: 'nothing' },
      ];
      await open(json(client), { url: '/', headers, ...fields });
      await lookup();
      assert.equal(seen().headers['x-tenant'], '42');
    });
  });

  describe('found or not', () => {
    const answers: readonly (readonly [unknown, boolean])[] = [
      [{ total: 1, name: 'a' }, true],
      [{ total: 0, name: 'a' }, false],
      [{ total: [], name: 'a' }, false],
      [{ name: 'a' }, false],
      [[], false],
      [null, false],
    ];
    for (const [body, isFound] of answers) {
      it(`${JSON.stringify(body)} by an expression: ${isFound}`, async () => {
        await open(json(body), { url: '/', found: 'total', name: 'name' });
        assert.equal((await lookup()).found, isFound);
      });
    }

    it('without an expression a client is found when anything is known of him', async () => {
      await open(json({ name: ' ', id: 5 }), { url: '/', name: 'name', entityId: 'id' });
      assert.deepEqual(await lookup(), { found: true, name: '', entities: [{ type: 'contact', id: '5' }] });
      await account?.close();
      await crm?.stop();
      await open(json({ name: null }), { url: '/', name: 'name', entityId: 'id' });
      assert.deepEqual(await lookup(), { found: false });
    });

    it('204 means not found; 404 only where the admin says so', async () => {
      await open(text('', 'text/plain', 204), { url: '/', name: 'name' });
      assert.deepEqual(await lookup(), { found: false });
      await account?.close();
      await crm?.stop();
      await open(json({}, 404), { url: '/', name: 'name' });
      await assert.rejects(lookup(), { code: 'CRM_NOT_FOUND' });
      await account?.close();
      await crm?.stop();
      await open(json({}, 404), { url: '/', name: 'name', notFound404: true });
      assert.deepEqual(await lookup(), { found: false });
    });

    it('of several clients that a search by a part of the number finds, the right one can be chosen', async () => {
      const list = [
        { phone: '+70000001', name: 'wrong' },
        { phone: '+74951343060', name: 'right' },
      ];
      await open(json(list), { url: '/', name: '$[phone=$e164].name' });
      const answer = await lookup();
      assert.equal(answer.found && answer.name, 'right');
    });
  });

  describe('the second request for the extension', () => {
    const settings = {
      url: '/find',
      name: 'name',
      ownerId: 'owner',
      extension: 'ext',
      ownerUrl: '/users/{{ownerId}}/card',
      ownerExtension: 'user.inner',
    };

    const crmWith =
      (first: unknown, second: Behaviour): Behaviour =>
      (request, response) => {
        if (request.url === '/find') json(first)(request, response);
        else second(request, response);
      };

    it('is sent when the first answer gave an owner without an extension', async () => {
      await open(crmWith({ name: 'a', owner: 7 }, json({ user: { inner: '105' } })), settings);
      const answer = await lookup();
      assert.deepEqual(answer.found && answer.owner, { id: '7', extension: '105' });
      assert.equal(seen(1).url, '/users/7/card');
    });

    it('is not sent when it did, or when there is no owner', async () => {
      await open(crmWith({ name: 'a', owner: 7, ext: 101 }, json({})), settings);
      await lookup();
      assert.equal(crm!.requests.length, 1);
      await account?.close();
      await crm?.stop();
      await open(crmWith({ name: 'a' }, json({})), settings);
      await lookup();
      assert.equal(crm!.requests.length, 1);
    });

    it('a hostile owner id stays one part of the path', async () => {
      await open(crmWith({ name: 'a', owner: '../../admin?x=1#' }, json({ user: {} })), settings);
      await lookup();
      assert.equal(seen(1).url, '/users/..%2F..%2Fadmin%3Fx%3D1%23/card');
      await account?.close();
      await crm?.stop();
      await open(crmWith({ name: 'a', owner: '..' }, json({})), settings);
      await assert.rejects(lookup(), { code: 'CRM_BAD_PATH' });
      assert.equal(crm?.requests.length, 1);
    });
  });

  it('lists the users', async () => {
    const users = { items: [{ id: 1, fio: 'Анна', inner: 101 }, { id: 2 }, { fio: 'no id' }] };
    await open(json(users), {
      url: '/find',
      usersUrl: '/users',
      usersList: 'items',
      userId: 'id',
      userName: 'fio',
      userExtension: 'inner',
    });
    assert.deepEqual(await account?.loadUsers(), [
      { id: '1', name: 'Анна', extension: '101' },
      { id: '2', name: '2' },
    ]);
    await account?.close();
    await crm?.stop();
    await open(json(users), { url: '/find' });
    assert.deepEqual(await account?.loadUsers(), []);
  });

  it('tests with the test number, and with a number that nobody has', async () => {
    await open(json(client), { url: '/{{digits}}', testNumber: '+7 495 134-30-60', ...fields });
    assert.equal((await account?.test())?.en, 'found: Петров');
    assert.equal(seen().url, '/74951343060');
    await account?.close();
    await crm?.stop();
    await open(json({}), { url: '/{{digits}}', ...fields });
    assert.equal((await account?.test())?.en, 'it does not know the test number');
    assert.equal(seen().url, '/74950000000');
  });

  describe('expressions that do not end well', () => {
    const loops: readonly (readonly [string, string])[] = [
      ['an endless loop', '($f := function($x) { $f($x + 1) }; $f(0))'],
      ['endless depth', '($f := function($x) { 1 + $f($x + 1) }; $f(0))'],
      ['a giant list', '[1..9999999]'],
      ['two endless loops in one', '[1..1000].($f := function($x) { $f($x) }; $f(0))'],
      ['an error', '$number("abc")'],
    ];
    for (const [name, expression] of loops) {
      it(`${name} is cut off and named by its field`, async () => {
        await open(json(client), { url: '/', ...fields, name: expression });
        const begun = performance.now();
        const error = await lookup().catch((thrown: unknown) => thrown);
        assert.ok(error instanceof TelephonyError);
        assert.equal(error.code, 'CRM_EXPRESSION');
        assert.equal(error.params.field, 'name');
        assert.ok(performance.now() - begun < 12_000, 'long before the deadline');
      });
    }
  });

  describe('settings', () => {
    const url = 'https://crm.example.com/{{digits}}';
    const wrong: readonly (readonly [string, Record<string, unknown>, Secrets?])[] = [
      ['url', {}],
      ['url', { url: '${NOT_SET}' }],
      ['url', { url: '$(NOT_SET)' }],
      ['headers', { url, name: 'name', headers: [{ name: 'X-Key', value: '${NOT_SET}' }] }],
      ['token', { url, name: 'name', auth: 'bearer' }, { token: '${NOT_SET}' }],
      ['user', { url, name: 'name', auth: 'basic' }, { user: '$(NOT_SET)', password: 'x' }],
      ['url', { url: 'crm.example.com/{{digits}}' }],
      ['url', { url: 'https://crm.example.com/{{phone}}' }],
      ['url', { url: 'https://{{digits}}.example.com/' }],
      ['url', { url: 'https://crm.example.com:{{digits}}/' }],
      ['url', { url: 'https://user:pass@crm.example.com/' }],
      ['method', { url, method: 'DELETE' }],
      ['body', { url, method: 'POST', bodyType: 'json', body: '{"phone": {{e164}}}' }],
      ['body', { url, method: 'POST', bodyType: 'json', body: '' }],
      ['body', { url, method: 'POST', bodyType: 'form', body: 'x={{nothing}}' }],
      ['name', { url, name: 'a[' }],
      ['userExtension', { url, usersUrl: 'https://crm.example.com/u', userId: 'id', userExtension: '((' }],
      ['userId', { url, usersUrl: 'https://crm.example.com/u' }],
      ['ownerExtension', { url, ownerUrl: 'https://crm.example.com/u/{{ownerId}}' }],
      ['ownerUrl', { url, ownerUrl: 'https://{{ownerId}}/', ownerExtension: 'x' }],
      ['headers', { url, headers: [{ name: 'X Y', value: 'a' }] }],
      ['headers', { url, headers: [{ name: 'X-Y', value: 'a\r\nX-Evil: 1' }] }],
      ['headers', { url, headers: [{ name: 'Content-Length', value: '5' }] }],
      ['token', { url, auth: 'bearer' }],
      ['token', { url, auth: 'bearer' }, { token: 'ключ' }],
      ['user', { url, auth: 'basic' }],
      ['authHeader', { url, auth: 'header' }, { token: 'x' }],
      ['testNumber', { url, testNumber: 'call me' }],
    ];
    for (const [field, settings, secrets] of wrong) {
      it(`${JSON.stringify(settings)} names the field ${field}`, () => {
        assert.throws(
          () => make(settings, secrets),
          (error) =>
            error instanceof TelephonyError &&
            error.code === 'CRM_BAD_SETTINGS' &&
            error.params.field === field &&
            !error.message.includes('pass'),
        );
      });
    }
  });

  describe('templates', () => {
    it('no value breaks out of its place', () => {
      const inUrl = compileTemplate('f', 'https://h/a/{{v}}/b?x={{v}}#{{v}}', 'url', ['v']);
      const inJson = compileTemplate('f', '{"a": "{{v}}", "b": {{list}}}', 'json', ['v', 'list']);
      const inForm = compileTemplate('f', 'a={{v}}&b=2', 'form', ['v']);
      fc.assert(
        fc.property(fc.string({ unit: 'binary' }), (v) => {
          fc.pre(v !== '.' && v !== '..');
          const url = new URL(inUrl({ v }));
          const clean = v.replace(/\p{Surrogate}/gu, '\uFFFD');
          assert.equal(url.origin, 'https://h');
          assert.equal(url.pathname.split('/').length, 4);
          assert.equal(url.searchParams.get('x'), clean);
          assert.deepEqual(JSON.parse(inJson({ v, list: [v, v] })), { a: v, b: [v, v] });
          const form = new URLSearchParams(inForm({ v }));
          assert.deepEqual(
            [...form.entries()],
            [
              ['a', clean],
              ['b', '2'],
            ],
          );
        }),
        { numRuns: 300 },
      );
    });
  });
});
