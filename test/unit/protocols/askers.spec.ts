import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import type { RecordPayload } from '../../../lib/messages/types';
import { httpProtocols } from '../../../lib/protocols';
import { protocolError } from '../../../lib/protocols/errors';
import type {
  BadRequest,
  CommandAnswer,
  CommandRequest,
  HttpProtocol,
  HttpRequestParts,
  ProtocolRequest,
} from '../../../lib/protocols/types';

const { alterisk, amocrm, bitrix24, usercrm } = httpProtocols;

function command(result: ProtocolRequest | BadRequest): CommandRequest {
  assert.ok(result.action === 'command', JSON.stringify(result));
  return result;
}
function refused(result: ProtocolRequest | BadRequest, code: string): void {
  assert.ok(result.action === 'bad');
  assert.equal(result.error.code, code);
}
const say = (protocol: HttpProtocol, request: CommandRequest, answer: CommandAnswer): string => {
  assert.ok(protocol.formatAnswer);
  return protocol.formatAnswer(answer, request).body;
};
const order = (told: { orderId?: number; outcome?: string; state?: string }): CommandAnswer => ({
  kind: 'order',
  order: { orderId: 9999, ...told },
});
const call: RecordPayload = {
  eventId: 'e',
  pbx: 'office',
  callId: '1.1',
  direction: 'in',
  client: { number: '89066800404', e164: '+79066800404' },
  line: { number: '+74951000101', trunk: 'provider' },
  extension: '101',
  startedAt: '2026-01-31T09:00:00.000Z',
  endedAt: '2026-01-31T09:00:14.000Z',
  talkSeconds: 9,
  result: 'answered',
  rung: ['101'],
  talked: ['101'],
  legs: [],
  lastExtension: '101',
};

describe('Alterisk', () => {
  const ask = (query: Record<string, string>) => alterisk.parse({ method: 'GET', query, address: '10.0.0.5' });

  it('reads the five requests of the document', () => {
    const read = (query: Record<string, string>) => {
      const { command: name, payload } = command(ask(query));
      return [name, payload];
    };
    assert.deepEqual(read({ get_uniqueid_callerid: '' }), ['current_call', { ip: '10.0.0.5' }]);
    assert.deepEqual(read({ makecall: '1234567890' }), [
      'make_call',
      { ip: '10.0.0.5', number: '1234567890', answer: 'outcome' },
    ]);
    const files = { file1: 'welcome', file2: 'model', file3: 'color', file4: 'number', file5: 'goodbye' };
    assert.deepEqual(read({ autocall: '1234567890', ...files }), [
      'autocall',
      { number: '1234567890', files: ['welcome', 'model', 'color', 'number', 'goodbye'], by: '10.0.0.5' },
    ]);
    assert.deepEqual(read({ autocallstatus: '9999' }), ['autocall_status', { command: 'status', orderId: 9999 }]);
    assert.deepEqual(read({ transfer: '1795203655.205', dest: '9999' }), [
      'transfer',
      { action: 'transfer', legId: '1795203655.205', to: '9999' },
    ]);
  });

  it('takes ten files and no more, whatever lies between them', () => {
    const query = Object.fromEntries(
      Array.from({ length: 12 }, (_each, index) => [`file${index + 1}`, `f${index + 1}`]),
    );
    const { payload } = command(ask({ autocall: '1', ...query, file3: '' }));
    assert.deepEqual(payload.files, ['f1', 'f2', 'f4', 'f5', 'f6', 'f7', 'f8', 'f9', 'f10']);
  });

  it('asks for nothing in the name of somebody whom a proxy hides', () => {
    const hidden = (query: Record<string, string>) => alterisk.parse({ method: 'GET', query });
    refused(hidden({ makecall: '1' }), 'PROTOCOL_ADDRESS_UNKNOWN');
    refused(hidden({ get_uniqueid_callerid: '' }), 'PROTOCOL_ADDRESS_UNKNOWN');
    refused(ask({}), 'PROTOCOL_VALUE_MISSING');
    refused(ask({ transfer: '1.1' }), 'PROTOCOL_VALUE_MISSING');
    refused(alterisk.parse({ method: 'POST', query: { makecall: '1' } }), 'PROTOCOL_METHOD_NOT_ALLOWED');
  });

  it('answers in the words of the document', () => {
    const making = command(ask({ makecall: '1' }));
    assert.equal(say(alterisk, making, order({ outcome: 'answered' })), 'Answer: OK\n');
    assert.equal(say(alterisk, making, order({ state: 'answered' })), 'Answer: OK\n');
    assert.equal(say(alterisk, making, order({ outcome: 'busy' })), 'Answer: Busy\n');
    assert.equal(say(alterisk, making, order({ outcome: 'failed' })), 'Answer: Error\n');
    const calling = command(ask({ autocall: '1' }));
    assert.equal(say(alterisk, calling, order({ state: 'queued' })), 'Answer: OK\nAutoCallID: 9999\n');
    const asking = command(ask({ autocallstatus: '9999' }));
    const status = (told: { outcome?: string; state?: string }) => say(alterisk, asking, order(told));
    assert.equal(status({ outcome: 'confirmed' }), 'Answer: OK (Sent)\n');
    assert.equal(status({ outcome: 'busy' }), 'Answer: Busy\n');
    assert.equal(status({ state: 'waiting' }), 'Answer: Queued\n');
    assert.equal(status({ state: 'over', outcome: 'no-answer' }), 'Answer: NO ANSWER\n');
    const current = command(ask({ get_uniqueid_callerid: '' }));
    const known = { kind: 'call', legId: '1.1', number: '' } as const;
    assert.equal(say(alterisk, current, known), 'Answer: OK\nCallerID: unknown\nUniqueID: 1.1\n');
    const moving = command(ask({ transfer: '1.1', dest: '9' }));
    assert.equal(say(alterisk, moving, { kind: 'done', done: { callId: '1.1' } }), 'Answer: OK\n');
    const byHand = { kind: 'body', body: { Answer: 'OK', Text: 'a\r\nAnswer: Error' } } as const;
    assert.equal(say(alterisk, moving, byHand), 'Answer: OK\nText: a Answer: Error\n');
  });

  it('says of every failure "Answer: Error" where its programs look, and why beside it', () => {
    const reply = alterisk.formatError(protocolError('PROTOCOL_NO_CALL', { extension: '101' }), 404, undefined, 'ru');
    assert.deepEqual([reply.status, reply.body], [200, 'Answer: Error\n']);
    assert.match(reply.headers?.['X-Telephony-Error'] ?? '', /^PROTOCOL_NO_CALL: .*101/);
    assert.equal(alterisk.formatError(protocolError('PROTOCOL_FORBIDDEN'), 403, undefined, 'en').status, 403);
  });
});

