import assert from 'node:assert/strict';
import { TelephonyError } from '../../../lib/errors';
import { readMessage } from '../../../lib/messages/parse';
import { recordings } from '../calls/expected';
import { eventsOf, play } from '../calls/traces';
import { record } from '../store/support/temp-store';

const user = { eventId: 'e', pbx: 'Office', extension: '101', state: 'idle', at: '2026-01-10T10:00:00.000Z' };

describe('events as a flow sends them', () => {
  const refused = (more: object, text: RegExp, topic = 'call_record', whole: object = record('1')): void => {
    assert.throws(
      () => readMessage(topic, { ...whole, ...more }),
      (thrown) => {
        assert.ok(thrown instanceof TelephonyError && thrown.code === 'MESSAGE_BAD', String(thrown));
        assert.match(thrown.message, text);
        return true;
      },
    );
  };

  it('are read as every PBX of the recordings told them', () => {
    let count = 0;
    for (const recording of recordings) {
      for (const { topic, payload } of play(eventsOf(recording))) {
        assert.deepEqual(readMessage(topic, payload), { topic, payload });
        count += 1;
      }
    }
    assert.ok(count > 100, String(count));
  });

  it('keep what is not known, and lose what is null', () => {
    const { payload } = readMessage('call_record', {
      ...record('1'),
      legs: null,
      client: { number: '84951234567', name: null },
      hangup: null,
      ours: null,
    });
    assert.deepEqual([payload.legs, payload.client, 'hangup' in payload], [[], { number: '84951234567' }, false]);
    assert.equal((payload as unknown as { ours: unknown }).ours, null);
    assert.deepEqual(readMessage('user_change', user), { topic: 'user_change', payload: user });
  });

  it('are the ends of ordered calls too, of which nothing is known but how they ended', () => {
    const end = { eventId: 'e', pbx: 'Office', outcome: 'refused', data: { deal: 7 } };
    assert.deepEqual(readMessage('order_outcome', end), { topic: 'order_outcome', payload: end });
    refused({ outcome: null }, /payload\.outcome must be a text/, 'order_outcome', end);
    refused({ orderId: 'x' }, /payload\.orderId must be a number/, 'order_outcome', end);
    refused({ pbx: '' }, /payload\.pbx must be a text/, 'order_outcome', end);
  });

  it('of queues are of the same clients as those of calls', () => {
    const region = { country: 'RU', name: 'Москва', timeZone: 'Europe/Moscow' };
    const joined = { eventId: 'e', pbx: 'Office', callId: '1.1', direction: 'in', queue: { id: 'sales' } };
    const withRegion = (value: unknown) => ({ ...joined, client: { number: '84951234567', region: value } });
    const { payload } = readMessage('queue-dial', withRegion(region));
    assert.deepEqual('queue' in payload && 'client' in payload && payload.client, { number: '84951234567', region });
    for (const topic of ['queue-dial', 'call_ringing'] as const) {
      const whole = topic === 'queue-dial' ? joined : record('1');
      refused(withRegion('Москва'), /payload\.client\.region must be an object/, topic, whole);
      refused(withRegion({ country: 'RU', name: 5 }), /payload\.client\.region\.name must be a text/, topic, whole);
      refused(withRegion({ name: 'Москва' }), /payload\.client\.region\.country must be a text/, topic, whole);
    }
  });

  it('are refused with the name of the field that is wrong', () => {
    refused({ legs: 'abc' }, /payload\.legs must be a list/);
    refused({ legs: [null] }, /payload\.legs\[0\] must be an object/);
    refused({ legs: [{ legId: '1', extension: 5 }] }, /payload\.legs\[0\]\.extension must be a text/);
    refused({ rung: {} }, /payload\.rung must be a list/);
    refused({ talked: [101] }, /payload\.talked\[0\] must be a text/);
    refused({ client: { number: 5 } }, /payload\.client\.number must be a text/);
    refused({ client: {} }, /payload\.client\.number must be a text/);
    refused({ client: '84951234567' }, /payload\.client must be an object/);
    refused({ extension: 101 }, /payload\.extension must be a text/);
    refused({ user: { id: {} } }, /payload\.user\.id must be a text/);
    refused({ queue: 'sales' }, /payload\.queue must be an object/);
    refused({ endedAt: 'garbage' }, /payload\.endedAt must be a time/);
    refused({ endedAt: '+275760-09-13T00:00:00.000Z' }, /payload\.endedAt must be a time/);
    refused({ startedAt: 1e12 }, /payload\.startedAt must be a time/);
    refused({ startedAt: undefined }, /payload\.startedAt must be a time/);
    refused({ talkSeconds: 'NaN' }, /payload\.talkSeconds must be a number of seconds/);
    refused({ waitSeconds: -1 }, /payload\.waitSeconds must be a number of seconds/);
    refused({ result: 'whatever' }, /payload\.result must be answered, missed, .* or voicemail/);
    refused({ result: '__proto__' }, /payload\.result/);
    refused({ direction: 'up' }, /payload\.direction must be in, out or internal/);
    refused({ hangup: { code: '16' } }, /payload\.hangup\.code must be a number/);
    refused({ transfer: { type: 'blind', from: '101' } }, /payload\.transfer\.to must be a text/);
    refused({ variables: { a: 1 } }, /payload\.variables must be an object of texts/);
    refused({ callId: 5 }, /payload\.callId must be a text/);
    refused({ state: 'away' }, /payload\.state must be offline, idle, ringing or busy/, 'user_change', user);
    refused({ at: 'noon' }, /payload\.at must be a time/, 'user_change', user);
    // The record alone has legs.
    readMessage('call_hangup', { ...record('1'), legs: 'abc' });
    for (const payload of [null, 'x', [1], 5, undefined]) {
      assert.throws(() => readMessage('call_record', payload), { code: 'MESSAGE_BAD' });
    }
  });
});
