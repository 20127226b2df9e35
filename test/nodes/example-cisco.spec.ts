import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { NodeInitializer } from 'node-red';
import type { RecordPayload } from '../../lib/messages/types';
import callHistory from '../../nodes/call-history';
import crmWebhookOut from '../../nodes/crm-webhook-out';
import finesseConfig from '../../nodes/finesse-config';
import originate from '../../nodes/originate';
import storeConfig from '../../nodes/store-config';
import uccxRecords from '../../nodes/uccx-records';
import { BitrixDouble } from '../doubles/bitrix24';
import { FinesseDouble } from '../doubles/finesse';
import { until } from '../support/wait';
import { flatXml } from '../unit/protocols/references';
import { debugNamed, only, readExample } from './support/example-flows';
import { FlowServer } from './support/http';
import { routeNodes } from './support/route-flow';
import { load, logLines, messages, receive, unload, waitForMessages } from './support/runtime';
import type { FlowNode } from './support/runtime';
import { UserDir } from './support/store-flow';

/** Nodes of Node-RED itself, as it installed them. */
const core = createRequire(require.resolve('node-red'));
const coreNodes = [
  'common/20-inject',
  'function/10-function',
  'function/15-change',
  'function/80-template',
  'network/21-httpin',
].map((name) => core(`@node-red/nodes/core/${name}`) as NodeInitializer);

const NAME = '10-cisco-uccx-bitrix24.json';
const KEY = 'a-key-of-16-or-more';
const TOKEN = 'application-token';
const CLIENT = '+74951343060';
const SCRIPT = 'https://crm.example/script';

