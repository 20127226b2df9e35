import assert from 'node:assert/strict';
import { Desk } from '../../../lib/agents/desk';
import { DeskMemory } from '../../../lib/agents/memory';
import { queueOrder, queuesFor } from '../../../lib/agents/queues';
import { PopTemplate } from '../../../lib/agents/pop-url';
import { findCall } from '../../../lib/control/find';
import type { LiveChannel } from '../../../lib/control/channels';
import type { ControlOrder } from '../../../lib/control/types';
import { TelephonyError } from '../../../lib/errors';
import type { CallMessage, CallPayload, Client } from '../../../lib/messages/types';
import { FakeClock } from '../../support/fake-clock';

const ringing = (client: Client): CallMessage => {
  const payload: CallPayload = {
    eventId: 'office:1:call_ringing',
    pbx: 'office',
    callId: '1',
    direction: 'in',
    extension: '101',
    client,
    line: {},
    startedAt: '2026-07-20T09:05:00Z',
  };
  return { topic: 'call_ringing', payload };
};

const refused = () => Promise.reject(new Error('not asked'));

describe('the region of the client on the page of agents', () => {
  function opened(client: Client): { readonly url: string; readonly shown: string | undefined } {
    const clock = new FakeClock(Date.parse('2026-07-20T09:05:00Z'));
    const message = ringing(client);
    const desk = new Desk(
      {
        templates: { known: new PopTemplate('https://crm.example.com/?where=%region_name%&time=%region_time%') },
        popAt: 'ringing',
        tab: false,
        history: false,
        userOf: () => undefined,
      },
      {
        clock,
        calls: { current: [message], isKnown: true },
        members: () => undefined,
        run: refused,
        runAgent: refused,
      },
      new DeskMemory(clock),
    );
    const urls: string[] = [];
    const end = desk.feed.listen('101', ({ name, data }) => {
      if (name === 'pop') urls.push((data as { url: string }).url);
    });
    desk.onCall(message);
    end();
    return { url: urls.join(' '), shown: desk.stateOf('101').calls[0]?.region };
  }

  it('is that of the message, which knows the table of the admin', () => {
    const region = { country: 'RU', name: 'Омская область', timeZone: 'Asia/Omsk' };
    assert.deepEqual(opened({ number: '+79031112233', e164: '+79031112233', region }), {
      url: `https://crm.example.com/?where=${encodeURIComponent(region.name)}&time=15%3A05`,
      shown: 'Омская область',
    });
  });

  it('is empty rather than wrong', () => {
    const { url, shown } = opened({ number: '+79031112233', e164: '+79031112233', region: { country: 'RU' } });
    assert.deepEqual([url, shown], ['https://crm.example.com/?where=&time=', undefined]);
  });
});

describe('a consultation on the page of agents', () => {
  const message: CallMessage = { ...ringing({ number: '79031112233' }), topic: 'call_answer' };
  const made = () => {
    const clock = new FakeClock();
    const memory = new DeskMemory(clock);
    const orders: string[] = [];
    let refusal: string | undefined;
    const desk = new Desk(
      { templates: {}, popAt: 'never', tab: false, history: false, userOf: () => undefined },
      {
        clock,
        calls: { current: [message], isKnown: true },
        members: () => undefined,
        run: ({ action }) => {
          orders.push(action);
          if (refusal !== undefined) return Promise.reject(new TelephonyError(refusal, { en: 'no', ru: 'нет' }));
          return Promise.resolve({ action, callId: '1' });
        },
        runAgent: refused,
      },
      memory,
    );
    return {
      desk,
      act: (action: string) => desk.act('101', { action, legId: '1', to: '102' }),
      refuse: (code: string | undefined) => (refusal = code),
      shown: () => desk.stateOf('101').calls.map(({ consulting }) => consulting === true),
    };
  };

  it('is in the state of every page, from its beginning to its end', async () => {
    const { desk, act, shown } = made();
    const told: unknown[] = [];
    const end = desk.feed.listen('101', ({ name }) => told.push(name));
    await act('attended-transfer');
    assert.deepEqual([shown(), told], [[true], ['state']]);
    await act('hold');
    assert.deepEqual(shown(), [true]);
    await act('cancel-transfer');
    assert.deepEqual([shown(), told], [[false], ['state', 'state']]);
    end();
  });

  it('is over when Asterisk knows of none, or the call has ended, and not when it merely was not heard', async () => {
    const { desk, act, refuse, shown } = made();
    await act('attended-transfer');
    refuse('AMI_TIMEOUT');
    await assert.rejects(act('complete-transfer'), { code: 'AMI_TIMEOUT' });
    assert.deepEqual(shown(), [true]);
    refuse('CONTROL_NOT_POSSIBLE');
    await assert.rejects(act('hold'), { code: 'CONTROL_NOT_POSSIBLE' });
    assert.deepEqual(shown(), [true]);
    await assert.rejects(act('cancel-transfer'), { code: 'CONTROL_NOT_POSSIBLE' });
    assert.deepEqual(shown(), [false]);
    refuse(undefined);
    await act('attended-transfer');
    desk.onCall({ ...message, topic: 'call_hangup' });
    assert.deepEqual(shown(), [false]);
  });
});

