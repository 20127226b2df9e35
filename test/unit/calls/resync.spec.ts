import assert from 'node:assert/strict';
import type { AmiMessage } from '../../../lib/ami/types';
import type { CallMessage } from '../../../lib/messages/types';
import { amiEvent } from '../../support/ami-messages';
import { finish, newTracker, recordsOf } from './traces';

type Headers = Readonly<Record<string, string>>;

const BEGIN = 1_795_203_500_000;

/** A row of CoreShowChannels of a channel that is up, as both Asterisk 22.10 and 16.28 give it. */
const row = (id: string, channel: string, linkedid: string, more: Headers): AmiMessage =>
  amiEvent('CoreShowChannel', {
    Channel: channel,
    ChannelState: '6',
    Uniqueid: id,
    Linkedid: linkedid,
    Duration: '00:00:01',
    ...more,
  });

/** An incoming call that 101 has answered. `first`: the ordinal of its first channel. */
function answered(first: number, bridge: string): [string, Headers][] {
  const [trunk, phone] = [`1.${first}`, `1.${first + 1}`];
  const call = { Linkedid: trunk };
  const both = { ...call, Uniqueid: trunk, DestUniqueid: phone };
  const incoming = {
    ChannelState: '4',
    CallerIDNum: `7926111220${first}`,
    Context: 'from-trunk',
    Exten: '74951000101',
  };
  const dialled = { ChannelState: '0', CallerIDNum: '101', Context: 'from-internal', Exten: 's' };
  return [
    ['Newchannel', { ...call, ...incoming, Channel: `PJSIP/provider-${first}`, Uniqueid: trunk }],
    ['Newchannel', { ...call, ...dialled, Channel: `PJSIP/101-${first}`, Uniqueid: phone }],
    ['DialBegin', both],
    ['Newstate', { ...call, Uniqueid: phone, ChannelState: '6' }],
    ['DialEnd', { ...both, DialStatus: 'ANSWER' }],
    ['Newstate', { ...call, Uniqueid: trunk, ChannelState: '6' }],
    ['BridgeEnter', { ...call, Uniqueid: phone, BridgeUniqueid: bridge }],
    ['BridgeEnter', { ...call, Uniqueid: trunk, BridgeUniqueid: bridge }],
  ];
}

const dialled = { Application: 'AppDial', Context: 'from-internal', Exten: '' };
const dials = { Application: 'Dial', Context: 'from-trunk', Exten: '74951000101', CallerIDNum: '79261112233' };

