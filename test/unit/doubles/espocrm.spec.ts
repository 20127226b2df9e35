import assert from 'node:assert/strict';
import { EspoDouble } from '../../doubles/espocrm';

describe('the double of EspoCRM', () => {
  let espo: EspoDouble;

  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${espo.origin}/api/v1/${path}`, {
      ...init,
      headers: {
        'X-Api-Key': espo.key,
        'Content-Type': 'application/json',
        ...(init.headers as Record<string, string>),
      },
    });
  const post = (entity: string, fields: object, headers: Record<string, string> = {}) =>
    ask(entity, { method: 'POST', body: JSON.stringify(fields), headers });
  const equals = (attribute: string, value: string, type = 'equals') =>
    `where[0][type]=${type}&where[0][attribute]=${attribute}&where[0][value]=${encodeURIComponent(value)}`;

  beforeEach(async () => {
    espo = await new EspoDouble().start();
    espo.add('User', { name: 'Рита', userName: 'rita' });
  });

  afterEach(() => espo.stop());

  it('refuses a wrong key with 401, no body and text/html', async () => {
    const response = await ask('Contact', { headers: { 'X-Api-Key': 'wrong' } });
    assert.equal(response.status, 401);
    assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
    assert.equal(await response.text(), '');
  });

  it('finds by the whole number, secondary ones too, and shows the primary; by the end of the digits', async () => {
    const phoneNumberData = [
      { phoneNumber: '+79066800404', primary: true, type: 'Mobile' },
      { phoneNumber: '+74951343060', primary: false, type: 'Office' },
    ];
    espo.add('Contact', { lastName: 'Петров', firstName: 'Иван', phoneNumberData });
    for (const query of [
      equals('phoneNumber', '+74951343060'),
      equals('phoneNumberNumeric', '4951343060', 'endsWith'),
      `searchParams=${encodeURIComponent(JSON.stringify({ where: [{ type: 'equals', attribute: 'phoneNumber', value: '+74951343060' }], maxSize: 1 }))}`,
    ]) {
      const answer = (await (await ask(`Contact?${query}`)).json()) as {
        total: number;
        list: Record<string, unknown>[];
      };
      assert.equal(answer.total, 1, query);
      assert.equal(answer.list[0]?.name, 'Иван Петров');
      assert.equal(answer.list[0].phoneNumber, '+79066800404');
      assert.match(String(answer.list[0].id), /^[0-9a-f]{17}$/);
    }
    assert.deepEqual(await (await ask(`Contact?${equals('phoneNumber', '84951343060')}`)).json(), {
      total: 0,
      list: [],
    });
  });

  it('takes E.164 only, as new installations do', async () => {
    const response = await post('Contact', { lastName: 'x', phoneNumberData: [{ phoneNumber: '89066800404' }] });
    assert.equal(response.status, 400);
    assert.equal(
      response.headers.get('x-status-reason'),
      'Field validation failure; entityType: Contact, field: phoneNumber, type: valid.',
    );
    assert.deepEqual(await response.json(), {
      messageTranslation: { label: 'validationFailure', scope: null, data: { field: 'phoneNumber', type: 'valid' } },
    });
    espo.phoneNumberInternational = false;
    assert.equal((await post('Contact', { lastName: 'x', phoneNumber: '101' })).status, 200);
  });

  it('answers a record of the same name with 409 and what it has, unless told to skip that', async () => {
    espo.add('Lead', { lastName: 'Петров', phoneNumber: '+79066800404' });
    const response = await post('Lead', { lastName: 'Петров', phoneNumber: '+74951343060' });
    assert.equal(response.status, 409);
    assert.equal(response.headers.get('x-status-reason'), 'duplicate');
    assert.equal(((await response.json()) as unknown[]).length, 1);
    const skipped = await post('Lead', { lastName: 'Петров' }, { 'X-Skip-Duplicate-Check': 'true' });
    assert.equal(skipped.status, 200);
  });

  it('wants a user for a call, keeps its times and always the default duration', async () => {
    const contact = espo.add('Contact', { lastName: 'Петров', phoneNumber: '+74951343060', accountId: 'a1' });
    const call = {
      name: 'Звонок',
      status: 'Held',
      direction: 'Inbound',
      dateStart: '2026-11-20 19:00:00',
      dateEnd: '2026-11-20 19:01:35',
      parentType: 'Contact',
      parentId: contact,
    };
    const refused = await post('Call', call);
    assert.equal(refused.status, 400);
    assert.match(refused.headers.get('x-status-reason') ?? '', /field: assignedUser, type: required/);
    const made = (await (await post('Call', { ...call, assignedUserId: 'u' })).json()) as Record<string, unknown>;
    assert.deepEqual([made.duration, made.dateEnd, made.accountId], [300, '2026-11-20 19:01:35', 'a1']);
    assert.deepEqual(made.phoneNumbersMap, { [`Contact_${contact}`]: '+74951343060' });
  });

  it('answers 403 where the role hides an entity, and 404 without a body for what is not there', async () => {
    espo.hidden.add('Lead');
    assert.equal((await ask('Lead')).status, 403);
    for (const [path, reason] of [
      ['Contact/nope', 'Record nope does not exist.'],
      ['Nope', "Controller 'Nope' does not exist."],
    ] as const) {
      const response = await ask(path);
      assert.deepEqual([response.status, await response.text()], [404, '']);
      assert.equal(response.headers.get('x-status-reason'), reason);
    }
  });
});