describe('an agent with two devices', () => {
  it('declines a call that rings both, at the device that his page names', async () => {
    const device = (id: string): LiveChannel => {
      const state = { isLocal: false, isUp: false, isRinging: true, isAside: false };
      return { name: `PJSIP/101-${id}`, id, linkedid: '1', extension: '101', ...state };
    };
    const live = [device('1.2'), device('1.3')];
    const rings = (legId: string): CallMessage => {
      const message = ringing({ number: '79031112233' });
      return { ...message, payload: { ...message.payload, legId } } as CallMessage;
    };
    const clock = new FakeClock();
    const orders: ControlOrder[] = [];
    const desk = new Desk(
      { templates: {}, popAt: 'never', tab: false, history: false, userOf: () => undefined },
      {
        clock,
        calls: { current: live.map(({ id }) => rings(id)), isKnown: true },
        members: () => undefined,
        run: (order) => {
          orders.push(order);
          return Promise.resolve({ action: order.action, callId: '1' });
        },
        runAgent: refused,
      },
      new DeskMemory(clock),
    );
    await desk.act('101', { action: 'hangup', legId: '1.3' });
    assert.deepEqual(
      orders.map(({ call }) => findCall(live, call, () => false).leg?.id),
      ['1.3'],
    );
  });
});

describe('all queues at once', () => {
  const rules = { allowed: [], reasons: [], freeReason: false };
  const place = (queue: string, isDynamic: boolean) => ({ queue, isDynamic, paused: false, reason: '' });
  const sixty = Array.from({ length: 60 }, (_, i) => `queue-${i}`);
  const asked = (action: string, more: object = {}) => ({ action, all: true, ...more });

  it('are those that the page offers, more than one may name', () => {
    const members = { queues: [...sixty, 'fixed'], placesOf: () => [place('fixed', false)] };
    const join = queueOrder('101', asked('queue-login', { queue: 'other' }), rules, { name: 'Anna', members });
    assert.deepEqual(
      [join?.action, join?.extension, join?.name, join?.queues.length],
      ['queue-login', '101', 'Anna', 60],
    );
    assert.deepEqual([...(join?.queues ?? [])].sort(), [...sixty].sort());
    assert.throws(() => queueOrder('101', asked('queue-logout'), rules, { members }), {
      code: 'AGENT_QUEUE_NOT_ALLOWED',
    });
  });

  it('are none that the settings do not name, nor those of a fixed member', () => {
    const members = {
      queues: sixty,
      placesOf: () => [place('queue-1', true), place('queue-2', false), place('queue-3', true)],
    };
    const own = { ...rules, allowed: ['queue-1', 'queue-2', 'queue-4'] };
    assert.deepEqual(queueOrder('101', asked('queue-logout'), own, { members })?.queues, ['queue-1']);
    assert.deepEqual(queueOrder('101', asked('queue-login'), own, { members })?.queues, ['queue-4']);
    assert.equal(queuesFor('101', members, own).filter(({ may }) => may !== 'none').length, 2);
  });
});
