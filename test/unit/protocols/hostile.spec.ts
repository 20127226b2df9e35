import assert from 'node:assert/strict';
import fc from 'fast-check';
import { httpProtocols } from '../../../lib/protocols';
import type { BadRequest, HttpReply, ProtocolRequest } from '../../../lib/protocols/types';
import { hostileValue } from '../../support/hostile';

/** What every word of the protocols that ask for calls is called. */
const QUERY = [
  ...['makecall', 'autocall', 'file1', 'file10', 'autocallstatus', 'transfer', 'dest', 'get_uniqueid_callerid'],
  ...['_action', '_login', '_secret', 'number', 'to', 'as', 'callback', '_', 'date_from', 'rand', '__proto__'],
];
const ACTIONS = [
  'make_call',
  'switch_call_hold',
  'get_cdr',
  'get_domain_user_list',
  'test',
  'get_users',
  'get_contact',
  'transfer_call',
  'agent_login',
  'agent_pause',
  'get_agent_state',
];

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(replaced(value)));
const replaced = (value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

/** One answer, with no header or line of its own that a caller could put in. */
function assertReply({ status, headers = {}, body }: HttpReply): void {
  assert.ok(status >= 200 && status < 600);
  for (const [name, value] of Object.entries(headers))
    assert.ok(/^[\w-]+$/.test(name) && /^[\x20-\x7e]*$/.test(value) && value.length < 2000, `${name}: ${value}`);
  assert.ok(body.length < 300_000);
}

function assertServed(name: keyof typeof httpProtocols, parse: () => ProtocolRequest | BadRequest): void {
  const protocol = httpProtocols[name];
  const request = parse();
  if (request.action === 'bad') {
    assert.match(request.error.code, /^PROTOCOL_/);
    assert.ok(request.error.message.length < 1000);
    assertReply(protocol.formatError(request.error, request.status, request, 'ru'));
    return;
  }
  if (request.action === 'notice') assertReply(request.reply);
  if (request.action !== 'command' && request.action !== 'notice') return;
  // What goes on into the flow are plain values that end somewhere.
  for (const [key, value] of Object.entries(request.payload))
    if (key !== 'params' && typeof value === 'string') assert.ok(value.length < 100_001, key);
  if (request.action !== 'command') return;
  const order = { orderId: 1, state: 'queued' };
  const answer =
    protocol.formatAnswer?.({ kind: 'order', order }, request) ?? assert.fail('a command without an answer');
  assertReply(answer);
  assertReply(protocol.formatAnswer?.({ kind: 'body', body: { 'a\r\nb': 'c\r\nd' } }, request) ?? assert.fail());
}

describe('a hostile question for calls', () => {
  const parts = { method: 'GET', address: '192.0.2.1', query: {}, bodyText: '' };

  it('by GET (Alterisk, amoCRM) is served, or refused in words of the asker', () => {
    const query = fc.dictionary(fc.constantFrom(...QUERY), hostileValue.map(asText), { maxKeys: 6 });
    fc.assert(
      fc.property(query, fc.constantFrom('alterisk' as const, 'amocrm' as const), (asked, name) =>
        assertServed(name, () => httpProtocols[name].parse({ ...parts, query: asked })),
      ),
      { numRuns: 1500 },
    );
  });

  it('of UserCRM is served, or refused in its envelope', () => {
    const params = fc.dictionary(
      fc.constantFrom('crm_user_id', 'dst', 'call_id', 'phone', 'e164_phone', 'gateway_number', '__proto__'),
      hostileValue.map(replaced),
    );
    const body = fc.record({
      obj: fc.oneof({ weight: 9, arbitrary: fc.constant<unknown>('UserCRM') }, hostileValue.map(replaced)),
      action: fc.oneof({ weight: 9, arbitrary: fc.constantFrom<unknown>(...ACTIONS) }, hostileValue.map(replaced)),
      action_id: hostileValue.map(replaced),
      params: fc.oneof({ weight: 9, arbitrary: params }, hostileValue.map(replaced)),
    });
    fc.assert(
      fc.property(body, (asked) =>
        assertServed('usercrm', () =>
          httpProtocols.usercrm.parse({
            ...parts,
            method: 'POST',
            contentType: 'application/json',
            bodyText: JSON.stringify(asked),
          }),
        ),
      ),
      { numRuns: 1500 },
    );
  });

  it('of Bitrix24, as a form of any keys, is acted on or refused', () => {
    const keys = [
      'event',
      'data[USER_ID]',
      'data[PHONE_NUMBER]',
      'data[CALL_ID]',
      'data[__proto__][x]',
      'auth[application_token]',
    ];
    const form = fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string()), hostileValue.map(asText), {
      maxKeys: 8,
    });
    fc.assert(
      fc.property(form, (fields) => {
        const event = fields.event ?? 'ONEXTERNALCALLSTART';
        assertServed('bitrix24', () =>
          httpProtocols.bitrix24.parse({
            ...parts,
            method: 'POST',
            contentType: 'application/x-www-form-urlencoded',
            bodyText: new URLSearchParams({ ...fields, event }).toString(),
          }),
        );
        assert.equal(({} as { x?: unknown }).x, undefined);
      }),
      { numRuns: 500 },
    );
  });
});
