import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TelephonyError } from '../../../lib/errors';
import { crmKind } from '../../../lib/crm/kinds';
import { userCrmMessage, written } from '../../../lib/crm/usercrm/events';
import { agentStatuses } from '../../../lib/crm/usercrm/statuses';
import type { CallTopic } from '../../../lib/messages/types';
import { numberingPlan } from '../../../lib/phone';
import { problemsOf, UserCrmDouble } from '../../doubles/usercrm';
import { FakeCrm, json, text } from '../../support/fake-crm';
import { Desk, legEvent, record, userChange } from './support/events';

type LegTopic = Exclude<CallTopic, 'call_record'>;

const leg = {
  call_id: '1795201201.17',
  session_id: '1795201200.15',
  crm_user: '3',
  domain_user: '101',
  other_leg: '+74951343060',
};

describe('UserCRM events', () => {
  let crm: UserCrmDouble;
  let desk: Desk;

  beforeEach(async () => {
    crm = await new UserCrmDouble().start();
    desk = new Desk('usercrm', { url: crm.url }, { token: crm.key });
  });

  afterEach(async () => {
    desk.close();
    await crm.stop();
  });

  const bodies = () => crm.events.map(({ action, body }) => [action, body]);

  it('a call, from the ringing to the end, with the fields and types of the document', async () => {
    const topics: LegTopic[] = ['call_ringing', 'call_answer', 'call_held', 'call_active'];
    for (const topic of topics) await desk.deliver(legEvent(topic));
    const hangup = { code: 16, text: 'Normal Clearing' };
    await desk.deliver(legEvent('call_hangup', { hangup, talkSeconds: 9, result: 'answered' }));
    const { call_id, session_id, crm_user, domain_user: user_uid, other_leg } = leg;
    const held = { user_uid, crm_user, call_id, session_id, other_leg, direction: 1 };
    const rung = { ...leg, rt_vars: { gateway_number: '74951112233' }, direction: 1 };
    assert.deepEqual(bodies(), [
      ['call_ringing', rung],
      ['call_answer', rung],
      ['call_held', held],
      ['call_active', held],
      ['call_hangup', { ...leg, rt_vars: { hangup_cause: 'NORMAL_CLEARING' }, direction: 1, variable_answersec: '9' }],
    ]);
  });

  it('an outgoing call has direction 0, as in the document', async () => {
    await desk.deliver(legEvent('call_ringing', { direction: 'out' }));
    assert.equal(crm.events[0]?.body.direction, 0);
  });

  it('a leg that was never answered was answered for "0" seconds, and its cause has a name', async () => {
    for (const [code, name] of [
      [17, 'USER_BUSY'],
      [19, 'NO_ANSWER'],
      [26, 'LOSE_RACE'],
      [999, 'NORMAL_UNSPECIFIED'],
    ] as const) {
      await desk.deliver(legEvent('call_hangup', { eventId: name, hangup: { code, text: '' } }));
      const { rt_vars, variable_answersec } = crm.events.at(-1)?.body ?? {};
      assert.deepEqual([rt_vars, variable_answersec], [{ hangup_cause: name }, '0']);
    }
  });

  it('the record of a call', async () => {
    const cdrs = [{ LastApplication: 'Dial', LastData: 'PJSIP/101' }];
    const recording = { file: '2026/11/20/rec.wav' };
    await desk.deliver(record({ cdrs, recording, queue: { id: 'sales' } }));
    const { id, ...rest } = crm.events[0]?.body ?? {};
    assert.ok(Number.isSafeInteger(id));
    assert.deepEqual(rest, {
      uniqueid: '1795201200.15',
      dt: 1795201200.25,
      src: '+74951343060',
      dst: '101',
      duration: 95,
      billsec: 83,
      cc_queue_waiting_time: 12,
      lastapp: 'Dial',
      lastdata: 'PJSIP/101',
      rec_path: '2026/11/20/',
      gateway: 'provider',
      gateway_number: '+74951112233',
      dial_status: 0,
      direction: 1,
      project_id: 0,
      project_name: '',
      bridge_hangup_cause: 'NORMAL_CLEARING',
      hold_accum_seconds: 5,
      geo_ids: '',
      geo_names: '',
      link: 'https://pbx.example.com/rec/2026%2F11%2F20%2Frec.wav',
    });
  });

  it('who called whom, in each direction', async () => {
    const ends = async (more: Parameters<typeof record>[0]) => {
      await desk.deliver(record({ eventId: JSON.stringify(more), ...more }), { internal: true });
      const { src, dst, direction } = crm.events.at(-1)?.body ?? {};
      return [src, dst, direction];
    };
    assert.deepEqual(await ends({ direction: 'out' }), ['101', '+74951343060', 0]);
    const { extension, firstExtension, lastExtension, ...nobody } = record().payload as Record<string, unknown>;
    assert.deepEqual([extension, firstExtension, lastExtension], ['101', '101', '101']);
    await desk.deliver({ topic: 'call_record', payload: { ...nobody, eventId: 'n', talked: [], rung: [] } } as never);
    assert.deepEqual([crm.events.at(-1)?.body.src, crm.events.at(-1)?.body.dst], ['+74951343060', '+74951112233']);
    const { client, ...internal } = record().payload as Record<string, unknown>;
    assert.ok(client !== undefined);
    const colleagues = { direction: 'internal', firstExtension: '102', lastExtension: '101', eventId: 'i' };
    await desk.deliver({ topic: 'call_record', payload: { ...internal, ...colleagues } } as never, { internal: true });
    const { src, dst, direction } = crm.events.at(-1)?.body ?? {};
    assert.deepEqual([src, dst, direction], ['102', '101', 2]);
  });

  it('whole seconds travel as a float too', async () => {
    await desk.deliver(record({ startedAt: '2026-11-20T19:00:00.000Z' }));
    assert.equal(crm.events[0]?.body.dt, 1795201200);
  });

  it('an extension that came or went; ringing and talking are no registration', async () => {
    await desk.deliver(userChange());
    await desk.deliver(userChange({ eventId: 'u2', state: 'offline', previous: 'busy' }));
    const skipped = await desk.deliver(userChange({ eventId: 'u3', state: 'ringing', previous: 'idle' }));
    assert.deepEqual(skipped, { status: 'skipped' });
    assert.deepEqual(bodies(), [
      ['user_change', { user_uid: '101', crm_user: '3', status: 1, protocol: 0 }],
      ['user_change', { user_uid: '101', crm_user: '3', status: 0, protocol: 0 }],
    ]);
  });

  it('an extension without a CRM user is not told of, unless that is chosen; its record always is', async () => {
    const nobody = { extension: '109' };
    assert.deepEqual(await desk.deliver(legEvent('call_ringing', nobody)), { status: 'skipped' });
    assert.deepEqual(await desk.deliver(userChange(nobody)), { status: 'skipped' });
    assert.equal((await desk.deliver(record(nobody))).status, 'delivered');
    await desk.deliver(legEvent('call_ringing', nobody), { unmapped: true });
    assert.equal(crm.events.at(-1)?.body.crm_user, '');
  });

  it('calls between extensions, and transfers, are left out', async () => {
    assert.deepEqual(await desk.deliver(legEvent('call_ringing', { direction: 'internal' })), { status: 'skipped' });
    assert.deepEqual(await desk.deliver(legEvent('call_transfer')), { status: 'skipped' });
    assert.equal(crm.events.length, 0);
  });

  it('the same event has the same ids in each try, in body and header; another one others', async () => {
    crm.server.fail('lost');
    await assert.rejects(desk.deliver(record()), { code: 'CRM_UNREACHABLE' });
    await desk.deliver(record(), {}, { attempt: 2 });
    assert.deepEqual([crm.events.length, crm.repeated], [1, 1]);
    // Names of PBXs may be in any script, headers are not.
    assert.match(String(crm.events[0]?.headers['idempotency-key']), /^[\x21-\x7e]+$/);
    await desk.deliver(legEvent('call_hangup'));
    assert.equal(crm.events.length, 2);
  });

  it('the own number is read by the rules of the chosen country; a wrong one is named', async () => {
    await desk.deliver(legEvent('call_ringing', { line: { number: '80172000101' } }), { country: 'BY' });
    assert.deepEqual(crm.events[0]?.body.rt_vars, { gateway_number: '375172000101' });
    await assert.rejects(desk.deliver(record(), { country: 'Russia' }), { code: 'CRM_BAD_SETTINGS' });
    assert.throws(() => crmKind('usercrm').checkDelivery?.({ country: 'Russia' }), { code: 'CRM_BAD_SETTINGS' });
  });

  it('whatever is in an event, the message keeps to the document', () => {
    const plan = {
      userOf: () => '3',
      numbers: numberingPlan({ country: 'RU' }),
      internal: true,
      unmapped: true,
      statuses: agentStatuses({}),
    };
    const any = fc.record({
      eventId: fc.string({ unit: 'binary' }),
      callId: fc.string(),
      direction: fc.constantFrom('in' as const, 'out' as const, 'internal' as const),
      line: fc.record({ number: fc.string({ unit: 'binary' }) }),
      startedAt: fc
        .date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
        .map((at) => at.toISOString()),
      talkSeconds: fc.nat(),
      recording: fc.record({ file: fc.string({ unit: 'binary' }) }),
    });
    fc.assert(
      fc.property(any, (more) => {
        for (const event of [record(more), legEvent('call_hangup', more), legEvent('call_held', more), userChange()]) {
          const message = userCrmMessage(event, plan);
          assert.ok(message !== undefined);
          assert.deepEqual(problemsOf(written(message)), []);
          assert.deepEqual(JSON.parse(written(message)), JSON.parse(JSON.stringify(message)));
        }
      }),
      { numRuns: 200 },
    );
  });

  describe('the answer', () => {
    const told = async (behave: ConstructorParameters<typeof FakeCrm>[0]) => {
      const server = await new FakeCrm(behave).start();
      const own = new Desk('usercrm', { url: server.origin }, { token: 'crm-key' });
      try {
        return await own.deliver(record()).catch((error: unknown) => error);
      } finally {
        own.close();
        await server.stop();
      }
    };

    it('of any kind is a success when its status is 2xx: the document shows none', async () => {
      assert.deepEqual(await told(text('', 'text/plain')), { status: 'delivered', answer: '' });
      assert.deepEqual(await told(text('OK', 'text/plain', 202)), { status: 'delivered', answer: 'OK' });
      assert.deepEqual(await told(json({ code: 200, body: 1 })), {
        status: 'delivered',
        answer: { code: 200, body: 1 },
      });
    });

    it('that says in its envelope that it failed is a failure, without the key in it', async () => {
      const error = await told(json({ code: 400, message: 'bad crm-key' }));
      assert.ok(error instanceof TelephonyError);
      assert.equal(error.code, 'CRM_REFUSED');
      assert.ok(!error.message.includes('crm-key'));
      const later = await told(json({ code: 503 }));
      assert.ok(later instanceof TelephonyError && later.code === 'CRM_SERVER_ERROR');
    });
  });
});
