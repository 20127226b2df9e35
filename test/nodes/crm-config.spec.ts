import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { NodeInitializer } from 'node-red';
import type { CrmConfigNode } from '../../nodes/runtime/config-nodes';
import { FakeCrm, json } from '../support/fake-crm';
import { until } from '../support/wait';
import { crm, routeNodes, tab } from './support/route-flow';
import { admin, load, logLines, node, unload } from './support/runtime';
import type { FlowNode } from './support/runtime';

interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

const users = { action: 'get_users', obj: 'UserCRM', code: 200, body: [{ id: '1', name: 'Рита' }] };

const config = () => node('crm') as CrmConfigNode;

const nodeRed = createRequire(require.resolve(process.env.TEST_NODE_RED ?? 'node-red'));
const tlsConfig = nodeRed('@node-red/nodes/core/network/05-tls') as NodeInitializer;

describe('crm-config', () => {
  afterEach(unload);

  const start = (
    more: Record<string, unknown> = {},
    credentials: Record<string, string> = {},
    lang: 'en' | 'ru' = 'en',
  ) => load(routeNodes, [tab, crm(more)], { credentials: { crm: credentials }, lang });
  const post = (path: string, body: object) =>
    admin().post(`/telephony-crm/crm-config/crm/${path}`).send(body) as unknown as Promise<Reply>;

  it('offers one account, with the table of users', async () => {
    await start({
      people: [
        { extension: '101', userId: '1', name: 'Анна' },
        { extension: ' 102 ', userId: 2, name: '' },
        { extension: '', userId: '3', name: 'without a phone' },
        { extension: '104', userId: '' },
      ],
    });
    const { account } = config();
    assert.deepEqual(
      ['1', '2', '3', ''].map((id) => account?.extensionOf(id)),
      ['101', '102', undefined, undefined],
    );
    assert.deepEqual(account?.userOf('101'), { extension: '101', userId: '1', name: 'Анна' });
  });

  it('works as the demo CRM when a flow says nothing', async () => {
    await load(routeNodes, [tab, { id: 'crm', type: 'crm-config' }]);
    assert.equal((await config().account?.test())?.en, '13 clients, 7 users');
  });

  it('closes its account with the node', async () => {
    await start();
    const { account } = config();
    await unload();
    await assert.rejects(account!.test(), { code: 'CRM_CLOSED' });
  });

  it('lives on with wrong settings, and says what is wrong in the language of Node-RED', async () => {
    await start({ kind: 'usercrm', settings: { url: 'ftp://crm' } }, { token: 'k' }, 'ru');
    assert.equal(config().account, undefined);
    assert.match(config().problem?.message ?? '', /"Webhook URL"/);
    const [line] = logLines('crm').filter(({ level }) => level === 'error');
    assert.match(line?.text ?? '', /Поле «Адрес вебхука»/);
  });

  it('takes its settings and secrets from the environment', async () => {
    const server = await new FakeCrm(json(users)).start();
    process.env.TEST_CRM_URL = server.origin;
    process.env.TEST_CRM_KEY = 'from-environment';
    try {
      await start({ kind: 'usercrm', settings: { url: '${TEST_CRM_URL}' } }, { token: '${TEST_CRM_KEY}' });
      await config().account?.test();
      assert.equal(server.requests.at(-1)?.headers.authorization, 'Bearer from-environment');
      const asked = server.requests.length;
      await post('test', {
        kind: 'usercrm',
        settings: { url: '${TEST_CRM_URL}' },
        credentials: { token: '${TEST_CRM_KEY}' },
      });
      assert.ok(server.requests.length > asked);
      assert.equal(server.requests.at(-1)?.headers.authorization, 'Bearer from-environment');
    } finally {
      delete process.env.TEST_CRM_URL;
      delete process.env.TEST_CRM_KEY;
      await server.stop();
    }
  });

  it('does not go on without the TLS configuration that was chosen', async () => {
    await start({ tls: 'gone' });
    assert.equal(config().account, undefined);
    assert.match(config().problem?.message ?? '', /"TLS".*disabled, deleted/);
    const broken: FlowNode = { id: 'tls', type: 'tls-config', cert: '', key: '', ca: '/no/such/file.pem' };
    await unload();
    await load([tlsConfig, ...routeNodes], [tab, broken, crm({ tls: 'tls' })]);
    assert.equal(config().account, undefined);
    assert.match(config().problem?.message ?? '', /"TLS".*its own error/);
  });

  describe('the dialog', () => {
    it('fills variables in wherever they stand, as a deploy does', async () => {
      const server = await new FakeCrm(json({ name: 'x' })).start();
      process.env.TEST_CRM_PART = 'filled-in';
      try {
        await start();
        const settings = {
          url: `${server.origin}/{{digits}}`,
          headers: [{ name: 'X-Part', value: '${TEST_CRM_PART}' }],
          name: 'name',
        };
        const { status, body } = await post('test', { kind: 'generic-http', settings, credentials: {} });
        assert.equal(status, 200, JSON.stringify(body));
        assert.equal(server.requests.at(-1)?.headers['x-part'], 'filled-in');
      } finally {
        delete process.env.TEST_CRM_PART;
        await server.stop();
      }
    });

    it('is told every kind of CRM with its fields, in both languages', async () => {
      await start();
      const { body } = (await admin().get('/telephony-crm/crm-kinds')) as unknown as {
        body: Record<string, unknown>[];
      };
      const demo = body.find((kind) => kind.id === 'demo');
      assert.deepEqual(demo?.title, { en: 'Demo CRM (built in)', ru: 'Демонстрационная CRM (встроенная)' });
      const espo = body.find((kind) => kind.id === 'espocrm');
      assert.deepEqual(espo?.creates, ['lead', 'contact']);
      assert.deepEqual(espo.topics, [{ topic: 'call_record', byDefault: true }]);
      for (const kind of body) {
        const all = [...(kind.fields as object[]), ...(kind.deliveryFields as object[])];
        for (const field of all as { name: string; type: string; label: Record<string, string> }[]) {
          assert.ok(field.label.en && field.label.ru, field.name);
          if (field.type === 'secret') assert.ok(['user', 'password', 'token'].includes(field.name), field.name);
        }
      }
    });

    it('tests what stands in it, saved or not, with the stored key where it was not retyped', async () => {
      const server = await new FakeCrm(json(users)).start();
      try {
        await start({}, { token: 'stored' });
        const dialog = { kind: 'usercrm', settings: { url: server.origin }, lang: 'ru' };
        const kept = await post('test', { ...dialog, credentials: { token: '__PWRD__' } });
        assert.equal(kept.status, 200);
        assert.equal(server.requests.at(-1)?.headers.authorization, 'Bearer stored');
        assert.doesNotMatch(JSON.stringify(kept.body), /stored/);
        assert.equal(kept.body.note, 'пользователей: 1');
        await post('test', { ...dialog, credentials: { token: 'typed' } });
        assert.equal(server.requests.at(-1)?.headers.authorization, 'Bearer typed');
        await until(() => server.connections === 0, 'the connections of the button to be closed');
      } finally {
        await server.stop();
      }
    });

    it('is told what is wrong, in the language of its reader, and never a stack', async () => {
      await start();
      const wrong = await post('test', { kind: 'usercrm', settings: {}, credentials: {}, lang: 'ru' });
      assert.equal(wrong.status, 400);
      const error = wrong.body.error as { code: string; message: string };
      assert.equal(error.code, 'CRM_BAD_SETTINGS');
      assert.match(error.message, /Поле «Адрес вебхука»/);
      const down = await post('test', { kind: 'demo', settings: { mode: 'down' }, lang: 'en' });
      assert.equal((down.body.error as { code: string }).code, 'CRM_UNREACHABLE');
    });

    it('is told so even when it sends nonsense', async () => {
      await start();
      for (const body of [{}, { settings: 'x', kind: 5 }, { credentials: [], settings: null, kind: 'demo' }]) {
        const { status } = await post('test', body);
        assert.ok(status === 200 || status === 400, String(status));
      }
    });

    it('loads the users of the CRM', async () => {
      await start();
      const { body } = await post('users', { kind: 'demo', settings: {}, lang: 'en' });
      const users = body.users as Record<string, string>[];
      assert.equal(users.length, 7);
      assert.deepEqual(users[0], { id: '1', name: 'Анна Смирнова', extension: '101' });
    });
  });

  it('needs no other node', async () => {
    const alone: FlowNode = crm();
    await load(routeNodes, [alone]);
    assert.ok(config().account);
  });
});
