import assert from 'node:assert/strict';
import crmConfig from '../../nodes/crm-config';
import crmLookup from '../../nodes/crm-lookup';
import usercrmIn from '../../nodes/usercrm-in';
import usercrmOut from '../../nodes/usercrm-out';
import { FlowServer } from './support/http';
import { load, unload } from './support/runtime';
import type { FlowNode } from './support/runtime';

const nodes = [crmConfig, crmLookup, usercrmIn, usercrmOut];

/** usercrm-in -> crm-lookup -> usercrm-out, both outputs of the lookup answered. */
function routeFlow(endpoint: Record<string, unknown> = {}, crm: Record<string, unknown> = {}): FlowNode[] {
  return [
    { id: 'f', type: 'tab', label: 'f' },
    { id: 'crm', type: 'crm-config', name: 'demo', kind: 'demo', settings: {}, users: [], ...crm },
    {
      id: 'in',
      type: 'usercrm-in',
      z: 'f',
      protocols: ['itgrix', 'usercrm', 'uccx', 'text', 'json'],
      ...endpoint,
      wires: [['look']],
    },
    { id: 'look', type: 'crm-lookup', z: 'f', crm: 'crm', wires: [['out'], ['out']] },
    { id: 'out', type: 'usercrm-out', z: 'f', wires: [] },
  ];
}

describe('usercrm-in', () => {
  const server = new FlowServer();

  before(() => server.listen());
  after(() => server.close());
  afterEach(unload);

  it('answers Itgrix with the responsible person', async () => {
    await load([server.init, ...nodes], routeFlow());
    const answer = await server.ask('/forward?phone=84951343060&trunk=74951000101&callid=1.1');
    assert.equal(answer.status, 200);
    assert.equal(answer.body, `name=${encodeURIComponent('Петров АА')}&number=101`);
  });
});
