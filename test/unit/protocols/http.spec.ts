import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TelephonyError } from '../../../lib/errors';
import { httpProtocols } from '../../../lib/protocols';
import { httpStatusOf, protocolError } from '../../../lib/protocols/errors';
import type {
  BadRequest,
  HttpProtocol,
  HttpProtocolName,
  HttpRequestParts,
  ProtocolRequest,
  RouteAnswer,
  RouteRequest,
} from '../../../lib/protocols/types';
import { asteriskHash, flatXml } from './references';

const { card, itgrix, text, json, uccx, usercrm } = httpProtocols;
/** Those that ask where a call should go. */
const all = (Object.entries(httpProtocols) as [HttpProtocolName, HttpProtocol][]).filter(
  ([name]) => !['alterisk', 'bitrix24', 'amocrm', 'card'].includes(name),
);

const get = (query: Record<string, string>): HttpRequestParts => ({ method: 'GET', query });
const post = (body: unknown): HttpRequestParts => ({
  method: 'POST',
  query: {},
  contentType: 'application/json',
  bodyText: typeof body === 'string' ? body : JSON.stringify(body),
});

const route: RouteRequest = { action: 'route', question: { phone: '' } };
const known: RouteAnswer = {
  found: true,
  name: 'Иван Петров',
  extension: '101',
  entityType: 'contact',
  entityId: '43',
};
const nobody: RouteAnswer = { found: false };

function refused(result: ProtocolRequest | BadRequest, code: string, status: number): BadRequest {
  assert.equal(result.action, 'bad');
  assert.equal(result.error.code, code);
  assert.equal(result.status, status);
  return result;
}

/** Names that people, systems and attackers put into a CRM. */
const hostileName = fc.oneof(
  fc.string({ maxLength: 100 }),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc
    .array(
      fc.constantFrom(
        '"',
        '(',
        ')',
        '[',
        ']',
        ',',
        '&',
        '=',
        '%',
        '\\',
        '${',
        '}',
        '\r\n',
        '\0',
        '<',
        '>',
        "'",
        ' ',
        'Я',
        '😀',
        '\ud800',
      ),
      { maxLength: 40 },
    )
    .map((signs) => signs.join('')),
);

describe('Itgrix /forward', () => {
  it('reads the question of the dialplan', () => {
    assert.deepEqual(itgrix.parse(get({ phone: '74951343060', trunk: '74951000101', callid: '1795203655.205' })), {
      action: 'route',
      question: { phone: '74951343060', trunk: '74951000101', callId: '1795203655.205' },
    });
  });

  it('takes a withheld number for a question, and a missing one for a mistake', () => {
    assert.deepEqual(itgrix.parse(get({ phone: '', trunk: '', callid: '' })), {
      action: 'route',
      question: { phone: '' },
    });
    refused(itgrix.parse(get({ number: '1' })), 'PROTOCOL_PHONE_MISSING', 400);
  });

  it('puts back the plus that a URL turned into a space', () => {
    assert.deepEqual(itgrix.parse(get({ phone: ' 74951343060' })), {
      action: 'route',
      question: { phone: '+74951343060' },
    });
  });

  it('answers in the form of HASH()', () => {
    const reply = itgrix.format(known, route);
    assert.deepEqual(reply, {
      status: 200,
      contentType: 'text/plain; charset=utf-8',
      body: 'name=%D0%98%D0%B2%D0%B0%D0%BD%20%D0%9F%D0%B5%D1%82%D1%80%D0%BE%D0%B2&number=101',
      headers: { 'Cache-Control': 'no-store' },
    });
    assert.equal(itgrix.format(nobody, route).body, 'name=&number=');
    const variables = { QUEUE_PRIO: '10', call_info: 'a&b (c', number: '102', 'CALLERID(name)': 'x', bad: 'a\nb' };
    const body = 'name=&number=&QUEUE_PRIO=10&call_info=a%26b%20c';
    assert.equal(itgrix.format({ ...nobody, variables }, route).body, body);
  });

  // Each of them was put through CURL() and HASH() of Asterisk 22.10 and 16.28 with this outcome.
  const names: [name: string, shown: string][] = [
    ['Иванов, Иван', 'Иванов, Иван'],
    ['ООО "Ромашка"', "ООО 'Ромашка'"],
    ['a "open', "a 'open"],
    ['(open', 'open'],
    ['open)', 'open)'],
    [')(', ''],
    ['a=b&c=d', 'a=b&c=d'],
    ['50% + 1', '50% + 1'],
    ['a\\b', 'a\\b'],
    ['${SHELL(id)}', '${SHELL(id)}'],
    ['x\r\nAction: y', 'x Action: y'],
    ['Петров (ООО, "Ромашка"), [тест]', "Петров (ООО, 'Ромашка'), [тест]"],
    ['😀'.repeat(100), '😀'.repeat(80)],
  ];
  for (const [name, shown] of names) {
    it(`brings ${JSON.stringify(name.slice(0, 40))} through HASH()`, () => {
      const { body } = itgrix.format({ ...known, name }, route);
      assert.deepEqual(asteriskHash(body), { name: shown, number: '101' });
    });
  }

  it('never loses the number behind a name, whatever the name', () => {
    fc.assert(
      fc.property(hostileName, (name) => {
        const { body } = itgrix.format({ ...known, name }, route);
        assert.match(body, /^name=[A-Za-z0-9_.~%-]*&number=101$/);
        const hash = asteriskHash(body);
        assert.equal(hash.number, '101');
        assert.ok(Array.from(hash.name!).length <= 80);
      }),
      { numRuns: 500 },
    );
  });

  it('sends no number with an error, and the reason beside it', () => {
    const error = protocolError('PROTOCOL_PHONE_MISSING', { parameter: 'phone' });
    const reply = itgrix.formatError(error, 400, undefined, 'ru');
    assert.equal(reply.status, 400);
    const { name, number, error: reason } = asteriskHash(reply.body);
    assert.deepEqual([name, number], ['', '']);
    assert.match(reason!, /^PROTOCOL_PHONE_MISSING: В запросе нет номера/);
  });
});

