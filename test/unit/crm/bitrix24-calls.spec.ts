import assert from 'node:assert/strict';
import { systemClock } from '../../../lib/clock';
import { createCrmAccount } from '../../../lib/crm/account';
import { bitrix24 } from '../../../lib/crm/kinds/bitrix24';
import type { DeliverableEvent, DeliveryContext } from '../../../lib/crm/types';
import { TelephonyError } from '../../../lib/errors';
import { silentLog } from '../../../lib/log';
import type { CallPayload, RecordPayload } from '../../../lib/messages/types';
import { recordingError } from '../../../lib/recordings/errors';
import type { Recordings } from '../../../lib/recordings/types';
import { BitrixDouble } from '../../doubles/bitrix24';
import type { Fault } from '../../doubles/support';
import { Desk, legEvent, record, userChange } from './support/events';

const REGISTER = 'telephony.externalCall.register';
const FINISH = 'telephony.externalCall.finish';
const ATTACH = 'telephony.externalCall.attachRecord';
const MINUTE = 60_000;

describe('Bitrix24: calls', () => {
  let portal: BitrixDouble;
  let desk: Desk;
  let now: number;

  const recordings = (bytes: Uint8Array | (() => never)): Recordings => ({
    link: (file) => `https://pbx.example.com/rec/1/s/${file}`,
    read: (file) =>
      typeof bytes === 'function'
        ? new Promise(() => bytes())
        : Promise.resolve({ name: file, contentType: 'audio/wav', bytes }),
  });
  const failure = async (work: Promise<unknown>): Promise<TelephonyError> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof TelephonyError, 'it fails with an error that people can read');
    assert.ok(!JSON.stringify([error, error.message]).includes(portal.code), 'the key is not told');
    return error;
  };
  const rings = (extension: string, more: Partial<CallPayload> = {}) =>
    desk.deliver(legEvent('call_ringing', { extension, ...more }));
  const answers = (extension: string) => desk.deliver(legEvent('call_answer', { extension }));
  const leaves = (extension: string, more: Partial<CallPayload> = {}) =>
    desk.deliver(legEvent('call_hangup', { extension, ...more }));
  /** Everything that the statistics hold, in short. */
  const counted = () =>
    portal.telephony.finished.map(({ call, userId, duration, status }) => [call.type, userId, duration, status]);
  const cards = () => portal.telephony.cards;

  beforeEach(async () => {
    // Two minutes after the call of the events began.
    now = Date.parse('2026-11-20T19:02:00Z');
    portal = await new BitrixDouble({ now: () => now }).start();
    portal.bucket = { size: 1000, perSecond: 1000 };
    portal.crm.addUser({ ID: '99', UF_PHONE_INNER: '101' });
    portal.crm.addUser({ ID: '100', UF_PHONE_INNER: '102' });
    portal.crm.addUser({ ID: '105', UF_PHONE_INNER: '105' });
    portal.crm.add('CONTACT', { NAME: 'Иван', PHONE: [{ VALUE: '84951343060' }], ASSIGNED_BY_ID: '99' });
    desk = new Desk('bitrix24', {}, { token: portal.webhook }, { '101': '99', '102': '100' });
  });

  afterEach(async () => {
    desk.close();
    await portal.stop();
  });

  describe('a click in Bitrix24', () => {
    const variables = (id: string) => ({ direction: 'out' as const, variables: { BITRIX24_CALL_ID: id } });
    const clicked = async (): Promise<string> => {
      const about = {
        USER_ID: 99,
        SHOW: 0,
        PHONE_NUMBER: '84951343060',
        TYPE: 1,
        CALL_START_DATE: '2026-11-20T22:00:00+03:00',
      };
      const response = await fetch(`${portal.webhook}${REGISTER}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(about),
      });
      const told = (await response.json()) as { result?: { CALL_ID: string } };
      assert.ok(told.result, JSON.stringify(told));
      return told.result.CALL_ID;
    };

    it('is finished as the call that Bitrix24 has registered, and never registered again', async () => {
      const id = await clicked();
      await rings('101', variables(id));
      await desk.deliver(legEvent('call_answer', { extension: '101', ...variables(id) }));
      const told = await desk.deliver(record(variables(id)));
      assert.equal((told as { answer: { callId: string } }).answer.callId, id);
      assert.equal(portal.telephony.registrations, 1);
      assert.deepEqual(counted().length, 1);
      // Its card is open already, and Bitrix24 closes it itself.
      assert.deepEqual(cards(), []);
    });

    for (const id of ['externalCall.gone.1', 'a b\r\n', '']) {
      it(`is registered as any call when Bitrix24 does not know ${JSON.stringify(id)}`, async () => {
        await desk.deliver(record(variables(id)));
        assert.equal(portal.telephony.registrations, 1);
        assert.equal(counted().length, 1);
      });
    }
  });

  describe('cards', () => {
    it('one call is one registration, shown to all who ring; who answers keeps it', async () => {
      await rings('101');
      await rings('102');
      await rings('102');
      await answers('102');
      await leaves('101');
      assert.deepEqual(cards(), ['show 99', 'show 100', 'hide 99']);
      await leaves('102', { answeredAt: '2026-11-20T19:00:12Z' });
      await desk.deliver(record({ extension: '102', talked: ['102'] }));
      assert.deepEqual(cards(), ['show 99', 'show 100', 'hide 99', 'hide 100']);
      assert.equal(portal.telephony.registrations, 1);
      assert.deepEqual(counted(), [[2, '100', 83, '200']]);
    });

    it('goes from one agent of a queue to the next', async () => {
      await rings('101');
      await leaves('101');
      await rings('102');
      assert.deepEqual(cards(), ['show 99', 'hide 99', 'show 100']);
    });

    it('follows a transfer', async () => {
      await rings('101');
      await answers('101');
      await desk.deliver(legEvent('call_transfer', { transfer: { type: 'blind', from: '101', to: '102' } }));
      await rings('102');
      await answers('102');
      assert.deepEqual(cards(), ['show 99', 'show 100', 'hide 99']);
    });

    it('opens for a user whose extension stands in his profile only, and closes', async () => {
      await rings('105');
      await rings('101');
      await answers('101');
      assert.deepEqual(cards(), ['show 105', 'show 99', 'hide 105']);
    });

    it('does not open for phones that belong to nobody, and costs no error', async () => {
      assert.deepEqual(await rings('777'), { status: 'skipped' });
      await rings('101');
      assert.deepEqual(cards(), ['show 99']);
      assert.equal(portal.telephony.registrations, 1);
    });

    it('opens at the answer, or not at all, when the admin wants it so', async () => {
      await desk.deliver(legEvent('call_ringing'), { card: 'answer' });
      assert.equal(portal.server.requests.length, 0);
      await desk.deliver(legEvent('call_answer'), { card: 'answer' });
      assert.deepEqual(cards(), ['show 99']);
      desk.memo.clear();
      for (const topic of ['call_ringing', 'call_answer', 'call_hangup'] as const) {
        assert.deepEqual(await desk.deliver(legEvent(topic), { card: 'none' }), { status: 'skipped' });
      }
    });

    it('does not open when it is too late for it; the call is still counted', async () => {
      for (const topic of ['call_ringing', 'call_answer', 'call_transfer'] as const) {
        assert.deepEqual(await desk.deliver(legEvent(topic), {}, { ageMs: 2 * MINUTE }), { status: 'skipped' });
        assert.deepEqual(await desk.deliver(legEvent(topic, { reconciled: true })), { status: 'skipped' });
      }
      await desk.deliver(record());
      assert.deepEqual(cards(), []);
      assert.equal(counted().length, 1);
    });

    it('that still lie open close at the end, whoever has them', async () => {
      await rings('101');
      await rings('102');
      await desk.deliver(record({ result: 'missed', talked: [] }));
      assert.deepEqual(cards(), ['show 99', 'show 100', 'hide 100', 'hide 99']);
    });
  });

  it('counts a call whose cards cannot be closed', async () => {
    await rings('101');
    await rings('102');
    portal.fail('telephony.externalCall.hide', { status: 400, body: { error: 'ERROR_CORE', error_description: 'no' } });
    await desk.deliver(record());
    assert.equal(counted().length, 1);
  });

  describe('a record', () => {
    it('without a card before it is registered and finished, with times, line and own id', async () => {
      const told = await desk.deliver(record());
      const [row] = portal.telephony.finished;
      assert.deepEqual(told, {
        status: 'delivered',
        answer: {
          callId: row?.call.id,
          activityId: String(row?.activityId),
          entity: { type: 'contact', id: '651', url: `${portal.server.origin}/crm/contact/details/651/` },
        },
      });
      assert.deepEqual(counted(), [[2, '99', 83, '200']]);
      assert.deepEqual(
        [row?.call.number, row?.call.line, row?.call.externalId, row?.call.startedAt],
        ['+74951343060', '84951112233', '1795201200.15', Date.parse('2026-11-20T19:00:00Z')],
      );
      assert.deepEqual(cards(), []);
    });

    const endings: readonly [Partial<RecordPayload>, [number, number, string]][] = [
      [{ result: 'answered', talkSeconds: 0 }, [2, 1, '200']],
      [{ result: 'missed', hangup: { code: 17, text: 'User busy' } }, [2, 0, '304']],
      [{ result: 'abandoned' }, [2, 0, '304']],
      [{ result: 'voicemail' }, [2, 0, '304']],
      [{ result: 'answered', talked: [] }, [3, 83, '200']],
      [{ direction: 'out', result: 'answered' }, [1, 83, '200']],
      [{ direction: 'out', result: 'busy' }, [1, 0, '486']],
      [{ direction: 'out', result: 'cancelled' }, [1, 0, '603-S']],
      [{ direction: 'out', result: 'no-answer', hangup: { code: 19, text: 'No answer' } }, [1, 0, '304']],
      [{ direction: 'out', result: 'no-answer', hangup: { code: 21, text: 'Rejected' } }, [1, 0, '603']],
      [{ direction: 'out', result: 'no-answer', hangup: { code: 20, text: 'Absent' } }, [1, 0, '480']],
      [{ direction: 'out', result: 'failed', hangup: { code: 1, text: 'Unallocated' } }, [1, 0, '404']],
      [{ direction: 'out', result: 'failed', hangup: { code: 34, text: 'Congestion' } }, [1, 0, '503']],
      [{ direction: 'out', result: 'failed', hangup: { code: 21, text: 'Rejected' } }, [1, 0, 'OTHER']],
    ];
    for (const [more, [type, duration, status]] of endings) {
      const title = `${more.direction ?? 'in'} ${more.result ?? ''} ${more.hangup?.code ?? ''}`.trim();
      it(`of a call "${title}" has the type ${type} and the status ${status}`, async () => {
        await desk.deliver(record(more));
        assert.deepEqual(counted(), [[type, '99', duration, status]]);
        const reason = portal.telephony.finished[0]?.reason;
        assert.equal(reason, more.result === 'answered' ? '' : (more.hangup?.text ?? 'Normal Clearing'));
      });
    }

    it('counts to who talked last, else to the next whom Bitrix24 knows, else to the chosen user', async () => {
      const userOf = async (more: Partial<RecordPayload>, settings = {}) => {
        desk.memo.clear();
        await desk.deliver(record({ callId: `c${portal.telephony.registrations}`, ...more }), settings);
        return portal.telephony.finished.at(-1)?.userId;
      };
      assert.equal(await userOf({ extension: '102', talked: ['101', '102'] }), '100');
      assert.equal(await userOf({ extension: '777', talked: ['101', '777'] }), '99');
      assert.equal(await userOf({ extension: '105', talked: ['105'], rung: ['105'] }), '105');
      const nobody = { extension: '777', talked: ['777'], rung: ['777'] };
      assert.equal(await userOf(nobody, { fallbackUser: '100' }), '100');
      const error = await failure(userOf(nobody));
      assert.deepEqual([error.code, error.params.extensions], ['CRM_NO_USER', '777']);
      // A user who left the company is still in the table.
      portal.crm.users.splice(
        portal.crm.users.findIndex(({ ID }) => ID === '99'),
        1,
      );
      assert.equal(await userOf({ rung: ['102', '101'] }), '100');
    });

    it('makes a lead of an unknown number when the admin wants it, and tells when that fails', async () => {
      portal.crm.entities.length = 0;
      await desk.deliver(record());
      assert.equal(portal.crm.entities.length, 0);
      desk.memo.clear();
      await desk.deliver(record({ callId: '2' }), { createLead: true });
      assert.deepEqual(portal.crm.all('LEAD')[0]?.fields.ASSIGNED_BY_ID, '99');
      portal.telephony.leadCreationError = 'Lead creation is disabled for local users';
      desk.memo.clear();
      const told = await desk.deliver(record({ callId: '3' }), { createLead: true });
      assert.match(JSON.stringify(told), /"problem":"Lead creation is disabled for local users"/);
    });

    it('of an internal call is counted to the caller, when the admin wants it', async () => {
      const { client: _outside, ...payload } = record().payload as RecordPayload;
      assert.ok(_outside);
      const internal = {
        ...payload,
        direction: 'internal',
        talked: ['102', '101'],
        firstExtension: '102',
        lastExtension: '101',
      } as const;
      const event: DeliverableEvent = { topic: 'call_record', payload: internal };
      assert.deepEqual(await desk.deliver(event), { status: 'skipped' });
      await desk.deliver(event, { internal: true });
      assert.deepEqual(counted(), [[1, '100', 83, '200']]);
      assert.deepEqual(
        [portal.telephony.finished[0]?.call.number, portal.telephony.finished[0]?.call.entity],
        ['101', undefined],
      );
      const alone = { ...internal, firstExtension: '101' };
      assert.deepEqual(await desk.deliver({ topic: 'call_record', payload: alone }, { internal: true }), {
        status: 'skipped',
      });
    });

    it('is no matter of Bitrix24 when the number is withheld; nor are the other events', async () => {
      const hidden = record({ client: { number: 'anonymous' } });
      for (const event of [hidden, legEvent('call_held'), legEvent('call_active'), userChange()]) {
        assert.deepEqual(await desk.deliver(event), { status: 'skipped' });
      }
      assert.equal(portal.server.requests.length, 0);
    });

    it('that the portal refuses is told in its words', async () => {
      portal.fail(REGISTER, { status: 400, body: { error: 'ERROR_CORE', error_description: 'Unknown TYPE' } });
      const error = await failure(desk.deliver(record()));
      assert.deepEqual([error.code, error.params.words], ['CRM_REFUSED', 'ERROR_CORE: Unknown TYPE']);
    });
  });

  describe('nothing twice, nothing lost', () => {
    /** The record is delivered until it is, as the outbox does it. */
    const persist = async (settings = {}, more: Partial<DeliveryContext> = {}, event = record()) => {
      for (let attempt = 1; attempt < 10; attempt += 1) {
        try {
          return await desk.deliver(event, settings, { attempt, ...more });
        } catch (thrown) {
          const passes = thrown instanceof TelephonyError && !['CRM_REFUSED', 'CRM_FAULT'].includes(thrown.code);
          assert.ok(passes, String(thrown));
        }
      }
      throw new Error('never delivered');
    };

    const faults: readonly Fault[] = ['lost', 'reset', { status: 502, body: 'x' }];
    for (const method of [REGISTER, FINISH, ATTACH]) {
      for (const fault of faults) {
        it(`${method} that ends in ${JSON.stringify(fault)} leaves one call, one activity, one recording`, async () => {
          portal.fail(method, fault, 2);
          const recording = { file: 'a b.wav' };
          await persist({}, { recordings: recordings(Buffer.from('RIFF')) }, record({ recording }));
          assert.deepEqual(counted(), [[2, '99', 83, '200']]);
          assert.equal(portal.telephony.registrations, 1);
          assert.equal(portal.telephony.open.size, 0);
          assert.equal(portal.crm.activities.length, 1);
          assert.deepEqual(portal.telephony.finished[0]?.record?.bytes, Buffer.from('RIFF'));
        });
      }
    }

    it('a lost answer to the ringing of one is made good by the ringing of another', async () => {
      portal.fail(REGISTER, 'lost');
      await failure(rings('101'));
      await rings('102');
      assert.equal(portal.telephony.registrations, 1);
      await persist({}, {}, record({ extension: '102', talked: ['102'] }));
      assert.equal(portal.telephony.registrations, 1);
      assert.deepEqual(counted(), [[2, '100', 83, '200']]);
      assert.deepEqual([...(portal.telephony.visible.values().next().value ?? [])], []);
    });

    it('a process that ends before or after any write to the disk leaves one call, one activity, one recording', async () => {
      const how = { recordings: recordings(Buffer.from('RIFF')) };
      let kills = 0;
      for (const isKept of [true, false]) {
        for (let step = 1; ; step += 1) {
          let writes = 0;
          const memo = {
            get: (key: string) => Promise.resolve(desk.memo.get(key)),
            set: (key: string, value: string) => {
              writes += 1;
              if (writes !== step || isKept) desk.memo.set(key, value);
              return writes === step ? Promise.reject(new Error('killed')) : Promise.resolve();
            },
          };
          const event = record({ callId: `${String(isKept)} ${step}`, recording: { file: `${step}.wav` } });
          desk.memo.clear();
          const wasKilled = await desk.deliver(event, {}, { ...how, memo }).then(
            () => false,
            (thrown: unknown) => thrown instanceof Error && thrown.message === 'killed',
          );
          if (!wasKilled) break;
          kills += 1;
          await desk.deliver(event, {}, { ...how, attempt: 2 });
          assert.ok(portal.telephony.finished.at(-1)?.record, `recording after the kill at ${event.payload.eventId}`);
        }
      }
      const calls = kills + 2;
      assert.ok(kills >= 10, String(kills));
      assert.deepEqual(
        [counted().length, portal.telephony.registrations, portal.crm.activities.length],
        [calls, calls, calls],
      );
    });

    it('a call that is finished at the moment of the kill is not finished again', async () => {
      portal.fail(FINISH, 'lost');
      await failure(desk.deliver(record()));
      assert.equal(counted().length, 1);
      now += 60 * MINUTE;
      const told = await desk.deliver(record(), {}, { attempt: 2 });
      assert.equal(counted().length, 1);
      assert.match(JSON.stringify(told), /externalCall\./);
    });

    it('a registration that the portal lost is made anew', async () => {
      await rings('101');
      portal.telephony.open.clear();
      await desk.deliver(record());
      assert.equal(counted().length, 1);
      desk.memo.clear();
      await rings('101', { callId: '2' });
      portal.fail(FINISH, 'reset');
      await failure(desk.deliver(record({ callId: '2' })));
      portal.telephony.open.clear();
      await desk.deliver(record({ callId: '2' }), {}, { attempt: 2 });
      assert.equal(counted().length, 2);
    });

    it('a call of the same people that an older portal takes for the same is counted too', async () => {
      await rings('101');
      const first = new Map(desk.memo);
      desk.memo.clear();
      // The portal does not know EXTERNAL_CALL_ID: it gives the first call for the second.
      first.forEach((value, key) => desk.memo.set(key, value));
      await desk.deliver(record({ callId: 'second' }));
      desk.memo.clear();
      first.forEach((value, key) => desk.memo.set(key, value));
      await desk.deliver(record());
      assert.equal(counted().length, 2);
    });

    it('after a long outage the second registration stays without an end, and is counted nowhere', async () => {
      portal.fail(REGISTER, 'lost');
      await failure(desk.deliver(record()));
      now += 45 * MINUTE;
      await persist();
      assert.equal(counted().length, 1);
      assert.equal(portal.telephony.registrations, 2);
      assert.equal(portal.telephony.open.size, 1);
    });

    it('a recording that is not there yet does not hold up the call, and is attached later', async () => {
      const event = record({ recording: { file: '2026/x.WAV' } });
      const notReady = recordings(() => {
        throw recordingError('RECORDING_NOT_READY', { file: 'x' });
      });
      assert.equal((await failure(desk.deliver(event, {}, { recordings: notReady }))).code, 'RECORDING_NOT_READY');
      assert.equal(counted().length, 1);
      const told = await desk.deliver(event, {}, { attempt: 2, recordings: recordings(Buffer.from('RIFF')) });
      assert.deepEqual(portal.telephony.finished[0]?.record, { name: 'x.wav', bytes: Buffer.from('RIFF') });
      assert.match(JSON.stringify(told), /"recording":"9001"/);
      assert.equal(portal.methods.filter((one) => one === FINISH.toLowerCase()).length, 1);
    });
  });

  describe('a recording', () => {
    const kept = () => portal.telephony.finished[0]?.record;

    it('is fetched by a link when the admin wants it so', async () => {
      await desk.deliver(record({ recording: { file: 'x.mp3' } }), { recording: 'link' });
      assert.deepEqual(kept(), { name: 'x.mp3', url: 'https://pbx.example.com/rec/x.mp3' });
    });

    it('that cannot be fetched is told in the words of Bitrix24', async () => {
      portal.telephony.recordUrlStatus = 403;
      const error = await failure(desk.deliver(record({ recording: { file: 'x.mp3' } }), { recording: 'link' }));
      assert.match(error.message, /Server returns HTTP error code 403/);
    });

    it('that is large goes by the form, byte for byte', async () => {
      const bytes = Buffer.alloc(11 * 1024 * 1024, '\r\n--x');
      await desk.deliver(record({ recording: { file: 'x.wav' } }), {}, { recordings: recordings(bytes) });
      assert.ok(kept()?.bytes?.equals(bytes));
      assert.ok(portal.methods.includes('upload'));
    });

    it('that is neither wav nor mp3 is told; the call is counted', async () => {
      const error = await failure(desk.deliver(record({ recording: { file: 'x.gsm' } })));
      assert.deepEqual([error.code, error.params.file], ['CRM_RECORDING_FORMAT', 'x.gsm']);
      assert.equal(counted().length, 1);
    });

    it('has a harmless name', async () => {
      const file = 'a/б"\r\n; x=1.wav';
      await desk.deliver(record({ recording: { file } }), {}, { recordings: recordings(Buffer.from('RIFF')) });
      assert.equal(kept()?.name, '_x_1.wav');
    });

    it('is left out when the admin wants it so, or there is no way to it', async () => {
      const recording = { file: 'x.wav' };
      await desk.deliver(record({ recording }), { recording: 'none' });
      desk.memo.clear();
      const away = { link: () => undefined, read: () => Promise.reject(new Error('nobody reads it')) };
      await desk.deliver(record({ recording, callId: '2' }), { recording: 'link' }, { recordings: away });
      assert.deepEqual(
        portal.telephony.finished.map((row) => row.record),
        [undefined, undefined],
      );
    });
  });

  describe('activities', () => {
    beforeEach(() => {
      portal.applicationsOnly = true;
    });

    const fields = () => portal.crm.activities[0]?.fields;

    it('take the place of calls where a webhook may not register them', async () => {
      assert.deepEqual(await rings('101'), { status: 'skipped' });
      const told = await desk.deliver(record({ recording: { file: 'x.wav' } }));
      assert.deepEqual(told, { status: 'delivered', answer: { activityId: '7901' } });
      const mark = fields()?.ORIGIN_ID;
      assert.deepEqual(fields(), {
        OWNER_TYPE_ID: 3,
        OWNER_ID: '651',
        COMMUNICATIONS: [{ VALUE: '+74951343060', TYPE: 'PHONE', ENTITY_ID: '651', ENTITY_TYPE_ID: 3 }],
        TYPE_ID: 2,
        DIRECTION: 1,
        START_TIME: '2026-11-20T19:00:00+00:00',
        END_TIME: '2026-11-20T19:01:35+00:00',
        COMPLETED: 'Y',
        RESPONSIBLE_ID: '99',
        SUBJECT: 'Звонок от +74951343060',
        DESCRIPTION:
          'Итог: состоялся\nРазговор, с: 83\nВнутренний номер: 101\nНаш номер: 84951112233\nЗапись: https://pbx.example.com/rec/x.wav',
        ORIGINATOR_ID: 'asterisk',
        ORIGIN_ID: mark,
      });
      assert.equal(portal.methods.filter((one) => one === REGISTER.toLowerCase()).length, 1);
    });

    it('are what the admin wants, or are not wanted and the refusal is told', async () => {
      const error = await failure(desk.deliver(record(), { way: 'telephony' }));
      assert.equal(error.code, 'CRM_UNAUTHORIZED');
      assert.match(error.message, /WRONG_AUTH_TYPE/);
      portal.applicationsOnly = false;
      desk.memo.clear();
      await desk.deliver(record({ result: 'missed', talked: [] }), { way: 'activity', language: 'en' });
      assert.deepEqual([fields()?.SUBJECT, fields()?.COMPLETED], ['Missed call from +74951343060', 'N']);
      assert.equal(portal.telephony.registrations, 0);
    });

    for (const fault of ['lost', 'reset'] as const) {
      it(`are written once when the connection breaks (${fault}) and the process ends`, async () => {
        portal.fail('crm.activity.add', fault);
        await failure(desk.deliver(record()));
        await desk.deliver(record(), {}, { attempt: 2 });
        await desk.deliver(record(), {}, { attempt: 3 });
        assert.equal(portal.crm.activities.length, 1);
      });
    }

    it('of a call that began as an activity stay one when the right comes', async () => {
      portal.fail('crm.activity.add', 'lost');
      await failure(desk.deliver(record()));
      portal.applicationsOnly = false;
      desk.close();
      desk = Object.assign(new Desk('bitrix24', {}, { token: portal.webhook }, { '101': '99' }), { memo: desk.memo });
      await desk.deliver(record(), {}, { attempt: 2 });
      assert.deepEqual([portal.crm.activities.length, portal.telephony.registrations], [1, 0]);
    });

    it('of an unknown number need a lead', async () => {
      portal.crm.entities.length = 0;
      assert.deepEqual(await desk.deliver(record()), { status: 'skipped' });
      const client = { number: '84951343060', e164: '+74951343060', name: 'Новый' };
      await desk.deliver(record({ client }), { createLead: true });
      const [lead] = portal.crm.all('LEAD');
      assert.deepEqual([lead?.fields.TITLE, lead?.fields.ASSIGNED_BY_ID], ['Новый', '99']);
      assert.deepEqual([fields()?.OWNER_TYPE_ID, fields()?.OWNER_ID], [1, String(lead?.id)]);
    });

    it('belong to the responsible of the client, or to the chosen user, when nobody of ours is in the table', async () => {
      const nobody = { extension: '777', talked: ['777'], rung: ['777'] };
      await desk.deliver(record(nobody));
      assert.equal(fields()?.RESPONSIBLE_ID, '99');
      portal.crm.entities[0]!.fields = { NAME: 'x', PHONE: [{ VALUE: '+74951343060' }] };
      desk.memo.clear();
      assert.equal((await failure(desk.deliver(record(nobody)))).code, 'CRM_NO_USER');
      await desk.deliver(record(nobody), { fallbackUser: '1' });
      assert.equal(portal.crm.activities.at(-1)?.fields.RESPONSIBLE_ID, '1');
    });
  });

  it('is delivered by an account, with its table of users and its patience for late cards', async () => {
    const deps = { clock: systemClock, log: silentLog };
    const users = [{ extension: '109', userId: '99' }];
    const account = createCrmAccount({ kind: bitrix24, settings: {}, secrets: { token: portal.webhook }, users }, deps);
    const memo = { get: () => Promise.resolve(undefined), set: () => Promise.resolve() };
    const how = { settings: {}, memo, attempt: 1 };
    const ringing = legEvent('call_ringing', { extension: '109' });
    assert.equal((await account.deliver(ringing, { ...how, ageMs: 2 * MINUTE })).status, 'skipped');
    assert.equal((await account.deliver(ringing, { ...how, ageMs: 0 })).status, 'delivered');
    assert.deepEqual(cards(), ['show 99']);
    await account.close();
  });

  it('has a recording whose name looks like an address', async () => {
    const file = 'a#1?x.wav';
    await desk.deliver(record({ recording: { file } }), {}, { recordings: recordings(Buffer.from('RIFF')) });
    assert.equal(portal.telephony.finished[0]?.record?.name, 'a_1_x.wav');
    desk.memo.clear();
    await desk.deliver(record({ callId: '2', recording: { url: 'https://pbx.example.com/r/b.mp3?sign=1' } }));
    assert.equal(portal.telephony.finished[1]?.record?.name, 'b.mp3');
  });

  it('a user that is no number is refused in the dialog', async () => {
    const error = await failure(desk.deliver(record(), { fallbackUser: 'rita' }));
    assert.deepEqual([error.code, error.params.field], ['CRM_BAD_SETTINGS', 'fallbackUser']);
  });
});