describe('example 10: Cisco UCCX, Finesse and Bitrix24', function () {
  this.timeout(60_000);
  const server = new FlowServer();
  const example = readExample(NAME);
  let user: UserDir;
  let portal: BitrixDouble;
  let finesse: FinesseDouble;

  /** The environment of the tab, as an admin fills it in. */
  const withScript = (only(example, 'tab').env as readonly { readonly name: string }[]).map((each) =>
    each.name === 'LEAD_FORM' ? { ...each, value: SCRIPT } : each,
  );
  const idOf = (name: string): string => {
    const found = example.find((one) => one.name === name);
    assert.ok(found, name);
    return found.id;
  };
  /** Without what only a person can press, and with what an admin fills in. */
  const filledIn = (changes: Readonly<Record<string, object>>): FlowNode[] =>
    example
      // The helper knows one catch node in a flow.
      .filter(({ type, name }) => type !== 'comment' && name !== 'rows that are none')
      .map((one) => (one.type === 'debug' ? { ...one, type: 'sink' } : one))
      .map((one) => ({ ...one, ...changes[one.type], ...changes[String(one.name)] }));

  const start = async (
    changes: Readonly<Record<string, object>>,
    more: Record<string, Record<string, string>> = {},
  ) => {
    const credentials = { [only(example, 'tab').id]: { REPORT_KEY: KEY }, ...more };
    const types = [storeConfig, callHistory, crmWebhookOut, originate, finesseConfig, uccxRecords];
    await load([user.init, server.init, ...routeNodes, ...types, ...coreNodes], filledIn(changes), { credentials });
  };
  const startWithBitrix = (more: Readonly<Record<string, object>> = {}) =>
    start(
      {
        'crm-config': {
          kind: 'bitrix24',
          settings: {},
          people: [
            { extension: '1001', userId: '99', name: 'Рита' },
            { extension: '1002', userId: '98', name: 'Олег' },
          ],
        },
        'who is it? (a lead for the unknown)': { createOwner: '50' },
        tab: { env: withScript },
        'finesse-config': { address: finesse.origin, agents: [{ extension: '1001', login: 'anna', slot: 1 }] },
        ...more,
      },
      {
        [only(example, 'crm-config').id]: { token: portal.webhook },
        [only(example, 'finesse-config').id]: { password1: 'anna-Secret' },
        [idOf('a click in Bitrix24')]: { applicationToken: TOKEN },
      },
    );

  const script = async (query: string) => {
    const { status, headers, body } = await server.ask(`/cisco/uccx?${query}`);
    assert.equal(headers['content-type'], 'text/xml; charset=utf-8');
    return { status, ...flatXml(body) } as { readonly status: number } & Readonly<Record<string, string>>;
  };
  const report = (path = 'missed', key = KEY, language = 'en-US') => {
    const authorization = `Basic ${Buffer.from(`anybody:${key}`).toString('base64')}`;
    return server.ask(`/cisco/${path}`, { headers: { authorization, 'accept-language': language } });
  };
  const press = (button: string) => receive(idOf(button), {});
  const rows = (payload: readonly unknown[]) => receive(idOf('rows to records'), { payload });
  const debugged = (name: string) => messages(debugNamed(example, name).id);
  const delivered = () => debugged('the CRM got').map(({ payload }) => payload as RecordPayload);
  const complaints = () =>
    logLines()
      .filter(({ level }) => level === 'error')
      .map(({ text }) => text);

  before(() => server.listen());
  after(() => server.close());
  beforeEach(async () => {
    user = new UserDir();
    finesse = await new FinesseDouble().start();
    portal = await new BitrixDouble().start();
    for (const [ID, UF_PHONE_INNER] of [
      ['99', '1001'],
      ['98', '1002'],
      ['50', ''],
    ] as const)
      portal.crm.addUser({ ID, NAME: 'Рита', LAST_NAME: '', UF_PHONE_INNER });
  });
  afterEach(async () => {
    await unload();
    await Promise.all([portal.stop(), finesse.stop()]);
    user.remove();
  });

  it('works right after the import: lookups, cards, records and the report, without Cisco and Bitrix24', async () => {
    await start({});
    const known = await script('phone=84951343060');
    assert.deepEqual(
      [known.found, known.extension, known.name, known.region, known.created],
      ['1', '1001', 'Петров АА', 'Moscow', '0'],
    );
    const made = await script('ani=84950005555&dnis=74951000111&callid=7');
    assert.deepEqual([made.found, made.created, made.extension, made.entityType], ['1', '1', '', 'lead']);
    const card = await server.ask('/cisco/card?phone=84951343060');
    assert.deepEqual([card.status, card.headers.location], [302, 'https://crm.example/contact/2']);
    const nobody = await server.ask('/cisco/card?phone=89031234567');
    assert.deepEqual([nobody.status, nobody.headers.location], [404, undefined]);

    for (const button of ['rows: a call that was answered', 'rows: a call that was given up']) {
      press(button);
      press(button);
    }
    await waitForMessages(debugNamed(example, 'rows read').id, 4);
    await until(() => delivered().length === 2, 'two records');
    assert.deepEqual(
      delivered()
        .map(({ client, result }) => [client?.e164, result])
        .sort(),
      [
        [CLIENT, 'answered'],
        ['+74950000002', 'abandoned'],
      ].sort(),
    );
    const page = await report();
    assert.equal(page.status, 200, page.body);
    assert.match(page.body, /called back: 1</);
    assert.match(page.body, /href="card\?phone=%2B74950000002"[^]*<td>gave up waiting</);
    const russian = [await report('missed', KEY, 'ru-RU,ru;q=0.9'), await report('missed?lang=ru')];
    for (const { body } of russian) assert.match(body, /<html lang="ru">[^]*не перезвонили: 1<[^]*<td>не дождался</);
    assert.match((await report('missed?lang=en', KEY, 'ru')).body, /called back: 1</);
    assert.deepEqual(complaints(), []);
  });

  describe('with Bitrix24', () => {
    const contact = (name: string, number = CLIENT) =>
      portal.crm.add('CONTACT', { NAME: name, ASSIGNED_BY_ID: '99', PHONE: [{ VALUE: number, VALUE_TYPE: 'WORK' }] });

    it('tells the script whose client it is, whatever he is called', async () => {
      const { id } = contact('Рога & "Копыта" <ООО>');
      await startWithBitrix();
      const { status, found, extension, name, url, ownerId, ownerName, entityId, region, timeZone } =
        await script('phone=8%20(495)%20134-30-60');
      assert.deepEqual([status, found, extension, ownerId, ownerName], [200, '1', '1001', '99', 'Рита']);
      assert.deepEqual([name, entityId], ['Рога & "Копыта" <ООО>', String(id)]);
      assert.equal(url, `${portal.server.origin}/crm/contact/details/${id}/`);
      assert.deepEqual([region, timeZone], ['Moscow', 'Europe/Moscow']);
    });

    it('makes one lead of an unknown caller, however many ask at once, for the user who has them first', async () => {
      await startWithBitrix();
      const answers = await Promise.all([1, 2, 3].map(() => script('phone=89031234567')));
      assert.ok(answers.every(({ found, extension }) => found === '1' && extension === ''));
      const leads = portal.crm.all('LEAD').map(({ fields }) => [fields.TITLE, fields.ASSIGNED_BY_ID]);
      assert.deepEqual(leads, [['+79031234567', '50']]);
      assert.equal((await script('phone=89031234567')).created, '0');
      assert.equal(portal.crm.all('LEAD').length, 1);
      for (const hostile of [
        '',
        'anonymous',
        '%27%22%3C%3E%26',
        '1001',
        `9${'1'.repeat(4000)}`,
        '%00',
        '00000000000000',
      ]) {
        const { status, found, extension } = await script(`phone=${hostile}`);
        assert.deepEqual([status, found, extension], [200, '0', ''], hostile.slice(0, 40));
      }
      assert.equal((await server.ask('/cisco/uccx')).status, 400);
      assert.equal(portal.crm.all('LEAD').length, 1);
    });

    it('makes no lead when the admin wants none', async () => {
      await startWithBitrix({ 'who is it? (a lead for the unknown)': { createType: '' } });
      const { found, outcome, error } = await script('phone=89031234567');
      assert.deepEqual([found, outcome, error, portal.crm.all('LEAD').length], ['0', 'not-found', '', 0]);
    });

    it('answers in time when Bitrix24 is late or away, and a lead whose making nobody heard of is made once all the same', async () => {
      await startWithBitrix({ 'who is it? (a lead for the unknown)': { createOwner: '50', deadline: '0.4' } });
      portal.server.fail('hang');
      const begun = Date.now();
      const late = await script('phone=84951343060');
      assert.deepEqual([late.status, late.found, late.extension, late.outcome], [200, '0', '', 'timeout']);
      assert.ok(Date.now() - begun < 8000, `${Date.now() - begun} ms`);
      portal.server.heal();
      portal.server.fail({ status: 502, body: '<html>Bad gateway</html>' }, { times: 20 });
      assert.equal((await script('phone=84950000001')).outcome, 'error');
      portal.server.heal();
      portal.fail('crm.lead.add', 'lost');
      assert.equal((await script('phone=84950000002')).found, '0');
      await until(async () => (await script('phone=84950000002')).found === '1', 'the lead is found');
      assert.equal(portal.crm.byNumber('84950000002').length, 1);
    });

    it('opens the card in the portal and nowhere else, and the form for a lead when there is none', async () => {
      const { id } = contact('Пётр');
      await startWithBitrix();
      const to = async (query: string) => {
        const { status, headers } = await server.ask(`/cisco/card?${query}`);
        return [status, headers.location];
      };
      const address = `${portal.server.origin}/crm/contact/details/${id}/`;
      assert.deepEqual(await to('phone=84951343060'), [302, address]);
      const evil = encodeURIComponent('https://evil.example/');
      assert.deepEqual(await to(`phone=84951343060&url=${evil}&Location=${evil}&host=evil.example`), [302, address]);
      const form = `${SCRIPT}?phone=`;
      assert.deepEqual(await to('phone=89031234567'), [302, `${form}89031234567`]);
      assert.deepEqual(await to(`phone=${evil}`), [302, form + evil]);
      assert.deepEqual(await to('phone=%0D%0ALocation:%20x'), [302, `${form}Location%3A%20x`]);
      assert.equal((await server.ask('/cisco/card')).status, 400);
      assert.equal(portal.crm.all('LEAD').length, 0, 'a page that somebody opens makes no leads');
    });

    const click = async (fields: Readonly<Record<string, string>>, token = TOKEN) => {
      const form = { event: 'ONEXTERNALCALLSTART', 'data[USER_ID]': '99', 'auth[application_token]': token, ...fields };
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const body = new URLSearchParams(form).toString();
      return (await server.ask('/cisco/bitrix24/events', { method: 'POST', headers, body })).status;
    };
    const clicked = (number: string): string => {
      const call = portal.telephony.register({ USER_ID: '99', PHONE_NUMBER: number, TYPE: '1', SHOW: '1' });
      return (call as { readonly CALL_ID: string }).CALL_ID;
    };

    it('dials a click through Finesse, and its outcome finishes the call that the click began', async () => {
      contact('Пётр');
      await startWithBitrix();
      const callId = clicked(CLIENT);
      assert.equal(await click({ 'data[PHONE_NUMBER]': CLIENT, 'data[CALL_ID]': callId }, 'wrong'), 401);
      assert.equal(await click({ 'data[PHONE_NUMBER]': CLIENT, 'data[CALL_ID]': callId }), 200);
      await until(() => finesse.calls.length === 1, 'the call');
      assert.deepEqual([finesse.calls[0]?.from, finesse.calls[0]?.to], ['1001', '984951343060']);
      finesse.rings();
      finesse.answers();
      await until(
        () =>
          debugged('how far it has come').some(({ payload }) => (payload as { state: string }).state === 'answered'),
        'the answer',
      );
      finesse.ends();
      await until(() => delivered().length === 1, 'the record');
      const told = portal.telephony.finished.map(({ call, userId, status, duration }) => [
        call.id,
        userId,
        status,
        duration > 0,
      ]);
      assert.deepEqual(told, [[callId, '99', '200', true]]);
      assert.equal(portal.telephony.registrations, 1);

      // Nothing is left open when it fails: an agent who has no Finesse here, a client who is busy.
      const refused = clicked('+79031234567');
      await click({ 'data[USER_ID]': '98', 'data[PHONE_NUMBER]': '+79031234567', 'data[CALL_ID]': refused });
      const busy = clicked('+79031234568');
      await click({ 'data[PHONE_NUMBER]': '+79031234568', 'data[CALL_ID]': busy });
      await until(() => finesse.calls.length === 1, 'the second call');
      finesse.fails('BUSY');
      await until(() => delivered().length === 3, 'three records');
      const ends = new Map(portal.telephony.finished.map(({ call, status }) => [call.id, status]));
      assert.deepEqual([ends.get(refused), ends.get(busy), portal.telephony.open.size], ['OTHER', '486', 0]);
      assert.equal(finesse.ordered, 2);
    });

    it('writes each call of the database once, and knows who was missed until he is called back', async () => {
      contact('Пётр');
      const withFallback = { 'to the CRM': { settings: { fallbackUser: '50' } } };
      await startWithBitrix(withFallback);
      const ago = (seconds: number) =>
        new Date(Date.now() - seconds * 1000).toISOString().slice(0, 23).replace('T', ' ');
      const common = { sessionSeqNum: 0, nodeID: 1, contactType: 1, originatorType: 3, calledNumber: '74951000111' };
      const answered = {
        ...common,
        SESSIONID: '93000000123',
        contactDisposition: 2,
        originatorDN: '89060000005',
        startDateTime: ago(900),
        endDateTime: ago(785),
        agentStartDateTime: ago(888),
        ringTime: '8',
        talkTime: '90',
        holdTime: '5',
        gmtOffset: 9999,
        extension: '1001',
        csqName: 'Sales',
      };
      const missed = {
        ...common,
        sessionid: '93000000124',
        contactDisposition: 1,
        originatorDN: '84951343060',
        startDateTime: ago(700),
        endDateTime: ago(640),
        extension: null,
        csqName: '<img src=x onerror=alert(1)>',
      };
      const stranger = { ...missed, sessionid: '93000000125', originatorDN: `'"><script>&` };
      const open = { ...missed, sessionid: '93000000126', endDateTime: null };
      const all = [stranger, missed, null, { a: 1 }, open, answered, missed, answered];
      rows(all);
      rows([...all].reverse());
      await waitForMessages(debugNamed(example, 'rows read').id, 2);
      assert.deepEqual(
        debugged('rows read').map(({ payload }) => payload),
        [
          { rows: 8, records: 3, unfinished: 1, bad: 2 },
          { rows: 8, records: 3, unfinished: 1, bad: 2 },
        ],
      );
      const finished = () =>
        portal.telephony.finished
          .map(({ call, userId, status, duration }) => [call.number, userId, status, duration])
          .sort();
      // A withheld number is nothing that Bitrix24 takes.
      const expected = [
        ['+74951343060', '50', '304', 0],
        ['+79060000005', '99', '200', 95],
      ];
      await until(() => finished().length === 2, 'two calls');
      assert.deepEqual(finished(), expected);
      const [told] = portal.telephony.finished.filter(({ status }) => status === '200');
      assert.equal(
        new Date(told?.call.startedAt ?? 0).toISOString().slice(0, 19),
        answered.startDateTime.replace(' ', 'T').slice(0, 19),
      );

      // The database is asked again after a restart, and still tells of the same calls.
      await unload();
      await startWithBitrix(withFallback);
      rows(all);
      await waitForMessages(debugNamed(example, 'rows read').id, 1);
      rows([{ ...answered, SESSIONID: '93000000127' }]);
      await until(() => finished().length === 3, 'the next call');
      assert.deepEqual([portal.telephony.registrations, finished().length], [3, 3]);

      const page = (await report()).body;
      assert.match(page, /called back: 2</);
      assert.match(page, /<a href="card\?phone=%2B74951343060"/);
      assert.doesNotMatch(page, /<img|<script/);
      const csv = await report('missed.csv');
      assert.match(csv.headers['content-type'] ?? '', /^text\/csv/);
      assert.match(csv.body, /^\ufeffnumber;name;calls;/);
      assert.match(csv.body, /'\+74951343060;/);
      assert.deepEqual([(await report('missed', 'wrong')).status, (await report('missed.csv', '')).status], [401, 401]);

      const callId = clicked(CLIENT);
      await click({ 'data[PHONE_NUMBER]': CLIENT, 'data[CALL_ID]': callId });
      await until(() => finesse.calls.length === 1, 'the call back');
      finesse.rings();
      finesse.answers();
      await until(
        () =>
          debugged('how far it has come').some(({ payload }) => (payload as { state: string }).state === 'answered'),
        'the answer',
      );
      finesse.ends();
      await until(async () => (await report()).body.includes('called back: 1<'), 'he is not missed any more');
      assert.doesNotMatch((await report()).body, /74951343060/);
    });
  });
});