describe('plain text', () => {
  it('answers with the extension alone, or with nothing', () => {
    assert.deepEqual(text.parse(get({ phone: '101' })), { action: 'route', question: { phone: '101' } });
    assert.equal(text.format(known, route).body, '101');
    assert.equal(text.format(nobody, route).body, '');
  });

  it('keeps the body of an error empty, because a dialplan would dial it', () => {
    const error = new TelephonyError('CODE', { en: 'Строка\r\nX: y', ru: '' });
    const reply = text.formatError(error, 500, undefined, 'ru');
    assert.equal(reply.body, '');
    assert.equal(reply.headers?.['X-Telephony-Error'], 'CODE: ?????? X: y');
  });
});

describe('JSON', () => {
  it('reads query and body alike', () => {
    const question = { phone: '+74951343060', trunk: '1', callId: '2.3' };
    assert.deepEqual(json.parse(get({ phone: '+74951343060', trunk: '1', callid: '2.3' })), {
      action: 'route',
      question,
    });
    assert.deepEqual(json.parse(post({ phone: '+74951343060', trunk: 1, callId: '2.3' })), {
      action: 'route',
      question,
    });
    refused(json.parse(post({ phone: null })), 'PROTOCOL_PHONE_MISSING', 400);
    refused(json.parse(post([])), 'PROTOCOL_NOT_AN_OBJECT', 400);
    refused(json.parse(post('')), 'PROTOCOL_BAD_JSON', 400);
  });

  it('always answers with the same fields', () => {
    assert.deepEqual(JSON.parse(json.format(known, route).body), known);
    const empty = { found: false, extension: null, name: null, entityType: null, entityId: null };
    assert.deepEqual(JSON.parse(json.format(nobody, route).body), empty);
    const error = protocolError('PROTOCOL_UNAUTHORIZED');
    const reply = json.formatError(error, 401, undefined, 'en');
    assert.deepEqual(JSON.parse(reply.body), { ...empty, error: { code: error.code, message: error.message } });
    assert.equal(reply.headers?.['WWW-Authenticate'], 'Bearer');
  });

  it('gives every name back', () => {
    fc.assert(
      fc.property(hostileName, (name) => {
        const body = JSON.parse(json.format({ ...known, name }, route).body) as { name: string | null };
        assert.equal((body.name ?? '').replace(/\s+/g, ''), name.replace(/[\p{Cs}\p{Cc}\s\ufffe\uffff]+/gu, ''));
      }),
    );
  });
});

