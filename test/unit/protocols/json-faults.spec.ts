import assert from 'node:assert/strict';
import fc from 'fast-check';
import { httpProtocols } from '../../../lib/protocols';

const parse = (bodyText: string) => httpProtocols.usercrm.parse({ method: 'POST', query: {}, bodyText });

function fault(bodyText: string): { code: string; text: string; ru: string } {
  const result = parse(bodyText);
  assert.equal(result.action, 'bad');
  assert.equal(result.status, 400);
  return { code: result.error.code, text: result.error.message, ru: result.error.textIn('ru') };
}

describe('broken JSON', () => {
  const table: [what: string, body: string, says: RegExp][] = [
    [
      'a missing comma, as the UserCRM document has it',
      '{\n  "params": {\n    "phone": "1"\n    "e164_phone": "2"\n  }\n}',
      /line 4, column 5: a comma is missing/,
    ],
    ['a remark behind an arrow', '{\n  "id": 1,  <- ID\n}', /line 2, column 13: JSON knows no comments/],
    ['a remark behind a dash', '{\n  "owner_id": 1004 - id\n}', /line 2, column 20: "-" cannot stand here/],
    ['a comment', '{ // x\n}', /line 1, column 3: JSON knows no comments/],
    ['a comma too many in an object', '{"a": 1,\n}', /line 2, column 1: there is a comma too many/],
    ['a comma too many in a list', '[1, 2, ]', /line 1, column 8: there is a comma too many/],
    ['single quotes', "{'action': 'test'}", /line 1, column 2: use double quotes/],
    ['a single-quoted value', `{"action": 'test'}`, /line 1, column 12: use double quotes/],
    ['a name without quotes', '{action: 1}', /line 1, column 2: a name in double quotes/],
    ['no colon', '{"a" 1}', /line 1, column 6: a colon must stand/],
    ['half of it', '{"a": [1,', /line 1, column 10: the text ends too early/],
    ['nothing', '', /line 1, column 1: the text ends too early/],
    ['a form', 'action=test', /line 1, column 1: "a" cannot stand here/],
    ['two documents', '{} {}', /line 1, column 4: there is something after the end/],
    ['a line end in a string', '{"a": "x\ny"}', /line 1, column 9: a string holds a line end/],
    ['a Windows path', '{"a": "C:\\x"}', /line 1, column 10: a string holds an unknown escape/],
    ['Python', '{"a": True}', /line 1, column 7: "T" cannot stand here/],
    ['a number that JSON does not know', '{"a": 01}', /line 1, column 8: "1" cannot stand here/],
  ];
  for (const [what, body, says] of table) {
    it(`says where: ${what}`, () => {
      const { code, text, ru } = fault(body);
      assert.equal(code, 'PROTOCOL_BAD_JSON');
      assert.match(text, says);
      assert.match(ru, /строка \d+, столбец \d+: .*[а-я]/i);
    });
  }

  it('refuses to go down without end', () => {
    assert.equal(fault('['.repeat(100_000)).code, 'PROTOCOL_JSON_TOO_DEEP');
    assert.equal(fault('{"a":'.repeat(33) + '1' + '}'.repeat(33)).code, 'PROTOCOL_JSON_TOO_DEEP');
    assert.equal(fault('{"a":'.repeat(32) + '1' + '}'.repeat(32)).code, 'PROTOCOL_WRONG_OBJ');
  });

  it('finds a fault exactly where JSON.parse finds one', () => {
    const mutated = fc
      .tuple(
        fc.json({ maxDepth: 4 }),
        fc.nat(),
        fc.constantFrom('', ',', '"', '}', ']', '1', '-', '\\', '\n', 'e', ' '),
      )
      .map(
        ([text, at, sign]) => text.slice(0, at % (text.length + 1)) + sign + text.slice((at % (text.length + 1)) + 1),
      );
    fc.assert(
      fc.property(fc.oneof(mutated, fc.json({ maxDepth: 4 }), fc.string()), (text) => {
        let valid = true;
        try {
          JSON.parse(text.replace(/^\ufeff/, ''));
        } catch {
          valid = false;
        }
        const result = parse(text);
        const broken = result.action === 'bad' && result.error.code === 'PROTOCOL_BAD_JSON';
        assert.equal(broken, !valid, text);
      }),
      { numRuns: 1000 },
    );
  });
});
