import assert from 'node:assert/strict';
import * as net from 'node:net';
import { systemClock } from '../../../lib/clock';
import { crmError } from '../../../lib/crm/errors';
import { createCrmHttp, type ClosableCrmHttp, type CrmHttpOptions } from '../../../lib/crm/http';
import { createLimiter, type Limiter } from '../../../lib/crm/limiter';
import type { CrmRequest } from '../../../lib/crm/types';
import { TelephonyError } from '../../../lib/errors';
import {
  certificate,
  endMidBody,
  FakeCrm,
  gzipBomb,
  headerDrip,
  hugeBody,
  json,
  neverEndingBody,
  resetMidBody,
  silence,
  text,
  type Behaviour,
  type Certificate,
} from '../../support/fake-crm';
import { until } from '../../support/wait';

const patient = () => ({ signal: new AbortController().signal });

/** The error that `promise` is rejected with. */
async function rejection(promise: Promise<unknown>): Promise<TelephonyError> {
  const thrown = await promise.then(
    (value) => assert.fail(`resolved with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof TelephonyError, String(thrown));
  return thrown;
}

describe('HTTP client of a CRM', () => {
  const opened: { close(): unknown }[] = [];
  let limiter: Limiter;

  function client(options: Partial<CrmHttpOptions> = {}): ClosableCrmHttp {
    limiter = createLimiter({ perSecond: 1000, burst: 1000 }, systemClock);
    const http = createCrmHttp({ clock: systemClock, limiter, ...options });
    opened.push(http);
    return http;
  }

  async function crm(behave: Behaviour, tls?: Certificate): Promise<FakeCrm> {
    const server = await new FakeCrm(behave, tls).start();
    opened.push({ close: () => server.stop() });
    return server;
  }

  /** What a lookup at this CRM ends with. */
  async function fault(behave: Behaviour, options: Partial<CrmHttpOptions> = {}, request: Partial<CrmRequest> = {}) {
    const server = await crm(behave);
    return rejection(client(options).json({ method: 'GET', url: `${server.origin}/api`, ...request }, patient()));
  }

  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });

  it('sends method, headers and body as they are and reads the JSON', async () => {
    const server = await crm(json({ name: 'Петров' }));
    const answer = await client().json(
      {
        method: 'POST',
        url: `${server.origin}/a?b=c`,
        headers: { Authorization: 'Bearer key', 'Content-Type': 'application/json' },
        body: '{"phone": "тест"}',
      },
      patient(),
    );
    assert.deepEqual(answer, { name: 'Петров' });
    const [seen] = server.requests;
    assert.equal(seen?.method, 'POST');
    assert.equal(seen.url, '/a?b=c');
    assert.equal(seen.headers.authorization, 'Bearer key');
    assert.equal(seen.body, '{"phone": "тест"}');
  });

  it('keeps one connection for questions one after the other', async () => {
    const ports = new Set<number | undefined>();
    const server = await crm((request, response) => {
      ports.add(response.socket?.remotePort);
      json({})(request, response);
    });
    const http = client();
    for (let i = 0; i < 5; i += 1) await http.json({ method: 'GET', url: server.origin }, patient());
    assert.equal(ports.size, 1);
  });

  it('understands windows-1251 and a byte order mark', async () => {
    const cp1251 = Buffer.from([0x22, 0xcf, 0xe5, 0xf2, 0xf0, 0xee, 0xe2, 0x22]);
    const old = await crm(text(cp1251, 'application/json; charset=windows-1251'));
    assert.equal(await client().json({ method: 'GET', url: old.origin }, patient()), 'Петров');
    const marked = await crm(text('\uFEFF{"a":1}', 'application/json; charset=utf-8'));
    assert.deepEqual(await client().json({ method: 'GET', url: marked.origin }, patient()), { a: 1 });
    const odd = await crm(text('{"a":1}', 'application/json; charset=klingon'));
    assert.deepEqual(await client().json({ method: 'GET', url: odd.origin }, patient()), { a: 1 });
  });

  describe('the CRM refuses', () => {
    const cases: readonly (readonly [number, string])[] = [
      [401, 'CRM_UNAUTHORIZED'],
      [403, 'CRM_UNAUTHORIZED'],
      [404, 'CRM_NOT_FOUND'],
      [429, 'CRM_LIMITED'],
      [500, 'CRM_SERVER_ERROR'],
      [503, 'CRM_SERVER_ERROR'],
      [408, 'CRM_NOT_NOW'],
      [423, 'CRM_NOT_NOW'],
      [425, 'CRM_NOT_NOW'],
      [400, 'CRM_REFUSED'],
      [302, 'CRM_REDIRECTED'],
    ];
    for (const [status, code] of cases) {
      it(`${status} is ${code}`, async () => {
        const error = await fault(json({ error: 'x' }, status));
        assert.equal(error.code, code);
        assert.equal(error.params.status, status);
      });
    }

    it('429 with Retry-After tells how long, and no request goes before', async () => {
      const error = await fault(json({}, 429, { 'Retry-After': '7' }));
      assert.equal(error.params.retryAfterMs, 7000);
      const deadline = systemClock.monotonic() + 1000;
      assert.equal((await rejection(limiter.take({ ...patient(), deadline }))).code, 'CRM_LIMITED');
    });

    it('503 with Retry-After is a limit too; a date and a century are understood', async () => {
      const date = new Date(Date.now() + 5000).toUTCString();
      const byDate = await fault(json({}, 503, { 'Retry-After': date }));
      assert.equal(byDate.code, 'CRM_LIMITED');
      assert.ok(Number(byDate.params.retryAfterMs) <= 5000 && Number(byDate.params.retryAfterMs) > 1000);
      assert.equal((await fault(json({}, 429, { 'Retry-After': '3153600000' }))).params.retryAfterMs, 60_000);
      assert.equal((await fault(json({}, 429, { 'Retry-After': 'soon' }))).params.retryAfterMs, 1000);
    });

    it('tells the own words of the CRM, short and on one line', async () => {
      const error = await fault(json({ error: 'X', error_description: `Номер\r\nне тот ${'!'.repeat(500)}` }, 400));
      assert.match(error.message, /Номер не тот !+…/);
      assert.ok(error.message.length < 400);
      assert.match(error.textIn('ru'), /отклонила запрос \(400\): «Номер не тот/);
    });

    it('tells what the CRM says to a key that may not do this, and what it says in a header', async () => {
      const scope = await fault(json({ error: 'insufficient_scope', error_description: 'Needs telephony' }, 403));
      assert.deepEqual([scope.code, scope.params.status], ['CRM_UNAUTHORIZED', 403]);
      assert.match(scope.message, /\(403\): "Needs telephony"\. Check the key/);
      // A web page in front of the CRM says nothing about the key.
      assert.doesNotMatch((await fault(text('<h1>Forbidden</h1>', 'text/html', 403))).message, /Forbidden/);
      const reason = { 'X-Status-Reason': 'field: phoneNumber, type: valid.' };
      assert.match((await fault(json({ messageTranslation: {} }, 400, reason))).message, /type: valid/);
    });

    it('resolves with a status that the request accepts', async () => {
      const server = await crm(json([{ id: '1' }], 409));
      const request = { method: 'POST', url: server.origin, body: '{}', accept: [409] } as const;
      const { status, text: body } = await client().send(request, patient());
      assert.deepEqual([status, body], [409, '[{"id":"1"}]']);
      const { accept, ...strict } = request;
      assert.deepEqual(accept, [409]);
      assert.equal((await rejection(client().send(strict, patient()))).code, 'CRM_REFUSED');
    });

    it('a status that passes stays one, whatever the CRM says beside it', async () => {
      const server = await crm(json({ error: 'locked' }, 423));
      const failureIn = () => crmError('CRM_REFUSED', { host: 'crm', status: 423, words: 'locked' });
      const error = await rejection(client().json({ method: 'GET', url: server.origin, failureIn }, patient()));
      assert.equal(error.code, 'CRM_NOT_NOW');
    });

    it('keeps secrets that the CRM echoes out of the text', async () => {
      const server = await crm((request, response) => {
        json({ message: `bad ${request.url} ${String(request.headers.authorization)} end` }, 400)(request, response);
      });
      const url = `${server.origin}/rest/1/verysecretcode/find?key=alsosecret`;
      const headers = { Authorization: 'Bearer topsecret' };
      const error = await rejection(client().send({ method: 'GET', url, headers }, patient()));
      assert.match(error.message, /bad .* end/);
      assert.doesNotMatch(`${error.message} ${error.textIn('ru')} ${JSON.stringify(error.params)}`, /secret/);
    });
  });

  it('a redirect to another host is not followed and the key goes nowhere', async () => {
    const thief = await crm(json({}));
    const server = await crm(json({}, 307, { Location: `${thief.origin}/catch?x=secret` }));
    const error = await rejection(
      client().json({ method: 'GET', url: server.origin, headers: { Authorization: 'Bearer key' } }, patient()),
    );
    assert.equal(error.code, 'CRM_REDIRECTED');
    assert.equal(error.params.target, thief.origin);
    assert.equal(thief.requests.length, 0);
  });

  it('HTML instead of JSON is named', async () => {
    const page = '<!DOCTYPE html><html><title>Login</title></html>';
    const error = await fault(text(page, 'text/html; charset=utf-8'));
    assert.equal(error.code, 'CRM_NOT_JSON');
    assert.match(error.message, /text\/html.*<!DOCTYPE html>/);
  });

  it('50 MB of body are cut off at the limit', async () => {
    const server = await crm(hugeBody);
    const error = await rejection(client().json({ method: 'GET', url: server.origin }, patient()));
    assert.equal(error.code, 'CRM_TOO_LARGE');
    await until(() => server.connections === 0, 'the connection is closed');
  });

  for (const [status, code] of [
    [502, 'CRM_SERVER_ERROR'],
    [503, 'CRM_LIMITED'],
    [401, 'CRM_UNAUTHORIZED'],
  ] as const) {
    it(`what is too large does not hide that it is a ${status}`, async () => {
      const page = text('<p>words</p>'.repeat(500_000), 'text/html', status, { 'Retry-After': '7' });
      const server = await crm(page);
      const error = await rejection(client().json({ method: 'GET', url: server.origin }, patient()));
      assert.equal(error.code, code);
      await until(() => server.connections === 0, 'the connection is closed');
    });
  }

  it('a gzip bomb is cut off at the limit', async () => {
    assert.equal((await fault(gzipBomb)).code, 'CRM_TOO_LARGE');
  });

  it('a broken gzip body is an error of the CRM', async () => {
    const error = await fault(text('this is no gzip', 'application/json', 200, { 'Content-Encoding': 'gzip' }));
    assert.equal(error.code, 'CRM_UNREACHABLE');
    assert.equal(error.params.why, 'protocol');
  });

  for (const [name, behave] of Object.entries({ silence, neverEndingBody, headerDrip })) {
    it(`${name} ends with the time limit of the request, and the connection with it`, async () => {
      const server = await crm(behave);
      const begun = performance.now();
      const error = await rejection(client({ timeoutMs: 200 }).json({ method: 'GET', url: server.origin }, patient()));
      assert.equal(error.code, 'CRM_TIMEOUT');
      assert.ok(performance.now() - begun >= 199);
      await until(() => server.connections === 0, 'the connection is closed');
    });

    it(`${name} ends at once when the caller gives up`, async () => {
      const server = await crm(behave);
      const caller = new AbortController();
      const asked = rejection(client().json({ method: 'GET', url: server.origin }, { signal: caller.signal }));
      await until(() => server.requests.length === 1, 'the CRM has the request');
      const reason = new TelephonyError('CRM_CLOSED', { en: 'gone', ru: 'ушёл' });
      caller.abort(reason);
      assert.equal(await asked, reason);
      await until(() => server.connections === 0, 'the connection is closed');
    });
  }

  it('waits for its turn outside of the time of the work', async () => {
    const server = await crm(json({}));
    let turns = 0;
    const waiting = async <T>(turn: Promise<T>): Promise<T> => {
      const had = await turn;
      turns += 1;
      assert.equal(server.requests.length, 0);
      return had;
    };
    await client().json({ method: 'GET', url: server.origin }, { ...patient(), waiting });
    assert.deepEqual([turns, server.requests.length], [1, 1]);
  });

  it('a caller who has gone before sends nothing', async () => {
    const server = await crm(json({}));
    const error = await rejection(
      client().json({ method: 'GET', url: server.origin }, { signal: AbortSignal.abort() }),
    );
    assert.equal(error.code, 'CRM_TIMEOUT');
    assert.equal(server.requests.length, 0);
  });

  for (const [name, behave] of Object.entries({ resetMidBody, endMidBody })) {
    it(`${name} is a broken connection`, async () => {
      const error = await fault(behave);
      assert.equal(error.code, 'CRM_UNREACHABLE');
      assert.equal(error.params.why, 'reset');
    });
  }

  it('nobody at the address is refused, a wrong name is dns', async () => {
    const server = await crm(silence);
    const { origin } = server;
    await server.stop();
    const refused = await rejection(client().json({ method: 'GET', url: origin }, patient()));
    assert.equal(refused.code, 'CRM_UNREACHABLE');
    assert.equal(refused.params.why, 'refused');
    const dns = await rejection(client().json({ method: 'GET', url: 'http://no-such-crm.invalid/' }, patient()));
    assert.equal(dns.code, 'CRM_UNREACHABLE');
    assert.match(dns.message, /no-such-crm\.invalid/);
  });

  it('what is no HTTP server is told apart', async () => {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume();
      socket.end('SSH-2.0-OpenSSH_9.2\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.push({ close: () => new Promise((resolve) => server.close(resolve)) });
    const { port } = server.address() as net.AddressInfo;
    const error = await rejection(client().json({ method: 'GET', url: `http://127.0.0.1:${port}` }, patient()));
    assert.equal(error.params.why, 'protocol');
  });

  it('a server that takes the connection and never speaks TLS ends with the time limit of connecting', async () => {
    const server = net.createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const sockets = new Set<net.Socket>();
    server.on('connection', (socket) => sockets.add(socket));
    opened.push({
      close: () => {
        for (const socket of sockets) socket.destroy();
        return new Promise((resolve) => server.close(resolve));
      },
    });
    const { port } = server.address() as net.AddressInfo;
    const http = client({ connectMs: 150 });
    const error = await rejection(http.json({ method: 'GET', url: `https://127.0.0.1:${port}` }, patient()));
    assert.equal(error.code, 'CRM_UNREACHABLE');
    assert.equal(error.params.why, 'connect-timeout');
  });

  describe('TLS', () => {
    const ca = certificate('authority');
    const cases: readonly (readonly [Certificate, string, string | undefined])[] = [
      ['other', 'wrong-name', ca],
      ['expired', 'expired', ca],
      ['self-signed', 'unknown-authority', undefined],
      ['right', 'unknown-authority', undefined],
    ];
    for (const [name, why, trusted] of cases) {
      it(`a certificate "${name}" is refused: ${why}`, async () => {
        const server = await crm(json({}), name);
        const http = client(trusted === undefined ? {} : { ca: trusted });
        const error = await rejection(http.json({ method: 'GET', url: server.origin }, patient()));
        assert.equal(error.code, 'CRM_TLS');
        assert.equal(error.params.why, why);
        assert.equal(server.requests.length, 0);
      });
    }

    it('a CRM signed by the given authority is trusted', async () => {
      const server = await crm(json({ a: 1 }), 'right');
      assert.deepEqual(await client({ ca }).json({ method: 'GET', url: server.origin }, patient()), { a: 1 });
    });

    it('plain HTTP behind https:// is told apart', async () => {
      const server = await crm(json({}));
      const url = server.origin.replace('http:', 'https:');
      assert.equal((await rejection(client().json({ method: 'GET', url }, patient()))).code, 'CRM_TLS');
    });

    it('an authority that is no certificate is refused at once; an empty one is none', () => {
      assert.throws(
        () => client({ ca: 'hello' }),
        (error) => error instanceof TelephonyError && error.code === 'CRM_BAD_SETTINGS' && error.params.field === 'ca',
      );
      client({ ca: '' });
    });
  });

  for (const url of ['ftp://crm/', 'file:///etc/passwd', 'crm.example.com', '', 'https://user:pass@crm.example.com/']) {
    it(`the address "${url}" is refused`, async () => {
      const error = await rejection(client().json({ method: 'GET', url }, patient()));
      assert.equal(error.code, 'CRM_BAD_URL');
      assert.doesNotMatch(error.message, /pass/);
    });
  }

  it('a header with a line end is refused and not sent', async () => {
    const server = await crm(json({}));
    const headers = { Authorization: 'Bearer a\r\nX-Evil: 1' };
    const error = await rejection(client().json({ method: 'GET', url: server.origin, headers }, patient()));
    assert.equal(error.code, 'CRM_BAD_SETTINGS');
    assert.equal(server.requests.length, 0);
  });

  it('close ends what is under way, leaves no connection and refuses what comes later', async () => {
    const idle = await crm(json({}));
    const busy = await crm(neverEndingBody);
    const http = client();
    await http.json({ method: 'GET', url: idle.origin }, patient());
    const asked = rejection(http.json({ method: 'GET', url: busy.origin }, patient()));
    await until(() => busy.requests.length === 1, 'the request has arrived');
    http.close();
    assert.equal((await asked).code, 'CRM_CLOSED');
    await until(() => idle.connections === 0 && busy.connections === 0, 'all connections are closed');
    const late = await rejection(http.json({ method: 'GET', url: idle.origin }, patient()));
    assert.equal(late.code, 'CRM_CLOSED');
  });
});
