import assert from 'node:assert/strict';
import callControl from '../../nodes/call-control';
import callHistory from '../../nodes/call-history';
import originate from '../../nodes/originate';
import simulatedCall from '../../nodes/simulated-call';
import storeConfig from '../../nodes/store-config';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import { until } from '../support/wait';
import { debugNamed, only, readExample, runnable } from './support/example-flows';
import { FlowServer } from './support/http';
import { routeNodes } from './support/route-flow';
import { load, messages, node, receive, unload } from './support/runtime';
import { UserDir } from './support/store-flow';

describe('examples for those who order calls', () => {
  const server = new FlowServer();
  let user: UserDir;

  before(() => server.listen());
  after(() => server.close());
  beforeEach(() => (user = new UserDir()));
  afterEach(async () => {
    await unload();
    user.remove();
  });

  async function start(name: string) {
    const flow = readExample(name);
    await load(
      [user.init, server.init, ...routeNodes, storeConfig, callHistory, simulatedCall, originate, callControl],
      runnable(flow),
    );
    const { pbx } = node(only(flow, 'ami-config').id) as AmiConfigNode;
    await until(() => pbx.presence.availability('101', false).available, 'the states of the phones');
    const rings = () =>
      receive(only(flow, 'simulated-call').id, { payload: { from: '84951343060', did: '74951000111' } });
    const told = (debugName: string): readonly Readonly<Record<string, unknown>>[] => {
      const debug = debugNamed(flow, debugName);
      return messages(debug.id).map(({ payload }) => payload as Readonly<Record<string, unknown>>);
    };
    return { pbx, rings, told };
  }

  it('04: a CRM that speaks UserCRM is served in all it asks', async () => {
    const { pbx, rings, told } = await start('04-usercrm-server.json');
    const ask = async (action: string, params: object) => {
      const message = { action, obj: 'UserCRM', action_id: '1', params };
      const { status, body } = await server.post('/crm/integration/usercrm/', message);
      return { status, ...(JSON.parse(body) as { body?: unknown; list?: unknown }) };
    };
    const contact = await ask('get_contact', { phone: '4951343060', e164_phone: '74951343060' });
    assert.deepEqual(contact.list, [{ name: 'Петров АА', id: 2, type: 'contact', owner_id: 101 }]);
    assert.equal(((await ask('get_domain_user_list', {})).body as unknown[]).length, 5);
    assert.deepEqual((await ask('get_cdr', {})).body, []);
    assert.equal((await ask('get_cdr', { start_dt: 'soon' })).status, 400);

    const click = { crm_user_id: '1', dst: '89066800404' };
    assert.deepEqual((await ask('make_call', click)).body, { success: true, order_id: 1, state: 'queued' });
    assert.equal((await ask('make_call', { ...click, crm_user_id: '77' })).status, 404);
    assert.equal((await ask('make_call', { ...click, dst: '112' })).status, 422);
    // Two people of the simulator talk for two seconds only: on a busy machine the first call may be over too soon.
    let hold = {};
    await until(async () => {
      const rows = await pbx.client.list({ action: 'CoreShowChannels' });
      if (rows.length === 0) await ask('make_call', click);
      hold = { crm_user_id: '1', call_id: rows[0]?.get('Linkedid') ?? 'none' };
      return rows.length > 0 && (await ask('switch_call_hold', hold)).status === 200;
    }, 'the call on hold');
    assert.equal((await ask('switch_call_hold', hold)).status, 200);
    assert.equal((await ask('switch_call_hold', { ...hold, call_id: 'none' })).status, 404);
    await until(() => told('how a call ended').some(({ orderId }) => orderId === 1), 'the end of the call');
    const ended = told('how a call ended').map(({ outcome, extension, number }) => [outcome, extension, number].join());
    assert.deepEqual([...new Set(ended)], ['refused,101,112', 'answered,101,89066800404']);

    const pause = { crm_user_id: '1', reason: 'Lunch' };
    assert.equal((await ask('agent_pause', pause)).status, 200);
    const state = (await ask('get_agent_state', pause)).body as Readonly<Record<string, unknown>>;
    assert.deepEqual([state.base_status, state.status_name, state.paused_in], [-3, 'Lunch', ['support']]);
    assert.equal((await ask('agent_unpause', pause)).status, 200);
    const newcomer = { crm_user_id: '2', queue: 'support' };
    assert.equal((await ask('agent_login', newcomer)).status, 200);
    assert.equal((await ask('agent_logout', newcomer)).status, 200);
    assert.equal((await ask('transfer_call', { ...hold, dst: '102' })).status, 404);

    rings();
    await until(
      async () => ((await ask('get_cdr', {})).body as unknown[]).length > ended.length - 1,
      'the calls in the history',
    );
  });

  it('05: a program of Alterisk is served at its old addresses', async () => {
    const { rings, told } = await start('05-alterisk-compatible.json');
    const ask = async (query: string) => (await server.ask(`/fcgi-bin/asterisk.fcgi?${query}`)).body;
    assert.equal(await ask('get_uniqueid_callerid'), 'Answer: Error\n');
    assert.equal(await ask('makecall=89066800404'), 'Answer: OK\n');
    assert.equal(await ask('makecall=89066800417'), 'Answer: Busy\n');
    assert.equal(await ask('makecall=112'), 'Answer: Error\n');

    const [, busy] =
      /^Answer: OK\nAutoCallID: (\d+)\n$/.exec(await ask('autocall=89066800417&file1=hello-world')) ?? [];
    const [, heard] =
      /^Answer: OK\nAutoCallID: (\d+)\n$/.exec(await ask('autocall=89066800405&file1=hello-world')) ?? [];
    assert.ok(busy !== undefined && heard !== undefined);
    assert.equal(await ask(`autocallstatus=${heard}`), 'Answer: Queued\n');
    const ended = () => told('how a call ended');
    await until(() => ended().length === 5, 'the ends of five orders');
    assert.equal(await ask(`autocallstatus=${heard}`), 'Answer: OK (Sent)\n');
    assert.equal(await ask(`autocallstatus=${busy}`), 'Answer: Busy\n');
    assert.equal(await ask('autocallstatus=4000000000'), 'Answer: Error\n');
    const outcomes = ended().map(({ mode, number, outcome }) => `${String(mode)} ${String(number)} ${String(outcome)}`);
    assert.deepEqual(outcomes.sort(), [
      'autocall 89066800405 answered',
      'autocall 89066800417 busy',
      'click 112 refused',
      'click 89066800404 answered',
      'click 89066800417 busy',
    ]);

    let legId = '';
    await until(async () => {
      const call = await ask('get_uniqueid_callerid');
      if (!call.startsWith('Answer: OK')) rings();
      legId = /^Answer: OK\nCallerID: \+?[78]4951343060\nUniqueID: (\S+)\n$/.exec(call)?.[1] ?? '';
      return legId !== '' && (await ask(`transfer=${legId}&dest=102`)) === 'Answer: OK\n';
    }, 'the call of the phone is transferred');
  });
});
