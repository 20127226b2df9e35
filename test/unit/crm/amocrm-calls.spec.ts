import assert from 'node:assert/strict';
import type { DeliveryContext } from '../../../lib/crm/types';
import { retryClass } from '../../../lib/delivery/retry-class';
import { TelephonyError } from '../../../lib/errors';
import type { CallPayload, RecordPayload } from '../../../lib/messages/types';
import { AmoDouble } from '../../doubles/amocrm';
import type { DoubleRequest } from '../../doubles/support';
import { Desk, legEvent, record, userChange } from './support/events';

const CALLS = '/api/v4/calls';
const UNSORTED = '/api/v4/leads/unsorted/sip';

describe('amoCRM: calls', () => {
  let amo: AmoDouble;
  let desk: Desk;

  const failure = async (work: Promise<unknown>): Promise<TelephonyError> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof TelephonyError, 'it fails with an error that people can read');
    assert.ok(!JSON.stringify([error, error.message]).includes(amo.token), 'the token is not told');
    return error;
  };
  const answerOf = async (work: ReturnType<Desk['deliver']>): Promise<Record<string, unknown>> => {
    const told = await work;
    assert.equal(told.status, 'delivered');
    return told.answer as Record<string, unknown>;
  };
  const to = (path: string) => (request: DoubleRequest) => request.path === path && request.method === 'POST';
  const asked = (path: string) => amo.requests.filter(to(path)).length;
  const note = () => {
    const [one, ...more] = amo.notes;
    assert.ok(one !== undefined && more.length === 0, `one note, not ${amo.notes.length}`);
    return one;
  };
  const again = { attempt: 2 };

  beforeEach(async () => {
    amo = await new AmoDouble().start();
    amo.perSecond = 1000;
    desk = new Desk('amocrm', { url: amo.origin }, { token: amo.token });
  });

  afterEach(async () => {
    desk.close();
    await amo.stop();
  });

  describe('of a known client', () => {
    let client: number;

    beforeEach(() => {
      client = amo.addClient('contacts', 'Иван Петров', '84951343060');
    });

    it('is written to him, with its people, times, result and recording', async () => {
      const answer = await answerOf(desk.deliver(record({ recording: { file: 'a 1.mp3' }, queue: { id: 'sales' } })));
      const { id, entity, entity_id, note_type, params } = note();
      assert.deepEqual([entity, entity_id, note_type], ['contacts', client, 'call_in']);
      const { uniq, ...told } = params;
      assert.match(String(uniq), /^[0-9a-f]{32}$/);
      assert.deepEqual(told, {
        duration: 83,
        source: 'Asterisk',
        phone: '+74951343060',
        call_status: 4,
        call_result: 'Состоялся; ожидание, с: 12; внутренний номер: 101; очередь: sales; наш номер: 84951112233',
        created_at: Date.parse('2026-11-20T19:00:00Z') / 1000,
        link: 'https://pbx.example.com/rec/a%201.mp3',
        responsible_user_id: 3,
        call_responsible: 3,
      });
      const url = `${amo.origin}/contacts/detail/${client}`;
      assert.deepEqual(answer, { callId: String(id), entity: { type: 'contact', id: String(client), url } });
    });

    it('stands on the one lead that he has', async () => {
      const lead = amo.add('leads', { name: 'Сделка' });
      Object.assign(amo.all('contacts')[0] ?? {}, { _embedded: { leads: [{ id: lead }] } });
      const { entity } = await answerOf(desk.deliver(record()));
      assert.deepEqual(entity, { type: 'lead', id: String(lead), url: `${amo.origin}/leads/detail/${lead}` });
    });

    it('outgoing, in English, without a recording', async () => {
      await desk.deliver(record({ direction: 'out', recording: { file: 'a.mp3' } }), {
        language: 'en',
        recording: false,
      });
      const { note_type, params } = note();
      assert.equal(note_type, 'call_out');
      assert.equal('link' in params, false);
      assert.match(String(params.call_result), /^Answered; waited, s: 12/);
    });

    const results: readonly (readonly [Partial<RecordPayload>, number, number])[] = [
      [{ result: 'answered', talkSeconds: 83 }, 4, 83],
      [{ result: 'missed' }, 6, 0],
      [{ result: 'missed', hangup: { code: 17, text: 'User busy' } }, 7, 0],
      [{ result: 'abandoned' }, 6, 0],
      [{ result: 'voicemail' }, 1, 0],
      [{ direction: 'out', result: 'busy' }, 7, 0],
      [{ direction: 'out', result: 'no-answer' }, 6, 0],
      [{ direction: 'out', result: 'cancelled' }, 6, 0],
      [{ direction: 'out', result: 'failed', hangup: { code: 1, text: 'Unallocated number' } }, 5, 0],
      [{ direction: 'out', result: 'failed', hangup: { code: 34, text: 'Congestion' } }, 6, 0],
    ];
    for (const [more, status, duration] of results) {
      it(`${more.direction ?? 'in'}, ${more.result} (${more.hangup?.code ?? 16}) has status ${status}`, async () => {
        await desk.deliver(record(more));
        assert.deepEqual([note().params.call_status, note().params.duration], [status, duration]);
      });
    }

    it('belongs to the user in the record, else of the table, else to the chosen one, else is told by its extension', async () => {
      const owner = async (more: Partial<RecordPayload>, settings = {}) => {
        desk.memo.clear();
        await desk.deliver(record(more), settings);
        const { responsible_user_id, call_responsible } = amo.notes.at(-1)?.params ?? {};
        return [responsible_user_id, call_responsible];
      };
      const stranger = { extension: '109', talked: ['109'], rung: ['109'] };
      assert.deepEqual(await owner({ user: { id: '4' } }), [4, 4]);
      assert.deepEqual(await owner({ ...stranger, rung: ['102'] }), [4, 4]);
      assert.deepEqual(await owner(stranger, { fallbackUser: '504141' }), [504141, 504141]);
      assert.deepEqual(await owner(stranger), [undefined, '109']);
    });

    it('is not refused for what is empty: nothing is sent as null', async () => {
      const { payload } = record();
      const { line, extension, waitSeconds, talkSeconds, hangup, ...bare } = payload as RecordPayload;
      assert.ok(line && extension && waitSeconds && talkSeconds && hangup);
      await desk.deliver({ topic: 'call_record', payload: { ...bare, talked: [], rung: [] } });
      assert.deepEqual(note().params.duration, 0);
    });

    it('is given up when amoCRM refuses it, in its own words', async () => {
      const error = await failure(desk.deliver(record({ user: { id: '99999999' } })));
      assert.deepEqual([error.code, retryClass(error, 1)], ['CRM_REFUSED', 'never']);
      assert.match(error.message, /FieldMissing|This field is missing/);
    });

    it('is given up when its item alone is refused, under 200 too', async () => {
      const errors = [{ title: 'Bad phone', detail: 'phone is too short', request_id: '0' }];
      for (const status of [200, 207, 400]) {
        amo.server.fail({ status, body: { _total_items: 0, errors, _embedded: { calls: [] } } }, { when: to(CALLS) });
        const error = await failure(desk.deliver(record()));
        assert.equal(error.code, 'CRM_REFUSED', String(status));
        assert.match(error.message, /Bad phone phone is too short/);
      }
    });

    it('is taken for written when amoCRM takes it without a word', async () => {
      amo.server.fail({ status: 202 }, { when: to(CALLS) });
      assert.deepEqual(await answerOf(desk.deliver(record())), {});
      await desk.deliver(record(), {}, again);
      assert.equal(asked(CALLS), 1);
    });

    for (const body of [{ success: false }, { status: 'error' }, { error: 'db locked' }, '"no"']) {
      it(`is not taken for written when the answer is ${JSON.stringify(body)}; it is looked for, and sent again`, async () => {
        amo.server.fail({ status: 200, body }, { when: to(CALLS), times: 1 });
        await assert.rejects(desk.deliver(record()), { code: 'CRM_BAD_ANSWER' });
        assert.ok('callId' in (await answerOf(desk.deliver(record(), {}, again))));
        assert.equal(asked(CALLS), 2);
      });
    }

    it('waits while the token has expired, and goes when there is a new one', async () => {
      amo.tokens.clear();
      const error = await failure(desk.deliver(record()));
      assert.deepEqual([error.code, retryClass(error, 1)], ['CRM_UNAUTHORIZED', 'down']);
      amo.tokens.add(amo.token);
      await desk.deliver(record(), {}, again);
      note();
    });

    it('waits after a refusal by the limit, and is not looked for: it was not done', async () => {
      amo.server.fail({ status: 429 }, { when: to(CALLS) });
      const error = await failure(desk.deliver(record()));
      assert.deepEqual([error.code, retryClass(error, 1)], ['CRM_LIMITED', 'later']);
      await desk.deliver(record(), {}, again);
      note();
      assert.equal(amo.requests.length, 2);
    });
  });

  describe('once', () => {
    beforeEach(() => void amo.addClient('contacts', 'Иван Петров', '84951343060'));

    it('however often it is told', async () => {
      const first = await desk.deliver(record());
      assert.deepEqual(await desk.deliver(record(), {}, again), first);
      assert.equal(asked(CALLS), 1);
    });

    for (const sameUniq of ['again', 'once'] as const) {
      it(`when the answer was lost, whether amoCRM takes a uniq twice or not (${sameUniq})`, async () => {
        amo.sameUniq = sameUniq;
        amo.server.fail('lost', { when: to(CALLS) });
        assert.equal((await failure(desk.deliver(record()))).code, 'CRM_UNREACHABLE');
        const { callId } = await answerOf(desk.deliver(record(), {}, again));
        assert.equal(callId, String(note().id));
        assert.equal(asked(CALLS), 1);
      });
    }

    it('when it was lost on a lead of the client, or with a company', async () => {
      const lead = amo.add('leads', { name: 'Сделка' });
      Object.assign(amo.all('contacts')[0] ?? {}, { _embedded: { leads: [{ id: lead }] } });
      amo.addClient('companies', 'ООО Ромашка', '+79066800404');
      for (const [phone, type] of [
        ['+74951343060', 'lead'],
        ['+79066800404', 'company'],
      ] as const) {
        desk.memo.clear();
        const event = record({ eventId: phone, client: { number: phone, e164: phone } });
        amo.server.fail('lost', { when: to(CALLS) });
        await failure(desk.deliver(event));
        const { entity } = await answerOf(desk.deliver(event, {}, again));
        assert.equal((entity as { type: string }).type, type);
      }
      assert.equal(amo.notes.length, 2);
    });

    it('and is written when the first try never came through', async () => {
      amo.server.fail('reset', { when: to(CALLS) });
      await failure(desk.deliver(record()));
      await desk.deliver(record(), {}, again);
      note();
    });

    it('another call of the same client is another one', async () => {
      await desk.deliver(record());
      desk.memo.clear();
      amo.server.fail('reset', { when: to(CALLS) });
      const other = record({ eventId: 'Офис:1795201999.1:record' });
      await failure(desk.deliver(other));
      await desk.deliver(other, {}, again);
      assert.equal(amo.notes.length, 2);
    });
  });

  describe('of an unknown number', () => {
    for (const itemErrorsUnder200 of [false, true]) {
      it(`goes to the incoming leads (told under ${itemErrorsUnder200 ? 200 : 400})`, async () => {
        amo.itemErrorsUnder200 = itemErrorsUnder200;
        const answer = await answerOf(desk.deliver(record({ recording: { file: 'a.mp3' } }), { pipeline: '77' }));
        const [item] = amo.unsorted;
        assert.ok(item);
        const startedAt = Date.parse('2026-11-20T19:00:00Z') / 1000;
        const { uniq, ...metadata } = item.metadata;
        assert.match(String(uniq), /^[0-9a-f]{32}$/);
        assert.deepEqual(metadata, {
          from: '+74951343060',
          phone: '+74951343060',
          called_at: startedAt,
          duration: 83,
          link: 'https://pbx.example.com/rec/a.mp3',
          service_code: 'asterisk',
          is_call_event_needed: true,
          call_responsible: 3,
        });
        assert.deepEqual([item.pipeline_id, item.source_name, item.created_at], [77, 'Asterisk', startedAt]);
        const field = { field_code: 'PHONE', values: [{ value: '+74951343060', enum_code: 'WORK' }] };
        assert.deepEqual(item.sent, {
          leads: [{ name: '+74951343060' }],
          contacts: [{ name: '+74951343060', custom_fields_values: [field] }],
        });
        assert.equal(answer.unsortedUid, item.uid);
        assert.equal((answer.entity as { type: string }).type, 'lead');
      });
    }

    for (const tellsUniq of [true, false]) {
      it(`becomes one incoming lead when the answer was lost (uniq told: ${tellsUniq})`, async () => {
        amo.tellsUniq = tellsUniq;
        amo.server.fail('lost', { when: to(UNSORTED) });
        await failure(desk.deliver(record()));
        const { unsortedUid } = await answerOf(desk.deliver(record(), {}, again));
        assert.equal(amo.unsorted.length, 1);
        assert.equal(unsortedUid, amo.unsorted[0]?.uid);
      });
    }

    it('of another caller at the same moment becomes another incoming lead', async () => {
      amo.tellsUniq = false;
      await desk.deliver(record({ eventId: 'x', client: { number: '89066800404', e164: '+79066800404' } }));
      desk.memo.clear();
      amo.server.fail('reset', { when: to(UNSORTED) });
      await failure(desk.deliver(record()));
      await desk.deliver(record(), {}, again);
      assert.equal(amo.unsorted.length, 2);
    });

    it('outgoing is not written, unless clients are made of such numbers', async () => {
      assert.deepEqual(await desk.deliver(record({ direction: 'out' })), { status: 'skipped' });
      assert.equal(amo.unsorted.length, 0);
      await desk.deliver(record({ direction: 'out' }), { unknown: 'contact' });
      assert.deepEqual([note().entity, note().note_type], ['contacts', 'call_out']);
    });

    it('is not written at all when the admin wants it so', async () => {
      assert.deepEqual(await desk.deliver(record(), { unknown: 'none' }), { status: 'skipped' });
      assert.equal(amo.requests.length, 1);
    });

    it('becomes a contact of the user who talked, with the call', async () => {
      const client = { number: '84951343060', e164: '+74951343060', name: 'Новый' };
      const { entity } = await answerOf(desk.deliver(record({ client }), { unknown: 'contact' }));
      const [contact] = amo.all('contacts');
      assert.deepEqual([contact?.name, contact?.responsible_user_id], ['Новый', 3]);
      assert.deepEqual([note().entity_id, note().params.duration], [contact?.id, 83]);
      assert.equal((entity as { id: string }).id, String(contact?.id));
    });

    it('becomes a lead in the chosen pipeline, with the call', async () => {
      await desk.deliver(record(), { unknown: 'lead', pipeline: '77' });
      const [lead] = amo.all('leads');
      assert.equal(lead?.pipeline_id, 77);
      assert.deepEqual([note().entity, note().entity_id], ['leads', lead.id]);
      assert.equal(amo.all('contacts').length, 1);
    });

    it('becomes one client and one call, whichever answer was lost', async () => {
      for (const path of ['/api/v4/leads/complex', '/api/v4/leads/notes']) {
        desk.memo.clear();
        const phone = `+7495000${path.length}00`;
        const event = record({ eventId: path, client: { number: phone, e164: phone } });
        const [leads, notes] = [amo.all('leads').length, amo.notes.length];
        amo.server.fail('lost', { when: to(path) });
        await failure(desk.deliver(event, { unknown: 'lead' }));
        await desk.deliver(event, { unknown: 'lead' }, again);
        assert.deepEqual([amo.all('leads').length - leads, amo.notes.length - notes], [1, 1], path);
      }
    });

    it('becomes one client and one call, although the search of amoCRM is behind', async () => {
      amo.searchIsBehind = true;
      amo.server.fail('lost', { when: to('/api/v4/contacts/notes') });
      await failure(desk.deliver(record(), { unknown: 'contact' }));
      await desk.deliver(record(), { unknown: 'contact' }, again);
      assert.equal(amo.all('contacts').length, 1);
      note();
    });
  });

  describe('cards', () => {
    const rings = (extension: string, more: Partial<CallPayload> = {}, how: Partial<DeliveryContext> = {}) =>
      desk.deliver(legEvent('call_ringing', { extension, ...more }), {}, how);
    const shown = () => amo.cards.map(({ users }) => users);

    it('open for each user who is rung, once', async () => {
      amo.addClient('contacts', 'Иван Петров', '84951343060');
      const answer = await answerOf(rings('101'));
      await rings('102');
      await rings('101');
      assert.deepEqual(amo.cards, [
        { type: 'phone_call', phone_number: '+74951343060', users: [3] },
        { type: 'phone_call', phone_number: '+74951343060', users: [4] },
      ]);
      assert.equal(answer.phone_number, '+74951343060');
    });

    it('never open for everybody: a phone that belongs to nobody opens none', async () => {
      assert.deepEqual(await rings('777'), { status: 'skipped' });
      assert.equal(amo.requests.length, 0);
    });

    it('follow a transfer', async () => {
      await rings('101');
      await desk.deliver(legEvent('call_transfer', { transfer: { type: 'attended', from: '101', to: '102' } }));
      assert.deepEqual(shown(), [[3], [4]]);
    });

    it('open again after a failure', async () => {
      amo.server.fail({ status: 504 });
      await failure(rings('101'));
      await rings('101', {}, again);
      assert.deepEqual(shown(), [[3]]);
    });

    it('do not open late, for outgoing and internal calls, withheld numbers, or when they are not wanted', async () => {
      await rings('101', {}, { ageMs: 60_001 });
      await rings('101', { reconciled: true });
      await rings('101', { direction: 'out' });
      await rings('101', { direction: 'internal' });
      await rings('101', { client: { number: 'anonymous' } });
      await desk.deliver(legEvent('call_ringing'), { card: false });
      assert.equal(amo.requests.length, 0);
    });
  });

  it('internal calls, withheld numbers and other events are no matter of amoCRM', async () => {
    const events = [
      record({ direction: 'internal' }),
      record({ client: { number: 'anonymous' } }),
      legEvent('call_answer'),
      legEvent('call_hangup'),
      userChange(),
    ];
    for (const event of events) assert.deepEqual(await desk.deliver(event), { status: 'skipped' });
    assert.equal(amo.requests.length, 0);
  });

  it('choices that are none are told by their names', async () => {
    for (const [settings, field] of [
      [{ fallbackUser: 'boss' }, 'fallbackUser'],
      [{ pipeline: '1a' }, 'pipeline'],
      [{ unknown: 'x' }, 'unknown'],
    ] as const) {
      const error = await failure(desk.deliver(record(), settings));
      assert.deepEqual([error.code, error.params.field], ['CRM_BAD_SETTINGS', field]);
    }
  });
});
