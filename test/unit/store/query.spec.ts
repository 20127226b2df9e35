import assert from 'node:assert/strict';
import { callQuery } from '../../../lib/store/query';

const bad = (payload: unknown, word: RegExp) =>
  assert.throws(
    () => callQuery(payload),
    (thrown: { code: string; message: string }) => thrown.code === 'QUERY_BAD' && word.test(thrown.message),
    JSON.stringify(payload),
  );

describe('store: the question for calls', () => {
  it('takes times as ISO, seconds or milliseconds, as number or text', () => {
    const noon = Date.UTC(2026, 0, 31, 12);
    for (const from of [
      '2026-01-31T12:00:00Z',
      '2026-01-31T15:00:00+03:00',
      noon,
      String(noon),
      noon / 1000,
      String(noon / 1000),
      new Date(noon),
    ]) {
      assert.equal(callQuery({ from }).from, noon, String(from));
    }
    const day = Date.UTC(2026, 0, 31);
    assert.deepEqual(callQuery({ from: '2026-01-31', to: '2026-01-31' }), {
      limit: 50,
      from: day,
      to: day + 86_399_999,
    });
    bad({ from: 'yesterday' }, /"from" is "yesterday"/);
    bad({ to: {} }, /"to" is "object"/);
    bad({ to: NaN }, /"to"/);
    for (const far of [
      1e20,
      -1e20,
      '1e20',
      '9'.repeat(30),
      8.64e15,
      -8.64e15,
      Infinity,
      new Date(NaN),
      new Date(8.64e15),
    ]) {
      bad({ from: far }, /"from"/);
      bad({ to: far }, /"to"/);
    }
    assert.equal(callQuery({ to: '9999-12-31' }).to, Date.parse('9999-12-31T23:59:59.999Z'));
  });

  it('takes one value, a list, or values with commas', () => {
    assert.deepEqual(callQuery({ numbers: '101, 102' }).numbers, ['101', '102']);
    assert.deepEqual(callQuery({ numbers: 74951234567 }).numbers, ['74951234567']);
    assert.deepEqual(callQuery({ extensions: [101, '102 '] }).extensions, ['101', '102']);
    assert.deepEqual(callQuery({ results: 'missed,abandoned', directions: ['in'] }), {
      limit: 50,
      results: ['missed', 'abandoned'],
      directions: ['in'],
    });
    bad({ numbers: ['anonymous'] }, /no digits/);
    bad({ numbers: [] }, /"numbers"/);
    bad({ queues: [{}] }, /"queues"/);
    bad({ extensions: Array.from({ length: 101 }, (_, n) => n) }, /1 to 100/);
    bad({ results: ['lost'] }, /no "lost"; there are answered, missed/);
  });

  it('reads the form of UserCRM, as its document shows it', () => {
    const request = {
      action: 'get_cdr',
      obj: 'UserCRM',
      action_id: '123',
      sort: { dt: '+' },
      limit: 10,
      offset: 0,
      params: { start_dt: '1633074025', end_dt: '1633074725', src_or_dst_list: ['+74951343060', '+74952523060'] },
    };
    assert.deepEqual(callQuery(request), {
      sort: 'startedAt',
      limit: 10,
      offset: 0,
      from: 1_633_074_025_000,
      to: 1_633_074_725_000,
      numbers: ['+74951343060', '+74952523060'],
    });
    assert.deepEqual(callQuery({ sort: { dt: '-' }, params: { src_or_dst_list: [] } }), {
      limit: 50,
      sort: '-startedAt',
    });
    bad({ params: { source: '1' } }, /no "source"/);
  });

  it('refuses a slip of the pen rather than to answer with all calls', () => {
    bad({ number: '101' }, /no "number"; known are from/);
    bad({ limit: 0 }, /1 to 1000/);
    bad({ limit: 1001 }, /1 to 1000/);
    bad({ limit: '10 calls' }, /"limit"/);
    bad({ offset: -1 }, /"offset"/);
    bad({ sort: 'dt' }, /"sort"/);
    bad({ after: 'x', offset: 1 }, /not both/);
    bad([], /object/);
    bad({ sort: { dt: { toString: null } } }, /"sort"/);
    bad({ from: { toString: null } }, /"from" is "object"/);
  });

  it('asks for the usual where nothing is said', () => {
    for (const payload of [undefined, null, '', 1_760_000_000_000, {}, { limit: '', from: null }]) {
      assert.deepEqual(callQuery(payload, { results: ['missed'] }), { limit: 50, results: ['missed'] });
    }
    assert.deepEqual(callQuery({ results: 'busy', limit: '7' }, { results: ['missed'], limit: 5 }), {
      limit: 7,
      results: ['busy'],
    });
  });
});
