import assert from 'node:assert/strict';
import fc from 'fast-check';
import { numberingPlan, parseNumber } from '../../../lib/phone';
import type { ParsedNumber } from '../../../lib/phone/types';

const russia = numberingPlan({ country: 'RU' });

const phone = (e164: string, national: string, country: string, ext?: string): ParsedNumber => ({
  kind: 'phone',
  e164,
  national,
  country,
  ...(ext === undefined ? {} : { ext }),
});
const moscow = phone('+74951343060', '4951343060', 'RU');
const moscow12 = phone('+74951343060', '4951343060', 'RU', '12');
const london = phone('+442079460958', '2079460958', 'GB');
const extension = (digits: string): ParsedNumber => ({ kind: 'extension', extension: digits });
const raw = (digits: string): ParsedNumber => ({ kind: 'raw', digits });
const none = (reason: 'empty' | 'anonymous' | 'too-long' | 'malformed'): ParsedNumber => ({ kind: 'none', reason });

const table: [what: string, input: string, expected: ParsedNumber][] = [
  ['E.164', '+74951343060', moscow],
  ['trunk prefix 8', '84951343060', moscow],
  ['country code without plus', '74951343060', moscow],
  ['national', '4951343060', moscow],
  ['written by a person', '8 (495) 134-30-60', moscow],
  ['white space, tabs and a line end around it', '\t 8 (495) 134-30-60 \r\n', moscow],
  ['no-break spaces', '8\u00a0495\u00a0134-30-60', moscow],
  ['invisible direction marks, as copied from a web page', '\u2066+74951343060\u2069', moscow],
  ['full-width digits', '８４９５１３４３０６０', moscow],
  ['Arabic-Indic digits', '+٧٤٩٥١٣٤٣٠٦٠', moscow],
  ['a word before it', 'т. 84951343060', moscow],
  ['toll free', '88005553535', phone('+78005553535', '8005553535', 'RU')],
  ['Kazakhstan shares +7', '87012345678', phone('+77012345678', '7012345678', 'KZ')],
  ['a leading plus that a URL turned into a space', ' 74951343060', moscow],

  ['доб.', '8 495 134-30-60 доб. 12', moscow12],
  ['добавочный', '8 495 134-30-60 добавочный 12', moscow12],
  ['вн.', '8 495 134-30-60, вн. 12', moscow12],
  ['(доб 12)', '8 495 134-30-60 (доб 12)', moscow12],
  ['ext.', '+7 495 134-30-60 ext. 12', moscow12],
  ['comma', '+74951343060,12', moscow12],
  ['hash', '+74951343060#12', moscow12],
  ['x', '74951343060x12', moscow12],

  ['tel URI', 'tel:+7-495-134-30-60', moscow],
  ['tel URI with extension', 'tel:+7-495-134-30-60;ext=12', moscow12],
  ['tel URI with context', 'tel:4951343060;phone-context=+7', moscow],
  ['tel URI of an extension', 'tel:101;phone-context=pbx.example', extension('101')],
  ['SIP URI', 'sip:+74951343060@10.0.0.1:5060;user=phone', moscow],
  ['SIP URI with escapes and parameters', 'sips:%2B74951343060;npdi@host', moscow],
  ['name-addr', '"Иван Петров" <sip:84951343060@host>;tag=1', moscow],
  ['SIP URI of an extension', 'sip:101@pbx', extension('101')],
  ['address without a scheme', '74951343060@10.0.0.1', moscow],
  ['SIP URI without a user', 'sip:10.0.0.1', none('malformed')],

  ['dialled out of Russia', '8~10 44 20 7946 0958', london],
  ['dialled out of Russia, no tilde', '810442079460958', london],
  ['another country without plus', '442079460958', london],
  ['double zero, though Russia does not dial it', '00442079460958', london],
  ['Belarus without plus', '375291234567', phone('+375291234567', '291234567', 'BY')],
  ['Ukraine without plus', '380501234567', phone('+380501234567', '501234567', 'UA')],
  ['Uzbekistan without plus', '998901234567', phone('+998901234567', '901234567', 'UZ')],

  ['extension', '101', extension('101')],
  ['four digits', '1022', extension('1022')],
  ['emergency', '112', extension('112')],
  ['leading zero', '007', extension('007')],
  ['a plus makes no extension', '+101', raw('101')],
  ['seven digits', '1343060', raw('1343060')],
  ['a digit lost', '8495134306', raw('8495134306')],
  ['E.164 of no plan', '+79', raw('79')],
  ['twenty digits', '1'.repeat(20), raw('1'.repeat(20))],

  ['nothing', '', none('empty')],
  ['white space', ' \r\n\t', none('empty')],
  ['anonymous', 'anonymous', none('anonymous')],
  ['Anonymous', 'Anonymous', none('anonymous')],
  ['unknown', 'unknown', none('anonymous')],
  ['as Asterisk prints it', '<unknown>', none('anonymous')],
  ['restricted', 'Restricted', none('anonymous')],
  ['private', 'private', none('anonymous')],
  ['unavailable', 'Unavailable', none('anonymous')],
  ['anonymous SIP', '"Anonymous" <sip:anonymous@anonymous.invalid>', none('anonymous')],
  ['twenty-one digits', '1'.repeat(21), none('too-long')],
  ['sixty digits', '1'.repeat(60), none('too-long')],
  ['a book', '4951343060 '.repeat(50), none('too-long')],
  ['a word', 'asterisk', none('malformed')],
  ['a word with digits', 'ivan101', none('malformed')],
  ['two numbers', '7 (495) 134-30-60, 8 (926) 111-22-33', none('malformed')],
  ['a slash', '8 (495) 134-30-60 / 61', none('malformed')],
  ['a feature code', '*72', none('malformed')],
  ['an injected header', '74951343060\r\nAction: Originate', none('malformed')],
  ['a line feed inside', '7495\n1343060', none('malformed')],
  ['NUL inside', '7495\u00001343060', none('malformed')],
  ['digits nobody can read', '१२३', none('malformed')],
  ['digits nobody can read among others', '7495134306१', none('malformed')],
];

