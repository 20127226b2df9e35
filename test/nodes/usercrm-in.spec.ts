import assert from 'node:assert/strict';
import type { OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { until } from '../support/wait';
import { FlowServer } from './support/http';
import { endpoint, manualFlow, routeFlow, routeNodes, sink, tab } from './support/route-flow';
import {
  admin,
  deploy,
  lastStatus,
  load,
  logLines,
  messages,
  receive,
  unload,
  waitForMessages,
  waitForStatus,
} from './support/runtime';
import type { FlowNode } from './support/runtime';

const PHONE = '84951343060';
const NAME = 'Петров АА';
const NOBODY = 'name=&number=';
const READY = 'usercrm-in.status.ready';

describe('usercrm-in over HTTP', () => {
  const server = new FlowServer();

  before(() => server.listen());
  after(() => server.close());
  afterEach(unload);

  const start = (flow: FlowNode[], options: Parameters<typeof load>[2] = {}) =>
    load([server.init, ...routeNodes], flow, options);
  const key = (apiKey: string) => ({ credentials: { in: { apiKey } } });
  /** The token of the only question that has arrived. */
  const token = async (count = 1) => (await waitForMessages('sink', count)).at(-1)?.usercrm;

  describe('from the question to the answer', () => {
    beforeEach(() => start(routeFlow()));

    it('Itgrix', async () => {
      const answer = await server.ask(`/forward?phone=${PHONE}&trunk=74951000101&callid=1.1`);
      assert.equal(answer.status, 200);
      assert.equal(answer.body, `name=${encodeURIComponent(NAME)}&number=101`);
      assert.match(answer.headers['content-type'] ?? '', /^text\/plain/);
    });

    it('UserCRM, its test included', async () => {
      const ask = (action: string, params: object) =>
        server.post('/integration/usercrm/', { action, obj: 'UserCRM', action_id: '123', params });
      const contact = await ask('get_contact', { phone: '4951343060', e164_phone: '74951343060' });
      assert.deepEqual(JSON.parse(contact.body), {
        action: 'get_contact',
        obj: 'UserCRM',
        action_id: '123',
        code: 200,
        list: [{ name: NAME, id: 2, type: 'contact', owner_id: 101 }],
      });
      const test = await ask('test', {});
      assert.deepEqual(JSON.parse(test.body), {
        action: 'test',
        obj: 'UserCRM',
        action_id: '123',
        code: 200,
        body: { success: true },
      });
    });

    it('UCCX', async () => {
      const { body, headers } = await server.ask(`/uccx?ani=${PHONE}`);
      assert.match(headers['content-type'] ?? '', /xml/);
      assert.match(body, /<found>1<\/found><extension>101<\/extension><name>Петров АА<\/name>/);
    });

    it('plain text', async () => {
      assert.equal((await server.ask(`/route.txt?phone=${PHONE}`)).body, '101');
    });

    it('JSON, by GET and by POST', async () => {
      const wanted = { found: true, extension: '101', name: NAME, entityType: 'contact', entityId: '2' };
      assert.deepEqual(JSON.parse((await server.ask(`/route.json?phone=${PHONE}`)).body), wanted);
      assert.deepEqual(JSON.parse((await server.post('/route.json', { phone: PHONE })).body), wanted);
    });

    it('nobody, for a client the CRM does not know', async () => {
      assert.equal((await server.ask('/forward?phone=84950000099')).body, NOBODY);
      assert.equal((await server.ask('/route.txt?phone=84950000099')).body, '');
    });

    it('the name alone, for a client whose responsible person has no phone', async () => {
      const { body } = await server.ask('/forward?phone=84950000009');
      assert.equal(body, `name=${encodeURIComponent('Ульяна Беглова')}&number=`);
    });

    for (const [what, phone] of [
      ['an empty number', ''],
      ['a withheld number', 'anonymous'],
      ['sixty characters', '8'.repeat(60)],
      ['line ends in the number', encodeURIComponent('8495\r\nSet-Cookie: a=b\r\n')],
      ['a broken escape', '%E0%A4%A'],
      ['no UTF-8', '%ff%fe'],
    ] as const) {
      it(`nobody, for ${what}`, async () => {
        const answer = await server.ask(`/forward?phone=${phone}`);
        assert.deepEqual([answer.status, answer.body], [200, NOBODY]);
        assert.equal(answer.headers['set-cookie'], undefined);
      });
    }

    it('an error in their own format for a question without a number', async () => {
      const answer = await server.ask('/forward?trunk=1');
      assert.equal(answer.status, 400);
      assert.match(answer.body, /^name=&number=&error=PROTOCOL_PHONE_MISSING/);
    });

    it('serves a number that the dialplan pasted in with its plus', async () => {
      assert.match((await server.ask('/forward?phone=+74951343060')).body, /number=101$/);
    });
  });

  it('hands the flow the question as plain data', async () => {
    await start(manualFlow());
    const asking = server.ask(`/forward?phone=${PHONE}&trunk=74951000101&callid=1.1`);
    const [message] = await waitForMessages('sink');
    assert.equal(message?.topic, 'route');
    assert.deepEqual(message.payload, { phone: PHONE, trunk: '74951000101', callId: '1.1', protocol: 'itgrix' });
    const { id, ...rest } = message.usercrm as Record<string, unknown>;
    assert.deepEqual(rest, { protocol: 'itgrix', action: 'route' });
    // A link node, a context store or a join may have copied it.
    receive('out', { payload: { name: 'VIP', extension: 101 }, usercrm: JSON.parse(JSON.stringify({ id })) as object });
    assert.equal((await asking).body, 'name=VIP&number=101');
  });

  describe('what is no question', () => {
    const LONG = 'x'.repeat(64 * 1024 + 1);

    beforeEach(() => start(routeFlow()));

    it('405, with the methods there are', async () => {
      const posted = await server.post('/forward', { phone: PHONE });
      assert.deepEqual([posted.status, posted.headers.allow], [405, 'GET']);
      const got = await server.ask('/integration/usercrm/');
      assert.deepEqual([got.status, got.headers.allow], [405, 'POST']);
      assert.equal((JSON.parse(got.body) as { code: number }).code, 405);
      assert.equal((await server.ask('/route.json', { method: 'DELETE' })).status, 405);
    });

    it('415, for a body in a type or a packing that is not understood', async () => {
      assert.equal((await server.post('/route.json', 'phone=1', { 'content-type': 'text/plain' })).status, 415);
      assert.equal((await server.post('/route.json', '{}', { 'content-encoding': 'gzip' })).status, 415);
    });

    it('413, said or found out', async () => {
      assert.equal((await server.post('/route.json', LONG)).status, 413);
      const chunked = await server.post('/route.json', LONG, { 'transfer-encoding': 'chunked' });
      assert.equal(chunked.status, 413);
      assert.equal((JSON.parse(chunked.body) as { error: { code: string } }).error.code, 'PROTOCOL_BODY_TOO_LARGE');
    });

    it('400, with the place where the JSON is broken', async () => {
      const answer = await server.post('/integration/usercrm/', '{\n "action": "get_contact"\n "obj": "UserCRM"}');
      assert.equal(answer.status, 400);
      assert.match(answer.body, /line 3, column 2/);
    });

    it('501, for an action that has no output', async () => {
      const request = { action: 'make_call', obj: 'UserCRM', action_id: '7', params: { dst: '1' } };
      const answer = await server.post('/integration/usercrm/', request);
      assert.equal(answer.status, 501);
      assert.match(answer.body, /"action_id":"7".*PROTOCOL_ACTION_NOT_SERVED/);
    });

    it("404, Node-RED's own, beside our paths", async () => {
      for (const path of ['/forwards', '/forward/x', '/integration/usercrm/x', '/']) {
        assert.equal((await server.ask(path)).status, 404, path);
      }
    });

    it('serves a path as Express would: in either case, with or without the last slash', async () => {
      assert.equal((await server.ask(`/Forward/?phone=${PHONE}`)).status, 200);
      assert.equal((await server.post('/integration/usercrm', { action: 'test', obj: 'UserCRM' })).status, 200);
    });

    it('answers HEAD and OPTIONS without asking the flow', async () => {
      const head = await server.ask(`/forward?phone=${PHONE}`, { method: 'HEAD' });
      assert.deepEqual([head.status, head.body], [200, '']);
      assert.equal((await server.ask('/integration/usercrm/', { method: 'HEAD' })).status, 405);
      const options = await server.ask('/route.json', { method: 'OPTIONS' });
      assert.deepEqual([options.status, options.headers.allow], [204, 'GET, POST, OPTIONS']);
      assert.equal(lastStatus('in')?.text, READY);
    });
  });

  describe('who may ask', () => {
    const bearer = (...values: string[]) => ({ headers: { Authorization: values } as OutgoingHttpHeaders });
    const ask = (headers = {}) => server.ask(`/route.json?phone=${PHONE}`, headers);

    it('this machine without a key, and whoever has the key', async () => {
      await start(routeFlow(), key('secret'));
      assert.equal((await ask()).status, 200);
      assert.equal((await ask(bearer('Bearer secret'))).status, 200);
    });

    it('nobody with a wrong, an empty or a second key; told in his own format', async () => {
      await start(routeFlow(), key('secret'));
      for (const wrong of ['Bearer wrong', 'Bearer ', '']) {
        const answer = await ask(bearer(wrong));
        assert.deepEqual([answer.status, answer.headers['www-authenticate']], [401, 'Bearer'], wrong);
        assert.match(answer.body, /"found":false.*PROTOCOL_UNAUTHORIZED/);
      }
      const twice = await ask(bearer('Bearer secret', 'Bearer secret'));
      assert.equal(twice.status, 400);
      assert.match(twice.body, /HTTP_AUTHORIZATION_REPEATED/);
      const itgrix = await server.ask(`/forward?phone=${PHONE}`, bearer('Bearer wrong'));
      assert.deepEqual([itgrix.status, itgrix.body.startsWith(`${NOBODY}&error=`)], [401, true]);
    });

    it('nobody else: from another address, or through a proxy', async () => {
      await start(routeFlow({ allowList: '10.0.0.0/8' }));
      assert.equal((await ask()).status, 403);
      await deploy(routeFlow());
      assert.equal((await ask({ headers: { 'x-forwarded-for': '127.0.0.1' } })).status, 403);
      assert.equal((await ask({ headers: { via: '1.1 nginx' } })).status, 403);
      assert.equal((await ask()).status, 200);
    });

    it('no web page that is open on an allowed machine, unless it has the key', async () => {
      await start(routeFlow(), key('secret'));
      const page = { origin: 'http://evil.example' };
      const answer = await ask({ headers: page });
      assert.equal(answer.status, 401);
      assert.doesNotMatch(answer.body, /Петров/);
      assert.equal((await ask({ headers: { ...page, authorization: 'Bearer secret' } })).status, 200);
    });

    it('with the way out, where there is no key to ask for', async () => {
      await start(routeFlow());
      const answer = await ask({ headers: { origin: 'http://evil.example' } });
      assert.equal(answer.status, 403);
      assert.match(answer.body, /"found":false.*HTTP_KEY_NEEDED.*set an API key/);
    });

    it('says it in Russian where Node-RED speaks Russian', async () => {
      await start(routeFlow({ allowList: '' }), { lang: 'ru' });
      assert.match((await ask()).body, /С этого адреса спрашивать нельзя/);
    });

    it('is not guessed from the name of a variable that is not set', async () => {
      for (const name of ['${NO_SUCH_KEY}', '$(NO_SUCH_KEY)']) {
        await start(routeFlow(), key(name));
        assert.equal((await ask(bearer(`Bearer ${name}`))).status, 404);
        assert.equal(lastStatus('in')?.text, 'usercrm-in.status.settings');
        assert.match(logLines('in').at(-1)?.text ?? '', /NO_SUCH_KEY/);
        await unload();
      }
    });

    it('names what is wrong with the list and serves nothing', async () => {
      await start(routeFlow({ allowList: '127.0.0.1/64' }));
      assert.equal((await ask()).status, 404);
      assert.deepEqual([lastStatus('in')?.fill, lastStatus('in')?.text], ['red', 'usercrm-in.status.settings']);
      assert.match(logLines('in').at(-1)?.text ?? '', /127\.0\.0\.1\/64/);
    });
  });

  describe('a flow that does not answer', () => {
    it('leaves the asker with "nobody" at the deadline, and its late answer is one error', async () => {
      await start(manualFlow({ deadline: '0.2' }));
      const began = performance.now();
      const answer = await server.ask(`/forward?phone=${PHONE}`);
      assert.equal(answer.body, NOBODY);
      assert.ok(performance.now() - began >= 190);
      await waitForStatus('in', { fill: 'yellow', text: 'usercrm-in.status.late' });

      receive('out', { payload: { extension: '101' }, usercrm: await token() });
      const [caught] = await waitForMessages('caught');
      assert.equal((caught?.error as { message: string }).message.includes('deadline'), true);
      assert.equal(messages('caught').length, 1);
    });

    it('is told nothing when the asker hung up, and nothing is left waiting', async () => {
      await start(manualFlow({ deadline: '60' }));
      const socket = connect(server.port, '127.0.0.1');
      socket.write(`GET /forward?phone=${PHONE} HTTP/1.1\r\nHost: x\r\n\r\n`);
      const usercrm = await token();
      socket.destroy();
      await until(() => server.connections === 0, 'the server to see the end of the connection');
      receive('out', { payload: { found: false }, usercrm });
      const [caught] = await waitForMessages('caught');
      assert.match((caught?.error as { message: string }).message, /Nobody waits/);
    });

    it('is not asked by a body that never comes in full', async () => {
      await start(manualFlow());
      const socket = connect(server.port, '127.0.0.1');
      socket.write(
        'POST /route.json HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\nContent-Type: application/json\r\n\r\n{',
      );
      await until(() => socket.bytesWritten > 0, 'the half request to be sent');
      socket.destroy();
      await server.ask('/route.json');
      assert.equal(messages('sink').length, 0);
    });
  });

  describe('more outputs', () => {
    const flow = (actions: string[]) =>
      manualFlow({ actions, outputs: actions.length, wires: [['sink'], ['tests']] }).concat({
        id: 'tests',
        type: 'sink',
        z: 'f',
        wires: [],
      });
    const test = () => server.post('/integration/usercrm/', { action: 'test', obj: 'UserCRM', action_id: 5 });

    it('a test that the flow answers itself', async () => {
      await start(flow(['route', 'test']));
      const asking = test();
      const [message] = await waitForMessages('tests');
      assert.equal(message?.topic, 'test');
      receive('out', { payload: { code: 200, body: { success: true, by: 'flow' } }, usercrm: message.usercrm });
      assert.deepEqual(JSON.parse((await asking).body), {
        action: 'test',
        obj: 'UserCRM',
        action_id: 5,
        code: 200,
        body: { success: true, by: 'flow' },
      });
      assert.equal(messages('sink').length, 0);
    });

    it('a code of the flow is the code of the answer', async () => {
      await start(flow(['route', 'test']));
      const asking = test();
      const [message] = await waitForMessages('tests');
      receive('out', { payload: { code: 503, body: 'closed today' }, usercrm: message?.usercrm });
      const answer = await asking;
      assert.equal(answer.status, 503);
      assert.match(answer.body, /"code":503.*closed today/);
    });

    it('a code that would only announce an answer, or an odd one, is an error', async () => {
      await start(flow(['route', 'test']));
      const odd: unknown[] = [100, 199, Symbol('200'), Object.create(null)];
      for (const [index, code] of odd.entries()) {
        const asking = test();
        const message = (await waitForMessages('tests', index + 1))[index];
        receive('out', { payload: { code, body: 'x' }, usercrm: message?.usercrm });
        assert.equal((await asking).status, 500);
      }
    });

    it('a test that nobody answers is an error, not a lie', async () => {
      await start(flow(['route', 'test']).map((node) => (node.id === 'in' ? { ...node, deadline: '0.1' } : node)));
      assert.equal((await test()).status, 504);
    });
  });

  describe('deploys', () => {
    it('leave one route and no listener behind, however many there are', async () => {
      await start(routeFlow());
      const layers = server.layers;
      for (let round = 1; round <= 10; round += 1) {
        await deploy(routeFlow({ name: `round ${round}` }));
        assert.match((await server.ask(`/forward?phone=${PHONE}`)).body, /number=101$/);
      }
      assert.equal(server.layers, layers);
    });

    it('move the endpoint to its new path', async () => {
      await start(routeFlow());
      await deploy(routeFlow({ path: 'crm/' }));
      assert.equal((await server.ask(`/forward?phone=${PHONE}`)).status, 404);
      assert.equal((await server.ask(`/crm/forward?phone=${PHONE}`)).status, 200);
    });

    it('answer everybody who waits, at once', async () => {
      await start(manualFlow({ deadline: '60' }));
      const asking = Promise.all([1, 2, 3].map(() => server.ask(`/forward?phone=${PHONE}`)));
      await waitForMessages('sink', 3);
      const began = performance.now();
      await unload();
      assert.ok(performance.now() - began < 10_000);
      assert.deepEqual(
        (await asking).map((answer) => answer.body),
        [NOBODY, NOBODY, NOBODY],
      );
    });

    it('give a path to one node only, and to the next when the first leaves', async () => {
      const second = endpoint({ id: 'second', protocols: ['itgrix'], wires: [['sink']] });
      await start([...routeFlow(), sink, second]);
      assert.deepEqual(
        [lastStatus('second')?.fill, lastStatus('second')?.text],
        ['red', 'usercrm-in.status.path-taken'],
      );
      const [said] = logLines('second').filter(({ level }) => level === 'warn');
      assert.match(said?.text ?? '', /path \/forward is taken: .*id in.*ENDPOINT_PATH_TAKEN/s);
      assert.match((await server.ask(`/forward?phone=${PHONE}`)).body, /number=101$/);
      assert.equal(messages('sink').length, 0);

      await deploy([...routeFlow().filter((node) => node.id !== 'in'), sink, second]);
      await waitForStatus('second', { text: READY });
      void server.ask(`/forward?phone=${PHONE}`).catch(() => undefined);
      await waitForMessages('sink');
    });
  });

  it('takes no more than it can keep, and says so', async () => {
    await start(manualFlow({ deadline: '60' }));
    const waiting = Array.from({ length: 1000 }, () => server.ask(`/forward?phone=${PHONE}`).catch(() => undefined));
    await waitForMessages('sink', 1000, 60_000);
    assert.equal((await server.ask(`/forward?phone=${PHONE}`)).body, NOBODY);
    assert.deepEqual([lastStatus('in')?.fill, lastStatus('in')?.text], ['red', 'usercrm-in.status.full']);
    assert.equal(messages('sink').length, 1000);
    await unload();
    await Promise.all(waiting);
  }).timeout(90_000);

  it('says that it serves nothing when nothing is switched on', async () => {
    await start([tab, endpoint({ protocols: [], wires: [[]] })]);
    assert.deepEqual([lastStatus('in')?.fill, lastStatus('in')?.text], ['grey', 'usercrm-in.status.nothing']);
  });

  it('tells the dialog its protocols and their paths', async () => {
    await start(routeFlow());
    const { body } = (await admin().get('/telephony-crm/http-protocols')) as { body: unknown };
    assert.deepEqual((body as { name: string; path: string; methods: string[] }[])[0], {
      name: 'itgrix',
      path: '/forward',
      methods: ['GET'],
    });
  });
});

describe("usercrm-in under the admin's settings of Node-RED", () => {
  let server: FlowServer;
  const start = async (settings: Record<string, unknown>) => {
    server = new FlowServer(settings);
    await server.listen();
    await load([server.init, ...routeNodes], routeFlow(), { credentials: { in: { apiKey: 'secret' } } });
  };

  afterEach(async () => {
    await unload();
    await server.close();
  });

  it('says that HTTP is switched off', async () => {
    await start({ httpNodeRoot: false });
    assert.deepEqual([lastStatus('in')?.fill, lastStatus('in')?.text], ['red', 'usercrm-in.status.http-off']);
    assert.equal((await server.ask(`/forward?phone=${PHONE}`)).status, 404);
  });

  it('runs the middleware of the admin first, and stops where it stops', async () => {
    const seen: string[] = [];
    type Next = (error?: Error) => void;
    await start({
      httpNodeMiddleware: [
        (req: { url: string }, _res: unknown, next: Next) => {
          seen.push(req.url);
          next();
        },
        (req: { query: Record<string, string> }, res: { status(code: number): { end(): void } }, next: Next) => {
          if (req.query.phone === '0') res.status(418).end();
          else next();
        },
      ],
    });
    assert.equal((await server.ask('/forward?phone=0')).status, 418);
    assert.match((await server.ask(`/forward?phone=${PHONE}`)).body, /number=101$/);
    assert.equal((await server.ask('/elsewhere')).status, 404);
    assert.deepEqual(seen, ['/forward?phone=0', `/forward?phone=${PHONE}`]);
  });

  it('takes the body that a middleware has already parsed', async () => {
    await start({
      httpNodeMiddleware: (req: Record<string, unknown>, _res: unknown, next: () => void) => {
        req._body = true;
        req.body = { phone: PHONE };
        next();
      },
    });
    assert.match((await server.post('/route.json', {})).body, /"extension":"101"/);
  });

  it('sends the CORS headers that the admin wants', async () => {
    await start({ httpNodeCors: { origin: ['https://crm.example'], methods: 'GET,POST' } });
    const ask = (method: string, origin: string) =>
      server.ask(`/route.json?phone=${PHONE}`, {
        method,
        headers: { origin, authorization: 'Bearer secret', 'access-control-request-headers': 'authorization' },
      });
    const got = await ask('GET', 'https://crm.example');
    assert.deepEqual([got.status, got.headers['access-control-allow-origin']], [200, 'https://crm.example']);
    const preflight = await ask('OPTIONS', 'https://crm.example');
    assert.equal(preflight.headers['access-control-allow-methods'], 'GET,POST');
    assert.equal(preflight.headers['access-control-allow-headers'], 'authorization');
    assert.equal((await ask('GET', 'https://evil.example')).headers['access-control-allow-origin'], undefined);
  });
});
