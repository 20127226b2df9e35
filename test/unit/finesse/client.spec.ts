import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { systemClock } from '../../../lib/clock';
import { TelephonyError } from '../../../lib/errors';
import { createFinesseClient } from '../../../lib/finesse/client';
import type { FinesseClient } from '../../../lib/finesse/types';
import { escaped, readXml } from '../../../lib/finesse/xml';
import { FinesseDouble } from '../../doubles/finesse';
import { htmlPage } from '../../doubles/support';
import { certificate, FakeCrm } from '../../support/fake-crm';

const anna = { extension: '1001', login: 'anna', password: 'anna-Secret' };

async function refusal(promise: Promise<unknown>): Promise<TelephonyError> {
  const thrown: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof TelephonyError, String(thrown));
  return thrown;
}

describe('the REST client of Finesse', () => {
  let double: FinesseDouble;
  let client: FinesseClient;
  const open = (address: string, ca?: string) =>
    createFinesseClient({ name: 'CC', address, clock: systemClock, ...(ca === undefined ? {} : { ca }) });

  beforeEach(async () => {
    double = await new FinesseDouble().start();
    client = open(double.origin);
  });
  afterEach(async () => {
    client.close();
    await double.stop();
  });

  it('orders a call as the agent himself, and sees it', async () => {
    await client.makeCall(anna, '989031234567');
    const [request] = double.requests;
    assert.equal(request?.path, '/finesse/api/User/anna/Dialogs');
    assert.equal(request.headers['content-type'], 'application/xml');
    assert.equal(request.headers.authorization, `Basic ${Buffer.from('anna:anna-Secret').toString('base64')}`);
    double.rings();
    const { dialogs, servedAt } = await client.dialogs(anna);
    const [dialog] = dialogs;
    assert.deepEqual(
      [dialogs.length, dialog?.from, dialog?.to, dialog?.dialled, dialog?.state],
      [1, '1001', '989031234567', '989031234567', 'ALERTING'],
    );
    assert.deepEqual(
      dialog?.participants.map(({ address, state, cause }) => [address, state, cause]),
      [
        ['1001', 'INITIATED', undefined],
        ['989031234567', 'ALERTING', undefined],
      ],
    );
    assert.ok(Math.abs((servedAt ?? 0) - (dialog.participants[0]?.startedAt ?? 0)) < 60_000);
  });

  it('ends a call', async () => {
    const id = double.begin('1001', '100');
    await client.drop(anna, id);
    assert.deepEqual([double.orders, double.calls], [['DROP 1001'], []]);
    assert.equal((await refusal(client.drop(anna, id))).params.status, 404);
  });

  it('reads how the agent is signed in', async () => {
    assert.deepEqual(await client.user(anna), { state: 'NOT_READY', extension: '1001' });
    const boris = { extension: '1002', login: 'boris', password: 'boris-Secret' };
    assert.deepEqual(await client.user(boris), { state: 'LOGOUT', extension: '' });
  });

  it('checks the server without a word about anybody', async () => {
    await client.check();
    assert.equal(double.requests.at(-1)?.headers.authorization, undefined);
    double.server.fail({ status: 401 });
    await client.check();
    double.status = 'OUT_OF_SERVICE';
    assert.equal((await refusal(client.check())).code, 'FINESSE_OUT_OF_SERVICE');
    assert.equal((await refusal(client.dialogs(anna))).code, 'FINESSE_OUT_OF_SERVICE');
  });

  it('tells what Finesse says of a refusal', async () => {
    const own = await refusal(client.makeCall(anna, '1001'));
    assert.equal(own.code, 'FINESSE_REFUSED');
    assert.match(own.message, /\(400\): Invalid Destination/);
    assert.match(own.textIn('ru'), /отказал \(400\): Invalid Destination/);
    const unknown = '<ApiErrors><ApiError><ErrorType>User Not Found</ErrorType></ApiError></ApiErrors>';
    double.server.fail({ status: 404, body: unknown });
    assert.equal((await refusal(client.user(anna))).code, 'FINESSE_NO_USER');
    assert.equal((await refusal(client.user({ ...anna, password: 'wrong' }))).code, 'FINESSE_PASSWORD');
  });

  it('never quotes a password, nor keeps one in an error', async () => {
    const basic = Buffer.from('anna:anna-Secret').toString('base64');
    for (const status of [400, 401, 404, 500, 503]) {
      const body = `<ApiErrors><ApiError><ErrorMessage>anna-Secret ${basic}</ErrorMessage></ApiError></ApiErrors>`;
      double.server.fail({ status, body });
      const error = await refusal(client.dialogs(anna));
      assert.doesNotMatch(inspect(error, { depth: 10 }), new RegExp(`anna-Secret|${basic}`), String(status));
    }
    for (const fault of ['reset', 'lost'] as const) {
      double.server.fail(fault);
      const error = await refusal(client.makeCall(anna, '100'));
      assert.equal(error.params.why, 'reset');
      assert.doesNotMatch(inspect(error, { depth: 10 }), new RegExp(`anna-Secret|${basic}`));
    }
  });

  it('takes nothing for Finesse that is none', async () => {
    for (const body of ['', 'OK', '<html><body>Sign in</body></html>', '{"Dialogs":[]}', '<Dialogs>']) {
      double.server.fail({ status: 200, body });
      assert.equal((await refusal(client.dialogs(anna))).code, 'FINESSE_BAD_ANSWER', body);
    }
    double.server.fail({ status: 404, body: '<html/>' });
    assert.equal((await refusal(client.dialogs(anna))).code, 'FINESSE_BAD_ANSWER');
    double.server.fail({ status: 302, headers: { Location: 'http://elsewhere/' } });
    assert.equal((await refusal(client.dialogs(anna))).code, 'FINESSE_BAD_ANSWER');
    double.server.fail(htmlPage);
    assert.equal((await refusal(client.dialogs(anna))).code, 'FINESSE_SERVER_ERROR');
    double.server.fail({ status: 200, body: `<Dialogs>${' '.repeat(600 * 1024)}</Dialogs>` });
    assert.equal((await refusal(client.dialogs(anna))).code, 'FINESSE_BAD_ANSWER');
  });

  it('ends what is under way when it is closed', async () => {
    double.server.fail('hang');
    const asked = refusal(client.dialogs(anna));
    client.close();
    assert.equal((await asked).code, 'FINESSE_CLOSED');
    assert.equal((await refusal(client.check())).code, 'FINESSE_CLOSED');
  });

  it('says that nobody is there', async () => {
    await double.stop();
    const error = await refusal(client.check());
    assert.deepEqual([error.code, error.params.why], ['FINESSE_UNREACHABLE', 'refused']);
    assert.match(error.message, /No answer from Finesse at 127\.0\.0\.1:\d+: the connection is refused/);
  });

  describe('TLS', () => {
    it('is verified, and an authority of one’s own is trusted', async () => {
      const body = '<SystemInfo><status>IN_SERVICE</status></SystemInfo>';
      const server = await new FakeCrm((_request, response) => response.end(body), 'right').start();
      const unknown = open(server.origin);
      const trusting = open(server.origin, certificate('authority'));
      try {
        const error = await refusal(unknown.check());
        assert.deepEqual([error.code, error.params.why], ['FINESSE_TLS', 'unknown-authority']);
        await trusting.check();
      } finally {
        unknown.close();
        trusting.close();
        await server.stop();
      }
    });

    it('is demanded of every other machine', () => {
      for (const address of [
        'http://finesse.example.com:8082',
        'finesse.example.com',
        'https://anna:secret@finesse.example.com',
        'https://finesse.example.com/finesse',
        'ftp://finesse.example.com',
        '',
      ]) {
        assert.throws(() => open(address), { code: 'FINESSE_BAD_SETTINGS' }, address);
      }
      assert.throws(() => open('https://finesse.example.com:8445', 'no certificate'), { code: 'FINESSE_BAD_SETTINGS' });
    });
  });
});

