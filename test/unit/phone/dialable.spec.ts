import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isDialable } from '../../../lib/phone';
import { dialSafeExtension } from '../../../lib/protocols/wire';

describe('what can be dialled', () => {
  for (const text of ['101', '*98', '#7', '+74951343060', 'sales', 'ring_group-2', '0'.repeat(32)]) {
    it(`is ${text}`, () => assert.ok(isDialable(text)));
  }

  const not = [
    '',
    ' 101',
    '10.1',
    '_1XX.',
    '101\n',
    '101,2',
    '101&102',
    'PJSIP/101',
    '101@x',
    '${EXTEN}',
    '１０１',
    'отдел',
  ];
  for (const text of [...not, '0'.repeat(33)]) {
    it(`is not ${JSON.stringify(text)}`, () => assert.ok(!isDialable(text)));
  }

  it('is what every protocol hands to a dialplan, and nothing else', () => {
    const near = fc.string({
      unit: fc.constantFrom(...Array.from('019*#+_-.azAZ,&/@$ \n')),
      minLength: 1,
      maxLength: 34,
    });
    fc.assert(
      fc.property(fc.oneof(near, fc.string({ minLength: 1, unit: 'binary' })), (text) => {
        if (isDialable(text)) assert.equal(dialSafeExtension(text), text);
        else assert.throws(() => dialSafeExtension(text), { code: 'PROTOCOL_UNSAFE_EXTENSION' });
      }),
      { numRuns: 1000 },
    );
  });
});
