import assert from 'node:assert/strict';
import type { Node, NodeInitializer } from 'node-red';
import callHistory from '../../nodes/call-history';
import simulatedCall from '../../nodes/simulated-call';
import storeConfig from '../../nodes/store-config';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import { until } from '../support/wait';
import { only, readExample, runnable } from './support/example-flows';
import { FlowServer } from './support/http';
import { routeNodes } from './support/route-flow';
import { load, node, receive, unload } from './support/runtime';
import { UserDir } from './support/store-flow';

type Payload = Readonly<Record<string, unknown>>;

/** Stands in the place of the nodes that dial and act: these tests are about who asks, and what he hears. */
const standIns: NodeInitializer = (red) => {
  const orders = new Map<number, Payload>();
  red.nodes.registerType('originate', function (this: Node, def) {
    red.nodes.createNode(this, def);
    this.on('input', (msg, send, done) => {
      const order = msg.payload as Payload;
      const orderId = orders.size + 1;
      if (order.command === 'status') {
        const known = orders.has(Number(order.orderId));
        const status = known ? { state: 'over', result: { outcome: 'confirmed' } } : {};
        const payload = { command: 'status', found: known, orderId: order.orderId, ...status };
        send([null, { ...msg, topic: 'orders', payload }]);
      } else if (order.answer === 'outcome') {
        send([{ ...msg, topic: 'order_outcome', payload: { orderId, outcome: 'answered', by: order.ip } }, null]);
      } else {
        orders.set(orderId, order);
        send([null, { ...msg, topic: 'order_progress', payload: { orderId, state: 'queued' } }]);
        send([{ topic: 'order_outcome', payload: { orderId, outcome: 'answered' } }, null]);
      }
      done();
    });
  });
  red.nodes.registerType('call-control', function (this: Node, def) {
    red.nodes.createNode(this, def);
    this.on('input', (msg, send, done) => {
      const { action, callId, legId } = msg.payload as Payload;
      const isKnown = callId !== 'none';
      const error = { code: 'CONTROL_NO_CALL', message: 'Nobody talks there.' };
      send({ ...msg, payload: isKnown ? { ok: true, action, callId: callId ?? legId } : { ok: false, error } });
      done();
    });
  });
};

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
      [user.init, server.init, ...routeNodes, storeConfig, callHistory, simulatedCall, standIns],
      runnable(flow),
    );
    const { pbx } = node(only(flow, 'ami-config').id) as AmiConfigNode;
    await until(() => pbx.presence.availability('101', false).available, 'the states of the phones');
    const rings = () =>
      receive(only(flow, 'simulated-call').id, { payload: { from: '84951343060', did: '74951000111' } });
    return { rings };
  }

  it('04: a CRM that speaks UserCRM is served in all it asks', async () => {
    const { rings } = await start('04-usercrm-server.json');
    const ask = async (action: string, params: object) => {
      const message = { action, obj: 'UserCRM', action_id: '1', params };
      const { status, body } = await server.post('/integration/usercrm/', message);
      return { status, ...(JSON.parse(body) as { body?: unknown; list?: unknown }) };
    };
    const contact = await ask('get_contact', { phone: '4951343060', e164_phone: '74951343060' });
    assert.deepEqual(contact.list, [{ name: 'Петров АА', id: 2, type: 'contact', owner_id: 101 }]);
    const click = { crm_user_id: '1', dst: '89066800404' };
    assert.deepEqual((await ask('make_call', click)).body, { success: true, order_id: 1, state: 'queued' });
    assert.equal((await ask('make_call', { ...click, crm_user_id: '77' })).status, 404);
    assert.equal((await ask('switch_call_hold', { crm_user_id: '1', call_id: '1.1' })).status, 200);
    assert.equal((await ask('switch_call_hold', { crm_user_id: '1', call_id: 'none' })).status, 404);
    assert.equal(((await ask('get_domain_user_list', {})).body as unknown[]).length, 5);
    assert.deepEqual((await ask('get_cdr', {})).body, []);
    assert.equal((await ask('get_cdr', { start_dt: 'soon' })).status, 400);
    rings();
    await until(async () => ((await ask('get_cdr', {})).body as unknown[]).length === 1, 'the call in the history');
  });

  it('05: a program of Alterisk is served at its old addresses', async () => {
    const { rings } = await start('05-alterisk-compatible.json');
    const ask = async (query: string) => (await server.ask(`/fcgi-bin/asterisk.fcgi?${query}`)).body;
    assert.equal(await ask('makecall=89066800404'), 'Answer: OK\n');
    assert.equal(await ask('autocall=89066800404&file1=hello-world'), 'Answer: OK\nAutoCallID: 1\n');
    assert.equal(await ask('autocallstatus=1'), 'Answer: OK (Sent)\n');
    assert.equal(await ask('autocallstatus=2'), 'Answer: Error\n');
    assert.equal(await ask('get_uniqueid_callerid'), 'Answer: Error\n');
    rings();
    let told = '';
    await until(async () => (told = await ask('get_uniqueid_callerid')).startsWith('Answer: OK'), 'the call');
    const [, legId = ''] = /^Answer: OK\nCallerID: \+?[78]4951343060\nUniqueID: (\S+)\n$/.exec(told) ?? [];
    assert.notEqual(legId, '', told);
    assert.equal(await ask(`transfer=${legId}&dest=102`), 'Answer: OK\n');
  });
});
