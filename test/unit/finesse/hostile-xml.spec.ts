import assert from 'node:assert/strict';
import fc from 'fast-check';
import { escaped, readXml, textIn } from '../../../lib/finesse/xml';

describe('XML of a server that means harm', () => {
  it('is none when it declares anything, refers outside, or never ends', () => {
    const bomb = `<!DOCTYPE l [<!ENTITY a "${'x'.repeat(100)}"><!ENTITY b "&a;&a;">]><Dialogs>&b;</Dialogs>`;
    const outside = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><Dialogs>&f;</Dialogs>';
    for (const text of [bomb, outside, '<a>'.repeat(100_000), '<a/>'.repeat(100_000), '', '{}', '<a', '<a></b>', '\0'])
      assert.equal(readXml(text), undefined, text.slice(0, 40));
  });

  it('is read or refused in linear time: 5 MB of it', () => {
    const started = process.cpuUsage();
    for (const unit of ['<', '<a ', '<!--', '&#x41;', ' a="', '<![CDATA[', 'x', '&', '<a b="c"', '>'])
      readXml(`<r>${unit.repeat(Math.floor(5_000_000 / unit.length))}</r>`);
    assert.ok(process.cpuUsage(started).user < 20_000_000, 'seconds, not hours');
  });

  it('property: any text at all gives an element or none, and what we write is read back', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('<__proto__>1</__proto__>')), (text) => {
        readXml(text);
        const clean = text.trim();
        const root = readXml(`<r><to>${escaped(clean)}</to></r>`);
        assert.equal(textIn(root, 'to'), clean);
      }),
    );
  });
});