describe('events of Bitrix24', () => {
  const post = (fields: Record<string, string>): HttpRequestParts => ({
    method: 'POST',
    query: {},
    contentType: 'application/x-www-form-urlencoded; charset=UTF-8',
    bodyText: new URLSearchParams(fields).toString(),
  });
  const start = {
    event: 'ONEXTERNALCALLSTART',
    event_handler_id: '1055',
    'data[PHONE_NUMBER]': '+74951234567',
    'data[PHONE_NUMBER_INTERNATIONAL]': '+74951234567',
    'data[USER_ID]': '1269',
    'data[LINE_NUMBER]': '7',
    'data[CALL_ID]': 'externalCall.89350264e026dace3f2b14d1f438257c.1773236989',
    'data[CRM_ENTITY_TYPE]': 'CONTACT',
    'data[CRM_ENTITY_ID]': '797',
    'auth[application_token]': '51610f',
  };

  it('make a click of ONEXTERNALCALLSTART, with the call that Bitrix24 has registered already', () => {
    const notice = bitrix24.parse(post(start));
    assert.ok(notice.action === 'notice');
    const callId = 'externalCall.89350264e026dace3f2b14d1f438257c.1773236989';
    assert.deepEqual(
      [notice.command, notice.payload],
      [
        'make_call',
        {
          user: '1269',
          number: '+74951234567',
          data: { bitrix24: { callId, entity: { type: 'CONTACT', id: '797' }, lineNumber: '7' } },
          key: callId,
          variables: { BITRIX24_CALL_ID: callId },
        },
      ],
    );
    assert.deepEqual([notice.reply.status, notice.reply.body], [200, '']);
  });

  it('keep a CALL_ID out of the channel that could do more there than name a call', () => {
    for (const id of ['', 'a b', 'x\r\nAction: y', 'a,B=1', '${SHELL(id)}', 'x'.repeat(129)]) {
      const notice = bitrix24.parse(post({ ...start, 'data[CALL_ID]': id }));
      assert.ok(notice.action === 'notice');
      assert.deepEqual([notice.payload.key, notice.payload.variables], [undefined, undefined], id);
    }
  });

  it('make a call back of the form of a site', () => {
    const notice = bitrix24.parse(
      post({ event: 'OnExternalCallBackStart', 'data[PHONE_NUMBER]': '+74951234567', 'data[TEXT]': 'Перезвоните' }),
    );
    assert.ok(notice.action === 'notice');
    assert.deepEqual(
      [notice.command, notice.payload],
      ['callback', { number: '+74951234567', data: { bitrix24: { text: 'Перезвоните' } } }],
    );
  });

  it('show their key in the body, and refuse what orders nothing', () => {
    assert.equal(bitrix24.key?.in(post(start)), '51610f');
    assert.equal(bitrix24.key.in(post({})), undefined);
    refused(bitrix24.parse(post({})), 'PROTOCOL_VALUE_MISSING');
    refused(bitrix24.parse(post({ event: 'ONCRMLEADADD' })), 'PROTOCOL_UNKNOWN_ACTION');
    refused(bitrix24.parse(post({ event: 'ONEXTERNALCALLSTART' })), 'PROTOCOL_PHONE_MISSING');
    refused(bitrix24.parse({ ...post(start), contentType: 'application/json' }), 'PROTOCOL_MEDIA_TYPE');
  });

  it('never throw, whatever the form holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (bodyText) => {
        const parts = { ...post({}), bodyText: `event=ONEXTERNALCALLSTART&${bodyText}` };
        assert.ok(['bad', 'notice'].includes(bitrix24.parse(parts).action));
        assert.doesNotThrow(() => bitrix24.key?.in(parts));
      }),
    );
  });
});

