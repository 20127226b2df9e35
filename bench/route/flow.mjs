import { readFileSync } from 'node:fs';

const EXAMPLE = new URL('../../examples/01-routing-to-responsible.json', import.meta.url);

/**
 * The shipped example as an admin would use it with a CRM of his own: only its `crm-config` is another one, generic HTTP.
 * Beside it Node-RED's own nodes alone, answering `/core` with a fixed text: what the runtime costs without us.
 */
export function flowFor(crmUrl) {
  const flow = JSON.parse(readFileSync(EXAMPLE, 'utf8'));
  return [
    ...flow.map((node) => (node.type === 'crm-config' ? { ...node, ...genericHttp(crmUrl) } : node)),
    { id: 'bench', type: 'tab', label: 'core nodes only' },
    { id: 'bench-in', z: 'bench', type: 'http in', url: '/core', method: 'get', wires: [['bench-set']] },
    {
      id: 'bench-set',
      z: 'bench',
      type: 'change',
      rules: [{ t: 'set', p: 'payload', pt: 'msg', to: 'name=Core&number=101', tot: 'str' }],
      wires: [['bench-out']],
    },
    { id: 'bench-out', z: 'bench', type: 'http response', wires: [] },
  ];
}
