import { readFileSync } from 'node:fs';

const EXAMPLE = new URL('../../examples/01-routing-to-responsible.json', import.meta.url);
/** The way of a question and its answer, and what these nodes are configured with: no buttons, no debug sidebar. */
const ON_THE_WAY = ['tab', 'ami-config', 'crm-config', 'usercrm-in', 'crm-lookup', 'usercrm-out'];

const genericHttp = (crmUrl) => ({
  kind: 'generic-http',
  settings: {
    method: 'GET',
    url: `${crmUrl}?phone={{digits}}`,
    auth: 'none',
    found: 'found',
    name: 'name',
    extension: 'extension',
    entityId: 'id',
  },
  people: [],
});

/** Node-RED's own nodes alone: `/core` answers with a fixed text, `/core-ask` asks the CRM. What the runtime costs without us. */
const coreOnly = (crmUrl) => [
  { id: 'bench', type: 'tab', label: 'core nodes only' },
  { id: 'bench-in', z: 'bench', type: 'http in', url: '/core', method: 'get', wires: [['bench-text']] },
  { id: 'bench-text', z: 'bench', type: 'template', template: 'name=Core&number=101', wires: [['bench-out']] },
  { id: 'bench-ask-in', z: 'bench', type: 'http in', url: '/core-ask', method: 'get', wires: [['bench-ask']] },
  {
    id: 'bench-ask',
    z: 'bench',
    type: 'http request',
    method: 'GET',
    ret: 'obj',
    persist: true,
    url: `${crmUrl}?phone={{payload.phone}}`,
    wires: [['bench-answer']],
  },
  {
    id: 'bench-answer',
    z: 'bench',
    type: 'template',
    template: 'name={{payload.name}}&number={{payload.extension}}',
    wires: [['bench-out']],
  },
  { id: 'bench-out', z: 'bench', type: 'http response', wires: [] },
];

/** The shipped example with a CRM of one's own: its route nodes as they are, and its `crm-config` set to generic HTTP. */
export function flowFor(crmUrl) {
  const kept = JSON.parse(readFileSync(EXAMPLE, 'utf8')).filter((node) => ON_THE_WAY.includes(node.type));
  const ids = new Set(kept.map((node) => node.id));
  const route = kept.map((node) => ({
    ...node,
    ...(node.wires && { wires: node.wires.map((ends) => ends.filter((id) => ids.has(id))) }),
    ...(node.type === 'crm-config' && genericHttp(crmUrl)),
  }));
  return [...route, ...coreOnly(crmUrl)];
}

/**
 * A line for Node-RED's settings. Towards a CRM that it does not know, the pack asks 5 questions a second at most, out of
 * courtesy; at 200 a second there would be nothing to measure but refusals.
 */
export const WITHOUT_COURTESY_LIMIT = `bench: (() => {
  const { genericHttp } = require('@telephony-crm/node-red-asterisk/dist/lib/crm/kinds/generic-http.js');
  genericHttp.limits = { perSecond: 10000, burst: 10000 };
})(),`;
