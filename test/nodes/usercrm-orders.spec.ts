import assert from 'node:assert/strict';
import callHistory from '../../nodes/call-history';
import storeConfig from '../../nodes/store-config';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import { until } from '../support/wait';
import { FlowServer } from './support/http';
import { answer, crm, endpoint, routeNodes, sink, tab } from './support/route-flow';
import { load, messages, node, receive, unload, waitForMessages } from './support/runtime';
import type { FlowNode } from './support/runtime';
import { storeNode, UserDir } from './support/store-flow';

const people = [
  { extension: '101', userId: 'user_crm_30', name: 'Анна' },
  { extension: '102', userId: '7', name: 'Борис' },
];
const ORDERS = ['make_call', 'callback', 'autocall', 'autocall_status', 'transfer', 'switch_call_hold', 'get_cdr'];
const PBX: FlowNode = { id: 'pbx', type: 'ami-config', name: 'simulator', mode: 'simulator' };

/** All orders lie in `sink`; the test answers them through `out`. */
const flow = (more: Readonly<Record<string, unknown>> = {}): FlowNode[] => {
  const actions = ['route', ...ORDERS];
  const protocols = ['usercrm', 'alterisk', 'bitrix24', 'amocrm'];
  const wires = actions.map(() => ['sink']);
  return [
    tab,
    crm({ people }),
    PBX,
    endpoint({ protocols, actions, wires, crm: 'crm', pbx: 'pbx', ...more }),
    sink,
    answer({ property: 'contact' }),
  ];
};
const credentials = { in: { apiKey: 'key', applicationToken: 'token-of-bitrix24' } };

