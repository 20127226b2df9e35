import assert from 'node:assert/strict';
import { systemClock } from '../../../lib/clock';
import { createCrmAccount } from '../../../lib/crm/account';
import { createCrmHttp } from '../../../lib/crm/http';
import { amocrm } from '../../../lib/crm/kinds/amocrm';
import type { Limiter } from '../../../lib/crm/limiter';
import type { CrmAnswer, PhoneNumber } from '../../../lib/crm/types';
import { retryClass } from '../../../lib/delivery/retry-class';
import { TelephonyError } from '../../../lib/errors';
import { silentLog } from '../../../lib/log';
import { AmoDouble } from '../../doubles/amocrm';
import { htmlPage } from '../../doubles/support';
import { Desk } from './support/events';

const number: PhoneNumber = { kind: 'phone', e164: '+74951343060', national: '4951343060', country: 'RU' };

describe('amoCRM', () => {
  let amo: AmoDouble;
  let desk: Desk;

  const open = (url = amo.origin, token = amo.token) => new Desk('amocrm', { url }, { token });
  const find = (phone: PhoneNumber = number): Promise<CrmAnswer> => desk.adapter.findByPhone(phone, desk.context);
  const failure = async (work: Promise<unknown>): Promise<TelephonyError> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof TelephonyError, 'it fails with an error that people can read');
    assert.ok(!JSON.stringify([error, error.message]).includes(amo.token), 'the token is not told');
    return error;
  };

  beforeEach(async () => {
    amo = await new AmoDouble().start();
    amo.perSecond = 1000;
    amo.add('users', { name: 'Рита', email: 'rita@example.com', rights: { is_active: true } });
    amo.add('users', { name: '', email: 'ivan@example.com' });
    amo.add('users', { name: 'Уволен', rights: { is_active: false } });
    desk = open();
  });

  afterEach(async () => {
    desk.close();
    await amo.stop();
  });

  describe('test and users', () => {
    it('lists who is active; nobody has an extension', async () => {
      const [rita, ivan] = amo.all('users').map(({ id }) => String(id));
      const listed = (await desk.adapter.listUsers(desk.context)).sort((one, two) => Number(one.id) - Number(two.id));
      assert.deepEqual(listed, [
        { id: rita, name: 'Рита' },
        { id: ivan, name: 'ivan@example.com' },
      ]);
      assert.equal((await desk.adapter.test(desk.context))?.ru, 'пользователей: 2');
    });

    it('lists more users than one page holds', async () => {
      for (let index = 0; index < 600; index += 1) amo.add('users', { name: `u${index}` });
      assert.equal((await desk.adapter.listUsers(desk.context)).length, 602);
    });

    it('takes the address and the token as people paste them', async () => {
      for (const path of ['/', '/leads/detail/1', '/api/v4/', '/contacts/list/?x=1#y']) {
        desk.close();
        desk = open(amo.origin + path, ` Bearer ${amo.token}\n`);
        assert.equal((await desk.adapter.listUsers(desk.context)).length, 2, path);
      }
    });

    it('tells a token that has expired (401) in the words of amoCRM', async () => {
      amo.tokens.clear();
      const error = await failure(desk.adapter.test(desk.context));
      assert.equal(error.code, 'CRM_UNAUTHORIZED');
      assert.match(error.message, /Token has expired/);
    });
  });

  describe('a number', () => {
    it('brings the person, his company, his leads, and who is responsible', async () => {
      const company = amo.add('companies', { name: 'ООО Ромашка' });
      const links = { companies: [{ id: company }], leads: [{ id: 7 }, { id: 12 }] };
      const more = { responsible_user_id: 3, _embedded: links };
      const id = String(amo.addClient('contacts', 'Иван Петров', '+74951343060', more));
      const card = (list: string, of: string | number) => `${amo.origin}/${list}/detail/${of}`;
      assert.deepEqual(await find(), {
        found: true,
        name: 'Иван Петров',
        entities: [
          { type: 'contact', id, name: 'Иван Петров', ownerId: '3', url: card('contacts', id) },
          { type: 'company', id: String(company), url: card('companies', company) },
          { type: 'lead', id: '12', url: card('leads', 12) },
          { type: 'lead', id: '7', url: card('leads', 7) },
        ],
        owner: { id: '3' },
      });
      assert.equal(amo.requests.length, 1);
      const { query, headers } = amo.requests[0] ?? {};
      assert.equal(query?.get('query'), '4951343060');
      assert.equal(headers?.authorization, `Bearer ${amo.token}`);
    });

    it('may be that of a company', async () => {
      amo.addClient('companies', 'ООО Ромашка', '+74951343060', { responsible_user_id: 4 });
      const answer = await find();
      assert.ok(answer.found);
      assert.deepEqual([answer.name, answer.entities[0]?.type, answer.owner?.id], ['ООО Ромашка', 'company', '4']);
    });

    for (const typed of ['8 (495) 134-30-60', '84951343060', '4951343060', '7-495-134-30-60']) {
      it(`is found as ${typed}`, async () => {
        amo.addClient('contacts', 'Старый', typed);
        const answer = await find();
        assert.equal(answer.found && answer.name, 'Старый');
      });
    }

    it('is not a number that contains it, nor a text in another field', async () => {
      amo.addClient('contacts', 'Другой', '+374951343060');
      amo.addClient('contacts', 'Договор 4951343060', '+79066800404');
      amo.add('contacts', { name: '84951343060', custom_fields_values: null });
      assert.deepEqual(await find(), { found: false });
    });

    it('that nobody has (204 without a body) is not found, by two requests', async () => {
      assert.deepEqual(await find(), { found: false });
      assert.deepEqual(
        amo.requests.map(({ path }) => path),
        ['/api/v4/contacts', '/api/v4/companies'],
      );
    });

    it('of a client without a responsible user has no owner', async () => {
      amo.addClient('contacts', 'Ничей', '+74951343060', { responsible_user_id: 0 });
      const answer = await find();
      assert.equal(answer.found && 'owner' in answer, false);
    });

    it('that is none is looked for by its digits', async () => {
      amo.addClient('contacts', 'Короткий', '5550001');
      assert.equal((await find({ kind: 'raw', digits: '5550001' })).found, true);
      assert.equal((await find({ kind: 'raw', digits: '50001' })).found, false);
    });
  });

  describe('a new client', () => {
    const create = (type: 'lead' | 'contact', more = {}) =>
      desk.adapter.createClient!(number, { type, ownerId: '3', ...more }, desk.context);

    it('is a contact with the number, of the chosen user', async () => {
      const made = await create('contact', { name: 'Новый' });
      const [stored] = amo.all('contacts');
      assert.deepEqual(made, {
        type: 'contact',
        id: String(stored?.id),
        name: 'Новый',
        ownerId: '3',
        url: `${amo.origin}/contacts/detail/${stored?.id}`,
      });
      assert.equal(stored?.responsible_user_id, 3);
      assert.equal((await find()).found, true);
    });

    it('is a lead with such a contact, named by the number', async () => {
      const made = await create('lead');
      assert.deepEqual([made.type, made.name, made.id], ['lead', '+74951343060', String(amo.all('leads')[0]?.id)]);
      const answer = await find();
      assert.ok(answer.found);
      assert.deepEqual(
        answer.entities.map(({ type, id }) => [type, id]),
        [
          ['contact', String(amo.all('contacts')[0]?.id)],
          ['lead', made.id],
        ],
      );
    });

    it('that is refused (400) is told with the field', async () => {
      const error = await failure(create('contact', { ownerId: '99999999' }));
      assert.equal(error.code, 'CRM_REFUSED');
      assert.match(error.message, /Request validation failed; responsible_user_id/);
    });
  });

  describe('what goes wrong', () => {
    const classOf = async (work: Promise<unknown>) => {
      const error = await failure(work);
      return [error.code, retryClass(error, 1)];
    };
    const test = () => desk.adapter.test(desk.context);

    it('waits while the account is not paid, the address barred, the token no good', async () => {
      amo.paid = false;
      assert.deepEqual(await classOf(test()), ['CRM_UNAUTHORIZED', 'down']);
      amo.paid = true;
      amo.barred = true;
      const barred = await failure(test());
      assert.deepEqual([barred.code, retryClass(barred, 1)], ['CRM_UNAUTHORIZED', 'down']);
      assert.match(barred.message, /IP address is blocked/);
    });

    it('pauses longer with each refusal by the limit; the block that follows is one too', async () => {
      const pauses: number[] = [];
      const limiter: Limiter = { waiting: 0, take: () => Promise.resolve(), hold: (ms) => void pauses.push(ms) };
      const http = createCrmHttp({ clock: systemClock, limiter });
      const adapter = amocrm.create({ url: amo.origin }, { token: amo.token }, http);
      const ask = () => adapter.findByPhone(number, desk.context);
      try {
        for (const status of [429, 429, 429, 403]) {
          amo.server.fail({ status });
          assert.deepEqual(await classOf(ask()), ['CRM_LIMITED', 'later']);
        }
        await ask();
        amo.server.fail({ status: 403 });
        assert.equal((await failure(ask())).code, 'CRM_UNAUTHORIZED');
        amo.server.fail({ status: 429 });
        await failure(ask());
        assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 1000]);
      } finally {
        http.close();
      }
    });

    it('waits when amoCRM stumbles, and gives up what it refuses', async () => {
      const stumbled = { title: 'Bad Request', detail: 'Возникла системная ошибка. Пожалуйста, повторите попытку' };
      amo.server.fail({ status: 400, body: stumbled });
      assert.deepEqual(await classOf(test()), ['CRM_SERVER_ERROR', 'down']);
      amo.server.fail({ status: 400, body: { title: 'Bad Request', detail: 'No' } });
      assert.deepEqual(await classOf(test()), ['CRM_REFUSED', 'never']);
      amo.server.fail({ status: 504 });
      assert.deepEqual(await classOf(test()), ['CRM_SERVER_ERROR', 'down']);
    });

    it('bears web pages for answers, under any status', async () => {
      const page = (status: number) => ({ ...htmlPage, status });
      for (const [status, code] of [
        [200, 'CRM_NOT_JSON'],
        [400, 'CRM_REFUSED'],
        [403, 'CRM_UNAUTHORIZED'],
        [502, 'CRM_SERVER_ERROR'],
      ] as const) {
        amo.server.fail(page(status));
        assert.equal((await failure(test())).code, code, String(status));
      }
    });

    it('bears answers of other shapes', async () => {
      for (const body of ['[]', '{}', '{"_embedded":[]}', '"x"', 'null']) {
        amo.server.fail({ status: 200, body });
        assert.equal((await failure(find())).code, 'CRM_BAD_ANSWER', body);
      }
      amo.server.fail({
        status: 200,
        body: { _embedded: { contacts: [null, 1, {}, { id: 5, custom_fields_values: 'x' }] } },
      });
      assert.deepEqual(await find(), { found: false });
    });
  });

  it('an account asks amoCRM no more than seven times in any second', async () => {
    amo.perSecond = 7;
    const deps = { clock: systemClock, log: silentLog };
    const account = createCrmAccount(
      { kind: amocrm, settings: { url: amo.origin }, secrets: { token: amo.token } },
      deps,
    );
    try {
      const phones = Array.from({ length: 6 }, (_, index) => `49513430${10 + index}`);
      const asked = phones.map((national) =>
        account.lookup({ kind: 'phone', e164: `+7${national}`, national, country: 'RU' }, 8000),
      );
      const answers = await Promise.all(asked);
      assert.ok(answers.every(({ answer }) => !answer.found));
      assert.equal(amo.requests.length, 12);
    } finally {
      await account.close();
    }
  });
});
