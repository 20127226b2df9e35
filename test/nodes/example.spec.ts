import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import amiEvent from '../../nodes/ami-event';
import simulatedCall from '../../nodes/simulated-call';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import type { SimulatedCallOutcome } from '../../lib/simulator/types';
import { until } from '../support/wait';
import { routeNodes } from './support/route-flow';
import { load, messages, node, receive, unload, waitForMessages } from './support/runtime';
import type { FlowNode } from './support/runtime';

const example = JSON.parse(
  readFileSync(join(__dirname, '..', '..', 'examples', '01-routing-to-responsible.json'), 'utf8'),
) as FlowNode[];
const only = (type: string): FlowNode => {
  const [found, ...more] = example.filter((each) => each.type === type);
  assert.ok(found && more.length === 0, type);
  return found;
};

describe('the example of routing to the responsible person', () => {
  afterEach(unload);

  it('routes a call right after the import', async () => {
    // The debug node behind the call is where this test listens; buttons and comments have nothing to say here.
    const listening = example.map((each) => (each.type === 'debug' ? { ...each, type: 'sink' } : each));
    const quiet = listening.filter(({ type }) => type !== 'inject' && type !== 'comment');
    await load([...routeNodes, amiEvent, simulatedCall], quiet);
    const { pbx } = node(only('ami-config').id) as AmiConfigNode;
    await until(() => pbx.presence.availability('101', false).available, 'the states of the phones');
    const call = only('simulated-call');
    const [[outcome = ''] = []] = call.wires as string[][];
    for (const from of ['84951343060', '84950000004', '84950000099']) receive(call.id, { payload: { from } });
    await waitForMessages(outcome, 3);
    const heard = messages(outcome).map(({ payload }) => payload as SimulatedCallOutcome);
    const rang = new Map(heard.map(({ from, extension = 'nobody' }) => [from, extension]));
    assert.deepEqual(
      ['84951343060', '84950000004', '84950000099'].map((from) => rang.get(from)),
      ['101', '105', 'nobody'],
    );
  });

  it('leaves nothing of the demo office behind when PBX and CRM are exchanged', () => {
    assert.deepEqual(only('crm-config').people, []);
    assert.equal(only('ami-config').port, '');
    const rows = only('crm-lookup').substitutes as { from: string; to: string }[];
    const comments = example.filter(({ type }) => type === 'comment').map(({ info }) => String(info));
    for (const { from, to } of rows) assert.ok(comments.some((info) => info.includes(`${from} → ${to}`)));
  });
});
