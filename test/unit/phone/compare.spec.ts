import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { getCountries, getExampleNumber, type Examples } from 'libphonenumber-js/max';
import { numberingPlan, numberKey, numberVariants, parseNumber } from '../../../lib/phone';

const examples = JSON.parse(
  readFileSync(require.resolve('libphonenumber-js/examples.mobile.json'), 'utf8'),
) as Examples;
const russia = numberingPlan({ country: 'RU' });
const variants = (text: string) => numberVariants(parseNumber(text, russia));

describe('numberVariants', () => {
  it('gives the four ways in which a Russian CRM holds a number', () => {
    assert.deepEqual(variants('+74951343060'), ['+74951343060', '74951343060', '84951343060', '4951343060']);
    assert.deepEqual(variants('87012345678'), ['+77012345678', '77012345678', '87012345678', '7012345678']);
  });

  it('takes the trunk prefix of other countries from their numbering plans', () => {
    assert.deepEqual(variants('+442079460958'), ['+442079460958', '442079460958', '02079460958', '2079460958']);
    assert.deepEqual(variants('+12015550123'), ['+12015550123', '12015550123', '2015550123']);
    assert.deepEqual(variants('+80012345678'), ['+80012345678', '80012345678']);
  });

  it('gives what is no phone number as it stands', () => {
    assert.deepEqual(variants('101'), ['101']);
    assert.deepEqual(variants('8495134306'), ['8495134306']);
    assert.deepEqual(variants('anonymous'), []);
  });

  it('gives only variants that mean the same number in its country, for every country', () => {
    const noExtensions = { isExtension: () => false };
    for (const country of getCountries()) {
      const example = getExampleNumber(country, examples);
      if (example === undefined) continue;
      const plan = { country, ...noExtensions };
      const parsed = parseNumber(example.number, plan);
      if (parsed.kind !== 'phone' || parsed.country !== country) continue;
      for (const variant of numberVariants(parsed)) {
        const again = parseNumber(variant, plan);
        assert.equal(numberKey(again), parsed.e164, `${country}: ${variant}`);
      }
    }
  });

  it('gives only variants that mean the same number, for any Russian or Kazakh number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3_000_000_000, max: 9_999_999_999 }), (subscriber) => {
        const parsed = parseNumber(`+7${subscriber}`, russia);
        if (parsed.kind !== 'phone') return;
        for (const variant of numberVariants(parsed))
          assert.equal(numberKey(parseNumber(variant, russia)), parsed.e164);
      }),
      { numRuns: 500 },
    );
  });
});

describe('numberKey', () => {
  it('makes one key of every way to write a number, the extension behind it left out', () => {
    for (const text of ['84951343060', '4951343060', '+7 495 134-30-60 доб. 12', 'sip:74951343060@host']) {
      assert.equal(numberKey(parseNumber(text, russia)), '+74951343060');
    }
  });

  it('keeps extensions, raw digits and phones apart', () => {
    assert.equal(numberKey({ kind: 'extension', extension: '101' }), 'ext:101');
    assert.equal(numberKey({ kind: 'raw', digits: '101' }), 'raw:101');
  });

  it('has none for a number that is withheld', () => {
    for (const text of ['anonymous', '']) assert.equal(numberKey(parseNumber(text, russia)), undefined);
  });
});
