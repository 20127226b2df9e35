import assert from 'node:assert/strict';
import { Desk } from '../../../lib/agents/desk';
import { DeskMemory } from '../../../lib/agents/memory';
import { queueOrder, queuesFor } from '../../../lib/agents/queues';
import type { LiveChannel } from '../../../lib/control/channels';
import { findCall } from '../../../lib/control/find';
import type { ControlOrder } from '../../../lib/control/types';
import type { CallMessage } from '../../../lib/messages/types';
import { FakeClock } from '../../support/fake-clock';

describe('an agent with two devices', () => {
  it('declines a call that rings both, at the device that his page names', async () => {
    const device = (id: string): LiveChannel => {
      const state = {
        isLocal: false,
        isUp: false,
        isRinging: true,
        isAside: false,
        application: 'AppDial',
        arguments: '',
      };
      return { name: `PJSIP/101-${id}`, id, linkedid: '1', extension: '101', ...state };
    };
    const live = [device('1.2'), device('1.3')];
    const rings = (legId: string): CallMessage => {
      const ids = { eventId: `office:1:call_ringing:${legId}`, pbx: 'office', callId: '1', legId, extension: '101' };
      const client = { number: '79031112233' };
      const payload = { ...ids, direction: 'in', client, line: {}, startedAt: '2026-07-20T09:05:00Z' } as const;
      return { topic: 'call_ringing', payload };
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
        runAgent: () => Promise.reject(new Error('not asked')),
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