describe('XML', () => {
  it('keeps every text that it was given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        assert.equal(readXml(`<a><b>${escaped(text)}</b></a>`)?.children[0]?.text, text.trim());
      }),
    );
  });

  it('gives nothing for what is not well formed, and takes its time for nothing', () => {
    const depth = '<a>'.repeat(100_000);
    const wide = `<a>${'<b/>'.repeat(100_000)}</a>`;
    const bomb = '<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>';
    const hard = `<a ${'x="1" '.repeat(50_000)}`;
    for (const text of ['', 'text', '<a>', '</a>', '<a></b>', '<a/><b/>', 'x<a/>', depth, wide, bomb, hard, '<!--']) {
      const started = performance.now();
      assert.equal(readXml(text), undefined, text.slice(0, 20));
      assert.ok(performance.now() - started < 2000, text.slice(0, 20));
    }
  });

  it('never throws', () => {
    const piece = fc.constantFrom(
      '<a>',
      '</a>',
      '<b x="1"/>',
      '&#x41;',
      '&#1114112;',
      '<![CDATA[<]]>',
      '<!-- -->',
      ' ',
      'x',
    );
    fc.assert(fc.property(fc.array(piece), (pieces) => void readXml(pieces.join(''))));
  });

  it('reads attributes, comments, CDATA and references as they are meant', () => {
    const root = readXml(
      '\ufeff<?xml version="1.0"?>\n<!-- x --><a y="1>2"><b>&lt;&#1040;&#x410;&amp;&nope;</b><c><![CDATA[<d>]]></c></a>',
    );
    assert.deepEqual(
      root?.children.map(({ name, text }) => [name, text]),
      [
        ['b', '<АА&&nope;'],
        ['c', '<d>'],
      ],
    );
  });
});