describe('usercrm-in, asked to do something', () => {
  const server = new FlowServer();

  before(() => server.listen());
  after(() => server.close());
  afterEach(unload);

  const start = (more: Readonly<Record<string, unknown>> = {}) =>
    load([server.init, ...routeNodes], flow(more), { credentials });
  /** Answers the next order with this payload, and gives the order. */
  async function answerWith(payload: object, topic = 'order_progress'): Promise<Record<string, unknown>> {
    const count = messages('sink').length + 1;
    const [order = {}] = (await waitForMessages('sink', count)).slice(-1);
    receive('out', { ...order, topic, payload });
    return order;
  }
  const usercrm = (action: string, params: object) =>
    server.post('/integration/usercrm/', { action, obj: 'UserCRM', action_id: '123', params });

  describe('by UserCRM', () => {
    beforeEach(() => start());

    it('make_call carries the extension of its user, and is answered in the envelope', async () => {
      const asking = usercrm('make_call', { crm_user_id: 'user_crm_30', dst: '89066800404' });
      const order = await answerWith({ orderId: 17, state: 'queued' });
      assert.equal(order.topic, 'make_call');
      assert.deepEqual(order.payload, {
        user: 'user_crm_30',
        extension: '101',
        number: '89066800404',
        protocol: 'usercrm',
      });
      const { status, body } = await asking;
      assert.equal(status, 200);
      assert.deepEqual(JSON.parse(body), {
        action: 'make_call',
        obj: 'UserCRM',
        action_id: '123',
        code: 200,
        body: { success: true, order_id: 17, state: 'queued' },
      });
    });

    it('an unknown user, an unknown call and a refused number are told in the envelope, each with its status', async () => {
      const nobody = await usercrm('make_call', { crm_user_id: '99', dst: '1' });
      assert.equal(nobody.status, 404);
      const told = JSON.parse(nobody.body) as { action_id: string; body: Record<string, unknown> };
      assert.deepEqual([told.action_id, told.body.success, told.body.error], ['123', false, 'PROTOCOL_USER_UNKNOWN']);
      assert.equal(messages('sink').length, 0);

      const holding = usercrm('switch_call_hold', { crm_user_id: '7', call_id: '1.1' });
      const hold = await answerWith({ ok: false, error: { code: 'CONTROL_NO_CALL', message: 'No such call.' } });
      assert.deepEqual(hold.payload, {
        action: 'toggle-hold',
        user: '7',
        extension: '102',
        callId: '1.1',
        protocol: 'usercrm',
      });
      const { status, body } = await holding;
      assert.equal(status, 404);
      assert.deepEqual((JSON.parse(body) as { body: unknown }).body, {
        success: false,
        error: 'CONTROL_NO_CALL',
        message: 'No such call.',
      });

      const calling = usercrm('make_call', { crm_user_id: '7', dst: '112' });
      await answerWith({ outcome: 'refused', error: { code: 'DIAL_FORBIDDEN', message: 'Not that one.' } });
      assert.equal((await calling).status, 422);
    });

    for (const [code, wanted] of [
      ['ORDER_UNKNOWN_EXTENSION', 404],
      ['CONTROL_UNKNOWN_EXTENSION', 404],
      ['CONTROL_NO_PHONE', 404],
      ['ORDER_EXTENSIONS_NOT_READ', 503],
      ['CONTROL_EXTENSIONS_NOT_READ', 503],
    ] as const) {
      it(`${code} is told with the status ${wanted}`, async () => {
        const calling = usercrm('make_call', { crm_user_id: '7', dst: '101' });
        await answerWith({ outcome: 'refused', error: { code, message: 'Not now.' } });
        assert.equal((await calling).status, wanted);
      });
    }

    it('the users of the CRM are told without the flow', async () => {
      const list = JSON.parse((await usercrm('get_domain_user_list', {})).body) as { body: unknown };
      assert.deepEqual(list.body, [
        { user_name: 'Анна', user_surname: '', uid: '101', id: 101, proto: 0, crm_user: 'user_crm_30' },
        { user_name: 'Борис', user_surname: '', uid: '102', id: 102, proto: 0, crm_user: '7' },
      ]);
      const users = JSON.parse((await usercrm('get_users', {})).body) as { body: unknown };
      assert.deepEqual(users.body, [
        { id: 'user_crm_30', name: 'Анна' },
        { id: '7', name: 'Борис' },
      ]);
      assert.equal(messages('sink').length, 0);
    });
  });

  describe('by Alterisk', () => {
    const ask = (query: string) => server.ask(`/fcgi-bin/asterisk.fcgi?${query}`);

    it('makecall waits for its outcome, autocall for its number, autocallstatus for the state', async () => {
      await start();
      const making = ask('makecall=1234567890');
      const made = await answerWith({ orderId: 5, outcome: 'busy' }, 'order_outcome');
      const { data, ...ordered } = made.payload as Record<string, unknown>;
      assert.deepEqual(ordered, { ip: '127.0.0.1', number: '1234567890', answer: 'outcome', protocol: 'alterisk' });
      assert.deepEqual(data, { usercrm: (made.usercrm as { id: string }).id });
      assert.equal((await making).body, 'Answer: Busy\n');
      const queueing = ask('autocall=1234567890&file1=welcome&file2=model');
      await answerWith({ orderId: 9999, state: 'queued' });
      assert.equal((await queueing).body, 'Answer: OK\nAutoCallID: 9999\n');
      const asking = ask('autocallstatus=9999');
      const result = { orderId: 9999, outcome: 'confirmed' };
      await answerWith({ command: 'status', found: true, orderId: 9999, state: 'over', result }, 'orders');
      assert.equal((await asking).body, 'Answer: OK (Sent)\n');
    });

    it('makecall is answered when the client is, and not when the call is over', async () => {
      await load(
        [server.init, ...routeNodes],
        [
          ...flow(),
          { id: 'complete', type: 'complete', z: 'f', scope: ['out'], uncaught: false, wires: [['completed']] },
          { id: 'completed', type: 'sink', z: 'f', wires: [] },
          { id: 'catch', type: 'catch', z: 'f', scope: null, uncaught: false, wires: [['caught']] },
          { id: 'caught', type: 'sink', z: 'f', wires: [] },
        ],
        { credentials },
      );
      const making = ask('makecall=1234567890');
      const [order] = await waitForMessages('sink');
      const { data } = order?.payload as { data: object };
      const told = (topic: string, payload: object, more: object = {}) =>
        receive('out', { topic, payload: { orderId: 5, data, ...payload }, ...more });
      told('order_progress', { state: 'agent-answered' });
      told('order_progress', { state: 'answered' });
      assert.equal((await making).body, 'Answer: OK\n');
      told('order_outcome', { outcome: 'answered' }, { usercrm: order?.usercrm });
      await waitForMessages('completed', 3);
      assert.deepEqual(messages('caught'), []);
    });

    it('tells the call of the phone at the address of the asker', async () => {
      await start();
      const { pbx } = node('pbx') as AmiConfigNode;
      await until(() => pbx.presence.availability('101', false).available, 'the states of the phones');
      assert.equal((await ask('get_uniqueid_callerid')).body, 'Answer: Error\n');
      assert.ok(pbx.simulator);
      void pbx.simulator.call({ from: '89066800404', did: '74951000111' }).catch(() => undefined);
      let told = '';
      await until(async () => {
        told = (await ask('get_uniqueid_callerid')).body;
        return told !== 'Answer: Error\n';
      }, 'the call');
      assert.match(told, /^Answer: OK\nCallerID: 89066800404\nUniqueID: \d+\.\d+\n$/);
    });

    it('gives an order in nobody’s name behind a proxy that nobody trusts', async () => {
      await start();
      const headers = { authorization: 'Bearer key', 'x-forwarded-for': '10.0.0.5' };
      const query = '/fcgi-bin/asterisk.fcgi?makecall=1';
      const refused = await server.ask(query, { headers });
      assert.equal(refused.body, 'Answer: Error\n');
      assert.match(String(refused.headers['x-telephony-error']), /^PROTOCOL_ADDRESS_UNKNOWN/);
      await unload();
      await start({ trustedProxies: '127.0.0.1', allowList: '10.0.0.0/8' });
      const asking = server.ask(query, { headers: { 'x-forwarded-for': '192.0.2.1, 10.0.0.5' } });
      const order = await answerWith({ orderId: 1, outcome: 'answered' });
      assert.equal((order.payload as { ip: string }).ip, '10.0.0.5');
      assert.equal((await asking).body, 'Answer: OK\n');
    });

    it('tells a flow that is too late as an error, after the seconds of that action', async () => {
      await start({ deadlines: { transfer: '0,2' } });
      assert.equal((await ask('transfer=1.1&dest=9')).body, 'Answer: Error\n');
    });
  });

  describe('by Bitrix24', () => {
    const tell = (token: string, headers: Readonly<Record<string, string>> = {}) =>
      server.ask('/bitrix24/events', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: new URLSearchParams({
          event: 'ONEXTERNALCALLSTART',
          'data[PHONE_NUMBER_INTERNATIONAL]': '+74951234567',
          'data[USER_ID]': '7',
          'data[CALL_ID]': 'externalCall.1.2',
          'auth[application_token]': token,
        }).toString(),
      });

    it('is answered at once, and only then acted on', async () => {
      await start();
      const { status, body } = await tell('token-of-bitrix24');
      assert.deepEqual([status, body], [200, '']);
      const [order] = await waitForMessages('sink');
      assert.equal(order?.topic, 'make_call');
      assert.equal(order.usercrm, undefined);
      assert.deepEqual(order.payload, {
        extension: '102',
        user: '7',
        number: '+74951234567',
        data: { bitrix24: { callId: 'externalCall.1.2' } },
        key: 'externalCall.1.2',
        variables: { BITRIX24_CALL_ID: 'externalCall.1.2' },
        protocol: 'bitrix24',
      });
    });

    it('needs its own token, whatever address or key it shows beside', async () => {
      await start();
      for (const token of ['', 'key', 'token-of-bitrix25']) {
        assert.equal((await tell(token, { authorization: 'Bearer key' })).status, 401, token);
      }
      assert.equal(messages('sink').length, 0);
    });

    it('is refused while no token is set', async () => {
      await load([server.init, ...routeNodes], flow());
      assert.equal((await tell('')).status, 401);
      assert.equal(messages('sink').length, 0);
    });
  });

  it('by the widget of amoCRM: channels without the flow, calls through it, the key in the address', async () => {
    await start();
    const { pbx } = node('pbx') as AmiConfigNode;
    await until(() => pbx.client.state.phase === 'ready', 'the link');
    const ask = (query: string) => server.ask(`/amocrm.php?_login=a&_secret=key&${query}`);
    const status = await ask('_action=status&rand=1');
    assert.match(status.headers['content-type'] ?? '', /^text\/javascript/);
    assert.equal(status.body, 'asterisk_cb({"status":"ok","action":"status","data":[]});');
    const calling = ask('_action=call&from=101&to=89066800404&as=Anna');
    const order = await answerWith({ orderId: 3, state: 'queued' });
    assert.deepEqual(order.payload, { extension: '101', number: '89066800404', protocol: 'amocrm' });
    assert.match((await calling).body, /"data":\{"response":"Success","orderId":3,"state":"queued"\}/);
    const wrong = await server.ask('/amocrm.php?_login=a&_secret=wrong&_action=status');
    assert.match(wrong.body, /^asterisk_cb\(\{"status":"error","data":\{"code":"PROTOCOL_BAD_KEY"/);
  });

  it('what becomes of an order afterwards passes usercrm-out in silence', async () => {
    await load(
      [server.init, ...routeNodes],
      [
        ...flow(),
        { id: 'catch', type: 'catch', z: 'f', scope: null, uncaught: false, wires: [['caught']] },
        { id: 'caught', type: 'sink', z: 'f', wires: [] },
        { id: 'complete', type: 'complete', z: 'f', scope: ['out'], uncaught: false, wires: [['completed']] },
        { id: 'completed', type: 'sink', z: 'f', wires: [] },
      ],
      { credentials },
    );
    for (const topic of ['order_progress', 'order_outcome', 'orders'])
      receive('out', { topic, payload: { orderId: 1 } });
    await waitForMessages('completed', 3);
    assert.deepEqual(messages('caught'), []);
  });

  it('a wrong question for calls is told to whoever asked, not only to the log', async () => {
    const dir = new UserDir();
    try {
      const asked = flow({ wires: ['route', ...ORDERS].map((each) => [each === 'get_cdr' ? 'history' : 'sink']) });
      await load(
        [dir.init, server.init, ...routeNodes, storeConfig, callHistory],
        [...asked, storeNode(), { id: 'history', type: 'call-history', z: 'f', store: 'store', wires: [['out']] }],
        { credentials },
      );
      const wrong = await usercrm('get_cdr', { start_dt: 'yesterday' });
      assert.equal(wrong.status, 400);
      assert.equal((JSON.parse(wrong.body) as { body: { error: string } }).body.error, 'QUERY_BAD');
      const right = await usercrm('get_cdr', { start_dt: '1633074025' });
      assert.deepEqual((JSON.parse(right.body) as { body: unknown }).body, []);
    } finally {
      await unload();
      dir.remove();
    }
  });
});