describe('a list of channels', () => {
  it('leaves two clients who are parked side by side two calls', () => {
    const tracker = newTracker();
    const told: CallMessage[] = [];
    let at = BEGIN;
    const give = (name: string, headers: Headers): void =>
      void told.push(...tracker.apply(amiEvent(name, headers), (at += 10)));
    for (const one of [...answered(1, 'one'), ...answered(3, 'other')]) give(...one);
    tracker.linkLost(at);
    // Measured: the application of a parked channel is still the one that dialled.
    const rows = [
      row('1.1', 'PJSIP/provider-1', '1.1', { ...dials, BridgeId: 'lot' }),
      row('1.3', 'PJSIP/provider-3', '1.3', { ...dials, BridgeId: 'lot' }),
    ];
    told.push(...tracker.beginSession(at + 5000, false), ...tracker.resync(rows, at + 5001));
    at += 6000;
    give('UnParkedCall', { ParkeeUniqueid: '1.1', ParkeeLinkedid: '1.1' });
    for (const id of ['1.1', '1.3']) give('Hangup', { Uniqueid: id, Linkedid: id, Cause: '16' });
    told.push(...finish(tracker));
    const records = recordsOf(told);
    assert.deepEqual(records.map(({ callId, client }) => [callId, client?.number]).sort(), [
      ['1.1', '79261112201'],
      ['1.3', '79261112203'],
    ]);
  });

  it('makes one call of a client and the phone that he meets in a conference, and leaves two clients two', () => {
    const tracker = newTracker();
    const conference = { Application: 'ConfBridge', BridgeId: 'conference', Exten: '8800' };
    const rows = [
      row('1.1', 'PJSIP/provider-1', '1.1', { ...dials, ...conference }),
      row('1.2', 'PJSIP/provider-2', '1.2', { ...dials, ...conference }),
      row('1.3', 'PJSIP/101-3', '1.3', { ...conference, Context: 'from-internal', CallerIDNum: '101' }),
    ];
    const told = [...tracker.beginSession(BEGIN, false), ...tracker.resync(rows, BEGIN + 10)];
    for (const id of ['1.1', '1.2', '1.3'])
      told.push(...tracker.apply(amiEvent('Hangup', { Uniqueid: id, Cause: '16' }), BEGIN + 5000));
    told.push(...finish(tracker));
    assert.deepEqual(
      recordsOf(told)
        .map(({ direction, talked }) => `${direction} ${talked.join()}`)
        .sort(),
      ['in ', 'in 101'],
    );
  });

  it('tells the direction although its rows, made one after the other, put the younger channel first', () => {
    const incoming = [
      row('1.11', 'PJSIP/101-11', '1.10', { ...dialled, CallerIDNum: '101', BridgeId: 'b', Duration: '00:00:02' }),
      row('1.10', 'PJSIP/provider-10', '1.10', { ...dials, BridgeId: 'b' }),
    ];
    const toTrunk = { ...dialled, Context: 'from-trunk', CallerIDNum: '79261112233', BridgeId: 'b' };
    const outgoing = [
      row('1.11', 'PJSIP/provider-11', '1.10', { ...toTrunk, Duration: '00:00:02' }),
      row('1.10', 'PJSIP/101-10', '1.10', {
        Application: 'Dial',
        Exten: '79261112233',
        CallerIDNum: '101',
        BridgeId: 'b',
      }),
    ];
    for (const [rows, direction] of [[incoming, 'in'] as const, [outgoing, 'out'] as const]) {
      for (const list of [rows, rows.toReversed()]) {
        const tracker = newTracker();
        const told = [...tracker.beginSession(BEGIN, false), ...tracker.resync(list, BEGIN + 10)];
        for (const id of ['1.10', '1.11'])
          told.push(...tracker.apply(amiEvent('Hangup', { Uniqueid: id, Cause: '16' }), BEGIN + 5000));
        told.push(...finish(tracker));
        const [record, ...others] = recordsOf(told);
        assert.equal(others.length, 0);
        assert.equal(record?.direction, direction);
        assert.deepEqual([record.client?.number, record.talked], ['79261112233', ['101']]);
      }
    }
  });

  it('is read by the clock of the PBX, however far from ours that is', () => {
    for (const ahead of [0, 60_000, -60_000]) {
      const tracker = newTracker();
      const told: CallMessage[] = [];
      let at = BEGIN;
      const give = (name: string, headers: Headers): void => {
        at += 10;
        const Timestamp = ((at + ahead) / 1000).toFixed(6);
        told.push(...tracker.apply(amiEvent(name, { Timestamp, ...headers }), at));
      };
      const events = answered(1, 'one');
      // Only the client's channel was heard of.
      for (const one of events.slice(0, 1)) give(...one);
      tracker.linkLost(at);
      at += 10_000;
      told.push(...tracker.beginSession(at, false));
      const rows = [
        row('1.1', 'PJSIP/provider-1', '1.1', { ...dials, BridgeId: 'one', Duration: '00:00:10' }),
        row('1.2', 'PJSIP/101-1', '1.1', { ...dialled, CallerIDNum: '101', BridgeId: 'one', Duration: '00:00:04' }),
      ];
      told.push(...tracker.resync(rows, at));
      at += 2000;
      for (const id of ['1.1', '1.2']) give('Hangup', { Uniqueid: id, Linkedid: '1.1', Cause: '16' });
      told.push(...finish(tracker));
      const [record] = recordsOf(told);
      const { direction, talkSeconds, waitSeconds, endedAt = '' } = record ?? {};
      assert.deepEqual({ direction, talkSeconds, waitSeconds }, { direction: 'in', talkSeconds: 6, waitSeconds: 6 });
      assert.equal(Date.parse(endedAt), at - 10 + ahead);
    }
  });
});
