import assert from 'node:assert/strict';
import { createCrmAccount, type CrmAccount } from '../../../lib/crm/account';
import { createCrmHttp } from '../../../lib/crm/http';
import { bitrix24 } from '../../../lib/crm/kinds/bitrix24';
import { createLimiter } from '../../../lib/crm/limiter';
import type { ClientWish, PhoneNumber } from '../../../lib/crm/types';
import { TelephonyError } from '../../../lib/errors';
import { silentLog } from '../../../lib/log';
import { systemClock } from '../../../lib/clock';
import { BitrixDouble } from '../../doubles/bitrix24';
import { htmlPage } from '../../doubles/support';
import { FakeClock } from '../../support/fake-clock';
import { until } from '../../support/wait';

const number: PhoneNumber = { kind: 'phone', e164: '+74951343060', national: '4951343060', country: 'RU' };

describe('Bitrix24', () => {
  let portal: BitrixDouble;
  let account: CrmAccount;

  const open = (token = portal.webhook) =>
    createCrmAccount({ kind: bitrix24, settings: {}, secrets: { token } }, { clock: systemClock, log: silentLog });

  const failure = async (work: Promise<unknown>): Promise<TelephonyError> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof TelephonyError, 'it fails with an error that people can read');
    assert.ok(!JSON.stringify([error, error.message, error.textIn('ru')]).includes(portal.code), 'the key is not told');
    return error;
  };

  beforeEach(async () => {
    portal = await new BitrixDouble().start();
    portal.bucket = { size: 1000, perSecond: 1000 };
    portal.crm.addUser({ ID: '99', NAME: 'Рита', LAST_NAME: 'Иванова', UF_PHONE_INNER: '101' });
    account = open();
  });

  afterEach(async () => {
    await account.close();
    await portal.stop();
  });

  describe('the webhook', () => {
    it('is taken as people copy it', async () => {
      for (const end of ['', 'profile.json', 'crm.lead.add']) {
        await account.close();
        account = open(` ${portal.webhook}${end} `);
        assert.match((await account.test())?.ru ?? '', /^пользователей: 2$/);
      }
      await account.close();
      account = open(portal.webhook.slice(0, -1));
      assert.match((await account.test())?.en ?? '', /^users: 2$/);
    });

    it('that is none is refused at once, and told without its text', () => {
      for (const token of ['', 'https://x.bitrix24.ru', 'https://x.bitrix24.ru/rest/k3y0f4h00k/', 'k3y0f4h00k']) {
        assert.throws(
          () => open(token),
          (thrown: TelephonyError) => thrown.code === 'CRM_BAD_SETTINGS' && !thrown.message.includes('k3y0f4h00k'),
        );
      }
    });

    it('with a wrong key is told in the words of the portal', async () => {
      await account.close();
      account = open(portal.webhook.replace(portal.code, 'wr0ngwr0ngwr0ng'));
      const error = await failure(account.test());
      assert.equal(error.code, 'CRM_UNAUTHORIZED');
      assert.match(error.message, /NO_AUTH_FOUND: Wrong authorization data/);
      assert.ok(!error.message.includes('wr0ng'));
    });

    it('is told by the test what it may not do', async () => {
      portal.applicationsOnly = true;
      assert.match((await account.test())?.en ?? '', /lets applications only register calls/);
      portal.scopes.delete('telephony');
      portal.scopes.delete('user');
      const { en, ru } = (await account.test()) ?? { en: '', ru: '' };
      assert.match(en, /^users: 0; no right "Users".*; no right "Telephony"/);
      assert.match(ru, /нет права «Телефония»/);
      assert.equal(portal.telephony.registrations, 0);
    });
  });

  describe('errors', () => {
    it('an empty code and one in the place of the text are told alike', async () => {
      portal.fail('scope', { status: 400, body: { error: '', error_description: 'Not found' } });
      assert.match((await failure(account.test())).message, /\(400\): "Not found"/);
      portal.fail('scope', { status: 400, body: { error: 'No type', error_description: '' } });
      assert.match((await failure(account.test())).message, /: "No type"/);
    });

    it('a page of a gateway, an overload, an echo of the key', async () => {
      portal.fail('scope', htmlPage, 2);
      assert.equal((await failure(account.test())).code, 'CRM_SERVER_ERROR');
      const overload = { error: 'OVERLOAD_LIMIT', error_description: 'REST API is blocked due to overload' };
      portal.fail('scope', { status: 503, body: overload }, 2);
      const error = await failure(account.test());
      assert.deepEqual(
        [error.code, error.message.includes('OVERLOAD_LIMIT: REST API is blocked')],
        ['CRM_SERVER_ERROR', true],
      );
      portal.fail('scope', { status: 400, body: { error: 'x', error_description: `no ${portal.webhook}` } });
      await failure(account.test());
    });

    it('the bucket that is full makes everybody pause for a second; a method that used up its time waits alone', async () => {
      portal.bucket = { size: 0, perSecond: 0 };
      const limited = await failure(account.test());
      assert.deepEqual([limited.code, limited.params.retryAfterMs], ['CRM_LIMITED', 1000]);
      portal.bucket = { size: 100, perSecond: 100 };
      portal.exhausted.add('user.get');
      const exhausted = await failure(account.loadUsers());
      assert.deepEqual([exhausted.code, exhausted.params.retryAfterMs], ['CRM_LIMITED', 600_000]);
      // Others go on.
      assert.equal((await account.lookup(number, 5000)).answer.found, false);
    });

    it('an answer without a result is told as such', async () => {
      portal.fail('scope', { status: 200, body: [] });
      assert.equal((await failure(account.test())).code, 'CRM_BAD_ANSWER');
    });
  });

  it('lists the employees of a large portal with their extensions', async () => {
    for (let id = 1000; id < 1130; id += 1) portal.crm.addUser({ ID: String(id), UF_PHONE_INNER: String(id) });
    portal.crm.addUser({ ID: '5000', ACTIVE: false });
    portal.crm.addUser({ ID: '5001', USER_TYPE: 'extranet' });
    const users = await account.loadUsers();
    assert.deepEqual(users[1], { id: '99', name: 'Рита Иванова', extension: '101' });
    assert.equal(users.length, 132);
    assert.deepEqual(users.at(-1), { id: '1129', name: 'Рита Иванова', extension: '1129' });
    assert.deepEqual(portal.methods, ['user.get', 'batch']);
  });

  describe('a number', () => {
    const phone = (VALUE: string) => [{ VALUE, VALUE_TYPE: 'WORK' }];
    const find = async () => (await account.lookup(number, 5000)).answer;

    beforeEach(() => {
      portal.crm.add('COMPANY', { TITLE: 'ООО Ромашка', ASSIGNED_BY_ID: '1', PHONE: phone('8 495 134-30-60') });
      portal.crm.add('CONTACT', {
        NAME: 'Иван',
        LAST_NAME: 'Петров',
        ASSIGNED_BY_ID: '99',
        PHONE: phone('84951343060'),
      });
    });

    const wanted = () => ({
      found: true,
      name: 'Иван Петров',
      entities: [
        {
          type: 'contact',
          id: '652',
          name: 'Иван Петров',
          ownerId: '99',
          url: `${portal.server.origin}/crm/contact/details/652/`,
        },
        {
          type: 'company',
          id: '651',
          name: 'ООО Ромашка',
          ownerId: '1',
          url: `${portal.server.origin}/crm/company/details/651/`,
        },
      ],
      owner: { id: '99', extension: '101' },
    });

    it('brings clients, the responsible and his extension by one request', async () => {
      assert.deepEqual(await find(), wanted());
      assert.deepEqual(portal.methods, ['telephony.externalcall.searchcrmentities']);
    });

    it('brings the same without the right "telephony", by every usual writing, and does not try it again', async () => {
      portal.scopes.delete('telephony');
      portal.crm.entities[0]!.fields = { ...portal.crm.entities[0]?.fields, PHONE: phone('+74951343060') };
      assert.deepEqual(await find(), wanted());
      await account.lookup({ ...number, e164: '+74951343061', national: '4951343061' }, 5000);
      assert.deepEqual(portal.methods, [
        'telephony.externalcall.searchcrmentities',
        'crm.duplicate.findbycomm',
        'batch',
        'crm.duplicate.findbycomm',
      ]);
    });

    it('brings clients when neither users nor telephony may be read; the table says the extension then', async () => {
      portal.scopes.delete('telephony');
      portal.scopes.delete('user');
      const answer = await find();
      assert.deepEqual(answer.found && answer.owner, { id: '99' });
    });

    it('is found by the CRM while telephony has used up its time', async () => {
      portal.exhausted.add('telephony.externalcall.searchcrmentities');
      assert.equal((await find()).found, true);
    });

    it('that nobody has is not found, in either way', async () => {
      portal.crm.entities.length = 0;
      assert.deepEqual(await find(), { found: false });
      portal.scopes.delete('telephony');
      const raw = await account.lookup({ kind: 'raw', digits: '5550001' }, 5000);
      assert.deepEqual(raw.answer, { found: false });
    });

    it('whose client belongs to nobody has no owner; hostile names are one line', async () => {
      portal.crm.entities.length = 0;
      portal.crm.add('LEAD', { TITLE: 'a\r\nExten: x\u0000"<b>', PHONE: phone('+74951343060') });
      const answer = await find();
      assert.deepEqual(answer.found && [answer.owner, answer.name], [undefined, 'a Exten: x "<b>']);
    });
  });

  describe('a new client', () => {
    it('is a lead or a contact with number, responsible and source, whatever its name', async () => {
      const name = 'О"Генри\r\n\u0000{{x}} &amp;=[0]';
      const wish: ClientWish = { type: 'lead', name, ownerId: '99' };
      const { answer, created } = await account.create(number, wish, 5000);
      const [lead] = portal.crm.all('LEAD');
      assert.equal(created, true);
      assert.deepEqual(
        [answer.entities[0]?.id, answer.entities[0]?.url],
        [String(lead?.id), `${portal.server.origin}/crm/lead/details/${lead?.id}/`],
      );
      assert.deepEqual(lead?.fields, {
        NAME: name,
        TITLE: name,
        STATUS_ID: 'NEW',
        SOURCE_ID: 'CALL',
        OPENED: 'Y',
        ASSIGNED_BY_ID: '99',
        PHONE: [{ VALUE: '+74951343060', VALUE_TYPE: 'WORK' }],
      });
      const other: PhoneNumber = { ...number, e164: '+74951343061' };
      await account.create(other, { type: 'contact' }, 5000);
      assert.equal(portal.crm.all('CONTACT')[0]?.fields.NAME, '+74951343061');
    });
  });

  it('never asks more than the portal allows, over 200 requests as fast as they may go', async () => {
    const clock = new FakeClock();
    await portal.stop();
    portal = await new BitrixDouble({ now: () => clock.now() }).start();
    const limiter = createLimiter(bitrix24.limits, clock);
    const http = createCrmHttp({ clock, limiter, timeoutMs: 1e9, connectMs: 1e9 });
    const adapter = bitrix24.create({}, { token: portal.webhook }, http);
    let done = 0;
    const all = Array.from({ length: 200 }, async () => {
      await adapter.findByPhone(number, { signal: new AbortController().signal });
      done += 1;
    });
    let moved = 0;
    await until(async () => {
      // What was let through arrives before the time goes on.
      const sent = 200 - limiter.waiting;
      if (done < sent) return false;
      await clock.advanceAsync(500);
      moved += 500;
      return done === 200;
    }, 'all 200 requests answered');
    await Promise.all(all);
    http.close();
    assert.equal(portal.refused, 0);
    assert.ok(moved >= 80_000 && moved < 90_000, `it takes the time that the limit asks for: ${moved}`);
  });
});
