import type { Request } from 'express';
import type { NodeAPI } from 'node-red';
import { asError, TelephonyError } from '../../lib/errors';
import type { Lang } from '../../lib/errors';
import { variableIn } from '../../lib/variables';
import { nodeError } from './errors';

/** What a dialog sends: JSON of unknown shape, with the language its reader sees. */
interface AdminBody {
  readonly lang: Lang;
  readonly [field: string]: unknown;
}

export interface AdminQuestion {
  /** The `:id` of the path: the node whose dialog is open; it may not be deployed yet. */
  readonly id: string;
  readonly body: AdminBody;
}

/** What Node-RED's editor sends instead of a stored password that was not changed. */
const UNCHANGED = '__PWRD__';

/**
 * Adds an endpoint for a button of a dialog. To be called once per module load, not per node. `permission` is checked by
 * Node-RED; the path is relative to the admin root and must hold `:id`.
 * Whatever the handler throws becomes `{error: {code, message}}` in the reader's language, never a stack.
 */
export function adminAction(
  red: NodeAPI,
  path: string,
  permission: string,
  handler: (question: AdminQuestion) => Promise<object>,
): void {
  red.httpAdmin.post(path, red.auth.needsPermission(permission), (request, response) => {
    const sent: unknown = request.body;
    const fields = typeof sent === 'object' && sent !== null ? (sent as Record<string, unknown>) : {};
    const lang: Lang = fields.lang === 'ru' ? 'ru' : 'en';
    const id = request.params.id ?? '';
    new Promise<object>((resolve) => {
      if (!mayBeDialog(request)) throw nodeError('NOT_FROM_DIALOG');
      resolve(handler({ id, body: { ...fields, lang } }));
    }).then(
      (answer) => response.json(answer),
      (thrown: unknown) => {
        const error = asError(thrown);
        const known = error instanceof TelephonyError;
        response.status(known ? 400 : 500).json({
          error: { code: known ? error.code : 'UNEXPECTED', message: known ? error.textIn(lang) : error.message },
        });
      },
    );
  });
}

/**
 * An editor without a login is open to every page in the browser of whoever may reach it, and a question may send a stored
 * key to the address in it. A form of a page cannot send JSON; Node-RED allows a script to, but the browser says where it is from.
 */
function mayBeDialog(request: Request): boolean {
  return request.is('application/json') === 'application/json' && request.headers['sec-fetch-site'] !== 'cross-site';
}

/**
 * What stands in the dialog as the running node would get it: each environment variable that is set is filled in, however
 * deep it stands in lists and objects; with the environment of the node's own flow when it is deployed.
 */
export function withEnvironment(red: NodeAPI, id: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withEnvironment(red, id, item));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withEnvironment(red, id, item)]));
  }
  const variable = typeof value === 'string' ? variableIn(value) : undefined;
  if (variable === undefined) return value;
  const found: unknown = red.util.evaluateNodeProperty(variable, 'env', red.nodes.getNode(id), {});
  return found === '' || found === undefined ? value : found;
}

/**
 * The credentials that a dialog means: what was typed, or, where the password was left alone, what is stored for the node.
 * For use inside the runtime only: must not go back to the browser.
 */
export function dialogCredentials<Name extends string>(
  red: NodeAPI,
  id: string,
  typed: unknown,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  const given = typeof typed === 'object' && typed !== null ? (typed as Record<string, unknown>) : {};
  const stored = (red.nodes.getCredentials(id) as Record<string, unknown> | null | undefined) ?? {};
  const found: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const value = withEnvironment(red, id, given[name] === UNCHANGED ? stored[name] : given[name]);
    if (typeof value === 'string') found[name] = value;
  }
  return found;
}