describe('parseNumber', () => {
  for (const [what, input, expected] of table) {
    it(`${what}: ${JSON.stringify(input.slice(0, 50))}`, () => assert.deepEqual(parseNumber(input, russia), expected));
  }

  it('reads national numbers by the country of the plan', () => {
    const uk = numberingPlan({ country: 'gb' });
    assert.deepEqual(parseNumber('020 7946 0958', uk), london);
    assert.deepEqual(parseNumber('00 7 495 134 30 60', uk), moscow);
    assert.deepEqual(parseNumber('84951343060', uk).kind, 'phone', 'E.164 digits of another country');
    assert.deepEqual(parseNumber('+74951343060', uk), moscow);
  });

  it('takes E.164 digits without a plus for what they are, also where national numbers may be as long', () => {
    const germany = numberingPlan({ country: 'DE' });
    assert.deepEqual(parseNumber('4915123456789', germany), phone('+4915123456789', '15123456789', 'DE'));
    assert.deepEqual(parseNumber('015123456789', germany), phone('+4915123456789', '15123456789', 'DE'));
    assert.deepEqual(parseNumber('15123456789', germany), phone('+4915123456789', '15123456789', 'DE'));
  });

  it('leaves out the country of a number that belongs to none', () => {
    assert.deepEqual(parseNumber('+80012345678', russia), {
      kind: 'phone',
      e164: '+80012345678',
      national: '12345678',
    });
  });

  it('asks the plan first what an extension is', () => {
    const plan = numberingPlan({ country: 'RU', extensionPattern: '1XX, 4951343060' });
    assert.deepEqual(parseNumber('101', plan), extension('101'));
    assert.deepEqual(parseNumber('4951343060', plan), extension('4951343060'));
    assert.deepEqual(parseNumber('202', plan), raw('202'));
  });

  it('never throws, whatever it is given', () => {
    const pieces = fc.constantFrom(
      '+',
      '7',
      '8~10',
      '00',
      '495',
      ' ',
      '<',
      '>',
      'sip:',
      'tel:',
      '@',
      ';ext=',
      '%',
      '%D0',
      ',',
    );
    const hostile = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc
        .array(fc.oneof(pieces, fc.string({ maxLength: 3 }), fc.nat().map(String)), { maxLength: 40 })
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const parsed = parseNumber(text, russia);
        if (parsed.kind === 'phone') assert.match(parsed.e164, /^\+[1-9][0-9]{3,17}$/);
        if (parsed.kind === 'raw') assert.match(parsed.digits, /^[0-9]{1,20}$/);
        if (parsed.kind === 'extension') assert.match(parsed.extension, /^[0-9]{1,6}$/);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads what it wrote: E.164 comes back unchanged', () => {
    const subscriber = fc.integer({ min: 2_000_000_000, max: 9_999_999_999 }).map(String);
    fc.assert(
      fc.property(subscriber, fc.constantFrom('+7', '8', '7', '', '+1', '+44', '+375'), (digits, prefix) => {
        const parsed = parseNumber(prefix + digits, russia);
        if (parsed.kind !== 'phone') return;
        assert.deepEqual(parseNumber(parsed.e164, russia), parsed);
      }),
      { numRuns: 500 },
    );
  });
});
