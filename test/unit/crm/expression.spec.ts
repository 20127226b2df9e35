import assert from 'node:assert/strict';
import { compileExpression } from '../../../lib/crm/expression';

/** As a process that gets no processor for so long. */
const stand = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

describe('an expression', () => {
  it('is cut off when it computes too long, or goes too deep', async () => {
    const endless = compileExpression('name', '($go := function($n) { $go($n + 1) }; $go(1))');
    await assert.rejects(endless.evaluate({}, {}), { code: 'CRM_EXPRESSION' });
    const long = compileExpression('name', '$sum([1..90000].($ * $ + $sqrt($)) ~> $map(function($n) { $n * 2 }))');
    await assert.rejects(long.evaluate({}, {}), { code: 'CRM_EXPRESSION', message: /infinite loop/ });
  });

  it('is not cut off because the machine is busy with other things', async () => {
    const stands = [250, 250, 0];
    const variables = { busy: () => stand(stands.shift() ?? 0) };
    const expression = compileExpression('name', '($busy(); client.name)');
    assert.equal(await expression.evaluate({ client: { name: 'Anna' } }, variables), 'Anna');
    const always = compileExpression('name', '($busy(); client.name)');
    await assert.rejects(always.evaluate({}, { busy: () => stand(250) }), { code: 'CRM_EXPRESSION' });
  });
});
