import assert from 'node:assert/strict';
import fc from 'fast-check';
import { userCrmMessage, written } from '../../../lib/crm/usercrm/events';
import { agentStatuses } from '../../../lib/crm/usercrm/statuses';
import type { AgentChangeKind, AgentChangePayload, AgentStanding, QueueMessage } from '../../../lib/messages/queues';
import { numberingPlan } from '../../../lib/phone';
import { problemsOf, UserCrmDouble } from '../../doubles/usercrm';
import { Desk } from './support/events';

type AgentChange = Extract<QueueMessage, { topic: 'agent_change' }>;

const IDLE: AgentStanding = { queues: ['support'], pausedIn: [], busy: false };

function change(kind: AgentChangeKind, state: Partial<AgentStanding> = {}, more: Partial<AgentChangePayload> = {}) {
  const ofQueue = kind === 'busy' || kind === 'idle' ? {} : { queue: { id: 'support' } };
  const payload: AgentChangePayload = {
    eventId: `Офис:101:${kind}:${JSON.stringify(state)}`,
    pbx: 'Офис',
    at: '2026-11-20T19:00:00.000Z',
    change: kind,
    agent: { id: '101', phone: '101' },
    extension: '101',
    ...ofQueue,
    state: { ...IDLE, ...state },
    ...more,
  };
  return { topic: 'agent_change', payload } satisfies AgentChange;
}
const row = (state: string, reason: string, base: string, extra: string, name: string) => ({
  state,
  reason,
  base_status: base,
  extra_status: extra,
  status_name: name,
});

