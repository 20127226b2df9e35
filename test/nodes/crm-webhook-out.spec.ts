import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import amiConfig from '../../nodes/ami-config';
import amiEvent from '../../nodes/ami-event';
import crmConfig from '../../nodes/crm-config';
import crmWebhookOut from '../../nodes/crm-webhook-out';
import storeConfig from '../../nodes/store-config';
import type { AmiConfigNode, CrmConfigNode } from '../../nodes/runtime/config-nodes';
import { FakeCrm, json, type Behaviour } from '../support/fake-crm';
import { until } from '../support/wait';
import {
  admin,
  deploy,
  lastStatus,
  load,
  logLines,
  messages,
  node,
  receive,
  unload,
  waitForMessages,
} from './support/runtime';
import type { FlowNode } from './support/runtime';
import { storeNode, UserDir } from './support/store-flow';

interface Told {
  readonly topic: string;
  readonly payload: { readonly callId: string; readonly eventId: string };
  readonly crm?: { readonly status: string; readonly answer: unknown };
  readonly error?: { readonly code: string; readonly message: string };
}

const record = (callId: string, more: object = {}) => ({
  topic: 'call_record',
  payload: {
    eventId: `office:${callId}:call_record`,
    pbx: 'office',
    callId,
    direction: 'in',
    client: { number: '84951343060', e164: '+74951343060' },
    startedAt: '2026-11-21T10:00:00.000Z',
    result: 'answered',
    ...more,
  },
});

const WRONG_SETTINGS = '@telephony-crm/node-red-asterisk/crm-config:crm-config.status.settings';

