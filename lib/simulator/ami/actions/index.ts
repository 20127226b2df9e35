import type { ActionDefinition, Asker, Office } from '../action';
import { mayUse } from '../permissions';
import { failure, success, type Reply } from '../reply';
import type { AmiRequest } from '../request';
import { channelActions } from './channels';
import { controlActions } from './control';
import { coreActions } from './core';
import { deviceActions } from './devices';
import { originateActions } from './originate';
import { queueActions } from './queues';

/** What the session itself answers, for ListCommands. */
const ofTheSession: readonly Omit<ActionDefinition, 'run'>[] = [
  { name: 'Challenge', synopsis: 'Generate Challenge for MD5 Auth.', classes: [] },
  { name: 'Login', synopsis: 'Login Manager.', classes: [] },
  { name: 'Logoff', synopsis: 'Logoff Manager.', classes: [] },
];

const listCommands: ActionDefinition = {
  name: 'ListCommands',
  synopsis: 'List available manager commands.',
  classes: [],
  run: (_request, _office, asker) => {
    const allowed = [...actions.values(), ...ofTheSession]
      .filter(({ classes }) => mayUse(classes, asker.write))
      .sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
    const described = allowed.map(({ name, synopsis, classes }) => {
      const needed = classes.length === 0 ? '<none>' : [...classes, 'all'].join(',');
      return [name, `${synopsis}  (Priv: ${needed})`] as const;
    });
    return success(undefined, ...described);
  },
};

const actions: ReadonlyMap<string, ActionDefinition> = new Map(
  [
    ...coreActions,
    ...channelActions,
    ...controlActions,
    ...deviceActions,
    ...queueActions,
    ...originateActions,
    listCommands,
  ].map((action) => [action.name.toLowerCase(), action]),
);

/** Carries out one action of a logged-in session, or answers why not, in Asterisk's words. */
export function perform(request: AmiRequest, office: Office, asker: Asker): Reply | Promise<Reply> {
  const action = actions.get(request.action.toLowerCase());
  if (!action) {
    return failure(`Invalid/unknown command: ${request.action}. Use Action: ListCommands to show available commands.`);
  }
  if (!mayUse(action.classes, asker.write)) return failure('Permission denied');
  return action.run(request, office, asker);
}
