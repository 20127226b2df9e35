import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TextMessage } from '../../../lib/ami/message';
import { recordings } from './recordings';

const event = (...lines: string[]): TextMessage => new TextMessage('event', 'A', lines.join('\r\n'));

describe('AMI message', () => {
  it('finds headers without case, in order, repeated ones included', () => {
    const message = event('Event: A', 'UniqueID: 1', 'Output: one', 'Output: ', 'output: three');
    assert.equal(message.get('uniqueid'), '1');
    assert.equal(message.get('Output'), 'one');
    assert.deepEqual(message.all('OUTPUT'), ['one', '', 'three']);
    assert.equal(message.get('none'), undefined);
  });

  it('shows the names as sent, one value as text, several as a list', () => {
    const message = event('Event: A', 'DealId: 42', 'Output: a', 'Output: b', 'Output: c');
    assert.deepEqual({ ...message.toObject() }, { Event: 'A', DealId: '42', Output: ['a', 'b', 'c'] });
  });

  it('keeps everything after the first separator: colons, blanks, line feeds, backslashes', () => {
    const message = event('Event: A', 'X: a: b: c', 'Y:   two blanks more  ', 'Z: one\ntwo: three', 'W: a\\"b');
    assert.equal(message.get('X'), 'a: b: c');
    assert.equal(message.get('Y'), '  two blanks more  ');
    assert.equal(message.get('Z'), 'one\ntwo: three');
    assert.equal(message.get('W'), 'a\\"b');
  });

  it('reads a name with brackets, and a header without a blank', () => {
    const message = event(
      'Event: A',
      'ChanVariable(PJSIP/101-0000003a): CRM_ID=deal-42',
      'Empty:',
      'Tight:x',
      'no header',
    );
    assert.equal(message.get('ChanVariable(PJSIP/101-0000003a)'), 'CRM_ID=deal-42');
    assert.equal(message.get('Empty'), '');
    assert.equal(message.get('Tight'), 'x');
    assert.equal(Object.keys(message.toObject()).length, 4);
  });

  it('takes names that mean something to JavaScript for names', () => {
    const message = event('Event: A', '__proto__: evil', 'constructor: a', 'constructor: b', 'toString: c');
    assert.equal(message.get('__proto__'), 'evil');
    assert.deepEqual(message.all('constructor'), ['a', 'b']);
    assert.equal(message.get('hasOwnProperty'), undefined);
    const object = message.toObject();
    assert.equal(Object.getPrototypeOf(object), null);
    assert.equal(object.__proto__, 'evil');
    assert.deepEqual(object.constructor, ['a', 'b']);
    assert.equal(({} as Record<string, unknown>).evil, undefined);
  });

  it('gives a header under its exact name before one under another case', () => {
    assert.equal(event('Event: A', 'uniqueid: forged', 'Uniqueid: 1').get('Uniqueid'), '1');
  });

  it('shows the raw answer of Command before Asterisk 14 as Output headers', () => {
    const text = 'Response: Follows\r\nPrivilege: Command\r\nActionID: 7\r\n\nName: Host\n2 peers\n--END COMMAND--';
    const message = new TextMessage('response', 'Follows', text);
    assert.equal(message.get('ActionID'), '7');
    assert.deepEqual(message.all('Output'), ['', 'Name: Host', '2 peers']);
  });

  it('reads every message of the recordings as a plain split does', () => {
    for (const { name, bytes } of recordings()) {
      for (const text of bytes.toString('utf8').split('\r\n\r\n').slice(0, -1)) {
        const message = new TextMessage('event', 'x', text);
        for (const line of text.split('\r\n')) {
          const [header = '', ...rest] = line.split(': ');
          assert.ok(message.all(header).includes(rest.join(': ')), `${name}: ${line}`);
        }
      }
    }
  });

  it('gives back any headers that were put in', () => {
    const header = fc.string({ minLength: 1, unit: 'grapheme-ascii' }).filter((name) => !/[:\s]/.test(name));
    const value = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\r') && !/[\ud800-\udfff]/.test(text));
    fc.assert(
      fc.property(fc.array(fc.tuple(header, value)), (headers) => {
        const message = event(...headers.map(([name, text]) => `${name}: ${text}`));
        for (const [name] of headers) {
          const expected = headers.filter(([other]) => other.toLowerCase() === name.toLowerCase());
          assert.deepEqual(
            message.all(name),
            expected.map(([, text]) => text),
          );
        }
      }),
    );
  });

  it('reads an answer of 80 000 lines quickly, and a kept line does not keep the answer', function () {
    const lines = Array.from({ length: 80_000 }, (_, n) => `Output: line ${n} of the answer of a command, as usual`);
    const text = ['Response: Success', ...lines].join('\r\n');
    new TextMessage('response', 'Success', text).all('Output');
    const started = process.cpuUsage();
    const output = new TextMessage('response', 'Success', text).all('Output');
    const used = process.cpuUsage(started);
    assert.equal(output.length, 80_000);
    assert.equal(output[79_999], 'line 79999 of the answer of a command, as usual');
    assert.ok(used.user + used.system < 400_000, `${used.user + used.system} µs`);
  });

  it('finds no separator in a long text without searching it again for each line', () => {
    const text = 'no separator\r\n'.repeat(80_000);
    const started = process.cpuUsage();
    assert.equal(new TextMessage('event', 'A', text).get('x'), undefined);
    const used = process.cpuUsage(started);
    assert.ok(used.user + used.system < 400_000, `${used.user + used.system} µs`);
  });
});
