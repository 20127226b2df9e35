import assert from 'node:assert/strict';
import type { Node, NodeStatus } from 'node-red';
import { StatusLine } from '../../nodes/runtime/status';
import { until } from '../support/wait';

const READY: NodeStatus = { fill: 'green', shape: 'dot', text: 'ready' };
const LOST: NodeStatus = { fill: 'red', shape: 'ring', text: 'lost' };
const DONE: NodeStatus = { fill: 'green', shape: 'dot', text: 'done' };
const FAILED: NodeStatus = { fill: 'yellow', shape: 'ring', text: 'failed' };

describe('the status of a node', () => {
  let shown: NodeStatus[];
  let line: StatusLine;
  beforeEach(() => {
    shown = [];
    line = new StatusLine({ status: (status: NodeStatus) => shown.push(status) } as unknown as Node);
  });
  afterEach(() => line.close());

  it('tells for a moment what happened, and then again what holds', async () => {
    line.setBase(READY);
    line.show(FAILED, 1);
    await until(() => shown.length === 3, 'what holds');
    assert.deepEqual(shown, [READY, FAILED, READY]);
  });

  it('never looks better than what holds, also when that changes meanwhile', () => {
    line.setBase(LOST);
    line.show(DONE);
    assert.deepEqual(shown.at(-1), { ...LOST, text: 'done' });
    line.setBase(READY);
    assert.deepEqual(shown.at(-1), DONE);
    line.setBase(LOST);
    assert.deepEqual(shown.at(-1), { ...LOST, text: 'done' });
  });

  it('shows nothing more when the node is closed', () => {
    line.setBase(READY);
    line.close();
    line.show(DONE);
    line.setBase(LOST);
    assert.deepEqual(shown, [READY]);
  });
});
