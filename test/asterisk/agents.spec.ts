import assert from 'node:assert/strict';
import { createAgentControl } from '../../lib/control/agents';
import { parseAgentOrder } from '../../lib/control/order';
import type { AgentControl, AgentDone } from '../../lib/control/types';
import type { TelephonyError } from '../../lib/errors';
import { DEFAULT_DIALLING } from '../../lib/outbound/defaults';
import { numberingPlan } from '../../lib/phone';
import { createPbx, type Pbx } from '../../lib/pbx/pbx';
import { until } from '../support/wait';
import { startAsterisk, type TestAsterisk } from './support/asterisk';
import { describeAsterisk } from './support/roots';

describeAsterisk('agents of queues', (version) => {
  const plan = numberingPlan({ country: 'RU' });
  let asterisk: TestAsterisk;
  let pbx: Pbx;
  let agents: AgentControl;

  before(async () => {
    asterisk = await startAsterisk({ version });
    const username = 'agents';
    const client = { host: '127.0.0.1', port: asterisk.amiPort, username, secret: `${username}-secret` };
    pbx = createPbx({ name: 'office', plan, connection: { kind: 'asterisk', driver: 'built-in', client } });
    pbx.open();
    await until(() => pbx.client.state.phase === 'ready', 'the link');
    agents = createAgentControl({
      client: pbx.client,
      plan,
      dialling: { ...pbx.dialling, settings: DEFAULT_DIALLING },
    });
  });
  after(async () => {
    agents.close();
    await pbx.close();
    await asterisk.stop();
  });

  const run = async (order: Readonly<Record<string, unknown>>): Promise<AgentDone> =>
    agents.run(parseAgentOrder(order)!);
  const refusal = (order: Readonly<Record<string, unknown>>): Promise<string> =>
    run(order).then(
      () => 'done',
      (thrown: unknown) => (thrown as TelephonyError).code,
    );
  async function member(interfaceName: string): Promise<readonly (string | undefined)[] | undefined> {
    const rows = await pbx.client.list({ action: 'QueueStatus' });
    const row = rows.find((one) => one.get('Location') === interfaceName);
    return row && ['Name', 'Membership', 'Penalty', 'Paused', 'PausedReason'].map((header) => row.get(header) ?? '');
  }

  it('log in and out with the rights of the class agent and no more, twice with the same end', async () => {
    const login = { action: 'queue-login', extension: '103', queue: 'support', name: 'Пётр', penalty: 2 };
    assert.deepEqual([(await run(login)).changed, (await run(login)).changed], [true, false]);
    assert.deepEqual(await member('PJSIP/103'), ['Пётр', 'dynamic', '2', '0', '']);
    const logout = { action: 'queue-logout', extension: '103' };
    assert.deepEqual([(await run(logout)).changed, (await run(logout)).changed], [true, false]);
    assert.equal(await member('PJSIP/103'), undefined);
  });

  it('pause with a reason, change it, and come back', async () => {
    const pause = { action: 'pause', extension: '101', reason: 'Обед' };
    assert.deepEqual([(await run(pause)).changed, (await run(pause)).changed], [true, false]);
    assert.deepEqual((await member('PJSIP/101'))!.slice(3), ['1', 'Обед']);
    assert.equal((await run({ ...pause, reason: 'Учёба', queue: 'support' })).changed, true);
    assert.deepEqual((await member('PJSIP/101'))!.slice(3), ['1', 'Учёба']);
    const { queues } = await agents.status({ action: 'queue-status', queues: ['support'] });
    assert.deepEqual(
      queues.map(({ id, waiting, agents: members }) => [id, waiting, members.filter(({ phone }) => phone !== '103')]),
      [
        [
          'support',
          0,
          [
            { phone: '101', name: 'Agent One', state: 'paused', reason: 'Учёба' },
            { phone: '102', name: 'Agent Two', state: 'away' },
          ],
        ],
      ],
    );
    const back = { action: 'unpause', extension: '101' };
    assert.deepEqual([(await run(back)).changed, (await run(back)).changed], [true, false]);
    assert.equal((await member('PJSIP/101'))![3], '0');
  });

  it('are refused with the reason', async () => {
    assert.equal(await refusal({ action: 'queue-login', extension: '199', queue: 'support' }), 'CONTROL_NO_EXTENSION');
    assert.equal(await refusal({ action: 'queue-login', extension: '103', queue: 'nope' }), 'CONTROL_NO_QUEUE');
    assert.equal(await refusal({ action: 'queue-logout', extension: '101' }), 'CONTROL_NOT_POSSIBLE');
    assert.equal(await refusal({ action: 'pause', extension: '103' }), 'CONTROL_NOT_MEMBER');
  });

  it('are told as done when somebody else was quicker', async () => {
    const headers = { Queue: 'support', Interface: 'PJSIP/103' };
    const both = [
      run({ action: 'queue-login', extension: '103', queue: 'support' }),
      pbx.client.action({ action: 'QueueAdd', headers }),
    ];
    await Promise.all(both);
    assert.equal((await member('PJSIP/103'))![1], 'dynamic');
    await pbx.client.action({ action: 'QueueRemove', headers });
  });
});
