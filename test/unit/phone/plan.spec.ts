import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TelephonyError } from '../../../lib/errors';
import { numberingPlan } from '../../../lib/phone';

const matches = (extensionPattern: string, digits: string) =>
  numberingPlan({ country: 'RU', extensionPattern }).isExtension(digits);

function refusal(country: string, extensionPattern = ''): TelephonyError {
  try {
    numberingPlan({ country, extensionPattern });
  } catch (error) {
    assert.ok(error instanceof TelephonyError);
    assert.equal(error.code, 'PHONE_BAD_PLAN');
    return error;
  }
  throw new Error(`accepted: ${country} ${extensionPattern}`);
}

describe('numberingPlan', () => {
  it('takes 1 to 6 digits for an extension unless told otherwise', () => {
    for (const pattern of [undefined, '', '  ']) {
      const plan = numberingPlan({ country: ' ru ', ...(pattern === undefined ? {} : { extensionPattern: pattern }) });
      assert.equal(plan.country, 'RU');
      assert.deepEqual(
        ['1', '101', '123456', '', '1234567', '10a', '101\n'].map((digits) => plan.isExtension(digits)),
        [true, true, true, false, false, false, false],
      );
    }
  });

  const table: [pattern: string, yes: string[], no: string[]][] = [
    ['1XX', ['100', '199'], ['99', '200', '1000', '1xx']],
    ['_7XX', ['700', '799'], ['7', '_700']],
    ['1xx 2zn', ['100', '212'], ['202', '211']],
    ['10X.', ['1001', '100123456'], ['100', '10', '1001234567']],
    ['10X!', ['100', '1001', '100123456'], ['10', '1001234567']],
    ['[2-4]XX', ['200', '499'], ['100', '500']],
    ['[13-57]0', ['10', '30', '40', '50', '70'], ['20', '60']],
    ['101-199', ['101', '150', '199'], ['100', '200', '1010']],
    ['0990-1010', ['0990', '1000', '1010'], ['990', '1011']],
    ['101, 102;103\n104', ['101', '102', '103', '104'], ['105']],
    ['NXX', ['200', '999'], ['100']],
  ];
  for (const [pattern, yes, no] of table) {
    it(`understands ${JSON.stringify(pattern)}`, () => {
      assert.deepEqual(
        yes.filter((digits) => !matches(pattern, digits)),
        [],
      );
      assert.deepEqual(
        no.filter((digits) => matches(pattern, digits)),
        [],
      );
    });
  }

  const faults: [pattern: string, says: RegExp][] = [
    ['1YX', /"1YX" holds "Y"/],
    ['1XX, (a+)+$', /"\(a\+\)\+\$" holds "\("/],
    ['.', /only at the end/],
    ['1.X', /only at the end/],
    ['XXXXXXXXX.', /only at the end, after 1 to 8/],
    ['[1-', /holds "\["/],
    ['[]1', /brackets must hold digits/],
    ['[5-1]X', /runs backwards/],
    ['199-101', /from a smaller to a bigger/],
    ['99-101', /as many digits/],
    ['_', /1 to 15 digits/],
    ['X'.repeat(16), /1 to 15 digits/],
    [', ,', /empty/],
    ['1,'.repeat(600), /longer than 1000/],
  ];
  for (const [pattern, says] of faults) {
    it(`says what is wrong with ${JSON.stringify(pattern.slice(0, 20))}`, () => {
      const error = refusal('RU', pattern);
      assert.match(error.message, says);
      assert.match(error.textIn('ru'), /[а-я]/i);
    });
  }

  it('says that a country is none', () => {
    for (const country of ['', 'Russia', 'XX', '7', '__proto__', 'constructor']) {
      assert.match(refusal(country).message, /is no country/);
    }
  });

  it('either compiles a pattern or refuses it in words, and then answers at once', () => {
    const sign = fc.constantFrom('X', 'Z', 'N', 'x', '[', ']', '1', '9', '-', '.', '!', ',', ' ', '_', '(', '+', '\\');
    fc.assert(
      fc.property(
        fc.array(sign, { maxLength: 30 }).map((signs) => signs.join('')),
        (pattern) => {
          let plan;
          try {
            plan = numberingPlan({ country: 'RU', extensionPattern: pattern });
          } catch (error) {
            assert.ok(error instanceof TelephonyError);
            return;
          }
          assert.equal(typeof plan.isExtension('1'.repeat(1000)), 'boolean');
        },
      ),
      { numRuns: 500 },
    );
  });
});
