import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeAction, toWire } from '../../../lib/ami/encode';
import type { AmiAction } from '../../../lib/ami/types';
import { TelephonyError } from '../../../lib/errors';

const wire = (action: AmiAction): string[] => toWire(encodeAction(action, 'id')).split('\r\n').slice(2, -2);

function refusal(action: AmiAction): TelephonyError {
  try {
    encodeAction(action, 'id');
  } catch (thrown) {
    assert.ok(thrown instanceof TelephonyError);
    return thrown;
  }
  assert.fail('was not refused');
}

/** What Asterisk makes of the text after `Variable: ` (main/app.c: split at commas, take quotes away, resolve \). */
function asteriskReads(text: string): string[] {
  const parts = [''];
  let quoted = false;
  let round = 0;
  let square = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '"') quoted = !quoted;
    else if (char === ',' && !quoted && round === 0 && square === 0) parts.push('');
    else {
      if (char === '(') round++;
      else if (char === ')' && round > 0) round--;
      else if (char === '[') square++;
      else if (char === ']' && square > 0) square--;
      parts.push((parts.pop() ?? '') + (char === '\\' ? text.charAt(++at) : char));
    }
  }
  return parts;
}

describe('AMI encoding', () => {
  it('writes the action, its id, headers in order, repeated ones repeated, nothing for undefined', () => {
    const action: AmiAction = { action: 'Test', headers: { A: 1, B: ['x', true], C: undefined, D: '' } };
    assert.equal(
      toWire(encodeAction(action, 'id-1')),
      'Action: Test\r\nActionID: id-1\r\nA: 1\r\nB: x\r\nB: true\r\nD: \r\n\r\n',
    );
  });

  it('repeats Variable, and quotes only what needs it', () => {
    const variables = { CRM_ID: 'deal-42', __NAME: 'Ivanov, Ivan,ADMIN=1', 'CALLERID(name)': 'a"b\\c', N: 5 };
    assert.deepEqual(wire({ action: 'Test', variables }), [
      'Variable: CRM_ID=deal-42',
      'Variable: __NAME="Ivanov, Ivan,ADMIN=1"',
      'Variable: CALLERID(name)="a\\"b\\\\c"',
      'Variable: N=5',
    ]);
  });

  it('makes exactly the value arrive, whatever it is, by the rules of Asterisk', () => {
    const value = fc.string({ unit: fc.constantFrom(...Array.from('ab,"\\()[]= ${}я;&|')) });
    fc.assert(
      fc.property(value, (text) => {
        const [line = ''] = wire({ action: 'Test', variables: { V: text } });
        assert.deepEqual(asteriskReads(line.slice('Variable: '.length)), [`V=${text}`]);
      }),
      { numRuns: 2000 },
    );
  });

  it('never lets a value start a line of its own', () => {
    const any = fc.string({ unit: fc.constantFrom('\r', '\n', '\0', 'a', ':', ' ', 'Action: X') });
    fc.assert(
      fc.property(any, any, any, (name, value, variable) => {
        let text: string;
        try {
          text = toWire(
            encodeAction({ action: 'Test', headers: { [name]: value }, variables: { [variable]: value } }, 'id'),
          );
        } catch {
          return;
        }
        assert.equal(text.split('\n').length, 6);
        assert.doesNotMatch(text, /\0|\r(?!\n)/);
      }),
      { numRuns: 2000 },
    );
  });

  it('names the part that it refuses, in both languages, without the value', () => {
    const error = refusal({ action: 'Originate', headers: { CallerID: 'secret\r\nAction: Command' } });
    assert.equal(error.code, 'AMI_BAD_VALUE');
    for (const text of [error.textIn('en'), error.textIn('ru')]) {
      assert.match(text, /Originate.*CallerID/);
      assert.doesNotMatch(text, /secret|Command/);
    }
    assert.match(refusal({ action: 'Test', variables: { NAME: 'a\nb' } }).message, /variable NAME/);
  });

  it('refuses what would be read otherwise than it was meant', () => {
    const headers: Record<string, string>[] = [
      { 'A b': 'x' },
      { 'A:': 'x' },
      { '': 'x' },
      { ActionID: 'x' },
      { action: 'x' },
    ];
    for (const one of headers) assert.equal(refusal({ action: 'Test', headers: one }).code, 'AMI_BAD_VALUE');
    for (const name of ['A,B', 'A=B', 'A"', 'A\\', '', 'A(b', 'A)b(']) {
      assert.equal(refusal({ action: 'Test', variables: { [name]: 'x' } }).code, 'AMI_BAD_VALUE', name);
    }
    for (const action of ['', 'Pi ng', 'Ping:']) assert.equal(refusal({ action }).code, 'AMI_BAD_VALUE');
  });

  it('refuses what is no text, whatever a flow hands in', () => {
    for (const value of [null, {}, () => 1, Symbol('x')] as unknown as string[]) {
      assert.equal(refusal({ action: 'Test', headers: { A: value } }).code, 'AMI_BAD_VALUE');
      assert.equal(refusal({ action: 'Test', variables: { A: value } }).code, 'AMI_BAD_VALUE');
    }
    assert.equal(refusal({ action: undefined as unknown as string }).code, 'AMI_BAD_VALUE');
  });

  it('keeps to the bounds of Asterisk, in bytes', () => {
    const fits = 1024 - 'X: \r\n'.length;
    assert.equal(wire({ action: 'Test', headers: { X: 'a'.repeat(fits) } }).length, 1);
    assert.match(refusal({ action: 'Test', headers: { X: 'a'.repeat(fits + 1) } }).message, /1024 bytes/);
    assert.equal(refusal({ action: 'Test', headers: { X: 'я'.repeat(fits / 2 + 1) } }).code, 'AMI_BAD_VALUE');
    assert.equal(wire({ action: 'Test', headers: { X: Array<number>(126).fill(1) } }).length, 126);
    assert.match(refusal({ action: 'Test', headers: { X: Array<number>(127).fill(1) } }).message, /128/);
  });

  it('refuses an Originate that would freeze the session', () => {
    assert.equal(refusal({ action: 'Originate', headers: { Channel: 'x' } }).code, 'AMI_BLOCKING_ACTION');
    assert.equal(refusal({ action: 'originate', headers: { Async: 'no' } }).code, 'AMI_BLOCKING_ACTION');
    assert.equal(wire({ action: 'Originate', headers: { async: true } }).length, 1);
  });
});
