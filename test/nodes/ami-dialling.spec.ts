import assert from 'node:assert/strict';
import { TelephonyError } from '../../lib/errors';
import { DEFAULT_DIALLING } from '../../lib/outbound/defaults';
import { numberingPlan } from '../../lib/phone';
import { diallingSettings } from '../../nodes/runtime/ami-dialling';
import type { DiallingDef } from '../../nodes/runtime/ami-dialling';

const read = (def: DiallingDef) =>
  diallingSettings('office', def, numberingPlan({ country: 'RU', extensionPattern: '1XX' }));

function complaint(def: object): string {
  try {
    read(def);
    return '';
  } catch (thrown) {
    assert.ok(thrown instanceof TelephonyError);
    assert.equal(thrown.code, 'PBX_BAD_SETTINGS');
    assert.match(thrown.textIn('ru'), /[а-я]{3,}/);
    assert.ok(thrown.message.length < 400);
    return thrown.message;
  }
}

describe('ami-config: calls out', () => {
  it('has safe rules in a flow that says nothing of them', () => {
    assert.deepEqual(read({}), DEFAULT_DIALLING);
    assert.deepEqual(read({ agentChannel: ' ', dialAllow: '', perMinute: '', hold: '' }), DEFAULT_DIALLING);
  });

  it('reads what the dialog saves', () => {
    const settings = read({
      agentChannel: 'Local/{extension}@from-internal/n',
      dialContext: 'crm-out',
      dialAs: 'e164',
      autoAnswer: 'call-info',
      dialAllow: '+7*, +375*',
      dialDeny: '+7-809-* +7(803)*',
      perMinute: '120',
      perCaller: 5,
      hold: 'park',
    });
    assert.deepEqual(settings, {
      ...DEFAULT_DIALLING,
      agentChannel: 'Local/{extension}@from-internal/n',
      context: 'crm-out',
      dialAs: 'e164',
      autoAnswer: 'call-info',
      allow: ['+7*', '+375*'],
      deny: ['+7809*', '+7803*'],
      perMinute: 120,
      perCaller: 5,
      hold: 'park',
    });
  });

  it('reads the map of channels, also as older systems write it', () => {
    assert.deepEqual(read({ dialChannels: '8495 = PJSIP/{number}@msk, * = PJSIP/{number}@rest' }).channels, [
      { prefix: '8495', channel: 'PJSIP/{number}@msk' },
      { prefix: '', channel: 'PJSIP/{number}@rest' },
    ]);
    assert.deepEqual(read({ dialChannels: '8067=> DAHDI/g2, 8050=> SIP/UMC, +7 = PJSIP/msk' }).channels, [
      { prefix: '8067', channel: 'DAHDI/g2/{number}' },
      { prefix: '8050', channel: 'SIP/UMC/{number}' },
      { prefix: '7', channel: 'PJSIP/{number}@msk' },
    ]);
  });

  it('reads the table of computers', () => {
    const { addresses } = read({ addresses: '192.0.2.15 = 101, 2001:DB8::5 => 102' });
    assert.deepEqual(
      [...addresses],
      [
        ['192.0.2.15', '101'],
        ['2001:db8::5', '102'],
      ],
    );
  });

  it('names the field that is wrong, and what to write there', () => {
    const wrong: readonly (readonly [DiallingDef | object, RegExp])[] = [
      [{ agentChannel: 'PJSIP/101' }, /Phones: "PJSIP\/101".*PJSIP\/\{extension\}/],
      [{ agentChannel: 'PJSIP/{extension}&PJSIP/900' }, /Phones/],
      [{ dialContext: 'from internal' }, /Dial context/],
      [{ dialChannels: '8495' }, /Channels: "8495"/],
      [{ dialChannels: '8495 = PJSIP/{number}@a&PJSIP/1' }, /Channels/],
      [{ dialChannels: '8 = SIP/a, 8 = SIP/b' }, /Channels: "8".*twice/],
      [{ dialChannels: '8 = {number}' }, /Channels/],
      [{ dialAllow: '8495*' }, /Allowed: "8495\*".*\+7\*/],
      [{ dialDeny: '+7*5' }, /Forbidden/],
      [{ perMinute: '0' }, /Per minute: "0".*1 to 10000/],
      [{ perCaller: '1e9' }, /Per caller/],
      [{ hold: 'loud' }, /Hold: "loud".*redirect \| phone \| park/],
      [{ dialAs: 'roman' }, /Number form/],
      [{ autoAnswer: 'maybe' }, /Auto-answer/],
      [{ addresses: 'pc-15 = 101' }, /Computers: "pc-15 = 101"/],
      [{ addresses: '192.0.2.15 = 900' }, /Computers/],
      [{ dialAllow: '${ALLOWED}' }, /environment variable ALLOWED is not set/],
      [{ dialContext: 'x\r\nAction: Originate' }, /Dial context: it must be one line/],
      [{ dialAllow: '+7* '.repeat(501) }, /Allowed.*500/],
      [{ dialChannels: 'x'.repeat(20_001) }, /Channels.*20000/],
    ];
    for (const [def, told] of wrong) assert.match(complaint(def), told);
  });
});