describe('UserCRM agent_change', () => {
  let crm: UserCrmDouble;
  let desk: Desk;

  function open(rows?: readonly object[]): void {
    const table = rows === undefined ? {} : { agentStatuses: rows };
    desk = new Desk('usercrm', { url: crm.url, ...table }, { token: crm.key });
  }
  beforeEach(async () => {
    crm = await new UserCrmDouble().start();
    open();
  });
  afterEach(async () => {
    desk.close();
    await crm.stop();
  });

  const told = () =>
    crm.events.map(({ body: { base_status, extra_status, status_name } }) =>
      [base_status, extra_status, status_name].join(),
    );
  async function tell(...changes: readonly AgentChange[]): Promise<void> {
    for (const one of changes) await desk.deliver(one);
  }

  it('has the fields and types of the document, of the user that the table names', async () => {
    await tell(change('login'));
    assert.deepEqual(crm.events[0]?.body, {
      user_uid: '101',
      crm_user: '3',
      base_status: -1,
      extra_status: 1,
      status_name: 'В работе',
    });
    assert.equal(crm.events[0].action, 'agent_change');
  });

  it('tells a shift: in, talking, paused with a reason, back, out', async () => {
    await tell(
      change('login'),
      change('busy', { busy: true }),
      change('idle'),
      change('paused', { pausedIn: ['support'], reason: 'Обед' }, { reason: 'Обед' }),
      change('paused', { pausedIn: ['support'], reason: 'Auto-Pause' }, { reason: 'Auto-Pause' }),
      change('unpaused'),
      change('paused', { pausedIn: ['support'] }),
      change('logout', { queues: [] }),
    );
    assert.deepEqual(told(), [
      '-1,1,В работе',
      '-1,2,Разговаривает',
      '-1,1,В работе',
      '-3,3,Обед',
      '-3,4,Не ответил',
      '-1,1,В работе',
      '-3,3,Перерыв',
      '-4,0,Не в системе',
    ]);
  });

  it('tells of an agent of several queues once: he is paused when he is in all, gone when he is in none', async () => {
    const both = { queues: ['support', 'sales'] };
    const inSales = { queue: { id: 'sales' } };
    await tell(
      change('login', both),
      change('paused', { ...both, pausedIn: ['support'] }),
      change('busy', { ...both, pausedIn: ['support', 'sales'], busy: true }),
      change('logout', { queues: ['sales'], pausedIn: [] }),
    );
    assert.deepEqual(told(), []);
    await tell(
      change('paused', { ...both, pausedIn: ['support', 'sales'], reason: 'Обед' }, { ...inSales, reason: 'Обед' }),
      change('unpaused', { ...both, pausedIn: ['support'], reason: 'Обед' }, inSales),
      change('logout', { queues: ['sales'], pausedIn: ['sales'], reason: 'Учёба' }),
    );
    assert.deepEqual(told(), ['-3,3,Обед', '-1,1,В работе', '-3,3,Учёба']);
  });

  it('goes by the table: reasons in any case, numbers of the CRM, the usual row for a state that has none', async () => {
    desk.close();
    open([
      row('available', '', '-2', '10', 'On demand'),
      row('busy', '', '-2', '10', 'On demand'),
      row('paused', 'обед', '-3', '77', 'Lunch'),
    ]);
    const paused = (reason: string) => change('paused', { pausedIn: ['support'], reason }, { reason });
    await tell(change('login'), change('busy', { busy: true }), paused('ОБЕД'), paused('Учёба'));
    await tell(change('logout', { queues: [] }));
    assert.deepEqual(told(), ['-2,10,On demand', '-3,77,Lunch', '-3,3,Учёба', '-4,0,Не в системе']);
  });

  it('is not sent for an extension without a CRM user, unless that is chosen', async () => {
    const nobody = change('login', {}, { extension: '109' });
    assert.deepEqual(await desk.deliver(nobody), { status: 'skipped' });
    await desk.deliver(nobody, { unmapped: true });
    assert.deepEqual([crm.events[0]?.body.crm_user, crm.events[0]?.body.user_uid], ['', '109']);
  });

  for (const [what, wrong, words] of [
    ['a state that there is not', row('asleep', '', '-1', '1', 'x'), /row 2, "state": choose one of available/],
    ['a status that is no number', row('paused', '', 'break', '1', 'x'), /row 2, "base_status": write a whole number/],
    ['half a status', row('paused', '', '-3', '1.5', 'x'), /row 2, "extra_status"/],
    ['no name', row('paused', '', '-3', '1', ' '), /row 2, "status_name"/],
    ['a name of two lines', row('paused', '', '-3', '1', 'a\nb'), /row 2, "status_name"/],
    ['a reason that no pause has', row('busy', 'Обед', '-3', '1', 'x'), /row 2, "reason of the pause": leave it empty/],
    ['the same twice', row('available', '', '-3', '1', 'x'), /row 2 is there twice/],
    ['an unset variable', row('paused', '${LUNCH}', '-3', '1', 'x'), /LUNCH is not set/],
  ] as const) {
    it(`refuses ${what}, and says where`, () => {
      const rows = [row('available', '', '-1', '1', 'В работе'), wrong];
      assert.throws(() => agentStatuses({ agentStatuses: rows }), { code: 'CRM_BAD_SETTINGS', message: words });
    });
  }

  it('takes no more rows than anybody has', () => {
    const rows = Array.from({ length: 101 }, (_, index) => row('paused', `r${index}`, '-3', '1', 'x'));
    assert.throws(() => agentStatuses({ agentStatuses: rows }), { message: /at most 100/ });
  });

  it('keeps to the document whatever an agent does, and never tells the same status as one before it would', () => {
    const queues = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'));
    const kinds = fc.constantFrom<AgentChangeKind>('login', 'logout', 'paused', 'unpaused', 'busy', 'idle');
    const plan = { userOf: () => '3', numbers: numberingPlan({ country: 'RU' }), internal: true, unmapped: true };
    fc.assert(
      fc.property(kinds, queues, queues, fc.boolean(), fc.string(), (kind, inQueues, pausedIn, busy, reason) => {
        const event = change(kind, { queues: inQueues, pausedIn, busy, reason }, { queue: { id: 'a' }, reason });
        const message = userCrmMessage(event, { ...plan, statuses: agentStatuses({}) });
        if (message) assert.deepEqual(problemsOf(written(message)), []);
      }),
    );
  });
});
