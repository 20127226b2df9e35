import assert from 'node:assert/strict';
import fc from 'fast-check';
import { traceText } from '../../../lib/pbx/trace-text';
import { parseNumber, numberingPlan } from '../../../lib/phone';
import { TraceReader } from '../../../lib/replay/trace-reader';
import { amiEvent } from '../../support/ami-messages';
import { expectedOf, inOrder, toldIn, without, workedOut } from '../calls/expected';
import { eventsOf, play } from '../calls/traces';

const AT = 1_795_203_500_123;
/** The value that a header gets in a trace. */
function written(headers: Readonly<Record<string, string>>, maskNumbers = true): Record<string, string> {
  const text = traceText(maskNumbers).of(amiEvent('VarSet', headers), AT);
  assert.ok(text.endsWith('\r\n\r\n'));
  return Object.fromEntries(
    text
      .trimEnd()
      .split('\r\n')
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
}

describe('what a trace says', () => {
  it('is what Asterisk sent, with a time if it had none', () => {
    const sent = { Channel: 'PJSIP/101-00000012', Value: 'Иван, +7 903 111-22-33', Uniqueid: '1795203509.6' };
    assert.deepEqual(written(sent, false), { Event: 'VarSet', ...sent, Timestamp: '1795203500.123000' });
    assert.equal(written({ Timestamp: '1795203509.112233' }, false).Timestamp, '1795203509.112233');
  });

  it('holds no secret, masked or not', () => {
    for (const mask of [true, false]) {
      assert.equal(written({ Variable: 'CRM_API_KEY', Value: 's3cret' }, mask).Value, '***');
      for (const name of ['PIN', 'VMPIN', 'PIN_CODE', 'CRM_KEY', 'AUTH', 'CRMTOKEN2', 'DB_PASS', 'x-api-key']) {
        assert.equal(written({ Variable: name, Value: '4711' }, mask).Value, '***', name);
      }
      assert.equal(written({ Password: 's3cret' }, mask).Password, '***');
      for (const value of [
        'Set(CRM_TOKEN=s3cret)',
        'CURL(https://crm/?token=s3cret&a=1)',
        'CURLOPT(httpheader)=Authorization: Bearer s3cret',
        'https://admin:s3cret@crm/',
        'password: s3cret, next',
        'X-API-KEY: s3cret',
        'X-Amz-Signature=s3cret',
        'apiKey = s3cret',
        'PASS=s3cret',
        'pw=s3cret',
        'Cookie: id=s3cret; b=s3cret',
        'https://crm/?sig=s3cret',
        'eyJhbGciOiJIUzI1NiJ9.s3cret.s3cret',
        'VMPIN=s3cret',
        'secret=two s3cret',
        'password "s3cret"',
        '{"token":"a,s3cret","x":1}',
        String.raw`{\"token\":\"a,s3cret\"}`,
        'CURL(https://crm/?key=s3cret&x=1)',
        'CURL(https://crm/?x=1&auth=s3cret)',
        'https://s3cret@crm/',
        'curl -u admin:s3cret https://crm/',
        'token: Bearers3cret',
        'https://company.bitrix24.ru/rest/1/s3cret/telephony.externalcall.register',
        `https://pbx/recordings/id/1800000000/${'s3cret'.padEnd(43, '-x')}/call.wav`,
      ]) {
        assert.ok(!(written({ AppData: value }, mask).AppData ?? '').includes('s3cret'), value);
      }
    }
    assert.equal(written({ Variable: 'SHOPPING', Value: 'bread' }).Value, 'bread');
    assert.equal(written({ AppData: '{"token":"s3cret","x":1}' }).AppData, '{"token":"***","x":1}');
    assert.equal(written({ AppData: 'PJSIP/101&PJSIP/102,20,tT' }).AppData, 'PJSIP/101&PJSIP/102,20,tT');
  });

  it('gives a number the same mask however it is written, and keeps country and area', () => {
    const {
      A = '',
      B = '',
      C = '',
      D = '',
      E = '',
    } = written({
      A: '+79031112233',
      B: '89031112233',
      C: 'PJSIP/79031112233@provider-0000001a',
      D: 'Иван +7 (903) 111-22-33 доб. 12',
      E: '8 (903) 111-22-33',
    });
    const [, subscriber = ''] = /^\+7903(\d{7})$/.exec(A) ?? [];
    assert.match(subscriber, /^[2-9]\d{6}$/);
    assert.notEqual(subscriber, '1112233');
    assert.equal(B, `8903${subscriber}`);
    assert.equal(C, `PJSIP/7903${subscriber}@provider-0000001a`);
    const spaced = `${subscriber.slice(0, 3)}-${subscriber.slice(3, 5)}-${subscriber.slice(5)}`;
    assert.equal(D, `Иван +7 (903) ${spaced} доб. 12`);
    assert.equal(E, `8 (903) ${spaced}`);
  });

  it('finds a number among separators, ids and file names', () => {
    const digits = (text: string): string => text.replace(/\D/g, '');
    for (const number of [
      '8-495-134-30-60',
      '8 495 134 30 60',
      '495 134-30-60',
      '(495) 134-30-60',
      '8.495.134.30.60',
      '495.134.30.60',
      '+7.495.134.30.60',
      '+7\u00a0495\u00a0134\u201130\u201160',
      '84951343060',
      '84951343060.1',
      '134-30-60',
      '134-3060',
    ]) {
      for (const [before, behind] of [
        ['', ''],
        ['Local/', '@from-internal-00000001;1'],
        ['102 ', ''],
        ['sip:', '@1.2.3.4'],
        ['1.', ''],
        ['rec/20261121-101500 ', ' 101-1763700000.12.wav'],
      ] as const) {
        const { CallerIDName = '' } = written({ CallerIDName: `${before}${number}${behind}` });
        assert.ok(
          !/1343060|3060$/.test(digits(CallerIDName.slice(0, CallerIDName.length - behind.length))),
          CallerIDName,
        );
        assert.ok(CallerIDName.startsWith(before) && CallerIDName.endsWith(behind), CallerIDName);
      }
    }
  });

  it('finds a number as other countries write it, to its end', () => {
    for (const number of [
      '020-7134 3060',
      '020 7134 3060',
      '02 07 13 43 06',
      '+44 20 7134 3060',
      '+33 2 07 13 43 06',
    ]) {
      // Each trace has a mask of its own, which may end like the number by chance.
      const masks = Array.from({ length: 8 }, () => written({ CallerIDName: number }).CallerIDName ?? '');
      assert.ok(
        masks.some((mask) => mask.slice(-2) !== number.slice(-2)),
        number,
      );
      for (const mask of masks) assert.equal(mask.replace(/\d/g, '0'), number.replace(/\d/g, '0'));
    }
  });

  it('masks no extension, id, time or counter, and what was keyed in', () => {
    const kept = {
      Channel: 'PJSIP/101-00012345',
      Uniqueid: 'pbx-1795203509.1234567',
      Exten: '101',
      StartTime: '2026-11-20 19:38:23',
      LastCall: '1795203534',
      Cause: '16',
      AppData: '101 102 103,20261121-101500,2026-11-21 10:15:00,192.168.100.200:5060,10.20.30.40,1795203509.6',
      BridgeUniqueid: 'c72a2141-0ba5-437c-9f67-6b1dc08c0570',
    };
    assert.deepEqual(without(written(kept), 'Event', 'Timestamp'), kept);
    assert.equal(written({ Digit: '7' }).Digit, '***');
  });

  it('leaves no number readable, and a numbering plan reads the mask as the same kind', () => {
    const numbers = numberingPlan({ country: 'RU' });
    fc.assert(
      fc.property(
        fc.integer({ min: 2_000_000, max: 9_999_999 }),
        fc.constantFrom('+7903', '8903', '7495'),
        (end, area) => {
          const { A = '' } = written({ A: `${area}${end}` });
          assert.equal(parseNumber(A, numbers).kind, 'phone');
          assert.ok(A.startsWith(area));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('gives the tracker the same calls, but for the numbers', () => {
    const unnumbered = (text: string): unknown => JSON.parse(text.replace(/\d{7,}(?!\.?\d)/g, 'number'));
    for (const recording of workedOut) {
      const text = traceText(true);
      const reader = new TraceReader();
      const events = eventsOf(recording).flatMap(({ event, at }) =>
        reader.push(Buffer.from(text.of(event, at))).map((read) => ({ event: read, at })),
      );
      const [told, wanted] = [toldIn(play(events)), inOrder(expectedOf(recording))].map((one) => JSON.stringify(one));
      assert.deepEqual(unnumbered(told ?? ''), unnumbered(wanted ?? ''), recording);
    }
  });
});
