import assert from 'node:assert/strict';
import type { OrderQueue } from '../../../lib/crm/types';
import { BitrixDouble } from '../../doubles/bitrix24';
import { Desk } from './support/events';

const CLICK = 'ONEXTERNALCALLSTART';
const CALLBACK = 'ONEXTERNALCALLBACKSTART';

describe('Bitrix24: the queue of clicks', () => {
  let portal: BitrixDouble;
  let desk: Desk;
  let queue: OrderQueue;
  let now: number;

  beforeEach(async () => {
    now = Date.parse('2026-11-20T19:02:00Z');
    portal = await new BitrixDouble({ now: () => now }).start();
    portal.bucket = { size: 1000, perSecond: 1000 };
    portal.oauth.codes.add('code-of-admin');
    const { clientId, clientSecret } = portal.oauth;
    const { origin } = portal.server;
    desk = new Desk(
      'bitrix24',
      { signIn: 'application', url: origin, server: origin },
      { user: clientId, password: clientSecret },
    );
    await desk.adapter.signIn?.finish('code-of-admin', desk.context);
    assert.ok(desk.adapter.orders);
    queue = desk.adapter.orders;
    await queue.open(desk.context);
  });

  afterEach(async () => {
    desk.close();
    await portal.stop();
  });

  it('is not there for a webhook', () => {
    const other = new Desk('bitrix24', {}, { token: portal.webhook });
    assert.equal(other.adapter.orders, undefined);
    other.close();
  });

  it('is opened once for clicks and forms, however the portal takes a repetition', async () => {
    await queue.open(desk.context);
    portal.offline.refusesTwice = true;
    await queue.open(desk.context);
    assert.deepEqual(portal.offline.bound, [CLICK, CALLBACK]);
    portal.fail('event.bind', { status: 400, body: { error: 'ERROR_EVENT_NOT_FOUND', error_description: 'no' } });
    await assert.rejects(queue.open(desk.context), { code: 'CRM_REFUSED' });
  });

  it('gives each event to one fetch, with its age by the clock of the portal, and forgets what is confirmed', async () => {
    const data = { USER_ID: '99', PHONE_NUMBER: '84951343060', CALL_ID: 'externalCall.a.1' };
    portal.offline.happens(CLICK, data, 5000);
    portal.offline.happens(CALLBACK, { PHONE_NUMBER: '1' }, 60_000);
    const [click, callback] = await queue.fetch(50, desk.context);
    assert.deepEqual(click, { id: '1', event: CLICK, data, goodForMs: 30_000, ageMs: 5000, batch: 'process1' });
    assert.deepEqual([callback?.event, callback?.ageMs, callback?.goodForMs], [CALLBACK, 60_000, 600_000]);
    assert.deepEqual(await queue.fetch(50, desk.context), []);
    assert.deepEqual(
      (await queue.left(desk.context)).map(({ id }) => id),
      ['1', '2'],
    );
    assert.ok(click);
    await queue.confirm([click], desk.context);
    assert.deepEqual(
      portal.offline.queue.map(({ ID }) => ID),
      ['2'],
    );
  });

  for (const [name, told] of [
    ['a text', JSON.stringify({ USER_ID: '99' })],
    ['one level deeper', { event: CLICK, data: { USER_ID: '99' } }],
  ] as const) {
    it(`takes its data as ${name}`, async () => {
      portal.offline.happens(CLICK, told);
      assert.deepEqual((await queue.fetch(50, desk.context))[0]?.data, { USER_ID: '99' });
    });
  }

  it('bears what is not as documented', async () => {
    const answer = (result: unknown) => ({ status: 200, body: { result } });
    for (const result of [[], {}, { process_id: null, events: [] }, { events: false }, true]) {
      portal.fail('event.offline.get', answer(result));
      assert.deepEqual(await queue.fetch(50, desk.context), []);
    }
    const row = { ID: 7, TIMESTAMP_X: '2026-11-20 22:01:59', EVENT_NAME: 'OnExternalCallStart', EVENT_DATA: false };
    portal.fail('event.offline.get', answer({ process_id: 'p', events: { 1: row } }));
    const [order] = await queue.fetch(50, desk.context);
    assert.deepEqual(order, { id: '7', event: CLICK, data: {}, goodForMs: 30_000, batch: 'p' });
    await queue.refuse(order, desk.context);
  });

  it('ends the call of a click that nobody carries out, and bears that it has an end', async () => {
    portal.crm.addUser({ ID: '99', UF_PHONE_INNER: '101' });
    const call = portal.telephony.register({
      USER_ID: 99,
      PHONE_NUMBER: '84951343060',
      TYPE: 1,
      CALL_START_DATE: '2026-11-20T22:00:00+03:00',
    }) as { CALL_ID: string };
    portal.offline.happens(CLICK, { USER_ID: '99', CALL_ID: call.CALL_ID });
    const [click] = await queue.fetch(50, desk.context);
    assert.ok(click);
    await queue.refuse(click, desk.context);
    await queue.refuse(click, desk.context);
    assert.deepEqual(
      portal.telephony.finished.map(({ duration, status }) => [duration, status]),
      [[0, 'OTHER']],
    );
    portal.fail('telephony.externalCall.finish', 'reset');
    await assert.rejects(queue.refuse(click, desk.context), { code: 'CRM_UNREACHABLE' });
  });
});
