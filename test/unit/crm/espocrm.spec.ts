import assert from 'node:assert/strict';
import { TelephonyError } from '../../../lib/errors';
import type { CrmAnswer, PhoneNumber } from '../../../lib/crm/types';
import { EspoDouble } from '../../doubles/espocrm';
import { Desk, legEvent, record, userChange } from './support/events';

const number: PhoneNumber = { kind: 'phone', e164: '+74951343060', national: '4951343060', country: 'RU' };

describe('EspoCRM', () => {
  let espo: EspoDouble;
  let desk: Desk;
  let rita: string;
  let ivan: string;

  const open = (users: Record<string, string> = { '101': rita, '102': ivan }, url = espo.origin, key = espo.key) =>
    new Desk('espocrm', { url }, { token: key }, users);

  const find = (phone: PhoneNumber = number): Promise<CrmAnswer> => desk.adapter.findByPhone(phone, desk.context);

  const code = async (work: Promise<unknown>): Promise<TelephonyError> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof TelephonyError, 'it fails with an error that people can read');
    return error;
  };

  beforeEach(async () => {
    espo = await new EspoDouble().start();
    rita = espo.add('User', { name: 'Рита', userName: 'rita', type: 'regular', isActive: true, phoneNumber: '101' });
    ivan = espo.add('User', { name: 'Иван', userName: 'ivan', type: 'admin', isActive: true });
    espo.add('User', { name: 'asterisk', userName: 'asterisk', type: 'api', isActive: true });
    espo.add('User', { name: 'Уволен', userName: 'gone', type: 'regular', isActive: false });
    desk = open();
  });

  afterEach(async () => {
    desk.close();
    await espo.stop();
  });

  describe('test and users', () => {
    it('lists the people, with the short phone number as extension', async () => {
      assert.deepEqual(await desk.adapter.listUsers(desk.context), [
        { id: rita, name: 'Рита', extension: '101' },
        { id: ivan, name: 'Иван' },
      ]);
    });

    it('lists more users than one page holds', async () => {
      for (let index = 0; index < 450; index += 1) espo.add('User', { name: `u${index}`, isActive: true });
      assert.equal((await desk.adapter.listUsers(desk.context)).length, 452);
    });

    it('says what the role hides', async () => {
      assert.match((await desk.adapter.test(desk.context))?.ru ?? '', /^пользователей: 2$/);
      espo.hidden.add('Lead').add('Call');
      assert.match((await desk.adapter.test(desk.context))?.en ?? '', /does not let it read Lead, Call$/);
    });

    it('takes the address as people paste it', async () => {
      for (const url of ['/', '/api/v1', '/api/v1/', '/#Contact', '/?x=1#Lead/view/1']) {
        desk.close();
        desk = open({}, espo.origin + url);
        assert.equal((await desk.adapter.listUsers(desk.context)).length, 2, url);
      }
    });

    it('a wrong key (401 without a body) is told as such', async () => {
      desk.close();
      desk = open({}, espo.origin, 'f'.repeat(32));
      assert.equal((await code(desk.adapter.test(desk.context))).code, 'CRM_UNAUTHORIZED');
    });

    it('a role without users is told in the words of EspoCRM', async () => {
      espo.hidden.add('User');
      const error = await code(desk.adapter.test(desk.context));
      assert.equal(error.code, 'CRM_UNAUTHORIZED');
      assert.match(error.message, /No access to User\./);
    });

    it('another server than EspoCRM (404 without a body) is told as such', async () => {
      desk.close();
      desk = open({}, `${espo.origin}/crm`);
      assert.equal((await code(desk.adapter.test(desk.context))).code, 'CRM_NOT_FOUND');
    });
  });

  describe('a number', () => {
    it('brings the person first, the company of his, and who is responsible', async () => {
      const account = espo.add('Account', { name: 'ООО Ромашка', phoneNumber: '+74951343060', assignedUserId: ivan });
      const fields = { accountId: account, accountName: 'ООО Ромашка', assignedUserId: rita };
      const id = espo.add('Contact', { firstName: 'Иван', lastName: 'Петров', phoneNumber: '+74951343060', ...fields });
      const card = (entity: string, of: string) => `${espo.origin}/#${entity}/view/${of}`;
      assert.deepEqual(await find(), {
        found: true,
        name: 'Иван Петров',
        entities: [
          { type: 'contact', id, name: 'Иван Петров', ownerId: rita, url: card('Contact', id) },
          { type: 'company', id: account, name: 'ООО Ромашка', ownerId: ivan, url: card('Account', account) },
        ],
        owner: { id: rita, name: 'Рита' },
      });
    });

    it('is asked for in E.164, with the encoding of the API', async () => {
      await find();
      const asked = espo.requests.map(({ path, query }) => [path, ...[...query.entries()].slice(-3)]);
      const where = (type: string, attribute: string, value: string) => [
        ['where[0][type]', type],
        ['where[0][attribute]', attribute],
        ['where[0][value]', value],
      ];
      const exact = where('equals', 'phoneNumber', '+74951343060');
      const alike = where('endsWith', 'phoneNumberNumeric', '4951343060');
      const wanted = [exact, alike].flatMap((one) =>
        ['Contact', 'Lead', 'Account'].map((of) => [`/api/v1/${of}`, ...one]),
      );
      assert.deepEqual(asked.sort(), wanted.sort());
      assert.equal(espo.requests[0]?.headers['x-api-key'], espo.key);
    });

    for (const typed of ['8 (495) 134-30-60', '84951343060', '4951343060', '7-495-134-30-60']) {
      it(`is found as ${typed}, which an old installation allows`, async () => {
        espo.add('Lead', { lastName: 'Старый', phoneNumber: typed });
        const answer = await find();
        assert.equal(answer.found && answer.name, 'Старый');
      });
    }

    it('is found among the other numbers of a record', async () => {
      const phoneNumberData = [{ phoneNumber: '+79066800404' }, { phoneNumber: '8 495 134 30 60' }];
      espo.add('Contact', { lastName: 'Двойной', phoneNumberData });
      const answer = await find();
      assert.equal(answer.found && answer.name, 'Двойной');
    });

    it('is not another one with the same end', async () => {
      espo.add('Contact', { lastName: 'Другой', phoneNumber: '+374951343060' });
      espo.add('Contact', { lastName: 'Третий', phoneNumberData: [{ phoneNumber: '+14951343060' }] });
      assert.deepEqual(await find(), { found: false });
    });

    it('that is none is looked for by its digits', async () => {
      espo.add('Lead', { lastName: 'Короткий', phoneNumber: '5550001' });
      assert.equal((await find({ kind: 'raw', digits: '5550001' })).found, true);
      assert.deepEqual(await find({ kind: 'raw', digits: '0001' }), { found: false });
    });

    it('is found although the role hides leads; a role that hides everybody is an error', async () => {
      espo.add('Contact', { lastName: 'Петров', phoneNumber: '+74951343060' });
      espo.hidden.add('Lead');
      assert.equal((await find()).found, true);
      espo.hidden.add('Contact').add('Account');
      assert.equal((await code(find())).code, 'CRM_UNAUTHORIZED');
    });
  });

  describe('a new client', () => {
    const create = (type: 'lead' | 'contact', name?: string) =>
      desk.adapter.createClient!(
        number,
        { type, ownerId: rita, ...(name === undefined ? {} : { name }) },
        desk.context,
      );

    it('is a lead or a contact of the chosen user, with the number', async () => {
      const lead = await create('lead', 'Новый');
      assert.deepEqual([lead.type, lead.name, lead.ownerId], ['lead', 'Новый', rita]);
      const [stored] = espo.all('Lead');
      assert.deepEqual([stored?.source, stored?.status, stored?.phoneNumber], ['Call', 'New', '+74951343060']);
      const contact = await create('contact');
      assert.deepEqual([contact.type, contact.name], ['contact', '+74951343060']);
      assert.equal(espo.all('Contact')[0]?.phoneNumber, '+74951343060');
    });

    it('that EspoCRM has already (409) is taken', async () => {
      const id = espo.add('Lead', { lastName: 'Новый', phoneNumber: '+74951343060' });
      assert.equal((await create('lead', 'Новый')).id, id);
      assert.equal(espo.all('Lead').length, 1);
    });

    it('with the name of somebody else (409) is made all the same', async () => {
      const id = espo.add('Lead', { lastName: 'Новый', phoneNumber: '+79066800404' });
      assert.notEqual((await create('lead', 'Новый')).id, id);
      assert.equal(espo.all('Lead').length, 2);
    });

    it('that is refused (400) is told in the words of EspoCRM', async () => {
      const bad: PhoneNumber = { kind: 'raw', digits: '101' };
      const error = await code(desk.adapter.createClient!(bad, { type: 'lead' }, desk.context));
      assert.equal(error.code, 'CRM_REFUSED');
      assert.match(error.message, /entityType: Lead, field: phoneNumber, type: valid/);
    });
  });

  describe('a call', () => {
    it('is written with its times in UTC, the client and the people', async () => {
      const client = espo.add('Contact', { lastName: 'Петров', phoneNumber: '+74951343060' });
      const recording = { file: '2026/11/20/rec 1.wav' };
      const told = await desk.deliver(record({ recording, talked: ['102', '101'] }));
      const [call] = espo.all('Call');
      assert.deepEqual(told, {
        status: 'delivered',
        answer: { id: call?.id, url: `${espo.origin}/#Call/view/${call?.id}` },
      });
      const wanted = {
        name: 'Звонок от +74951343060',
        status: 'Held',
        direction: 'Inbound',
        dateStart: '2026-11-20 19:00:00',
        dateEnd: '2026-11-20 19:01:35',
        assignedUserId: rita,
        usersIds: [rita, ivan],
        parentType: 'Contact',
        parentId: client,
        contactsIds: [client],
      };
      for (const [name, value] of Object.entries(wanted)) assert.deepEqual(call?.[name], value, name);
      assert.match(String(call?.description), /Разговор, с: 83/);
      assert.match(
        String(call?.description),
        /Запись: https:\/\/pbx\.example\.com\/rec\/2026%2F11%2F20%2Frec%201\.wav/,
      );
    });

    it('that nobody answered, and one to the outside', async () => {
      const { talkSeconds, answeredAt, ...missed } = record().payload as Record<string, unknown>;
      assert.ok(talkSeconds !== undefined && answeredAt !== undefined);
      const payload = { ...missed, eventId: 'm', result: 'missed', talked: [], endedAt: missed.startedAt };
      await desk.deliver({ topic: 'call_record', payload } as never, { language: 'en' });
      desk.memo.clear();
      await desk.deliver(record({ eventId: 'o', direction: 'out' }), { language: 'en' });
      const told = espo.all('Call').map(({ name, status, direction }) => [name, status, direction]);
      assert.deepEqual(told, [
        ['Missed call from +74951343060', 'Not Held', 'Inbound'],
        ['Call to +74951343060', 'Held', 'Outbound'],
      ]);
      // EspoCRM wants an end after the start.
      assert.equal(espo.all('Call')[0]?.dateEnd, '2026-11-20 19:00:01');
    });

    it('is written once, however often it is told', async () => {
      await desk.deliver(record());
      await desk.deliver(record(), {}, { attempt: 2 });
      assert.equal(espo.all('Call').length, 1);
    });

    it('is not written twice when the answer was lost, or this process ended before it was kept', async () => {
      espo.server.fail('lost', { when: ({ method }) => method === 'POST' });
      assert.equal((await code(desk.deliver(record()))).code, 'CRM_UNREACHABLE');
      assert.equal(espo.all('Call').length, 1);
      const told = await desk.deliver(record(), {}, { attempt: 2 });
      assert.equal(espo.all('Call').length, 1);
      assert.deepEqual(told.status === 'delivered' && (told.answer as { id: string }).id, espo.all('Call')[0]?.id);
    });

    it('gets its end once more when EspoCRM made another one of it', async () => {
      const id = espo.add('Call', { name: 'x', dateEnd: '2026-11-20 19:05:00' });
      const reply = { status: 200, body: { id, dateEnd: '2026-11-20 19:05:00' } };
      espo.server.fail(reply, { when: ({ method }) => method === 'POST' });
      await desk.deliver(record());
      assert.equal(espo.all('Call')[0]?.dateEnd, '2026-11-20 19:01:35');
    });

    it('gets its end in the next try when that broke off', async () => {
      espo.server.fail('lost', { when: ({ method }) => method === 'POST' });
      await code(desk.deliver(record()));
      for (const call of espo.all('Call')) Object.assign(call, { dateEnd: '2026-11-20 19:05:00' });
      await desk.deliver(record(), {}, { attempt: 2 });
      assert.deepEqual(
        espo.all('Call').map(({ dateEnd }) => dateEnd),
        ['2026-11-20 19:01:35'],
      );
    });

    it('is written when the first try never came through', async () => {
      desk.memo.set('espocrm.posting', 'x');
      await desk.deliver(record());
      assert.equal(espo.all('Call').length, 1);
    });

    it('belongs to the user in the record, else of the table, else to the one of the client, else to the chosen one', async () => {
      const assigned = () => espo.all('Call').at(-1)?.assignedUserId;
      const alone = { extension: '109', talked: ['109'], rung: ['109'] };
      const tell = (more: object, settings = {}) => {
        desk.memo.clear();
        return desk.deliver(record(more), settings);
      };
      await tell({ user: { id: ivan } });
      assert.equal(assigned(), ivan);
      await tell({ extension: '109', talked: ['109'], rung: ['102', '109'] });
      assert.equal(assigned(), ivan);
      await tell(alone, { fallbackUser: 'boss' });
      assert.equal(assigned(), 'boss');
      const error = await code(tell(alone));
      assert.equal(error.code, 'CRM_NO_USER');
      assert.match(error.message, /109/);
      espo.add('Lead', { lastName: 'x', phoneNumber: '+74951343060', assignedUserId: rita });
      await tell(alone);
      assert.deepEqual([assigned(), espo.all('Call').at(-1)?.parentType], [rita, 'Lead']);
    });

    it('of a withheld number has no client and asks for none', async () => {
      const { client, ...payload } = record().payload as { client?: unknown };
      assert.ok(client !== undefined);
      await desk.deliver({ topic: 'call_record', payload } as never);
      assert.equal(espo.requests.length, 1);
      assert.equal(espo.all('Call')[0]?.name, 'Звонок от скрытого номера');
    });

    it('is no matter of EspoCRM when it is internal; nor are the other events', async () => {
      for (const event of [record({ direction: 'internal' }), legEvent('call_ringing'), userChange()]) {
        assert.deepEqual(await desk.deliver(event), { status: 'skipped' });
      }
      assert.equal(espo.requests.length, 0);
    });
  });
});
