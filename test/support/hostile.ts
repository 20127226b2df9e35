import fc from 'fast-check';

/** Texts that mean something to AMI, to a dialplan, to SIP, to XML or to JavaScript, or that are nothing people write. */
const HOSTILE_TEXTS = [
  'a\r\nAction: Command\r\nCommand: core stop now',
  '101\r\n\r\nAction: Logoff',
  'a\nb',
  'a\0b',
  'a\u0085b',
  'a\u2028b',
  '"',
  '" <1> "',
  '101&PJSIP/trunk/88091234567',
  '101,60,g',
  '101|60',
  '101@from-internal',
  '${SHELL(touch /tmp/x)}',
  '$[1+1]',
  'x)}${SHELL(id)}',
  '*72101',
  '#31#101',
  '\\',
  '%0d%0aX: y',
  '</toAddress><x/>',
  '__proto__',
  'constructor',
  '\ud800',
  '\u202e101\u202c',
  '１０１',
  '٨٤٩٥١٢٣٤٥٦٧',
  '9'.repeat(300),
  'a'.repeat(300),
  '1'.repeat(100_000),
  '../../etc/passwd',
  '-1',
  '1e9',
  ' ',
] as const;

/** Whatever a program that means harm, or a broken one, can put into a field. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<string>(...HOSTILE_TEXTS) },
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom<unknown>(null, undefined, true, false, 0, -1, 1.5, NaN, Infinity, 2 ** 53, 10n, [], {}),
  fc.constantFrom<unknown>(['101'], { toString: 1 }, JSON.parse('{"__proto__": {"extension": "101"}}'), () => '101'),
  fc.jsonValue(),
);
