import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { NodeInitializer } from 'node-red';
import amiConfig from '../../nodes/ami-config';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import type { ProbeReport } from '../../lib/pbx/probe';
import { FakeAmiServer } from '../support/fake-ami-server';
import { until } from '../support/wait';
import { admin, load, logLines, node, unload, type FlowNode } from './support/runtime';
import { UserDir } from './support/store-flow';

/** The `tls-config` of Node-RED itself. */
const nodeRed = createRequire(require.resolve('node-red'));
const tlsConfig = nodeRed('@node-red/nodes/core/network/05-tls') as NodeInitializer;

const certificate = (name: string): string =>
  readFileSync(join(__dirname, '..', 'unit', 'ami', 'tls', `${name}.pem`), 'utf8');

const URL = '/telephony-crm/ami-config/pbx/test';

describe('ami-config', () => {
  let server: FakeAmiServer;

  beforeEach(async () => {
    server = await FakeAmiServer.start();
  });
  afterEach(async () => {
    await unload();
    await server.stop();
  });

  const config = (more: Record<string, unknown> = {}): FlowNode => ({
    id: 'pbx',
    type: 'ami-config',
    name: '',
    mode: 'asterisk',
    host: server.host,
    port: server.port,
    ...more,
  });
  const credentials = () => ({ pbx: { username: server.username, secret: server.secret } });
  const pbx = () => (node('pbx') as AmiConfigNode).pbx;
  const post = (body: Record<string, unknown>) => admin().post(URL).send(body);
  const report = (answer: { body: unknown }) => answer.body as ProbeReport;
  const dialog = (more: Record<string, unknown> = {}) => ({
    lang: 'en',
    mode: 'asterisk',
    host: server.host,
    port: String(server.port),
    useTls: false,
    driver: 'built-in',
    country: 'RU',
    extensions: '',
    features: ['events', 'presence', 'route'],
    credentials: { username: server.username, secret: server.secret },
    ...more,
  });
  const state = (of: ProbeReport, id: string) => of.steps.find((step) => step.id === id)?.state;

  it('opens no link before a node uses it, then one for all', async () => {
    await load([amiConfig], [config()], { credentials: credentials() });
    assert.equal(pbx().client.state.phase, 'idle');
    assert.equal(pbx().name, '127.0.0.1');
    pbx().open();
    pbx().open();
    await until(() => pbx().client.state.phase === 'ready', 'the link');
    assert.equal(server.connections.length, 1);
    await until(
      () => logLines('pbx').some((line) => line.text.includes('logged in to Asterisk (AMI 11.0.0)')),
      'the log',
    );
  });

  it('speaks the language of the runtime', async () => {
    await load([amiConfig], [config({ host: '' })], { credentials: credentials(), lang: 'ru' });
    assert.match(logLines('pbx').find((line) => line.level === 'error')!.text, /Адрес: поле не заполнено/);
    await assert.rejects(pbx().client.action({ action: 'Ping' }), { code: 'PBX_BAD_SETTINGS' });
    assert.deepEqual(pbx().presence.availability('101', true), {
      available: false,
      reason: 'link-down',
      state: 'unknown',
    });
  });

  it('refuses TLS with the driver that has none, before any password could travel', async () => {
    await load([amiConfig], [config({ useTls: true, driver: 'asterisk-manager' })], { credentials: credentials() });
    pbx().open();
    assert.match(logLines('pbx').find((line) => line.level === 'error')!.text, /asterisk-manager cannot speak TLS/);
    assert.equal(server.connections.length, 0);
  });

  it('takes names of trunks as people write them, and says which one cannot be', async () => {
    await load([amiConfig], [config({ trunks: 'PJSIP/provider, gsm-1', variables: 'CRM_ID CAMPAIGN' })], {
      credentials: credentials(),
    });
    assert.deepEqual(logLines('pbx'), []);
    await unload();
    for (const [wrong, told] of [
      [{ trunks: 'provider, "quoted"' }, /Trunks: ""quoted"" cannot be used/],
      [{ trunkContexts: 'from trunk;<x>' }, /Contexts: "<x>" cannot be used/],
      [{ variables: 'CRM_ID, CDR(src)' }, /Variables: "CDR\(src\)" cannot be used/],
    ] as const) {
      await load([amiConfig], [config(wrong)], { credentials: credentials() });
      assert.match(logLines('pbx').find((line) => line.level === 'error')!.text, told);
      await unload();
    }
  });

  it('warns of another one with its name, by which messages and recordings tell PBXs apart', async () => {
    const named = (id: string, name: string): FlowNode => ({ id, type: 'ami-config', name, mode: 'simulator' });
    await load([amiConfig], [named('pbx', 'office'), named('other', 'office'), named('third', 'Office')]);
    const warned = logLines('other').filter(({ level }) => level === 'warn');
    assert.equal(warned.length, 1);
    assert.match(warned[0]!.text, /Another ami-config has the name "office" too/);
    assert.deepEqual(
      ['pbx', 'third'].flatMap((id) => logLines(id).filter(({ level }) => level === 'warn')),
      [],
    );
  });

  it('has rules for calls out, and dials nothing when they are wrong', async () => {
    await load([amiConfig], [config({ dialAllow: '+375*' })], { credentials: credentials() });
    const objection = (number: string) => pbx().dialling.guard.objection({ number })?.code;
    assert.equal(objection('+375291234567'), undefined);
    assert.equal(objection('84951343060'), 'OUTBOUND_NOT_ALLOWED');
    await unload();
    await load([amiConfig], [config({ dialAllow: '8495*' })], { credentials: credentials() });
    assert.match(logLines('pbx').find((line) => line.level === 'error')!.text, /Allowed: "8495\*" cannot be used/);
    assert.equal(objection('101'), 'PBX_BAD_SETTINGS');
    const place = pbx().dialling.guard.take('101');
    assert.ok(!place.free && place.error.code === 'PBX_BAD_SETTINGS');
  });

  it('works over the driver asterisk-manager', async () => {
    await load([amiConfig], [config({ driver: 'asterisk-manager' })], { credentials: credentials() });
    pbx().open();
    await until(() => pbx().client.state.phase === 'ready', 'the link');
    assert.equal((await pbx().client.action({ action: 'Ping' })).get('Ping'), 'Pong');
  });

  describe('with TLS', () => {
    let secure: FakeAmiServer;
    beforeEach(async () => {
      secure = await FakeAmiServer.start({ tls: { cert: certificate('pbx'), key: certificate('pbx-key') } });
    });
    afterEach(async () => {
      await unload();
      await secure.stop();
    });

    const tls: FlowNode = { id: 'tls', type: 'tls-config', cert: '', key: '', ca: '', verifyservercert: false };
    const start = (ca: string, serverName: string) =>
      load([tlsConfig, amiConfig], [tls, config({ port: secure.port, useTls: true, tls: 'tls', serverName })], {
        credentials: { pbx: { username: secure.username, secret: secure.secret }, tls: { cadata: certificate(ca) } },
      });

    it('trusts the authority of the chosen tls-config and the name given', async () => {
      await start('ca', 'pbx.example');
      pbx().open();
      await until(() => pbx().client.state.phase === 'ready', 'the link');
    });

    it('checks the certificate even when the tls-config says not to, and tells so', async () => {
      await start('other-ca', 'pbx.example');
      pbx().open();
      await until(() => pbx().client.state.phase === 'refused', 'the refusal');
      assert.equal(pbx().client.state.error?.code, 'AMI_TLS_REFUSED');
      const warned = logLines('pbx').filter((line) => line.level === 'warn');
      assert.match(warned[0]!.text, /it is checked all the same/);
      assert.equal(secure.actions.length, 0);
    });
  });

  describe('trace button', () => {
    const userDir = new UserDir();
    after(() => userDir.remove());

    const record = (body: Record<string, unknown>) =>
      admin()
        .post('/telephony-crm/ami-config/pbx/trace')
        .send({ lang: 'en', ...body });
    const start = () =>
      load([userDir.init, amiConfig], [config({ name: 'head/office' })], { credentials: credentials() });
    const code = ({ body }: { body: unknown }) => (body as { error: { code: string } }).error.code;

    it('writes what the PBX sends into a file below the user directory, numbers masked, one at a time', async () => {
      await start();
      pbx().open();
      await until(() => pbx().client.state.phase === 'ready', 'the link');
      const { file } = (await record({ seconds: '1', maskNumbers: true }).expect(200)).body as { file: string };
      assert.ok(file.startsWith(join(userDir.path, 'telephony-crm', 'traces', 'head_office-')), file);
      assert.equal(code(await record({ seconds: 1 }).expect(400)), 'TRACE_RUNNING');
      const lines = ['CallerIDNum: +79031112233', 'Exten: 101', 'ConnectedLineNum: 89031112233', 'X: a', 'X: б'];
      server.broadcast('Event: Newchannel', 'Privilege: call,all', ...lines, 'Uniqueid: 1795203509.6');
      await until(() => logLines('pbx').some(({ text }) => text.includes(`the trace is ready: ${file}`)), 'the end');
      const text = readFileSync(file, 'utf8');
      assert.match(text, /^; .*numbers masked\n/);
      const [, first, second] =
        /CallerIDNum: \+7903(\d{7})\r\nExten: 101\r\nConnectedLineNum: 8903(\d{7})\r\nX: a\r\nX: б\r\n/.exec(text) ??
        [];
      assert.equal(first, second);
      assert.notEqual(first, '1112233');
      assert.ok(text.includes('Uniqueid: 1795203509.6\r\n\r\n'));
      assert.equal(statSync(file).mode & 0o077, 0);
      await record({ seconds: 1, maskNumbers: false }).expect(200);
    });

    it('says what is wrong, and records nothing', async () => {
      await start();
      assert.equal(code(await record({ seconds: 10 }).expect(400)), 'TRACE_NO_LINK');
      pbx().open();
      await until(() => pbx().client.state.phase === 'ready', 'the link');
      for (const seconds of ['', 0, 'ten', 100_000]) {
        assert.equal(code(await record({ seconds }).expect(400)), 'TRACE_BAD_SECONDS');
      }
    });
  });

  describe('test button', () => {
    it('needs nothing with the simulator', async () => {
      await load([amiConfig], []);
      const answer = await post({ lang: 'en', mode: 'simulator' }).expect(200);
      assert.deepEqual(answer.body, { steps: [{ id: 'simulator', state: 'ok' }], permissions: [] });
    });

    it('tries what stands in the dialog, deployed or not, and leaves no connection', async () => {
      await load([amiConfig], []);
      const answer = report(await post(dialog()).expect(200));
      assert.equal(state(answer, 'reach'), 'ok');
      assert.equal(state(answer, 'login'), 'ok');
      await until(() => server.open === 0, 'the connections to end');
    });

    it('uses the stored secret when it was not retyped, and never gives it back', async () => {
      await load([amiConfig], [config()], { credentials: credentials() });
      const typed = { username: server.username, secret: '__PWRD__' };
      const answer = await post(dialog({ credentials: typed })).expect(200);
      assert.equal(state(report(answer), 'login'), 'ok');
      assert.ok(!answer.text.includes(server.secret));
      assert.match(report(answer).managerConf!, /^\[crm\]$/m);
    });

    it('fills in variables of the environment as the running node would', async () => {
      process.env.T_HOST = server.host;
      try {
        await load([amiConfig], []);
        const answer = report(await post(dialog({ host: '${T_HOST}' })).expect(200));
        assert.equal(state(answer, 'login'), 'ok');
      } finally {
        delete process.env.T_HOST;
      }
    });

    it("tells a wrong password in the reader's language", async () => {
      await load([amiConfig], []);
      const typed = { username: server.username, secret: 'wrong one' };
      const answer = await post(dialog({ lang: 'ru', credentials: typed })).expect(200);
      const login = report(answer).steps.find((step) => step.id === 'login')!;
      assert.equal(login.state, 'failed');
      assert.equal(login.code, 'AMI_LOGIN_REFUSED');
      assert.match(login.detail!, /отклонил вход пользователя crm/);
      assert.ok(!answer.text.includes('wrong one'));
    });

    it('tells at once which field is wrong', async () => {
      await load([amiConfig], []);
      const answer = await post(dialog({ extensions: '1AX' })).expect(400);
      const { error } = answer.body as { error: { code: string; message: string } };
      assert.equal(error.code, 'PHONE_BAD_PLAN');
      assert.match(error.message, /"1AX"/);
    });

    it('survives a body that makes no sense', async () => {
      await load([amiConfig], []);
      for (const body of [[], { mode: 'asterisk', host: {}, credentials: 7, features: 'all' }]) {
        const answer = await admin().post(URL).send(body);
        assert.ok([200, 400].includes(answer.status), String(answer.status));
      }
    });
  });
});
