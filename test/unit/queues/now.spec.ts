import assert from 'node:assert/strict';
import { queuesIn } from '../../../lib/queues/now';
import { amiMessage } from '../../support/ami-messages';

const row = (name: string, headers: Record<string, string>) => amiMessage('event', name, Object.entries(headers));
const NOW = Date.UTC(2026, 10, 20, 12);
const phoneOf = (name: string): string => /(\d+)/.exec(name)?.[1] ?? name;
const member = (more: Record<string, string>) =>
  row('QueueMember', { Queue: 'sales', Name: 'Anna', Location: 'PJSIP/101', Status: '1', ...more });
const stateOf = (more: Record<string, string>): string => {
  const [queue] = queuesIn([row('QueueParams', { Queue: 'sales' }), member(more)], phoneOf, NOW);
  const [agent] = queue?.agents ?? [];
  return [agent?.state, agent?.reason].filter((one) => one !== undefined).join(' ');
};

describe('queues as the PBX tells them', () => {
  it('have callers in their order, and agents with their names', () => {
    const caller = (more: Record<string, string>) => row('QueueEntry', { Queue: 'sales', ...more });
    const rows = [
      row('QueueParams', { Queue: 'support' }),
      row('QueueParams', { Queue: 'sales' }),
      caller({ Position: '2', CallerIDNum: '84951343060', CallerIDName: 'unknown', Wait: '3' }),
      caller({ Position: '1', CallerIDNum: 'unknown', CallerIDName: '<b>\\"x\\"', Wait: '61' }),
      member({ Location: 'Local/102@agents/n', StateInterface: 'PJSIP/102', Name: 'Local/102@agents/n' }),
    ];
    assert.deepEqual(queuesIn(rows, phoneOf, NOW), [
      {
        id: 'sales',
        waiting: 2,
        longestWaitSeconds: 61,
        callers: [
          { position: 1, waitSeconds: 61, name: '<b>"x"' },
          { position: 2, waitSeconds: 3, number: '84951343060' },
        ],
        agents: [{ phone: '102', state: 'free' }],
      },
      { id: 'support', waiting: 0, longestWaitSeconds: 0, callers: [], agents: [] },
    ]);
  });

  it('say of each agent what he does', () => {
    assert.equal(stateOf({}), 'free');
    assert.equal(stateOf({ Status: '6' }), 'ringing');
    assert.equal(stateOf({ Status: '2' }), 'busy');
    assert.equal(stateOf({ InCall: '1' }), 'busy', 'a Local member');
    assert.equal(stateOf({ Status: '5' }), 'away');
    assert.equal(stateOf({ Paused: '1', PausedReason: 'Lunch' }), 'paused Lunch');
    assert.equal(stateOf({ Paused: '1', PausedReason: 'Lunch', Status: '2' }), 'busy', 'he pauses for afterwards');
  });

  it('know the time after a call, unless the clocks differ', () => {
    const ago = (seconds: number) => ({ LastCall: String(NOW / 1000 - seconds), Wrapuptime: '15' });
    assert.deepEqual(
      [14, 15, -20].map((seconds) => stateOf(ago(seconds))),
      ['wrap-up', 'free', 'free'],
    );
    assert.equal(stateOf({ LastCall: '0', Wrapuptime: '15' }), 'free');
    assert.equal(stateOf({ ...ago(5), Paused: '1' }), 'paused');
  });
});
