import assert from 'node:assert/strict';
import { systemClock } from '../../../lib/clock';
import { createCrmAccount } from '../../../lib/crm/account';
import { crmKind } from '../../../lib/crm/kinds';
import type { CrmAnswer, PhoneNumber } from '../../../lib/crm/types';
import { retryClass } from '../../../lib/delivery/retry-class';
import { TelephonyError } from '../../../lib/errors';
import { silentLog } from '../../../lib/log';
import { RetailDouble } from '../../doubles/retailcrm';
import type { DoubleRequest } from '../../doubles/support';
import { Desk, legEvent, record, userChange } from './support/events';

const number: PhoneNumber = { kind: 'phone', e164: '+74951343060', national: '4951343060', country: 'RU' };
/** `<Linkedid>-<hash of the PBX's name>` of the call in support/events. */
const CALL = /^1795201200\.15-[0-9a-f]{8}$/;

describe('retailCRM', () => {
  let retail: RetailDouble;
  let desk: Desk;

  const open = (
    settings: object = {},
    token = retail.key,
    users: Record<string, string> = { '101': '3', '102': '4' },
  ) => {
    desk = new Desk('retailcrm', { url: retail.origin, ...settings }, { token }, users);
  };
  const reopen = (...how: Parameters<typeof open>) => {
    desk.close();
    open(...how);
  };
  const find = (phone: PhoneNumber = number): Promise<CrmAnswer> => desk.adapter.findByPhone(phone, desk.context);
  const code = async (work: Promise<unknown>): Promise<TelephonyError> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof TelephonyError, 'it fails with an error that people can read');
    return error;
  };
  const isUpload = ({ path }: DoubleRequest): boolean => path.endsWith('/calls/upload');
  const uploads = () => retail.requests.filter(isUpload);

  beforeEach(async () => {
    retail = await new RetailDouble().start();
    retail.addUser({ id: 3, firstName: 'Рита', lastName: 'Зуева', email: 'rita@example.com', code: '101' });
    retail.addUser({ id: 4, firstName: 'Иван', phone: '102' });
    retail.addUser({ id: 5, firstName: 'Уволен', active: false });
    open();
  });

  afterEach(async () => {
    desk.close();
    await retail.stop();
  });

  describe('test and users', () => {
    it('lists the people, with the extensions of the registered telephony, else a short phone number', async () => {
      const [rita, ivan] = [
        { id: '3', name: 'Рита Зуева' },
        { id: '4', name: 'Иван', extension: '102' },
      ];
      assert.deepEqual(await desk.adapter.listUsers(desk.context), [rita, ivan]);
      reopen({ module: 'asterisk' });
      assert.deepEqual(await desk.adapter.listUsers(desk.context), [{ ...rita, extension: '101' }, ivan]);
    });

    it('lists more users than one page holds', async () => {
      for (let index = 0; index < 250; index += 1) retail.addUser({ firstName: `u${index}` });
      assert.equal((await desk.adapter.listUsers(desk.context)).length, 252);
    });

    it('lists them without extensions when the telephony is not known, or may not be seen', async () => {
      reopen({ module: 'other' });
      assert.equal((await desk.adapter.listUsers(desk.context)).length, 2);
      reopen({ module: 'asterisk' });
      retail.denied.add('/api/integration-modules/{code}');
      assert.equal((await desk.adapter.listUsers(desk.context)).length, 2);
    });

    it('says what the key may not do, and what is not registered; changes nothing', async () => {
      reopen({ module: 'asterisk' });
      assert.deepEqual(await desk.adapter.test(desk.context), {
        en: 'users: 2, time zone: Europe/Moscow',
        ru: 'пользователей: 2, часовой пояс: Europe/Moscow',
      });
      retail.denied.add('/api/users').add('/api/settings').add('/api/telephony/calls/upload');
      reopen({ module: 'other' });
      const told = await desk.adapter.test(desk.context);
      assert.match(
        told?.en ?? '',
        /^users: 0, time zone: —; no right to \/telephony\/calls\/upload: no calls are written/,
      );
      assert.match(told?.ru ?? '', /нет права на \/settings: .*; нет действующей телефонии «other»$/);
      assert.ok(retail.requests.every(({ method }) => method === 'GET'));
    });

    it('takes the address as people paste it', async () => {
      for (const url of ['/', '/orders/', '/admin/users?page=2#top', '/api/v5/']) {
        reopen({ url: retail.origin + url });
        assert.equal((await desk.adapter.listUsers(desk.context)).length, 2, url);
      }
    });

    it('a wrong key is told as such, in the words of retailCRM; events wait for a right one', async () => {
      reopen({}, 'wrong-key');
      const error = await code(desk.adapter.test(desk.context));
      assert.equal(error.code, 'CRM_UNAUTHORIZED');
      assert.match(error.message, /Wrong "apiKey" value\./);
      const undelivered = await code(desk.deliver(record()));
      assert.equal(retryClass(undelivered, 1), 'down');
    });

    it('an account that is gone or closed is no fault of an event: all wait', async () => {
      for (const status of [200, 400, 402, 404]) {
        retail.server.fail({ status, body: { success: false, errorMsg: 'Account does not exist.' } });
        const error = await code(desk.deliver(record()));
        assert.equal(error.code, 'CRM_UNAUTHORIZED', String(status));
        assert.match(error.message, /Account does not exist\./);
      }
    });
  });

  describe('a number', () => {
    it('brings the client, the responsible manager and his extension by one question', async () => {
      const fields = { firstName: 'Пётр', lastName: 'Петров', phones: [{ number: '8 (495) 134-30-60' }], managerId: 3 };
      const { id } = retail.addCustomer(fields);
      assert.deepEqual(await find(), {
        found: true,
        name: 'Пётр Петров',
        entities: [
          {
            type: 'contact',
            id: String(id),
            name: 'Пётр Петров',
            ownerId: '3',
            url: `${retail.origin}/customers/${id}`,
          },
        ],
        owner: { id: '3', name: 'Рита Зуева', extension: '101' },
      });
      assert.equal(retail.requests.length, 1);
      const [asked] = retail.requests;
      assert.equal(asked?.path, '/api/v5/telephony/manager');
      assert.deepEqual(Object.fromEntries(asked.query), { phone: '+74951343060', details: '1', ignoreStatus: '1' });
      assert.equal(asked.headers['x-api-key'], retail.key);
    });

    it('of a client without a manager has no owner', async () => {
      retail.addCustomer({ email: 'x@example.com', phones: [{ number: '+74951343060' }] });
      const answer = await find();
      assert.deepEqual(answer.found && [answer.name, answer.owner], ['x@example.com', undefined]);
    });

    it('is asked for once more as it is dialled at home, and is then unknown', async () => {
      assert.deepEqual(await find(), { found: false });
      assert.deepEqual(
        retail.requests.map(({ query }) => query.get('phone')),
        ['+74951343060', '84951343060'],
      );
      retail.strictNumbers = true;
      retail.addCustomer({ firstName: 'Старый', phones: [{ number: '84951343060' }] });
      const answer = await find();
      assert.equal(answer.found && answer.name, 'Старый');
    });

    it('of another country, or that is none, is asked for once', async () => {
      await find({ kind: 'phone', e164: '+375171234567', national: '171234567', country: 'BY' });
      await find({ kind: 'raw', digits: '5550001' });
      assert.deepEqual(
        retail.requests.map(({ query }) => query.get('phone')),
        ['+375171234567', '5550001'],
      );
    });

    it('bears empty places, and a link to somewhere else is not followed by anybody', async () => {
      const answers = [
        { manager: null, customer: null },
        { manager: [], customer: [] },
        { manager: {}, customer: {} },
      ];
      for (const body of answers) {
        retail.server.fail({ status: 200, body: { success: true, ...body } }, { times: 2 });
        assert.deepEqual(await find(), { found: false });
      }
      const links = { customerLink: 'https://evil.example.com/customers/7' };
      retail.server.fail({ status: 200, body: { success: true, customer: { id: '7', firstName: 'x' }, links } });
      const answer = await find();
      assert.equal(answer.found && answer.entities[0]?.url, `${retail.origin}/customers/7`);
    });

    it('whose manager alone is known goes to him', async () => {
      retail.server.fail({ status: 200, body: { success: true, manager: { id: 3, firstName: 'Рита', code: '101' } } });
      assert.deepEqual(await find(), {
        found: true,
        name: '',
        entities: [],
        owner: { id: '3', name: 'Рита', extension: '101' },
      });
    });
  });

  describe('a new client', () => {
    const create = (wish: { name?: string; ownerId?: string } = {}) =>
      desk.adapter.createClient!(number, { type: 'contact', ...wish }, desk.context);

    it('is a customer of the chosen manager, with the number', async () => {
      const made = await create({ name: 'Новый', ownerId: '3' });
      const [stored] = retail.customers;
      assert.deepEqual(stored, {
        id: stored?.id,
        firstName: 'Новый',
        phones: [{ number: '+74951343060' }],
        managerId: 3,
        site: 'main',
      });
      const url = `${retail.origin}/customers/${stored.id}`;
      assert.deepEqual(made, { type: 'contact', id: String(stored.id), name: 'Новый', ownerId: '3', url });
      assert.equal((await find()).found, true);
    });

    it('has the number as its name when there is none, and the shop of the settings', async () => {
      retail.sites = ['main', 'other'];
      reopen({ site: 'other' });
      await create();
      const [stored] = retail.customers;
      assert.deepEqual([stored?.firstName, stored?.site, stored?.managerId], ['+74951343060', 'other', undefined]);
    });

    it('that is refused is told in the words of retailCRM', async () => {
      retail.sites = ['main', 'other'];
      const error = await code(create());
      assert.equal(error.code, 'CRM_REFUSED');
      assert.match(error.message, /Parameter 'site' is missing/);
    });
  });

  describe('a card', () => {
    it('is raised for whom the phone rings, by his number or his extension, and closed with the leg', async () => {
      const told = await desk.deliver(legEvent('call_ringing'));
      assert.deepEqual(told, {
        status: 'delivered',
        answer: { type: 'in', notExistCodes: [], notExistUsers: [] },
      });
      await desk.deliver(legEvent('call_ringing', { extension: '109' }));
      await desk.deliver(legEvent('call_hangup', { extension: '109', result: 'cancelled' }));
      await desk.deliver(legEvent('call_hangup', { result: 'answered', answeredAt: '2026-11-20T19:00:12.250Z' }));
      const common = { phone: '+74951343060', externalPhone: '84951112233' };
      const events = retail.events.map(({ callExternalId, ...event }) => {
        assert.match(String(callExternalId), CALL);
        return event;
      });
      assert.deepEqual(events, [
        { ...common, type: 'in', userIds: [3] },
        { ...common, type: 'in', codes: ['109'] },
        { ...common, type: 'hangup', hangupStatus: 'cancel', codes: ['109'] },
        { ...common, type: 'hangup', hangupStatus: 'answered', userIds: [3] },
      ]);
      assert.equal(retail.requests[0]?.headers['content-type'], 'application/x-www-form-urlencoded');
    });

    it('is raised once for each: not again at the answer, but for who picked up and to whom it is transferred', async () => {
      await desk.deliver(legEvent('call_ringing'));
      assert.deepEqual(await desk.deliver(legEvent('call_ringing')), { status: 'skipped' });
      assert.deepEqual(await desk.deliver(legEvent('call_answer')), { status: 'skipped' });
      await desk.deliver(legEvent('call_answer', { extension: '102' }));
      await desk.deliver(legEvent('call_transfer', { transfer: { type: 'blind', from: '102', to: '103' } }));
      assert.deepEqual(
        retail.events.map(({ type, userIds, codes }) => [type, userIds ?? codes]),
        [
          ['in', [3]],
          ['in', [4]],
          ['in', ['103']],
        ],
      );
    });

    it('of a call to the outside is one too', async () => {
      await desk.deliver(legEvent('call_ringing', { direction: 'out' }));
      assert.deepEqual(retail.events[0]?.type, 'out');
    });

    it('tells how the leg ended', async () => {
      for (const [result, wanted] of [
        ['busy', 'busy'],
        ['failed', 'failed'],
        ['no-answer', 'no answered'],
        ['missed', 'no answered'],
        [undefined, 'no answered'],
      ] as const) {
        await desk.deliver(legEvent('call_ringing'));
        await desk.deliver(legEvent('call_hangup', result === undefined ? {} : { result }));
        assert.equal(retail.events.at(-1)?.hangupStatus, wanted, result);
      }
    });

    it('opens at the answer, or never, as chosen', async () => {
      const never = { card: 'none' };
      for (const topic of ['call_ringing', 'call_answer', 'call_hangup'] as const) {
        assert.deepEqual(await desk.deliver(legEvent(topic), never), { status: 'skipped' });
      }
      assert.deepEqual(await desk.deliver(legEvent('call_ringing'), { card: 'answer' }), { status: 'skipped' });
      await desk.deliver(legEvent('call_answer'), { card: 'answer' });
      assert.equal(retail.events.length, 1);
    });

    it('that would come late is left out; who has one loses it however late', async () => {
      await desk.deliver(legEvent('call_ringing'));
      const late = { ageMs: 600_000 };
      assert.deepEqual(await desk.deliver(legEvent('call_ringing', { extension: '102' }), {}, late), {
        status: 'skipped',
      });
      assert.deepEqual(await desk.deliver(legEvent('call_ringing', { extension: '102', reconciled: true })), {
        status: 'skipped',
      });
      assert.equal((await desk.deliver(legEvent('call_hangup'), {}, late)).status, 'delivered');
      assert.deepEqual(
        retail.events.map(({ type }) => type),
        ['in', 'hangup'],
      );
    });

    it('whose answer was lost may be raised twice, and is closed', async () => {
      retail.server.fail('lost');
      assert.equal((await code(desk.deliver(legEvent('call_ringing')))).code, 'CRM_UNREACHABLE');
      await desk.deliver(legEvent('call_ringing'), {}, { attempt: 2 });
      await desk.deliver(legEvent('call_hangup'));
      assert.deepEqual(
        retail.events.map(({ type }) => type),
        ['in', 'in', 'hangup'],
      );
    });
  });

  describe('a call', () => {
    it('is uploaded with its times in the zone of the account, its people and its recording', async () => {
      retail.timeZone = 'Asia/Yekaterinburg';
      const told = await desk.deliver(record({ recording: { file: '2026/11/20/rec 1.wav' } }));
      const [call] = retail.calls;
      assert.match(String(call?.externalId), CALL);
      assert.deepEqual(told, { status: 'delivered', answer: { externalId: call?.externalId } });
      assert.deepEqual(call, {
        date: '2026-11-21 00:00:00',
        type: 'in',
        phone: '+74951343060',
        result: 'answered',
        duration: 83,
        durationWaiting: 12,
        externalId: call?.externalId,
        recordUrl: 'https://pbx.example.com/rec/2026%2F11%2F20%2Frec%201.wav',
        externalPhone: '84951112233',
        userId: 3,
      });
      const body = new URLSearchParams(uploads()[0]?.body.toString('utf8'));
      assert.deepEqual([...body.keys()], ['calls']);
    });

    it('asks for the time zone once, and not at all when it is typed in', async () => {
      const zones = () => retail.requests.filter(({ path }) => path === '/api/v5/settings').length;
      await desk.deliver(record(), { timeZone: 'Asia/Tokyo' });
      assert.deepEqual([zones(), retail.calls[0]?.date], [0, '2026-11-21 04:00:00']);
      await desk.deliver(record({ callId: '2.1' }));
      await desk.deliver(record({ callId: '3.1' }));
      assert.deepEqual([zones(), retail.calls[2]?.date], [1, '2026-11-20 22:00:00']);
    });

    it('waits when the zone is neither typed in nor readable, and says so', async () => {
      retail.denied.add('/api/settings');
      const error = await code(desk.deliver(record()));
      assert.deepEqual([error.code, retryClass(error, 1)], ['CRM_UNAUTHORIZED', 'down']);
      assert.match(error.message, /Access denied\. \(settings\)/);
    });

    it('has the result of the client, and no duration when nobody talked', async () => {
      const results = [
        ['in', 'missed', 17, 'no answer'],
        ['in', 'abandoned', 16, 'no answer'],
        ['in', 'voicemail', 16, 'no answer'],
        ['out', 'busy', 17, 'busy'],
        ['out', 'no-answer', 19, 'no answer'],
        ['out', 'cancelled', 16, 'no answer'],
        ['out', 'failed', 1, 'failed'],
        ['out', 'failed', 57, 'not allowed'],
      ] as const;
      for (const [index, [direction, result, cause, wanted]] of results.entries()) {
        const hangup = { code: cause, text: 'x' };
        await desk.deliver(record({ callId: `${index}.1`, direction, result, hangup, talkSeconds: 0, talked: [] }));
        const call = retail.calls.at(-1);
        assert.deepEqual([call?.type, call?.result, call?.duration], [direction, wanted, 0]);
      }
    });

    it('is of the user in the record, else of the table, else of the extension, else of the chosen one', async () => {
      const whose = async (more: object, settings = {}) => {
        retail.calls.length = 0;
        await desk.deliver(record(more), settings);
        const [call] = retail.calls;
        return call?.userId ?? call?.code;
      };
      const alone = { extension: '109', talked: ['109'], rung: ['109'] };
      assert.equal(await whose({ user: { id: '4' } }), 4);
      assert.equal(await whose({ extension: '109', talked: ['109'], rung: ['102', '109'] }), 4);
      assert.equal(await whose(alone), '109');
      const { extension, ...nobody } = record().payload as unknown as Record<string, unknown>;
      assert.equal(extension, '101');
      const withdrawn = { ...nobody, talked: [], rung: [] };
      retail.calls.length = 0;
      await desk.deliver({ topic: 'call_record', payload: withdrawn } as never, { fallbackUser: '4' });
      assert.equal(retail.calls[0]?.userId, 4);
    });

    it('of an extension that retailCRM refuses goes to the chosen user, when there is one', async () => {
      retail.strictCodes = true;
      const alone = record({ extension: '109', talked: ['109'], rung: ['109'] });
      const error = await code(desk.deliver(alone));
      assert.deepEqual([error.code, retryClass(error, 1)], ['CRM_REFUSED', 'never']);
      assert.match(error.message, /Errors in the entity format code: User does not exist\./);
      await desk.deliver(alone, { fallbackUser: '3' });
      assert.deepEqual(
        retail.calls.map(({ userId }) => userId),
        [3],
      );
    });

    it('has the chosen line and shop where it tells none, and no recording when none is wanted', async () => {
      const { line, ...payload } = record().payload as unknown as Record<string, unknown>;
      assert.ok(line !== undefined);
      const settings = { line: '74950000000', callSite: 'main', recordingLink: false };
      const event = { topic: 'call_record', payload: { ...payload, recording: { file: 'x.wav' } } };
      await desk.deliver(event as never, settings);
      const [call] = retail.calls;
      assert.deepEqual([call?.externalPhone, call?.site, call?.recordUrl], ['74950000000', 'main', undefined]);
    });

    it('is one call, whatever was lost on the way, and of two PBXs are two', async () => {
      retail.server.fail('lost', { when: isUpload });
      assert.equal((await code(desk.deliver(record()))).code, 'CRM_UNREACHABLE');
      assert.equal(retail.calls.length, 1);
      const told = await desk.deliver(record(), {}, { attempt: 2 });
      assert.equal(retail.calls.length, 1);
      const { externalId } = retail.calls[0] ?? {};
      assert.deepEqual(told, { status: 'delivered', answer: { externalId, duplicate: true } });
      await desk.deliver(record({ pbx: 'Склад' }));
      assert.equal(retail.calls.length, 2);
    });

    it('that retailCRM did not take is told in its words, although the status is 200', async () => {
      for (const body of [
        { success: false, errorMsg: 'Errors in the input parameters', errors: { 'calls[0][phone]': 'wrong' } },
        { success: true, processedCallsCount: 0, duplicateCalls: [], errors: ['phone: wrong'] },
        { success: true, notUploadedCalls: [{ error: 'wrong' }] },
      ]) {
        retail.server.fail({ status: 200, body }, { when: isUpload });
        const error = await code(desk.deliver(record()));
        assert.deepEqual([error.code, retryClass(error, 1)], ['CRM_REFUSED', 'never']);
        assert.match(error.message, /wrong/);
      }
    });

    it('waits for the limit to pass (503, 429), and for a CRM that is away', async () => {
      const page = '<html><body>503 Service Temporarily Unavailable</body></html>';
      const cases = [
        [{ status: 503, body: page }, 'CRM_LIMITED', 1000, 'later'],
        [{ status: 503, headers: { 'Retry-After': '7' }, body: page }, 'CRM_LIMITED', 7000, 'later'],
        [{ status: 503, body: { success: false, errorMsg: 'Limit' } }, 'CRM_LIMITED', 1000, 'later'],
        [{ status: 429, body: { success: false, errorMsg: 'Limit' } }, 'CRM_LIMITED', 1000, 'later'],
        [{ status: 500, body: { success: false, errorMsg: 'Internal' } }, 'CRM_SERVER_ERROR', undefined, 'down'],
        [{ status: 502, body: page }, 'CRM_SERVER_ERROR', undefined, 'down'],
        [{ status: 200, body: page }, 'CRM_NOT_JSON', undefined, 'down'],
      ] as const;
      for (const [reply, wanted, ms, kind] of cases) {
        reopen();
        retail.server.fail(reply, { when: isUpload });
        const error = await code(desk.deliver(record(), { timeZone: 'Europe/Moscow' }));
        assert.deepEqual([error.code, error.params.retryAfterMs, retryClass(error, 1)], [wanted, ms, kind]);
      }
      assert.equal(retail.calls.length, 0);
    });

    it('of a withheld number, an internal one and other events are no matter of retailCRM', async () => {
      const { client, ...payload } = record().payload as { client?: unknown };
      assert.ok(client !== undefined);
      const events = [
        { topic: 'call_record', payload } as never,
        record({ direction: 'internal' }),
        legEvent('call_ringing', { direction: 'internal' }),
        legEvent('call_held'),
        legEvent('call_active'),
        userChange(),
      ];
      for (const event of events) assert.deepEqual(await desk.deliver(event), { status: 'skipped' });
      assert.equal(retail.requests.length, 0);
    });
  });

  it('says which choice cannot be used', () => {
    const account = createCrmAccount(
      { kind: crmKind('retailcrm'), settings: { url: retail.origin }, secrets: { token: 'k' } },
      { clock: systemClock, log: silentLog },
    );
    for (const [settings, label] of [
      [{ fallbackUser: 'rita' }, /"Fallback user"/],
      [{ timeZone: 'Moscow' }, /"Time zone"/],
    ] as const) {
      assert.throws(() => account.checkDelivery(settings), label);
    }
    account.checkDelivery({ timeZone: 'Europe/Moscow', fallbackUser: '3' });
    return account.close();
  });

  it('never asks more often than ten times in any second', () => {
    const { perSecond, burst } = crmKind('retailcrm').limits;
    assert.ok(perSecond + burst <= 10);
  });
});
