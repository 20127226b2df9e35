import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CallMessage } from '../../../lib/messages/types';
import { amiEvent } from '../../support/ami-messages';
import { eventsOf, finish, legsOf, lineOf, newTracker, play, recordsOf, type Timed } from './traces';

const IN = 'client 79261112233';
const OUT = 'client 79031234567';

interface Expected {
  readonly records: readonly string[];
  readonly legs: Readonly<Record<string, string>>;
}

/** What each recorded call is, by the rules for records; worked out by reading the recording. */
const expected: Readonly<Record<string, Expected>> = {
  'inbound-answered-caller-hangs-up': {
    records: [`in answered 16 client · wait 1 talk 1 hold 0 · rung 101 · talked 101 · ext 101 · ${IN}`],
    legs: { 101: 'ringing, answer, hangup answered 16' },
  },
  'inbound-answered-callee-hangs-up': {
    records: [`in answered 16 extension · wait 1 talk 1 hold 0 · rung 101 · talked 101 · ext 101 · ${IN}`],
    legs: { 101: 'ringing, answer, hangup answered 16' },
  },
  'inbound-busy': {
    records: [`in missed 17 extension · wait 0 talk 0 hold 0 · rung 101 · talked · ext 101 · ${IN}`],
    legs: { 101: 'ringing, hangup missed 17' },
  },
  'inbound-no-answer': {
    records: [`in missed 19 system · wait 2 talk 0 hold 0 · rung 101 · talked · ext 101 · ${IN}`],
    legs: { 101: 'ringing, hangup missed 19' },
  },
  'inbound-cancelled': {
    records: [`in missed 16 client · wait 1 talk 0 hold 0 · rung 101 · talked · ext 101 · ${IN}`],
    legs: { 101: 'ringing, hangup missed 16' },
  },
  'inbound-phone-not-registered': {
    records: [`in missed 3 system · wait 0 talk 0 hold 0 · rung · talked · ext - · ${IN}`],
    legs: {},
  },
  'inbound-ivr-dtmf': {
    records: [`in answered 16 client · wait 1 talk 1 hold 0 · rung 101 · talked 101 · ext 101 · ${IN}`],
    legs: { 101: 'ringing, answer, hangup answered 16' },
  },
  'inbound-recorded': {
    records: [`in answered 16 client · wait 0 talk 1 hold 0 · rung 101 · talked 101 · ext 101 · ${IN}`],
    legs: { 101: 'ringing, answer, hangup answered 16' },
  },
  'inbound-ring-group': {
    records: [`in answered 16 client · wait 1 talk 1 hold 0 · rung 101 102 · talked 102 · ext 102 · ${IN}`],
    legs: { 101: 'ringing, hangup cancelled 26', 102: 'ringing, answer, hangup answered 16' },
  },
  'internal-call': {
    records: ['internal answered 16 extension · wait 0 talk 1 hold 0 · rung 102 · talked 101 102 · ext 102 · peer 101'],
    legs: { 101: 'ringing, answer, hangup answered 16', 102: 'ringing, answer, hangup answered 16' },
  },
  'outbound-answered': {
    records: [`out answered 16 extension · wait 1 talk 1 hold 0 · rung · talked 101 · ext 101 · ${OUT}`],
    legs: { 101: 'ringing, answer, hangup answered 16' },
  },
  'outbound-busy': {
    records: [`out busy 17 client · wait 0 talk 0 hold 0 · rung · talked · ext 101 · ${OUT}`],
    legs: { 101: 'ringing, hangup busy 17' },
  },
  'outbound-cancelled': {
    records: [`out cancelled 16 extension · wait 1 talk 0 hold 0 · rung · talked · ext 101 · ${OUT}`],
    legs: { 101: 'ringing, hangup cancelled 16' },
  },
  'originate-click2call-success': {
    records: [`out answered 16 client · wait 1 talk 1 hold 0 · rung 101 · talked 101 · ext 101 · ${OUT}`],
    legs: { 101: 'ringing, answer, hangup answered 16' },
  },
  'originate-agent-busy': {
    records: [`out failed 17 extension · wait 0 talk 0 hold 0 · rung 101 · talked · ext 101 · ${OUT}`],
    legs: { 101: 'ringing, hangup failed 17' },
  },
  'originate-agent-declined': {
    records: [`out failed 21 extension · wait 0 talk 0 hold 0 · rung 101 · talked · ext 101 · ${OUT}`],
    legs: { 101: 'ringing, hangup failed 21' },
  },
  'originate-agent-no-answer': {
    records: [`out failed 19 system · wait 2 talk 0 hold 0 · rung 101 · talked · ext 101 · ${OUT}`],
    legs: { 101: 'ringing, hangup failed 19' },
  },
  // No channel came about: the outcome of the order is a matter of whoever gave it.
  'originate-agent-not-registered': { records: [], legs: {} },
  'originate-client-no-answer-agent-hangs-up': {
    records: [`out cancelled 16 extension · wait 2 talk 0 hold 0 · rung 101 · talked · ext 101 · ${OUT}`],
    legs: { 101: 'ringing, hangup cancelled 16' },
  },
  'originate-application': {
    records: ['internal answered 16 extension · wait 0 talk 1 hold 0 · rung 101 · talked 101 · ext 101'],
    legs: { 101: 'ringing, answer, hangup answered 16' },
  },
  'music-on-hold': {
    records: ['internal answered 16 extension · wait 0 talk 1 hold 0 · rung · talked 101 · ext 101'],
    legs: { 101: 'answer, hangup answered 16' },
  },
  'hold-unhold': {
    records: [`in answered 16 client · wait 0 talk 2 hold 1 · rung 101 · talked 101 · ext 101 · ${IN}`],
    legs: { 101: 'ringing, answer, held, active, hangup answered 16' },
  },
  'crm-hold-by-redirect-and-bridge': {
    records: [`in answered 16 client · wait 0 talk 3 hold 1 · rung 101 · talked 101 · ext 101 · ${IN}`],
    legs: { 101: 'ringing, answer, held, active, hangup answered 16' },
  },
  'crm-hangup': {
    records: [`in answered 16 system · wait 0 talk 1 hold 0 · rung 101 · talked 101 · ext 101 · ${IN}`],
    legs: { 101: 'ringing, answer, hangup answered 16' },
  },
  'redirect-both-legs': {
    records: [`in answered 16 client · wait 0 talk 2 hold 0 · rung 101 · talked 101 · ext 101 · ${IN}`],
    legs: { 101: 'ringing, answer, hangup answered 16' },
  },
  'transfer-blind-refer': {
    records: [
      `in answered 16 client · wait 0 talk 2 hold 0 · rung 101 102 · talked 101 102 · ext 102 · ${IN} · blind 101>102`,
    ],
    legs: { 101: 'ringing, answer, transfer, hangup answered 16', 102: 'ringing, answer, hangup answered 16' },
  },
  'transfer-blind-ami': {
    records: [
      `in answered 16 client · wait 0 talk 2 hold 0 · rung 101 102 · talked 101 102 · ext 102 · ${IN} · blind 101>102`,
    ],
    legs: { 101: 'ringing, answer, transfer, hangup answered 16', 102: 'ringing, answer, hangup answered 16' },
  },
  'transfer-blind-refer-to-nobody': {
    records: [`in answered 16 client · wait 0 talk 2 hold 0 · rung 101 · talked 101 · ext 101 · ${IN}`],
    legs: { 101: 'ringing, answer, hangup answered 16' },
  },
  'transfer-attended-ami-atxfer': {
    records: [
      `in answered 16 client · wait 0 talk 3 hold 1 · rung 101 102 · talked 101 102 · ext 102 · ${IN} · attended 101>102`,
    ],
    legs: { 101: 'ringing, answer, held, transfer, hangup answered 16', 102: 'ringing, answer, hangup answered 16' },
  },
  'queue-answered-caller-hangs-up': {
    records: [`in answered 16 client · wait 1 talk 1 hold 0 · rung 101 · talked 101 · ext 101 · ${IN} · queue support`],
    legs: { 101: 'ringing, answer, hangup answered 16' },
  },
  'queue-member2-after-member1-rings-out': {
    records: [
      `in answered 16 extension · wait 5 talk 1 hold 0 · rung 101 102 · talked 102 · ext 102 · ${IN} · queue support`,
    ],
    legs: { 101: 'ringing, hangup missed 19', 102: 'ringing, answer, hangup answered 16' },
  },
  'queue-agent-busy': {
    records: [
      `in answered 16 client · wait 1 talk 1 hold 0 · rung 101 102 · talked 102 · ext 102 · ${IN} · queue support`,
    ],
    legs: { 101: 'ringing, hangup missed 17', 102: 'ringing, answer, hangup answered 16' },
  },
  'queue-abandon': {
    records: [`in abandoned 16 client · wait 2 talk 0 hold 0 · rung 101 · talked · ext 101 · ${IN} · queue support`],
    legs: { 101: 'ringing, hangup missed 16' },
  },
  'queue-autopause': {
    records: [`in missed 19 system · wait 9 talk 0 hold 0 · rung 101 · talked · ext 101 · ${IN} · queue nap`],
    legs: { 101: 'ringing, hangup missed 19' },
  },
  'queue-local-member': {
    records: [
      `in answered 16 extension · wait 1 talk 1 hold 0 · rung 103 · talked 103 · ext 103 · ${IN} · queue sales`,
    ],
    legs: { 103: 'ringing, answer, hangup answered 16' },
  },
};

