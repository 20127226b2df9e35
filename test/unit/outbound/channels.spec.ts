import assert from 'node:assert/strict';
import fc from 'fast-check';
import { agentChannel, channelFor, isChannelTemplate } from '../../../lib/outbound/channels';
import { DEFAULT_DIALLING } from '../../../lib/outbound/defaults';
import type { DialAs, DialSettings } from '../../../lib/outbound/types';
import { numberingPlan, parseNumber } from '../../../lib/phone';

const russia = numberingPlan({ country: 'RU' });
const to = (number: string, settings: Partial<DialSettings> = {}, plan = russia) =>
  channelFor({ ...DEFAULT_DIALLING, ...settings }, plan, { number });
const as = (dialAs: DialAs, number: string, country = 'RU') =>
  to(number, { dialAs }, numberingPlan({ country }))?.exten;

describe('channels: the way to a number', () => {
  it('writes the number as the PBX wants it', () => {
    assert.equal(as('dialled', '+7 903 123-45-67'), '89031234567');
    assert.equal(as('digits', '8 903 123-45-67'), '79031234567');
    assert.equal(as('e164', '89031234567'), '+79031234567');
    assert.equal(as('dialled', '+375291234567'), '810375291234567');
    assert.equal(as('dialled', '+442071234567', 'GB'), '02071234567');
    assert.equal(as('dialled', '+74951343060', 'GB'), '0074951343060');
    assert.equal(as('dialled', '+14165551234', 'US'), '14165551234');
    assert.equal(as('digits', '101'), '101');
  });

  it('goes through the context when the map has nothing for it', () => {
    const context = { context: 'from-internal', trunk: 'Local/from-internal' };
    assert.deepEqual(to('89031234567'), { exten: '89031234567', ...context });
    const channels = [{ prefix: '8903', channel: 'PJSIP/{number}@mobile' }];
    assert.deepEqual(to('84951343060', { channels }), { exten: '84951343060', ...context });
    assert.deepEqual(to('890', { channels: [{ prefix: '', channel: 'PJSIP/{number}@mobile' }] }), {
      exten: '890',
      ...context,
    });
  });

  it('takes the longest prefix of the map, wherever it stands', () => {
    const channels = [
      { prefix: '8', channel: 'PJSIP/{number}@msk' },
      { prefix: '8903', channel: 'DAHDI/g1/{number}' },
      { prefix: '', channel: 'PJSIP/{number}@rest' },
      { prefix: '810', channel: 'Local/{number}@abroad/n' },
      { prefix: '81049', channel: 'PJSIP/berlin/sip:{number}@192.0.2.1' },
      { prefix: '81043', channel: 'IAX2/user:pass@vienna/{number}' },
    ];
    const reached = (number: string) => {
      const { channel, trunk } = to(number, { channels }) ?? {};
      return [channel, trunk];
    };
    assert.deepEqual(reached('+74951343060'), ['PJSIP/84951343060@msk', 'PJSIP/msk']);
    assert.deepEqual(reached('+79031234567'), ['DAHDI/g1/89031234567', 'DAHDI/g1']);
    assert.deepEqual(reached('+375291234567'), ['Local/810375291234567@abroad/n', 'Local/abroad']);
    assert.deepEqual(reached('+493012345678'), ['PJSIP/berlin/sip:810493012345678@192.0.2.1', 'PJSIP/berlin']);
    assert.equal(to('+4312345678', { channels })?.trunk, 'IAX2/vienna');
    assert.equal(to('+79031234567', { channels, dialAs: 'e164' })?.channel, 'PJSIP/+79031234567@rest');
  });

  it('dials the E.164 that the rules have judged, not the text beside it', () => {
    const target = { number: '*72101', e164: '+79031234567' };
    assert.equal(channelFor(DEFAULT_DIALLING, russia, target)?.exten, '89031234567');
  });

  it('knows no way to what is neither a number nor an extension', () => {
    for (const number of ['', '*72', 'reception', '+7112', '1'.repeat(300)])
      assert.equal(to(number), undefined, number);
  });

  it('property: what is dialled by people means the same number there', () => {
    const mobile = fc.integer({ min: 0, max: 9_999_999 }).map((n) => `+7903${String(n).padStart(7, '0')}`);
    fc.assert(
      fc.property(mobile, (e164) => {
        for (const dialAs of ['dialled', 'digits', 'e164'] as const) {
          const parsed = parseNumber(as(dialAs, e164) ?? '', russia);
          assert.equal(parsed.kind === 'phone' ? parsed.e164 : parsed.kind, e164);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('puts the extension into the channel of the phone', () => {
    assert.equal(agentChannel(DEFAULT_DIALLING, '101'), 'PJSIP/101');
    assert.equal(
      agentChannel({ agentChannel: 'Local/{extension}@from-internal/n' }, '101'),
      'Local/101@from-internal/n',
    );
  });

  it('takes as channels of the settings only what Dial reads as one channel', () => {
    for (const good of [
      'PJSIP/{number}@trunk',
      'DAHDI/g1/{number}',
      'Local/{number}@out/n',
      'PJSIP/t/sip:{number}@192.0.2.1:5060',
    ])
      assert.ok(isChannelTemplate(good, 'number'), good);
    for (const bad of [
      '{number}',
      'PJSIP/trunk',
      'PJSIP/{number}@a&PJSIP/{number}@b',
      'PJSIP/{number}@a,30',
      'PJSIP/{number} @a',
      'PJSIP/{number}@a\r\nX: y',
      'PJSIP/${X}{number}',
      `PJSIP/{number}@${'a'.repeat(250)}`,
    ])
      assert.ok(!isChannelTemplate(bad, 'number'), bad);
  });
});