describe('UCCX', () => {
  it('reads Cisco words for the number and the line', () => {
    assert.deepEqual(uccx.parse(get({ ani: '84951343060', dnis: '1000', callid: '7' })), {
      action: 'route',
      question: { phone: '84951343060', trunk: '1000', callId: '7' },
    });
    assert.deepEqual(uccx.parse(get({ phone: '1', ani: '2' })), { action: 'route', question: { phone: '1' } });
    refused(uccx.parse(get({})), 'PROTOCOL_PHONE_MISSING', 400);
  });

  it('always has every element, because a missing one leads the script astray', () => {
    const reply = uccx.format(known, route);
    assert.equal(reply.contentType, 'text/xml; charset=utf-8');
    assert.equal(
      reply.body,
      '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><crm><found>1</found><extension>101</extension>' +
        '<name>Иван Петров</name><entityType>contact</entityType><entityId>43</entityId><url></url><created>0</created>' +
        '<outcome></outcome><ownerId></ownerId><ownerName></ownerName><region></region><timeZone></timeZone>' +
        '<error></error></crm>',
    );
    const names = Object.keys(flatXml(reply.body));
    const empty = { ...Object.fromEntries(names.map((name) => [name, ''])), found: '0', created: '0' };
    assert.deepEqual(flatXml(uccx.format(nobody, route).body), empty);
    const more: RouteAnswer = {
      ...known,
      created: true,
      outcome: 'not-available',
      url: 'https://crm.example/lead/7?a=1&b=<2>',
      ownerId: '99',
      ownerName: 'Рита "R" & Ко',
      region: 'Москва',
      timeZone: 'Europe/Moscow',
    };
    const { created, url, ownerName, region, outcome } = flatXml(uccx.format(more, route).body);
    assert.deepEqual(
      [created, url, ownerName, region, outcome],
      ['1', 'https://crm.example/lead/7?a=1&b=%3C2%3E', 'Рита "R" & Ко', 'Москва', 'not-available'],
    );
    assert.equal(flatXml(uccx.format({ ...known, url: 'javascript:alert(1)' }, route).body).url, '');
    const failed = uccx.formatError(
      protocolError('PROTOCOL_PHONE_MISSING', { parameter: '<phone>' }),
      400,
      undefined,
      'en',
    );
    assert.match(flatXml(failed.body).error!, /^PROTOCOL_PHONE_MISSING: .*"<phone>"/);
  });

  it('stays well-formed and gives the name back, whatever the name', () => {
    fc.assert(
      fc.property(hostileName, (name) => {
        const fields = flatXml(uccx.format({ ...known, name, entityId: name }, route).body);
        const shown = Array.from(fields.name!.replaceAll(' ', '')).join('');
        assert.ok(name.replace(/[\p{Cs}\p{Cc}\s\ufffe\uffff]+/gu, '').startsWith(shown));
        assert.equal(fields.extension, '101');
      }),
      { numRuns: 500 },
    );
  });
});