describe("amoCRM's widget", () => {
  const ask = (query: Record<string, string>) =>
    amocrm.parse({ method: 'GET', query: { _login: 'a', _secret: 's', ...query } });

  it('asks for channels, calls and the history', () => {
    const read = (query: Record<string, string>) => {
      const { command: name, payload } = command(ask(query));
      return [name, payload];
    };
    assert.deepEqual(read({ _action: 'status' }), ['live_calls', {}]);
    assert.deepEqual(read({ _action: 'call', from: '101', to: '+79066800404', as: 'Anna' }), [
      'make_call',
      { extension: '101', number: '+79066800404' },
    ]);
    const [name, payload] = read({ _action: 'cdr', date_from: '1633074025', date_to: '1633074725' });
    assert.equal(name, 'get_cdr');
    assert.deepEqual(payload, {
      from: '1633074025',
      to: '1633074725',
      results: ['answered'],
      sort: 'startedAt',
      limit: 1000,
    });
    refused(ask({ _action: 'call', from: '101' }), 'PROTOCOL_VALUE_MISSING');
    refused(ask({ _action: 'pop' }), 'PROTOCOL_UNKNOWN_ACTION');
    refused(ask({}), 'PROTOCOL_VALUE_MISSING');
    assert.equal(amocrm.key?.in({ method: 'GET', query: { _secret: 's' } }), 's');
  });

  it('is answered by a call of its function, the history as JSON', () => {
    const status = command(ask({ _action: 'status' }));
    const channels = [{ channel: 'PJSIP/101-1', calleridname: '</script>\u2028' }];
    const body = say(amocrm, status, { kind: 'channels', channels });
    assert.match(body, /^asterisk_cb\(\{"status":"ok","action":"status","data":\[/);
    assert.doesNotMatch(body, /<|\u2028/);
    let heard: unknown;
    runInNewContext(body, { asterisk_cb: (value: unknown) => void (heard = JSON.parse(JSON.stringify(value))) });
    assert.deepEqual(heard, { status: 'ok', action: 'status', data: channels });
    const history = command(ask({ _action: 'cdr' }));
    assert.deepEqual(JSON.parse(say(amocrm, history, { kind: 'calls', calls: [call] })), {
      status: 'ok',
      action: 'cdr',
      data: [
        {
          calldate: '2026-01-31 09:00:00',
          src: '+79066800404',
          dst: '101',
          duration: 14,
          billsec: 9,
          uniqueid: '1.1',
          recordingfile: '',
        },
      ],
    });
  });

  it('lets a page name its function, and nothing else', () => {
    const named = command(ask({ _action: 'status', callback: '$cb_1' }));
    assert.match(say(amocrm, named, { kind: 'channels', channels: [] }), /^\$cb_1\(/);
    for (const callback of ['', 'a.b', 'alert(1)//', 'x'.repeat(33), '1a', 'я', 'a\n']) {
      refused(ask({ _action: 'status', callback }), 'PROTOCOL_BAD_CALLBACK');
    }
  });

  it('hears of errors in a script that its page can read', () => {
    const reply = amocrm.formatError(protocolError('PROTOCOL_BAD_KEY'), 401, undefined, 'en');
    assert.equal(reply.status, 200);
    assert.match(reply.body, /^asterisk_cb\(\{"status":"error","data":\{"code":"PROTOCOL_BAD_KEY"/);
  });
});

describe('commands of UserCRM', () => {
  const ask = (action: string, params: object, more: object = {}) =>
    command(
      usercrm.parse({
        method: 'POST',
        query: {},
        contentType: 'application/json',
        bodyText: JSON.stringify({ action, obj: 'UserCRM', action_id: '123', params, ...more }),
      }),
    );
  const told = (request: CommandRequest, answer: CommandAnswer) =>
    JSON.parse(say(usercrm, request, answer)) as Record<string, unknown>;

  it('become what the nodes behind read', () => {
    assert.deepEqual(ask('make_call', { crm_user_id: 'user_crm_30', dst: '89066800404' }).payload, {
      user: 'user_crm_30',
      number: '89066800404',
    });
    assert.deepEqual(ask('switch_call_hold', { crm_user_id: 30, call_id: '1.1' }).payload, {
      action: 'toggle-hold',
      user: '30',
      callId: '1.1',
    });
  });

  it('of agents and transfers become orders of call-control', () => {
    const agent = (action: string, params: object) => {
      const { command: name, payload } = ask(action, { crm_user_id: 30, ...params });
      assert.equal(name, 'agent_state');
      return payload;
    };
    const user = '30';
    assert.deepEqual(agent('agent_login', { queue: 700, penalty: 2 }), {
      action: 'queue-login',
      user,
      queue: ['700'],
      penalty: '2',
    });
    assert.deepEqual(agent('agent_logout', { queue: '' }), { action: 'queue-logout', user });
    assert.deepEqual(agent('agent_pause', { queue: ['a', 'b'], reason: 'Обед' }), {
      action: 'pause',
      user,
      queue: ['a', 'b'],
      reason: 'Обед',
    });
    assert.deepEqual(agent('agent_unpause', {}), { action: 'unpause', user });
    // What is no queue must be refused behind, and never mean all of them.
    assert.deepEqual(agent('agent_pause', { queue: {} }).queue, ['']);
    const call = { crm_user_id: '30', call_id: '1.1' };
    const transfer = ask('transfer_call', { ...call, dst: '102' });
    assert.deepEqual(
      [transfer.command, transfer.payload],
      ['transfer', { action: 'transfer', user, callId: '1.1', to: '102' }],
    );
    assert.deepEqual(ask('transfer_call', { ...call, type: 'cancel' }).payload, {
      action: 'cancel-transfer',
      user,
      callId: '1.1',
    });
  });

  it('are the same order twice only when their id lasts', () => {
    const id = '69dba658-a137-468b-be78-96d1965064c8';
    assert.equal(ask('make_call', { dst: '1' }, { action_id: id }).payload.key, id);
    assert.equal(ask('make_call', { dst: '1' }).payload.key, undefined);
  });

  it('are answered in the envelope', () => {
    const making = ask('make_call', { crm_user_id: '1', dst: '8' });
    assert.deepEqual(told(making, order({ state: 'queued' })).body, { success: true, order_id: 9999, state: 'queued' });
    assert.deepEqual(told(making, order({ outcome: 'busy' })).body, {
      success: false,
      order_id: 9999,
      outcome: 'busy',
    });
    const params = { crm_user_id: '30', call_id: '1.1' };
    assert.deepEqual(told(ask('switch_call_hold', params), { kind: 'done', done: { callId: '1.1', held: true } }), {
      action: 'switch_call_hold',
      obj: 'UserCRM',
      action_id: '123',
      code: 200,
      params,
      body: { success: true, callId: '1.1', held: true },
    });
    const people = [{ extension: '777', userId: '1', name: 'Иванов' }];
    assert.deepEqual(told(ask('get_users', {}), { kind: 'people', people }).body, [{ id: '1', name: 'Иванов' }]);
    assert.deepEqual(told(ask('get_domain_user_list', {}), { kind: 'people', people }).body, [
      { user_name: 'Иванов', user_surname: '', uid: '777', id: 777, proto: 0, crm_user: '1' },
    ]);
  });

  it('get_cdr tells calls as cdr_append does, its time a float', () => {
    const body = say(usercrm, ask('get_cdr', {}), { kind: 'calls', calls: [call, call], total: 7 });
    assert.equal((body.match(/"dt":1769850000\.0,/g) ?? []).length, 2);
    const { body: calls, total } = JSON.parse(body) as { body: Record<string, unknown>[]; total: number };
    const [first] = calls;
    assert.equal(total, 7);
    assert.deepEqual(
      [first?.src, first?.dst, first?.billsec, first?.direction, first?.gateway_number, first?.uniqueid],
      ['+79066800404', '101', 9, 1, '+74951000101', '1.1'],
    );
  });
});
