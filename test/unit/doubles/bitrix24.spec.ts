import assert from 'node:assert/strict';
import { BitrixDouble } from '../../doubles/bitrix24';
import { htmlPage } from '../../doubles/support';

type Answer = Readonly<Record<string, unknown>>;

describe('double of Bitrix24', () => {
  let portal: BitrixDouble;
  let now: number;

  const ask = async (method: string, params: object = {}, base = portal.webhook) => {
    const response = await fetch(`${base}${method}.json`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(params),
    });
    return { status: response.status, body: (await response.json()) as Answer };
  };
  const result = async (method: string, params: object = {}) => (await ask(method, params)).body.result as Answer;
  const refusal = async (method: string, params: object = {}) => {
    const { status, body } = await ask(method, params);
    return [status, body.error, body.error_description];
  };
  const call = { USER_ID: 99, PHONE_NUMBER: '+74951343060', TYPE: 2, LINE_NUMBER: '3', EXTERNAL_CALL_ID: '17.5' };

  beforeEach(async () => {
    now = Date.UTC(2026, 10, 20, 19);
    portal = await new BitrixDouble({ now: () => now }).start();
    portal.crm.addUser({ ID: '99', UF_PHONE_INNER: '101' });
    portal.crm.addUser({ ID: '100', UF_PHONE_INNER: '102' });
  });

  afterEach(() => portal.stop());

  it('lets 50 requests through at once and 2 a second after that, and counts what it refuses', async () => {
    for (let index = 0; index < 50; index += 1) assert.equal((await ask('profile')).status, 200);
    assert.deepEqual(await refusal('profile'), [503, 'QUERY_LIMIT_EXCEEDED', 'Too many requests']);
    now += 1000;
    assert.deepEqual(
      [await ask('profile'), await ask('profile'), await ask('profile')].map(({ status }) => status),
      [200, 200, 503],
    );
    assert.equal(portal.refused, 2);
  });

  it('tells the time of every answer', async () => {
    const { body } = await ask('scope');
    assert.deepEqual(body.result, ['crm', 'user', 'telephony']);
    assert.equal((body.time as Answer).start, now / 1000);
  });

  it('takes GET, forms with PHP nesting and JSON', async () => {
    portal.crm.add('CONTACT', { NAME: 'Иван', PHONE: [{ VALUE: '+74951343060' }] });
    const query = 'crm.duplicate.findbycomm?type=PHONE&values[0]=%2B74951343060';
    const viaGet = (await (await fetch(portal.webhook + query)).json()) as Answer;
    const form = new URLSearchParams({ type: 'PHONE', 'values[]': '+74951343060' });
    const address = `${portal.webhook}CRM.duplicate.findByComm`;
    const viaForm = (await (await fetch(address, { method: 'POST', body: form })).json()) as Answer;
    assert.deepEqual([viaGet.result, viaForm.result], [{ CONTACT: [651] }, { CONTACT: [651] }]);
  });

  it('compares numbers exactly in findbycomm, and finds nothing as a list', async () => {
    portal.crm.add('LEAD', { TITLE: 'x', PHONE: [{ VALUE: '8 (495) 134-30-60' }] });
    const find = (...values: string[]) => result('crm.duplicate.findbycomm', { type: 'PHONE', values });
    assert.deepEqual(await find('+74951343060'), []);
    assert.deepEqual(await find('+74951343060', '84951343060'), { LEAD: [651] });
    assert.deepEqual((await refusal('crm.duplicate.findbycomm')).slice(0, 2), [
      400,
      'Communication type is not defined',
    ]);
  });

  it('finds any writing of a number by telephony, with the extension of the responsible', async () => {
    portal.crm.add('COMPANY', { TITLE: 'ООО Ромашка', ASSIGNED_BY_ID: '99', PHONE: [{ VALUE: '8 495 134 30 60' }] });
    const [found] = (await result('telephony.externalCall.searchCrmEntities', {
      PHONE_NUMBER: '+74951343060',
    })) as unknown as Answer[];
    assert.deepEqual([found?.CRM_ENTITY_TYPE, found?.CRM_ENTITY_ID, found?.NAME], ['COMPANY', 651, 'ООО Ромашка']);
    assert.equal((found?.ASSIGNED_BY as Answer).USER_PHONE_INNER, '101');
    assert.deepEqual(await result('telephony.externalCall.searchCrmEntities', { PHONE_NUMBER: '5' }), []);
  });

  it('gives texts by old methods and integers by crm.item', async () => {
    portal.crm.add('CONTACT', { NAME: 'Иван', ASSIGNED_BY_ID: 99 });
    const contact = await result('crm.contact.get', { id: 651 });
    assert.deepEqual([contact.ID, contact.ASSIGNED_BY_ID, 'PHONE' in contact], ['651', '99', false]);
    const { item } = await result('crm.item.get', { entityTypeId: 3, id: 651 });
    assert.equal((item as Answer).assignedById, 99);
    assert.deepEqual(await refusal('crm.contact.get', { id: 7 }), [400, '', 'Not found']);
  });

  it('lists users by pages and by their extension', async () => {
    for (let id = 200; id < 260; id += 1) portal.crm.addUser({ ID: String(id) });
    const first = (await ask('user.get')).body;
    assert.deepEqual([(first.result as []).length, first.total, first.next], [50, 63, 50]);
    const last = (await ask('user.get', { start: 50 })).body;
    assert.deepEqual([(last.result as []).length, 'next' in last], [13, false]);
    const one = await result('user.get', { FILTER: { UF_PHONE_INNER: '102', ACTIVE: true } });
    assert.equal((one as unknown as Answer[])[0]?.ID, '100');
  });

  it('runs a batch with references; what is empty is a list, what fails stands apart', async () => {
    portal.crm.add('CONTACT', { NAME: 'Иван', ASSIGNED_BY_ID: '99' });
    const cmd = { a: 'crm.contact.get?id=651', b: 'user.get?ID=$result[a][ASSIGNED_BY_ID]', c: 'crm.lead.get?id=1' };
    const answer = await result('batch', { halt: 0, cmd });
    const results = answer.result as Readonly<Record<string, unknown>>;
    assert.equal((results.b as Answer[])[0]?.UF_PHONE_INNER, '101');
    assert.deepEqual(answer.result_error, { c: { error: '', error_description: 'Not found' } });
    assert.deepEqual((await result('batch', { cmd: {} })).result, []);
  });

  describe('a call', () => {
    const register = async (more: object = {}) =>
      (await result('telephony.externalCall.register', { ...call, ...more })).CALL_ID;

    it('registered again within 30 minutes and not finished is the same, by user, number, type, line and own id', async () => {
      const id = await register();
      assert.match(String(id), /^externalCall\.[0-9a-f]{32}\.\d+$/);
      assert.equal(await register(), id);
      for (const other of [{ USER_ID: 100 }, { TYPE: 1 }, { EXTERNAL_CALL_ID: '17.6' }, { LINE_NUMBER: '4' }]) {
        assert.notEqual(await register(other), id);
      }
      now += 31 * 60_000;
      assert.notEqual(await register(), id);
      assert.equal(portal.telephony.registrations, 6);
    });

    it('counts the 30 minutes from the start that it was given', async () => {
      const early = { CALL_START_DATE: '2026-11-20T18:20:00+00:00' };
      assert.notEqual(await register(early), await register(early));
    });

    it('shows its card, to others too, and hides it at the end', async () => {
      const CALL_ID = await register();
      await ask('telephony.externalCall.show', { CALL_ID, USER_ID: [100] });
      await ask('telephony.externalCall.hide', { CALL_ID });
      await ask('telephony.externalCall.finish', { CALL_ID, USER_ID: 100, DURATION: 5 });
      assert.deepEqual(portal.telephony.cards, ['show 99', 'show 100', 'hide 99', 'hide 100']);
      assert.equal((await ask('telephony.externalCall.show', { CALL_ID })).body.result, false);
    });

    it('is finished once: before and after that it is not found', async () => {
      const missing = [400, 'ERROR_CORE', 'Call is not found (call should be registered prior to finishing'];
      const user = { USER_PHONE_INNER: '101' };
      assert.deepEqual(await refusal('telephony.externalCall.finish', { CALL_ID: 'x', ...user }), missing);
      const CALL_ID = await register();
      const end = { CALL_ID, ...user, DURATION: 95 };
      const told = await result('telephony.externalCall.finish', end);
      assert.deepEqual([told.CALL_FAILED_CODE, told.PORTAL_USER_ID, told.INCOMING], ['200', 99, '2']);
      assert.deepEqual(await refusal('telephony.externalCall.finish', end), missing);
      assert.notEqual(await register(), CALL_ID);
    });

    it('takes its recording after the end: in the request, by an address, by a form; the last one counts', async () => {
      const CALL_ID = await register();
      const attach = (more: object) => ask('telephony.externalCall.attachRecord', { CALL_ID, ...more });
      const early = (await attach({ FILENAME: 'a.wav' })).body;
      assert.match(String(early.error_description), /^Call is not found in the statistic table/);
      await ask('telephony.externalCall.finish', { CALL_ID, USER_ID: 99, DURATION: 5 });
      const kept = () => portal.telephony.finished[0]?.record;
      const words = async (more: object) => (await attach(more)).body.error_description;
      assert.match(String(await words({})), /^Required parameters/);
      assert.match(String(await words({ FILENAME: 'a.ogg', FILE_CONTENT: 'AAAA' })), /^Wrong file extension/);
      assert.match(String(await words({ FILENAME: 'a.wav', FILE_CONTENT: '*' })), /Base64 encoding is expected/);
      await attach({ FILENAME: 'a.wav', FILE_CONTENT: Buffer.from('звук').toString('base64') });
      assert.deepEqual(kept(), { name: 'a.wav', bytes: Buffer.from('звук') });
      await attach({ RECORD_URL: 'https://pbx.example.com/x/b.mp3' });
      assert.equal(kept()?.url, 'https://pbx.example.com/x/b.mp3');
      const { uploadUrl, fieldName } = (await attach({ FILENAME: 'c.wav' })).body.result as Record<string, string>;
      const form = new FormData();
      form.append(fieldName ?? '', new Blob(['\r\nдва\r\n']), 'c.wav');
      assert.equal((await fetch(uploadUrl ?? '', { method: 'POST', body: form })).status, 200);
      assert.deepEqual(kept(), { name: 'c.wav', bytes: Buffer.from('\r\nдва\r\n') });
    });

    it('makes a lead of an unknown number on demand, whose responsible is who finishes', async () => {
      const made = await result('telephony.externalCall.register', { ...call, CRM_CREATE: 1 });
      assert.deepEqual(made.CRM_CREATED_ENTITIES, [{ ENTITY_TYPE: 'LEAD', ENTITY_ID: made.CRM_CREATED_LEAD }]);
      await ask('telephony.externalCall.finish', { CALL_ID: made.CALL_ID, USER_ID: 100 });
      assert.equal(portal.crm.all('LEAD')[0]?.fields.ASSIGNED_BY_ID, '100');
      assert.equal(portal.telephony.finished[0]?.status, '304');
    });

    it('is refused with the words of the portal', async () => {
      const words = async (more: object) => (await refusal('telephony.externalCall.register', { ...call, ...more }))[2];
      assert.equal(await words({ USER_ID: 7 }), 'User is not found or is not active');
      assert.equal(await words({ TYPE: 9 }), 'Unknown TYPE');
      assert.equal(await words({ PHONE_NUMBER: 'anonymous' }), 'Unsupported phone number format');
      assert.equal(await words({ CALL_START_DATE: '20.11.2026' }), 'CALL_START_DATE should be in the ISO-8601 format');
    });
  });

  it('knows what a webhook may not do', async () => {
    portal.applicationsOnly = true;
    assert.deepEqual((await refusal('telephony.externalCall.register', call)).slice(0, 2), [403, 'WRONG_AUTH_TYPE']);
    assert.deepEqual(await result('telephony.externalCall.searchCrmEntities', { PHONE_NUMBER: '5' }), []);
    portal.scopes.delete('crm');
    assert.deepEqual((await refusal('crm.lead.add', {})).slice(0, 2), [403, 'insufficient_scope']);
    portal.exhausted.add('user.get');
    assert.deepEqual((await refusal('user.get')).slice(0, 2), [429, 'OPERATION_TIME_LIMIT']);
    const wrong = portal.webhook.replace(portal.code, 'other');
    assert.equal((await ask('profile', {}, wrong)).body.error, 'NO_AUTH_FOUND');
    assert.deepEqual((await refusal('no.such')).slice(0, 2), [404, 'ERROR_METHOD_NOT_FOUND']);
  });

  it('renews the tokens of an application', async () => {
    const rest = `${portal.server.origin}/rest/`;
    assert.equal((await ask('scope', { auth: 'old' }, rest)).body.error, 'expired_token');
    const query = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: portal.oauth.clientId,
      client_secret: portal.oauth.clientSecret,
      refresh_token: portal.oauth.refresh,
    });
    const renew = async () => (await (await fetch(`${portal.server.origin}/oauth/token/?${query}`)).json()) as Answer;
    const tokens = await renew();
    assert.equal((await ask('scope', { auth: tokens.access_token }, rest)).status, 200);
    assert.equal((await renew()).error, 'invalid_grant');
    // What is reserved for applications is open to this one.
    portal.applicationsOnly = true;
    assert.equal(
      (await ask('telephony.externalLine.add', { NUMBER: '3', auth: portal.oauth.access }, rest)).status,
      200,
    );
  });

  it('fails on demand: after the work, before it, with a page', async () => {
    portal.fail('telephony.externalCall.register', 'lost');
    await assert.rejects(ask('telephony.externalCall.register', call));
    assert.equal(portal.telephony.registrations, 1);
    portal.fail('telephony.externalCall.register', 'reset');
    await assert.rejects(ask('telephony.externalCall.register', { ...call, TYPE: 1 }));
    assert.equal(portal.telephony.registrations, 1);
    portal.fail('scope', htmlPage, 2);
    assert.equal((await fetch(`${portal.webhook}scope`)).status, 502);
    assert.equal((await fetch(`${portal.webhook}scope`)).headers.get('content-type'), 'text/html; charset=utf-8');
    assert.equal((await ask('scope')).status, 200);
  });
});
