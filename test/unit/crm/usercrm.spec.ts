import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createCrmAccount, type CrmAccount } from '../../../lib/crm/account';
import { crmKind } from '../../../lib/crm/kinds';
import { contactIn } from '../../../lib/crm/kinds/usercrm';
import type { CrmAnswer, PhoneNumber } from '../../../lib/crm/types';
import { systemClock } from '../../../lib/clock';
import { TelephonyError } from '../../../lib/errors';
import { silentLog } from '../../../lib/log';
import { FakeCrm, json, type Behaviour } from '../../support/fake-crm';

const number: PhoneNumber = { kind: 'phone', e164: '+74951343060', national: '4951343060', country: 'RU' };

/** The answer of the protocol's document, with its typing errors repaired and its exchanged company fields kept. */
const documented = {
  obj: 'UserCRM',
  action: 'get_contact',
  code: 200,
  list: [
    { name: 'Компания', id: 1, type: 'company', owner_id: 1004 },
    { name: 'Петров АА', id: 2, type: 'contact', company_id: 'Компания', company_name: '1', owner_id: 1004 },
  ],
};

const found = (answer: CrmAnswer): Extract<CrmAnswer, { found: true }> => {
  assert.ok(answer.found);
  return answer;
};

describe('UserCRM client', () => {
  let crm: FakeCrm;
  let account: CrmAccount;

  async function open(behave: Behaviour): Promise<CrmAccount> {
    crm = await new FakeCrm(behave).start();
    account = createCrmAccount(
      { kind: crmKind('usercrm'), settings: { url: `${crm.origin}/hook` }, secrets: { token: 'crm-key' } },
      { clock: systemClock, log: silentLog },
    );
    return account;
  }

  const bodies = () => crm.requests.map((request) => JSON.parse(request.body) as Record<string, unknown>);

  /** The error of a lookup when the CRM answers like this. */
  async function lookupError(behave: Behaviour): Promise<TelephonyError> {
    await open(behave);
    const thrown = await account.lookup(number, 15_000).catch((error: unknown) => error);
    assert.ok(thrown instanceof TelephonyError, 'the lookup fails');
    return thrown;
  }

  afterEach(async () => {
    await (account as CrmAccount | undefined)?.close();
    await (crm as FakeCrm | undefined)?.stop();
  });

  it('asks as the document says: envelope, both forms of the number, Bearer key', async () => {
    await open(json(documented));
    await account.lookup(number, 15_000);
    const [request] = crm.requests;
    assert.equal(request?.method, 'POST');
    assert.equal(request.url, '/hook');
    assert.equal(request.headers['content-type'], 'application/json');
    assert.equal(request.headers.authorization, 'Bearer crm-key');
    const { action_id: id, ...rest } = bodies()[0] ?? {};
    assert.match(String(id), /^[0-9a-f-]{36}$/);
    assert.deepEqual(rest, {
      action: 'get_contact',
      obj: 'UserCRM',
      params: { phone: '4951343060', e164_phone: '74951343060' },
    });
  });

  it('asks for digits that are no valid number as they stand', async () => {
    await open(json(documented));
    await account.lookup({ kind: 'raw', digits: '555000' }, 15_000);
    assert.deepEqual(bodies()[0]?.params, { phone: '555000', e164_phone: '555000' });
  });

  it('reads the answer of the document: the person before the company', async () => {
    await open(json(documented));
    const { answer } = await account.lookup(number, 15_000);
    assert.deepEqual(answer, {
      found: true,
      name: 'Петров АА',
      entities: [
        { type: 'contact', id: '2', name: 'Петров АА', ownerId: '1004' },
        { type: 'company', id: '1', name: 'Компания', ownerId: '1004' },
      ],
      owner: { id: '1004', idMayBeExtension: true },
    });
  });

  it('tests with the test action and proves the key by asking for the users', async () => {
    await open((request, response) => {
      const { action } = JSON.parse(request.body) as { action: string };
      const body =
        action === 'test' ? { success: true } : [{ id: '1', name: 'Рита' }, { id: 2 }, { name: 'no id' }, 'x'];
      json({ action, obj: 'UserCRM', code: 200, body })(request, response);
    });
    assert.equal((await account.test())?.en, 'users: 2');
    assert.deepEqual(
      bodies().map(({ action }) => action),
      ['test', 'get_users'],
    );
    assert.deepEqual(await account.loadUsers(), [
      { id: '1', name: 'Рита' },
      { id: '2', name: '2' },
    ]);
  });

  it('a test fails when the CRM says so, and when it refuses the key for the users', async () => {
    await open(json({ code: 200, body: { success: false } }));
    await assert.rejects(account.test(), { code: 'CRM_BAD_ANSWER' });
    await account.close();
    await crm.stop();
    await open((request, response) => {
      const { action } = JSON.parse(request.body) as { action: string };
      json({ code: action === 'test' ? 200 : 401, body: {} })(request, response);
    });
    await assert.rejects(account.test(), { code: 'CRM_UNAUTHORIZED' });
  });

  it('a test passes at a CRM that has no list of users', async () => {
    await open((request, response) => {
      const { action } = JSON.parse(request.body) as { action: string };
      json(action === 'test' ? { code: 200, body: { success: true } } : { code: 400, body: 'unknown action' })(
        request,
        response,
      );
    });
    assert.equal(await account.test(), undefined);
  });

  describe('an error inside the envelope', () => {
    for (const [code, expected] of [
      [401, 'CRM_UNAUTHORIZED'],
      ['403', 'CRM_UNAUTHORIZED'],
      [429, 'CRM_LIMITED'],
      [500, 'CRM_SERVER_ERROR'],
      [400, 'CRM_REFUSED'],
      ['oops', 'CRM_BAD_ANSWER'],
    ] as const) {
      it(`${code} is ${expected}`, async () => {
        assert.equal((await lookupError(json({ obj: 'UserCRM', code, list: [] }))).code, expected);
      });
    }

    it('is told in the words of the CRM, without the key', async () => {
      const error = await lookupError(json({ code: 422, message: 'bad\r\nphone, key crm-key' }));
      assert.match(error.message, /bad phone, key …/);
    });
  });

  describe('what else CRMs answer', () => {
    const notFound: readonly (readonly [string, Record<string, unknown>])[] = [
      ['an empty list', { code: 200, list: [] }],
      ['an empty body', { code: 200, body: [] }],
      ['an empty object, as PHP writes an empty list', { code: 200, list: {} }],
      ['null', { code: 200, list: null }],
      ['false', { code: 200, body: false }],
      ['nothing but the code', { code: 200 }],
    ];
    for (const [name, reply] of notFound) {
      it(`${name} is "not found"`, () => assert.deepEqual(contactIn(reply), { found: false }));
    }

    const item = { name: 'Иван', id: '7', owner_id: '3' };
    const one: readonly (readonly [string, Record<string, unknown>])[] = [
      ['list', { list: [item] }],
      ['body', { body: [item] }],
      ['body.list', { body: { list: [item] } }],
      ['one object instead of a list', { body: item }],
      ['an object with numbers for names, as PHP writes a list with gaps', { list: { 0: item } }],
      ['a list with rubbish beside the client', { list: [null, 5, item, [], 'x'] }],
    ];
    for (const [name, reply] of one) {
      it(`${name} is understood`, () => {
        const answer = found(contactIn(reply));
        assert.equal(answer.name, 'Иван');
        assert.equal(answer.owner?.id, '3');
        assert.deepEqual(answer.entities, [{ type: 'contact', id: '7', name: 'Иван', ownerId: '3' }]);
      });
    }

    it('the owner of the contact wins over that of the company, and the company stands in for none', () => {
      const company = { type: 'company', id: 1, name: 'К', owner_id: 10 };
      const withOwner = { type: 'contact', id: 2, name: 'Ч', owner_id: 20 };
      assert.equal(found(contactIn({ list: [company, withOwner] })).owner?.id, '20');
      const without = { type: 'contact', id: 2, name: 'Ч', owner_id: null };
      assert.equal(found(contactIn({ list: [company, without] })).owner?.id, '10');
      assert.equal(found(contactIn({ list: [without] })).owner, undefined);
      assert.equal(found(contactIn({ list: [{ ...without, owner_id: 0 }] })).owner, undefined);
    });

    it('the company of a contact is listed once, with its fields exchanged or not', () => {
      const straight = { type: 'contact', id: 2, name: 'Ч', company_id: '5', company_name: 'Рога' };
      const exchanged = { type: 'contact', id: 3, name: 'Щ', company_id: 'Рога', company_name: '5' };
      const { entities } = found(contactIn({ list: [straight, exchanged] }));
      assert.deepEqual(
        entities.filter((entity) => entity.type === 'company'),
        [{ type: 'company', id: '5', name: 'Рога' }],
      );
    });

    for (const reply of [
      { hello: 'world' },
      { list: 'text' },
      { list: [1, 2] },
      { code: 200, body: { success: true } },
    ]) {
      it(`${JSON.stringify(reply)} is no answer`, () =>
        assert.throws(() => contactIn(reply), { code: 'CRM_BAD_ANSWER' }));
    }

    for (const body of ['[]', '5', 'null', '"text"']) {
      it(`JSON ${body} alone is a list or no answer, never a crash`, async () => {
        await open((_request, response) => response.end(body));
        const result = await account.lookup(number, 15_000).catch((error: unknown) => error);
        if (body === '[]') assert.deepEqual(result, { answer: { found: false }, from: 'crm' });
        else assert.equal((result as TelephonyError).code, 'CRM_BAD_ANSWER');
      });
    }

    it('any JSON whatever is an answer or CRM_BAD_ANSWER, and every value in it a text', () => {
      const anyItem = fc.record(
        {
          id: fc.jsonValue(),
          name: fc.jsonValue(),
          type: fc.jsonValue(),
          owner_id: fc.jsonValue(),
          company_id: fc.jsonValue(),
          company_name: fc.jsonValue(),
        },
        { requiredKeys: [] },
      );
      const anyReply = fc.record(
        {
          code: fc.jsonValue(),
          list: fc.oneof(fc.jsonValue(), fc.array(anyItem)),
          body: fc.oneof(fc.jsonValue(), anyItem),
        },
        { requiredKeys: [] },
      );
      fc.assert(
        fc.property(anyReply, (reply) => {
          let answer: CrmAnswer;
          try {
            answer = contactIn(reply);
          } catch (error) {
            assert.ok(error instanceof TelephonyError && error.code === 'CRM_BAD_ANSWER');
            return;
          }
          if (!answer.found) return;
          assert.equal(typeof answer.name, 'string');
          for (const entity of answer.entities) {
            for (const value of Object.values(entity)) assert.equal(typeof value, 'string');
          }
        }),
        { numRuns: 500 },
      );
    });
  });

  describe('settings', () => {
    for (const [field, settings, secrets] of [
      ['url', {}, { token: 'x' }],
      ['url', { url: 'crm.example.com' }, { token: 'x' }],
      ['url', { url: 'ftp://crm.example.com' }, { token: 'x' }],
      ['url', { url: 'https://a:b@crm.example.com' }, { token: 'x' }],
      ['token', { url: 'https://crm.example.com' }, {}],
    ] as const) {
      it(`${JSON.stringify(settings)} names the field ${field}`, () => {
        assert.throws(
          () =>
            createCrmAccount({ kind: crmKind('usercrm'), settings, secrets }, { clock: systemClock, log: silentLog }),
          (error) =>
            error instanceof TelephonyError && error.code === 'CRM_BAD_SETTINGS' && error.params.field === field,
        );
      });
    }
  });
});