const traces = Object.keys(expected);
const summary = (messages: readonly CallMessage[]): Expected => ({
  records: recordsOf(messages).map(lineOf),
  legs: legsOf(messages),
});
/** The rows of CoreShowChannels at a moment of a recording: the channels that began and did not end before it. */
function rowsAt(events: readonly Timed[], count: number) {
  const rows = new Map<string, Record<string, string>>();
  let now = 0;
  for (const { event, at } of events.slice(0, count)) {
    now = at;
    const id = event.get('Uniqueid') ?? '';
    const row = rows.get(id);
    if (event.name === 'Newchannel')
      rows.set(id, { ...(event.toObject() as Record<string, string>), born: String(at) });
    else if (event.name === 'Hangup') rows.delete(id);
    else if (row && event.name === 'BridgeEnter') row.BridgeId = event.get('BridgeUniqueid') ?? '';
    else if (row && event.name === 'BridgeLeave') delete row.BridgeId;
    if (row && event.name.startsWith('New')) {
      row.ChannelState = event.get('ChannelState') ?? '';
      row.CallerIDNum = event.get('CallerIDNum') ?? '';
    }
  }
  return [...rows.values()].map(({ born, ...row }) => {
    const seconds = Math.round((now - Number(born)) / 1000);
    const duration = `00:00:${String(seconds % 60).padStart(2, '0')}`;
    const dialled = row.ChannelState === '0' || (row.Exten === 's' && !row.Channel?.startsWith('Local/'));
    return amiEvent('CoreShowChannel', { ...row, Duration: duration, ...(dialled ? { Application: 'AppDial' } : {}) });
  });
}