describe('crm-webhook-out', () => {
  const nodes = [amiConfig, amiEvent, crmConfig, storeConfig, crmWebhookOut];
  let user: UserDir;
  let crm: FakeCrm | undefined;

  beforeEach(() => (user = new UserDir()));
  afterEach(async () => {
    await unload();
    await crm?.stop();
    crm = undefined;
    user.remove();
  });

  const start = (flow: readonly FlowNode[], options: Parameters<typeof load>[2] = {}) =>
    load([user.init, ...nodes], flow, options);
  const status = (text: string) => until(() => lastStatus('out')?.text === text, `the status ${text}`);

  const tab: FlowNode = { id: 'f', type: 'tab', label: 'f' };
  const flow = (crmNode: object, more: object = {}): FlowNode[] => [
    tab,
    storeNode(),
    { id: 'crm', type: 'crm-config', kind: 'demo', settings: {}, people: [], ...crmNode },
    {
      id: 'out',
      type: 'crm-webhook-out',
      z: 'f',
      crm: 'crm',
      store: 'store',
      wires: [['delivered'], ['given-up']],
      ...more,
    },
    { id: 'delivered', type: 'sink', z: 'f', wires: [] },
    { id: 'given-up', type: 'sink', z: 'f', wires: [] },
    { id: 'catch', type: 'catch', z: 'f', scope: ['out'], wires: [['caught']] },
    { id: 'caught', type: 'sink', z: 'f', wires: [] },
    { id: 'complete', type: 'complete', z: 'f', scope: ['out'], wires: [['completed']] },
    { id: 'completed', type: 'sink', z: 'f', wires: [] },
  ];
  const told = (id: string): Told[] => messages(id) as unknown as Told[];
  /** A CRM over HTTP that behaves so. */
  const overHttp = async (behave: Behaviour): Promise<object> => {
    crm = await new FakeCrm(behave).start();
    return { kind: 'usercrm', settings: { url: `${crm.origin}/hook` } };
  };

  it('delivers a record and says what the CRM answered; the message is complete when it is on disk', async () => {
    await start(flow({}));
    receive('out', { ...record('1.1'), req: 'mine' });
    await waitForMessages('delivered', 1);
    const [{ topic, payload, crm: said } = {} as Told] = told('delivered');
    assert.equal(topic, 'call_record');
    assert.equal(payload.callId, '1.1');
    assert.equal(said?.status, 'delivered');
    await waitForMessages('completed', 1);
    assert.equal((messages('completed')[0] as { req?: string }).req, 'mine');
    await status('crm-webhook-out.status.idle');
  });

  it('delivers what a call of the simulator becomes', async () => {
    await start([
      ...flow({}),
      { id: 'pbx', type: 'ami-config', mode: 'simulator', name: 'office' },
      { id: 'in', type: 'ami-event', z: 'f', pbx: 'pbx', mode: 'calls', wires: [['out']] },
    ]);
    const { pbx } = node('pbx') as AmiConfigNode;
    await until(() => pbx.client.state.phase === 'ready', 'the simulator');
    await pbx.simulator?.call({ from: '84951343060', did: '74951000111' });
    await waitForMessages('delivered', 1);
    const [delivered] = told('delivered');
    assert.equal(delivered?.topic, 'call_record');
    assert.deepEqual((delivered.payload as unknown as { talked: string[] }).talked, ['101']);
  });

  it('accepts one event once, and leaves out what the CRM is not to be told of', async () => {
    await start(flow({}, { topics: ['call_record'] }));
    receive('out', record('1.1'));
    receive('out', record('1.1'));
    receive('out', { ...record('1.2'), topic: 'call_ringing' });
    receive('out', { topic: 'gap', payload: {} });
    await waitForMessages('completed', 4);
    await waitForMessages('delivered', 1);
    assert.equal(told('delivered').length, 1);
  });

  for (const type of ['full', 'nodes'] as const) {
    it(`delivers once what the CRM was being sent during a deploy (${type})`, async () => {
      let answer: (() => void) | undefined;
      let asked = 0;
      const settings = await overHttp((request, response) => {
        asked += 1;
        answer = () => json({ code: 200 })(request, response);
      });
      await start(flow(settings), { credentials: { crm: { token: 'key' } } });
      receive('out', record('1.1'));
      await until(() => answer !== undefined, 'the request');
      await deploy(flow(settings, { name: 'another' }), type);
      answer?.();
      await waitForMessages('delivered', 1);
      await status('crm-webhook-out.status.idle');
      assert.equal(asked, 1);
    });
  }

  it('notes what the CRM took while everything was being closed', async () => {
    let answer: (() => void) | undefined;
    let asked = 0;
    const settings = await overHttp((request, response) => {
      asked += 1;
      answer = () => json({ code: 200 })(request, response);
    });
    const options = { credentials: { crm: { token: 'key' } } };
    await start(flow(settings), options);
    receive('out', record('1.1'));
    await until(() => answer !== undefined, 'the request');
    const stopped = unload();
    // Whatever is closed without waiting for others is closed by then.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    answer?.();
    await stopped;
    await start(flow(settings), options);
    await status('crm-webhook-out.status.idle');
    assert.equal(asked, 1);
  });

  it('refuses what is no event, and says what is wrong', async () => {
    await start(flow({}));
    for (const bad of [
      { topic: 'hello', payload: {} },
      { topic: 'call_record', payload: 'x' },
      record('1.1', { callId: 7 }),
    ]) {
      receive('out', bad);
    }
    await waitForMessages('caught', 3);
    for (const { error } of told('caught')) assert.match(error?.message ?? '', /no event of a call/);
  });

  it('waits while the CRM is down, over a redeploy too, and delivers when it is back', async () => {
    let isUp = false;
    const settings = await overHttp((request, response) => {
      if (isUp) json({ code: 200 })(request, response);
      else response.writeHead(503).end();
    });
    const options = { credentials: { crm: { token: 'key' } } };
    const nodesOf = flow(settings);
    await start(nodesOf, options);
    receive('out', record('1.1'));
    const held = /^1 wait since \d\d:\d\d: CRM reports a failure$/;
    await until(() => held.test(String(lastStatus('out')?.text)), 'the status');
    await deploy(nodesOf.map((one) => (one.id === 'out' ? { ...one, name: 'again' } : one)));
    isUp = true;
    await waitForMessages('delivered', 1);
    const bodies = crm?.requests.map(({ body }) => (JSON.parse(body) as { action: string }).action) ?? [];
    assert.ok(bodies.includes('cdr_append'));
  });

  for (const [lang, held] of [
    ['en', /^1 wait since \d\d:\d\d: CRM does not answer$/],
    ['ru', /^ждут: 1, с \d\d:\d\d: CRM не отвечает$/],
  ] as const) {
    it(`says in few and whole words why messages wait, in ${lang}`, async () => {
      await start(flow({ kind: 'usercrm', settings: { url: 'https://crm.no-such-host.invalid/a.b/hook' } }), {
        credentials: { crm: { token: 'key' } },
        lang,
      });
      receive('out', record('1.1'));
      await until(() => held.test(String(lastStatus('out')?.text)), 'the status');
    });
  }

  it('tells a flow of its outbox in the language of the runtime', async () => {
    const settings = await overHttp((_request, response) => void response.writeHead(503).end());
    await start(flow(settings), { credentials: { crm: { token: 'key' } }, lang: 'ru' });
    receive('out', record('1.1'));
    const held = /^ждут: 1, с \d\d:\d\d: сбой на стороне CRM$/;
    await until(() => held.test(String(lastStatus('out')?.text)), 'the status');
    receive('out', { topic: 'outbox', payload: 'status' });
    await waitForMessages('delivered', 1);
    const { error } = told('delivered')[0]?.payload as unknown as { error: { message: string } };
    const { host } = new URL(crm?.origin ?? '');
    assert.ok(error.message.startsWith(`CRM ${host} не смогла ответить (503): ошибка на её стороне.`), error.message);
  });

  it('gives up what the CRM refuses, lists it, tries it again and drops it', async () => {
    let refuses = true;
    const settings = await overHttp((request, response) => {
      if (!refuses) json({ code: 200 })(request, response);
      else response.writeHead(422, { 'content-type': 'application/json' }).end('{"message":"no such client"}');
    });
    await start(flow(settings), { credentials: { crm: { token: 'key' } } });
    receive('out', record('1.1'));
    receive('out', record('1.2'));
    await waitForMessages('given-up', 2);
    assert.equal(told('given-up')[0]?.error?.code, 'CRM_REFUSED');
    assert.match(told('given-up')[0]?.error?.message ?? '', /no such client/);
    await until(() => lastStatus('out')?.text === 'given up: 2', 'the status');

    const ask = async (order: object, lang = 'en'): Promise<{ readonly body: unknown }> => {
      const asking = admin().post('/telephony-crm/crm-webhook-out/out/outbox').set('Content-Type', 'application/json');
      return await asking.send({ lang, order });
    };
    interface Listed {
      readonly dead: readonly { id: number; payload: { callId: string }; error: { code: string; message: string } }[];
    }
    const listed = (await ask({ command: 'list' })).body as Listed;
    assert.deepEqual(listed.dead.map(({ payload }) => payload.callId).sort(), ['1.1', '1.2']);
    const { host } = new URL(crm?.origin ?? '');
    const english = `The CRM at ${host} refused the request (422): "no such client".`;
    assert.equal(listed.dead[0]?.error.code, 'CRM_REFUSED');
    assert.ok(listed.dead[0].error.message.startsWith(english), listed.dead[0].error.message);
    const russian = (await ask({ command: 'list' }, 'ru')).body as Listed;
    assert.ok(russian.dead[0]?.error.message.startsWith(`CRM ${host} отклонила запрос (422): «no such client».`));
    refuses = false;
    receive('out', { topic: 'outbox', payload: { command: 'retry', ids: [listed.dead[0].id] } });
    await waitForMessages('delivered', 2);
    assert.deepEqual((await ask({ command: 'drop' })).body, { count: 1 });
    await status('crm-webhook-out.status.idle');
  });

  describe('what waits for a node that was deleted', () => {
    let isUp: boolean;
    let settings: object;
    const options = { credentials: { crm: { token: 'key' } } };
    const ask = async (id: string, order: object): Promise<unknown> => {
      const asking = admin()
        .post(`/telephony-crm/crm-webhook-out/${id}/outbox`)
        .set('Content-Type', 'application/json');
      return ((await asking.send({ lang: 'en', order })) as { readonly body: unknown }).body;
    };
    const warnings = () => logLines().filter(({ text }) => text.includes('WEBHOOK_ORPHANS'));
    /** Drawn anew, and by another name. */
    const drawnAnew = (): FlowNode[] => flow(settings).map((one) => (one.id === 'out' ? { ...one, id: 'new' } : one));

    beforeEach(async () => {
      isUp = false;
      settings = await overHttp((request, response) => {
        if (isUp) json({ code: 200 })(request, response);
        else response.writeHead(503).end();
      });
      await start(flow(settings), options);
      receive('out', record('1.1'));
      receive('out', record('1.2'));
      await until(() => String(lastStatus('out')?.text).startsWith('2 wait since'), 'the status');
    });

    it('is told of once, and delivered after another node took it over', async () => {
      assert.deepEqual(warnings(), []);
      isUp = true;
      await deploy(drawnAnew());
      await until(() => warnings().length === 1, 'the warning');
      const [{ level, id, text } = { level: '', id: '', text: '' }] = warnings();
      assert.deepEqual([level, id], ['warn', 'new']);
      assert.match(text, /no longer exists.*: 2\./);
      const listed = (await ask('new', { command: 'list' })) as { dead: unknown[]; orphans?: number };
      assert.deepEqual(listed, { dead: [], orphans: 2 });
      await deploy(drawnAnew().map((one) => (one.id === 'new' ? { ...one, name: 'again' } : one)));
      // Asked behind the look that this deploy made.
      assert.equal(((await ask('new', { command: 'status' })) as { orphans?: number }).orphans, 2);
      assert.equal(warnings().length, 1);
      assert.deepEqual(messages('delivered'), []);

      assert.deepEqual(await ask('new', { command: 'adopt' }), { count: 2 });
      await waitForMessages('delivered', 2);
      assert.deepEqual(
        told('delivered').map(({ payload }) => payload.callId),
        ['1.1', '1.2'],
      );
      assert.equal(((await ask('new', { command: 'status' })) as { orphans?: number }).orphans, undefined);
    });

    it('is found when a deploy deletes the one node of two', async () => {
      const two = [...flow(settings), ...drawnAnew().filter(({ id }) => id === 'new')];
      await deploy(two);
      assert.equal(((await ask('new', { command: 'status' })) as { orphans?: number }).orphans, undefined);
      await deploy(two.filter(({ id }) => id !== 'out'));
      await until(() => warnings().length === 1, 'the warning');
    });

    it('is not touched while the node stands in a disabled flow', async () => {
      const aside: FlowNode = { id: 'aside', type: 'tab', label: 'aside', disabled: true };
      const old = flow(settings).filter(({ id }) => id === 'out');
      await deploy([...drawnAnew(), aside, ...old.map((one) => ({ ...one, z: 'aside' }))]);
      await until(() => !node('out'), 'the node to be gone');
      assert.equal(((await ask('new', { command: 'status' })) as { orphans?: number }).orphans, undefined);
      assert.deepEqual(await ask('new', { command: 'adopt' }), { count: 0 });
      assert.deepEqual(warnings(), []);
    });
  });

  it('says to deploy first when a node is asked that does not run', async () => {
    await start(flow({}));
    const asking = admin().post('/telephony-crm/crm-webhook-out/drawn/outbox').set('Content-Type', 'application/json');
    const answer = (await asking.send({ lang: 'en', order: { command: 'list' } })) as {
      readonly status: number;
      readonly body: { readonly error: { readonly code: string; readonly message: string } };
    };
    assert.deepEqual([answer.status, answer.body.error.code], [400, 'WEBHOOK_NOT_DEPLOYED']);
    assert.match(answer.body.error.message, /deploy it first/);
  });

  it('keeps what comes while the settings of the CRM are wrong, says so, and delivers it when they are right', async () => {
    const settings = await overHttp(json({ code: 200 }));
    await start(flow({ ...settings, settings: { url: 'no address' } }), { credentials: { crm: { token: 'key' } } });
    await status(WRONG_SETTINGS);
    for (const callId of ['1.1', '1.2']) receive('out', record(callId));
    receive('out', { ...record('1.1'), topic: 'call_ringing' });
    await waitForMessages('completed', 3);
    const held = /^2 wait since \d\d:\d\d: wrong CRM settings$/;
    await until(() => held.test(String(lastStatus('out')?.text)), 'the status');
    assert.deepEqual(messages('caught'), []);
    await deploy(flow(settings));
    await waitForMessages('delivered', 2);
    assert.deepEqual(
      told('delivered').map(({ payload }) => payload.callId),
      ['1.1', '1.2'],
    );
    await status('crm-webhook-out.status.idle');
  });

  it('says how the outbox is also while the store cannot be used', async () => {
    await start(flow({}));
    await status('crm-webhook-out.status.idle');
    rmSync(join(user.path, 'telephony-crm', 'telephony-crm.sqlite'));
    receive('out', record('1.1'));
    await waitForMessages('caught', 1);
    receive('out', { topic: 'outbox', payload: 'status' });
    await waitForMessages('delivered', 1);
    const { error } = told('delivered')[0]?.payload as unknown as { error?: { code: string } };
    assert.equal(error?.code, 'STORE_REPLACED');
  });

  it('says in its status what is missing', async () => {
    await start(flow({}, { crm: '' }));
    await status('@telephony-crm/node-red-asterisk/crm-config:crm-config.status.missing');
    await deploy(flow({}, { giveUpDays: 'soon' }));
    await status('crm-webhook-out.status.settings');
  });

  it('says in its status that there is no store, and keeps nothing', async () => {
    await start(flow({}, { store: '' }));
    await status('@telephony-crm/node-red-asterisk/store-config:store-config.status.missing');
    receive('out', record('1.1'));
    await waitForMessages('caught', 1);
  });

  it('leaves nothing behind after ten deploys', async () => {
    const nodesOf = flow({});
    await start(nodesOf);
    const { account } = node('crm') as CrmConfigNode;
    for (let round = 0; round < 10; round += 1) {
      await deploy(nodesOf.map((one) => (one.id === 'out' ? { ...one, name: String(round) } : one)));
    }
    assert.equal((node('crm') as CrmConfigNode).account, account, 'the account is shared, not made anew');
    receive('out', record('1.1'));
    await waitForMessages('delivered', 1);
    assert.equal(told('delivered').length, 1);
  });
});
