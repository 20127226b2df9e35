import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createAgentControl } from '../../../lib/control/agents';
import { parseAgentOrder, parseStatusOrder } from '../../../lib/control/order';
import { AGENT_ACTIONS, type AgentControl, type AgentDone } from '../../../lib/control/types';
import { TelephonyError } from '../../../lib/errors';
import { hostileValue } from '../../support/hostile';
import { Office, plan, settings, type OfficeOptions } from './support/office';

describe('the control of agents', () => {
  let office: Office;
  let agents: AgentControl;

  async function open(options?: OfficeOptions, trunks: readonly string[] = []): Promise<void> {
    office = await Office.open(options);
    const dialling = { settings, guard: office.guard };
    agents = createAgentControl({ client: office.pbx.client, plan, dialling, trunks });
  }
  afterEach(async () => {
    agents.close();
    await office.close();
  });

  const run = async (order: Readonly<Record<string, unknown>>): Promise<AgentDone> =>
    agents.run(parseAgentOrder(order)!);
  async function refusal(order: Readonly<Record<string, unknown>>): Promise<string> {
    return run(order).then(
      () => 'done',
      (thrown: unknown) => (thrown as TelephonyError).code,
    );
  }
  const send = (action: string, headers: Readonly<Record<string, string>>): Promise<unknown> =>
    office.pbx.client.action({ action, headers });
  async function member(interfaceName: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const rows = await office.pbx.client.list({ action: 'QueueStatus' });
    return rows.find((row) => row.get('Location') === interfaceName)?.toObject();
  }

  it('logs an extension in and out, under its name, and says when it was so already', async () => {
    await open();
    const login = { action: 'queue-login', extension: '106', queue: 'support', name: 'Пётр', penalty: 3 };
    const done = { extension: '106', queues: ['support'] };
    assert.deepEqual(await run(login), { action: 'queue-login', changed: true, ...done });
    const { Name, Penalty, Membership } = (await member('PJSIP/106'))!;
    assert.deepEqual([Name, Penalty, Membership], ['Пётр', '3', 'dynamic']);
    assert.deepEqual(await run(login), { action: 'queue-login', changed: false, ...done });
    const logout = { action: 'queue-logout', extension: '106' };
    assert.deepEqual(await run(logout), { action: 'queue-logout', changed: true, ...done });
    assert.equal(await member('PJSIP/106'), undefined);
    assert.deepEqual(await run(logout), { action: 'queue-logout', extension: '106', changed: false, queues: [] });
    assert.equal((await run({ ...logout, queue: 'support' })).changed, false);
  });

  it('pauses with a reason and ends the pause, once', async () => {
    await open();
    const pause = { action: 'pause', extension: '105', reason: 'Обед' };
    assert.deepEqual(await run(pause), { action: 'pause', extension: '105', changed: true, queues: ['support'] });
    const { Paused, PausedReason } = (await member('PJSIP/105'))!;
    assert.deepEqual([Paused, PausedReason], ['1', 'Обед']);
    assert.equal((await run(pause)).changed, false);
    assert.equal((await run({ ...pause, reason: 'Учёба', queue: 'support' })).changed, true);
    assert.equal((await run({ action: 'unpause', extension: '105' })).changed, true);
    assert.equal((await run({ action: 'unpause', extension: '105', queue: ['support'] })).changed, false);
    assert.equal((await member('PJSIP/105'))!.Paused, '0');
  });

  it('tells what an agent is, of all his queues, without changing anything', async () => {
    await open();
    const state = async (extension: string) => (await run({ action: 'agent-state', extension, queue: 'nope' })).state;
    assert.deepEqual(await state('105'), { queues: ['support'], pausedIn: [], busy: false });
    await run({ action: 'pause', extension: '105', reason: 'Обед' });
    assert.deepEqual(await state('105'), { queues: ['support'], pausedIn: ['support'], busy: false, reason: 'Обед' });
    assert.deepEqual(await state('106'), { queues: [], pausedIn: [], busy: false });
    assert.equal(await refusal({ action: 'agent-state', extension: '199' }), 'CONTROL_NO_EXTENSION');
  });

  it('finds whoever is there by another interface, and never a trunk', async () => {
    await open({}, ['106']);
    await send('QueueAdd', { Queue: 'support', Interface: 'Local/102@from-queue/n' });
    assert.equal((await run({ action: 'queue-login', extension: '102', queue: 'support' })).changed, false);
    assert.equal((await run({ action: 'pause', extension: '102' })).changed, true);
    assert.equal((await run({ action: 'queue-logout', extension: '102' })).changed, true);
    assert.equal(await member('Local/102@from-queue/n'), undefined);
    await send('QueueAdd', { Queue: 'support', Interface: 'PJSIP/106' });
    assert.equal(await refusal({ action: 'pause', extension: '106' }), 'CONTROL_NOT_MEMBER');
  });

  it('tells how the queues are now, or the ones that were named', async () => {
    await open();
    await run({ action: 'pause', extension: '105', reason: 'Обед' });
    const ask = (queue?: unknown) => agents.status(parseStatusOrder({ action: 'queue-status', queue })!);
    const { action, queues } = await ask();
    assert.equal(action, 'queue-status');
    assert.deepEqual(
      queues.map(({ id, waiting, agents: members }) => [
        id,
        waiting,
        members.map(({ phone, state }) => [phone, state]),
      ]),
      [
        [
          'support',
          0,
          [
            ['101', 'free'],
            ['105', 'paused'],
          ],
        ],
      ],
    );
    assert.deepEqual((await ask(['support'])).queues, queues);
    await assert.rejects(ask('sales'), { code: 'CONTROL_NO_QUEUE' });
    assert.equal(parseStatusOrder({ action: 'pause' }), undefined);
  });

  it('says what is wrong', async () => {
    await open();
    const refused: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
      [{ action: 'queue-login', extension: '199', queue: 'support' }, 'CONTROL_NO_EXTENSION'],
      [{ action: 'queue-login', extension: '84951343060', queue: 'support' }, 'CONTROL_BAD_ORDER'],
      [{ action: 'queue-login', extension: '106', queue: 'nope' }, 'CONTROL_NO_QUEUE'],
      [{ action: 'queue-login', extension: '106' }, 'CONTROL_BAD_ORDER'],
      [{ action: 'queue-login', extension: '106', queue: 'support', penalty: -1 }, 'CONTROL_BAD_ORDER'],
      [{ action: 'queue-logout', extension: '106', queue: 'nope' }, 'CONTROL_NO_QUEUE'],
      [{ action: 'queue-logout', extension: '105' }, 'CONTROL_NOT_POSSIBLE'],
      [{ action: 'pause', extension: '106' }, 'CONTROL_NOT_MEMBER'],
      [{ action: 'pause', extension: '105', queue: 'nope' }, 'CONTROL_NO_QUEUE'],
      [{ action: 'pause', extension: '105', queue: [] }, 'CONTROL_BAD_ORDER'],
      [{ action: 'pause' }, 'CONTROL_BAD_ORDER'],
    ];
    for (const [order, code] of refused) assert.equal(await refusal(order), code, JSON.stringify(order));
    agents.close();
    assert.equal(await refusal({ action: 'pause', extension: '105' }), 'CONTROL_STOPPED');
  });

  it('logs in 200 at once who come to their shift, and tells their states meanwhile', async () => {
    const shift = Array.from({ length: 200 }, (_none, at) => String(300 + at));
    await open({ phones: shift.map((extension) => ({ extension, name: `Agent ${extension}`, rule: 'answers' })) });
    const orders = shift.flatMap((extension) => [
      refusal({ action: 'queue-login', extension, queue: 'support' }),
      refusal({ action: 'agent-state', extension }),
    ]);
    assert.deepEqual([...new Set(await Promise.all(orders))], ['done']);
    const rows = await office.pbx.client.list({ action: 'QueueStatus' });
    assert.equal(rows.filter((row) => row.name === 'QueueMember').length, 200);
  });

  it('carries out the orders on one extension in their order', async () => {
    await open();
    const login = { action: 'queue-login', extension: '106', queue: 'support' };
    const orders = [login, login, { action: 'pause', extension: '106' }, { action: 'queue-logout', extension: '106' }];
    const done = await Promise.all([...orders, login].map((order) => run(order)));
    assert.deepEqual(
      done.map(({ action, changed }) => [action, changed]),
      [
        ['queue-login', true],
        ['queue-login', false],
        ['pause', true],
        ['queue-logout', true],
        ['queue-login', true],
      ],
    );
    const many = Array.from({ length: 60 }, () => refusal({ action: 'unpause', extension: '106' }));
    const others = refusal({ action: 'unpause', extension: '105' });
    const refused = (await Promise.all(many)).filter((code) => code === 'CONTROL_BUSY');
    assert.deepEqual([refused.length, await others], [50, 'done']);
  });

  it('names the permission that is missing', async () => {
    await open({ user: { read: ['system', 'call'], write: ['call', 'reporting'] } });
    await assert.rejects(run({ action: 'pause', extension: '105' }), /"agent".*write=/);
  });

  it('reads hostile orders as one line or refuses them', async () => {
    await open();
    const fields = fc.dictionary(fc.constantFrom('queue', 'reason', 'name', 'penalty', 'extension'), hostileValue);
    fc.assert(
      fc.property(fc.constantFrom(...AGENT_ACTIONS), fields, (action, hostile) => {
        try {
          const order = parseAgentOrder({ extension: '101', queue: 'support', ...hostile, action });
          assert.doesNotMatch(JSON.stringify(order), /\\r|\\n|\\u0000/);
        } catch (thrown) {
          assert.ok(thrown instanceof TelephonyError && thrown.code === 'CONTROL_BAD_ORDER', String(thrown));
        }
      }),
      { numRuns: 500 },
    );
  });
});
