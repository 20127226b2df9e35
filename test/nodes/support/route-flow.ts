import amiConfig from '../../../nodes/ami-config';
import crmConfig from '../../../nodes/crm-config';
import crmLookup from '../../../nodes/crm-lookup';
import usercrmIn from '../../../nodes/usercrm-in';
import usercrmOut from '../../../nodes/usercrm-out';
import type { FlowNode } from './runtime';

export const routeNodes = [amiConfig, crmConfig, crmLookup, usercrmIn, usercrmOut];

type Properties = Readonly<Record<string, unknown>>;

export const tab: FlowNode = { id: 'f', type: 'tab', label: 'f' };

export const crm = (more: Properties = {}): FlowNode => ({
  id: 'crm',
  type: 'crm-config',
  name: 'demo',
  kind: 'demo',
  settings: {},
  people: [],
  ...more,
});

/** A `usercrm-in` with every protocol on; `wires` may be given. */
export const endpoint = (more: Properties = {}): FlowNode => ({
  id: 'in',
  type: 'usercrm-in',
  z: 'f',
  protocols: ['itgrix', 'usercrm', 'uccx', 'text', 'json'],
  wires: [['look']],
  ...more,
});

export const lookup = (more: Properties = {}): FlowNode => ({
  id: 'look',
  type: 'crm-lookup',
  z: 'f',
  crm: 'crm',
  wires: [['out'], ['out']],
  ...more,
});

export const answer = (more: Properties = {}): FlowNode => ({
  id: 'out',
  type: 'usercrm-out',
  z: 'f',
  wires: [],
  ...more,
});

/** Takes the questions and leaves them to the test. */
export const sink: FlowNode = { id: 'sink', type: 'sink', z: 'f', wires: [] };
const caught: FlowNode = { id: 'caught', type: 'sink', z: 'f', wires: [] };
const catcher: FlowNode = {
  id: 'catch',
  type: 'catch',
  z: 'f',
  scope: null,
  uncaught: false,
  wires: [['caught']],
};

/** The whole way: endpoint, lookup in the demo CRM, answer. */
export const routeFlow = (more: Properties = {}): FlowNode[] => [tab, crm(), endpoint(more), lookup(), answer()];

/** An endpoint whose questions lie in `sink`, and an answering node into which the test puts messages. */
export const manualFlow = (more: Properties = {}): FlowNode[] => [
  tab,
  endpoint({ wires: [['sink']], ...more }),
  sink,
  answer(),
  catcher,
  caught,
];