describe('the recorded calls', () => {
  for (const [trace, wanted] of Object.entries(expected)) {
    it(trace, () => {
      assert.deepEqual(summary(play(eventsOf(trace))), wanted);
    });
  }

  it('are the same when the admin named the trunk', () => {
    for (const trace of traces) {
      assert.deepEqual(summary(play(eventsOf(trace), newTracker(['trunk']))), expected[trace], trace);
    }
  });

  it('are the same without the classes dialplan, cdr and user', () => {
    const lacking = new Set(['VarSet', 'Newexten', 'Cdr', 'UserEvent', 'CEL']);
    for (const trace of traces) {
      const events = eventsOf(trace).filter(({ event }) => !lacking.has(event.name));
      assert.deepEqual(summary(play(events)), expected[trace], trace);
    }
  });

  it('tell of a recording only when the call was answered, and by its file when that is heard', () => {
    const [record] = recordsOf(play(eventsOf('inbound-recorded')));
    assert.match(record?.recording?.file ?? '', /\/rec-1795203522\.34\.wav$/);
    const [unheard] = recordsOf(play(eventsOf('inbound-recorded').filter(({ event }) => event.name !== 'VarSet')));
    assert.deepEqual(unheard?.recording, {});
  });

  it('carry the variables that were chosen', () => {
    const [record] = recordsOf(play(eventsOf('inbound-answered-caller-hangs-up')));
    assert.deepEqual(record?.variables, { CRM_ID: 'in-1795203503.0' });
  });

  it('have times in ISO 8601 and an own number', () => {
    const [record] = recordsOf(play(eventsOf('inbound-answered-caller-hangs-up')));
    assert.equal(record?.startedAt, '2026-11-20T19:38:23.776Z');
    assert.equal(record.answeredAt, '2026-11-20T19:38:24.281Z');
    assert.deepEqual(record.line, { number: '74951000101', trunk: 'trunk' });
    assert.equal(record.client?.e164, '+79261112233');
    assert.equal(record.client.name, 'Иван Петров');
  });
});

