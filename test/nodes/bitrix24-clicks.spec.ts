import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { tellTaken } from '../../nodes/runtime/taken';
import { BitrixDouble } from '../doubles/bitrix24';
import { until } from '../support/wait';
import { crm, endpoint, routeNodes, sink, tab } from './support/route-flow';
import { admin, load, messages, unload, waitForMessages, waitForStatus } from './support/runtime';
import type { FlowNode } from './support/runtime';
import { UserDir } from './support/store-flow';

const CLICK = 'ONEXTERNALCALLSTART';
const CALL_ID = 'externalCall.89350264e026dace3f2b14d1f438257c.1773236989';
const data = { PHONE_NUMBER: '84951234567', PHONE_NUMBER_INTERNATIONAL: '+74951234567', USER_ID: '99', CALL_ID };

describe('clicks in Bitrix24 for a PBX behind NAT', () => {
  let portal: BitrixDouble;
  let dir: UserDir;

  const kind = () => {
    const { origin } = portal.server;
    return { kind: 'bitrix24', settings: { signIn: 'application', url: origin, server: origin } };
  };
  const polling = (more: Readonly<Record<string, unknown>> = {}): FlowNode =>
    endpoint({
      protocols: [],
      offlineEvents: true,
      crm: 'crm',
      actions: ['route', 'make_call'],
      wires: [[], ['sink']],
      ...more,
    });
  const start = (...others: FlowNode[]) => {
    const { clientId, clientSecret } = portal.oauth;
    const flow = [tab, crm({ ...kind(), people: [{ extension: '101', userId: '99' }] }), polling(), sink, ...others];
    return load([dir.init, ...routeNodes], flow, {
      credentials: { crm: { user: clientId, password: clientSecret } },
    });
  };
  const press = async (button: string, more: object = {}) => {
    const body = { ...kind(), credentials: { user: '__PWRD__', password: '__PWRD__' }, ...more };
    return (await admin().post(`/telephony-crm/crm-config/crm/${button}`).send(body)) as unknown as {
      status: number;
      body: { url?: string; error?: { code: string; message: string } };
    };
  };
  const signIn = async () => {
    portal.oauth.codes.add('code-of-admin');
    return press('sign-in', { pasted: 'https://localhost/?code=code-of-admin&domain=x' });
  };

  beforeEach(async () => {
    dir = new UserDir();
    portal = await new BitrixDouble().start();
    portal.bucket = { size: 1000, perSecond: 1000 };
  });

  afterEach(async () => {
    await unload();
    await portal.stop();
    dir.remove();
  });

  it('are fetched after the administrator has signed in from the dialog, and confirmed when the order is taken', async () => {
    await start();
    await waitForStatus('in', { text: '@telephony-crm/node-red-asterisk/crm-config:crm-config.status.signed-out' });
    const page = await press('sign-in-page');
    assert.equal(page.body.url, `${portal.server.origin}/oauth/authorize/?client_id=local.app`);
    assert.equal((await press('sign-in', { pasted: 'https://localhost/' })).body.error?.code, 'CRM_BAD_SETTINGS');
    assert.deepEqual(await signIn().then(({ status, body }) => [status, body]), [200, {}]);

    const folder = join(dir.path, 'telephony-crm', 'sign-ins');
    const [name = '', ...more] = readdirSync(folder);
    assert.deepEqual([more, statSync(join(folder, name)).mode & 0o777], [[], 0o600]);
    assert.doesNotMatch(readFileSync(join(folder, name), 'utf8'), /access|refresh/);

    await waitForStatus('in', { text: 'usercrm-in.status.ready' });
    portal.offline.happens(CLICK, data, 3000);
    const [order = {}] = await waitForMessages('sink', 1);
    assert.equal(order.topic, 'make_call');
    const { expiresInSeconds, ...payload } = order.payload as Record<string, unknown>;
    assert.deepEqual(payload, {
      user: '99',
      extension: '101',
      number: '+74951234567',
      data: { bitrix24: { callId: CALL_ID } },
      key: CALL_ID,
      variables: { BITRIX24_CALL_ID: CALL_ID },
      protocol: 'bitrix24',
    });
    assert.ok(Number(expiresInSeconds) > 0 && Number(expiresInSeconds) <= 27, String(expiresInSeconds));
    assert.equal(portal.offline.queue.length, 1, 'nobody has taken it yet');
    tellTaken(order.payload);
    await until(() => portal.offline.queue.length === 0, 'it is confirmed');

    // A restart finds the sign-in, and what another process had fetched.
    portal.offline.happens(CLICK, { ...data, CALL_ID: 'externalCall.b.2' });
    await waitForMessages('sink', 2);
    await unload();
    await start();
    const [again = {}] = await waitForMessages('sink', 1);
    assert.equal((again.payload as { key: string }).key, 'externalCall.b.2');
  });

  it('that are too old, or have no output, are confirmed and not ordered', async () => {
    await start();
    await signIn();
    await until(() => portal.offline.bound.length === 2, 'the queue is open');
    portal.offline.happens(CLICK, data, 31_000);
    portal.offline.happens('ONEXTERNALCALLBACKSTART', { PHONE_NUMBER: '84951234567' });
    portal.offline.happens(CLICK, { USER_ID: '99' });
    await until(() => portal.offline.queue.length === 0, 'all are confirmed');
    assert.deepEqual(messages('sink'), []);
    assert.ok(portal.methods.includes('telephony.externalcall.finish'));
  });

  it('are fetched by one node only, and not with a webhook', async () => {
    await start(polling({ id: 'second' }));
    await signIn();
    await waitForStatus('second', { text: 'usercrm-in.status.queue-taken' });
    await unload();
    await load([dir.init, ...routeNodes], [tab, crm({ kind: 'bitrix24' }), polling(), sink], {
      credentials: { crm: { token: portal.webhook } },
    });
    await waitForStatus('in', { text: 'usercrm-in.status.no-queue' });
    assert.match((await press('sign-in-page', { kind: 'demo', settings: {} })).body.error?.message ?? '', /nobody/);
  });
});
