import { AGENT_STATES, type AgentState, type AgentStatusRow } from '../../messages/usercrm-agent';
import { SettingsReader } from '../settings';
import type { CrmField, TableRow } from '../types';

const STATE_NAMES: Readonly<Record<AgentState, { readonly en: string; readonly ru: string }>> = {
  available: { en: 'available', ru: 'свободен' },
  busy: { en: 'talking', ru: 'разговаривает' },
  paused: { en: 'paused', ru: 'на паузе' },
  'logged-out': { en: 'logged out', ru: 'не в очередях' },
};

const row = (state: AgentState, reason: string, base: string, extra: string, name: string): TableRow => ({
  state,
  reason,
  base_status: base,
  extra_status: extra,
  status_name: name,
});

/**
 * -1, 1 and «В работе» stand in the document. The base statuses are those of Runtel's DomainAgentStatus: -1 available, -2 available on
 * demand, -3 on break, -4 logged out. The other extra statuses are ids that each CRM makes up.
 */
const DEFAULTS: readonly TableRow[] = [
  row('available', '', '-1', '1', 'В работе'),
  row('busy', '', '-1', '2', 'Разговаривает'),
  row('paused', '', '-3', '3', 'Перерыв'),
  row('paused', 'Auto-Pause', '-3', '4', 'Не ответил'),
  row('logged-out', '', '-4', '0', 'Не в системе'),
];

export const agentStatusesField: CrmField = {
  name: 'agentStatuses',
  type: 'table',
  label: { en: 'Statuses of agents (agent_change)', ru: 'Статусы операторов (agent_change)' },
  help: {
    en: 'base_status: -1 available, -2 available on demand, -3 on break, -4 logged out. extra_status: the id in your CRM. Of pauses the row without a reason is for all others: their reason is sent as the name. A state without a row has the usual one; if two states have the same status, a change between them is not told.',
    ru: 'base_status: -1 доступен, -2 доступен по запросу, -3 перерыв, -4 не в системе. extra_status — id статуса в вашей CRM. Строка паузы без причины — для всех остальных причин: именем уходит сама причина. Состояние без строки получает обычную; переход между состояниями с одинаковым статусом не отправляется.',
  },
  columns: [
    {
      name: 'state',
      label: { en: 'state', ru: 'состояние' },
      type: 'choice',
      required: true,
      choices: AGENT_STATES.map((value) => ({ value, label: STATE_NAMES[value] })),
    },
    {
      name: 'reason',
      label: { en: 'reason of the pause', ru: 'причина паузы' },
      type: 'text',
      when: { field: 'state', in: ['paused'] },
    },
    { name: 'base_status', label: { en: 'base_status', ru: 'base_status' }, type: 'whole', required: true },
    { name: 'extra_status', label: { en: 'extra_status', ru: 'extra_status' }, type: 'whole', required: true },
    { name: 'status_name', label: { en: 'status_name', ru: 'status_name' }, type: 'text', required: true },
  ],
  keys: 2,
  default: DEFAULTS,
};

/** The table as a dialog saved it, with the usual row for a state that has none. Throws `CRM_BAD_SETTINGS` naming the row. */
export function agentStatuses(settings: Readonly<Record<string, unknown>>): readonly AgentStatusRow[] {
  const given = new SettingsReader(settings, {}).table(agentStatusesField);
  const hasRow = (state: string | undefined): boolean => given.some((one) => one.state === state && one.reason === '');
  const usual = DEFAULTS.filter(({ state, reason }) => given.length === 0 || (reason === '' && !hasRow(state)));
  return [...given, ...usual].flatMap(({ state, reason = '', base_status, extra_status, status_name = '' }) => {
    const known = AGENT_STATES.find((one) => one === state);
    const numbers = { base_status: Number(base_status), extra_status: Number(extra_status) };
    return known ? [{ state: known, reason, ...numbers, status_name }] : [];
  });
}
