import assert from 'node:assert/strict';
import amiConfig from '../../nodes/ami-config';
import callControl from '../../nodes/call-control';
import crmConfig from '../../nodes/crm-config';
import crmWebhookOut from '../../nodes/crm-webhook-out';
import queueEvent from '../../nodes/queue-event';
import storeConfig from '../../nodes/store-config';
import usercrmIn from '../../nodes/usercrm-in';
import usercrmOut from '../../nodes/usercrm-out';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import { UserCrmDouble } from '../doubles/usercrm';
import { FlowServer } from '../nodes/support/http';
import { load, node, unload, type FlowNode } from '../nodes/support/runtime';
import { storeNode, UserDir } from '../nodes/support/store-flow';
import { until } from '../support/wait';
import { describeAsterisk } from './support/roots';
import { TestBed } from './support/test-bed';

const QUEUE = '74951000202';
const NODES = [
  ...[amiConfig, crmConfig, storeConfig, usercrmIn, usercrmOut],
  ...[callControl, queueEvent, crmWebhookOut],
];

describeAsterisk('agents of a CRM that speaks UserCRM', (version) => {
  const server = new FlowServer();
  let bed: TestBed;
  let crm: UserCrmDouble;
  let user: UserDir;

  before(async () => {
    bed = await TestBed.start({ version });
    crm = await new UserCrmDouble().start();
    user = new UserDir();
    await server.listen();
    const on = { z: 'f', pbx: 'pbx', crm: 'crm' };
    const people = ['101', '102', '103'].map((extension) => ({ extension, userId: `user_${extension}` }));
    const flow: FlowNode[] = [
      { id: 'f', type: 'tab' },
      storeNode(),
      {
        id: 'pbx',
        type: 'ami-config',
        name: 'office',
        mode: 'asterisk',
        host: '127.0.0.1',
        port: String(bed.asterisk.amiPort),
        trunks: 'provider',
        trunkContexts: 'from-trunk',
      },
      { id: 'crm', type: 'crm-config', kind: 'usercrm', settings: { url: crm.url }, people },
      {
        id: 'in',
        type: 'usercrm-in',
        ...on,
        protocols: ['usercrm'],
        actions: ['route', 'transfer', 'agent_state'],
        wires: [[], ['control'], ['control']],
      },
      { id: 'control', type: 'call-control', ...on, wires: [['out']] },
      { id: 'out', type: 'usercrm-out', z: 'f', wires: [] },
      { id: 'events', type: 'queue-event', ...on, wires: [['deliver']] },
      { id: 'deliver', type: 'crm-webhook-out', z: 'f', crm: 'crm', store: 'store', wires: [[], []] },
    ];
    const credentials = {
      pbx: { username: 'crm-dial', secret: 'crm-dial-secret' },
      crm: { token: crm.key },
    };
    await load([user.init, server.init, ...NODES], flow, { credentials });
    const { pbx } = node('pbx') as AmiConfigNode;
    await until(() => pbx.queues.stats.members === 2, 'the members of the queue', 30_000);
  });
  after(async () => {
    await unload();
    await server.close();
    await crm.stop();
    await bed.stop();
    user.remove();
  });
  beforeEach(async () => {
    await bed.reset();
    crm.events.length = 0;
  });
  afterEach(() => bed.hangUpAll());

  async function ask(action: string, params: object): Promise<Readonly<Record<string, unknown>>> {
    const message = { action, obj: 'UserCRM', action_id: '123', params };
    const { status, body } = await server.post('/integration/usercrm/', message);
    return { status, ...(JSON.parse(body) as { readonly body: object }).body };
  }
  const told = (): string[] =>
    crm.events.map(({ body: { user_uid, base_status, status_name } }) => [user_uid, base_status, status_name].join());
  const came = (...wanted: readonly string[]): Promise<void> =>
    until(() => wanted.every((one) => told().includes(one)), `${wanted.join('; ')} among ${told().join('; ')}`, 20_000);

  it('are paused, read and called back, and each change reaches the CRM once', async () => {
    const agent = { crm_user_id: 'user_101' };
    assert.equal((await ask('agent_pause', { ...agent, reason: 'Обед' })).changed, true);
    await came('101,-3,Обед');
    const state = await ask('get_agent_state', agent);
    assert.deepEqual(
      [state.user_uid, state.base_status, state.status_name, state.queues, state.paused_in],
      ['101', -3, 'Обед', ['support'], ['support']],
    );
    assert.equal((await ask('agent_pause', { ...agent, reason: 'Обед' })).changed, false);
    assert.equal((await ask('agent_unpause', agent)).changed, true);
    await came('101,-1,В работе');
    assert.deepEqual(told(), ['101,-3,Обед', '101,-1,В работе']);
    assert.match(await bed.asterisk.cli('queue show support'), /Agent One/);
  });

  it('log in and out', async () => {
    const agent = { crm_user_id: 'user_103' };
    assert.equal((await ask('agent_pause', agent)).status, 409);
    assert.equal((await ask('agent_login', { ...agent, queue: 'support' })).changed, true);
    await came('103,-1,В работе');
    assert.match(await bed.asterisk.cli('queue show support'), /PJSIP\/103/);
    assert.equal((await ask('agent_logout', agent)).changed, true);
    await came('103,-4,Не в системе');
    assert.deepEqual(told(), ['103,-1,В работе', '103,-4,Не в системе']);
  });

  it('are told of while they talk to the caller of a queue', async () => {
    bed.phones['101'].reset('decline');
    bed.phones['102'].reset('ring');
    const call = bed.call(QUEUE);
    (await bed.phones['102'].nextCall()).answer();
    await came('102,-1,Разговаривает');
    assert.equal((await ask('get_agent_state', { crm_user_id: 'user_102' })).busy, true);
    call.bye();
    await came('102,-1,В работе');
    assert.deepEqual(told(), ['102,-1,Разговаривает', '102,-1,В работе']);
  });
});