describe('recorded calls over a bad link', () => {
  it('are the same when events come twice', () => {
    for (const trace of traces) {
      const events = eventsOf(trace).flatMap((one) => [one, one]);
      assert.deepEqual(summary(play(events)), expected[trace], trace);
    }
  });

  it('are the same when events of one moment come in another order', () => {
    const channelOf = ({ event }: Timed): string =>
      `${event.get('Uniqueid') ?? ''} ${event.get('DestUniqueid') ?? ''} ${event.get('BridgeUniqueid') ?? ''}`;
    const mayChange = (one: Timed, other: Timed): boolean => {
      const apart = Math.abs(one.at - other.at) <= 0.5;
      const [mine, theirs] = [channelOf(one).split(' '), channelOf(other).split(' ')];
      const related = mine.some((id) => id !== '' && theirs.includes(id));
      const isBirth = [one, other].some(({ event }) => event.name === 'Newchannel' || event.name === 'LocalBridge');
      return apart && !related && !isBirth;
    };
    fc.assert(
      fc.property(fc.constantFrom(...traces), fc.array(fc.nat(10_000), { maxLength: 30 }), (trace, picks) => {
        const events = eventsOf(trace);
        for (const pick of picks) {
          const at = pick % Math.max(1, events.length - 1);
          const [one, other] = [events[at], events[at + 1]];
          if (one && other && mayChange(one, other)) events.splice(at, 2, other, one);
        }
        assert.deepEqual(summary(play(events)), expected[trace], trace);
      }),
      { numRuns: 150 },
    );
  });

  it('are the same when the process ends and takes the calls up again at any event', () => {
    for (const trace of traces) {
      const events = eventsOf(trace);
      for (let cut = 0; cut <= events.length; cut += 1 + Math.floor(events.length / 40)) {
        const first = newTracker();
        const before = events.slice(0, cut).flatMap(({ event, at }) => [...first.apply(event, at)]);
        const second = newTracker();
        assert.deepEqual(second.restore(first.takeChanges().changed), { unreadable: 0 });
        const after = play(events.slice(cut), second);
        assert.deepEqual(summary([...before, ...after]), expected[trace], `${trace} cut at ${cut}`);
      }
    }
  });

  it('get one record each, of the right direction and client, when the link is cut at any event', () => {
    for (const trace of traces) {
      const events = eventsOf(trace);
      const [wanted] = recordsOf(play(events));
      // What an order plays to a phone is told by one event only.
      if (!wanted || trace === 'originate-application') continue;
      // Before an order's phone is dialled nothing of the order was told; a call that is over by then nobody can know.
      const telling = trace.startsWith('originate') ? 'DialBegin' : 'Newchannel';
      const first = events.findIndex(({ event }) => event.name === telling);
      const last = events.map(({ event }) => event.name).lastIndexOf('Hangup');
      for (let cut = first + 1; cut < last; cut += 1 + Math.floor(events.length / 40)) {
        const tracker = newTracker();
        const told = events.slice(0, cut).flatMap(({ event, at }) => [...tracker.apply(event, at)]);
        // Ten events go by unheard.
        const back = Math.min(cut + 10, events.length);
        const [lostAt, backAt] = [events[cut - 1]?.at ?? 0, events[back - 1]?.at ?? 0];
        tracker.linkLost(lostAt);
        told.push(
          ...tracker.beginSession(backAt + 0.001, false),
          ...tracker.resync(rowsAt(events, back), backAt + 0.001),
        );
        told.push(...events.slice(back).flatMap(({ event, at }) => [...tracker.apply(event, at)]), ...finish(tracker));
        const records = recordsOf(told);
        assert.equal(records.length, 1, `${trace} cut at ${cut}`);
        assert.deepEqual(
          [records[0]?.callId, records[0]?.direction, records[0]?.client?.number],
          [wanted.callId, wanted.direction, wanted.client?.number],
          `${trace} cut at ${cut}`,
        );
        const ids = told.map(({ payload }) => payload.eventId);
        assert.equal(new Set(ids).size, ids.length, `${trace} cut at ${cut}: an event twice`);
      }
    }
  });

  it('end with their own result, marked, when Asterisk was started anew', () => {
    const events = eventsOf('inbound-answered-caller-hangs-up');
    const answered = events.findIndex(({ event }) => event.name === 'BridgeEnter') + 2;
    const tracker = newTracker();
    for (const { event, at } of events.slice(0, answered)) tracker.apply(event, at);
    const at = events[answered]?.at ?? 0;
    tracker.linkLost(at);
    const told = [...tracker.beginSession(at + 5000, true), ...finish(tracker)];
    const [record] = recordsOf(told);
    assert.equal(record?.result, 'answered');
    assert.equal(record.reconciled, true);
    assert.deepEqual(legsOf(told), { 101: 'hangup answered 16' });
  });
});
