import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AmiMessage } from '../../../lib/ami/types';
import { eventFilter, type FilterOperator } from '../../../lib/pbx/event-filter';
import { amiEvent, amiMessage } from '../../support/ami-messages';

const rule = (operator: FilterOperator, value: string, header = 'X') => [{ header, operator, value }];
const withX = (...values: string[]): AmiMessage =>
  amiMessage(
    'event',
    'Hangup',
    values.map((value) => ['X', value]),
  );
const passes = (operator: FilterOperator, wanted: string, ...values: string[]): boolean =>
  eventFilter('*', rule(operator, wanted)).fits(withX(...values));

describe('event filter', () => {
  it('reads names with commas, blanks or lines between them; * is all', () => {
    assert.deepEqual(eventFilter(' Newchannel,Hangup\n DialBegin ', []).names, ['Newchannel', 'Hangup', 'DialBegin']);
    assert.equal(eventFilter('Hangup, *', []).names, '*');
  });

  it('refuses names that no event has', () => {
    for (const names of ['', ' , ', 'New channel!', '1st', 'a:b', 'x,'.repeat(101)]) {
      assert.throws(() => eventFilter(names, []), { code: 'PBX_BAD_EVENT_NAMES' }, names);
    }
  });

  it('compares header names without case and values with it', () => {
    const fits = (value: string): boolean =>
      eventFilter('*', rule('equals', value, 'chaNNel')).fits(amiEvent('Hangup', { Channel: 'PJSIP/101' }));
    assert.equal(fits('PJSIP/101'), true);
    assert.equal(fits('pjsip/101'), false);
  });

  it('wants every row, takes any of repeated values, and never an absent header', () => {
    const both = [...rule('starts', 'a'), ...rule('contains', 'c')];
    assert.equal(eventFilter('*', both).fits(withX('abc')), true);
    assert.equal(eventFilter('*', both).fits(withX('ab')), false);
    assert.equal(passes('equals', 'b', 'a', 'b'), true);
    assert.equal(passes('like', '*'), false);
    assert.equal(passes('contains', ''), false);
  });

  it('understands * anywhere', () => {
    for (const [pattern, yes, no] of [
      ['PJSIP/1*-*', 'PJSIP/101-0000003a', 'PJSIP/201-0000003a'],
      ['*@from-*', 'Local/1@from-trunk', 'Local/1@from'],
      ['a*a', 'aa', 'a'],
      ['abc', 'abc', 'abcd'],
      ['*', '', undefined],
      ['a*b*b', 'abb', 'ab'],
    ] as const) {
      assert.equal(passes('like', pattern, yes), true, pattern);
      if (no !== undefined) assert.equal(passes('like', pattern, no), false, pattern);
    }
  });

  it('decides as a regular expression would, for any pattern and value', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    fc.assert(
      fc.property(text, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 }), (pattern, value) => {
        const expression = new RegExp(`^${pattern.replace(/\*+/g, '.*')}$`);
        assert.equal(passes('like', pattern, value), expression.test(value));
      }),
    );
  });

  it('is not made slow by a hostile value', () => {
    const begun = performance.now();
    passes('like', '*a'.repeat(127), 'a'.repeat(100) + 'b'.repeat(1_000_000));
    assert.ok(performance.now() - begun < 5000);
  });

  it('refuses rows that cannot be meant, naming them', () => {
    for (const bad of [
      rule('equals', 'x', ''),
      rule('equals', 'x', 'A: b'),
      rule('equals', 'x\r\ny'),
      rule('equals', 'x'.repeat(256)),
      rule('matches' as FilterOperator, 'x'),
    ]) {
      assert.throws(() => eventFilter('*', [...rule('equals', 'fine'), ...bad]), {
        code: 'PBX_BAD_FILTER',
        params: { row: 2, limit: 20 },
      });
    }
    assert.throws(() => eventFilter('*', Array.from({ length: 21 }, () => rule('equals', 'x')).flat()), {
      code: 'PBX_BAD_FILTER',
    });
  });
});
