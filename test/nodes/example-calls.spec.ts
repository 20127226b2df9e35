import assert from 'node:assert/strict';
import type { OrderOutcome, OrderStatus } from '../../lib/dialer/types';
import amiConfig from '../../nodes/ami-config';
import amiEvent from '../../nodes/ami-event';
import crmConfig from '../../nodes/crm-config';
import crmWebhookOut from '../../nodes/crm-webhook-out';
import originate from '../../nodes/originate';
import storeConfig from '../../nodes/store-config';
import usercrmIn from '../../nodes/usercrm-in';
import usercrmOut from '../../nodes/usercrm-out';
import { BitrixDouble } from '../doubles/bitrix24';
import { until } from '../support/wait';
import { debugNamed, only, readExample, runnable } from './support/example-flows';
import { FlowServer } from './support/http';
import { lastStatus, load, messages, receive, unload } from './support/runtime';
import type { Credentials, FlowNode } from './support/runtime';
import { UserDir } from './support/store-flow';

const types = [amiConfig, amiEvent, crmConfig, crmWebhookOut, originate, storeConfig, usercrmIn, usercrmOut];

describe('examples of calls out', function () {
  this.timeout(120_000);
  const server = new FlowServer();
  let user: UserDir;
  let flow: FlowNode[];

  before(() => server.listen());
  after(() => server.close());
  beforeEach(() => (user = new UserDir()));
  afterEach(async () => {
    await unload();
    user.remove();
  });

  /** `changes`: of the nodes of a type. */
  async function start(name: string, changes: Readonly<Record<string, object>> = {}, credentials: Credentials = {}) {
    flow = readExample(name).map((each) => ({ ...each, ...changes[each.type] }));
    await load([user.init, server.init, ...types], runnable(flow), { credentials });
    await until(() => lastStatus(only(flow, 'originate').id)?.fill === 'green', 'the link');
  }
  const order = (payload: object): void => receive(only(flow, 'originate').id, { payload });
  const at = (debug: string) => messages(debugNamed(flow, debug).id);
  const payloadsAt = <T>(debug: string): T[] => at(debug).map(({ payload }) => payload as T);
  const state = async (orderId: number): Promise<OrderStatus> => {
    const answers = () =>
      at('how far it has come').filter(({ topic }) => topic === 'orders') as unknown as { payload: OrderStatus }[];
    const before = answers().length;
    order({ command: 'status', orderId });
    await until(() => answers().length > before, 'the state');
    return answers()[before]?.payload ?? assert.fail();
  };

  it('06: every client is called as he takes it, and each outcome reaches the CRM once', async () => {
    await start('06-autocall-notification.json', { originate: { period: '1', triesNoAnswer: '1' } });
    const wanted: Readonly<Record<string, string>> = {
      '89060000005': 'confirmed',
      '89060000016': 'heard-partly',
      '89060000017': 'busy',
      '89060000018': 'no-answer',
      '89060000019': 'no-answer',
      '89060000026': 'machine',
      '112': 'refused',
    };
    const numbers = Object.keys(wanted);
    for (const number of numbers) order({ number, key: `ride to ${number}` });
    await until(() => at('how an order ended').length === numbers.length, 'all outcomes', 90_000);
    // Ordered again: it is known, and nobody is called.
    order({ number: '89060000005', key: 'ride to 89060000005' });
    await until(() => at('the CRM got').length === numbers.length, 'all at the CRM', 20_000);

    const outcomes = payloadsAt<OrderOutcome>('how an order ended');
    assert.deepEqual(Object.fromEntries(outcomes.map(({ number, outcome }) => [number, outcome])), wanted);
    const took = at('the CRM got') as unknown as { payload: OrderOutcome; crm: { answer: { again: boolean } } }[];
    assert.deepEqual(
      took.map(({ payload, crm }) => [payload.eventId, crm.answer.again]).sort(),
      outcomes.map(({ eventId }) => [eventId, false]).sort(),
    );
    for (const { orderId, outcome, number } of outcomes) {
      if (orderId === undefined) assert.equal(number, '112');
      else assert.deepEqual([(await state(orderId)).state, (await state(orderId)).result?.outcome], ['over', outcome]);
    }
    const queued = payloadsAt<{ state: string; number: string; isKnown?: true }>('how far it has come').filter(
      (told) => told.state === 'queued' && told.number === '89060000005',
    );
    assert.deepEqual(
      queued.map(({ isKnown }) => isKnown),
      [undefined, true],
    );
    assert.equal(at('how an order ended').length, numbers.length, 'the second order had no call of its own');
  });

  it('06: what waits can be paused, cancelled, and goes on', async () => {
    await start('06-autocall-notification.json');
    const button = (name: string): object => {
      const found = flow.find((each) => each.type === 'inject' && each.name === name);
      return JSON.parse(String(found?.payload)) as object;
    };
    order(button('pause all orders'));
    order(button('your car is here'));
    order(button('… to a busy client'));
    await until(() => lastStatus(only(flow, 'originate').id)?.text === 'paused, 2 wait', 'both wait');
    order(button('cancel what waits'));
    await until(() => at('the CRM got').length === 2, 'the CRM knows', 20_000);
    assert.deepEqual(
      payloadsAt<OrderOutcome>('the CRM got').map(({ outcome, key }) => [outcome, key]),
      [
        ['cancelled', 'ride 1'],
        ['cancelled', 'ride 2'],
      ],
    );
    order(button('go on'));
    order({ number: '89060000005', key: 'ride 3' });
    await until(() => at('how an order ended').length === 3, 'the next order');
    assert.equal(payloadsAt<OrderOutcome>('how an order ended')[2]?.outcome, 'confirmed');
  });

  it('07: the phone of the user rings, then the client, and the record reaches the CRM', async () => {
    await start('07-click-to-call.json');
    for (const number of ['89060000005', '89060000017']) {
      order({ user: '1', number });
      const count = at('the CRM got').length;
      await until(() => at('the CRM got').length > count, 'the record', 20_000);
    }
    const ends = payloadsAt<OrderOutcome>('how a click ended');
    assert.deepEqual(
      ends.map(({ extension, outcome }) => [extension, outcome]),
      [
        ['101', 'answered'],
        ['101', 'busy'],
      ],
    );
    interface Kept {
      readonly callId: string;
      readonly direction: string;
      readonly extension: string;
      readonly result: string;
    }
    assert.deepEqual(
      payloadsAt<Kept>('the CRM got').map(({ callId, direction, extension, result }) => [
        callId,
        direction,
        extension,
        result,
      ]),
      ends.map(({ callId, outcome }) => [callId, 'out', '101', outcome]),
    );
  });

  it('07: a click in Bitrix24 is finished as the call that Bitrix24 began, and never registered anew', async () => {
    const portal = await new BitrixDouble().start();
    try {
      portal.crm.addUser({ ID: '7' });
      const registered = await fetch(`${portal.webhook}telephony.externalCall.register`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ USER_ID: 7, SHOW: 0, PHONE_NUMBER: '89060000005', TYPE: 1 }),
      });
      const { result } = (await registered.json()) as { result: { CALL_ID: string } };
      const people = [{ extension: '101', userId: '7', name: 'Анна' }];
      const [{ id: crm }, { id: asked }] = ['crm-config', 'usercrm-in'].map((type) =>
        only(readExample('07-click-to-call.json'), type),
      ) as [FlowNode, FlowNode];
      await start(
        '07-click-to-call.json',
        { 'crm-config': { kind: 'bitrix24', settings: {}, people } },
        { [crm]: { token: portal.webhook }, [asked]: { applicationToken: 'token-of-bitrix24' } },
      );
      const click = (token: string) =>
        server.ask('/bitrix24/events', {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({
            event: 'ONEXTERNALCALLSTART',
            'data[USER_ID]': '7',
            'data[PHONE_NUMBER]': '89060000005',
            'data[CALL_ID]': result.CALL_ID,
            'auth[application_token]': token,
          }).toString(),
        });
      assert.notEqual((await click('another')).status, 200);
      assert.equal((await click('token-of-bitrix24')).status, 200);
      await until(() => at('the CRM got').length === 1, 'the record', 20_000);
      assert.equal(payloadsAt<OrderOutcome>('how a click ended')[0]?.outcome, 'answered');
      const { registrations, finished } = portal.telephony;
      assert.equal(registrations, 1);
      assert.deepEqual(
        finished.map(({ call, userId, status }) => [call.id, userId, status]),
        [[result.CALL_ID, '7', '200']],
      );
    } finally {
      await unload();
      await portal.stop();
    }
  });
});
