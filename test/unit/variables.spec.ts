import assert from 'node:assert/strict';
import { variableIn } from '../../lib/variables';

describe('a variable in a setting', () => {
  it('is seen in both spellings, alone in its text', () => {
    for (const text of ['${CRM_KEY}', '$(CRM_KEY)', ' ${CRM_KEY} ']) assert.equal(variableIn(text), 'CRM_KEY', text);
  });

  it('is not seen in anything else', () => {
    for (const text of ['', 'CRM_KEY', '$CRM_KEY', 'a${CRM_KEY}', '${A}${B}', '${}', '${A)', '${"id":1}', '$(a.b(c))'])
      assert.equal(variableIn(text), undefined, text);
  });
});
