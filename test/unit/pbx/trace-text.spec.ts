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
      assert.equal(written({ Variable: 'PIN', Value: '4711' }, mask).Value, '***');
      assert.equal(written({ Password: 's3cret' }, mask).Password, '***');
      for (const value of [
        'Set(CRM_TOKEN=s3cret)',
        'CURL(https://crm/?token=s3cret&a=1)',
        'CURLOPT(httpheader)=Authorization: Bearer s3cret',
        'https://admin:s3cret@crm/',
        'password: s3cret, next',
      ]) {
        assert.ok(!(written({ AppData: value }, mask).AppData ?? '').includes('s3cret'), value);
      }
    }
    assert.equal(written({ Variable: 'SHOPPING', Value: 'bread' }).Value, 'bread');
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

  it('masks no extension, id, time or counter, and what was keyed in', () => {
    const kept = {
      Channel: 'PJSIP/101-00012345',
      Uniqueid: 'pbx-1795203509.1234567',
      Exten: '101',
      StartTime: '2026-11-20 19:38:23',
      LastCall: '1795203534',
      Cause: '16',
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
