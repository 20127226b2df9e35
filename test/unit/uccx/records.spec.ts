import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readMessage } from '../../../lib/messages/parse';
import { numberingPlan } from '../../../lib/phone';
import { convert, type Converted, type UccxSettings } from '../../../lib/uccx/records';
import type { RowClock } from '../../../lib/uccx/moments';
import { recordOfClick } from '../../../lib/uccx/clicks';

const settings: UccxSettings = {
  pbx: 'UCCX',
  plan: numberingPlan({ country: 'RU' }),
  clock: { by: 'utc' },
  prefix: '9',
  directions: ['in', 'out', 'internal'],
};

function read(rows: readonly unknown[], more: Partial<UccxSettings> = {}): Converted {
  const work = convert(rows, { ...settings, ...more });
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** A call to the queue that Rita (1001) took after 20 s, and talked 95 s, 5 of them on hold. */
const answered = {
  sessionID: '93000000123',
  sessionSeqNum: 0,
  nodeID: 1,
  contactType: 1,
  contactDisposition: 2,
  originatorType: 3,
  originatorDN: '84951343060',
  destinationDN: '1001',
  calledNumber: '74951000111',
  startDateTime: '2026-11-20 09:00:00.000',
  endDateTime: '2026-11-20 09:01:55.000',
  agentStartDateTime: '2026-11-20 09:00:12.000',
  ringTime: 8,
  talkTime: 90,
  holdTime: 5,
  workTime: 30,
  gmtOffset: 180,
  extension: '1001',
  csqName: 'Sales',
};
const abandoned = {
  ...answered,
  sessionID: '93000000124',
  contactDisposition: 1,
  agentStartDateTime: null,
  ringTime: null,
  talkTime: null,
  holdTime: null,
  extension: null,
};

describe('records of Unified CCX', () => {
  it('have who called, who took it, the queue, the times and the durations', () => {
    const { records, bad, unfinished } = read([answered]);
    assert.deepEqual([records.length, bad, unfinished], [1, 0, 0]);
    assert.deepEqual(records[0], {
      eventId: 'UCCX:uccx-93000000123-0-1:call_record',
      pbx: 'UCCX',
      callId: 'uccx-93000000123-0-1',
      direction: 'in',
      client: { number: '84951343060', e164: '+74951343060', national: '4951343060' },
      extension: '1001',
      line: { number: '74951000111' },
      queue: { id: 'Sales', name: 'Sales' },
      startedAt: '2026-11-20T09:00:00.000Z',
      answeredAt: '2026-11-20T09:00:20.000Z',
      endedAt: '2026-11-20T09:01:55.000Z',
      waitSeconds: 20,
      talkSeconds: 95,
      holdSeconds: 5,
      result: 'answered',
      rung: ['1001'],
      talked: ['1001'],
      legs: [
        {
          legId: 'uccx-93000000123-0-1-0',
          extension: '1001',
          ringingAt: '2026-11-20T09:00:12.000Z',
          answeredAt: '2026-11-20T09:00:20.000Z',
          endedAt: '2026-11-20T09:01:55.000Z',
          talkSeconds: 95,
          result: 'answered',
        },
      ],
      firstExtension: '1001',
      lastExtension: '1001',
    });
  });

  it('tell a call that was given up in a queue from one that found nobody', () => {
    const [gone] = read([abandoned]).records;
    assert.deepEqual(
      [gone?.result, gone?.hangup?.by, gone?.talkSeconds, gone?.waitSeconds],
      ['abandoned', 'client', 0, 115],
    );
    assert.equal(gone?.extension, undefined);
    // Given up in the menu, ended by the script, aborted by the system.
    for (const other of [{ csqName: null }, { contactDisposition: 2 }, { contactDisposition: 4 }])
      assert.equal(read([{ ...abandoned, ...other }]).records[0]?.result, 'missed', JSON.stringify(other));
    const notTaken = { ...answered, contactDisposition: 1, ringTime: 15, talkTime: 0, holdTime: 0, rna: 't' };
    const [rung] = read([notTaken]).records;
    assert.deepEqual([rung?.result, rung?.rung, rung?.talked, rung?.extension], ['abandoned', ['1001'], [], '1001']);
    assert.equal(rung?.legs[0]?.result, 'missed');
  });

  it('make one call of the rows of all its agents and queues, in any order, however often they are there', () => {
    const first = { ...answered, ringTime: 15, talkTime: 0, holdTime: 0, extension: '1002', csqName: 'Support' };
    const second = { ...answered, agentStartDateTime: '2026-11-20 09:00:30.000', queueDisposition: 2 };
    const twice = { ...second, csqName: 'Overflow', queueDisposition: 5 };
    const expected = read([first, second, twice]).records;
    assert.deepEqual(
      expected.map(({ rung, talked, queue, talkSeconds, legs }) => [rung, talked, queue?.id, talkSeconds, legs.length]),
      [[['1002', '1001'], ['1001'], 'Sales', 95, 2]],
    );
    assert.deepEqual(read([twice, second, first, first]).records, expected);
  });

  it('hold nobody longer than the call lasted, however the tables disagree', () => {
    for (const wrong of [
      { holdTime: 911 },
      { talkTime: 4000 },
      { ringTime: 600 },
      { agentStartDateTime: '2026-11-20 08:00:00.000' },
      { agentStartDateTime: '2026-11-20 10:00:00.000' },
      { agentStartDateTime: null, holdTime: 911 },
    ]) {
      const [record] = read([{ ...answered, ...wrong }]).records;
      assert.ok(record, JSON.stringify(wrong));
      const {
        startedAt,
        answeredAt = '',
        endedAt = '',

        talkSeconds = 0,
        holdSeconds = 0,
        legs,
      } = record;
      assert.ok(holdSeconds <= talkSeconds && talkSeconds <= 115, JSON.stringify(record));
      assert.ok(startedAt <= answeredAt && answeredAt <= endedAt);
      const [leg] = legs;
      assert.ok(leg?.talkSeconds !== undefined && leg.talkSeconds <= 115, JSON.stringify(leg));
      const order = [startedAt, leg.ringingAt, leg.answeredAt, leg.endedAt, endedAt].filter((at) => at !== undefined);
      assert.deepEqual(order, [...order].sort(), JSON.stringify(wrong));
    }
  });

  it('are one for one call, however a driver writes its number', () => {
    const numbers = ['93000000123', '0093000000123', 93000000123, 93000000123n, ' 093000000123.0'];
    const { records } = read(numbers.map((sessionID) => ({ ...answered, sessionID, nodeID: '01' })));
    assert.deepEqual(
      records.map(({ callId }) => callId),
      ['uccx-93000000123-0-1'],
    );
    assert.equal(read([{ ...answered, sessionSeqNum: '00' }]).records[0]?.callId, 'uccx-93000000123-0-1');
  });

  it('are the same for the same rows, whatever else is read with them', () => {
    const [alone] = read([answered]).records;
    const others = [
      { ...abandoned, nodeID: 2, startDateTime: '2026-11-20 08:00:00' },
      abandoned,
      { ...answered, sessionSeqNum: 1 },
    ];
    const { records } = read([...others, answered, answered]);
    assert.equal(records.length, 4);
    assert.deepEqual(
      records.find(({ callId }) => callId === alone?.callId),
      alone,
    );
    assert.deepEqual(
      records.map(({ startedAt }) => startedAt),
      [...records.map(({ startedAt }) => startedAt)].sort(),
    );
    assert.equal(new Set(records.map(({ eventId }) => eventId)).size, 4);
  });

  it('know calls that agents dial, with the outside line taken off, and calls among themselves', () => {
    const dialled = {
      ...abandoned,
      contactType: 2,
      contactDisposition: 2,
      originatorType: 1,
      originatorDN: '1001',
      destinationDN: '989031234567',
      connectTime: 60,
    };
    const [out] = read([dialled]).records;
    assert.deepEqual(
      [out?.direction, out?.client?.e164, out?.client?.number, out?.extension, out?.result, out?.talkSeconds],
      ['out', '+79031234567', '89031234567', '1001', 'answered', 60],
    );
    assert.equal(read([{ ...dialled, contactDisposition: 1 }]).records[0]?.result, 'no-answer');
    const [inside] = read([{ ...dialled, destinationDN: '1002', calledNumber: '1002' }]).records;
    assert.deepEqual([inside?.direction, inside?.client, inside?.peer?.extension], ['internal', undefined, '1001']);
    assert.deepEqual(read([dialled, answered], { directions: ['in'] }).records.length, 1);
  });

  it('have no client when the number is withheld, and keep a number that nobody knows as it is', () => {
    for (const originatorDN of [null, '', 'anonymous', 'NULL'])
      assert.equal(read([{ ...answered, originatorDN }]).records[0]?.client, undefined, String(originatorDN));
    const [odd] = read([{ ...answered, originatorDN: '00000000000001' }]).records;
    assert.deepEqual(odd?.client, { number: '00000000000001' });
  });

  it('find columns whatever their case, table and underscores', () => {
    const written = Object.fromEntries(
      Object.entries(answered).map(([name, value]) => [`CCD.${name.replace(/([A-Z])/g, '_$1').toUpperCase()}`, value]),
    );
    assert.deepEqual(read([written]).records, read([answered]).records);
    const lower = Object.fromEntries(Object.entries(answered).map(([name, value]) => [name.toLowerCase(), value]));
    assert.deepEqual(read([lower]).records, read([answered]).records);
    const texts = Object.fromEntries(Object.entries(answered).map(([name, value]) => [name, `${value} `]));
    assert.equal(read([texts]).records[0]?.talkSeconds, 95);
  });
});

describe('times of Unified CCX', () => {
  const times = (row: object, clock: RowClock) =>
    read([{ ...answered, agentStartDateTime: null, ...row }], { clock }).records.map(({ startedAt, endedAt }) => [
      startedAt,
      endedAt,
    ]);
  const berlin: RowClock = { by: 'zone', zone: 'Europe/Berlin' };

  it('are UTC as the database has them, whatever offset stands beside', () => {
    const expected = [['2026-11-20T09:00:00.000Z', '2026-11-20T09:01:55.000Z']];
    for (const gmtOffset of [180, -300, 9999, null, 'x'])
      assert.deepEqual(times({ gmtOffset }, { by: 'utc' }), expected, String(gmtOffset));
    assert.deepEqual(
      times(
        { startDateTime: new Date('2026-11-20T09:00:00Z'), endDateTime: Date.parse('2026-11-20T09:01:55Z') },
        berlin,
      ),
      expected,
    );
    assert.deepEqual(
      times({ startDateTime: '2026-11-20T12:00:00+03:00', endDateTime: '2026-11-20 04:01:55-0500' }, berlin),
      expected,
    );
  });

  it('are local by the offset of each row, if that is chosen, and a row without a usable one is left out', () => {
    const clock: RowClock = { by: 'offset' };
    assert.deepEqual(times({ gmtOffset: 180 }, clock), [['2026-11-20T06:00:00.000Z', '2026-11-20T06:01:55.000Z']]);
    assert.deepEqual(times({ gmtOffset: '-210' }, clock), [['2026-11-20T12:30:00.000Z', '2026-11-20T12:31:55.000Z']]);
    for (const gmtOffset of [null, 10_800_000, 7, 'Moscow']) assert.deepEqual(times({ gmtOffset }, clock), []);
  });

  it('are local by the rules of a zone, summer and winter', () => {
    const summer = { startDateTime: '2026-07-01 12:00:00', endDateTime: '2026-07-01 12:01:00' };
    assert.deepEqual(times(summer, berlin), [['2026-07-01T10:00:00.000Z', '2026-07-01T10:01:00.000Z']]);
    const winter = { startDateTime: '2026-12-01 12:00:00', endDateTime: '2026-12-01 12:01:00' };
    assert.deepEqual(times(winter, berlin), [['2026-12-01T11:00:00.000Z', '2026-12-01T11:01:00.000Z']]);
  });

  it('are right in the night in which clocks are set back', () => {
    // 02:00 to 03:00 comes twice on 25 October 2026; the row's own offset tells which it was.
    const at = { startDateTime: '2026-10-25 02:30:00', endDateTime: '2026-10-25 02:40:00' };
    assert.deepEqual(times({ ...at, gmtOffset: 120 }, berlin), [
      ['2026-10-25T00:30:00.000Z', '2026-10-25T00:40:00.000Z'],
    ]);
    assert.deepEqual(times({ ...at, gmtOffset: 60 }, berlin), [
      ['2026-10-25T01:30:00.000Z', '2026-10-25T01:40:00.000Z'],
    ]);
    // A wrong offset is nobody's; a call that seems to end before it began went over the hour.
    assert.deepEqual(times({ ...at, gmtOffset: 180 }, berlin), [
      ['2026-10-25T00:30:00.000Z', '2026-10-25T00:40:00.000Z'],
    ]);
    const over = { startDateTime: '2026-10-25 02:55:00', endDateTime: '2026-10-25 02:05:00', gmtOffset: null };
    assert.deepEqual(times(over, berlin), [['2026-10-25T00:55:00.000Z', '2026-10-25T01:05:00.000Z']]);
  });

  it('are right in the night in which clocks are set forward', () => {
    const at = { startDateTime: '2026-03-29 01:59:00', endDateTime: '2026-03-29 03:01:00' };
    assert.deepEqual(times(at, berlin), [['2026-03-29T00:59:00.000Z', '2026-03-29T01:01:00.000Z']]);
  });
});

describe('rows that cannot be used', () => {
  const bad = (row: unknown) => {
    const { records, bad: count, firstBad } = read([answered, row]);
    assert.deepEqual([records.length, count, firstBad?.row], [1, 1, 2], JSON.stringify(row));
    return firstBad?.problem.en ?? '';
  };

  it('are named, and the others are read', () => {
    for (const row of [null, 7, 'x', [], [1], true, () => 1]) assert.match(bad(row), /no object/);
    assert.match(bad({}), /sessionID, sessionSeqNum, nodeID/);
    for (const sessionID of [null, '', 'abc', -1, 1.5, 930_000_001_234_567_900, {}, "1'; DROP TABLE"])
      assert.match(bad({ ...abandoned, sessionID }), /sessionID is missing/);
    for (const startDateTime of [
      'yesterday',
      '2026-02-30 09:00:00',
      '1899-01-01 00:00:00',
      {},
      NaN,
      '2026-11-20 25:00:00',
    ])
      assert.match(bad({ ...abandoned, startDateTime }), /a time in it is none/);
    assert.match(bad({ ...abandoned, endDateTime: '2026-11-20 08:59:59' }), /ends before/);
    assert.match(bad({ ...abandoned, endDateTime: '2026-12-20 08:59:59' }), /lasts for days/);
  });

  it('are not those of calls that still go on', () => {
    const { records, bad: count, unfinished } = read([{ ...answered, endDateTime: null }, abandoned]);
    assert.deepEqual([records.length, count, unfinished], [1, 0, 1]);
  });

  it('never throw, and never make a record that cannot be delivered', () => {
    const value = fc.oneof(
      fc.constantFrom(
        null,
        undefined,
        '',
        'NULL',
        "'; --",
        '<a&b>',
        '84951343060',
        '9',
        '1001',
        -5,
        1e30,
        NaN,
        Infinity,
      ),
      fc.constantFrom('2026-11-20 09:00:00.000', '2026-11-20 09:30:00', '2026-11-20'),
      fc.string({ unit: 'binary' }),
      fc.integer(),
      fc.date(),
      fc.bigInt(),
    );
    const row = fc
      .tuple(fc.dictionary(fc.constantFrom(...Object.keys(answered), '__proto__', 'rna'), value), fc.boolean())
      .map(([changes, isWhole]) => (isWhole ? { ...answered, ...changes } : changes));
    fc.assert(
      fc.property(fc.array(row, { maxLength: 8 }), fc.constantFrom('utc', 'offset'), (rows, by) => {
        for (const record of read(rows, { clock: { by } as RowClock }).records) {
          const { payload } = readMessage('call_record', record);
          assert.ok(Date.parse(payload.endedAt ?? '') >= Date.parse(payload.startedAt));
          assert.ok(
            (payload.talkSeconds ?? 0) <=
              (Date.parse(payload.endedAt ?? '') - Date.parse(payload.startedAt)) / 1000 + 1,
          );
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('are those of one call beyond any measure: its record stays one that can be delivered', () => {
    const rings = Array.from({ length: 2999 }, (_, n) => ({
      ...answered,
      talkTime: 0,
      holdTime: 0,
      ringTime: 1 + (n % 20),
      extension: String(2000 + n),
    }));
    const { records, bad: left, firstBad } = read([answered, ...rings]);
    const [record] = records;
    assert.deepEqual([records.length, left, firstBad?.row], [1, 2000, 1001]);
    assert.match(firstBad?.problem.en ?? '', /more than 1000 rows/);
    assert.deepEqual([record?.result, record?.talked, record?.legs.length], ['answered', ['1001'], 200]);
    assert.ok(readMessage('call_record', record));
    // Rings of an hour, and the one who took it at last.
    const [long] = read([
      ...rings.slice(0, 300),
      { ...answered, agentStartDateTime: '2026-11-20 09:00:30.000' },
    ]).records;
    assert.deepEqual([long?.legs.length, long?.legs.at(-1)?.extension], [200, '1001']);
  });

  it('cost little, however large they are', () => {
    const huge = 'x'.repeat(5_000_000);
    const [record] = read([{ ...answered, originatorDN: huge, csqName: huge, [huge]: huge }]).records;
    assert.ok(JSON.stringify(record).length < 2000);
  });
});

describe('the record of a click through Finesse', () => {
  const neverDialled = {
    eventId: 'tcrm-a-7-outcome',
    pbx: 'Finesse',
    orderId: 7,
    outcome: 'answered',
    number: '89031234567',
    e164: '+79031234567',
    extension: '1001',
    queuedAt: '2026-11-20T08:59:59.000Z',
    endedAt: '2026-11-20T09:01:10.000Z',
    data: { bitrix24: { callId: 'externalCall.1.2' } },
  };
  const outcome = {
    ...neverDialled,
    startedAt: '2026-11-20T09:00:00.000Z',
    answeredAt: '2026-11-20T09:00:10.000Z',
  };

  it('finishes the call that the CRM began', () => {
    const record = recordOfClick(outcome, settings);
    assert.deepEqual(readMessage('call_record', record).payload, {
      eventId: 'UCCX:tcrm-a-7-outcome:call_record',
      pbx: 'UCCX',
      callId: 'tcrm-a-7-outcome',
      direction: 'out',
      client: { number: '89031234567', e164: '+79031234567', national: '9031234567' },
      extension: '1001',
      firstExtension: '1001',
      lastExtension: '1001',
      startedAt: '2026-11-20T09:00:00.000Z',
      answeredAt: '2026-11-20T09:00:10.000Z',
      endedAt: '2026-11-20T09:01:10.000Z',
      waitSeconds: 10,
      talkSeconds: 60,
      result: 'answered',
      variables: { BITRIX24_CALL_ID: 'externalCall.1.2' },
      rung: [],
      talked: ['1001'],
      legs: [],
    });
  });

  it('tells how it failed', () => {
    for (const [word, result] of [
      ['busy', 'busy'],
      ['no-answer', 'no-answer'],
      ['cancelled', 'cancelled'],
      ['failed', 'failed'],
      ['refused', 'failed'],
      ['expired', 'failed'],
    ] as const) {
      const record = recordOfClick({ ...outcome, outcome: word }, settings);
      assert.deepEqual([record?.result, record?.talkSeconds, record?.talked], [result, 0, []]);
    }
  });

  it('is not made of an order that was never dialled, unless a CRM waits for its end', () => {
    const refused = { ...neverDialled, outcome: 'refused' };
    assert.equal(recordOfClick(refused, settings)?.startedAt, '2026-11-20T08:59:59.000Z');
    assert.equal(recordOfClick({ ...refused, data: undefined }, settings), undefined);
    for (const data of [null, 7, { bitrix24: null }, { bitrix24: { callId: 'a b;c' } }])
      assert.equal(recordOfClick({ ...refused, data }, settings), undefined);
  });
});
