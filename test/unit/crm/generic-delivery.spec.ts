import assert from 'node:assert/strict';
import fc from 'fast-check';
import { crmKind } from '../../../lib/crm/kinds';
import type { DeliverableEvent, Delivered, DeliveryContext, SecretSlot } from '../../../lib/crm/types';
import { TelephonyError } from '../../../lib/errors';
import { FakeCrm, json, text, type Behaviour } from '../../support/fake-crm';
import { Desk, legEvent, record, userChange } from './support/events';

type Settings = Readonly<Record<string, unknown>>;

describe('events to any CRM over HTTP', () => {
  let crm: FakeCrm | undefined;
  let desk: Desk | undefined;

  async function tell(
    behave: Behaviour,
    settings: Settings,
    event: DeliverableEvent = record(),
    account: Settings = {},
    secrets: Partial<Record<SecretSlot, string>> = {},
    more: Partial<DeliveryContext> = {},
  ): Promise<Delivered> {
    desk?.close();
    await crm?.stop();
    crm = await new FakeCrm(behave).start();
    const { origin } = crm;
    desk = new Desk('generic-http', { url: `${origin}/find`, name: 'name', ...account }, secrets);
    const url = settings.deliverUrl;
    return desk.deliver(event, { ...settings, deliverUrl: origin + (typeof url === 'string' ? url : '/calls') }, more);
  }

  const seen = () => {
    const request = crm?.requests.at(-1);
    assert.ok(request !== undefined);
    return request;
  };

  const refusal = async (work: Promise<unknown>): Promise<TelephonyError> => {
    const error = await work.catch((thrown: unknown) => thrown);
    assert.ok(error instanceof TelephonyError);
    return error;
  };

  afterEach(async () => {
    desk?.close();
    await crm?.stop();
    desk = crm = undefined;
  });

  it('without a template the whole event goes as JSON, with the user of the table and the link to the recording', async () => {
    const told = await tell(json({ ok: true }), {}, record({ recording: { file: 'a.wav' } }));
    assert.deepEqual(told, { status: 'delivered', answer: { ok: true } });
    assert.deepEqual([seen().method, seen().url], ['POST', '/calls']);
    assert.equal(seen().headers['content-type'], 'application/json');
    const { payload } = record();
    assert.deepEqual(JSON.parse(seen().body), {
      topic: 'call_record',
      payload: {
        ...payload,
        user: { id: '3' },
        recording: { file: 'a.wav', url: 'https://pbx.example.com/rec/a.wav' },
      },
    });
  });

  it('a JSON template: texts in quotes, numbers, lists and what is not there without', async () => {
    const deliverBody = `{"n": "{{client.e164}} ({{ client.name }})", "s": {{talkSeconds}}, "t": {{talked}}, "all": "{{talked}}",
      "at": {{startedUnix}}, "to": {{endedUnix}}, "none": {{answeredUnix}}, "who": "{{user.id}}", "x": "{{variables.DID}}", "v": {{variables}}}`;
    const { answeredAt, ...payload } = record({ talked: ['101', '102'], variables: { DID: '7"8' } })
      .payload as Settings;
    assert.ok(answeredAt !== undefined);
    await tell(json({}), { deliverBody }, { topic: 'call_record', payload } as never);
    assert.deepEqual(JSON.parse(seen().body), {
      n: '+74951343060 ()',
      s: 83,
      t: ['101', '102'],
      all: '101,102',
      at: 1795201200,
      to: 1795201295,
      none: null,
      who: '3',
      x: '7"8',
      v: { DID: '7"8' },
    });
  });

  it('no name leads out of the path that the admin wrote', async () => {
    const sent = async (deliverUrl: string, name: string): Promise<string> => {
      await tell(json({}), { deliverUrl }, record({ client: { number: '1', name } }));
      return seen().url;
    };
    for (const [url, name] of [
      ['/api/{{client.name}}/calls', '..'],
      ['/api/{{client.name}}', '.'],
      ['/api/.{{client.name}}/calls', '.'],
      ['/api/{{client.name}}{{client.name}}/calls?a=1', '.'],
    ] as const) {
      await assert.rejects(sent(url, name), { code: 'CRM_BAD_PATH' }, url);
    }
    assert.equal(await sent('/api/{{client.name}}/calls?n={{client.name}}', '...'), '/api/.../calls?n=...');
    assert.equal(await sent('/api/calls?n={{client.name}}#/..', '..'), '/api/calls?n=..');
  });

  it('a form, a text and an address', async () => {
    const deliverBody =
      'phone={{client.e164}}&name={{client.name}}&to={{talked}}&where={{client.region.name}}&zone={{client.region.timeZone}}';
    const form = { deliverBodyType: 'form', deliverBody };
    const region = { country: 'RU', name: 'Москва' };
    const client = { number: '1', e164: '+74951343060', name: 'A&B=1 ы', region };
    await tell(json({}), form, record({ client }));
    assert.deepEqual(Object.fromEntries(new URLSearchParams(seen().body)), {
      phone: '+74951343060',
      name: 'A&B=1 ы',
      to: '101',
      where: 'Москва',
      zone: '',
    });
    await tell(
      json({}),
      { deliverBodyType: 'raw', deliverBody: 'call {{direction}} {{client.name}}' },
      record({ client: { number: '1', name: 'a\r\nb' } }),
    );
    assert.equal(seen().body, 'call in a  b');
    await tell(
      json({}),
      { deliverMethod: 'GET', deliverUrl: '/{{topic}}/{{callId}}?n={{client.name}}&u={{user.id}}' },
      record({ client }),
    );
    assert.equal(seen().method, 'GET');
    const url = new URL(seen().url, 'http://x');
    assert.deepEqual(
      [url.pathname, url.searchParams.get('n'), url.searchParams.get('u')],
      ['/call_record/1795201200.15', 'A&B=1 ы', '3'],
    );
    assert.equal(seen().body, '');
  });

  it('the end of an ordered call, with what its order is known by', async () => {
    const payload = {
      eventId: 'e1',
      pbx: 'office',
      orderId: 7,
      key: 'taxi 17',
      outcome: 'busy',
      number: '89060000017',
    };
    const deliverBody =
      '{"order": "{{key}}", "id": {{orderId}}, "to": "{{number}}", "how": "{{outcome}}", "call": "{{callId}}"}';
    await tell(json({}), { deliverBody }, { topic: 'order_outcome', payload });
    const told = { order: 'taxi 17', id: 7, to: '89060000017', how: 'busy', call: '' };
    assert.deepEqual(JSON.parse(seen().body), told);
    assert.equal(seen().headers['idempotency-key'], 'e1');
  });

  it('one template for all events, others for single ones', async () => {
    const settings = {
      deliverBody: '{"any": "{{topic}}"}',
      deliverBodies: [{ name: 'call_hangup', value: '{"end": {{hangup.code}}}' }],
    };
    await tell(json({}), settings, legEvent('call_hangup', { hangup: { code: 17, text: 'busy' } }));
    assert.equal(seen().body, '{"end": 17}');
    await tell(json({}), settings, userChange());
    assert.equal(seen().body, '{"any": "user_change"}');
  });

  it('has the key and the headers of the account, its own on top, and an id that is the same in each try', async () => {
    const headers = [
      { name: 'X-Team', value: 'sales' },
      { name: 'content-type', value: 'text/xml' },
    ];
    const account = { auth: 'bearer', headers };
    const deliverHeaders = [{ name: 'x-team', value: 'support' }];
    await tell(json({}), { deliverHeaders }, record(), account, { token: 'secret-key' });
    const first = seen().headers;
    assert.deepEqual(
      [first.authorization, first['x-team'], first['content-type']],
      ['Bearer secret-key', 'support', 'application/json'],
    );
    await tell(json({}), { deliverHeaders }, record(), account, { token: 'secret-key' });
    assert.equal(seen().headers['idempotency-key'], first['idempotency-key']);
    assert.match(String(first['idempotency-key']), /^[\x21-\x7e]+$/);
    await tell(json({}), { deliverUrl: '/?key={{token}}' }, record(), { auth: 'placeholder' }, { token: 'a&b' });
    assert.equal(seen().url, '/?key=a%26b');
  });

  describe('the answer', () => {
    it('is a success by its status, or by what the admin says', async () => {
      assert.equal((await tell(text('', 'text/plain', 204), {})).status, 'delivered');
      const deliverSuccess = 'status = "ok" and $status = 200 and $topic = "call_record"';
      assert.equal((await tell(json({ status: 'ok' }), { deliverSuccess })).status, 'delivered');
      const error = await refusal(tell(json({ status: 'error', message: 'no such client' }), { deliverSuccess }));
      assert.equal(error.code, 'CRM_REFUSED');
      assert.match(error.message, /\(200\): "no such client"/);
      assert.equal((await refusal(tell(text('busy', 'text/plain', 503), {}))).code, 'CRM_SERVER_ERROR');
    });

    it('never shows the key, however the CRM echoes it', async () => {
      const echo: Behaviour = (request, response) =>
        json({ message: `${request.headers.authorization} ${request.url}` })(request, response);
      const settings = { deliverSuccess: 'false', deliverUrl: '/x?k=1' };
      const error = await refusal(tell(echo, settings, record(), { auth: 'bearer' }, { token: 'secret-key' }));
      assert.ok(!error.message.includes('secret-key'), error.message);
    });

    it('gives channel variables, from JSON or from a=b&c=d', async () => {
      const deliverVariables = [
        { name: 'CALLERID(name)', value: 'client.name' },
        { name: 'QUEUE_PRIO', value: 'prio' },
        { name: 'MISSING', value: 'nothing' },
      ];
      const told = await tell(json({ client: { name: 'Петров\r\nX: 1' }, prio: 5 }), { deliverVariables });
      assert.deepEqual(told.status === 'delivered' && told.variables, {
        'CALLERID(name)': 'Петров X: 1',
        QUEUE_PRIO: '5',
      });
      const line = [
        { name: 'CALLERID(name)', value: '`CALLERID(name)`' },
        { name: 'QUEUE_PRIO', value: 'QUEUE_PRIO' },
      ];
      const answer = text('CALLERID(name)=%D0%98%D0%B2%D0%B0%D0%BD&QUEUE_PRIO=10', 'text/plain');
      const other = await tell(answer, { deliverVariables: line });
      assert.deepEqual(other.status === 'delivered' && other.variables, { 'CALLERID(name)': 'Иван', QUEUE_PRIO: '10' });
    });

    it('on which an expression fails is an error that names the field', async () => {
      const error = await refusal(tell(json({ a: 'x' }), { deliverSuccess: '$number(a)' }));
      assert.deepEqual([error.code, error.params.field], ['CRM_EXPRESSION', 'deliverSuccess']);
    });
  });

  describe('settings', () => {
    const deliverUrl = 'https://crm.example.com/calls';
    const wrong: readonly (readonly [string, Settings])[] = [
      ['deliverUrl', {}],
      ['deliverUrl', { deliverUrl: 'crm.example.com' }],
      ['deliverUrl', { deliverUrl: 'https://{{pbx}}.example.com/' }],
      ['deliverUrl', { deliverUrl: 'https://crm.example.com/{{phone}}' }],
      ['deliverMethod', { deliverUrl, deliverMethod: 'DELETE' }],
      ['deliverBody', { deliverUrl, deliverBody: '{"name": {{client.name}}}' }],
      ['deliverBody', { deliverUrl, deliverBody: '{"x": "{{nothing}}"}' }],
      ['deliverBody', { deliverUrl, deliverBody: '{"x": {{variables.DID}}}' }],
      ['deliverBodies', { deliverUrl, deliverBodies: [{ name: 'call_lost', value: '{}' }] }],
      ['deliverBodies', { deliverUrl, deliverBodies: [{ name: 'call_held', value: '{' }] }],
      ['deliverHeaders', { deliverUrl, deliverHeaders: [{ name: 'Host', value: 'x' }] }],
      ['deliverHeaders', { deliverUrl, deliverHeaders: [{ name: 'X', value: 'a\r\nb' }] }],
      ['deliverSuccess', { deliverUrl, deliverSuccess: '((' }],
      ['deliverVariables', { deliverUrl, deliverVariables: [{ name: 'A,B', value: 'x' }] }],
      ['deliverVariables', { deliverUrl, deliverVariables: [{ name: 'A', value: '((' }] }],
    ];
    for (const [field, settings] of wrong) {
      it(`${JSON.stringify(settings)} names the field ${field}`, () => {
        const check = () => crmKind('generic-http').checkDelivery?.(settings);
        assert.throws(check, (error) => error instanceof TelephonyError && error.params.field === field);
      });
    }
  });

  it('no value of an event breaks out of its place', async () => {
    const odd = fc.string({ unit: 'binary', maxLength: 30 }).filter((one) => one !== '.' && one !== '..');
    const settings = {
      deliverUrl: '/c/{{client.name}}/end?x={{client.name}}',
      deliverBody: '{"a": "{{client.name}}", "b": {{payload}}, "c": {{variables}}}',
    };
    await tell(json({}), settings);
    const [server, open] = [crm, desk];
    await fc.assert(
      fc.asyncProperty(odd, async (name) => {
        const event = record({ client: { number: '1', name }, variables: { X: name } });
        await open?.deliver(event, { ...settings, deliverUrl: `${server?.origin}${settings.deliverUrl}` });
        const url = new URL(seen().url, 'http://x');
        assert.equal(url.pathname.split('/').length, 4);
        assert.equal(url.searchParams.get('x'), name.replace(/\p{Surrogate}/gu, '\uFFFD'));
        const { a, b, c } = JSON.parse(seen().body) as { a: string; b: { client: { name: string } }; c: { X: string } };
        assert.deepEqual([a, b.client.name, c.X], [name, name, name]);
      }),
      { numRuns: 100 },
    );
  });
});
