import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createCallTracker } from '../../../lib/calls';
import type { CallTracker } from '../../../lib/calls/types';
import type { CallMessage } from '../../../lib/messages/types';
import { numberingPlan } from '../../../lib/phone';
import { amiEvent } from '../../support/ami-messages';
import { CALL_EVENTS } from '../../../lib/calls/events';
import { finish, newTracker, recordsOf } from './traces';

type Headers = Readonly<Record<string, string>>;

const BEGIN = 1_795_203_500_000;
/** What a caller, or a dialplan that passes his text on, may put into a header. */
const HOSTILE = [
  'x'.repeat(10_240),
  '😀'.repeat(5000),
  `x${'😀'.repeat(5000)}`,
  'Ivanov\nEvent: Hangup\nUniqueid: 1.1',
  'a\u0000b\u2028c\u202ed',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '\ud800',
  '-1',
  '1e308',
  '',
];

const newchannel = (id: string, more: Headers = {}): Headers => ({
  Channel: `PJSIP/provider-${id}`,
  ChannelState: '4',
  CallerIDNum: '79261112233',
  Context: 'from-trunk',
  Exten: '74951000101',
  Uniqueid: id,
  Linkedid: id,
  ...more,
});
const phone = (id: string, linkedid: string, more: Headers = {}): Headers =>
  newchannel(id, {
    Channel: `PJSIP/101-${id}`,
    ChannelState: '0',
    CallerIDNum: '101',
    Context: 'from-internal',
    Exten: 's',
    Linkedid: linkedid,
    ...more,
  });

/** A tracker that is given events a millisecond apart. */
function fed(tracker: CallTracker = newTracker()) {
  let at = BEGIN;
  const told: CallMessage[] = [];
  return {
    tracker,
    told,
    give: (name: string, headers: Headers): void => {
      at += 1;
      told.push(...tracker.apply(amiEvent(name, headers), at));
    },
    stateSize: (): number => Math.max(0, ...tracker.takeChanges().changed.map(({ state }) => state.length)),
    end: (): CallMessage[] => {
      told.push(...finish(tracker));
      return told;
    },
  };
}

