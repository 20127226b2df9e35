import assert from 'node:assert/strict';
import { numberAs } from '../../../lib/phone';

describe('a number as a PBX dials it', () => {
  for (const [e164, country, dialled] of [
    ['+79031234567', 'RU', '89031234567'],
    ['+78005553535', 'RU', '88005553535'],
    ['+77012345678', 'RU', '87012345678'],
    ['+442071234567', 'RU', '810442071234567'],
    ['+442071234567', 'GB', '02071234567'],
    ['+74951234567', 'DE', '0074951234567'],
    ['+12125551234', 'US', '12125551234'],
    ['+390612345678', 'IT', '0612345678'],
  ] as const) {
    it(`${e164} in ${country} is ${dialled}`, () => assert.equal(numberAs(e164, 'dialled', country), dialled));
  }

  it('may be E.164 with or without +', () => {
    assert.equal(numberAs('+79031234567', 'digits', 'RU'), '79031234567');
    assert.equal(numberAs('+79031234567', 'e164', 'RU'), '+79031234567');
  });

  it('stays as it is when it is none', () => assert.equal(numberAs('101', 'dialled', 'RU'), '101'));
});
