import assert from 'node:assert/strict';
import callControl from '../../nodes/call-control';
import crmWebhookOut from '../../nodes/crm-webhook-out';
import queueEvent from '../../nodes/queue-event';
import storeConfig from '../../nodes/store-config';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import { UserCrmDouble } from '../doubles/usercrm';
import { until } from '../support/wait';
import { FlowServer } from './support/http';
import { answer, crm, endpoint, routeNodes, tab } from './support/route-flow';
import { deploy, lastStatus, load, logLines, node, unload } from './support/runtime';
import type { FlowNode } from './support/runtime';
import { storeNode, UserDir } from './support/store-flow';

const people = [
  { extension: '101', userId: '3', name: 'Анна' },
  { extension: '106', userId: '6', name: 'Пётр' },
  { extension: '999', userId: '9', name: 'Nobody' },
];
const LUNCH = { state: 'paused', reason: 'Обед', base_status: '-3', extra_status: '77', status_name: 'На обеде' };
const WRONG_SETTINGS = '@telephony-crm/node-red-asterisk/crm-config:crm-config.status.settings';

describe('agents of a CRM that speaks UserCRM', () => {
  const server = new FlowServer();
  let double: UserCrmDouble;
  let user: UserDir;

  before(() => server.listen());
  after(() => server.close());
  beforeEach(async () => {
    user = new UserDir();
    double = await new UserCrmDouble().start();
  });
  afterEach(async () => {
    await unload();
    await double.stop();
    user.remove();
  });

  const flow = (settings: object = { agentStatuses: [LUNCH] }): FlowNode[] => [
    tab,
    storeNode(),
    crm({ kind: 'usercrm', settings: { url: double.url, ...settings }, people }),
    { id: 'pbx', type: 'ami-config', name: 'office', mode: 'simulator' },
    endpoint({
      protocols: ['usercrm'],
      crm: 'crm',
      actions: ['route', 'transfer', 'agent_state'],
      wires: [[], ['control'], ['control']],
    }),
    { id: 'control', type: 'call-control', z: 'f', pbx: 'pbx', crm: 'crm', wires: [['out']] },
    answer(),
    { id: 'events', type: 'queue-event', z: 'f', pbx: 'pbx', crm: 'crm', wires: [['deliver']] },
    { id: 'deliver', type: 'crm-webhook-out', z: 'f', crm: 'crm', store: 'store', wires: [[], []] },
  ];
  async function start(settings?: object): Promise<void> {
    const nodes = [...routeNodes, callControl, queueEvent, storeConfig, crmWebhookOut];
    await load([user.init, server.init, ...nodes], flow(settings), { credentials: { crm: { token: double.key } } });
    const { pbx } = node('pbx') as AmiConfigNode;
    await until(() => pbx.queues.stats.members > 0, 'the members of the queue');
  }
  async function ask(action: string, params: object): Promise<Readonly<Record<string, unknown>>> {
    const message = { action, obj: 'UserCRM', action_id: '123', params };
    const { status, body } = await server.post('/integration/usercrm/', message);
    const reply = JSON.parse(body) as { action: string; code: number; body: Record<string, unknown> };
    assert.deepEqual([reply.action, reply.code], [action, status]);
    return { status, ...reply.body };
  }
  const told = () =>
    double.events.map(({ action, body }) => [
      action,
      body.user_uid,
      body.crm_user,
      body.extra_status,
      body.status_name,
    ]);
  async function pausedOf(extension: string): Promise<readonly (string | undefined)[]> {
    const { pbx } = node('pbx') as AmiConfigNode;
    const rows = await pbx.client.list({ action: 'QueueStatus' });
    const row = rows.find((one) => one.get('Location') === `PJSIP/${extension}`);
    return [row?.get('Paused'), row?.get('PausedReason')];
  }

  it('are paused by the CRM, which hears of it in its own words', async () => {
    await start();
    const agent = { crm_user_id: '3' };
    const done = { success: true, user_uid: '101', crm_user: '3', queues: ['support'], changed: true };
    assert.deepEqual(await ask('agent_pause', { ...agent, reason: 'Обед' }), { status: 200, ...done });
    assert.deepEqual(await pausedOf('101'), ['1', 'Обед']);
    assert.deepEqual(await ask('get_agent_state', agent), {
      status: 200,
      success: true,
      user_uid: '101',
      crm_user: '3',
      queues: ['support'],
      base_status: -3,
      extra_status: 77,
      status_name: 'На обеде',
      paused_in: ['support'],
      busy: false,
    });
    assert.equal((await ask('agent_pause', { ...agent, reason: 'Обед', queue: 'support' })).changed, false);
    assert.equal((await ask('agent_unpause', { ...agent, queue: ['support'] })).changed, true);
    assert.deepEqual((await pausedOf('101'))[0], '0');
    await until(() => double.events.length === 2, 'both changes at the CRM');
    assert.deepEqual(told(), [
      ['agent_change', '101', '3', 77, 'На обеде'],
      ['agent_change', '101', '3', 1, 'В работе'],
    ]);
  });

  it('log in and out, and whoever is in no queue is told so politely', async () => {
    await start();
    const agent = { crm_user_id: '6' };
    const away = await ask('get_agent_state', agent);
    assert.deepEqual([away.status, away.base_status, away.queues], [200, -4, []]);
    const out = await ask('agent_logout', agent);
    assert.deepEqual([out.status, out.changed, out.queues], [200, false, []]);
    const pause = await ask('agent_pause', agent);
    assert.deepEqual([pause.status, pause.success, pause.error], [409, false, 'CONTROL_NOT_MEMBER']);
    assert.match(String(pause.message), /106/);
    assert.equal((await ask('agent_login', { ...agent, queue: 'support', penalty: 2 })).changed, true);
    assert.equal((await ask('agent_logout', agent)).changed, true);
    await until(() => double.events.length === 2, 'both changes at the CRM');
    assert.deepEqual(
      told().map(([, uid, crmUser, extra]) => [uid, crmUser, extra]),
      [
        ['106', '6', 1],
        ['106', '6', 0],
      ],
    );
  });

  it('are not touched by an order that cannot be meant', async () => {
    await start();
    const agent = { crm_user_id: '3' };
    const cases: readonly (readonly [string, object, number, string])[] = [
      ['agent_pause', { crm_user_id: '77' }, 404, 'PROTOCOL_USER_UNKNOWN'],
      ['agent_pause', {}, 400, 'PROTOCOL_VALUE_MISSING'],
      ['agent_pause', { ...agent, queue: 'nope' }, 404, 'CONTROL_NO_QUEUE'],
      ['agent_pause', { ...agent, queue: { id: 'support' } }, 400, 'CONTROL_BAD_ORDER'],
      ['agent_pause', { ...agent, queue: [] }, 400, 'CONTROL_BAD_ORDER'],
      ['agent_pause', { ...agent, queue: ['support', null] }, 400, 'CONTROL_BAD_ORDER'],
      ['agent_login', agent, 400, 'CONTROL_BAD_ORDER'],
      ['agent_login', { ...agent, queue: 'nope' }, 404, 'CONTROL_NO_QUEUE'],
      ['agent_logout', agent, 422, 'CONTROL_NOT_POSSIBLE'],
      ['get_agent_state', { crm_user_id: '9' }, 404, 'CONTROL_NO_EXTENSION'],
      ['transfer_call', { ...agent, call_id: '1.1', dst: '102' }, 404, 'CONTROL_NO_CALL'],
      ['transfer_call', { ...agent, call_id: '1.1' }, 400, 'PROTOCOL_VALUE_MISSING'],
      ['transfer_call', { ...agent, dst: '102', type: 'hangup' }, 400, 'PROTOCOL_BAD_VALUE'],
      ['agent_fire', agent, 404, 'PROTOCOL_UNKNOWN_ACTION'],
    ];
    for (const [action, params, status, error] of cases) {
      const refused = await ask(action, params);
      assert.deepEqual(
        [refused.status, refused.error, refused.success],
        [status, error, false],
        JSON.stringify(params),
      );
    }
    assert.deepEqual(await pausedOf('101'), ['0', '']);
    assert.deepEqual(double.events, []);
  });

  it('have their calls transferred, and nobody the call of another', async () => {
    await start();
    const { pbx } = node('pbx') as AmiConfigNode;
    let callId = '';
    await until(async () => {
      if (callId === '' || (await pbx.client.list({ action: 'CoreShowChannels' })).length === 0) {
        const onBegin = (id: string): void => void (callId = id);
        void pbx.simulator!.call({ from: '84951343060', did: '74951000111', onBegin }).catch(() => undefined);
      }
      const others = await ask('transfer_call', { crm_user_id: '6', call_id: callId, dst: '102' });
      assert.equal(others.status, 404);
      const own = await ask('transfer_call', { crm_user_id: '3', call_id: callId, dst: '102' });
      return own.status === 200 && own.success === true;
    }, 'the transfer');
  });

  it('have no CRM while its table of statuses is wrong, and the texts say which row', async () => {
    await start();
    const rows = [LUNCH, { ...LUNCH, reason: 'Учёба', base_status: 'break' }];
    const wrong = flow({ agentStatuses: rows });
    await deploy(wrong);
    await until(() => lastStatus('deliver')?.text === WRONG_SETTINGS, 'a red status');
    const said = logLines('crm').filter(({ level }) => level === 'error');
    assert.match(said.at(-1)?.text ?? '', /Statuses of agents.*row 2, "base_status": write a whole number/);
  });
});