describe('the tracker of calls, attacked', () => {
  it('lives through any value in any header of any event, and passes on none that is too long or no text', () => {
    const names = [...CALL_EVENTS, 'constructor', '__proto__', 'toString'];
    const headers = [
      ...[
        'Uniqueid',
        'Linkedid',
        'DestUniqueid',
        'DestLinkedid',
        'Channel',
        'DestChannel',
        'CallerIDNum',
        'CallerIDName',
      ],
      ...['Exten', 'Context', 'Cause', 'Timestamp', 'Queue', 'DialString', 'BridgeUniqueid', 'Variable', 'Value'],
      ...['ChanVariable', 'ChannelState', 'ConnectedLineNum', 'Extension', 'Result', 'LastApplication', 'AccountCode'],
    ];
    const value = fc.oneof(fc.constantFrom(...HOSTILE), fc.constantFrom('1.1', '1.2', '1.3', '4', '6', 'Success'));
    const event = fc.record({
      name: fc.constantFrom(...names),
      headers: fc.array(fc.tuple(fc.constantFrom(...headers), value), { maxLength: 8 }),
    });
    const inherited = Reflect.ownKeys(Object.prototype);
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const plan = { numbers: numberingPlan({ country: 'RU' }), trunks: [], trunkContexts: [] };
        const variables = ['__proto__', 'constructor', 'CRM_ID'];
        const { give, end, tracker } = fed(createCallTracker({ pbx: 'office', plan, variables }));
        give('Newchannel', newchannel('1.1'));
        give('Newchannel', phone('1.2', '1.1'));
        give('DialBegin', { Uniqueid: '1.1', DestUniqueid: '1.2', DialString: '101' });
        for (const one of events) give(one.name, Object.fromEntries(one.headers));
        for (const id of ['1.1', '1.2']) give('Hangup', { Uniqueid: id, Cause: '16' });
        assert.deepEqual(newTracker().restore(tracker.takeChanges().changed), { unreadable: 0 });
        for (const { payload } of end()) {
          const text = JSON.stringify(payload);
          assert.ok(text.length < 40_000);
          assert.ok(!/\\u(d[89a-f]|0000)/i.test(text), text);
        }
        assert.deepEqual(Reflect.ownKeys(Object.prototype), inherited);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps a call whose Linkedid changes again and again within its bounds, and one record of it', () => {
    const { give, end, stateSize, tracker } = fed();
    give('Newchannel', newchannel('1.1'));
    for (let n = 0; n < 5000; n++) give('NewCallerid', { Uniqueid: '1.1', Linkedid: `9.${n}`, CallerIDNum: `${n}` });
    assert.ok(stateSize() < 20_000);
    give('Hangup', { Uniqueid: '1.1', Linkedid: '9.4999', Cause: '16' });
    assert.equal(recordsOf(end()).length, 1);
    assert.deepEqual(tracker.stats, { liveCalls: 0, channels: 0, tampered: 0, overBound: 0 });
  });

  it('keeps channels that are all joined into one call within the bound of a call', () => {
    const { give, end, stateSize, tracker } = fed();
    for (let n = 0; n < 2000; n++) {
      give('Newchannel', newchannel(`1.${n}`));
      give('NewCallerid', { Uniqueid: `1.${n}`, Linkedid: '1.0' });
    }
    assert.ok(stateSize() < 1_000_000);
    for (let n = 0; n < 2000; n++) give('Hangup', { Uniqueid: `1.${n}`, Cause: '16' });
    assert.ok(recordsOf(end()).length > 0);
    assert.equal(tracker.stats.channels, 0);
  });

  it('follows a call of 5000 events that a queue offers to phone after phone', () => {
    const { give, end, stateSize } = fed();
    give('Newchannel', newchannel('1.1'));
    give('QueueCallerJoin', { Uniqueid: '1.1', Queue: 'support' });
    for (let n = 2; n < 1002; n++) {
      const dest = { Uniqueid: '1.1', DestUniqueid: `1.${n}`, DestLinkedid: '1.1' };
      give('Newchannel', phone(`1.${n}`, '1.1', { Channel: `PJSIP/${100 + (n % 300)}-${n}` }));
      give('DialBegin', dest);
      give('Newstate', { Uniqueid: `1.${n}`, ChannelState: '5' });
      give('DialEnd', { ...dest, DialStatus: 'NOANSWER' });
      give('Cdr', { UniqueID: '1.1', Uniqueid: '1.1', Sequence: `${n}`, UserField: 'x'.repeat(10_000) });
      give('Hangup', { Uniqueid: `1.${n}`, Cause: '0' });
    }
    assert.ok(stateSize() < 200_000);
    give('Hangup', { Uniqueid: '1.1', Cause: '16' });
    const [record] = recordsOf(end());
    assert.equal(record?.result, 'missed');
    assert.ok(record.rung.length === 200 && record.legs.length <= 100 && (record.cdrs?.length ?? 0) <= 50);
  });

  it('bounds what a Cdr of many fields leaves', () => {
    const { give, stateSize } = fed();
    give('Newchannel', newchannel('1.1'));
    const fields = Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`Field${n}`, 'x'.repeat(900)]));
    for (let n = 0; n < 100; n++) give('Cdr', { Uniqueid: '1.1', Sequence: `${n}`, ...fields });
    assert.ok(stateSize() < 1_000_000);
  });

  it('forgets the bridges that nobody is in any more, and never takes up those of a channel that is gone', () => {
    const { give, end, stateSize } = fed();
    give('Newchannel', newchannel('1.1'));
    for (let n = 0; n < 5000; n++) give('BridgeEnter', { Uniqueid: '1.1', BridgeUniqueid: `bridge-${n}` });
    assert.ok(stateSize() < 5000);
    give('Hangup', { Uniqueid: '1.1', Cause: '16' });
    for (let n = 0; n < 5000; n++) give('BridgeEnter', { Uniqueid: '1.1', BridgeUniqueid: `late-${n}` });
    assert.ok(stateSize() < 5000);
    assert.equal(recordsOf(end()).length, 1);
  });

  it('ends ten thousand calls that never hung up when a list of channels has none of them', () => {
    const { give, told, tracker } = fed();
    for (let n = 0; n < 10_000; n++) {
      give('Newchannel', newchannel(`1.${2 * n}`));
      give('Newchannel', phone(`1.${2 * n + 1}`, `1.${2 * n}`));
    }
    assert.deepEqual(tracker.stats, { liveCalls: 10_000, channels: 20_000, tampered: 0, overBound: 0 });
    give('Newchannel', newchannel('2.1'));
    assert.equal(tracker.stats.overBound, 1);
    const later = BEGIN + 100_000;
    tracker.linkLost(later);
    told.push(...tracker.beginSession(later + 1000, false), ...tracker.resync([], later + 2000), ...finish(tracker));
    const records = recordsOf(told);
    assert.equal(records.length, 10_000);
    assert.ok(records.every(({ reconciled }) => reconciled));
    assert.deepEqual(tracker.stats, { liveCalls: 0, channels: 0, tampered: 0, overBound: 1 });
    assert.deepEqual(tracker.takeChanges(), { changed: [], forgotten: [] });
  });

  it('counts a saved call that is none as unreadable, whatever it holds', () => {
    const good = fed();
    good.give('Newchannel', newchannel('1.1'));
    const [saved] = good.tracker.takeChanges().changed;
    assert.ok(saved);
    const { version, call } = JSON.parse(saved.state) as { version: number; call: Record<string, unknown> };
    const broken = ['channels', 'bridges', 'linkedids', 'rung', 'talked', 'cdrs', 'variables'].flatMap((field) =>
      [null, 5, 'x', field === 'channels' ? { '1.1': null } : undefined].map((value) => ({
        ...call,
        [field]: value,
      })),
    );
    const states = broken.map((one) => JSON.stringify({ version, call: one }));
    for (const state of ['', 'null', '[]', '{"version":1}', ...states]) {
      const tracker = newTracker();
      assert.deepEqual(tracker.restore([{ callId: saved.callId, state }]), { unreadable: 1 }, state);
      finish(tracker);
    }
  });
});