describe('the client card', () => {
  const asked = (query: Record<string, string>): RouteRequest => {
    const request = card.parse(get(query));
    assert.equal(request.action, 'route');
    return request;
  };

  it('is where the CRM says, and never where the one who asks would like', () => {
    const request = asked({ phone: '84951343060', url: 'https://evil.example/', Location: 'https://evil.example/' });
    const reply = card.format({ ...known, url: 'https://company.bitrix24.ru/crm/contact/details/43/' }, request);
    assert.deepEqual(
      [reply.status, reply.headers?.Location, reply.body],
      [302, 'https://company.bitrix24.ru/crm/contact/details/43/', ''],
    );
    assert.equal(reply.headers?.['Cache-Control'], 'no-store');
    refused(card.parse(get({})), 'PROTOCOL_PHONE_MISSING', 400);
  });

  it('is not an address that a browser should not open', () => {
    const hostile = [
      'javascript:alert(1)',
      'data:text/html,x',
      '//evil.example/',
      '/crm/',
      'https://user:pass@evil.example/',
      'ftp://crm/',
      `https://crm.example/${'x'.repeat(2000)}`,
    ];
    for (const url of hostile) assert.equal(card.format({ ...known, url }, asked({ phone: '1' })).status, 404, url);
    const { headers } = card.format(
      { ...known, url: 'https://crm.example/\r\nSet-Cookie: a=b' },
      asked({ phone: '1' }),
    );
    assert.equal(headers?.Location, 'https://crm.example/Set-Cookie:%20a=b');
  });

  it('that nobody has is a page that says so, without a tag in it', () => {
    const reply = card.format(nobody, asked({ ani: '<b>1</b>\r\n"' }));
    assert.deepEqual([reply.status, reply.contentType], [404, 'text/plain; charset=utf-8']);
    assert.match(reply.body, /<b>1<\/b> "\./);
    assert.equal(reply.headers?.Location, undefined);
  });
});

describe('UserCRM', () => {
  const ask = (action: string, params: unknown, more: object = {}) =>
    usercrm.parse(post({ action, obj: 'UserCRM', action_id: '123', params, ...more }));
  const echo = (action: string) => ({ action, actionId: '123' });

  it('answers the test of the address by itself, just as the document shows it', () => {
    const request = ask('test', {});
    assert.equal(request.action, 'test');
    assert.equal(request.reply.status, 200);
    assert.equal(request.reply.contentType, 'application/json; charset=utf-8');
    assert.deepEqual(JSON.parse(request.reply.body), {
      action: 'test',
      obj: 'UserCRM',
      action_id: '123',
      code: 200,
      body: { success: true },
    });
  });

  it('reads get_contact as the route question', () => {
    assert.deepEqual(ask('get_contact', { phone: '4951343060', e164_phone: '74951343060' }), {
      action: 'route',
      question: { phone: '+74951343060' },
      echo: echo('get_contact'),
    });
    assert.deepEqual(ask('get_contact', { phone: 4951343060 }), {
      action: 'route',
      question: { phone: '4951343060' },
      echo: echo('get_contact'),
    });
    refused(ask('get_contact', {}), 'PROTOCOL_PHONE_MISSING', 400);
  });

  it('answers get_contact with a list', () => {
    const request = ask('get_contact', { phone: '4951343060' }) as RouteRequest;
    assert.deepEqual(JSON.parse(usercrm.format(known, request).body), {
      action: 'get_contact',
      obj: 'UserCRM',
      action_id: '123',
      code: 200,
      list: [{ name: 'Иван Петров', id: 43, type: 'contact', owner_id: 101 }],
    });
    assert.deepEqual((JSON.parse(usercrm.format(nobody, request).body) as { list: unknown }).list, []);
    const odd: RouteAnswer = { found: true, entityId: '6b00a0d6', extension: '007' };
    const { list } = JSON.parse(usercrm.format(odd, request).body) as { list: unknown };
    assert.deepEqual(list, [{ name: '', id: '6b00a0d6', type: 'contact', owner_id: '007' }]);
  });

  it('hands on the other actions as commands, with what stands beside params', () => {
    const params = { start_dt: '1633074025', src_or_dst_list: ['+74951343060'] };
    const request = ask('get_cdr', params, { sort: { dt: '+' }, limit: 10, offset: 0 });
    assert.deepEqual(request, {
      action: 'command',
      command: 'get_cdr',
      payload: { params, sort: { dt: '+' }, limit: 10, offset: 0 },
      params,
      echo: echo('get_cdr'),
    });
    assert.ok(request.action === 'command' && usercrm.formatAnswer);
    assert.deepEqual(JSON.parse(usercrm.formatAnswer({ kind: 'body', body: [{ id: 1 }] }, request).body), {
      action: 'get_cdr',
      obj: 'UserCRM',
      action_id: '123',
      code: 200,
      body: [{ id: 1 }],
    });
    assert.equal(ask('make_call', { crm_user_id: 'user_crm_30', dst: '89066800404' }).action, 'command');
  });

  it('refuses what is no request, each with its own code', () => {
    refused(ask('get_contacts', {}), 'PROTOCOL_UNKNOWN_ACTION', 404);
    refused(ask('__proto__', {}), 'PROTOCOL_UNKNOWN_ACTION', 404);
    refused(ask('', {}), 'PROTOCOL_ACTION_MISSING', 400);
    refused(ask('test', [], {}), 'PROTOCOL_NOT_AN_OBJECT', 400);
    refused(usercrm.parse(post({ action: 'test', obj: 'DomainUser' })), 'PROTOCOL_WRONG_OBJ', 400);
    refused(usercrm.parse(post({ obj: 'UserCRM' })), 'PROTOCOL_ACTION_MISSING', 400);
    refused(usercrm.parse(post('[1]')), 'PROTOCOL_NOT_AN_OBJECT', 400);
    refused(usercrm.parse(get({ action: 'test' })), 'PROTOCOL_METHOD_NOT_ALLOWED', 405);
    refused(
      usercrm.parse({ ...post({}), contentType: 'application/x-www-form-urlencoded' }),
      'PROTOCOL_MEDIA_TYPE',
      415,
    );
    refused(
      usercrm.parse({ ...post({}), contentType: 'application/json; charset=windows-1251' }),
      'PROTOCOL_MEDIA_TYPE',
      415,
    );
  });

  it('takes JSON whatever its header says about UTF-8, and without any header', () => {
    const body = post({ action: 'test', obj: 'UserCRM' });
    for (const contentType of [
      'application/json',
      'Application/JSON; charset="UTF-8"',
      'application/json;charset=utf8',
    ]) {
      assert.equal(usercrm.parse({ ...body, contentType }).action, 'test');
    }
    assert.equal(usercrm.parse({ method: 'POST', query: {}, bodyText: body.bodyText! }).action, 'test');
    assert.equal(usercrm.parse({ ...body, bodyText: `\ufeff${body.bodyText}` }).action, 'test');
  });

  it('puts an error into the envelope and says which question it belongs to', () => {
    const request = refused(ask('dance', {}), 'PROTOCOL_UNKNOWN_ACTION', 404);
    const reply = usercrm.formatError(request.error, request.status, request, 'ru');
    assert.equal(reply.status, 404);
    assert.deepEqual(JSON.parse(reply.body), {
      action: 'dance',
      obj: 'UserCRM',
      action_id: '123',
      code: 404,
      body: { success: false, error: 'PROTOCOL_UNKNOWN_ACTION', message: request.error.textIn('ru') },
    });
    const tooLarge = protocolError('PROTOCOL_BODY_TOO_LARGE', { limit: 65536 });
    const early = usercrm.formatError(tooLarge, httpStatusOf(tooLarge), undefined, 'en');
    assert.equal(early.status, 413);
    assert.equal((JSON.parse(early.body) as { code: number }).code, 413);
    const notAllowed = usercrm.formatError(protocolError('PROTOCOL_METHOD_NOT_ALLOWED'), 405, undefined, 'en');
    assert.equal(notAllowed.headers?.Allow, 'POST');
  });

  it('keeps no key by which a copy could change the prototype of all objects', () => {
    const request = usercrm.parse(
      post('{"action":"get_cdr","obj":"UserCRM","__proto__":{"a":1},"params":{"__proto__":{"b":1}}}'),
    );
    assert.ok(request.action === 'command');
    assert.deepEqual(Object.keys(request.params), []);
    assert.deepEqual(Object.keys(request.payload), ['params']);
  });
});

describe('every HTTP protocol', () => {
  it('refuses an extension that could do more than be dialled', () => {
    const unsafe = ['101&102', '101,1', 'PJSIP/101', '101@x', '${X}', ' 101', '1'.repeat(33), '101\r\n', 'Я'];
    for (const [name, protocol] of all) {
      for (const extension of unsafe) {
        assert.throws(
          () => protocol.format({ found: true, extension }, route),
          { code: 'PROTOCOL_UNSAFE_EXTENSION' },
          `${name}: ${extension}`,
        );
      }
      for (const extension of ['101', '*98', '#1', '+74951343060', 'ivan_p-1', '']) {
        assert.equal(protocol.format({ found: true, extension }, route).status, 200);
      }
    }
  });

  it('serves its own methods only, and says which', () => {
    for (const [, protocol] of all) {
      const request = refused(protocol.parse({ method: 'DELETE', query: {} }), 'PROTOCOL_METHOD_NOT_ALLOWED', 405);
      const reply = protocol.formatError(request.error, 405, request, 'en');
      assert.equal(reply.headers?.Allow, protocol.methods.join(', '));
    }
  });

  it('never throws, whatever comes', () => {
    const parts = fc.record(
      {
        method: fc.constantFrom('GET', 'POST', 'PUT', ''),
        query: fc.dictionary(fc.constantFrom('phone', 'ani', 'trunk', 'callid', '__proto__', 'x'), hostileName),
        contentType: fc.oneof(fc.constantFrom('application/json', 'text/xml', ';'), fc.string()),
        bodyText: fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((body) => `{"obj":"UserCRM","action":"get_contact","params":${body}}`),
        ),
      },
      { requiredKeys: ['method', 'query'] },
    );
    fc.assert(
      fc.property(parts, fc.constantFrom('en', 'ru'), (request, lang) => {
        for (const [, protocol] of all) {
          const result = protocol.parse(request);
          if (result.action === 'bad') {
            const reply = protocol.formatError(result.error, result.status, result, lang);
            assert.ok(reply.status >= 400 && reply.status < 500);
            assert.doesNotMatch(Object.values(reply.headers ?? {}).join(''), /[^\x20-\x7e]/);
          }
          if (result.action === 'route') {
            const { phone, trunk = '', callId = '' } = result.question;
            for (const value of [phone, trunk, callId]) assert.ok(value.length <= 256 && !/[\r\n\0]/.test(value));
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
