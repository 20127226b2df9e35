import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CallMessage, RecordPayload } from '../../../lib/messages/types';
import { CALL_EVENTS } from '../../../lib/calls/events';
import { amiEvent } from '../../support/ami-messages';
import { expectedOf, inOrder, recordings, toldIn, without, workedOut } from './expected';
import { eventsOf, finish, newTracker, play, recordsOf, type Timed } from './traces';

const expected = new Map(workedOut.map((recording) => [recording, inOrder(expectedOf(recording))]));
/** The recordings that hold a call. */
const calls = workedOut.filter((recording) => (expected.get(recording)?.records.length ?? 0) > 0);

const isOfCalls = new Set(CALL_EVENTS);
/** What a running PBX is read of, but for the many VarSet that tell nothing. */
const callEventsOf = (recording: string): Timed[] =>
  eventsOf(recording).filter(
    ({ event }) =>
      isOfCalls.has(event.name) && (event.name !== 'VarSet' || event.get('Variable') === 'MIXMONITOR_FILENAME'),
  );

function assertTold(messages: readonly CallMessage[], recording: string, when = recording): void {
  assert.deepEqual(toldIn(messages), expected.get(recording), when);
}

/** The rows of CoreShowChannels at a moment of a recording: the channels that began and did not end before it. */
function rowsAt(events: readonly Timed[], count: number) {
  const rows = new Map<string, Record<string, string>>();
  let now = 0;
  for (const { event, at } of events.slice(0, count)) {
    now = at;
    const id = event.get('Uniqueid') ?? '';
    const row = rows.get(id);
    if (row) row.Linkedid = event.get('Linkedid') ?? '';
    if (event.name === 'Newchannel')
      rows.set(id, { ...(event.toObject() as Record<string, string>), born: String(at) });
    else if (event.name === 'Hangup') rows.delete(id);
    else if (row && event.name === 'BridgeEnter') {
      row.BridgeId = event.get('BridgeUniqueid') ?? '';
      if (event.get('BridgeCreator') === 'ConfBridge') row.Application = 'ConfBridge';
    } else if (row && event.name === 'BridgeLeave') delete row.BridgeId;
    if (row && event.name.startsWith('New')) {
      row.ChannelState = event.get('ChannelState') ?? '';
      row.CallerIDNum = event.get('CallerIDNum') ?? '';
    }
  }
  return [...rows.values()].map(({ born, ...row }) => {
    // Asterisk cuts the parts of a second off.
    const seconds = Math.floor((now - Number(born)) / 1000);
    const duration = `00:00:${String(seconds % 60).padStart(2, '0')}`;
    const dialled = row.ChannelState === '0' || (row.Exten === 's' && !row.Channel?.startsWith('Local/'));
    return amiEvent('CoreShowChannel', { ...row, Duration: duration, ...(dialled ? { Application: 'AppDial' } : {}) });
  });
}

describe('the recorded calls', () => {
  it('have all been worked out', () => {
    assert.deepEqual(workedOut, recordings);
  });

  for (const recording of workedOut) {
    it(recording, () => assertTold(play(eventsOf(recording)), recording));
  }

  it('are the same when the admin named the trunk', () => {
    for (const recording of workedOut) assertTold(play(eventsOf(recording), newTracker(['trunk'])), recording);
  });

  it('are the same to whoever reads only the events of calls', () => {
    for (const recording of calls) assertTold(play(callEventsOf(recording)), recording);
  });

  it('are the same without the classes dialplan, cdr and user, but for what those alone tell', () => {
    const lacking = new Set(['VarSet', 'Newexten', 'Cdr', 'UserEvent', 'CEL']);
    for (const recording of calls) {
      const told = play(eventsOf(recording).filter(({ event }) => !lacking.has(event.name)));
      const { records, legs } = expected.get(recording) ?? { records: [], legs: [] };
      const wanted = records.map((record) => ({
        ...without(record, 'cdrs', 'recording'),
        ...(record.recording === undefined ? {} : { recording: {} }),
        // That it was voicemail that answered stands in the Cdr.
        ...(record.result === 'voicemail' ? { result: 'missed' } : {}),
      }));
      assert.deepEqual(toldIn(told), { records: wanted, legs }, recording);
    }
  });

  it('tell of a recording only when the call was answered', () => {
    const unanswered = eventsOf('inbound-recorded').filter(({ event }) => event.name !== 'BridgeEnter');
    assert.equal(recordsOf(play(unanswered))[0]?.recording, undefined);
  });

  it('carry the variables that were chosen', () => {
    const [record] = recordsOf(play(eventsOf('inbound-answered-caller-hangs-up')));
    assert.deepEqual(record?.variables, { CRM_ID: 'in-1795203503.0' });
  });
});

/** Pairs of events of one channel that were recorded in either order. */
const EITHER_WAY: readonly (readonly [string, string])[] = [
  ['DialState', 'Newstate'],
  ['OriginateResponse', 'Newstate'],
  ['OriginateResponse', 'DialEnd'],
  ['DialEnd', 'BridgeEnter'],
  ['Cdr', 'Hangup'],
  ['AgentComplete', 'Hangup'],
];
/** No event was recorded that came later than this after one with a later time. */
const MOST_LATE_MS = 0.5;

/** Whether Asterisk might have sent two neighbours the other way round: the order holds for each channel. */
function mayChange(one: Timed, other: Timed): boolean {
  if (Math.abs(one.at - other.at) > MOST_LATE_MS) return false;
  const names = [one.event.name, other.event.name];
  if (names.includes('Newchannel') || names.includes('LocalBridge')) return false;
  const [mine, theirs] = [one, other].map(({ event }) =>
    ['Uniqueid', 'DestUniqueid', 'BridgeUniqueid'].flatMap((header) => event.get(header) ?? []),
  );
  const related = mine?.some((id) => theirs?.includes(id)) === true;
  return !related || EITHER_WAY.some((pair) => pair.every((name) => names.includes(name)));
}

describe('recorded calls over a bad link', () => {
  it('are the same when events come twice', () => {
    for (const recording of calls) {
      assertTold(play(callEventsOf(recording).flatMap((one) => [one, one])), recording);
    }
  });

  it('are the same when any of the events come twice and in another order, as far as Asterisk changes it', () => {
    const step = fc.record({ at: fc.nat(10_000), twice: fc.boolean() });
    fc.assert(
      fc.property(fc.constantFrom(...calls), fc.array(step, { maxLength: 40 }), (recording, steps) => {
        const events = eventsOf(recording);
        for (const { at, twice } of steps) {
          const place = at % (events.length - 1);
          const [one, other] = [events[place], events[place + 1]];
          if (!one || !other) continue;
          // A Cdr has no id of its own: a second one is another one.
          if (twice && one.event.name !== 'Cdr') events.splice(place, 1, one, one);
          else if (mayChange(one, other)) events.splice(place, 2, other, one);
        }
        assertTold(play(events), recording);
      }),
      { numRuns: 200 },
    );
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
    assert.deepEqual(toldIn(told).legs[0]?.events, [{ topic: 'call_hangup', result: 'answered', code: 16 }]);
  });
});

/** The link is lost after `cut` events; `unheard` events later it is back. */
function overCut(events: readonly Timed[], cut: number, unheard: number): CallMessage[] {
  const tracker = newTracker();
  const told = events.slice(0, cut).flatMap(({ event, at }) => [...tracker.apply(event, at)]);
  const back = Math.min(cut + unheard, events.length);
  const [lostAt = 0, backAt = 0] = [events[cut - 1]?.at, events[back - 1]?.at];
  tracker.linkLost(lostAt);
  const now = backAt + 0.001;
  told.push(...tracker.beginSession(now, false), ...tracker.resync(rowsAt(events, back), now));
  return [...told, ...play(events.slice(back), tracker)];
}

/** Every one by itself: the longer ones are played a thousand times. */
describe('a recorded call that is interrupted at any event', () => {
  for (const recording of calls) {
    const events = callEventsOf(recording);

    it(`${recording}: the process ends and takes it up again`, () => {
      for (let cut = 0; cut <= events.length; cut++) {
        const first = newTracker();
        const before = events.slice(0, cut).flatMap(({ event, at }) => [...first.apply(event, at)]);
        const second = newTracker();
        assert.deepEqual(second.restore(first.takeChanges().changed), { unreadable: 0 });
        assertTold([...before, ...play(events.slice(cut), second)], recording, `cut at ${cut}`);
      }
    });

    it(`${recording}: the link is cut, and nothing happens meanwhile`, () => {
      for (let cut = 1; cut <= events.length; cut++) {
        assertTold(overCut(events, cut, 0), recording, `cut at ${cut}`);
      }
    });

    it(`${recording}: whatever was missed, one record of the right direction and client`, () => {
      const begun = events.filter(({ event }) => event.name === 'Newchannel');
      // A channel that became a part of the call later (a pickup, a parked call taken back): who missed that sees two calls.
      const isJoined = new Set(begun.map(({ event }) => event.get('Linkedid'))).size > 1;
      const essence = (records: readonly Pick<RecordPayload, 'callId' | 'direction' | 'client'>[]): string[] =>
        records
          .filter(({ direction }) => !isJoined || direction !== 'internal')
          .map(({ callId, direction, client }) => `${callId} ${direction} ${client?.number ?? ''}`)
          .sort();
      const wanted = essence(expected.get(recording)?.records ?? []);
      // Before an order's phone is dialled nothing is known of the order; what it plays to a phone is told by one event only.
      const telling =
        recording.startsWith('originate') || recording.startsWith('amd') ? 'OriginateResponse' : 'Newchannel';
      const first = events.findIndex(({ event }) => event.name === telling) + 1;
      const last = events.map(({ event }) => event.name).lastIndexOf('Hangup');
      for (let cut = first; cut < last; cut++) {
        for (const unheard of [1, 4, 10]) {
          const when = `${recording}: ${unheard} events unheard after ${cut}`;
          const told = overCut(events, cut, unheard);
          const records = recordsOf(told);
          assert.deepEqual(essence(records), wanted, when);
          const known = new Set(events.slice(0, cut).map(({ event }) => event.get('Uniqueid')));
          const missed = events.slice(cut, cut + unheard);
          if (missed.some(({ event }) => event.name === 'Hangup' && known.has(event.get('Uniqueid'))))
            assert.ok(
              records.some(({ reconciled }) => reconciled),
              when,
            );
          const ids = told.map(({ payload }) => payload.eventId);
          assert.equal(new Set(ids).size, ids.length, `${when}: an event twice`);
        }
      }
    });
  }
});
